//! Features that are there already: no network is run.

use crate::{config::Config, row::Row};
use anyhow::Result;
use features::{FeatureSet, Selection};
use head::Head;
use model::Judge;

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
    let (rows, judge) = (Selection::of(&features, |_| true), Judge::of(head)?);
    for (first, x) in rows.blocks(head.classes.len()) {
        let said = judge.of_rows(&x).into_iter().zip(first..).map(|(verdict, at)| Row {
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
