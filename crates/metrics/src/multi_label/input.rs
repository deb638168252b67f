//! The checked input of multi-label metrics.

use crate::ScoreError;
use crate::scored::within;

/// What each row bears and how probable each label was thought, checked once.
///
/// There is at least one row and one label; every probability is within [0, 1].
#[derive(Clone, Copy, Debug)]
pub struct MultiLabel<'a> {
    truth: &'a [bool],
    probabilities: &'a [f64],
    labels: usize,
}

impl<'a> MultiLabel<'a> {
    /// Takes `truth` and `probabilities`, both (n, labels), row-major.
    ///
    /// # Errors
    /// No rows or labels, lengths that do not fit, a value outside [0, 1], more than 2³² − 1 rows. Labels
    /// take the place of classes in the errors.
    pub fn new(truth: &'a [bool], probabilities: &'a [f64], labels: usize) -> Result<Self, ScoreError> {
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
        within(probabilities, labels)?;
        Ok(MultiLabel { truth, probabilities, labels })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.truth.len() / self.labels
    }

    /// Number of labels, L.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// `(truth, probabilities)` of each row, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a [bool], &'a [f64])> + '_ {
        self.truth.chunks_exact(self.labels).zip(self.probabilities.chunks_exact(self.labels))
    }

    /// `(truth, probability)` of each row for one label.
    pub(crate) fn column(&self, label: usize) -> impl Iterator<Item = (bool, f64)> + '_ {
        let truth = self.truth[label..].iter().step_by(self.labels).copied();
        truth.zip(self.probabilities[label..].iter().step_by(self.labels).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_has_its_error() {
        let cases: [(&[bool], &[f64], usize, ScoreError); 5] = [
            (&[], &[], 2, ScoreError::NoRows),
            (&[true], &[0.5], 0, ScoreError::Shape { rows: 0, classes: 0, got: 1 }),
            (&[true; 3], &[0.5; 3], 2, ScoreError::Shape { rows: 1, classes: 2, got: 3 }),
            (&[true; 4], &[0.5; 2], 2, ScoreError::Shape { rows: 2, classes: 2, got: 2 }),
            (&[true; 2], &[0.5, 1.5], 2, ScoreError::Probability { row: 0, class: 1, value: 1.5 }),
        ];
        for (truth, probabilities, labels, expected) in cases {
            assert_eq!(MultiLabel::new(truth, probabilities, labels).unwrap_err(), expected);
        }
        let fine = MultiLabel::new(&[true, false, false, true], &[0.5, 0.0, 0.25, 1.0], 2).unwrap();
        assert_eq!((fine.rows(), fine.labels()), (2, 2));
        assert_eq!(fine.column(1).collect::<Vec<_>>(), [(false, 0.0), (true, 1.0)]);
    }
}
