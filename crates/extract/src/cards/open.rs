//! Cards by their numbers.

use super::{Cards, Setup};
use crate::{
    backbone::{Runner, probe_pixels},
    config::Config,
};
use anyhow::{Result, bail};
use artifact::PROBES;
use engine::{
    Cpu,
    cuda::{Driver, Precision},
};
use network::Bound;

/// Opens cards, and gets the network ready on them.
///
/// # Errors
/// Where one of them is not there, and as [`Cards::new`].
pub(crate) fn open(
    bound: &Bound,
    config: &Config,
    numbers: &[usize],
    precision: Precision,
) -> Result<Box<dyn Runner>> {
    let mut cards = Vec::new();
    for number in numbers {
        match Driver::open(*number) {
            Ok(card) => cards.push((format!("cuda:{number}"), card)),
            Err(error) => bail!("cannot use cuda:{number}: {error}; --device cpu does without"),
        }
    }
    let taps: Vec<&str> = config.taps().map(|(tap, _)| tap).collect();
    let how = config.preprocessing();
    let setup = Setup { bound, taps: &taps, how, precision, batch: config.batch() };
    let reference = || Ok(Cpu::new(bound.clone(), how)?.run(&probe_pixels(how), PROBES)?);
    Ok(Box::new(Cards::new(cards, setup, reference)?))
}
