//! What heads are fitted on and scored with, checked once.

use crate::HeadFitError;

/// Features and labels of the same rows: at least one row, labels below `classes`, features finite.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    features: &'a [f32],
    labels: &'a [u32],
    dim: usize,
    classes: usize,
}

impl<'a> Examples<'a> {
    /// Takes `features` (n, d) f32 row-major and `labels` (n,).
    ///
    /// # Errors
    /// No rows, lengths that do not fit, a label out of range, a feature that is not finite.
    pub fn new(
        features: &'a [f32],
        labels: &'a [u32],
        dim: usize,
        classes: usize,
    ) -> Result<Self, HeadFitError> {
        let rows = labels.len();
        if rows == 0 {
            return Err(HeadFitError::NoRows);
        }
        if dim == 0 || rows.checked_mul(dim) != Some(features.len()) {
            return Err(HeadFitError::Shape { rows, dim, got: features.len() });
        }
        if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(HeadFitError::Label { row, label: labels[row], classes });
        }
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            return Err(HeadFitError::NotFinite { row: at / dim, column: at % dim, value: features[at] });
        }
        Ok(Examples { features, labels, dim, classes })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of features, d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// (n, d) row-major.
    pub fn features(&self) -> &'a [f32] {
        self.features
    }

    /// (n,).
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Rows of each class, (C,).
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// Whether a classifier can be fitted: two classes or more, each with rows.
    pub(crate) fn check_trainable(&self) -> Result<(), HeadFitError> {
        if self.classes < 2 {
            return Err(HeadFitError::TooFewClasses { got: self.classes });
        }
        match self.counts().iter().position(|&count| count == 0) {
            Some(class) => Err(HeadFitError::AbsentClass { class }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_has_its_error() {
        let message = |features: &[f32], labels: &[u32], dim, classes| {
            let examples = Examples::new(features, labels, dim, classes);
            examples.and_then(|examples| examples.check_trainable()).unwrap_err().to_string()
        };
        let cases = [
            (message(&[], &[], 1, 2), "no rows"),
            (message(&[1.0], &[0, 1], 1, 2), "expected 2 rows of 1 values, got 1 values"),
            (message(&[1.0], &[2], 1, 2), "row 0 has label 2, but there are only 2 classes"),
            (
                message(&[1.0, 2.0, 3.0, f32::NAN], &[0, 1], 2, 2),
                "row 1, column 1: expected a finite number, got NaN",
            ),
            (message(&[1.0], &[0], 1, 1), "expected at least two classes, got 1"),
            (message(&[1.0, 2.0], &[0, 2], 1, 3), "class 1 has no rows"),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }
}
