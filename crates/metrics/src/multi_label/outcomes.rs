//! What became of each row of many labels.

use rayon::prelude::*;

use super::row::{Row, THRESHOLD};
use super::tally::{Entry, MultiLabelTally};
use crate::{MultiLabel, ScoreError};

/// One entry a row, and one for each label that a row bears or was given, in the order the rows were pushed
/// in.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiLabelOutcomes {
    labels: usize,
    pub(super) rows: Vec<Row>,
    /// Of all rows, one after the other.
    entries: Vec<Entry>,
    /// Where the entries of each row end.
    ends: Vec<usize>,
}

impl MultiLabelOutcomes {
    /// Of no rows yet, and `labels` labels.
    pub fn new(labels: usize) -> MultiLabelOutcomes {
        MultiLabelOutcomes { labels, rows: Vec::new(), entries: Vec::new(), ends: Vec::new() }
    }

    /// Of all rows of `block`.
    pub fn of(block: &MultiLabel<'_>) -> MultiLabelOutcomes {
        let mut outcomes = MultiLabelOutcomes::new(block.labels());
        outcomes.append(block);
        outcomes
    }

    /// Appends a block of rows: `truth` and `probabilities`, both (b, L), row-major. A block may be empty.
    ///
    /// # Errors
    /// What [`MultiLabel::new`] refuses, rows numbered from the first that was ever pushed. Nothing is
    /// appended then.
    pub fn push(&mut self, truth: &[bool], probabilities: &[f64]) -> Result<(), ScoreError> {
        if truth.is_empty() && probabilities.is_empty() {
            return Ok(());
        }
        let before = self.rows.len();
        let block =
            MultiLabel::new(truth, probabilities, self.labels).map_err(|error| error.after(before))?;
        if u32::try_from(before + block.rows()).is_err() {
            return Err(ScoreError::TooManyRows);
        }
        self.append(&block);
        Ok(())
    }

    fn append(&mut self, block: &MultiLabel<'_>) {
        let pairs: Vec<(&[bool], &[f64])> = block.iter().collect();
        self.rows.par_extend(pairs.par_iter().map(|(truth, probabilities)| Row::of(truth, probabilities)));
        for (truth, probabilities) in pairs {
            let entries = truth.iter().zip(probabilities).zip(0..).map(|((&truth, &p), label)| Entry {
                label,
                truth,
                predicted: p > THRESHOLD,
            });
            self.entries.extend(entries.filter(|entry| entry.truth || entry.predicted));
            self.ends.push(self.entries.len());
        }
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of labels, L.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// Adds up every row.
    pub fn tally(&self) -> MultiLabelTally {
        self.tally_rows(0..self.rows())
    }

    /// Adds up `rows` alone (a slice of the data set); a row may be named twice.
    ///
    /// # Panics
    /// Where a row is not below [`MultiLabelOutcomes::rows`].
    pub fn tally_of(&self, rows: &[usize]) -> MultiLabelTally {
        self.tally_rows(rows.iter().copied())
    }

    fn tally_rows(&self, rows: impl Iterator<Item = usize>) -> MultiLabelTally {
        let mut tally = MultiLabelTally::new(self.labels);
        for at in rows {
            tally.add(&self.rows[at], self.entries_of(at));
        }
        tally
    }

    pub(super) fn entries_of(&self, row: usize) -> &[Entry] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.entries[start..self.ends[row]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassMetric, MultiLabelAverage, MultiLabelMetric};

    const TRUTH: [bool; 6] = [true, false, false, true, true, false];
    const P: [f64; 6] = [0.75, 0.25, 0.625, 0.875, 0.25, 0.125];

    #[test]
    fn by_hand() {
        let mut outcomes = MultiLabelOutcomes::new(2);
        outcomes.push(&TRUTH[..2], &P[..2]).unwrap();
        outcomes.push(&[], &[]).unwrap();
        outcomes.push(&TRUTH[2..], &P[2..]).unwrap();
        assert_eq!(outcomes, MultiLabelOutcomes::of(&MultiLabel::new(&TRUTH, &P, 2).unwrap()));
        let tally = outcomes.tally();
        for (metric, value) in [
            (MultiLabelMetric::SubsetAccuracy, 1.0 / 3.0),
            (MultiLabelMetric::HammingLoss, 2.0 / 6.0),
            (MultiLabelMetric::Average(MultiLabelAverage::Micro, ClassMetric::Precision), 2.0 / 3.0),
            (MultiLabelMetric::Average(MultiLabelAverage::Macro, ClassMetric::Recall), 0.75),
            (MultiLabelMetric::Average(MultiLabelAverage::Samples, ClassMetric::Precision), 0.5),
            (MultiLabelMetric::CoverageError, 1.0),
            (MultiLabelMetric::LabelRankingAveragePrecision, 1.0),
            (MultiLabelMetric::Label(0, ClassMetric::Precision), 0.5),
        ] {
            assert_eq!(tally.value(metric), Some(value), "{metric}");
        }
        assert_eq!(tally.value(MultiLabelMetric::Label(2, ClassMetric::F1)), None);
        assert_eq!((tally.exact(), tally.density()), (1, 0.5));
        let twice = outcomes.tally_of(&[0, 0]);
        assert_eq!((twice.rows(), twice.value(MultiLabelMetric::SubsetAccuracy)), (2, Some(1.0)));
    }

    #[test]
    fn errors_count_rows_from_the_first_block_on() {
        let mut outcomes = MultiLabelOutcomes::new(2);
        outcomes.push(&TRUTH, &P).unwrap();
        let error = outcomes.push(&TRUTH[..2], &[0.5, -1.0]).unwrap_err();
        assert_eq!(error, ScoreError::Probability { row: 3, class: 1, value: -1.0 });
        assert_eq!(outcomes.rows(), 3);
    }
}
