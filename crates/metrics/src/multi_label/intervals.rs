//! Intervals of multi-label metrics, and differences of two heads.

use rayon::prelude::*;

use super::metric::{MultiLabelAverage, MultiLabelMetric};
use super::outcomes::MultiLabelOutcomes;
use super::row::Row;
use super::tally::MultiLabelTally;
use crate::averages::Averages;
use crate::interval::{f1, proportion};
use crate::spread::Spread;
use crate::{Average, ClassMetric, ClassScores, CompareError, Difference, Estimate, Interval};

/// Values of `metrics` with their 95 % intervals. What they hold is the value of endless rows like these.
pub fn multi_label_estimates(outcomes: &MultiLabelOutcomes, metrics: &[MultiLabelMetric]) -> Vec<Estimate> {
    let tally = outcomes.tally();
    metrics.par_iter().map(|&metric| estimate(outcomes, &tally, metric)).collect()
}

/// Differences of `metrics` between `first` and `second`, which are of the same rows and labels.
///
/// # Errors
/// Other numbers of labels, which take the place of classes, or of rows.
pub fn multi_label_differences(
    first: &MultiLabelOutcomes,
    second: &MultiLabelOutcomes,
    metrics: &[MultiLabelMetric],
) -> Result<Vec<Difference>, CompareError> {
    if first.labels() != second.labels() {
        return Err(CompareError::Classes { first: first.labels(), second: second.labels() });
    }
    if first.rows() != second.rows() {
        return Err(CompareError::Rows { first: first.rows(), second: second.rows() });
    }
    let both = [first, second].map(|outcomes| (outcomes, outcomes.tally()));
    let same = first == second;
    let difference = |&metric: &MultiLabelMetric| {
        let found = both.each_ref().map(|(outcomes, tally)| estimate(outcomes, tally, metric));
        let spreads = both.each_ref().map(|(outcomes, tally)| {
            tally.value(metric).and_then(|value| spread(outcomes, tally, metric, value))
        });
        Difference::of(found, &spreads, same)
    };
    Ok(metrics.par_iter().map(difference).collect())
}

fn estimate(outcomes: &MultiLabelOutcomes, tally: &MultiLabelTally, metric: MultiLabelMetric) -> Estimate {
    let value = tally.value(metric);
    Estimate { value, interval: value.and_then(|value| interval(outcomes, tally, metric, value)) }
}

fn interval(
    outcomes: &MultiLabelOutcomes,
    tally: &MultiLabelTally,
    metric: MultiLabelMetric,
    value: f64,
) -> Option<Interval> {
    match metric {
        MultiLabelMetric::SubsetAccuracy => proportion(tally.exact(), tally.rows()),
        MultiLabelMetric::Label(label, what) => of_label(&tally.marginals.class(label), what),
        // Of few rows a label's score is biased as well as scattered, so the ends are the means of all labels' exact ones.
        MultiLabelMetric::Average(MultiLabelAverage::Macro, what)
            if tally.marginals.per_class().any(|scores| counted(&scores, what).1 < FEW) =>
        {
            let whole = Interval { low: 0.0, high: 1.0 };
            let ends = || tally.marginals.per_class().map(|scores| of_label(&scores, what).unwrap_or(whole));
            let labels = outcomes.labels() as f64;
            let mean = |of: fn(Interval) -> f64| ends().map(of).sum::<f64>() / labels;
            Some(Interval { low: mean(|ends| ends.low).min(value), high: mean(|ends| ends.high).max(value) })
        }
        _ => spread(outcomes, tally, metric, value).map(|spread| spread.interval()),
    }
}

/// A label whose score is a ratio to less than this has few rows.
const FEW: f64 = 20.0;

fn of_label(scores: &ClassScores, what: ClassMetric) -> Option<Interval> {
    match what {
        ClassMetric::Precision => proportion(scores.correct, scores.predicted),
        ClassMetric::Recall => proportion(scores.correct, scores.support),
        ClassMetric::F1 => f1(scores.correct, scores.support + scores.predicted - 2 * scores.correct),
    }
}

/// What each row moves a metric by; `None` of single labels, and where nothing is counted.
fn spread(
    outcomes: &MultiLabelOutcomes,
    tally: &MultiLabelTally,
    metric: MultiLabelMetric,
    value: f64,
) -> Option<Spread> {
    let labels = outcomes.labels() as f64;
    let mean = |most: f64, of: &dyn Fn(&Row) -> f64| {
        Some(Spread::mean(value, [0.0, most], outcomes.rows.iter().map(of).collect()))
    };
    match metric {
        MultiLabelMetric::SubsetAccuracy => mean(1.0, &|row| f64::from(u8::from(row.wrong() == 0))),
        MultiLabelMetric::HammingLoss => mean(1.0, &|row| f64::from(row.wrong()) / labels),
        MultiLabelMetric::Average(MultiLabelAverage::Samples, what) => {
            mean(1.0, &|row| what.of(&row.scores()))
        }
        MultiLabelMetric::Average(MultiLabelAverage::Micro, what) => {
            let counts = |row: &Row| parts(what, row.hits.into(), row.relevant.into(), row.predicted.into());
            let whole = outcomes.rows.iter().map(|row| counts(row).1).sum::<f64>() / outcomes.rows() as f64;
            if whole == 0.0 {
                return None;
            }
            mean(1.0, &|row| {
                let (part, all) = counts(row);
                value + (part - value * all) / whole
            })
        }
        MultiLabelMetric::Average(MultiLabelAverage::Macro, what) => {
            averaged(outcomes, tally, Average::Macro, what, value)
        }
        MultiLabelMetric::Average(MultiLabelAverage::Weighted, what) => {
            averaged(outcomes, tally, Average::Weighted, what, value)
        }
        MultiLabelMetric::CoverageError => mean(labels, &|row| f64::from(row.coverage)),
        MultiLabelMetric::LabelRankingAveragePrecision => mean(1.0, &|row| row.ranking_precision),
        MultiLabelMetric::LogLoss => {
            // A loss has no bound, so one is assumed: twice the largest seen, or chance's.
            let largest =
                outcomes.rows.iter().map(|row| row.nats / labels).fold(std::f64::consts::LN_2, f64::max);
            mean(2.0 * largest, &|row| row.nats / labels)
        }
        MultiLabelMetric::BrierScoreLoss => mean(1.0, &|row| row.squares / labels),
        MultiLabelMetric::Label(..) => None,
    }
}

/// Numerator and denominator of a score.
fn parts(what: ClassMetric, hits: f64, relevant: f64, predicted: f64) -> (f64, f64) {
    match what {
        ClassMetric::Precision => (hits, predicted),
        ClassMetric::Recall => (hits, relevant),
        ClassMetric::F1 => (2.0 * hits, relevant + predicted),
    }
}

fn counted(scores: &ClassScores, what: ClassMetric) -> (f64, f64) {
    parts(what, scores.correct as f64, scores.support as f64, scores.predicted as f64)
}

/// An average over labels: every row moves the scores of the labels that it bears or was given, each a ratio that is
/// shrunk towards that of all labels where it has few rows.
fn averaged(
    outcomes: &MultiLabelOutcomes,
    tally: &MultiLabelTally,
    average: Average,
    what: ClassMetric,
    value: f64,
) -> Option<Spread> {
    let marginals = &tally.marginals;
    let total = marginals.total() as f64;
    if total == 0.0 {
        return None;
    }
    let of = |scores: &ClassScores| counted(scores, what);
    let (part, whole) = of(&marginals.micro());
    let pooled = if whole > 0.0 { part / whole } else { 0.0 };
    let (n, labels) = (outcomes.rows() as f64, outcomes.labels() as f64);
    // Of each label its weight over its denominator, its score, and what it adds to a weighted mean.
    let each: Vec<(f64, f64, f64)> = marginals
        .per_class()
        .map(|scores| {
            let (part, whole) = of(&scores);
            let (weight, share) = match average {
                Average::Macro => (1.0 / labels, 0.0),
                _ => (scores.support as f64 / total, (what.of(&scores) - value) / total),
            };
            (n * weight / (whole + 1.0), (part + pooled) / (whole + 1.0), n * share)
        })
        .collect();
    let row = |row: usize| {
        let moves = outcomes.entries_of(row).iter().map(|entry| {
            let (weight, score, share) = each[entry.label as usize];
            let [truth, predicted] = [entry.truth, entry.predicted].map(|is| f64::from(u8::from(is)));
            let (part, whole) = parts(what, truth * predicted, truth, predicted);
            weight * (part - score * whole) + share * truth
        });
        value + moves.sum::<f64>()
    };
    let heavy = each.iter().zip(marginals.per_class()).filter(|(_, scores)| of(scores).1 > 0.0);
    let heavy = heavy.map(|((weight, ..), _)| weight / labels).sum::<f64>().max(1.0);
    Some(Spread {
        unbiased: Averages::new(marginals).unbiased(average, what),
        unseen: [value - heavy * value, value + heavy * (1.0 - value)],
        ..Spread::mean(value, [0.0, 1.0], (0..outcomes.rows()).map(row).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MultiLabel;

    const TRUTH: [bool; 6] = [true, false, false, true, true, false];
    const P: [f64; 6] = [0.75, 0.25, 0.625, 0.875, 0.25, 0.125];

    #[test]
    fn a_head_does_not_differ_from_itself() {
        let own = MultiLabelOutcomes::of(&MultiLabel::new(&TRUTH, &P, 2).unwrap());
        let all = MultiLabelMetric::overall();
        for found in multi_label_differences(&own, &own, &all).unwrap() {
            assert_eq!(found.difference, Some(0.0));
            assert_eq!(found.interval.map(|ends| (ends.low, ends.high)), Some((0.0, 0.0)));
        }
        let right = TRUTH.map(|truth| if truth { 0.9 } else { 0.1 });
        let right = MultiLabelOutcomes::of(&MultiLabel::new(&TRUTH, &right, 2).unwrap());
        let subset = [MultiLabelMetric::SubsetAccuracy];
        let found = multi_label_differences(&own, &right, &subset).unwrap()[0];
        assert_eq!((found.first, found.second), (Some(1.0 / 3.0), Some(1.0)));
        assert!(multi_label_differences(&own, &MultiLabelOutcomes::new(3), &subset).is_err());
        assert!(multi_label_differences(&own, &MultiLabelOutcomes::new(2), &subset).is_err());
    }

    #[test]
    fn nothing_has_no_values() {
        for estimate in multi_label_estimates(&MultiLabelOutcomes::new(2), &MultiLabelMetric::overall()) {
            assert_eq!(estimate, Estimate { value: None, interval: None });
        }
    }

    #[test]
    fn one_row_has_wide_intervals() {
        let one = MultiLabelOutcomes::of(&MultiLabel::new(&TRUTH[..2], &P[..2], 2).unwrap());
        for (metric, found) in
            MultiLabelMetric::overall().iter().zip(multi_label_estimates(&one, &MultiLabelMetric::overall()))
        {
            let ends = found.interval.unwrap();
            assert!(ends.high - ends.low > 0.3, "{metric}: {found:?}");
        }
    }
}
