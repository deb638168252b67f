//! Labels and numbers row by row, for plots of what is said against what is so, and for the map's colours.

use report::{Output, Values};

use super::Material;
use crate::measured::TaskOutcomes;

/// Numbers that a page holds: rows times outputs.
const MOST: usize = 1 << 20;

/// The first outputs that there is room for, at least one.
pub(super) fn of(material: &Material<'_>) -> Option<Values> {
    let scores = material.scores;
    let room = (MOST / scores.len().max(1)).clamp(1, material.head.classes.len());
    let column = |output: usize| -> Option<Vec<(f64, f64)>> {
        match &scores.measured {
            TaskOutcomes::Classes(_) => None,
            TaskOutcomes::Labels(outcomes) => {
                Some(outcomes.column(output).map(|(truth, p)| (f64::from(u8::from(truth)), p)).collect())
            }
            TaskOutcomes::Numbers(outcomes) => Some(outcomes.column(output).collect()),
        }
    };
    let of = |output: usize| {
        let (truth, predicted) =
            column(output)?.into_iter().map(|(truth, said)| (truth as f32, said as f32)).unzip();
        Some(Output { output: output as u32, truth, predicted })
    };
    let outputs: Vec<Output> = (0..room).map(of).collect::<Option<_>>()?;
    let ids = (0..scores.len()).map(|at| material.features.id(scores.rows.row(at)).to_owned());
    Some(Values { ids: ids.collect(), outputs })
}
