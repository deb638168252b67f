//! Cards by their numbers.

use super::{Cards, Setup};
use crate::embedder::{Embedder, Plan, check::Unlike};
use anyhow::{Result, bail};
use engine::{Cpu, Executor, Precision, cuda::Driver};
use weights::Bound;

/// Opens cards, and gets the network ready on them: where no precision was asked for, in f16, or in bf16 where the probes
/// show that f16 does not hold the network's numbers.
///
/// # Errors
/// Where one of them is not there, and as [`Cards::new`].
pub(crate) fn open(
    bound: &Bound,
    numbers: &[usize],
    precision: Option<Precision>,
    plan: Plan<'_>,
) -> Result<Box<dyn Embedder>> {
    let Plan { recipe, taps, batch, views } = plan;
    let ready = |precision| {
        let mut cards = Vec::new();
        for number in numbers {
            match Driver::open(*number) {
                Ok(card) => cards.push((format!("cuda:{number}"), card)),
                Err(error) => bail!("cannot use cuda:{number}: {error}; --device cpu does without"),
            }
        }
        // All views of a sample are in one batch.
        let batch = batch.map(|batch| batch.max(views));
        let setup = Setup { bound, taps, recipe, precision, batch };
        let reference = || Ok(Cpu::new(bound.clone(), recipe)?.run(recipe.probes().batch())?);
        Cards::new(cards, setup, reference)
    };
    let cards = match ready(precision.unwrap_or(Precision::F16)) {
        Err(error) if precision.is_none() && error.is::<Unlike>() => ready(Precision::Bf16),
        cards => cards,
    };
    Ok(Box::new(cards?))
}
