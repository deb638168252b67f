//! Whether cards may be used: they are of one kind, and give what the CPU gives for the probes.

use anyhow::{Result, bail};
use engine::cuda::{Description, Precision};

/// Refuses cards of several kinds: a row's bits would depend on which of them made it.
pub(super) fn check_alike(cards: &[(&str, &Description)]) -> Result<()> {
    let kind = |card: &Description| (card.name.clone(), card.capability);
    let (first, others) = cards.split_first().expect("DeviceName has at least one card");
    match others.iter().find(|(_, card)| kind(card) != kind(first.1)) {
        Some(other) => {
            let tell = |(name, card): &(&str, &Description)| {
                format!("{name} is {} ({}.{})", card.name, card.capability.0, card.capability.1)
            };
            bail!(
                "{}, {}: cards that share the work must be of one kind, on which bits depend; name one, or give each a --part of its own",
                tell(first),
                tell(other)
            )
        }
        None => Ok(()),
    }
}

/// A card whose features are not the CPU's.
#[derive(Debug, thiserror::Error)]
#[error(
    "{card} does not give the CPU's features for the probes: at `{tap}` the relative L2 difference is {difference:.1e}, \
     with {precision} at most {limit:.0e} passes; {}",
    match precision {
        Precision::F32 => "use --device cpu",
        _ => "use --precision f32, or --device cpu",
    }
)]
pub(crate) struct Unlike {
    card: String,
    tap: String,
    difference: f64,
    precision: Precision,
    limit: f64,
}

/// Holds the probes' features, one (4, d) matrix a tap, against those expected.
pub(super) fn check_probes(
    card: &str,
    taps: &[&str],
    expected: &[Vec<f32>],
    got: &[Vec<f32>],
    precision: Precision,
) -> Result<(), Unlike> {
    let limit = precision.tolerance();
    for ((tap, expected), got) in taps.iter().zip(expected).zip(got) {
        let difference = difference(expected, got);
        if difference.is_nan() || difference > limit {
            let (card, tap) = (card.to_owned(), (*tap).to_owned());
            return Err(Unlike { card, tap, difference, precision, limit });
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
