//! Rows of many labels, with what all metrics of them share.

use rayon::prelude::*;
use std::sync::Arc;

use super::{row::Row, tally::LabelTally};
use crate::{CompareError, Outcomes, Rankings, ScoreError, against::Against, alone::Alone, scored::within};

/// A label is predicted where its probability is above this: as scikit-learn's `OneVsRestClassifier` has it.
pub const LABEL_THRESHOLD: f64 = 0.5;

/// Which labels each row bears and how probable each was thought, checked and added up once.
///
/// There is at least one row and one label; every probability is within [0, 1]. Metrics of rankings come with
/// [`ranked`](LabelOutcomes::ranked).
#[derive(Debug)]
pub struct LabelOutcomes {
    /// (n, L)
    truth: Arc<[bool]>,
    /// (n, L)
    probabilities: Arc<[f64]>,
    /// What labels are predicted above: (L,).
    thresholds: Vec<f64>,
    /// The same rows where labels are only predicted from thresholds of their own on.
    at_reject: Option<Box<LabelOutcomes>>,
    pub(super) rows: Vec<Row>,
    pub(super) tally: LabelTally,
    pub(super) rankings: Option<Rankings>,
}

/// A label that a row bears, or was given, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) label: usize,
    pub(super) truth: bool,
    pub(super) predicted: bool,
}

impl LabelOutcomes {
    /// Takes `truth` and `probabilities` of `labels` labels, both (n, L), row-major.
    ///
    /// # Errors
    /// No rows or labels, lengths that do not fit, a value outside [0, 1], more than 2³² − 1 rows. Labels
    /// take the place of classes in the errors.
    pub fn new(
        truth: Vec<bool>,
        probabilities: Vec<f64>,
        labels: usize,
    ) -> Result<LabelOutcomes, ScoreError> {
        let rows = truth.len().checked_div(labels).unwrap_or(0);
        if labels == 0 || rows * labels != truth.len() || truth.len() != probabilities.len() {
            return Err(ScoreError::Shape { rows, classes: labels, got: probabilities.len() });
        }
        if rows == 0 {
            return Err(ScoreError::NoRows);
        }
        if u32::try_from(rows).is_err() {
            return Err(ScoreError::TooManyRows);
        }
        within(&probabilities, labels)?;
        Ok(LabelOutcomes::of_checked(truth.into(), probabilities.into(), vec![LABEL_THRESHOLD; labels]))
    }

    fn of_checked(truth: Arc<[bool]>, probabilities: Arc<[f64]>, thresholds: Vec<f64>) -> LabelOutcomes {
        let labels = thresholds.len();
        let each = truth.par_chunks_exact(labels).zip(probabilities.par_chunks_exact(labels));
        let rows: Vec<Row> = each.map(|(truth, p)| Row::of(truth, p, &thresholds)).collect();
        let mut outcomes = LabelOutcomes {
            truth,
            probabilities,
            thresholds,
            at_reject: None,
            rows,
            tally: LabelTally::new(labels),
            rankings: None,
        };
        let mut tally = LabelTally::new(labels);
        for (at, row) in outcomes.rows.iter().enumerate() {
            tally.add(row, outcomes.entries_of(at));
        }
        outcomes.tally = tally;
        outcomes
    }

    /// With what comes of it where each label is only predicted from a threshold of its own on: (L,); where there is none,
    /// never.
    #[must_use]
    pub fn rejecting(self, thresholds: Option<&[Option<f64>]>) -> LabelOutcomes {
        let Some(own) = thresholds else { return self };
        let own = own.iter().map(|own| own.map_or(f64::INFINITY, f64::next_down)).collect();
        let (truth, p) = (Arc::clone(&self.truth), Arc::clone(&self.probabilities));
        LabelOutcomes { at_reject: Some(Box::new(LabelOutcomes::of_checked(truth, p, own))), ..self }
    }

    /// With the ranking of every label; labels are shared out over the current rayon pool.
    #[must_use]
    pub fn ranked(self) -> LabelOutcomes {
        let count = |label: usize| {
            let positives: Vec<f64> =
                self.column(label).filter(|(truth, _)| *truth).map(|(_, p)| p).collect();
            // Fewer than 2³² rows: what LabelOutcomes::new sees to.
            let mut against = Against::new(positives.clone(), (self.rows.len() - positives.len()) as u32);
            for (_, p) in self.column(label).filter(|(truth, _)| !truth) {
                against.count(p);
            }
            against
        };
        let counts = (0..self.labels()).into_par_iter().map(count).collect();
        LabelOutcomes { rankings: Some(Rankings::of_labels(counts)), ..self }
    }

    /// Number of labels, L.
    pub fn labels(&self) -> usize {
        self.thresholds.len()
    }

    /// Which labels each row bears: (n, L), row-major.
    pub fn truth(&self) -> &[bool] {
        &self.truth
    }

    /// How probable each was thought: (n, L), row-major.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Which labels a row is given: (L,).
    pub fn predicted(&self, row: usize) -> impl Iterator<Item = bool> + '_ {
        let own = &self.probabilities[row * self.labels()..][..self.labels()];
        own.iter().zip(&self.thresholds).map(|(p, threshold)| p > threshold)
    }

    /// What labels are predicted above: (L,).
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The same rows where labels are only predicted from thresholds of their own on, if there are any.
    pub fn at_reject(&self) -> Option<&LabelOutcomes> {
        self.at_reject.as_deref()
    }

    /// Counts and sums.
    pub fn tally(&self) -> &LabelTally {
        &self.tally
    }

    /// How well the rows that bear each label rank above the others, where that was asked for.
    pub fn rankings(&self) -> Option<&Rankings> {
        self.rankings.as_ref()
    }

    /// `(truth, probability)` of each row for one label.
    pub fn column(&self, label: usize) -> impl Iterator<Item = (bool, f64)> + '_ {
        let truth = self.truth[label..].iter().step_by(self.labels()).copied();
        truth.zip(self.probabilities[label..].iter().step_by(self.labels()).copied())
    }

    pub(super) fn entries_of(&self, row: usize) -> impl Iterator<Item = Entry> + '_ {
        let own = row * self.labels()..(row + 1) * self.labels();
        let each = self.truth[own.clone()].iter().zip(&self.probabilities[own]).zip(&self.thresholds);
        let entries = each.enumerate().map(|(label, ((&truth, p), threshold))| Entry {
            label,
            truth,
            predicted: p > threshold,
        });
        entries.filter(|entry| entry.truth || entry.predicted)
    }
}

impl Outcomes for LabelOutcomes {
    type Alone = Alone;

    fn alone(&self) -> impl Iterator<Item = Alone> + '_ {
        (0..self.labels()).map(|label| {
            let ranking = self.rankings.as_ref().and_then(|found| found.class(label)).copied();
            let (truth, p): (Vec<bool>, Vec<f64>) = self.column(label).unzip();
            let column = LabelOutcomes::of_checked(truth.into(), p.into(), vec![self.thresholds[label]]);
            let at_reject = self.at_reject.as_ref().map(|own| own.tally.marginals.class(label));
            Alone {
                column: Some(column),
                at_reject,
                ..Alone::new(self.tally.marginals.class(label), ranking)
            }
        })
    }

    fn select(&self, rows: &[usize]) -> LabelOutcomes {
        let own = |&row: &usize| row * self.labels()..(row + 1) * self.labels();
        let truth = rows.iter().flat_map(|row| &self.truth[own(row)]).copied().collect();
        let p = rows.iter().flat_map(|row| &self.probabilities[own(row)]).copied().collect();
        LabelOutcomes {
            at_reject: self.at_reject.as_ref().map(|own| Box::new(own.select(rows))),
            ..LabelOutcomes::of_checked(truth, p, self.thresholds.clone())
        }
    }

    fn is_same(&self, other: &LabelOutcomes) -> Result<bool, CompareError> {
        if self.labels() != other.labels() {
            return Err(CompareError::Classes { first: self.labels(), second: other.labels() });
        }
        if self.rows.len() != other.rows.len() {
            return Err(CompareError::Rows { first: self.rows.len(), second: other.rows.len() });
        }
        if let Some(at) = self.truth.iter().zip(&*other.truth).position(|(first, second)| first != second) {
            let [first, second] = [self, other].map(|of| u32::from(of.truth[at]));
            return Err(CompareError::Label { row: at / self.labels(), first, second });
        }
        Ok(self.probabilities == other.probabilities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Figure, figures, named};

    const TRUTH: [bool; 6] = [true, false, false, true, true, false];
    const P: [f64; 6] = [0.75, 0.25, 0.625, 0.875, 0.25, 0.125];

    fn of(truth: &[bool], p: &[f64], labels: usize) -> LabelOutcomes {
        LabelOutcomes::new(truth.to_vec(), p.to_vec(), labels).unwrap()
    }

    fn value(figures: &[Figure], name: &str) -> Option<f64> {
        named(figures, name).unwrap().estimate.value
    }

    #[test]
    fn by_hand() {
        let outcomes = of(&TRUTH, &P, 2);
        let found = figures(&outcomes);
        for (metric, expected) in [
            ("subset_accuracy", 1.0 / 3.0),
            ("hamming_loss", 2.0 / 6.0),
            ("micro_precision", 2.0 / 3.0),
            ("macro_recall", 0.75),
            ("samples_precision", 0.5),
            ("coverage_error", 1.0),
            ("label_ranking_average_precision", 1.0),
        ] {
            assert_eq!(value(&found, metric), Some(expected), "{metric}");
        }
        assert_eq!(value(&figures(&outcomes.alone().next().unwrap()), "precision"), Some(0.5));
        assert_eq!((outcomes.tally().exact(), outcomes.tally().density()), (1, 0.5));
        let twice = outcomes.select(&[0, 0]);
        assert_eq!((twice.tally().rows(), value(&figures(&twice), "subset_accuracy")), (2, Some(1.0)));
    }

    #[test]
    fn thresholds_of_their_own_change_no_figure_but_theirs() {
        let (plain, own) = (of(&TRUTH, &P, 2), of(&TRUTH, &P, 2).rejecting(Some(&[Some(0.7), None])));
        let found: Vec<Option<f64>> =
            own.alone().map(|label| value(&figures(&label), "recall_at_reject")).collect();
        assert_eq!(found, [Some(0.5), Some(0.0)]);
        let (all, bare) = (figures(&own), figures(&plain));
        assert_eq!(value(&all, "micro_precision_at_reject"), Some(1.0));
        assert_eq!(value(&all, "micro_recall_at_reject"), Some(1.0 / 3.0));
        assert!(
            bare.iter().all(|figure| all.contains(figure))
                && named(&bare, "micro_recall_at_reject").is_none()
        );
        assert_eq!(value(&figures(&own.select(&[0])), "micro_recall_at_reject"), Some(1.0));
        assert!(own.is_same(&plain).unwrap());
    }

    #[test]
    fn each_lie_has_its_error() {
        let cases: [(&[bool], &[f64], usize, ScoreError); 5] = [
            (&[], &[], 2, ScoreError::NoRows),
            (&[true], &[0.5], 0, ScoreError::Shape { rows: 0, classes: 0, got: 1 }),
            (&[true; 3], &[0.5; 3], 2, ScoreError::Shape { rows: 1, classes: 2, got: 3 }),
            (&[true; 4], &[0.5; 2], 2, ScoreError::Shape { rows: 2, classes: 2, got: 2 }),
            (&[true; 2], &[0.5, 1.5], 2, ScoreError::Probability { row: 0, class: 1, value: 1.5 }),
        ];
        for (truth, p, labels, expected) in cases {
            let got = LabelOutcomes::new(truth.to_vec(), p.to_vec(), labels);
            assert_eq!(got.unwrap_err(), expected);
        }
        let column: Vec<(bool, f64)> = of(&TRUTH, &P, 2).column(1).collect();
        assert_eq!(column, [(false, 0.25), (true, 0.875), (false, 0.125)]);
    }

    #[test]
    fn labels_by_hand() {
        let truth = [true, true, false, false, true, false, true, false, false, true, true, false];
        let p = [0.75, 0.5, 0.25, 0.5, 0.5, 0.75, 0.25, 0.125, 0.0, 0.875, 0.25, 1.0];
        let outcomes = of(&truth, &p, 3).ranked();
        let labels: Vec<Vec<Figure>> = outcomes.alone().map(|label| figures(&label)).collect();
        assert_eq!(value(&labels[0], "support"), Some(3.0));
        assert_eq!(
            (named(&labels[0], "precision").unwrap().rows, value(&labels[0], "recall")),
            (2, Some(2.0 / 3.0))
        );
        assert_eq!(value(&labels[0], "roc_auc"), Some(2.0 / 3.0));
        let brier = (0.0625 + 0.25 + 0.5625 + 0.015_625) / 4.0;
        assert_eq!(value(&labels[0], "brier_score_loss"), Some(brier));
        assert_eq!((value(&labels[1], "support"), value(&labels[1], "roc_auc")), (Some(3.0), Some(1.0)));
        assert_eq!((value(&labels[2], "support"), value(&labels[2], "roc_auc")), (Some(0.0), None));
        let mean = named(&figures(&outcomes), "macro_roc_auc").unwrap().estimate;
        assert_eq!(mean.value, Some((2.0 / 3.0 + 1.0) / 2.0));
        assert!(mean.interval.is_some_and(|ends| ends.low < 0.5 && ends.high > 0.95), "{mean:?}");
    }
}
