//! Fewer rows than features: all that can be learnt lies in the space that the rows span.
//!
//! In an orthonormal base of it, Q (d, r), the rows have r ≤ n coordinates, and a closed form's solution there is its
//! solution, W Qᵀ: whatever is orthogonal to all rows gets no weight from ridge regression, and none that tells classes
//! apart from a shrunk covariance. A matrix of r × r takes (r / d)³ of the time to decompose.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::{Examples, HeadFitError, examples::BLOCK, scaling::Scaling, spectrum::Spectrum};

/// Numbers in the rows' matrix at most: a GiB.
const MOST_NUMBERS: usize = 1 << 27;
/// Directions along which rows spread less than this part of the largest (in squares) are rounding.
const LEAST: f64 = 1e-9;
/// Rows of the products that one thread takes. Affects bits.
const TILE: usize = 96;

/// Q: (d, r).
pub(super) struct Basis(Mat<f64>);

impl Basis {
    /// Whether it is worth it.
    pub(super) fn helps(examples: &Examples<'_>) -> bool {
        let (n, dim) = (examples.rows(), examples.dim());
        n + n / 4 <= dim && n * dim <= MOST_NUMBERS
    }

    /// Of the scaled rows X: with X Xᵀ = U diag(s) Uᵀ, Q = Xᵀ U s^-½.
    pub(super) fn of(examples: &Examples<'_>, scaling: &Scaling) -> Result<Basis, HeadFitError> {
        let (n, dim) = (examples.rows(), examples.dim());
        let mut x = vec![0.0f64; n * dim];
        x.par_chunks_mut(BLOCK * dim).enumerate().for_each(|(block, x)| {
            let mut rows = vec![0.0; x.len()];
            scaling.read(examples.features(), block * BLOCK, &mut rows);
            x.iter_mut().zip(rows).for_each(|(to, from)| *to = f64::from(from));
        });
        let all = MatRef::from_row_major_slice(&x, n, dim);
        let kernel = product(all, all.transpose());
        let Spectrum { values, vectors } = Spectrum::of(&kernel, n)?;
        let least = values.last().copied().unwrap_or(0.0) * LEAST;
        let kept: Vec<usize> = (0..n).filter(|&at| values[at] > least).collect();
        if kept.is_empty() {
            // All rows are alike. One direction stands for all of them: coordinates along it are zero.
            return Ok(Basis(Mat::from_fn(dim, 1, |row, _| if row == 0 { 1.0 } else { 0.0 })));
        }
        let scaled =
            Mat::from_fn(n, kept.len(), |row, at| vectors[(row, kept[at])] / values[kept[at]].sqrt());
        let base = product(all.transpose(), scaled.as_ref());
        Ok(Basis(MatRef::from_row_major_slice(&base, dim, kept.len()).to_owned()))
    }

    /// r
    pub(super) fn rank(&self) -> usize {
        self.0.ncols()
    }

    /// Weights for coordinates (C, r) as weights for features: (C, d).
    pub(super) fn widen(&self, weight: &[f64]) -> Vec<f64> {
        let classes = weight.len().checked_div(self.rank()).unwrap_or(0);
        product(MatRef::from_row_major_slice(weight, classes, self.rank()), self.0.transpose())
    }

    /// Coordinates (k, r) of scaled rows (k, d).
    pub(crate) fn coordinates(&self, x: &[f64]) -> Vec<f64> {
        let dim = self.0.nrows();
        product(MatRef::from_row_major_slice(x, x.len() / dim, dim), self.0.as_ref())
    }
}

/// a b, row-major, some rows of it by one thread each.
fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Vec<f64> {
    let columns = b.ncols();
    let mut out = vec![0.0; a.nrows() * columns];
    out.par_chunks_mut((TILE * columns).max(1)).enumerate().for_each(|(tile, out)| {
        let rows = out.len() / columns;
        let to = MatMut::from_row_major_slice_mut(out, rows, columns);
        matmul(to, Accum::Replace, a.subrows(tile * TILE, rows), b, 1.0, Par::Seq);
    });
    out
}
