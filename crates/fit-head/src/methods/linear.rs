//! `--head linear`: a fit at every penalty, the best on held-out rows kept, its temperature folded in.

use std::ops::ControlFlow;

use cli::{Session, UsageError};
use head::{
    Candidate, HeldOut, LinearFit, LinearProblem, LinearSettings, Sweep, Temperature, default_penalties,
};
use sample::targets::Task;

use super::{ComparedOn, Kind, Method, Problem, SweepOutcome, penalties, require};
use crate::{
    args::{Args, LinearArgs},
    fit::{Fit, LossKind, Model, Told, column, round},
    job::Job,
    passes::Passes,
};

pub(super) static LINEAR: Kind = Kind {
    name: "linear",
    number: None,
    tasks: &[Task::Class, Task::Labels],
    why_not: "logistic regression tells what is so from what is not",
    flags: &[
        "--class-weight",
        "--logit-adjustment",
        "--no-standardize",
        "--folds",
        "--group-column",
        "--no-calibrate",
        "--l2",
        "--curve",
        "--reject-at",
        "--max-iterations",
        "--tolerance",
    ],
    compared_on: ComparedOn::Folds,
    auto: &[Task::Class, Task::Labels],
    method: |args, _| Ok(Box::new(Linear { l2: penalties(args)?, settings: settings(args)? })),
};

/// Logistic regression at each of some penalties.
#[derive(Debug)]
struct Linear {
    /// The penalties, each once, the largest first; none for a path of our own.
    l2: Vec<f64>,
    /// Everything but the penalty.
    settings: LinearSettings,
}

/// How a linear head is fitted, but for its penalty. Weights of classes are known once these are; until then, every row
/// counts 1.
pub(crate) fn settings(args: &Args) -> Result<LinearSettings, UsageError> {
    let default = LinearSettings::default();
    let LinearArgs { max_iterations, tolerance, .. } = &args.linear;
    let settings = LinearSettings {
        standardize: !args.no_standardize,
        tolerance: tolerance.unwrap_or(default.tolerance),
        max_iterations: max_iterations.unwrap_or(default.max_iterations),
        ..default
    };
    require("--tolerance", settings.tolerance, settings.tolerance >= 0.0, "of 0 or more")?;
    Ok(settings)
}

/// A problem, and whom to tell of it.
struct Watched<'a> {
    problem: LinearProblem<'a>,
    l2: &'a [f64],
    passes: &'a Passes,
    job: &'a Job<'a>,
}

impl Method for Linear {
    fn fit(&self, job: &Job<'_>) -> anyhow::Result<Fit> {
        let train = job.rows.train.examples()?;
        let settings = LinearSettings { class_weights: job.class_weights.clone(), ..self.settings.clone() };
        let passes = Passes::new(job.session, &self.l2);
        let watch = |step| passes.tell(step);
        let problem = LinearProblem::new(&train, &settings)?.watched(&watch);
        let watched = Watched { problem, l2: &self.l2, passes: &passes, job };
        let choice = SweepOutcome::of(&watched, self.l2.len(), job)?;
        let fit = match &choice {
            Some(choice) => watched.problem.finish(&choice.sweep)?,
            None => watched.problem.fit(self.l2[0], None)?,
        };
        tell(&fit, &settings, job.session);
        let LinearFit { layer, l2, objective, gradient, iterations, converged, .. } = fit;
        let mut all = vec![(l2, iterations as u64, converged)];
        if let Some(choice) = &choice {
            let each = choice.sweep.candidates.iter();
            all = each.map(|c| (c.strength, c.iterations as u64, c.converged)).collect();
        }
        let convergence = if converged { "converged" } else { "not converged" };
        let fit = Fit {
            settings: vec![
                ("tolerance", settings.tolerance.into()),
                ("max_iterations", settings.max_iterations.into()),
                ("l2", l2.into()),
                ("iterations", iterations.into()),
                ("converged", converged.into()),
                ("gradient", gradient.into()),
                ("objective", objective.into()),
            ],
            columns: vec![
                column("l2", all.iter().map(|one| one.0).collect::<Vec<f64>>()),
                column("iterations", all.iter().map(|one| one.1).collect::<Vec<u64>>()),
                column("converged", all.iter().map(|one| one.2).collect::<Vec<bool>>()),
            ],
            words: format!("l2 {}, {iterations} iterations, {convergence}", round(l2)),
            ..Fit::new(
                "linear",
                Model::Layers(None, vec![layer]),
                LossKind::Likelihood,
                Told::Choice(Some("l2")),
            )
        };
        fit.chosen_by(choice).finish(&train, job)
    }
}

impl Problem for Watched<'_> {
    /// Every candidate, told as it comes. With --keep-best a signal ends the path: the best so far is kept.
    fn sweep(&self, held_out: HeldOut<'_>, name: &str) -> anyhow::Result<Sweep> {
        let Watched { problem, l2, passes, job } = self;
        let path = if l2.is_empty() { default_penalties() } else { l2.to_vec() };
        let sweep = problem.sweep(&path, held_out, l2.is_empty(), |candidate| {
            passes.advance();
            job.session.detail(line(candidate, name, job));
            if !job.interrupt.asked() {
                return ControlFlow::Continue(());
            }
            job.session.note("fit-head: asked to stop: the best penalty so far is taken");
            ControlFlow::Break(())
        })?;
        Ok(sweep)
    }

    fn temperature(&self, sweep: &Sweep, held_out: HeldOut<'_>) -> Temperature {
        self.problem.temperature(sweep, held_out)
    }

    fn held_out_scores<T: Send>(
        &self,
        sweep: &Sweep,
        held_out: HeldOut<'_>,
        of: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        self.problem.held_out_scores(sweep, held_out, of)
    }
}

fn line(candidate: &Candidate, held: &str, job: &Job<'_>) -> String {
    let &Candidate { strength, iterations, converged, train, held_out } = candidate;
    let (train, held_out) = (job.describe("train", train), job.describe(held, held_out));
    let end = if converged { "" } else { "; not converged" };
    format!("l2 {}: {iterations} iterations, {train}; {held_out}{end}", round(strength))
}

/// Tells where a fit has not converged.
fn tell(fit: &LinearFit, settings: &LinearSettings, session: &Session) {
    if !fit.converged {
        session.note(format!(
            "fit-head: l2 {}: not converged after {} iterations (gradient {:.1e}, tolerance {:.0e}): raise --max-iterations, --tolerance or --l2",
            fit.l2, fit.iterations, fit.gradient, settings.tolerance
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn penalties_are_sorted_and_defaults_are_those_the_help_states() {
        let args = |flags: &[&str]| {
            Args::try_parse_from([&["fit-head", "x.features", "-o", "x.head"], flags].concat()).unwrap()
        };
        assert_eq!(penalties(&args(&["--l2", "1,100,0.1,1"])).unwrap(), [100.0, 1.0, 0.1]);
        assert!(penalties(&args(&[])).unwrap().is_empty());
        let settings = settings(&args(&[])).unwrap();
        assert_eq!((settings.tolerance, settings.max_iterations), (1e-5, 1000));
        assert!(settings.standardize);
    }
}
