//! Which penalty: every one of a path is fitted, and the best on rows that were held out is kept.

use std::{ops::ControlFlow, sync::OnceLock};

use super::{LinearFit, LinearProblem, Solvers, check_penalty};
use crate::{
    Candidate, HeadFitError, HeldOut, Quality, Sweep, Temperature,
    lbfgs::{Lbfgs, Stop},
    pass::{Member, Pass, Tally},
};

/// Candidates need not be fitted as tightly as the head: their order is clear long before.
const TOLERANCE: f64 = 1e-4;
/// A path may end once so many candidates have been no better than the best,
const PATIENCE: usize = 4;
/// and the last of them is worse by this part of the best loss.
const WORSE: f64 = 0.05;

/// Penalties to try where nothing else is known: three a decade from 10⁵ down to 10⁻³, the largest first.
///
/// On standardised features the best penalty of a data set lies within, from a few rows of clear classes to many of
/// overlapping ones.
pub fn default_penalties() -> Vec<f64> {
    (0..=24).map(|step| 10f64.powf(5.0 - f64::from(step) / 3.0)).collect()
}

impl LinearProblem<'_> {
    /// Fits at each of `penalties` in turn, each from the one before; with folds, all folds together.
    ///
    /// With `early`, ends where held-out loss has long been rising: when four candidates in a row were no better than the
    /// best, and the last is worse by 5 %. Calls `on_candidate` after each; where it says so, that one is the last. The best is
    /// fitted to the settings' tolerance in the end.
    ///
    /// # Errors
    /// No penalty, or one that is negative or not finite; held-out rows of another width or other classes; folds of
    /// another number of rows.
    pub fn sweep(
        &self,
        penalties: &[f64],
        held_out: HeldOut<'_>,
        early: bool,
        mut on_candidate: impl FnMut(&Candidate) -> ControlFlow<()>,
    ) -> Result<Sweep, HeadFitError> {
        penalties.iter().try_for_each(|&l2| check_penalty(l2))?;
        held_out.check(&self.examples)?;
        let (parts, folds) = (held_out.parts(), held_out.folds());
        let stop = Stop { tolerance: self.stop.tolerance.max(TOLERANCE), ..self.stop };
        let mut solvers = self.solvers(vec![self.zero(); parts.len()], stop, penalties.len());
        let mut sweep = Sweep { candidates: Vec::new(), best: 0, members: Vec::new() };
        let mut before = None;
        for &l2 in penalties {
            if let Some(before) = before {
                self.move_on(&mut solvers, stop, l2 - before);
            }
            before = Some(l2);
            self.solve(&mut solvers, &parts, folds, l2);
            let candidate = self.candidate(&solvers, held_out, l2);
            let asked = on_candidate(&candidate).is_break();
            sweep.candidates.push(candidate);
            let last = sweep.candidates.len() - 1;
            if last == 0 || loss(&sweep, last) < loss(&sweep, sweep.best) {
                sweep.best = last;
                sweep.members = solvers.solvers.iter().map(|solver| solver.best().to_vec()).collect();
            }
            let worse = loss(&sweep, last) > (1.0 + WORSE) * loss(&sweep, sweep.best);
            if asked || (early && worse && last - sweep.best >= PATIENCE) {
                break;
            }
        }
        if sweep.candidates.is_empty() {
            return Err(HeadFitError::Setting { name: "penalties", expected: "of 1 or more", got: 0.0 });
        }
        self.tighten(&mut sweep, held_out);
        Ok(sweep)
    }

    /// Fits the best candidate as tightly as the head will be: what is measured of it, and the temperature, are the head's.
    fn tighten(&self, sweep: &mut Sweep, held_out: HeldOut<'_>) {
        let l2 = sweep.candidates[sweep.best].strength;
        let mut solvers = self.solvers(std::mem::take(&mut sweep.members), self.stop, 1);
        self.solve(&mut solvers, &held_out.parts(), held_out.folds(), l2);
        let rough = sweep.candidates[sweep.best].iterations;
        let mut tight = self.candidate(&solvers, held_out, l2);
        tight.iterations += rough;
        sweep.candidates[sweep.best] = tight;
        sweep.members = solvers.solvers.iter().map(|solver| solver.best().to_vec()).collect();
    }

    /// Fits the best candidate of `sweep` on all training rows, from where the sweep left it.
    ///
    /// # Errors
    /// [`HeadFitError::OutOfRange`].
    pub fn finish(&self, sweep: &Sweep) -> Result<LinearFit, HeadFitError> {
        let mut start = self.zero();
        for member in &sweep.members {
            start.iter_mut().zip(member).for_each(|(sum, value)| *sum += value / sweep.members.len() as f64);
        }
        let best = &sweep.candidates[sweep.best];
        let mut fit = self.fit_from(start, OnceLock::new(), best.strength)?;
        // With rows of their own held out the sweep's model is of all training rows, and this is where it ends.
        if let [_] = sweep.members[..] {
            fit.iterations += best.iterations;
        }
        Ok(fit)
    }

    /// The temperature of least loss on the rows that `sweep` held out, for its best candidate.
    pub fn temperature(&self, sweep: &Sweep, held_out: HeldOut<'_>) -> Temperature {
        self.pass_over(held_out).temperature(&sweep.best_members(held_out))
    }

    /// What `of(row, logits)` makes of every held-out row, in order: with folds, of the logits of the model that was fitted
    /// without that row.
    pub fn held_out_scores<T: Send>(
        &self,
        sweep: &Sweep,
        held_out: HeldOut<'_>,
        of: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        self.pass_over(held_out).held_out_scores(&sweep.best_members(held_out), of)
    }

    fn pass_over<'b>(&'b self, held_out: HeldOut<'b>) -> Pass<'b> {
        self.pass(held_out.examples(&self.examples), held_out.folds())
    }

    /// Readies the solvers for a penalty that is larger by `more`.
    fn move_on(&self, solvers: &mut Solvers, stop: Stop, more: f64) {
        let penalised = self.examples.outputs() * self.examples.dim();
        for (solver, outcome) in solvers.solvers.iter_mut().zip(&solvers.outcomes) {
            let rows = outcome.as_ref().map_or(1, |outcome| outcome.train.rows);
            let more = self.penalty(more) / rows as f64;
            solver.go_on(stop, |at| if at < penalised { more } else { 0.0 });
        }
    }

    fn candidate(&self, solvers: &Solvers, held_out: HeldOut<'_>, l2: f64) -> Candidate {
        let outcomes = || solvers.outcomes.iter().flatten();
        let mut held = Tally::default();
        match held_out.own() {
            Some(rows) => {
                let member = Member { parameters: solvers.solvers[0].best(), held_out: None };
                for outcome in self.pass(rows, None).run(&[member], false) {
                    held.add(outcome.train);
                }
            }
            None => outcomes().for_each(|outcome| held.add(outcome.held_out)),
        }
        let mean = |of: fn(&Quality) -> f64| {
            outcomes().map(|outcome| of(&outcome.train.quality())).sum::<f64>() / solvers.solvers.len() as f64
        };
        Candidate {
            strength: l2,
            iterations: solvers.solvers.iter().map(Lbfgs::iterations).max().unwrap_or(0),
            converged: solvers.solvers.iter().all(Lbfgs::converged),
            train: Quality { loss: mean(|quality| quality.loss), accuracy: mean(|quality| quality.accuracy) },
            held_out: held.quality(),
        }
    }
}

/// Held-out loss of candidate `at`; of one that diverged, more than any.
fn loss(sweep: &Sweep, at: usize) -> f64 {
    let loss = sweep.candidates[at].held_out.loss;
    if loss.is_finite() { loss } else { f64::INFINITY }
}
