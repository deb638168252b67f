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
    quality_of(examples, |x| logits(layers, x))
}

/// Loss and accuracy of the logits that `scores` gives for some rows (k, d), block by block.
pub(crate) fn quality_of(examples: &Examples<'_>, scores: impl Fn(&[f32]) -> Vec<f32> + Sync) -> Quality {
    let parts = each_block(examples, |x, labels| {
        (of_logits(&scores(x), labels, examples.classes()), labels.len() as f64)
    });
    let mean = |of: fn(&Quality) -> f64| {
        parts.iter().map(|(quality, rows)| of(quality) * rows).sum::<f64>() / examples.rows() as f64
    };
    Quality { loss: mean(|quality| quality.loss), accuracy: mean(|quality| quality.accuracy) }
}

/// What `of(logits, label)` makes of every row, in order.
pub(crate) fn each_row<T: Send>(
    layers: &[Dense],
    examples: &Examples<'_>,
    of: impl Fn(&[f32], usize) -> T + Sync,
) -> Vec<T> {
    let blocks = each_block(examples, |x, labels| {
        let scores = logits(layers, x);
        let rows = scores.chunks_exact(examples.classes()).zip(labels);
        rows.map(|(scores, &label)| of(scores, label as usize)).collect::<Vec<_>>()
    });
    blocks.into_iter().flatten().collect()
}

/// What `of(x, labels)` makes of every block of rows, in order.
fn each_block<T: Send>(examples: &Examples<'_>, of: impl Fn(&[f32], &[u32]) -> T + Sync) -> Vec<T> {
    let (n, dim) = (examples.rows(), examples.dim());
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |&first: &usize| {
        let labels = &examples.labels()[first..(first + BLOCK).min(n)];
        let mut x = vec![0.0; labels.len() * dim];
        examples.features().read(first, &mut x);
        of(&x, labels)
    };
    starts.par_iter().map(block).collect()
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
