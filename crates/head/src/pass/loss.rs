//! What a row's scores lose against what is so, and the slopes of that.

use sample::targets::Truth;

use super::{errors, exponential::exp};
use crate::TargetScaler;

/// What a row's scores are held against.
#[derive(Clone, Copy)]
pub(crate) enum Loss<'a> {
    /// Softmax cross-entropy with the row's class, (n,), which counts so much, (C,).
    Classes { labels: &'a [u32], weights: &'a [f64] },
    /// Binary cross-entropy with each output's label, from 0 to 1: (n, outputs).
    Labels(&'a [f64]),
    /// Squared distance from each output's target as it is scaled: (n, outputs).
    Squares { values: &'a [f64], scaler: &'a TargetScaler },
}

/// What one row's scores come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// Added up over the row's outputs.
    pub(crate) loss: f64,
    /// Decisions that are right: of classes 1 or 0, of labels as many as there are labels. Of numbers, those on the right
    /// side of the mean.
    pub(crate) hits: usize,
}

impl<'a> Loss<'a> {
    /// Of classes, weighted so, and of labels their likelihood; of numbers the squared distance as they are scaled.
    pub(crate) fn likelihood(truth: &'a Truth, weights: &'a [f64], scaler: &'a TargetScaler) -> Loss<'a> {
        match truth {
            Truth::Class(labels) => Loss::Classes { labels, weights },
            Truth::Labels(values) => Loss::Labels(values),
            Truth::Numbers(values) => Loss::Squares { values, scaler },
        }
    }

    /// How targets are scaled, where they are.
    pub(crate) fn scaler(&self) -> Option<&'a TargetScaler> {
        match self {
            Loss::Classes { .. } | Loss::Labels(_) => None,
            Loss::Squares { scaler, .. } => Some(scaler),
        }
    }

    /// How much row `at` counts.
    #[inline(always)]
    pub(crate) fn weight(&self, at: usize) -> f64 {
        match self {
            Loss::Classes { labels, weights } => weights[labels[at] as usize],
            Loss::Labels(_) | Loss::Squares { .. } => 1.0,
        }
    }

    /// Decisions that are made of a row by so many outputs.
    pub(crate) fn decisions(&self, outputs: usize) -> usize {
        match self {
            Loss::Classes { .. } => 1,
            Loss::Labels(_) | Loss::Squares { .. } => outputs,
        }
    }

    /// Turns the scores of row `at` (outputs,) into slopes of its loss times its weight; gives the loss without weight.
    #[inline(always)]
    pub(crate) fn errors(&self, at: usize, scores: &mut [f32]) -> Judged {
        let outputs = scores.len();
        let mut judged = Judged { loss: 0.0, hits: 0 };
        match self {
            Loss::Classes { labels, .. } => {
                let (loss, hit) = errors(scores, labels[at] as usize, self.weight(at) as f32);
                return Judged { loss, hits: usize::from(hit) };
            }
            Loss::Labels(values) => {
                for (score, &truth) in scores.iter_mut().zip(&values[at * outputs..]) {
                    let (loss, slope, hit) = binary(*score, truth);
                    judged.loss += loss;
                    judged.hits += usize::from(hit);
                    *score = slope;
                }
            }
            Loss::Squares { values, scaler } => {
                for (output, (score, &value)) in scores.iter_mut().zip(&values[at * outputs..]).enumerate() {
                    let truth = scaler.scale(output, value);
                    let error = f64::from(*score) - truth;
                    judged.loss += error * error;
                    judged.hits += usize::from((*score > 0.0) == (truth > 0.0));
                    *score = (2.0 * error) as f32;
                }
            }
        }
        judged
    }
}

/// −y ln p − (1 − y) ln(1 − p) of p = 1 / (1 + exp(−score)) in nats, its slope p − y, and whether p and y are on one side of
/// a half.
#[inline(always)]
fn binary(score: f32, truth: f64) -> (f64, f32, bool) {
    let tail = exp(-score.abs());
    let (small, large) = (tail / (1.0 + tail), 1.0 / (1.0 + tail));
    let (p, not_p) = if score > 0.0 { (large, small) } else { (small, large) };
    let loss = f64::from(tail).ln_1p() + (f64::from(score.max(0.0)) - truth * f64::from(score));
    // Neither term loses digits where the other is gone.
    let slope = p * (1.0 - truth) as f32 - not_p * truth as f32;
    (loss, slope, (score > 0.0) == (truth > 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_loss() {
        for truth in [0.0, 0.25, 1.0] {
            for score in [-30.0f32, -2.5, -0.25, 0.0, 0.5, 3.0, 40.0] {
                let (loss, slope, hit) = binary(score, truth);
                let s = f64::from(score);
                let expected = (1.0 + (-s.abs()).exp()).ln() + s.max(0.0) - truth * s;
                assert!((loss - expected).abs() < 1e-6, "{score} {truth}: {loss}, {expected}");
                let p = 1.0 / (1.0 + (-s).exp());
                assert!((f64::from(slope) - (p - truth)).abs() < 1e-6, "{score} {truth}: {slope}");
                assert_eq!(hit, (score > 0.0) == (truth > 0.5));
            }
        }
        // Far from a half, where 1 − p would be rounding.
        let (loss, slope, _) = binary(50.0, 1.0);
        assert!(loss > 0.0 && loss < 1e-20 && slope < 0.0 && slope > -1e-20, "{loss} {slope}");
    }
}
