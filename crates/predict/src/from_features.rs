//! Features that are there already: no network is run.

use crate::{config::Config, row::Row};
use anyhow::Result;
use features::{FeatureSet, Rows as _, Selection};
use head::Head;
use model::Judge;

/// Numbers that are held at a time.
const HELD: usize = 1 << 20;

/// Hands the rows of all samples to `take`, in the order of their ids, and then those that extract skipped, until it wants no
/// more.
///
/// # Errors
/// Where the features are not of the kind that the head was fitted on.
pub(crate) fn run(
    config: &Config,
    head: &Head,
    take: &mut dyn FnMut(Vec<Row>) -> Result<bool>,
) -> Result<()> {
    let given = FeatureSet::open(&config.inputs)?;
    let features = head::choose(&given, head, &config.model)?;
    let (rows, judge) = (Selection::of(&features, |_| true), Judge::of(head));
    let (n, dim) = (rows.len(), rows.dim());
    let block = (HELD / dim.max(head.classes.len()).max(1)).clamp(64, 1 << 14);
    let mut x = vec![0.0; block.min(n) * dim];
    for first in (0..n).step_by(block) {
        let x = &mut x[..block.min(n - first) * dim];
        rows.read(first, x);
        let said = judge.of_rows(x).into_iter().zip(first..).map(|(verdict, at)| Row {
            id: features.id(rows.row(at)).to_owned(),
            said: verdict.ok_or_else(|| TOO_LARGE.to_owned()),
        });
        if !take(said.collect())? {
            return Ok(());
        }
    }
    let skipped = features.parts().next().into_iter().flat_map(|part| &part.index().skipped);
    let skipped: Vec<Row> =
        skipped.map(|skipped| Row { id: skipped.id.clone(), said: Err(skipped.reason.clone()) }).collect();
    take(skipped).map(drop)
}

/// What scores that are no numbers mean: a sum of products has passed what f32 has.
pub(crate) const TOO_LARGE: &str = "its features are too large for this head";
