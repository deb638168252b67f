//! Multinomial logistic regression, and one logistic regression for each of some labels.

mod curvature;
mod few;
mod sweep;

use std::sync::OnceLock;

use rayon::prelude::*;
use sample::targets::Task;
use weights::Dense;

pub use sweep::default_penalties;

use crate::{
    ClassWeights, Examples, Folds, HeadFitError, TargetScaler,
    lbfgs::{Lbfgs, Precondition, Stop},
    pass::{Line, Loss, Member, Outcome, Pass},
    scaling::Scaling,
};
use curvature::{Curvature, Preconditioner};

/// Part of the objective that may be rounding, of products in f32.
const ROUNDING: f64 = 1e-7;

/// How to fit a linear head; the strength of the penalty comes apart, since one problem is fitted at several.
#[derive(Clone, Debug, PartialEq)]
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
            tolerance: 1e-5,
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
/// minimise  Σᵢ Σₗ binary nll(xᵢ, yᵢₗ)  +  l2/2 · ‖W‖²   (C labels, of which a row bears any number)
///
/// over W (C, d) and biases (C,), which are not penalised; x is standardised if so asked. This is
/// scikit-learn's `LogisticRegression(C=1/l2)` divided by its C; for two classes scikit-learn fits
/// the *difference* w of the two rows, ½‖w‖² of which is ‖W‖² of ours. Of labels it is its
/// `OneVsRestClassifier` of them.
///
/// With l2 > 0 the minimum is unique. With l2 = 0 separable classes have none; the weights then grow
/// until the gradient is below the tolerance, and stay finite.
///
/// Rows are read in blocks at every evaluation, products are f32, sums f64: memory does not grow with n.
pub struct LinearProblem<'a> {
    examples: Examples<'a>,
    /// How much a row counts, by its class: (C,).
    weights: Vec<f64>,
    scaler: TargetScaler,
    scaling: Scaling,
    stop: Stop,
    watch: Option<&'a Watch<'a>>,
}

/// What is told after every pass over the rows.
pub type Watch<'a> = dyn Fn(Step) + Sync + 'a;

/// How far the fit at one penalty has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The penalty.
    pub l2: f64,
    /// Passes over the rows so far, for this penalty.
    pub pass: usize,
    /// Largest absolute component of the gradient of the mean loss; of several fits that of the one furthest off.
    pub gradient: f64,
    /// Where that ends the fit.
    pub tolerance: f64,
}

/// Minimisations that share their passes over the rows.
struct Solvers {
    solvers: Vec<Lbfgs>,
    /// What each found at its best point.
    outcomes: Vec<Option<Outcome>>,
    /// Models times penalties.
    fits: usize,
    /// The curvature of the mean loss, where it is worth knowing; from the first pass on.
    curvature: OnceLock<Option<Curvature>>,
}

impl<'a> LinearProblem<'a> {
    /// Takes the training rows, of classes or of labels, whose settings' class weights do not matter.
    ///
    /// # Errors
    /// Rows of numbers, fewer than two classes, a class without rows, a label that all rows have or none has, a negative
    /// tolerance.
    pub fn new(examples: &Examples<'a>, settings: &LinearSettings) -> Result<Self, HeadFitError> {
        if examples.task() == Task::Numbers {
            return Err(HeadFitError::Task { head: "logistic regression", task: examples.task() });
        }
        examples.check_trainable()?;
        let &LinearSettings { tolerance, max_iterations, .. } = settings;
        if !(tolerance >= 0.0 && tolerance.is_finite()) {
            return Err(HeadFitError::Setting {
                name: "tolerance",
                expected: "of 0 or more",
                got: tolerance,
            });
        }
        let scaling = if settings.standardize {
            Scaling::of(examples.features())
        } else {
            Scaling::identity(examples.dim())
        };
        Ok(LinearProblem {
            examples: *examples,
            weights: settings.class_weights.of(examples)?,
            scaler: TargetScaler::identity(examples.outputs()),
            scaling,
            stop: Stop { tolerance, max_iterations },
            watch: None,
        })
    }

    /// Tells `watch` of every pass from here on.
    #[must_use]
    pub fn watched(self, watch: &'a Watch<'a>) -> Self {
        LinearProblem { watch: Some(watch), ..self }
    }

    /// Fits at penalty `l2`, from `start` if given (the fit at a neighbouring penalty), else from zero. Of many rows a quarter is
    /// fitted first, roughly, by iterations of its own.
    ///
    /// # Errors
    /// A penalty that is negative or not finite.
    pub fn fit(&self, l2: f64, start: Option<&LinearFit>) -> Result<LinearFit, HeadFitError> {
        check_penalty(l2)?;
        let (start, curvature) = match start {
            Some(fit) => (fit.parameters.clone(), OnceLock::new()),
            None => self.beginning(l2),
        };
        self.fit_from(start, curvature, l2)
    }

    fn fit_from(
        &self,
        start: Vec<f64>,
        curvature: OnceLock<Option<Curvature>>,
        l2: f64,
    ) -> Result<LinearFit, HeadFitError> {
        let mut solvers = Solvers { curvature, ..self.solvers(vec![start], self.stop, 1) };
        self.solve(&mut solvers, &[None], None, l2);
        let solver = &solvers.solvers[0];
        let (weight, bias) = solver.best().split_at(self.examples.outputs() * self.examples.dim());
        Ok(LinearFit {
            layer: self.scaling.fold(weight, bias)?,
            l2,
            objective: solver.value() * self.examples.rows() as f64,
            gradient: solver.slope(),
            iterations: solver.iterations(),
            converged: solver.converged(),
            parameters: solver.best().to_vec(),
        })
    }

    /// Readies minimisations from `starts`, which will be run at so many penalties.
    fn solvers(&self, starts: Vec<Vec<f64>>, stop: Stop, penalties: usize) -> Solvers {
        let (fits, outcomes) = (starts.len() * penalties, vec![None; starts.len()]);
        let solvers = starts.into_iter().map(|start| Lbfgs::new(start, stop, ROUNDING)).collect();
        Solvers { solvers, outcomes, fits, curvature: OnceLock::new() }
    }

    fn zero(&self) -> Vec<f64> {
        vec![0.0; self.examples.outputs() * (self.examples.dim() + 1)]
    }

    /// The factor of ½ ‖W‖².
    fn penalty(&self, l2: f64) -> f64 {
        let is_difference = self.examples.task() == Task::Class && self.examples.outputs() == 2;
        if is_difference { 2.0 * l2 } else { l2 }
    }

    /// Runs all `solvers` to their ends, each without the rows of its fold in `held_out`.
    fn solve(&self, solvers: &mut Solvers, held_out: &[Option<usize>], folds: Option<&Folds>, l2: f64) {
        let pass = self.pass(self.examples, folds);
        let Solvers { solvers, outcomes, fits, curvature } = solvers;
        let penalised = self.examples.outputs() * self.examples.dim();
        for pass_number in 1.. {
            let active: Vec<usize> = (0..held_out.len()).filter(|&at| !solvers[at].is_done()).collect();
            if active.is_empty() {
                return;
            }
            self.begin(&pass, solvers, outcomes, held_out, l2);
            let member = |&at: &usize| Member { parameters: solvers[at].at(), held_out: held_out[at] };
            if let (Some(watch), true) = (self.watch, pass_number > 1) {
                let gradient = active.iter().map(|&at| solvers[at].slope()).fold(0.0, f64::max);
                let tolerance = active.iter().map(|&at| solvers[at].tolerance()).fold(0.0, f64::max);
                watch(Step { l2, pass: pass_number - 1, gradient, tolerance });
            }
            let members: Vec<Member<'_>> = active.iter().map(member).collect();
            // Most of the curvature's time is one thread's: the others pass over the rows meanwhile.
            let known = || curvature.get_or_init(|| Curvature::of(&self.examples, &self.scaling, *fits));
            let (curvature, found_now) = rayon::join(known, || pass.run(&members, true));
            let mut found: Vec<Option<Outcome>> = vec![None; held_out.len()];
            active.into_iter().zip(found_now).for_each(|(at, outcome)| found[at] = Some(outcome));
            let each = solvers.par_iter_mut().zip(&mut *outcomes).zip(found);
            each.for_each(|((solver, best), found)| {
                let Some(mut found) = found else { return };
                let (n, penalty) = (found.train.rows as f64, self.penalty(l2));
                let weight = &solver.at()[..penalised];
                let norm: f64 = weight.iter().map(|w| w * w).sum();
                let value = (found.loss + 0.5 * penalty * norm) / n;
                let (slopes, biases) = found.gradient.split_at_mut(penalised);
                slopes.iter_mut().zip(weight).for_each(|(slope, w)| *slope = (*slope + penalty * w) / n);
                biases.iter_mut().for_each(|slope| *slope /= n);
                let preconditioner = curvature.as_ref().map(|curvature| {
                    // At the best point, not at this one, which may lie anywhere.
                    let bends = &best.as_ref().unwrap_or(&found).bends;
                    let bends = bends.iter().map(|bend| bend / n).collect();
                    let preconditioner = Preconditioner { curvature, bends, penalty: penalty / n };
                    move |slopes: &mut [f64]| preconditioner.apply(slopes)
                });
                let precondition = preconditioner.as_ref().map(|apply| apply as &Precondition<'_>);
                if solver.tell(value, &found.gradient, precondition) {
                    found.gradient = Vec::new();
                    *best = Some(found);
                }
            });
        }
    }

    /// Tells solvers that have a new direction how far to go first.
    fn begin(
        &self,
        pass: &Pass<'_>,
        solvers: &mut [Lbfgs],
        outcomes: &[Option<Outcome>],
        held_out: &[Option<usize>],
        l2: f64,
    ) {
        let line = |at: usize| {
            let (from, along, slope) = solvers[at].line()?;
            let rows = outcomes[at].as_ref()?.train.rows;
            let line = Line { from, along, slope, penalty: self.penalty(l2), rows, held_out: held_out[at] };
            Some((at, line))
        };
        let (which, lines): (Vec<usize>, Vec<Line<'_>>) = (0..solvers.len()).filter_map(line).unzip();
        let steps = pass.steps(&lines);
        for (at, step) in which.into_iter().zip(steps) {
            step.into_iter().for_each(|step| solvers[at].begin_with(step));
        }
    }

    fn pass<'b>(&'b self, examples: Examples<'b>, folds: Option<&'b Folds>) -> Pass<'b> {
        Pass {
            features: examples.features(),
            outputs: examples.outputs(),
            loss: Loss::likelihood(examples.truth(), &self.weights, &self.scaler),
            scaling: &self.scaling,
            folds,
        }
    }
}

fn check_penalty(l2: f64) -> Result<(), HeadFitError> {
    if l2 >= 0.0 && l2.is_finite() {
        return Ok(());
    }
    Err(HeadFitError::Setting { name: "l2", expected: "of 0 or more", got: l2 })
}
