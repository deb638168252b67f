//! Whether an engine gives what the head was fitted on: the four probes are asked.

use crate::Layout;
use engine::Precision;
use head::Head;
use input::PROBES;

/// Passes for features in f32 of the processor: ten times what Winograd and other orders of f32 sums have been seen to make.
pub const TOLERANCE: f64 = 1e-4;

/// How far some numbers are from those expected.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    /// Largest absolute difference; NaN where the counts differ or a number is none.
    pub difference: f64,
    /// Largest absolute number expected, or 1 where all are smaller.
    pub scale: f64,
}

impl Distance {
    /// Between what was got and what was expected.
    pub fn between(got: &[f32], expected: &[f32]) -> Distance {
        // `f64::max` would drop a NaN.
        let largest = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
        let differences = got.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
        let difference = if got.len() == expected.len() { differences.fold(0.0, largest) } else { f64::NAN };
        Distance {
            difference,
            scale: expected.iter().map(|&value| f64::from(value).abs()).fold(1.0, largest),
        }
    }

    /// Whether the difference is at most so large a part of the scale. A NaN is not.
    pub fn is_within(self, tolerance: f64) -> bool {
        self.difference <= tolerance * self.scale
    }
}

/// An engine that gives other features than the head was fitted on.
#[derive(Debug, thiserror::Error)]
#[error(
    "{engine} does not give the features that the head was fitted on: the probes differ by {difference:.1e}, {share:.1e} of the \
     largest; at most {tolerance:.0e} passes; rerun extract and fit-head with this version"
)]
pub struct Unlike {
    engine: String,
    difference: f64,
    share: f64,
    tolerance: f64,
}

/// The largest difference of a probe's feature that passes, relative to the largest, where these engines made the features.
fn tolerance_of<'a>(engines: impl IntoIterator<Item = &'a str>) -> f64 {
    let made = engines.into_iter().filter_map(Precision::of_engine).map(Precision::tolerance);
    made.fold(TOLERANCE, f64::max)
}

/// Holds the probes' features by one of a head's networks, one (4, d) matrix an output, against those that the head keeps.
///
/// # Errors
/// Where they differ by more than the precision of either engine explains.
pub fn check_probes(
    head: &Head,
    layout: &Layout,
    tower: usize,
    engine: &str,
    outputs: &[Vec<f32>],
) -> Result<(), Unlike> {
    let dim = layout.dim();
    let tolerance = tolerance_of(head.sources.iter().filter_map(|source| source.engine()).chain([engine]));
    for (columns, got) in layout.columns(tower).zip(outputs) {
        let row = |probe: usize| head.probes[probe * dim..][..dim][columns.clone()].iter().copied();
        let distance = Distance::between(got, &(0..PROBES).flat_map(row).collect::<Vec<_>>());
        if !distance.is_within(tolerance) {
            let Distance { difference, scale } = distance;
            return Err(Unlike {
                engine: engine.to_owned(),
                difference,
                share: difference / scale,
                tolerance,
            });
        }
    }
    Ok(())
}
