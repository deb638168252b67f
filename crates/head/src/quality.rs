//! How well a head does on some rows, while it is being fitted or chosen.

use artifact::Dense;

use crate::{Examples, logits};

/// How well a head does on some rows, every row counting the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean negative log-likelihood, in nats.
    pub loss: f64,
    /// Part of the rows whose largest logit is their class's.
    pub accuracy: f64,
}

/// Loss and accuracy of `layers` on `examples`.
pub fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    of_logits(&logits(layers, examples.features()), examples.labels(), examples.classes())
}

/// Loss and accuracy of `logits` (n, classes).
pub(crate) fn of_logits(logits: &[f32], labels: &[u32], classes: usize) -> Quality {
    let (mut loss, mut hits) = (0.0, 0.0);
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let mut best = 0;
        for (class, logit) in row.iter().enumerate() {
            if *logit > row[best] {
                best = class;
            }
        }
        hits += f64::from(u8::from(best == label as usize));
        let top = f64::from(row[best]);
        let sum: f64 = row.iter().map(|&logit| (f64::from(logit) - top).exp()).sum();
        loss += top + sum.ln() - f64::from(row[label as usize]);
    }
    let rows = labels.len() as f64;
    Quality { loss: loss / rows, accuracy: hits / rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let got = of_logits(&[0.0, 0.0, 3.0, 1.0], &[0, 1], 2);
        let expected = (std::f64::consts::LN_2 + (1.0 + 2.0f64.exp()).ln()) / 2.0;
        assert!((got.loss - expected).abs() < 1e-15, "{got:?}");
        assert_eq!(got.accuracy, 0.5);
    }
}
