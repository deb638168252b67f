//! What each row moves multi-label metrics by, and values and intervals that need more than a line.

use super::{outcomes::LabelOutcomes, row::Row};
use crate::{
    ClassScores, Interval,
    averages::{Average, Averages, ClassMetric},
    spread::Spread,
};

/// What is averaged.
#[derive(Clone, Copy)]
pub(super) enum Over {
    /// Scores of labels. The plain mean, from counts added up, or weighted by support: 0 where nothing bears any label.
    Labels(Average),
    /// Scores of rows: the plain mean.
    Rows,
}

/// A label whose score is a ratio to less than this has few rows.
const FEW: f64 = 20.0;

impl LabelOutcomes {
    /// Number of (row, label).
    pub(super) fn entries(&self) -> f64 {
        self.tally.rows() as f64 * self.labels() as f64
    }

    pub(super) fn mean_moves(&self, value: f64, most: f64, of: impl Fn(&Row) -> f64) -> Option<Spread> {
        Some(Spread::mean(value, [0.0, most], self.rows.iter().map(of).collect()))
    }

    pub(crate) fn log_loss(&self) -> Option<f64> {
        Some(self.tally.nats / self.entries())
    }

    /// A loss has no bound, so one is assumed: twice the largest seen, or chance's.
    pub(crate) fn log_loss_moves(&self, value: f64) -> Option<Spread> {
        let labels = self.labels() as f64;
        let largest = self.rows.iter().map(|row| row.nats / labels).fold(std::f64::consts::LN_2, f64::max);
        self.mean_moves(value, 2.0 * largest, |row| row.nats / labels)
    }

    pub(crate) fn brier_score_loss(&self) -> Option<f64> {
        Some(self.tally.squares / self.entries())
    }

    pub(crate) fn brier_score_moves(&self, value: f64) -> Option<Spread> {
        let labels = self.labels() as f64;
        self.mean_moves(value, 1.0, |row| row.squares / labels)
    }

    pub(super) fn average(&self, over: Over, what: ClassMetric) -> Option<f64> {
        let (tally, marginals) = (&self.tally, &self.tally.marginals);
        Some(match over {
            Over::Labels(Average::Macro) => marginals.macro_average(|label| what.of(label)),
            Over::Labels(Average::Present) => marginals.present_average(|label| what.of(label)),
            Over::Labels(Average::Micro) => what.of(&marginals.micro()),
            Over::Labels(Average::Weighted) if marginals.total() == 0 => 0.0,
            Over::Labels(Average::Weighted) => marginals.weighted_average(|label| what.of(label)),
            Over::Rows => {
                let sum = match what {
                    ClassMetric::Precision => tally.precision,
                    ClassMetric::Recall => tally.recall,
                    ClassMetric::F1 => tally.f1,
                };
                sum / tally.rows() as f64
            }
        })
    }

    pub(super) fn average_interval(&self, over: Over, what: ClassMetric, value: f64) -> Option<Interval> {
        let labels = || self.tally.marginals.per_class();
        let of_few = labels().any(|scores| counted(&scores, what).1 < FEW);
        // Of few rows a label's score is biased as well as scattered, so the ends are the means of all labels' exact ones.
        if let (Over::Labels(Average::Macro), true) = (over, of_few) {
            let whole = Interval { low: 0.0, high: 1.0 };
            let ends = || labels().map(|scores| scores.interval(what).unwrap_or(whole));
            let mean = |of: fn(Interval) -> f64| ends().map(of).sum::<f64>() / self.labels() as f64;
            let (low, high) = (mean(|ends| ends.low), mean(|ends| ends.high));
            return Some(Interval { low: low.min(value), high: high.max(value) });
        }
        self.average_moves(over, what, value).map(|spread| spread.interval())
    }

    /// `None` where nothing is counted.
    pub(super) fn average_moves(&self, over: Over, what: ClassMetric, value: f64) -> Option<Spread> {
        match over {
            Over::Rows => self.mean_moves(value, 1.0, |row| what.of(&row.scores())),
            Over::Labels(Average::Micro) => {
                let counts =
                    |row: &Row| parts(what, row.hits.into(), row.relevant.into(), row.predicted.into());
                let whole = self.rows.iter().map(|row| counts(row).1).sum::<f64>() / self.rows.len() as f64;
                if whole == 0.0 {
                    return None;
                }
                self.mean_moves(value, 1.0, |row| {
                    let (part, all) = counts(row);
                    value + (part - value * all) / whole
                })
            }
            Over::Labels(average) => averaged(self, average, what, value),
        }
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
fn averaged(outcomes: &LabelOutcomes, average: Average, what: ClassMetric, value: f64) -> Option<Spread> {
    let marginals = &outcomes.tally.marginals;
    let total = marginals.total() as f64;
    if total == 0.0 {
        return None;
    }
    let of = |scores: &ClassScores| counted(scores, what);
    let (part, whole) = of(&marginals.micro());
    let pooled = if whole > 0.0 { part / whole } else { 0.0 };
    let (n, labels) = (outcomes.rows.len() as f64, outcomes.labels() as f64);
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
        let moves = outcomes.entries_of(row).map(|entry| {
            let (weight, score, share) = each[entry.label];
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
        ..Spread::mean(value, [0.0, 1.0], (0..outcomes.rows.len()).map(row).collect())
    })
}
