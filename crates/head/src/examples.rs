//! What heads are fitted on and scored with, checked once.

use artifact::Rows;

use crate::HeadFitError;

/// Rows that are read together. A whole pass takes as many numbers of memory as some of these have.
pub(crate) const BLOCK: usize = 256;

/// Features and labels of the same rows: at least one row, labels below `classes`.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    rows: &'a dyn Rows,
    labels: &'a [u32],
    classes: usize,
}

impl<'a> Examples<'a> {
    /// Takes `rows` (n, d) and their `labels` (n,).
    ///
    /// # Errors
    /// No rows, as many labels as there are not rows, a label out of range.
    pub fn new(rows: &'a dyn Rows, labels: &'a [u32], classes: usize) -> Result<Self, HeadFitError> {
        if rows.is_empty() {
            return Err(HeadFitError::NoRows);
        }
        if rows.len() != labels.len() {
            return Err(HeadFitError::Lengths { rows: rows.len(), labels: labels.len() });
        }
        if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
            return Err(HeadFitError::Label { row, label: labels[row], classes });
        }
        Ok(Examples { rows, labels, classes })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of features, d.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The features, (n, d).
    pub fn features(&self) -> &'a dyn Rows {
        self.rows
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
    use artifact::Matrix;

    #[test]
    fn each_lie_has_its_error() {
        let message = |rows: usize, labels: &[u32], classes| {
            let values = vec![0.0; rows];
            let matrix = Matrix::new(&values, 1).unwrap();
            let examples = Examples::new(&matrix, labels, classes);
            examples.and_then(|examples| examples.check_trainable()).unwrap_err().to_string()
        };
        let cases = [
            (message(0, &[], 2), "no rows"),
            (message(1, &[0, 1], 2), "1 rows of features, but 2 labels"),
            (message(1, &[2], 2), "row 0 has label 2, but there are only 2 classes"),
            (message(1, &[0], 1), "expected at least two classes, got 1"),
            (message(2, &[0, 2], 3), "class 1 has no rows"),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }
}
