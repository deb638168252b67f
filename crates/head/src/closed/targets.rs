//! Ridge regression on targets that are no classes, as scikit-learn's `Ridge`.

use super::ridge::{inverse, least};
use super::{Models, Spectrum, dot, models_of};
use crate::HeadFitError;
use crate::sums::Sums;

/// Minimises Σ ‖y − W x − b‖² + l2 ‖W‖² for each of some l2, over targets y as they are put.
///
/// With x and y centred W = B (A + l2)⁻¹, A = Σ x xᵀ and B = Σ y xᵀ.
pub(super) fn models(l2: &[f64], mut sums: Sums) -> Result<Models, HeadFitError> {
    let (dim, n) = (sums.dim, sums.counts[0] as f64);
    let mean: Vec<f64> = sums.of_class[..dim].iter().map(|sum| sum / n).collect();
    let before = sums.largest_square();
    sums.centre(&mean, &[n]);
    let spectrum = Spectrum::of(&sums.gram, dim)?;
    let products = sums.of_class[dim..].chunks_exact(dim).zip(&sums.totals);
    let right: Vec<f64> = products
        .flat_map(|(products, total)| products.iter().zip(&mean).map(move |(product, m)| product - total * m))
        .collect();
    let rotated = spectrum.rotate(&right);
    let floor = least(&spectrum, before);
    let restore = |l2: f64| spectrum.restore(&rotated, |value| inverse(value + l2, floor));
    let bias = |output: usize, weight: &[f64]| sums.totals[output] / n - dot(weight, &mean);
    Ok(models_of(l2, dim, restore, bias))
}
