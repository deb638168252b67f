//! Linear discriminant analysis with a shrunk covariance, as scikit-learn's with `solver="lsqr"`.

use super::{Classes, Models, Spectrum, dot, models_of, ridge::least};
use crate::{HeadFitError, sums::Sums};

/// Classes are taken to be normal, with means μ and one covariance Σ = (1 − a) S + a tr(S)/d, S that within classes, for
/// each shrinkage a (Ledoit and Wolf, 2004): log p(class) + log p(x | class) = μᵀΣ⁻¹x − ½ μᵀΣ⁻¹μ + ln prior, up to what
/// all classes share.
pub(super) fn models(
    shrinkages: &[f64],
    mut sums: Sums,
    classes: &Classes,
    features: usize,
) -> Result<Models, HeadFitError> {
    let &Classes { dim, total, .. } = classes;
    let before = sums.largest_square() / total;
    sums.centre(&classes.means, &classes.weights);
    sums.gram.iter_mut().for_each(|value| *value /= total);
    let trace: f64 = (0..dim).map(|at| sums.gram[at * dim + at]).sum();
    // In coordinates, too: along all other directions rows do not spread at all.
    let sphere = trace / features as f64;
    let spectrum = Spectrum::of(&sums.gram, dim)?;
    drop(sums);
    let rotated = spectrum.rotate(&classes.means);
    let floor = least(&spectrum, before);
    let restore = |shrinkage: f64| {
        spectrum.restore(&rotated, |value| 1.0 / ((1.0 - shrinkage) * value + shrinkage * sphere).max(floor))
    };
    let means: Vec<&[f64]> = classes.means().collect();
    let bias = |class: usize, weight: &[f64]| {
        // A class that is in no row of a fold is unlikely, not impossible.
        let prior = (classes.weights[class] / total).max(1e-30);
        prior.ln() - 0.5 * dot(weight, means[class])
    };
    Ok(models_of(shrinkages, dim, restore, bias))
}
