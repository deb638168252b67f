//! Calibration: one temperature for all logits (Guo et al., 2017, section 4.2), fitted on rows that the model had not
//! learnt from.

use super::LinearProblem;
use super::pass::{Member, Pass};
use super::sweep::{HeldOut, Sweep};
use crate::softmax;

/// Steps of Newton's method at most; it takes five or six.
const STEPS: usize = 50;
/// Temperatures stay within 1/20 and 20: beyond, so few rows are wrong that they say nothing.
const MOST: f64 = 20.0;

/// A temperature, and what it does to the loss that it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// T: logits are divided by it.
    pub value: f64,
    /// Mean nll of the held-out rows before, in nats.
    pub before: f64,
    /// The same after.
    pub after: f64,
}

/// Mean loss of logits times β, and its first two derivatives by β.
#[derive(Clone, Copy, Debug, Default)]
struct Bend {
    loss: f64,
    slope: f64,
    curvature: f64,
}

impl LinearProblem<'_> {
    /// The temperature of least loss on the rows that `sweep` held out, for its best candidate.
    ///
    /// The loss is convex in β = 1/T: Newton's method, with steps of at most a factor of two, finds the minimum.
    pub fn temperature(&self, sweep: &Sweep, held_out: HeldOut<'_>) -> Temperature {
        let bend = |beta: f64| -> Bend {
            let bends =
                self.held_out_scores(sweep, held_out, |_, label, scores| Bend::of(scores, label, beta));
            let rows = bends.len().max(1) as f64;
            bends.iter().fold(Bend::default(), |sum, bend| Bend {
                loss: sum.loss + bend.loss / rows,
                slope: sum.slope + bend.slope / rows,
                curvature: sum.curvature + bend.curvature / rows,
            })
        };
        let (mut beta, mut at) = (1.0, bend(1.0));
        let before = at.loss;
        for _ in 0..STEPS {
            let newton = beta - at.slope / at.curvature.max(f64::MIN_POSITIVE);
            let next = newton.clamp(beta / 2.0, beta * 2.0).clamp(1.0 / MOST, MOST);
            if (next - beta).abs() <= 1e-6 * beta {
                break;
            }
            let there = bend(next);
            if there.loss > at.loss {
                break;
            }
            (beta, at) = (next, there);
        }
        Temperature { value: 1.0 / beta, before, after: at.loss }
    }

    /// What `of(row, label, logits)` makes of every held-out row, in order: with folds, of the logits of the model that
    /// was fitted without that row.
    pub fn held_out_scores<T: Send>(
        &self,
        sweep: &Sweep,
        held_out: HeldOut<'_>,
        of: impl Fn(usize, usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let (examples, folds) = match held_out {
            HeldOut::Rows(examples) => (examples, None),
            HeldOut::Folds(folds) => (self.examples, Some(folds)),
        };
        let member = |(fold, parameters)| Member { parameters, held_out: folds.map(|_| fold) };
        let members: Vec<Member<'_>> =
            sweep.members.iter().map(Vec::as_slice).enumerate().map(member).collect();
        Pass { examples, ..self.pass(folds) }.held_out_scores(&members, of)
    }
}

impl Bend {
    fn of(scores: &[f32], label: usize, beta: f64) -> Bend {
        let scaled: Vec<f32> = scores.iter().map(|&score| (f64::from(score) * beta) as f32).collect();
        let probabilities = softmax(&scaled, scaled.len());
        let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
            probabilities.iter().zip(scores).map(|(p, &score)| p * of(f64::from(score))).sum()
        };
        let centre = mean(&|score| score);
        Bend {
            loss: -probabilities[label].max(f64::MIN_POSITIVE).ln(),
            slope: centre - f64::from(scores[label]),
            curvature: mean(&|score| (score - centre).powi(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bends_are_derivatives() {
        let scores = [1.5, -0.25, 0.75];
        for label in 0..3 {
            let at = |beta| Bend::of(&scores, label, beta);
            let (low, middle, high) = (at(0.875), at(1.0), at(1.125));
            assert!(((high.loss - low.loss) / 0.25 - middle.slope).abs() < 2e-3);
            assert!(((high.slope - low.slope) / 0.25 - middle.curvature).abs() < 2e-3);
        }
    }
}
