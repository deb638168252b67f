//! Metrics of several labels a row, with their intervals.

use artifact::Split;
use metrics::{
    ClassMetric, Estimate, MultiLabel, MultiLabelMetric, MultiLabelOutcomes, MultiLabelScores,
    multi_label_estimates,
};

use crate::table::{Row, Scope};

/// What is told of each label by itself besides what is of its ranking and its decisions.
const LOSSES: [MultiLabelMetric; 2] = [MultiLabelMetric::LogLoss, MultiLabelMetric::BrierScoreLoss];

/// The table's rows of what is so, what was said (both (n, labels)), and the number of labels. With `names`, rankings and
/// each label too.
pub(super) fn rows(
    split: Split,
    scope: &Scope,
    names: &[String],
    (truth, probabilities, labels): (&[bool], &[f64], usize),
) -> anyhow::Result<Vec<Row>> {
    let block = MultiLabel::new(truth, probabilities, labels)?;
    let outcomes = MultiLabelOutcomes::of(&block);
    let tally = outcomes.tally();
    let overall = MultiLabelMetric::overall();
    let mut metrics = overall.clone();
    if !names.is_empty() {
        metrics.extend(MultiLabelMetric::per_label(labels));
    }
    let found = multi_label_estimates(&outcomes, &metrics);
    let n = tally.rows();
    let mut rows = Vec::new();
    let mut push = |scope: &Scope, metric: &str, class: Option<&String>, found: Estimate, n| {
        let (scope, metric, class) = (scope.clone(), metric.to_owned(), class.cloned());
        let Estimate { value, interval } = found;
        rows.push(Row { split, scope, metric, class, value, interval, n });
    };
    for (metric, found) in overall.iter().zip(&found) {
        push(scope, &metric.to_string(), None, *found, n);
    }
    if names.is_empty() {
        return Ok(rows);
    }
    let ranked = MultiLabelScores::of(&block);
    push(scope, "macro_roc_auc", None, ranked.macro_roc_auc(), n);
    push(scope, "macro_average_precision", None, ranked.macro_average_precision(), n);

    let per_label = tally.per_label();
    let of_labels = found[overall.len()..].chunks_exact(ClassMetric::ALL.len());
    for (label, (name, found)) in names.iter().zip(of_labels).enumerate() {
        let scores = per_label[label];
        for (metric, found) in ClassMetric::ALL.iter().zip(found) {
            let n = if *metric == ClassMetric::Precision { scores.predicted } else { scores.support };
            push(&Scope::Class, &metric.to_string(), Some(name), *found, n);
        }
        let ranking = ranked.labels()[label].ranking;
        let area = Estimate {
            value: ranking.map(|of| of.roc_auc),
            interval: ranking.map(|of| of.roc_auc_interval()),
        };
        push(&Scope::Class, "roc_auc", Some(name), area, scores.support);
        let precision = Estimate {
            value: ranking.map(|of| of.average_precision),
            interval: ranking.map(|of| of.average_precision_interval()),
        };
        push(&Scope::Class, "average_precision", Some(name), precision, scores.support);
        let column =
            |values: &[f64]| values.iter().skip(label).step_by(labels).copied().collect::<Vec<f64>>();
        let own: Vec<bool> = truth.iter().skip(label).step_by(labels).copied().collect();
        let alone = MultiLabelOutcomes::of(&MultiLabel::new(&own, &column(probabilities), 1)?);
        for (metric, found) in LOSSES.iter().zip(multi_label_estimates(&alone, &LOSSES)) {
            push(&Scope::Class, &metric.to_string(), Some(name), found, n);
        }
        let support = Estimate { value: Some(scores.support as f64), interval: None };
        push(&Scope::Class, "support", Some(name), support, scores.support);
    }
    Ok(rows)
}
