//! The directions in which features vary most, by randomised subspace iteration.
//!
//! Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 2011, algorithm 4.4, on at most
//! [`SAMPLE`] rows spread evenly over all: directions of this use need not be exact, only fixed and orthonormal.

use features::Rows;
use rayon::prelude::*;

use crate::{
    ReviewError,
    products::{Packed, products},
    random::Random,
    rows::{BLOCK, Scaled, mean, read_centred},
};

/// Rows that the directions are estimated from, at most.
const SAMPLE: usize = 4096;
/// Passes over the sample. A pass divides what lies outside by the ratio of variances.
const PASSES: usize = 3;
/// Directions are drawn from this seed. Others would give the same subspace but for rounding.
const SEED: u64 = 0x7265_7669_6577;

/// Leading directions of centred rows, which are scaled first.
pub(crate) struct Principal {
    /// Of the scaled rows.
    mean: Vec<f32>,
    /// (p, d), orthonormal, or zero where the rows have fewer directions.
    axes: Vec<f32>,
    /// Of the sample along the axes, (p, p).
    covariance: Vec<f64>,
}

impl Principal {
    /// The `count` leading directions of `rows`; all d, the columns themselves, where there are no more.
    ///
    /// # Errors
    /// Those of [`mean`].
    pub(crate) fn of(rows: &dyn Rows, count: usize) -> Result<Principal, ReviewError> {
        let rows = Scaled::of(rows);
        let (mean, dim) = (mean(&rows)?, rows.dim());
        let sample = sample(&rows, &mean);
        let axes = if count >= dim { identity(dim) } else { subspace(&sample, dim, count) };
        let along = products(&sample, &Packed::of(&axes, dim));
        let covariance = covariance(&along, axes.len() / dim);
        Ok(Principal { mean, axes, covariance })
    }

    /// Number of directions, p.
    pub(crate) fn count(&self) -> usize {
        self.axes.len() / self.mean.len()
    }

    /// (p, d).
    pub(crate) fn axes(&self) -> &[f32] {
        &self.axes
    }

    /// (p, p).
    pub(crate) fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// Coordinates (n, q) of the scaled and centred `rows`, those that the directions are of, along `axes` (q, d), which need not be orthonormal.
    pub(crate) fn project(&self, rows: &dyn Rows, axes: &[f32]) -> Vec<f32> {
        let rows = Scaled::of(rows);
        let (n, dim) = (rows.len(), self.mean.len());
        let (packed, width) = (Packed::of(axes, dim), axes.len() / dim);
        let mut out = vec![0.0; n * width];
        out.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, out)| {
            let mut values = vec![0.0; out.len() / width * dim];
            read_centred(&rows, &self.mean, block * BLOCK, &mut values);
            out.copy_from_slice(&products(&values, &packed));
        });
        out
    }
}

/// At most [`SAMPLE`] rows, centred: each the first of its part of `rows`.
fn sample(rows: &dyn Rows, mean: &[f32]) -> Vec<f32> {
    let (n, dim) = (rows.len(), rows.dim());
    let count = n.min(SAMPLE);
    let mut out = vec![0.0; count * dim];
    out.par_chunks_exact_mut(dim).enumerate().for_each(|(i, row)| {
        read_centred(rows, mean, i * n / count, row);
    });
    out
}

fn identity(dim: usize) -> Vec<f32> {
    (0..dim * dim).map(|i| if i / dim == i % dim { 1.0 } else { 0.0 }).collect()
}

fn subspace(sample: &[f32], dim: usize, count: usize) -> Vec<f32> {
    let mut random = Random::new(SEED);
    let mut axes: Vec<f32> = (0..count * dim).map(|_| random.centred()).collect();
    let columns = Packed::of_columns(sample, dim);
    for _ in 0..PASSES {
        let along = products(sample, &Packed::of(&axes, dim));
        axes = products(&transposed(&along, count), &columns);
        orthonormalise(&mut axes, dim);
    }
    axes
}

fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns;
    (0..matrix.len()).map(|i| matrix[i % rows * columns + i / rows]).collect()
}

/// Gram and Schmidt, twice over, in f64. A row that lies among those before it becomes zero.
fn orthonormalise(axes: &mut [f32], dim: usize) {
    let mut done: Vec<f64> = Vec::with_capacity(axes.len());
    for row in axes.chunks_exact_mut(dim) {
        let mut rest: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
        let before = dot(&rest, &rest).sqrt();
        for _ in 0..2 {
            let shares: Vec<f64> = done.par_chunks_exact(dim).map(|axis| dot(axis, &rest)).collect();
            for (axis, share) in done.chunks_exact(dim).zip(shares) {
                rest.iter_mut().zip(axis).for_each(|(rest, axis)| *rest -= share * axis);
            }
        }
        // What is left is only counted where it is more than the f32 products' own rounding.
        let length = dot(&rest, &rest).sqrt();
        let factor = if length > 1e-5 * before { 1.0 / length } else { 0.0 };
        rest.iter_mut().for_each(|value| *value *= factor);
        row.iter_mut().zip(&rest).for_each(|(value, &rest)| *value = rest as f32);
        done.extend(rest);
    }
}

/// In eight chains, which the compiler turns into vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Of centred `along` (m, p): (p, p).
fn covariance(along: &[f32], count: usize) -> Vec<f64> {
    let rows = along.len() / count;
    let columns: Vec<f64> = transposed(along, count).into_iter().map(f64::from).collect();
    let mut out = vec![0.0; count * count];
    out.par_chunks_exact_mut(count).zip(columns.par_chunks_exact(rows)).for_each(|(out, left)| {
        for (out, right) in out.iter_mut().zip(columns.chunks_exact(rows)) {
            *out = dot(left, right) / rows as f64;
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::scale_of;
    use features::Matrix;

    /// Rows whose columns have standard deviations 1, 1/2, 1/3, …, turned by a reflection.
    fn rows(n: usize, dim: usize) -> Vec<f32> {
        let mut random = Random::new(3);
        let mut values: Vec<f32> = (0..n * dim).map(|i| random.centred() / (i % dim + 1) as f32).collect();
        for row in values.chunks_exact_mut(dim) {
            let sum = 2.0 * row.iter().sum::<f32>() / dim as f32;
            row.iter_mut().for_each(|value| *value += 5.0 - sum);
        }
        values
    }

    #[test]
    fn leading_directions_hold_the_variance() {
        let (dim, count) = (40, 6);
        let values = rows(2000, dim);
        let principal = Principal::of(&Matrix::new(&values, dim).unwrap(), count).unwrap();
        let held: f64 = (0..count).map(|i| principal.covariance()[i * count + i]).sum();
        let scale = scale_of(f64::from(values.iter().fold(0.0_f32, |most, value| most.max(value.abs()))));
        let best: f64 = (0..count).map(|i| scale * scale / 3.0 / ((i + 1) as f64).powi(2)).sum();
        assert!((held / best - 1.0).abs() < 0.05, "{held} of {best}");
        for (i, left) in principal.axes().chunks_exact(dim).enumerate() {
            for (j, right) in principal.axes().chunks_exact(dim).enumerate() {
                let product: f32 = left.iter().zip(right).map(|(a, b)| a * b).sum();
                assert!((product - f32::from(u8::from(i == j))).abs() < 1e-5, "{i}, {j}: {product}");
            }
        }
    }

    #[test]
    fn missing_directions_are_zero() {
        // Four columns, each twice: four directions, of which six are asked for.
        let mut random = Random::new(1);
        let half: Vec<f32> = (0..400).map(|_| random.centred()).collect();
        let values: Vec<f32> = half.chunks_exact(4).flat_map(|row| [row, row].concat()).collect();
        let principal = Principal::of(&Matrix::new(&values, 8).unwrap(), 6).unwrap();
        let lengths: Vec<f32> =
            principal.axes().chunks_exact(8).map(|axis| axis.iter().map(|a| a * a).sum()).collect();
        assert!(lengths[..4].iter().all(|length| (length - 1.0).abs() < 1e-5), "{lengths:?}");
        assert_eq!(lengths[4..], [0.0, 0.0]);
    }
}
