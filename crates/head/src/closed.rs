//! Heads that need no iterations: ridge regression on the classes, linear discriminants, class means.
//!
//! Each follows from each class's sum and the matrix of the features' products, for any strength of its one setting, from
//! one eigendecomposition. What is left out of a fit is subtracted from those sums: to hold out folds costs a
//! decomposition each and no further pass over the others.

mod basis;
mod classes;
mod lda;
mod prototype;
mod ridge;

use rayon::prelude::*;
use sample::targets::Task;
use weights::Dense;

use crate::{
    Candidate, ClassWeights, Examples, HeadFitError, HeldOut, Sweep, TargetScaler, Temperature,
    pass::{Loss, Member, Pass, Tally},
    scaling::Scaling,
    spectrum::Spectrum,
    sums::{Coordinates, Summed, Sums},
};
use basis::Basis;
use classes::Classes;

/// Columns at most: a matrix of so many is half a GiB, and takes minutes to decompose.
const MOST_COLUMNS: usize = 8192;
/// Folds are decomposed side by side up to so many columns; beyond, memory counts.
const SIDE_BY_SIDE: usize = 2048;

/// Which closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedForm {
    /// Least squares with a penalty of `strength` on ‖W‖²: on targets 1 for the row's class and −1 for every other, on 1 and −1
    /// for labels, or on numbers.
    Ridge,
    /// Linear discriminants: normal classes that share a covariance, `strength` of which is taken from that of a sphere.
    Lda,
    /// The nearest class mean; it has no strength.
    Prototype,
}

/// A closed form on some examples, to be fitted at one or more strengths.
pub struct ClosedProblem<'a> {
    form: ClosedForm,
    examples: Examples<'a>,
    /// How much a row counts, by its class: (C,).
    weights: Vec<f64>,
    /// How labels and numbers are scaled.
    scaler: TargetScaler,
    scaling: Scaling,
    /// Where there are fewer rows than features: what the sums are taken of.
    basis: Option<Basis>,
    all: Sums,
}

/// Models of scaled rows: one for each strength, weights (C, d) then biases (C,).
type Models = Vec<Vec<f64>>;

impl<'a> ClosedProblem<'a> {
    /// Takes the training rows; features are standardised, or taken as they are. Class weights of labels and numbers do not
    /// matter.
    ///
    /// # Errors
    /// A form that cannot say what the examples are of; fewer than two classes, a class without rows, a label that all rows
    /// have or none has, too many features.
    pub fn new(
        examples: &Examples<'a>,
        form: ClosedForm,
        class_weights: &ClassWeights,
        standardize: bool,
    ) -> Result<Self, HeadFitError> {
        ClosedProblem::scaled(examples, form, class_weights, standardize, TargetScaler::of(examples))
    }

    /// The same of targets that are measured as `scaler` has them.
    pub(crate) fn scaled(
        examples: &Examples<'a>,
        form: ClosedForm,
        class_weights: &ClassWeights,
        standardize: bool,
        scaler: TargetScaler,
    ) -> Result<Self, HeadFitError> {
        if form != ClosedForm::Ridge && examples.task() != Task::Class {
            return Err(HeadFitError::Task { head: form.name(), task: examples.task() });
        }
        examples.check_trainable()?;
        let decomposed = form != ClosedForm::Prototype;
        let helps = decomposed && Basis::helps(examples);
        if decomposed && !helps && examples.dim() > MOST_COLUMNS {
            return Err(HeadFitError::TooManyFeatures { got: examples.dim(), most: MOST_COLUMNS });
        }
        let weights = class_weights.of(examples)?;
        let scaling = Scaling::centred(examples.features(), standardize);
        let basis = if helps { Some(Basis::of(examples, &scaling)?) } else { None };
        let nothing =
            Sums { dim: 0, counts: Vec::new(), of_class: Vec::new(), totals: Vec::new(), gram: Vec::new() };
        let problem =
            ClosedProblem { form, examples: *examples, weights, scaler, scaling, basis, all: nothing };
        let all = problem.sum(|_| true);
        Ok(ClosedProblem { all, ..problem })
    }

    /// Fits at each of `strengths`, the largest first, without the rows that are held out, and compares them on these.
    ///
    /// # Errors
    /// No strength, or one out of its range; held-out rows of another width or other classes; folds of another number
    /// of rows.
    pub fn sweep(&self, strengths: &[f64], held_out: HeldOut<'_>) -> Result<Sweep, HeadFitError> {
        strengths.iter().try_for_each(|&strength| self.form.check(strength))?;
        held_out.check(&self.examples)?;
        if strengths.is_empty() {
            return Err(HeadFitError::Setting { name: "strengths", expected: "of 1 or more", got: 0.0 });
        }
        let parts = held_out.parts();
        let together = if self.examples.dim() > SIDE_BY_SIDE { 1 } else { parts.len() };
        let mut models: Vec<Models> = Vec::new();
        for parts in parts.chunks(together) {
            let found: Result<Vec<_>, _> =
                parts.par_iter().map(|&part| self.models(strengths, self.sums(part, held_out))).collect();
            models.extend(found?);
        }
        let candidates: Vec<Candidate> =
            (0..strengths.len()).map(|at| self.candidate(strengths[at], at, &models, held_out)).collect();
        let merit = |at: usize| match self.examples.task() {
            Task::Class => candidates[at].held_out.accuracy,
            Task::Labels | Task::Numbers => -candidates[at].held_out.loss,
        };
        let best = (0..candidates.len()).rev().max_by(|&a, &b| merit(a).total_cmp(&merit(b))).unwrap_or(0);
        let members = models.into_iter().map(|mut models| models.swap_remove(best)).collect();
        Ok(Sweep { candidates, best, members })
    }

    /// Fits all rows at one strength.
    ///
    /// # Errors
    /// A strength out of its range.
    pub fn fit(&self, strength: f64) -> Result<Dense, HeadFitError> {
        self.form.check(strength)?;
        let models = self.models(&[strength], self.all.clone())?;
        let (weight, bias) = models[0].split_at(self.examples.outputs() * self.examples.dim());
        self.scaler.unscale(self.scaling.fold(weight, bias)?)
    }

    /// The temperature of least loss on the rows that `sweep` held out, for its best candidate; of classes or labels.
    pub fn temperature(&self, sweep: &Sweep, held_out: HeldOut<'_>) -> Temperature {
        self.pass(held_out.examples(&self.examples), held_out).temperature(&sweep.best_members(held_out))
    }

    /// What `of(row, scores)` makes of every held-out row, in order: with folds, of the scores of the model that was fitted
    /// without that row.
    pub fn held_out_scores<T: Send>(
        &self,
        sweep: &Sweep,
        held_out: HeldOut<'_>,
        of: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let pass = self.pass(held_out.examples(&self.examples), held_out);
        pass.held_out_scores(&sweep.best_members(held_out), of)
    }

    /// The sums of the rows without those of a part.
    fn sums(&self, part: Option<usize>, held_out: HeldOut<'_>) -> Sums {
        match (part, held_out.folds()) {
            (Some(part), Some(folds)) => self.all.without(&self.sum(|row| folds.of(row) == Some(part))),
            _ => self.all.clone(),
        }
    }

    /// The sums of the rows that `keep` picks, in the basis where there is one.
    fn sum(&self, keep: impl Fn(usize) -> bool + Sync) -> Sums {
        let coordinates =
            |x: &[f64]| self.basis.as_ref().map(|basis| basis.coordinates(x)).unwrap_or_default();
        let summed = Summed {
            examples: &self.examples,
            scaling: &self.scaling,
            weights: &self.weights,
            scaler: Some(&self.scaler),
            coordinates: self.basis.as_ref().map(|basis| Coordinates { dim: basis.rank(), of: &coordinates }),
            gram: self.form != ClosedForm::Prototype,
        };
        summed.of(keep)
    }

    fn models(&self, strengths: &[f64], sums: Sums) -> Result<Models, HeadFitError> {
        let mut models = match self.examples.task() {
            Task::Class => self.models_of_classes(strengths, sums)?,
            Task::Labels | Task::Numbers => ridge::models_of_values(strengths, sums)?,
        };
        if let Some(basis) = &self.basis {
            for model in &mut models {
                let (weight, biases) = model.split_at(self.examples.outputs() * basis.rank());
                *model = [&basis.widen(weight), biases].concat();
            }
        }
        Ok(models)
    }

    fn models_of_classes(&self, strengths: &[f64], sums: Sums) -> Result<Models, HeadFitError> {
        let classes = Classes::of(&sums, &self.weights);
        match self.form {
            ClosedForm::Ridge => ridge::models(strengths, sums, &classes),
            ClosedForm::Lda => lda::models(strengths, sums, &classes, self.examples.dim()),
            // Nothing of it depends on a strength.
            ClosedForm::Prototype => Ok(vec![prototype::model(&classes); strengths.len()]),
        }
    }

    fn candidate(&self, strength: f64, at: usize, models: &[Models], held_out: HeldOut<'_>) -> Candidate {
        let members: Vec<Member<'_>> = models
            .iter()
            .zip(held_out.parts())
            .map(|(models, held_out)| Member { parameters: &models[at], held_out })
            .collect();
        let (mut train, mut held) = (Tally::default(), Tally::default());
        for outcome in self.pass(self.examples, held_out).run(&members, false) {
            train.add(outcome.train);
            held.add(outcome.held_out);
        }
        if let Some(rows) = held_out.own() {
            self.pass(rows, held_out).run(&members, false).iter().for_each(|own| held.add(own.train));
        }
        let (train, held_out) = (train.quality(), held.quality());
        Candidate { strength, iterations: 0, converged: true, train, held_out }
    }

    fn pass<'b>(&'b self, examples: Examples<'b>, held_out: HeldOut<'b>) -> Pass<'b> {
        let loss = match examples.task() {
            Task::Class => Loss::Classes { labels: examples.labels(), weights: &self.weights },
            Task::Labels | Task::Numbers => Loss::Squares { values: examples.values(), scaler: &self.scaler },
        };
        let (features, outputs) = (examples.features(), examples.outputs());
        Pass { features, outputs, loss, scaling: &self.scaling, folds: held_out.folds() }
    }
}

impl ClosedForm {
    /// As `--head` names it.
    pub fn name(self) -> &'static str {
        match self {
            ClosedForm::Ridge => "ridge",
            ClosedForm::Lda => "lda",
            ClosedForm::Prototype => "prototype",
        }
    }

    fn check(self, strength: f64) -> Result<(), HeadFitError> {
        let (name, expected, fine) = match self {
            ClosedForm::Ridge => ("l2", "of 0 or more", strength >= 0.0 && strength.is_finite()),
            ClosedForm::Lda => ("shrinkage", "from 0 to 1", (0.0..=1.0).contains(&strength)),
            ClosedForm::Prototype => return Ok(()),
        };
        if fine { Ok(()) } else { Err(HeadFitError::Setting { name, expected, got: strength }) }
    }
}

/// Each strength's weights (C, d) by `restore`, and the biases that `bias(class, weight)` gives.
fn models_of(
    strengths: &[f64],
    dim: usize,
    restore: impl Fn(f64) -> Vec<f64> + Sync,
    bias: impl Fn(usize, &[f64]) -> f64 + Sync,
) -> Models {
    let model = |&strength: &f64| {
        let mut model = restore(strength);
        let biases: Vec<f64> =
            model.chunks_exact(dim).enumerate().map(|(class, weight)| bias(class, weight)).collect();
        model.extend(biases);
        model
    };
    strengths.par_iter().map(model).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
