//! Calibration: one temperature for all logits (Guo et al., 2017, section 4.2), fitted on rows that the model had not
//! learnt from.

use crate::{
    Examples, Scorer, TargetScaler,
    logits::sigmoid_of,
    pass::{Loss, Member, Pass},
    quality::each_row,
    softmax,
};

/// Steps of Newton's method at most; it takes five or six.
const STEPS: usize = 50;
/// β stays below 20: beyond, so few rows are wrong that they say nothing,
const MOST: f64 = 20.0;
/// and above this, which the squared distances of many correlated features may ask for.
const LEAST: f64 = 1e-5;

/// A temperature, and what it does to the loss that it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// T: logits are divided by it.
    pub value: f64,
    /// Mean nll of the held-out rows before, in nats; of labels the mean over labels too.
    pub before: f64,
    /// The same after.
    pub after: f64,
}

/// Mean loss of logits times β, and its first two derivatives by β.
#[derive(Clone, Copy, Debug, Default)]
struct Derivatives {
    loss: f64,
    slope: f64,
    curvature: f64,
}

impl Temperature {
    /// Of the scores that a head gives for `held_out`: one temperature for all classes, or labels.
    pub fn of(scorer: &Scorer, held_out: &Examples<'_>) -> Temperature {
        let plain = TargetScaler::identity(held_out.outputs());
        let loss = Loss::likelihood(held_out.truth(), &[], &plain);
        minimise(|beta| each_row(scorer, held_out, |row, scores| Derivatives::at(&loss, row, scores, beta)))
    }
}

impl Pass<'_> {
    /// Of the logits of `members` for the rows that each held out, or of the first for all rows where there are no folds.
    pub(crate) fn temperature(&self, members: &[Member<'_>]) -> Temperature {
        let at = |row: usize, scores: &[f32], beta| Derivatives::at(&self.loss, row, scores, beta);
        minimise(|beta| self.held_out_scores(members, |row, scores| at(row, scores, beta)))
    }
}

/// The temperature of least loss; `bends` gives every row's at one β.
///
/// The loss is convex in β = 1/T, so that the slope's sign says on which side the minimum lies: Newton's method, and a step
/// to the middle of what is left wherever it would leave that.
fn minimise(bends: impl Fn(f64) -> Vec<Derivatives>) -> Temperature {
    let mean = |beta: f64| -> Derivatives {
        let bends = bends(beta);
        let rows = bends.len().max(1) as f64;
        bends.iter().fold(Derivatives::default(), |sum, bend| Derivatives {
            loss: sum.loss + bend.loss / rows,
            slope: sum.slope + bend.slope / rows,
            curvature: sum.curvature + bend.curvature / rows,
        })
    };
    let (mut low, mut high) = (LEAST, MOST);
    let (mut beta, mut at) = (1.0, mean(1.0));
    let before = at.loss;
    let mut best = (beta, at.loss);
    for _ in 0..STEPS {
        if at.slope > 0.0 {
            high = beta;
        } else {
            low = beta;
        }
        let newton = beta - at.slope / at.curvature.max(f64::MIN_POSITIVE);
        let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
        if (next - beta).abs() <= 1e-6 * beta {
            break;
        }
        (beta, at) = (next, mean(next));
        if at.loss < best.1 {
            best = (beta, at.loss);
        }
    }
    Temperature { value: 1.0 / best.0, before, after: best.1 }
}

impl Derivatives {
    /// Of row `row` of those that `loss` is of.
    fn at(loss: &Loss<'_>, row: usize, scores: &[f32], beta: f64) -> Derivatives {
        match loss {
            Loss::Classes { labels, .. } => Derivatives::of(scores, labels[row] as usize, beta),
            // Squares of labels: whoever asks for a temperature of numbers gets nonsense.
            Loss::Labels(values) | Loss::Squares { values, .. } => {
                Derivatives::of_labels(scores, &values[row * scores.len()..], beta)
            }
        }
    }

    /// The mean over labels, of which `truth` says 1 or 0.
    fn of_labels(scores: &[f32], truth: &[f64], beta: f64) -> Derivatives {
        let labels = scores.len() as f64;
        scores.iter().zip(truth).fold(Derivatives::default(), |sum, (&score, &truth)| {
            let margin = if truth > 0.5 { f64::from(score) } else { -f64::from(score) };
            let wrong = sigmoid_of(-beta * margin);
            let right = sigmoid_of(beta * margin);
            Derivatives {
                loss: sum.loss - right.max(f64::MIN_POSITIVE).ln() / labels,
                slope: sum.slope - margin * wrong / labels,
                curvature: sum.curvature + margin * margin * right * wrong / labels,
            }
        })
    }

    fn of(scores: &[f32], label: usize, beta: f64) -> Derivatives {
        let scaled: Vec<f32> = scores.iter().map(|&score| (f64::from(score) * beta) as f32).collect();
        let probabilities = softmax(&scaled, scaled.len());
        let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
            probabilities.iter().zip(scores).map(|(p, &score)| p * of(f64::from(score))).sum()
        };
        let centre = mean(&|score| score);
        Derivatives {
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
    fn sure_scores_that_are_seldom_wrong_are_toned_down() {
        // Margins of 10, one row of 3,000 wrong: a full step of Newton's overshoots by far.
        let bends = |beta: f64| {
            (0..3000)
                .map(|row| Derivatives::of(&[10.0, 0.0], usize::from(row == 0), beta))
                .collect::<Vec<_>>()
        };
        let found = minimise(bends);
        // Where the probability of the wrong class is the part of rows that have it: 1 / (1 + e^10β) = 1 / 3000.
        let expected = 10.0 / 2999f64.ln();
        assert!((found.value - expected).abs() < 1e-3, "{found:?}, expected {expected}");
        assert!(found.after < found.before);
    }

    #[test]
    fn bends_of_labels_are_derivatives() {
        let (scores, truth) = ([1.5, -0.25, 0.75], [1.0, 1.0, 0.0]);
        let at = |beta| Derivatives::of_labels(&scores, &truth, beta);
        let (low, middle, high) = (at(0.875), at(1.0), at(1.125));
        assert!(((high.loss - low.loss) / 0.25 - middle.slope).abs() < 2e-3);
        assert!(((high.slope - low.slope) / 0.25 - middle.curvature).abs() < 2e-3);
        let expected: f64 = [1.5f64, -0.25, -0.75].iter().map(|m| (1.0 + (-m).exp()).ln() / 3.0).sum();
        assert!((middle.loss - expected).abs() < 1e-12);
    }

    #[test]
    fn bends_are_derivatives() {
        let scores = [1.5, -0.25, 0.75];
        for label in 0..3 {
            let at = |beta| Derivatives::of(&scores, label, beta);
            let (low, middle, high) = (at(0.875), at(1.0), at(1.125));
            assert!(((high.loss - low.loss) / 0.25 - middle.slope).abs() < 2e-3);
            assert!(((high.slope - low.slope) / 0.25 - middle.curvature).abs() < 2e-3);
        }
    }
}
