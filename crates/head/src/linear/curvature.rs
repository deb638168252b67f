//! What the rows say of the objective's curvature, so that L-BFGS need not find it out step by step.
//!
//! The Hessian of the mean loss by the weights of one class is Σ p(1 − p) x xᵀ / n. With the mean of p(1 − p) taken out of
//! the sum, that is a · XᵀX / n: one eigendecomposition serves every class, fold and penalty (in the spirit of Böhning's
//! bound, 1992). On networks' features, which are strongly correlated, it halves the iterations or better.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

use crate::{Examples, examples::BLOCK, scaling::Scaling};

/// Rows that the curvature is taken from, for each column: enough for its large directions.
const ROWS_PER_COLUMN: usize = 4;
/// The decomposition takes d³ operations: beyond so many columns it takes longer than it saves.
const MOST_COLUMNS: usize = 4096;
/// Rows of a product that one thread takes. Affects bits.
const PANEL: usize = 256;
/// Blocks that are in memory together. Memory only.
const TOGETHER: usize = 8;

/// XᵀX / n = V diag(values) Vᵀ of scaled rows, all in f32: what is asked of it is a scale for every direction.
pub(super) struct Curvature {
    /// Ascending, none below zero: (d,).
    values: Vec<f32>,
    /// (d, d) row-major, column j belongs to `values[j]`.
    vectors: Vec<f32>,
}

/// An approximation of the inverse Hessian of one model at one penalty.
pub(super) struct Preconditioner<'a> {
    pub(super) curvature: &'a Curvature,
    /// Mean of w p(1 − p) over the rows, for each class: (C,).
    pub(super) bends: Vec<f64>,
    /// Of ½ ‖W‖² in objective / n.
    pub(super) penalty: f64,
}

impl Curvature {
    /// Of rows; `None` where `fits` of them (models times penalties) are too little work to be worth it.
    pub(super) fn of(examples: &Examples<'_>, scaling: &Scaling, fits: usize) -> Option<Curvature> {
        let (n, dim) = (examples.rows(), examples.dim());
        let work = n as f64 * examples.outputs() as f64 * fits as f64;
        if dim > MOST_COLUMNS || work < 0.5 * (dim * dim) as f64 {
            return None;
        }
        // Blocks spread evenly over all rows: neighbours in the order of ids are often of one class.
        let blocks = n.div_ceil(BLOCK);
        let step = blocks.div_ceil((ROWS_PER_COLUMN * dim).div_ceil(BLOCK)).max(1);
        let starts: Vec<usize> = (0..blocks).step_by(step).map(|block| block * BLOCK).collect();
        let count = |start: usize| BLOCK.min(n - start);
        let mut gram = vec![0.0f32; dim * dim];
        for starts in starts.chunks(TOGETHER) {
            let read = |&start: &usize| {
                let mut x = vec![0.0; count(start) * dim];
                scaling.read(examples.features(), start, &mut x);
                x
            };
            let blocks: Vec<Vec<f32>> = starts.par_iter().map(read).collect();
            gram.par_chunks_mut(PANEL * dim).enumerate().for_each(|(panel, gram)| {
                let (first, rows) = (panel * PANEL, gram.len() / dim);
                for block in &blocks {
                    // As far as the diagonal.
                    let to = MatMut::from_row_major_slice_mut(gram, rows, dim).subcols_mut(0, first + rows);
                    let x = MatRef::from_row_major_slice(block, block.len() / dim, dim);
                    let own = x.subcols(first, rows).transpose();
                    matmul(to, Accum::Add, own, x.subcols(0, first + rows), 1.0, Par::Seq);
                }
            });
        }
        let rows = starts.iter().map(|&start| count(start)).sum::<usize>() as f32;
        gram.iter_mut().for_each(|sum| *sum /= rows);
        if gram.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let eigen = MatRef::from_row_major_slice(&gram, dim, dim).self_adjoint_eigen(Side::Lower).ok()?;
        let values = eigen.S().column_vector().iter().map(|value| value.max(0.0)).collect();
        let vectors = (0..dim * dim).map(|at| eigen.U()[(at / dim, at % dim)]).collect();
        Some(Curvature { values, vectors })
    }
}

impl Preconditioner<'_> {
    /// Multiplies (C, d) weights' and (C,) biases' slopes by the inverse.
    pub(super) fn apply(&self, slopes: &mut [f64]) {
        let (dim, classes) = (self.curvature.values.len(), self.bends.len());
        let (weights, biases) = slopes.split_at_mut(classes * dim);
        // Where a class is certain its curvature vanishes, and the largest steps would be infinite.
        let least = self.bends.iter().fold(0.0f64, |most, &bend| most.max(bend)).max(1e-30) * 1e-4;
        let bends: Vec<f64> = self.bends.iter().map(|bend| bend.max(least)).collect();
        biases.iter_mut().zip(&bends).for_each(|(slope, bend)| *slope /= bend);

        // Scaled to order one: slopes near the minimum are near the end of f32's range.
        let top = weights.iter().fold(0.0f64, |top, slope| top.max(slope.abs()));
        if top == 0.0 {
            return;
        }
        // All as (d, C), so that threads take rows of the result.
        let mut narrow = vec![0.0f32; dim * classes];
        for (class, slopes) in weights.chunks_exact(dim).enumerate() {
            let column = narrow[class..].iter_mut().step_by(classes);
            column.zip(slopes).for_each(|(to, slope)| *to = (slope / top) as f32);
        }
        let vectors = MatRef::from_row_major_slice(&self.curvature.vectors, dim, dim);
        let mut rotated = product(vectors.transpose(), &narrow, classes);
        let largest = self.curvature.values.last().copied().unwrap_or(0.0);
        for (row, &eigenvalue) in rotated.chunks_exact_mut(classes).zip(&self.curvature.values) {
            for (value, bend) in row.iter_mut().zip(&bends) {
                let floor = 1e-7 * (bend * f64::from(largest) + self.penalty);
                let curvature = bend * f64::from(eigenvalue) + self.penalty;
                *value = (f64::from(*value) / curvature.max(floor)) as f32;
            }
        }
        let back = product(vectors, &rotated, classes);
        for (class, slopes) in weights.chunks_exact_mut(dim).enumerate() {
            let column = back[class..].iter().step_by(classes);
            slopes.iter_mut().zip(column).for_each(|(slope, &value)| *slope = f64::from(value) * top);
        }
    }
}

/// `by` (d, d) times `what` (d, C) row-major: (d, C). Threads take a fixed number of rows each: the same bits, however many
/// there are.
fn product(by: MatRef<'_, f32>, what: &[f32], classes: usize) -> Vec<f32> {
    let dim = by.ncols();
    let what = MatRef::from_row_major_slice(what, dim, classes);
    let mut out = vec![0.0f32; dim * classes];
    out.par_chunks_mut(PANEL * classes).enumerate().for_each(|(panel, out)| {
        let rows = out.len() / classes;
        let by = by.subrows(panel * PANEL, rows);
        let out = MatMut::from_row_major_slice_mut(out, rows, classes);
        matmul(out, Accum::Replace, by, what, 1.0, Par::Seq);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;
    use sample::targets::Truth;

    #[test]
    fn inverts_what_it_stands_for() {
        let dim = 6;
        let x: Vec<f32> = (0..250 * dim).map(|i| ((i * i * 7919 + i) % 1013) as f32 / 500.0 - 1.0).collect();
        let matrix = Matrix::new(&x, dim).unwrap();
        let truth = Truth::Class((0..250).map(|row| row % 2).collect());
        let examples = Examples::new(&matrix, &truth, 2).unwrap();
        let scaling = Scaling::identity(dim);
        let curvature = Curvature::of(&examples, &scaling, 1).unwrap();
        let (bends, penalty) = (vec![0.25, 0.1], 0.05);
        let preconditioner = Preconditioner { curvature: &curvature, bends: bends.clone(), penalty };
        let slopes: Vec<f64> = (0..2 * dim + 2).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut got = slopes.clone();
        preconditioner.apply(&mut got);
        for class in 0..2 {
            let own = &got[class * dim..][..dim];
            for (i, &slope) in slopes[class * dim..][..dim].iter().enumerate() {
                let mut product = penalty * own[i];
                for row in x.chunks_exact(dim) {
                    let projection: f64 = row.iter().zip(own).map(|(&x, w)| f64::from(x) * w).sum();
                    product += bends[class] * f64::from(row[i]) * projection / 250.0;
                }
                assert!((product - slope).abs() < 1e-4, "{product}, {slope}");
            }
            assert!((got[2 * dim + class] * bends[class] - slopes[2 * dim + class]).abs() < 1e-12);
        }
        assert!(Curvature::of(&examples, &scaling, 0).is_none());
    }
}
