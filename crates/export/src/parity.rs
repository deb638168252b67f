//! The gate: what was written must give, for the probes, the features and logits that the cache holds.

use crate::config::Config;
use anyhow::Result;
use artifact::{Head, PROBES, Preprocessing};
use cli::GateError;
use engine::Reference;
use network::Bound;

/// Passes unless told otherwise: ten times what Winograd and other orders of f32 sums have been seen to make.
const TOLERANCE: f64 = 1e-4;

/// How far an exported model is from the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parity {
    features: Distance,
    /// Of the probes' logits.
    pub(crate) logits: Distance,
    tolerance: f64,
}

/// How far some numbers are from those expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Distance {
    /// Largest absolute difference; NaN where the counts differ or a number is none.
    pub(crate) difference: f64,
    /// Largest absolute number expected, or 1 where all are smaller.
    pub(crate) scale: f64,
}

impl Parity {
    /// Compares what an exported model makes of the probes, (4, d) features and (4, classes) logits, with the cache.
    pub(crate) fn of(config: &Config, head: &Head, features: &[f32], logits: &[f32]) -> Parity {
        Parity {
            features: Distance::between(features, &head.probes),
            logits: Distance::between(logits, &head::logits(&head.layers, &head.probes)),
            tolerance: config.tolerance().unwrap_or(TOLERANCE),
        }
    }

    /// Passes, or says by how much it does not.
    ///
    /// # Errors
    /// [`GateError`] where a difference is above the tolerance, or no number.
    pub(crate) fn gate(self) -> Result<Parity, GateError> {
        for (what, distance) in [("features", self.features), ("logits", self.logits)] {
            let Distance { difference, scale } = distance;
            // Written so that a NaN fails.
            if difference <= self.tolerance * scale {
                continue;
            }
            return Err(GateError(format!(
                "the exported model's {what} differ from the cache's by {difference:.3e} on the probes, \
                 {:.1e} of the largest; at most {:.0e} passes; rerun extract and fit-head with these weights",
                difference / scale,
                self.tolerance
            )));
        }
        Ok(self)
    }
}

impl Distance {
    fn between(got: &[f32], expected: &[f32]) -> Distance {
        // `f64::max` would drop a NaN.
        let largest = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
        let differences = got.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
        let difference = if got.len() == expected.len() { differences.fold(0.0, largest) } else { f64::NAN };
        Distance {
            difference,
            scale: expected.iter().map(|&value| f64::from(value).abs()).fold(1.0, largest),
        }
    }
}

/// What `bound` makes of the probes as pictures: one (4, width) matrix an output.
///
/// # Errors
/// Where the network does not run.
pub(crate) fn run_probes(bound: Bound, how: &Preprocessing) -> Result<Vec<Vec<f32>>> {
    let engine = Reference::new(bound, how)?;
    let pixels: Vec<u8> = (0..PROBES).flat_map(|k| dataset::prepare(&dataset::probe(k), how)).collect();
    Ok(engine.run(&pixels, PROBES)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_agrees_passes() {
        let expected = [10.0, -3.0];
        for (got, passes) in [
            (&[10.0, -3.0][..], true),
            (&[10.0005, -3.0], true),
            (&[10.0, -3.002], false),
            (&[10.0, f32::NAN], false),
            (&[f32::INFINITY, -3.0], false),
            (&[10.0], false),
        ] {
            let (far, near) = (Distance::between(got, &expected), Distance::between(&expected, &expected));
            for (features, logits) in [(far, near), (near, far)] {
                assert_eq!(
                    Parity { features, logits, tolerance: TOLERANCE }.gate().is_ok(),
                    passes,
                    "{got:?}"
                );
            }
        }
    }
}
