//! Passes over rows, a block at a time, and scaling of single ones.

use features::Rows;
use rayon::prelude::*;

use crate::ReviewError;

/// Rows that are read, checked or projected at a time. Part of the bits of a mean.
pub(crate) const BLOCK: usize = 256;

/// The mean row (d,), in f64 over the rows of a block and over blocks in order, rounded to f32.
///
/// # Errors
/// No rows, or more than 32 bits can count.
pub(crate) fn mean(rows: &dyn Rows) -> Result<Vec<f32>, ReviewError> {
    let (n, dim) = (rows.len(), rows.dim());
    if n == 0 {
        return Err(ReviewError::NoRows);
    }
    let most = u32::MAX as usize;
    if n > most {
        return Err(ReviewError::TooManyRows { most, got: n });
    }
    let blocks: Vec<Vec<f64>> =
        (0..n.div_ceil(BLOCK)).into_par_iter().map(|block| sum(rows, block * BLOCK)).collect();
    let mut total = vec![0.0; dim];
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(total, value)| *total += value);
    }
    Ok(total.iter().map(|total| (total / n as f64) as f32).collect())
}

/// The sum of the block of rows that starts at `first`.
fn sum(rows: &dyn Rows, first: usize) -> Vec<f64> {
    let dim = rows.dim();
    let mut values = vec![0.0; BLOCK.min(rows.len() - first) * dim];
    rows.read(first, &mut values);
    let mut sum = vec![0.0; dim];
    for row in values.chunks_exact(dim) {
        sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sum
}

/// Rows `first..` of `rows` with `mean` taken off, as many as `out` holds.
pub(crate) fn read_centred(rows: &dyn Rows, mean: &[f32], first: usize, out: &mut [f32]) {
    rows.read(first, out);
    for row in out.chunks_exact_mut(mean.len()) {
        row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
    }
}

/// Rows times a power of two, so that the largest number lies between 1/2 and 1: sums of squares and their inverses are
/// then numbers that f32 has, and but for those that it has not the bits of everything that follows are the same.
pub(crate) struct Scaled<'a> {
    rows: &'a dyn Rows,
    factor: f64,
}

impl<'a> Scaled<'a> {
    pub(crate) fn of(rows: &'a dyn Rows) -> Scaled<'a> {
        let (n, dim) = (rows.len(), rows.dim());
        let most = |block: usize| {
            let mut values = vec![0.0; BLOCK.min(n - block * BLOCK) * dim];
            rows.read(block * BLOCK, &mut values);
            values.iter().fold(0.0_f32, |most, value| most.max(value.abs()))
        };
        let largest = (0..n.div_ceil(BLOCK)).into_par_iter().map(most).reduce(|| 0.0, f32::max);
        Scaled { rows, factor: scale_of(f64::from(largest)) }
    }
}

/// The power of two that brings `largest` to at least 1/2 and below 1; 1 of nothing.
pub(crate) fn scale_of(mut largest: f64) -> f64 {
    let mut factor = 1.0;
    while largest >= 1.0 {
        largest *= 0.5;
        factor *= 0.5;
    }
    while 0.0 < largest && largest < 0.5 {
        largest *= 2.0;
        factor *= 2.0;
    }
    factor
}

impl Rows for Scaled<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        self.rows.read(first, out);
        out.iter_mut().for_each(|value| *value = (f64::from(*value) * self.factor) as f32);
    }
}

/// Scales each row of `values` (n, `dim`) to length one; rows of zeros stay.
pub(crate) fn scale_to_unit(values: &mut [f32], dim: usize) {
    for row in values.chunks_exact_mut(dim) {
        let square: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
        if square > 0.0 {
            let factor = 1.0 / square.sqrt();
            if factor < f64::from(f32::MAX) {
                row.iter_mut().for_each(|value| *value *= factor as f32);
            } else {
                row.iter_mut().for_each(|value| *value = (f64::from(*value) * factor) as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    #[test]
    fn there_must_be_rows() {
        let error = mean(&Matrix::new(&[], 3).unwrap()).unwrap_err();
        assert!(matches!(error, ReviewError::NoRows), "{error}");
    }

    #[test]
    fn means_span_blocks() {
        let values: Vec<f32> = (0..2 * (3 * BLOCK + 7)).map(|i| (i % 2 * 100 + i / 2 % 5) as f32).collect();
        let mean = mean(&Matrix::new(&values, 2).unwrap()).unwrap();
        assert!((mean[0] - 2.0).abs() < 0.01 && (mean[1] - 102.0).abs() < 0.01, "{mean:?}");
    }

    #[test]
    fn a_row_of_any_length_has_a_direction() {
        for scale in [1e-44_f32, 1e-39, 1e-20, 1.0, 1e20, 1e38] {
            let mut values = [3.0 * scale, 0.0];
            scale_to_unit(&mut values, 2);
            assert!((values[0] - 1.0).abs() < 1e-6, "{scale:e}: {values:?}");
        }
    }

    #[test]
    fn the_largest_number_is_about_one() {
        for scale in [1e-45_f32, 1e-39, 0.3, 0.5, 1.0, 7.0, 3e38] {
            let values = [0.0, -scale, 0.5 * scale];
            let matrix = Matrix::new(&values, 3).unwrap();
            let mut out = [0.0; 3];
            Scaled::of(&matrix).read(0, &mut out);
            assert!(-1.0 < out[1] && out[1] <= -0.5, "{scale:e}: {out:?}");
        }
        let mut out = [1.0; 2];
        Scaled::of(&Matrix::new(&[0.0; 2], 2).unwrap()).read(0, &mut out);
        assert_eq!(out, [0.0; 2]);
    }

    #[test]
    fn rows_of_zeros_stay() {
        let mut values = [3.0, 4.0, 0.0, 0.0];
        scale_to_unit(&mut values, 2);
        assert_eq!(values, [0.6, 0.8, 0.0, 0.0]);
    }
}
