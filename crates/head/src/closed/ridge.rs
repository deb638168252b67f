//! Ridge regression on the classes, as scikit-learn's `RidgeClassifier`, and on labels or numbers.

use super::{Classes, Models, Spectrum, dot, models_of};
use crate::{HeadFitError, sums::Sums};

/// Minimises Σ w ‖y − W x − b‖² + l2 ‖W‖² for each of some l2, with y 1 for the row's class and −1 for every other.
///
/// With x and y centred W = B (A + l2)⁻¹, A = Σ w x xᵀ and B = Σ w y xᵀ, which is 2 (Σ w x of the class).
pub(super) fn models(l2: &[f64], mut sums: Sums, classes: &Classes) -> Result<Models, HeadFitError> {
    let &Classes { dim, total, .. } = classes;
    let before = sums.largest_square();
    sums.centre(&classes.mean, &[total]);
    let spectrum = Spectrum::of(&sums.gram, dim)?;
    let right: Vec<f64> = classes
        .means()
        .zip(&classes.weights)
        .flat_map(|(mean, weight)| {
            mean.iter().zip(&classes.mean).map(move |(own, all)| 2.0 * weight * (own - all))
        })
        .collect();
    let rotated = spectrum.rotate(&right);
    let floor = least(&spectrum, before);
    let restore = |l2: f64| spectrum.restore(&rotated, |value| inverse(value + l2, floor));
    let bias = |class: usize, weight: &[f64]| {
        2.0 * classes.weights[class] / total - 1.0 - dot(weight, &classes.mean)
    };
    Ok(models_of(l2, dim, restore, bias))
}

/// Minimises Σ ‖y − W x − b‖² + l2 ‖W‖² for each of some l2, over labels or numbers y as they are scaled, as
/// scikit-learn's `Ridge`.
///
/// With x and y centred W = B (A + l2)⁻¹, A = Σ x xᵀ and B = Σ y xᵀ.
pub(super) fn models_of_values(l2: &[f64], mut sums: Sums) -> Result<Models, HeadFitError> {
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

/// Below it an eigenvalue is rounding. `before` is the largest sum of squares before the mean was taken off: where all rows are
/// alike, what is left of it is rounding throughout.
pub(super) fn least(spectrum: &Spectrum, before: f64) -> f64 {
    let largest = spectrum.values.last().copied().unwrap_or(0.0);
    (largest * 1e-13).max(before * 1e-15).max(f64::MIN_POSITIVE)
}

/// 1 / value; 0 for what is rounding (the pseudo-inverse): rows say nothing of such a direction.
pub(super) fn inverse(value: f64, floor: f64) -> f64 {
    if value > floor { 1.0 / value } else { 0.0 }
}
