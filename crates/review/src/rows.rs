//! Features as this crate reads them: blocks of rows, wherever they lie.

use rayon::prelude::*;

use crate::ReviewError;

/// Rows that are read, checked or projected at a time. Part of the bits of a mean.
pub(crate) const BLOCK: usize = 256;

/// A matrix of features (n, d) f32, row-major, that can be read in blocks from several threads at once.
///
/// Whoever implements it answers the same values however often it is asked.
pub trait Rows: Sync {
    /// Number of rows, n.
    fn len(&self) -> usize;

    /// Number of features, d.
    fn dim(&self) -> usize;

    /// Fills `out` (m, d) with rows `first..first + m`, which are all below [`len`](Rows::len).
    fn read(&self, first: usize, out: &mut [f32]);

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A matrix in memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    dim: usize,
}

impl<'a> Matrix<'a> {
    /// Takes `values` (n, `dim`), row-major.
    ///
    /// # Errors
    /// A number of values that is not a whole number of rows.
    pub fn new(values: &'a [f32], dim: usize) -> Result<Matrix<'a>, ReviewError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            let rows = values.len().checked_div(dim).unwrap_or(0);
            return Err(ReviewError::Shape { rows, dim, got: values.len() });
        }
        Ok(Matrix { values, dim })
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

/// The mean row (d,), in f64 over the rows of a block and over blocks in order, rounded to f32.
///
/// # Errors
/// No rows, more than 32 bits can count, or a feature that is not finite: this pass is the check after
/// which everything here trusts the rows.
pub(crate) fn mean(rows: &dyn Rows) -> Result<Vec<f32>, ReviewError> {
    let (n, dim) = (rows.len(), rows.dim());
    if n == 0 {
        return Err(ReviewError::NoRows);
    }
    let most = u32::MAX as usize;
    if n > most {
        return Err(ReviewError::TooManyRows { most, got: n });
    }
    let blocks: Vec<Result<Vec<f64>, ReviewError>> =
        (0..n.div_ceil(BLOCK)).into_par_iter().map(|block| sum(rows, block * BLOCK)).collect();
    let mut total = vec![0.0; dim];
    for block in blocks {
        total.iter_mut().zip(block?).for_each(|(total, value)| *total += value);
    }
    Ok(total.iter().map(|total| (total / n as f64) as f32).collect())
}

/// The sum of the block of rows that starts at `first`.
fn sum(rows: &dyn Rows, first: usize) -> Result<Vec<f64>, ReviewError> {
    let dim = rows.dim();
    let mut values = vec![0.0; BLOCK.min(rows.len() - first) * dim];
    rows.read(first, &mut values);
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(ReviewError::NotFinite { row: first + at / dim, column: at % dim, value: values[at] });
    }
    let mut sum = vec![0.0; dim];
    for row in values.chunks_exact(dim) {
        sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    Ok(sum)
}

/// Rows `first..` of `rows` with `mean` taken off, as many as `out` holds.
pub(crate) fn read_centred(rows: &dyn Rows, mean: &[f32], first: usize, out: &mut [f32]) {
    rows.read(first, out);
    for row in out.chunks_exact_mut(mean.len()) {
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
}

/// Scales each row of `values` (n, `dim`) to length one; rows of zeros stay.
pub(crate) fn scale_to_unit(values: &mut [f32], dim: usize) {
    for row in values.chunks_exact_mut(dim) {
        let square: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
        if square > 0.0 {
            let factor = (1.0 / square.sqrt()) as f32;
            row.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lie_has_its_error() {
        let message = |values: &[f32], dim| {
            let mean = Matrix::new(values, dim).and_then(|rows| mean(&rows));
            mean.unwrap_err().to_string()
        };
        let cases = [
            (message(&[], 3), "no rows"),
            (message(&[1.0; 4], 3), "expected 1 rows of 3 values, got 4 values"),
            (message(&[1.0; 4], 0), "expected 0 rows of 0 values, got 4 values"),
            (
                message(&[0.0, 1.0, f32::INFINITY, 0.0], 2),
                "row 1, column 0: expected a finite number, got inf",
            ),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn means_span_blocks() {
        let values: Vec<f32> = (0..2 * (3 * BLOCK + 7)).map(|i| (i % 2 * 100 + i / 2 % 5) as f32).collect();
        let mean = mean(&Matrix::new(&values, 2).unwrap()).unwrap();
        assert!((mean[0] - 2.0).abs() < 0.01 && (mean[1] - 102.0).abs() < 0.01, "{mean:?}");
    }

    #[test]
    fn rows_of_zeros_stay() {
        let mut values = [3.0, 4.0, 0.0, 0.0];
        scale_to_unit(&mut values, 2);
        assert_eq!(values, [0.6, 0.8, 0.0, 0.0]);
    }
}
