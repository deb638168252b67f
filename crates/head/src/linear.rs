//! Multinomial logistic regression.

use artifact::Dense;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::lbfgs::{Stop, minimise};
use crate::scaling::Scaling;
use crate::{ClassWeights, Examples, HeadFitError};

/// Rows whose losses are added up together. Affects bits: it is part of the definition.
const CHUNK: usize = 256;

/// How to fit a linear head; the strength of the penalty comes apart, since one problem is fitted at several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearSettings {
    /// How much a row counts, by its class.
    pub class_weights: ClassWeights,
    /// Whether features are standardised inside (and the scaling folded back out).
    pub standardize: bool,
    /// The fit has converged when no component of the gradient of objective / n exceeds this.
    pub tolerance: f64,
    /// Iterations of L-BFGS at most.
    pub max_iterations: usize,
}

impl Default for LinearSettings {
    fn default() -> Self {
        LinearSettings {
            class_weights: ClassWeights::None,
            standardize: true,
            tolerance: 1e-6,
            max_iterations: 1000,
        }
    }
}

/// A fitted linear head.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearFit {
    /// Logits of raw features.
    pub layer: Dense,
    /// The penalty it was fitted with.
    pub l2: f64,
    /// Σ w·nll + penalty, at the end.
    pub objective: f64,
    /// Largest absolute component of the gradient of objective / n, at the end.
    pub gradient: f64,
    /// Iterations of L-BFGS.
    pub iterations: usize,
    /// Whether the gradient fell below the tolerance.
    pub converged: bool,
    /// Weights (C, d) and biases (C,) for scaled features: where the next fit may start.
    parameters: Vec<f64>,
}

/// Multinomial logistic regression on some examples, to be fitted at one or more penalties:
///
/// minimise  Σᵢ w(yᵢ) · nll(xᵢ, yᵢ)  +  l2/2 · ‖W‖²   (C > 2)
/// minimise  Σᵢ w(yᵢ) · nll(xᵢ, yᵢ)  +  l2 · ‖W‖²     (C = 2)
///
/// over W (C, d) and biases (C,), which are not penalised; x is standardised if so asked. This is
/// scikit-learn's `LogisticRegression(C=1/l2)` divided by its C; for two classes scikit-learn fits
/// the *difference* w of the two rows, ½‖w‖² of which is ‖W‖² of ours.
///
/// With l2 > 0 the minimum is unique. With l2 = 0 separable classes have none; the weights then grow
/// until the gradient is below the tolerance, and stay finite.
pub struct LinearProblem {
    /// (n, d) f64, scaled.
    x: Tensor,
    labels: Vec<u32>,
    /// (C,)
    weights: Vec<f64>,
    classes: usize,
    dim: usize,
    scaling: Scaling,
    stop: Stop,
}

impl LinearProblem {
    /// Takes the training rows; holds a scaled copy, 8 n d bytes.
    ///
    /// # Errors
    /// Fewer than two classes, a class without rows, a negative tolerance.
    pub fn new(examples: &Examples<'_>, settings: &LinearSettings) -> Result<Self, HeadFitError> {
        examples.check_trainable()?;
        let LinearSettings { tolerance, max_iterations, .. } = *settings;
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            return Err(HeadFitError::Setting {
                name: "tolerance",
                expected: "of 0 or more",
                got: tolerance,
            });
        }
        let scaling =
            if settings.standardize { Scaling::of(examples) } else { Scaling::identity(examples.dim()) };
        let shape = (examples.rows(), examples.dim());
        Ok(LinearProblem {
            x: Tensor::from_vec(scaling.apply(examples.features()), shape, &Device::Cpu)?,
            labels: examples.labels().to_vec(),
            weights: settings.class_weights.of(examples),
            classes: examples.classes(),
            dim: examples.dim(),
            scaling,
            stop: Stop { tolerance, max_iterations },
        })
    }

    /// Fits at penalty `l2`, from `start` if given (the fit at a neighbouring penalty), else from zero.
    ///
    /// # Errors
    /// A penalty that is negative or not finite.
    pub fn fit(&self, l2: f64, start: Option<&LinearFit>) -> Result<LinearFit, HeadFitError> {
        if !(l2 >= 0.0 && l2.is_finite()) {
            return Err(HeadFitError::Setting { name: "l2", expected: "of 0 or more", got: l2 });
        }
        let zero = || vec![0.0; self.classes * (self.dim + 1)];
        let start = start.map_or_else(zero, |fit| fit.parameters.clone());
        let mut scratch = vec![0.0; start.len()];
        let minimum = minimise(start, self.stop, |at, gradient| self.evaluate(l2, at, gradient))?;
        let objective = self.evaluate(l2, &minimum.at, &mut scratch)? * self.labels.len() as f64;
        let (weight, bias) = minimum.at.split_at(self.classes * self.dim);
        Ok(LinearFit {
            layer: self.scaling.fold(weight, bias),
            l2,
            objective,
            gradient: minimum.gradient,
            iterations: minimum.iterations,
            converged: minimum.converged,
            parameters: minimum.at,
        })
    }

    /// objective / n at the parameters `at`, and its gradient.
    fn evaluate(&self, l2: f64, at: &[f64], gradient: &mut [f64]) -> Result<f64, HeadFitError> {
        let (weight, bias) = at.split_at(self.classes * self.dim);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(weight.len());
        let n = self.labels.len() as f64;

        let w = Tensor::from_slice(weight, (self.classes, self.dim), &Device::Cpu)?;
        let mut errors = self.x.matmul(&w.t()?)?.flatten_all()?.to_vec1::<f64>()?;
        let loss = self.errors(bias, &mut errors, bias_gradient);
        let errors = Tensor::from_vec(errors, (self.labels.len(), self.classes), &Device::Cpu)?;
        let product = errors.t()?.matmul(&self.x)?.flatten_all()?.to_vec1::<f64>()?;

        let penalty = if self.classes == 2 { 2.0 * l2 } else { l2 };
        for ((gradient, product), weight) in weight_gradient.iter_mut().zip(product).zip(weight) {
            *gradient = (product + penalty * weight) / n;
        }
        bias_gradient.iter_mut().for_each(|gradient| *gradient /= n);
        let norm: f64 = weight.iter().map(|w| w * w).sum();
        Ok((loss + 0.5 * penalty * norm) / n)
    }

    /// Turns `logits` (n, C), still without biases, into w(y) · (probability − one-hot), whose column
    /// sums are the biases' gradient; gives Σ w(y) · nll.
    fn errors(&self, bias: &[f64], logits: &mut [f64], bias_gradient: &mut [f64]) -> f64 {
        let chunks = logits.par_chunks_mut(CHUNK * self.classes).zip(self.labels.par_chunks(CHUNK));
        let parts: Vec<(f64, Vec<f64>)> = chunks
            .map(|(logits, labels)| {
                let (mut loss, mut sums) = (0.0, vec![0.0; self.classes]);
                for (row, &label) in logits.chunks_exact_mut(self.classes).zip(labels) {
                    loss += row_errors(row, bias, label as usize, self.weights[label as usize]);
                    sums.iter_mut().zip(&*row).for_each(|(sum, error)| *sum += error);
                }
                (loss, sums)
            })
            .collect();
        bias_gradient.fill(0.0);
        let mut total = 0.0;
        for (loss, sums) in parts {
            total += loss;
            bias_gradient.iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient += sum);
        }
        total
    }
}

/// One row of [`LinearProblem::errors`].
fn row_errors(row: &mut [f64], bias: &[f64], label: usize, weight: f64) -> f64 {
    let mut top = f64::NEG_INFINITY;
    for (logit, bias) in row.iter_mut().zip(bias) {
        *logit += bias;
        top = top.max(*logit);
    }
    let own = row[label] - top;
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - top).exp();
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value *= weight / sum);
    row[label] -= weight;
    weight * (sum.ln() - own)
}
