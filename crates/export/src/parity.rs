//! The gate: what was written must give, for the probes, the logits that their cached features give.

use crate::config::Config;
use anyhow::{Result, bail};
use artifact::{Dtype, Head, PROBES, Preprocessing};
use cli::GateError;
use engine::Reference;
use network::Bound;

/// How far an exported model is from the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parity {
    /// Largest absolute difference of a probe's logit.
    pub(crate) difference: f64,
    /// Largest absolute logit, or 1 where all are smaller.
    pub(crate) scale: f64,
    tolerance: f64,
}

impl Parity {
    /// Passes, or says by how much it does not.
    ///
    /// # Errors
    /// [`GateError`] where the difference is above the tolerance, or no number.
    pub(crate) fn gate(self) -> Result<Parity, GateError> {
        let Parity { difference, scale, tolerance } = self;
        // Written so that a NaN fails.
        if difference <= tolerance * scale {
            return Ok(self);
        }
        Err(GateError(format!(
            "the exported model's logits differ from the cache's by {difference:.3e} on the probes, \
             {:.1e} of the largest; at most {tolerance:.0e} passes; rerun extract and fit-head with these weights",
            difference / scale
        )))
    }
}

/// Logits of the probes by the cache: (4, classes).
pub(crate) fn cached_logits(head: &Head) -> Vec<f32> {
    head::logits(&head.layers, &head.probes)
}

/// What `bound`, whose last output is to be compared, makes of the probes as pictures: (4, width).
///
/// # Errors
/// Where the network does not run.
pub(crate) fn run_probes(bound: Bound, how: &Preprocessing) -> Result<Vec<f32>> {
    let engine = Reference::new(bound, how)?;
    let pixels: Vec<u8> = (0..PROBES).flat_map(|k| dataset::prepare(&dataset::probe(k), how)).collect();
    match engine.run(&pixels, PROBES)?.pop() {
        Some(last) => Ok(last),
        None => bail!("the exported model has no output"),
    }
}

/// Compares (4, classes) logits with the cache's.
pub(crate) fn compare(config: &Config, head: &Head, exported: &[f32]) -> Parity {
    let cached = cached_logits(head);
    let same_length = exported.len() == cached.len();
    let differences = exported.iter().zip(&cached).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
    // `f64::max` would drop a NaN.
    let largest = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
    let difference = if same_length { differences.fold(0.0, largest) } else { f64::NAN };
    let scale = cached.iter().map(|&logit| f64::from(logit).abs()).fold(1.0, largest);
    let rounding = match head.source.dtype {
        Dtype::F32 => 1e-4,
        Dtype::F16 => 0.01,
        Dtype::BF16 => 0.05,
    };
    Parity { difference, scale, tolerance: config.tolerance().unwrap_or(rounding) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_agrees_passes() {
        let parity = |difference| Parity { difference, scale: 10.0, tolerance: 1e-4 };
        assert!(parity(0.0).gate().is_ok() && parity(0.001).gate().is_ok());
        for difference in [0.0011, f64::NAN, f64::INFINITY] {
            assert!(parity(difference).gate().is_err(), "{difference}");
        }
    }
}
