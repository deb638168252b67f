//! How well a head does on some rows, while it is being fitted or chosen.

use features::Rows;
use rayon::prelude::*;
use sample::targets::Truth;

use crate::{
    Examples, Scorer, TargetScaler,
    examples::BLOCK,
    pass::{Loss, Tally},
};

/// How well a head does on some rows, every row counting the same; of labels, every label of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean negative log-likelihood, in nats; of numbers the mean squared error, as a [`TargetScaler`] has them: 1 is what
    /// their means are off by.
    pub loss: f64,
    /// Part of the rows whose largest logit is their class's; of all labels the part that is right. Means nothing of
    /// numbers.
    pub accuracy: f64,
}

/// Loss and accuracy of a head on `examples`, block by block; numbers are scaled by `scaler`.
pub fn quality(scorer: &Scorer, examples: &Examples<'_>, scaler: &TargetScaler) -> Quality {
    match examples.truth() {
        Truth::Class(labels) => of_classes(scorer, examples.features(), labels),
        Truth::Labels(values) => of_values(scorer, examples, Loss::Labels(values), None),
        Truth::Numbers(values) => {
            // What layers give is not scaled; the loss wants it to be, and takes targets as they are scaled.
            let outputs = examples.outputs();
            let each = values.iter().enumerate();
            let values: Vec<f64> = each.map(|(at, &y)| scaler.scale(at % outputs, y)).collect();
            let loss = Loss::Squares { values: &values, scaler: &TargetScaler::identity(outputs) };
            of_values(scorer, examples, loss, Some(scaler))
        }
    }
}

fn of_classes(scorer: &Scorer, features: &dyn Rows, labels: &[u32]) -> Quality {
    let parts = each_block(features, |first, x| {
        let labels = &labels[first..][..x.len() / features.dim()];
        (of_logits(&scorer.of_rows(x), labels, scorer.outputs()), labels.len() as f64)
    });
    let mean = |of: fn(&Quality) -> f64| {
        parts.iter().map(|(quality, rows)| of(quality) * rows).sum::<f64>() / labels.len() as f64
    };
    Quality { loss: mean(|quality| quality.loss), accuracy: mean(|quality| quality.accuracy) }
}

/// Scores are scaled first where there is a `scaler`.
fn of_values(
    scorer: &Scorer,
    examples: &Examples<'_>,
    loss: Loss<'_>,
    scaler: Option<&TargetScaler>,
) -> Quality {
    let outputs = examples.outputs();
    let parts = each_block(examples.features(), |first, x| {
        let mut scores = scorer.of_rows(x);
        let mut tally = Tally::default();
        for (row, scores) in (first..).zip(scores.chunks_exact_mut(outputs)) {
            if let Some(scaler) = scaler {
                let each = scores.iter_mut().enumerate();
                each.for_each(|(output, y)| *y = scaler.scale(output, f64::from(*y)) as f32);
            }
            tally.push(outputs, loss.errors(row, scores));
        }
        tally
    });
    let mut all = Tally::default();
    parts.into_iter().for_each(|part| all.add(part));
    all.quality()
}

/// What `of(row, scores)` makes of every row, in order.
pub(crate) fn each_row<T: Send>(
    scorer: &Scorer,
    examples: &Examples<'_>,
    of: impl Fn(usize, &[f32]) -> T + Sync,
) -> Vec<T> {
    let blocks = each_block(examples.features(), |first, x| {
        let scores = scorer.of_rows(x);
        let rows = (first..).zip(scores.chunks_exact(examples.outputs()));
        rows.map(|(row, scores)| of(row, scores)).collect::<Vec<_>>()
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
