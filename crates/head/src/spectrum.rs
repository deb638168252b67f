//! Eigenvalues and eigenvectors of a symmetric matrix: one decomposition serves every penalty.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::HeadFitError;

/// A = V diag(values) Vᵀ.
pub(crate) struct Spectrum {
    /// Ascending, none below zero: (d,).
    pub(crate) values: Vec<f64>,
    /// V, (d, d): column j belongs to `values[j]`.
    pub(crate) vectors: Mat<f64>,
}

impl Spectrum {
    /// Of a matrix (d, d) row-major, none of whose eigenvalues is below zero but by rounding; only the lower triangle
    /// is read.
    ///
    /// # Errors
    /// Where it does not converge, which a finite matrix has never been seen to do.
    pub(crate) fn of(matrix: &[f64], dim: usize) -> Result<Spectrum, HeadFitError> {
        let matrix = MatRef::from_row_major_slice(matrix, dim, dim);
        let eigen =
            matrix.self_adjoint_eigen(Side::Lower).map_err(|_| HeadFitError::NoEigenvectors { dim })?;
        let values = eigen.S().column_vector().iter().map(|&value| value.max(0.0)).collect();
        Ok(Spectrum { values, vectors: eigen.U().to_owned() })
    }

    /// `rows` (k, d) in the base of the eigenvectors: rows V.
    pub(crate) fn rotate(&self, rows: &[f64]) -> Vec<f64> {
        self.product(rows, self.vectors.as_ref())
    }

    /// `rotated` (k, d), each column j times `factor(values[j])`, back in the base of the features: (k, d).
    pub(crate) fn restore(&self, rotated: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
        let factors: Vec<f64> = self.values.iter().map(|&value| factor(value)).collect();
        let rows = rotated.chunks_exact(factors.len());
        let scaled: Vec<f64> =
            rows.flat_map(|row| row.iter().zip(&factors).map(|(value, factor)| value * factor)).collect();
        self.product(&scaled, self.vectors.transpose())
    }

    fn product(&self, rows: &[f64], by: MatRef<'_, f64>) -> Vec<f64> {
        let dim = self.values.len();
        let count = rows.len() / dim;
        let mut out = vec![0.0; rows.len()];
        let to = MatMut::from_row_major_slice_mut(&mut out, count, dim);
        matmul(to, Accum::Replace, MatRef::from_row_major_slice(rows, count, dim), by, 1.0, Par::Seq);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_was_decomposed_at_any_penalty() {
        let dim = 5;
        let at = |i: usize, j: usize| if i == j { 4.0 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) };
        // What lies above the diagonal must not matter.
        let matrix: Vec<f64> =
            (0..25).map(|n| if n % 5 > n / 5 { f64::from(n as u32) } else { at(n / 5, n % 5) }).collect();
        let spectrum = Spectrum::of(&matrix, dim).unwrap();
        let right = [1.0, -2.0, 0.5, 3.0, 0.0];
        for penalty in [0.0, 0.7] {
            let got = spectrum.restore(&spectrum.rotate(&right), |value| 1.0 / (value + penalty));
            for i in 0..dim {
                let product: f64 = (0..dim).map(|j| at(i, j) * got[j]).sum::<f64>() + penalty * got[i];
                assert!((product - right[i]).abs() < 1e-12, "{product}, {}", right[i]);
            }
        }
    }
}
