//! Labels and what a model that did not see them says, checked once.

use crate::ReviewError;

/// How far from 1 the probabilities of a row may add up to.
const TOLERANCE: f64 = 1e-3;

/// Labels and out-of-fold probabilities of the same rows: each row judged by a model that was fitted without it.
///
/// Of probabilities that a model gives rows that it was fitted on nothing can be learnt about their labels.
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    labels: &'a [u32],
    probabilities: &'a [f64],
    classes: usize,
}

impl<'a> Predictions<'a> {
    /// Takes `labels` (n,) and `probabilities` (n, C), row-major.
    ///
    /// # Errors
    /// No rows, fewer than two classes, lengths that do not fit, a label out of range, something that is no
    /// probability, a row whose sum is not 1 to 0.001.
    pub fn new(labels: &'a [u32], probabilities: &'a [f64], classes: usize) -> Result<Self, ReviewError> {
        let rows = labels.len();
        if rows == 0 {
            return Err(ReviewError::NoRows);
        }
        if classes < 2 {
            return Err(ReviewError::TooFewClasses { got: classes });
        }
        if rows.checked_mul(classes) != Some(probabilities.len()) {
            return Err(ReviewError::Shape { rows, dim: classes, got: probabilities.len() });
        }
        let predictions = Predictions { labels, probabilities, classes };
        for (row, (label, probabilities)) in predictions.iter().enumerate() {
            if label as usize >= classes {
                return Err(ReviewError::Label { row, label, classes });
            }
            if let Some(class) = probabilities.iter().position(|value| !(0.0..=1.0).contains(value)) {
                return Err(ReviewError::Probability { row, class, value: probabilities[class] });
            }
            let sum: f64 = probabilities.iter().sum();
            if (sum - 1.0).abs() > TOLERANCE {
                return Err(ReviewError::Sum { row, sum });
            }
        }
        Ok(predictions)
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// (n,).
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Of one row: (C,).
    pub(crate) fn probabilities(&self, row: u32) -> &'a [f64] {
        &self.probabilities[row as usize * self.classes..][..self.classes]
    }

    /// Label and probabilities (C,) of each row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &'a [f64])> + use<'a> {
        self.labels.iter().copied().zip(self.probabilities.chunks_exact(self.classes))
    }
}

/// The class of the largest value, the first of equals.
pub(crate) fn largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, class| if values[class] > values[best] { class } else { best })
}

/// The class other than `label` of the largest value, the first of equals.
pub(crate) fn largest_other(values: &[f64], label: usize) -> usize {
    let first = usize::from(label == 0);
    (first..values.len())
        .filter(|&class| class != label)
        .fold(first, |best, class| if values[class] > values[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_has_its_error() {
        let message = |labels: &[u32], probabilities: &[f64], classes| {
            Predictions::new(labels, probabilities, classes).unwrap_err().to_string()
        };
        let cases = [
            (message(&[], &[], 2), "no rows"),
            (message(&[0], &[1.0], 1), "expected at least two classes, got 1"),
            (message(&[0, 1], &[1.0, 0.0], 2), "expected 2 rows of 2 values, got 2 values"),
            (message(&[2], &[1.0, 0.0], 2), "row 0 has label 2, but there are only 2 classes"),
            (message(&[0], &[f64::NAN, 0.0], 2), "row 0, class 0: expected a probability, got NaN"),
            (message(&[0], &[0.5, 0.6], 2), "row 0: expected probabilities with sum 1, got 1.1"),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn the_first_of_equals_is_largest() {
        assert_eq!(largest(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(largest_other(&[0.2, 0.4, 0.4], 1), 2);
        assert_eq!(largest_other(&[0.2, 0.2, 0.1], 0), 1);
        assert_eq!(largest_other(&[0.9, 0.05, 0.05], 2), 0);
    }
}
