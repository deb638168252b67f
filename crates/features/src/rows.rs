//! Rows of features that are read in blocks, so that nobody needs them all in memory.

use crate::FeatureSet;
use sample::{Column, Split, targets::Samples};

/// n rows of d values, read some at a time: features as they lie in an artefact, or a matrix in memory.
///
/// Every value is finite: an artefact is checked when it is opened, a [`Matrix`] when it is made.
pub trait Rows: Sync {
    /// n, the number of rows.
    fn len(&self) -> usize;

    /// d, the number of values in a row.
    fn dim(&self) -> usize;

    /// Copies the rows from `first` on into `out`, (k, d) row-major.
    ///
    /// # Panics
    /// Where there are not so many.
    fn read(&self, first: usize, out: &mut [f32]);

    /// Copies these rows, ascending, into `out`, (k, d) row-major.
    ///
    /// # Panics
    /// As [`Rows::read`].
    fn read_some(&self, rows: &[usize], out: &mut [f32]) {
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(self.dim())) {
            self.read(row, out);
        }
    }

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A matrix in memory: (n, d) row-major.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    dim: usize,
}

/// Why numbers do not make a [`Matrix`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MatrixError {
    /// Not a whole number of rows.
    #[error("expected rows of {dim} values, got {got} values")]
    Shape {
        /// Values a row should have.
        dim: usize,
        /// Values there are.
        got: usize,
    },
    /// A feature is infinite or not a number.
    #[error("row {row}, column {column}: expected a finite number, got {value}")]
    NotFinite {
        /// The row.
        row: usize,
        /// The feature.
        column: usize,
        /// What stands there.
        value: f32,
    },
}

impl<'a> Matrix<'a> {
    /// Takes `values` (n, `dim`).
    ///
    /// # Errors
    /// Where they are no whole number of rows, or not all finite.
    pub fn new(values: &'a [f32], dim: usize) -> Result<Self, MatrixError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(MatrixError::Shape { dim, got: values.len() });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(MatrixError::NotFinite { row: at / dim, column: at % dim, value: values[at] }),
            None => Ok(Matrix { values, dim }),
        }
    }
}

impl Rows for Matrix<'_> {
    fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.values[first * self.dim..][..out.len()]);
    }
}

/// Rows that are read one by one before their pages are given back.
const TOGETHER: usize = 16;
/// Numbers that [`Selection::blocks`] holds at a time.
const HELD: usize = 1 << 20;

/// Some rows of opened features, in their order.
///
/// They are copied out of the map block by block; where the artefact is large, a block's pages are given back once they
/// were read, so that a pass over all rows does not fill the memory.
pub struct Selection<'a> {
    features: &'a FeatureSet,
    rows: Vec<u32>,
}

impl<'a> Selection<'a> {
    /// The rows of one split, without augmented views.
    pub fn split(features: &'a FeatureSet, split: Split) -> Selection<'a> {
        Selection::of(features, |row| features.split(row) == split)
    }

    /// Those rows of view 0 that `keep` picks.
    pub fn of(features: &'a FeatureSet, keep: impl Fn(usize) -> bool) -> Selection<'a> {
        Selection::with_views(features, |row| features.view(row) == 0 && keep(row))
    }

    /// The rows that `keep` picks, augmented views among them: only for whoever learns from them.
    pub fn with_views(features: &'a FeatureSet, keep: impl Fn(usize) -> bool) -> Selection<'a> {
        let all = 0..u32::try_from(features.len()).unwrap_or(u32::MAX);
        Selection { features, rows: all.filter(|&row| keep(row as usize)).collect() }
    }

    /// Those of these rows that `picks` picks by their place here, and the others.
    #[must_use]
    pub fn divide(self, picks: impl Fn(usize) -> bool) -> (Selection<'a>, Selection<'a>) {
        let (mut picked, mut others) = (Vec::new(), Vec::new());
        for (at, row) in self.rows.into_iter().enumerate() {
            if picks(at) { &mut picked } else { &mut others }.push(row);
        }
        let of = |rows| Selection { features: self.features, rows };
        (of(picked), of(others))
    }

    /// The rows block by block, so that nobody holds them all: the first row and the features (k, d) of each block. `width`
    /// numbers follow of each row.
    pub fn blocks(&self, width: usize) -> impl Iterator<Item = (usize, Vec<f32>)> {
        let (n, dim) = (self.rows.len(), Rows::dim(self));
        let block = (HELD / dim.max(width)).clamp(64, 1 << 14);
        (0..n).step_by(block).map(move |first| {
            let mut x = vec![0.0; block.min(n - first) * dim];
            self.read(first, &mut x);
            (first, x)
        })
    }

    /// The artefact's row that is row `at` here.
    pub fn row(&self, at: usize) -> usize {
        self.rows[at] as usize
    }

    /// The rows' views, (n,).
    pub fn views(&self) -> Vec<u32> {
        self.rows.iter().map(|&row| self.features.view(row as usize)).collect()
    }
}

impl Samples for Selection<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, sample: usize) -> &str {
        self.features.id(self.row(sample))
    }

    fn columns(&self) -> &[String] {
        Samples::columns(self.features)
    }

    fn column(&self, name: &str) -> Option<Column> {
        let whole = Samples::column(self.features, name)?;
        Some(whole.select(self.rows.iter().map(|&row| row as usize)))
    }

    fn place(&self) -> String {
        self.features.place()
    }
}

impl Rows for Selection<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.features.dim()
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        let dim = self.dim();
        let rows = &self.rows[first..first + out.len() / dim];
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(dim)) {
            self.features.copy_row(row as usize, out);
        }
        if let [first, .., last] = *rows {
            self.features.release(first as usize..last as usize + 1);
        }
    }

    fn read_some(&self, rows: &[usize], out: &mut [f32]) {
        let dim = self.dim();
        // Rows that lie far apart bring much between them along.
        for (rows, out) in rows.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER * dim)) {
            for (&row, out) in rows.iter().zip(out.chunks_exact_mut(dim)) {
                self.features.copy_row(self.row(row), out);
            }
            if let [first, .., last] = *rows {
                self.features.release(self.row(first)..self.row(last) + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_checked_once_and_read_in_blocks() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let matrix = Matrix::new(&values, 2).unwrap();
        assert_eq!((matrix.len(), matrix.dim()), (3, 2));
        let mut block = [0.0; 4];
        matrix.read(1, &mut block);
        assert_eq!(block, [3.0, 4.0, 5.0, 6.0]);
        let message = |values: &[f32], dim| Matrix::new(values, dim).unwrap_err().to_string();
        assert_eq!(message(&values, 4), "expected rows of 4 values, got 6 values");
        assert_eq!(message(&values, 0), "expected rows of 0 values, got 6 values");
        assert_eq!(
            message(&[1.0, 2.0, 3.0, f32::NAN], 2),
            "row 1, column 1: expected a finite number, got NaN"
        );
    }
}
