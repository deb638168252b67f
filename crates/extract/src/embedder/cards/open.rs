//! Cards by their numbers.

use super::{Cards, Setup, check::Unlike};
use crate::{config::Config, embedder::Embedder};
use anyhow::{Result, bail};
use engine::{
    Cpu, Executor,
    cuda::{Driver, Precision},
};
use weights::Bound;

/// Opens cards, and gets the network ready on them: where no precision was asked for, in f16, or in bf16 where the probes
/// show that f16 does not hold the network's numbers.
///
/// # Errors
/// Where one of them is not there, and as [`Cards::new`].
pub(crate) fn open(
    bound: &Bound,
    config: &Config,
    numbers: &[usize],
    precision: Option<Precision>,
) -> Result<Box<dyn Embedder>> {
    let taps: Vec<&str> = config.taps().map(|(tap, _)| tap).collect();
    let recipe = config.recipe();
    let ready = |precision| {
        let mut cards = Vec::new();
        for number in numbers {
            match Driver::open(*number) {
                Ok(card) => cards.push((format!("cuda:{number}"), card)),
                Err(error) => bail!("cannot use cuda:{number}: {error}; --device cpu does without"),
            }
        }
        // All views of a sample are in one batch.
        let least = config.views().map_or(1, |views| views.count as usize);
        let batch = config.batch().map(|batch| batch.max(least));
        let setup = Setup { bound, taps: &taps, recipe, precision, batch };
        let reference = || Ok(Cpu::new(bound.clone(), recipe)?.run(recipe.probes().batch())?);
        Cards::new(cards, setup, reference)
    };
    let cards = match ready(precision.unwrap_or(Precision::F16)) {
        Err(error) if precision.is_none() && error.is::<Unlike>() => ready(Precision::Bf16),
        cards => cards,
    };
    Ok(Box::new(cards?))
}
