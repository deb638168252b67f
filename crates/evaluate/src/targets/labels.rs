//! Metrics of several labels a row, with their intervals.

use artifact::Split;
use metrics::{
    Bootstrap, ClassMetric, MultiLabel, MultiLabelMetric, MultiLabelOutcomes, MultiLabelScores,
    bootstrap_label_rankings, bootstrap_multi_label, wilson,
};

use crate::scores::Ranked;
use crate::table::{Row, Scope};

/// Probabilities whose rankings are resampled, at most.
const RANKED: usize = 1 << 22;
/// What is told of each label by itself besides what is of its ranking and its decisions.
const LOSSES: [MultiLabelMetric; 2] = [MultiLabelMetric::LogLoss, MultiLabelMetric::BrierScoreLoss];

/// The table's rows of what is so, what was said (both (n, labels)), and the number of labels. With `names`, rankings and
/// each label too.
pub(super) fn rows(
    split: Split,
    scope: &Scope,
    names: &[String],
    (truth, probabilities, labels): (&[bool], &[f64], usize),
    bootstrap: &Bootstrap,
) -> anyhow::Result<Vec<Row>> {
    let block = MultiLabel::new(truth, probabilities, labels)?;
    let outcomes = MultiLabelOutcomes::of(&block);
    let tally = outcomes.tally();
    let overall = MultiLabelMetric::overall();
    let mut metrics = overall.clone();
    if !names.is_empty() {
        metrics.extend(MultiLabelMetric::per_label(labels));
    }
    let found = bootstrap_multi_label(&outcomes, &metrics, bootstrap);
    let n = tally.rows();
    let mut rows = Vec::new();
    let mut push = |scope: &Scope, metric: &str, class: Option<&String>, (value, interval): Ranked, n| {
        let (scope, metric, class) = (scope.clone(), metric.to_owned(), class.cloned());
        rows.push(Row { split, scope, metric, class, value, interval, n });
    };
    for (metric, found) in overall.iter().zip(&found) {
        // A proportion of rows has Wilson's interval, as a classifier's accuracy has.
        let interval = match metric {
            MultiLabelMetric::SubsetAccuracy => wilson(tally.exact(), n),
            _ => found.interval,
        };
        push(scope, &metric.to_string(), None, (found.value, interval), n);
    }
    if names.is_empty() {
        return Ok(rows);
    }
    let ranked = Rankings::of(&block, bootstrap);
    push(scope, "macro_roc_auc", None, ranked.macro_roc_auc, n);
    push(scope, "macro_average_precision", None, ranked.macro_average_precision, n);

    let per_label = tally.per_label();
    let of_labels = found[overall.len()..].chunks_exact(ClassMetric::ALL.len());
    for (label, (name, found)) in names.iter().zip(of_labels).enumerate() {
        let scores = per_label[label];
        for (metric, found) in ClassMetric::ALL.iter().zip(found) {
            let (interval, n) = match metric {
                ClassMetric::Precision => (wilson(scores.correct, scores.predicted), scores.predicted),
                ClassMetric::Recall => (wilson(scores.correct, scores.support), scores.support),
                ClassMetric::F1 => (found.interval, scores.support),
            };
            push(&Scope::Class, &metric.to_string(), Some(name), (found.value, interval), n);
        }
        push(&Scope::Class, "roc_auc", Some(name), ranked.roc_auc[label], scores.support);
        push(&Scope::Class, "average_precision", Some(name), ranked.average_precision[label], scores.support);
        let column =
            |values: &[f64]| values.iter().skip(label).step_by(labels).copied().collect::<Vec<f64>>();
        let own: Vec<bool> = truth.iter().skip(label).step_by(labels).copied().collect();
        let alone = MultiLabelOutcomes::of(&MultiLabel::new(&own, &column(probabilities), 1)?);
        for (metric, found) in LOSSES.iter().zip(bootstrap_multi_label(&alone, &LOSSES, bootstrap)) {
            push(&Scope::Class, &metric.to_string(), Some(name), (found.value, found.interval), n);
        }
        let support = (Some(scores.support as f64), None);
        push(&Scope::Class, "support", Some(name), support, scores.support);
    }
    Ok(rows)
}

/// How well rows that bear a label rank above those that do not.
struct Rankings {
    macro_roc_auc: Ranked,
    macro_average_precision: Ranked,
    roc_auc: Vec<Ranked>,
    average_precision: Vec<Ranked>,
}

impl Rankings {
    /// With intervals where the rows are few enough.
    fn of(block: &MultiLabel<'_>, bootstrap: &Bootstrap) -> Rankings {
        if block.rows().saturating_mul(block.labels()) > RANKED {
            let scores = MultiLabelScores::of(block);
            let each = |of: fn(&metrics::ClassRanking) -> f64| {
                scores.labels().iter().map(|label| (label.ranking.as_ref().map(of), None)).collect()
            };
            return Rankings {
                macro_roc_auc: (scores.macro_roc_auc(), None),
                macro_average_precision: (scores.macro_average_precision(), None),
                roc_auc: each(|ranking| ranking.roc_auc),
                average_precision: each(|ranking| ranking.average_precision),
            };
        }
        let found = bootstrap_label_rankings(block, bootstrap);
        let pair = |estimate: &metrics::Estimate| (estimate.value, estimate.interval);
        Rankings {
            macro_roc_auc: pair(&found.macro_roc_auc),
            macro_average_precision: pair(&found.macro_average_precision),
            roc_auc: found.roc_auc.iter().map(pair).collect(),
            average_precision: found.average_precision.iter().map(pair).collect(),
        }
    }
}
