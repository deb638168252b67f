//! How well a head does on some rows, while it is being fitted or chosen.

use artifact::{Dense, Rows};
use rayon::prelude::*;

use crate::examples::BLOCK;
use crate::pass::Tally;
use crate::targets::Units;
use crate::taught::{Loss, Taught};
use crate::{Examples, TargetKind, Targets, logits};

/// How well a head does on some rows, every row counting the same; of labels, every label of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean negative log-likelihood, in nats; of numbers the mean squared error, as [`Units`] put them: 1 is what their
    /// means are off by.
    pub loss: f64,
    /// Part of the rows whose largest logit is their class's; of all labels the part that is right. Means nothing of
    /// numbers.
    pub accuracy: f64,
}

/// Loss and accuracy of `layers` on `examples`, block by block.
pub fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    quality_of(examples, |x| logits(layers, x))
}

/// Loss and accuracy of `layers` on `targets`, block by block; numbers are put in `units`.
pub fn quality_targets(layers: &[Dense], targets: &Targets<'_>, units: &Units) -> Quality {
    let outputs = targets.outputs();
    // What layers give is not put; the loss wants it to be, and takes targets as they are put.
    let put: Vec<f64> =
        targets.values().iter().enumerate().map(|(at, &y)| units.put(at % outputs, y)).collect();
    let plain = Units::plain(targets.kind(), outputs);
    let parts = each_block(targets.features(), |first, x| {
        let mut scores = logits(layers, x);
        let mut tally = Tally::default();
        for (row, scores) in (first..).zip(scores.chunks_exact_mut(outputs)) {
            let loss = match targets.kind() {
                TargetKind::Labels => Taught::Targets(*targets).likelihood(&[], &plain),
                TargetKind::Numbers => {
                    let each = scores.iter_mut().enumerate();
                    each.for_each(|(output, y)| *y = units.put(output, f64::from(*y)) as f32);
                    Loss::Squares { values: &put, units: &plain }
                }
            };
            tally.push(outputs, loss.errors(row, scores));
        }
        tally
    });
    let mut all = Tally::default();
    parts.into_iter().for_each(|part| all.add(part));
    all.quality()
}

/// Loss and accuracy of the logits that `scores` gives for some rows (k, d), block by block.
pub(crate) fn quality_of(examples: &Examples<'_>, scores: impl Fn(&[f32]) -> Vec<f32> + Sync) -> Quality {
    let parts = each_block(examples.features(), |first, x| {
        let labels = &examples.labels()[first..][..x.len() / examples.dim()];
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
    let blocks = each_block(examples.features(), |first, x| {
        let scores = logits(layers, x);
        let rows = scores.chunks_exact(examples.classes()).zip(&examples.labels()[first..]);
        rows.map(|(scores, &label)| of(scores, label as usize)).collect::<Vec<_>>()
    });
    blocks.into_iter().flatten().collect()
}

/// What `of(scores, targets)` makes of every row, in order.
pub(crate) fn each_target_row<T: Send>(
    layers: &[Dense],
    targets: &Targets<'_>,
    of: impl Fn(&[f32], &[f64]) -> T + Sync,
) -> Vec<T> {
    let outputs = targets.outputs();
    let blocks = each_block(targets.features(), |first, x| {
        let scores = logits(layers, x);
        let truth = targets.values()[first * outputs..].chunks_exact(outputs);
        let rows = scores.chunks_exact(outputs).zip(truth);
        rows.map(|(scores, truth)| of(scores, truth)).collect::<Vec<_>>()
    });
    blocks.into_iter().flatten().collect()
}

/// What `of(first, x)` makes of every block of rows, in order.
fn each_block<T: Send>(features: &dyn Rows, of: impl Fn(usize, &[f32]) -> T + Sync) -> Vec<T> {
    let (n, dim) = (features.len(), features.dim());
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |&first: &usize| {
        let mut x = vec![0.0; BLOCK.min(n - first) * dim];
        features.read(first, &mut x);
        of(first, &x)
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
