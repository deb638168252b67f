//! Every row's prediction as a table.

use artifact::FeatureSet;
use artifact::table::Format;
use polars::df;
use polars::prelude::{Column, DataFrame};

use super::scores::{Measured, SplitScores};
use crate::predictions::columns;

/// What a row without labels says, as targets that are read say it.
const NONE: &str = "none";

/// Of labels `id, split, label, predicted, probabilities`, both as `cat|dog`; of numbers `id, split`, and of each output
/// `target:NAME` and `predicted:NAME`. Splits one after the other, each in the order of the index.
pub(super) fn frame(
    scores: &[SplitScores<'_>],
    features: &FeatureSet,
    names: &[String],
    format: Format,
) -> anyhow::Result<DataFrame> {
    let (mut ids, mut splits) = (Vec::new(), Vec::new());
    let (mut truths, mut predicted, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers = vec![(Vec::new(), Vec::new()); names.len()];
    for scores in scores {
        ids.extend((0..scores.len()).map(|at| features.id(scores.rows.row(at))));
        splits.extend((0..scores.len()).map(|_| scores.split.name()));
        match &scores.measured {
            Measured::Labels { labels, truth, probabilities: said } => {
                truths.extend(truth.chunks_exact(*labels).map(|row| list(names, row.iter().copied())));
                let rows = said.chunks_exact(*labels);
                predicted.extend(rows.map(|row| list(names, row.iter().map(|&p| p > 0.5))));
                probabilities.extend_from_slice(said);
            }
            Measured::Numbers(outputs) => {
                for (all, (truth, said)) in numbers.iter_mut().zip(outputs) {
                    all.0.extend_from_slice(truth);
                    all.1.extend_from_slice(said);
                }
            }
        }
    }
    let mut frame = df!("id" => ids, "split" => splits)?;
    if truths.is_empty() {
        for (name, (truth, said)) in names.iter().zip(numbers) {
            frame.with_column(Column::new(format!("target:{name}").into(), truth))?;
            frame.with_column(Column::new(format!("predicted:{name}").into(), said))?;
        }
        return Ok(frame);
    }
    frame.with_column(Column::new("label".into(), truths))?;
    frame.with_column(Column::new("predicted".into(), predicted))?;
    let rows: Vec<&[f64]> = probabilities.chunks_exact(names.len()).collect();
    Ok(frame.hstack(&columns(&rows, names, format))?)
}

/// The names of those that are borne.
fn list(names: &[String], borne: impl Iterator<Item = bool>) -> String {
    let borne: Vec<&str> =
        names.iter().zip(borne).filter(|(_, is)| *is).map(|(name, _)| name.as_str()).collect();
    if borne.is_empty() { NONE.to_owned() } else { borne.join("|") }
}
