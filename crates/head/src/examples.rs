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
    /// (n,); nothing where every row is a sample of its own.
    views: &'a [u32],
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
        Ok(Examples { rows, labels, classes, views: &[] })
    }

    /// Says which view each row is, (n,): a sample is a row of view 0 with the augmented ones after it.
    ///
    /// # Errors
    /// Another number of views than of rows, or no view 0 at the beginning.
    pub fn with_views(self, views: &'a [u32]) -> Result<Self, HeadFitError> {
        if views.len() != self.rows() || views[0] != 0 {
            return Err(HeadFitError::Views { rows: self.rows(), views: views.len() });
        }
        Ok(Examples { views, ..self })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// The rows of view 0, ascending: the first row of every sample.
    pub fn samples(&self) -> Vec<u32> {
        let first = |row: &u32| self.views.get(*row as usize).is_none_or(|view| *view == 0);
        (0..self.rows() as u32).filter(first).collect()
    }

    /// All rows of the sample whose first one this is.
    pub(crate) fn rows_of(&self, first: u32) -> std::ops::Range<u32> {
        let after = self.views.iter().skip(first as usize + 1);
        first..first + 1 + after.take_while(|view| **view > 0).count() as u32
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
    fn samples_are_rows_of_view_0_with_those_after_them() {
        let matrix = Matrix::new(&[0.0; 6], 1).unwrap();
        let examples = Examples::new(&matrix, &[0, 0, 0, 1, 1, 0], 2).unwrap();
        assert_eq!((examples.samples(), examples.rows_of(2)), (vec![0, 1, 2, 3, 4, 5], 2..3));
        let examples = examples.with_views(&[0, 1, 2, 0, 1, 0]).unwrap();
        assert_eq!(examples.samples(), [0, 3, 5]);
        assert_eq!([0, 3, 5].map(|first| examples.rows_of(first)), [0..3, 3..5, 5..6]);
        assert!(examples.with_views(&[0, 1]).is_err());
        assert!(examples.with_views(&[1, 0, 0, 0, 0, 0]).is_err());
    }

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
