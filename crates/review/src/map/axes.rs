//! The principal directions in order.

use features::Rows;

use crate::{ReviewError, principal::Principal};

/// Directions that a map is made from.
const KEPT: usize = 50;
/// Directions more that are looked for, so that the last of those kept are good ones too.
const SPARE: usize = 10;
/// Sweeps of Jacobi's method, at most; it converges quadratically.
const SWEEPS: usize = 30;

/// Coordinates (n, p) of the centred rows along their p ≤ 50 leading principal directions, in order of variance, and p.
///
/// # Errors
/// Those of [`Principal::of`].
pub(super) fn coordinates(rows: &dyn Rows) -> Result<(Vec<f32>, usize), ReviewError> {
    let principal = Principal::of(rows, KEPT + SPARE)?;
    // Where there are so few columns that all were taken, turning them would cost more than it is worth at 2,000.
    let (count, dim) = (principal.count(), rows.dim());
    let turns = eigenvectors(principal.covariance().to_vec(), count);
    let kept = count.min(KEPT);
    let mut axes = vec![0.0f32; kept * dim];
    for (axis, turn) in axes.chunks_exact_mut(dim).zip(turns.chunks_exact(count)) {
        for (part, &share) in principal.axes().chunks_exact(dim).zip(turn) {
            axis.iter_mut().zip(part).for_each(|(value, part)| *value += share as f32 * part);
        }
    }
    Ok((principal.project(rows, &axes), kept))
}

/// Eigenvectors of a symmetric matrix (n, n), one a row, the largest eigenvalue first, by Jacobi's cyclic method. The
/// sign is such that the largest entry is positive.
fn eigenvectors(mut matrix: Vec<f64>, n: usize) -> Vec<f64> {
    let mut vectors: Vec<f64> = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    for _ in 0..SWEEPS {
        let norm: f64 = matrix.iter().map(|value| value * value).sum();
        let off = norm - (0..n).map(|i| matrix[i * n + i].powi(2)).sum::<f64>();
        if off <= 1e-20 * norm {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if matrix[p * n + q] != 0.0 {
                    rotate(&mut matrix, &mut vectors, n, p, q);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| matrix[b * n + b].total_cmp(&matrix[a * n + a]));
    let mut out = Vec::with_capacity(n * n);
    for i in order {
        let vector = &vectors[i * n..][..n];
        let largest =
            vector.iter().copied().fold(0.0, |best: f64, v| if v.abs() > best.abs() { v } else { best });
        out.extend(vector.iter().map(|value| value * largest.signum()));
    }
    out
}

/// Makes entry (p, q) zero (Golub and Van Loan, algorithm 8.5.1).
fn rotate(matrix: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let tau = (matrix[q * n + q] - matrix[p * n + p]) / (2.0 * matrix[p * n + q]);
    let t = 1.0f64.copysign(tau) / (tau.abs() + tau.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |values: &mut [f64], a: usize, b: usize| {
        let (left, right) = (values[a], values[b]);
        values[a] = c * left - s * right;
        values[b] = s * left + c * right;
    };
    (0..n).for_each(|k| turn(matrix, k * n + p, k * n + q));
    (0..n).for_each(|k| turn(matrix, p * n + k, q * n + k));
    (0..n).for_each(|k| turn(vectors, p * n + k, q * n + k));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn eigenvectors_diagonalise() {
        let n = 12;
        let mut random = Random::new(1);
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let value = f64::from(random.centred());
                (matrix[i * n + j], matrix[j * n + i]) = (value, value);
            }
        }
        let vectors = eigenvectors(matrix.clone(), n);
        let along = |a: usize, b: usize| -> f64 {
            let terms = (0..n * n).map(|i| vectors[a * n + i / n] * matrix[i] * vectors[b * n + i % n]);
            terms.sum()
        };
        for a in 0..n {
            assert!(a == 0 || along(a - 1, a - 1) >= along(a, a));
            (0..a).for_each(|b| assert!(along(a, b).abs() < 1e-10, "{a}, {b}: {}", along(a, b)));
        }
    }
}
