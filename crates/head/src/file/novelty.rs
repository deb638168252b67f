//! How far features are from those that a head was fitted on.

use super::{
    dense_named,
    tensors::{Named, floats},
};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use weights::Dense;

const WEIGHT: &str = "novelty.weight";
const BIAS: &str = "novelty.bias";
const MEANS: &str = "novelty.means";

/// Where the classes of the rows that a head was fitted on lie, and how far from there others may be.
///
/// The distance of a row x from the nearest class is √(min ‖z − m‖² / d), z = W x + b, over the classes' means m.
#[derive(Clone, Debug, PartialEq)]
pub struct Novelty {
    /// W (d, d) and b (d,), for raw features: within a class, z has covariance one, as far as that is known.
    pub whitening: Dense,
    /// m of each class: (C, d).
    pub means: Vec<f32>,
    /// Beyond this distance a row is unlike anything seen.
    pub threshold: f64,
}

/// What the header says of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    threshold: f64,
}

impl Novelty {
    pub(super) fn limit(&self) -> Limit {
        Limit { threshold: self.threshold }
    }

    pub(super) fn tensors(&self) -> [Named; 3] {
        let Dense { inputs, outputs, weight, bias } = &self.whitening;
        let classes = self.means.len() / (*outputs).max(1);
        [
            Named::floats(WEIGHT, vec![*outputs, *inputs], weight),
            Named::floats(BIAS, vec![*outputs], bias),
            Named::floats(MEANS, vec![classes, *outputs], &self.means),
        ]
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = &f32> {
        self.whitening.weight.iter().chain(&self.whitening.bias).chain(&self.means)
    }

    pub(super) fn read(
        limit: &Limit,
        tensors: &SafeTensors<'_>,
        dim: usize,
        classes: usize,
    ) -> Result<Novelty, String> {
        let whitening = dense_named(tensors, WEIGHT, BIAS)?;
        let (means, shape) = floats(tensors, MEANS)?;
        if (whitening.inputs, whitening.outputs) != (dim, dim) || shape != [classes, dim] {
            return Err(format!(
                "a novelty of {} features, {} of them whitened, and means of shape {shape:?}; expected those of {dim} features and {classes} classes",
                whitening.inputs, whitening.outputs
            ));
        }
        if !(limit.threshold >= 0.0 && limit.threshold.is_finite()) {
            return Err(format!("a novelty beyond {}", limit.threshold));
        }
        Ok(Novelty { whitening, means, threshold: limit.threshold })
    }
}
