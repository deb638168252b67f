//! Every metric of a split with its interval: the rows of the table.

use metrics::{ClassMetric, Confusion, Metric, estimates, proportion};

use crate::scores::{Ranked, SplitScores};
use crate::table::{Row, Scope};

/// The table's rows of one split: overall, each class, each kind of confusion. `threshold` is the confidence below which
/// the head rejects a row.
pub(crate) fn rows(scores: &SplitScores<'_>, classes: &[String], threshold: Option<f64>) -> Vec<Row> {
    let outcomes = &scores.outcomes;
    let tally = outcomes.tally();
    let metrics: Vec<Metric> =
        Metric::overall(classes.len()).into_iter().chain(Metric::per_class(classes.len())).collect();
    let values = estimates(outcomes, &metrics);
    let (overall, of_classes) = values.split_at(Metric::overall(classes.len()).len());

    let mut rows = Vec::new();
    let mut push = |scope, metric: String, class: Option<usize>, (value, interval): Ranked, n| {
        let class = class.map(|class| classes[class].clone());
        rows.push(Row { split: scores.split, scope, metric, class, value, interval, n });
    };
    let n = tally.rows();
    for (metric, value) in metrics.iter().zip(overall) {
        push(Scope::Overall, metric.to_string(), None, (value.value, value.interval), n);
    }
    let ranking = &scores.ranking;
    push(Scope::Overall, "macro_roc_auc".to_owned(), None, ranking.macro_roc_auc(), n);
    push(Scope::Overall, "macro_average_precision".to_owned(), None, ranking.macro_average_precision(), n);

    if let Some(threshold) = threshold {
        let is_kept = |&at: &usize| outcomes.confidences()[at] >= threshold;
        let kept: Vec<usize> = (0..outcomes.rows()).filter(is_kept).collect();
        let right =
            kept.iter().filter(|&&at| outcomes.labels()[at] == outcomes.predicted()[at]).count() as u64;
        let share = |part: u64, of: u64| ((of > 0).then(|| part as f64 / of as f64), proportion(part, of));
        push(Scope::Overall, "coverage_at_reject".to_owned(), None, share(kept.len() as u64, n), n);
        let answered = share(right, kept.len() as u64);
        push(Scope::Overall, "accuracy_at_reject".to_owned(), None, answered, kept.len() as u64);
    }

    if let Some(novelties) = &scores.novelties {
        push(Scope::Overall, "novelty_rate".to_owned(), None, novelties.rate(), n);
    }

    for (class, values) in of_classes.chunks_exact(ClassMetric::ALL.len()).enumerate() {
        let marginals = tally.marginals().class(class);
        for (metric, value) in ClassMetric::ALL.iter().zip(values) {
            let n = if *metric == ClassMetric::Precision { marginals.predicted } else { marginals.support };
            push(Scope::Class, metric.to_string(), Some(class), (value.value, value.interval), n);
        }
        let support = marginals.support;
        push(Scope::Class, "roc_auc".to_owned(), Some(class), ranking.roc_auc(class), support);
        let precision = ranking.average_precision(class);
        push(Scope::Class, "average_precision".to_owned(), Some(class), precision, support);
        push(Scope::Class, "support".to_owned(), Some(class), (Some(support as f64), None), support);
    }
    for pair in Confusion::of_outcomes(outcomes).pairs() {
        let metric = format!("confusion:{}", classes[pair.predicted]);
        let support = tally.marginals().class(pair.truth).support;
        push(Scope::Confusion, metric, Some(pair.truth), (Some(pair.count as f64), None), support);
    }
    rows
}
