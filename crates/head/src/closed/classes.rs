//! Weights and means of the classes, from sums.

use crate::sums::Sums;

/// The classes of some rows, weighted.
pub(super) struct Classes {
    /// d, or the number of coordinates.
    pub(super) dim: usize,
    /// Sum of the rows' weights: (C,).
    pub(super) weights: Vec<f64>,
    /// Mean of each class; of one without rows, that of all: (C, d).
    pub(super) means: Vec<f64>,
    /// Weighted mean of all rows: (d,).
    pub(super) mean: Vec<f64>,
    /// Sum of all weights.
    pub(super) total: f64,
}

impl Classes {
    pub(super) fn of(sums: &Sums, class_weights: &[f64]) -> Classes {
        let weights: Vec<f64> =
            sums.counts.iter().zip(class_weights).map(|(&count, weight)| count as f64 * weight).collect();
        let total = weights.iter().sum::<f64>();
        let mut mean = vec![0.0; sums.dim];
        for (sum, weight) in sums.of_class.chunks_exact(sums.dim).zip(class_weights) {
            mean.iter_mut().zip(sum).for_each(|(mean, sum)| *mean += weight * sum / total);
        }
        let mut means = Vec::with_capacity(sums.of_class.len());
        for (sum, &count) in sums.of_class.chunks_exact(sums.dim).zip(&sums.counts) {
            match count {
                0 => means.extend_from_slice(&mean),
                _ => means.extend(sum.iter().map(|sum| sum / count as f64)),
            }
        }
        Classes { dim: sums.dim, weights, means, mean, total }
    }

    /// Each class's mean.
    pub(super) fn means(&self) -> impl Iterator<Item = &[f64]> {
        self.means.chunks_exact(self.dim)
    }
}
