//! The sums over a set of rows that every multi-label metric is a function of.

use super::{outcomes::Entry, row::Row};
use crate::{
    ClassScores,
    marginals::{Marginals, ratio},
};

/// Counts and sums over a set of rows, maybe none.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelTally {
    rows: u64,
    pub(super) marginals: Marginals,
    pub(super) exact: u64,
    pub(super) wrong: u64,
    pub(super) coverage: u64,
    pub(super) ranking_precision: f64,
    pub(super) nats: f64,
    pub(super) squares: f64,
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) f1: f64,
}

impl LabelTally {
    pub(super) fn new(labels: usize) -> LabelTally {
        LabelTally {
            rows: 0,
            marginals: Marginals::new(labels),
            exact: 0,
            wrong: 0,
            coverage: 0,
            ranking_precision: 0.0,
            nats: 0.0,
            squares: 0.0,
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
        }
    }

    pub(super) fn add(&mut self, row: &Row, entries: impl Iterator<Item = Entry>) {
        let [relevant, predicted, hits] = [row.relevant, row.predicted, row.hits].map(u64::from);
        let scores = ClassScores::of(hits, relevant, predicted);
        let wrong = relevant + predicted - 2 * hits;
        self.rows += 1;
        self.exact += u64::from(wrong == 0);
        self.wrong += wrong;
        self.coverage += u64::from(row.coverage);
        self.ranking_precision += row.ranking_precision;
        self.nats += row.nats;
        self.squares += row.squares;
        self.precision += scores.precision;
        self.recall += scores.recall;
        self.f1 += scores.f1;
        for entry in entries {
            self.marginals.add_label(entry.label, entry.truth, entry.predicted);
        }
    }

    /// Rows in all, n.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of labels, L.
    pub fn labels(&self) -> usize {
        self.marginals.classes()
    }

    /// Precision, recall and F1 of each label, (L,).
    pub fn per_label(&self) -> Vec<ClassScores> {
        self.marginals.per_class().collect()
    }

    /// Rows whose labels are all as predicted: a proportion of [`rows`](LabelTally::rows).
    pub fn exact(&self) -> u64 {
        self.exact
    }

    /// Part of all (row, label) that rows bear. Zero without rows.
    pub fn density(&self) -> f64 {
        ratio(self.marginals.total(), self.rows * self.labels() as u64)
    }
}
