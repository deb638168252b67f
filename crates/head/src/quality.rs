//! How well a head does on some rows, while it is being fitted or chosen.

use artifact::Dense;
use rayon::prelude::*;

use crate::examples::BLOCK;
use crate::{Examples, logits};

/// How well a head does on some rows, every row counting the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean negative log-likelihood, in nats.
    pub loss: f64,
    /// Part of the rows whose largest logit is their class's.
    pub accuracy: f64,
}

/// Loss and accuracy of `layers` on `examples`, block by block.
pub fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    let (n, dim) = (examples.rows(), examples.dim());
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |&first: &usize| {
        let labels = &examples.labels()[first..(first + BLOCK).min(n)];
        let mut x = vec![0.0; labels.len() * dim];
        examples.features().read(first, &mut x);
        (of_logits(&logits(layers, &x), labels, examples.classes()), labels.len() as f64)
    };
    let parts: Vec<(Quality, f64)> = starts.par_iter().map(block).collect();
    let mean = |of: fn(&Quality) -> f64| {
        parts.iter().map(|(quality, rows)| of(quality) * rows).sum::<f64>() / n as f64
    };
    Quality { loss: mean(|quality| quality.loss), accuracy: mean(|quality| quality.accuracy) }
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
