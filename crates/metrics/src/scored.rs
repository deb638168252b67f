//! The checked input of every metric.

use crate::row::argmax;

/// Labels and class probabilities of the same rows, checked once.
///
/// There is at least one row and one class, every label is below `classes`, every probability is
/// within [0, 1]. That the probabilities of a row add up to one is the caller's affair.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    labels: &'a [u32],
    probabilities: &'a [f64],
    classes: usize,
}

/// Why labels and probabilities do not make a [`Scored`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScoreError {
    /// There is nothing to average over.
    #[error("no rows to score")]
    NoRows,
    /// `probabilities` is not (rows, classes).
    #[error("expected {rows} rows of {classes} probabilities, got {got} numbers")]
    Shape {
        /// Number of labels.
        rows: usize,
        /// Number of classes.
        classes: usize,
        /// Length of the probabilities.
        got: usize,
    },
    /// A label names no class.
    #[error("row {row} has label {label}, but there are only {classes} classes")]
    Label {
        /// The row.
        row: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A probability is not a number within [0, 1].
    #[error("row {row}, class {class}: expected a probability within 0..=1, got {value}")]
    Probability {
        /// The row.
        row: usize,
        /// The class.
        class: usize,
        /// What stood there.
        value: f64,
    },
    /// Rows are numbered by 32 bits.
    #[error("expected at most 4,294,967,295 rows in all, got more")]
    TooManyRows,
}

impl ScoreError {
    /// The same of rows that come after `before` others.
    pub(crate) fn after(self, before: usize) -> ScoreError {
        match self {
            ScoreError::Label { row, label, classes } => {
                ScoreError::Label { row: before + row, label, classes }
            }
            ScoreError::Probability { row, class, value } => {
                ScoreError::Probability { row: before + row, class, value }
            }
            ScoreError::NoRows | ScoreError::Shape { .. } | ScoreError::TooManyRows => self,
        }
    }
}

impl<'a> Scored<'a> {
    /// Takes `labels` (n,) and `probabilities` (n, classes), row-major.
    ///
    /// # Errors
    /// No rows or classes, lengths that do not fit, a label out of range, a value outside [0, 1].
    pub fn new(labels: &'a [u32], probabilities: &'a [f64], classes: usize) -> Result<Self, ScoreError> {
        let rows = labels.len();
        if rows == 0 {
            return Err(ScoreError::NoRows);
        }
        if classes == 0 || rows.checked_mul(classes) != Some(probabilities.len()) {
            return Err(ScoreError::Shape { rows, classes, got: probabilities.len() });
        }
        if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(ScoreError::Label { row, label: labels[row], classes });
        }
        within(probabilities, classes)?;
        Ok(Scored { labels, probabilities, classes })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// True class of each row, (n,).
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Probabilities, (n, classes), row-major.
    pub fn probabilities(&self) -> &'a [f64] {
        self.probabilities
    }

    /// `(label, probabilities)` of each row, in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &'a [f64])> + '_ {
        self.labels.iter().map(|&label| label as usize).zip(self.probabilities.chunks_exact(self.classes))
    }

    /// Predicted class of each row, (n,): the most probable, of equals the first (numpy's `argmax`).
    pub fn predicted(&self) -> Vec<u32> {
        self.iter().map(|(_, row)| argmax(row) as u32).collect()
    }
}

/// Checks that every one of `probabilities` (n, classes) is a number within [0, 1].
pub(crate) fn within(probabilities: &[f64], classes: usize) -> Result<(), ScoreError> {
    let Some(at) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) else { return Ok(()) };
    let (row, class) = (at / classes, at % classes);
    Err(ScoreError::Probability { row, class, value: probabilities[at] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_has_its_error() {
        let fine = [0.5, 0.5];
        let cases: [(&[u32], &[f64], usize, ScoreError); 6] = [
            (&[], &[], 2, ScoreError::NoRows),
            (&[0], &[], 0, ScoreError::Shape { rows: 1, classes: 0, got: 0 }),
            (&[0, 1], &fine, 2, ScoreError::Shape { rows: 2, classes: 2, got: 2 }),
            (&[2], &fine, 2, ScoreError::Label { row: 0, label: 2, classes: 2 }),
            (&[1], &[-0.1, 1.0], 2, ScoreError::Probability { row: 0, class: 0, value: -0.1 }),
            (&[1], &[0.0, 1.5], 2, ScoreError::Probability { row: 0, class: 1, value: 1.5 }),
        ];
        for (labels, probabilities, classes, expected) in cases {
            assert_eq!(Scored::new(labels, probabilities, classes).unwrap_err(), expected);
        }
        let nan = Scored::new(&[1], &[0.0, f64::NAN], 2).unwrap_err();
        assert!(matches!(nan, ScoreError::Probability { row: 0, class: 1, .. }), "{nan:?}");
    }

    #[test]
    fn ties_go_to_the_first_class() {
        let scored = Scored::new(&[0, 1], &[0.4, 0.4, 0.2, 0.2, 0.4, 0.4], 3).unwrap();
        assert_eq!(scored.predicted(), [0, 1]);
    }
}
