//! Whether a network gives what it gives on the CPU in f32: the probes are asked.

use engine::Precision;

/// What gives features that are not the CPU's in f32.
#[derive(Debug, thiserror::Error)]
#[error(
    "{engine} does not give the CPU's f32 features for the probes: at `{tap}` the relative L2 difference is {difference:.1e}, \
     with {precision} at most {limit:.0e} passes; use {instead}"
)]
pub(crate) struct Unlike {
    engine: String,
    tap: String,
    difference: f64,
    precision: Precision,
    limit: f64,
    instead: &'static str,
}

/// Holds the probes' features, one (4, d) matrix a tap, against those expected. engine: what gave them, and `instead` flags that do
/// without.
pub(super) fn check_probes(
    (engine, instead): (&str, &'static str),
    taps: &[&str],
    expected: &[Vec<f32>],
    got: &[Vec<f32>],
    precision: Precision,
) -> Result<(), Unlike> {
    let limit = precision.tolerance();
    for ((tap, expected), got) in taps.iter().zip(expected).zip(got) {
        let difference = difference(expected, got);
        if difference.is_nan() || difference > limit {
            let (engine, tap) = (engine.to_owned(), (*tap).to_owned());
            return Err(Unlike { engine, tap, difference, precision, limit, instead });
        }
    }
    Ok(())
}

/// Relative L2 difference: ‖got − expected‖ / ‖expected‖; NaN where a number is none.
pub(super) fn difference(expected: &[f32], got: &[f32]) -> f64 {
    if expected.len() != got.len() {
        return f64::NAN;
    }
    let square = |x: f64| x * x;
    let differences = expected.iter().zip(got).map(|(&a, &b)| square(f64::from(a) - f64::from(b)));
    match (differences.sum::<f64>(), expected.iter().map(|&x| square(f64::from(x))).sum::<f64>()) {
        (0.0, _) => 0.0,
        (differences, all) => (differences / all).sqrt(),
    }
}
