//! What the rows say of the objective's curvature, so that L-BFGS need not find it out step by step.
//!
//! The Hessian of the mean loss by the weights of one class is Σ p(1 − p) x xᵀ / n. With the mean of p(1 − p) taken out of
//! the sum, that is a · XᵀX / n: one eigendecomposition serves every class, fold and penalty (in the spirit of Böhning's
//! bound, 1992). On networks' features, which are strongly correlated, it halves the iterations or better.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::{Examples, examples::BLOCK, scaling::Scaling, spectrum::Spectrum, sums::Summed};

/// Rows that the curvature is taken from, for each column: enough for its large directions.
const ROWS_PER_COLUMN: usize = 4;
/// The decomposition takes d³ operations: beyond so many columns it takes longer than it saves.
const MOST_COLUMNS: usize = 4096;

/// XᵀX / n = V diag(values) Vᵀ of scaled rows.
pub(super) struct Curvature {
    values: Vec<f64>,
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
        let weights = vec![1.0; examples.outputs()];
        let summed =
            Summed { examples, scaling, weights: &weights, scaler: None, coordinates: None, gram: true };
        let sums = summed.of(&starts, |_| true);
        let rows = sums.counts.iter().sum::<usize>() as f64;
        let Spectrum { values, vectors } = Spectrum::of(&sums.gram, dim).ok()?;
        let values = values.into_iter().map(|value| value / rows).collect();
        let vectors = (0..dim * dim).map(|at| vectors[(at / dim, at % dim)] as f32).collect();
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

        let vectors = MatRef::from_row_major_slice(&self.curvature.vectors, dim, dim);
        // Scaled to order one: slopes near the minimum are near the end of f32's range.
        let top = weights.iter().fold(0.0f64, |top, slope| top.max(slope.abs()));
        if top == 0.0 {
            return;
        }
        let narrow: Vec<f32> = weights.iter().map(|slope| (slope / top) as f32).collect();
        let mut rotated = vec![0.0f32; classes * dim];
        let product = |to: &mut [f32], from: &[f32], by| {
            let to = MatMut::from_row_major_slice_mut(to, classes, dim);
            matmul(to, Accum::Replace, MatRef::from_row_major_slice(from, classes, dim), by, 1.0, Par::Seq);
        };
        product(&mut rotated, &narrow, vectors);
        let largest = self.curvature.values.last().copied().unwrap_or(0.0);
        for (row, bend) in rotated.chunks_exact_mut(dim).zip(&bends) {
            let floor = 1e-7 * (bend * largest + self.penalty);
            for (value, eigenvalue) in row.iter_mut().zip(&self.curvature.values) {
                *value = (f64::from(*value) / (bend * eigenvalue + self.penalty).max(floor)) as f32;
            }
        }
        let mut back = vec![0.0f32; classes * dim];
        product(&mut back, &rotated, vectors.transpose());
        weights.iter_mut().zip(back).for_each(|(slope, value)| *slope = f64::from(value) * top);
    }
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
