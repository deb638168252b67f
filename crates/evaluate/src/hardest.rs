//! `--hardest`: the rows that the head does worst on.

use features::FeatureSet;
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

use crate::{measured::TaskOutcomes, scores::SplitScores};

/// Every scored row, the highest loss first; of equals, and of splits, those that come first: `id, split, loss`. The loss of a
/// row is null where it is infinite. Of classes `label, predicted, confidence` and `probability`, the label's own, too.
pub(crate) fn frame(
    scores: &[SplitScores<'_>],
    names: &[String],
    features: &FeatureSet,
) -> PolarsResult<DataFrame> {
    let mut rows: Vec<(&SplitScores<'_>, usize, f64)> = Vec::new();
    for scores in scores {
        let losses = scores.measured.losses().into_iter().enumerate();
        rows.extend(losses.map(|(at, loss)| (scores, at, loss)));
    }
    let badness = |(scores, at, loss): &(&SplitScores<'_>, usize, f64)| match &scores.measured {
        // A logarithm makes equals of what is not quite.
        TaskOutcomes::Classes(outcomes) => -outcomes.each().own()[*at],
        _ => *loss,
    };
    rows.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    let ids: Vec<&str> = rows.iter().map(|(scores, at, _)| features.id(scores.rows.row(*at))).collect();
    let splits: Vec<&str> = rows.iter().map(|(scores, ..)| scores.split.name()).collect();
    let loss: Vec<Option<f64>> =
        rows.iter().map(|(.., loss)| Some(*loss).filter(|loss| loss.is_finite())).collect();
    let of_classes = rows.iter().filter_map(|(scores, at, _)| match &scores.measured {
        TaskOutcomes::Classes(outcomes) => Some((outcomes.each(), *at)),
        _ => None,
    });
    let of_classes: Vec<_> = of_classes.collect();
    if of_classes.is_empty() {
        return df!("id" => ids, "split" => splits, "loss" => loss);
    }
    let each = || of_classes.iter();
    let class = |label: u32| names[label as usize].as_str();
    df!(
        "id" => ids, "split" => splits,
        "label" => each().map(|(rows, at)| class(rows.labels()[*at])).collect::<Vec<_>>(),
        "predicted" => each().map(|(rows, at)| class(rows.predicted()[*at])).collect::<Vec<_>>(),
        "confidence" => each().map(|(rows, at)| rows.confidences()[*at]).collect::<Vec<_>>(),
        "probability" => each().map(|(rows, at)| rows.own()[*at]).collect::<Vec<_>>(),
        "loss" => loss,
    )
}
