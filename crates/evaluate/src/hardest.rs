//! `--hardest`: the rows that the head does worst on.

use artifact::FeatureSet;
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};

use crate::scores::SplitScores;

/// `id, split, label, predicted, confidence, probability, loss` of every scored row, the highest loss first; of equals, and
/// of splits, those that come first. `probability` is the label's own, `loss` its −ln: null where it was thought impossible.
pub(crate) fn frame(scores: &[SplitScores<'_>], features: &FeatureSet) -> PolarsResult<DataFrame> {
    let rows = scores.iter().flat_map(|scores| (0..scores.outcomes.rows()).map(move |at| (scores, at)));
    let mut rows: Vec<(&SplitScores<'_>, usize)> = rows.collect();
    let own = |(scores, at): &(&SplitScores<'_>, usize)| scores.outcomes.own()[*at];
    rows.sort_by(|a, b| own(a).total_cmp(&own(b)));
    let class = |label: u32| features.classes()[label as usize].as_str();
    let ids: Vec<&str> = rows.iter().map(|(scores, at)| features.id(scores.rows.row(*at))).collect();
    let splits: Vec<&str> = rows.iter().map(|(scores, _)| scores.split.name()).collect();
    let labels: Vec<&str> = rows.iter().map(|(scores, at)| class(scores.outcomes.labels()[*at])).collect();
    let predicted: Vec<&str> =
        rows.iter().map(|(scores, at)| class(scores.outcomes.predicted()[*at])).collect();
    let confidence: Vec<f64> = rows.iter().map(|(scores, at)| scores.outcomes.confidences()[*at]).collect();
    let probability: Vec<f64> = rows.iter().map(own).collect();
    let loss: Vec<Option<f64>> = probability.iter().map(|p| (*p > 0.0).then(|| -p.ln())).collect();
    df!(
        "id" => ids, "split" => splits, "label" => labels, "predicted" => predicted, "confidence" => confidence,
        "probability" => probability, "loss" => loss,
    )
}
