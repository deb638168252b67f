//! The nearest class mean.

use super::{Classes, dot};

/// −½ ‖x − μ‖² = μᵀx − ½ ‖μ‖² up to what all classes share.
pub(super) fn model(classes: &Classes) -> Vec<f64> {
    let biases = classes.means().map(|mean| -0.5 * dot(mean, mean));
    classes.means.iter().copied().chain(biases).collect()
}
