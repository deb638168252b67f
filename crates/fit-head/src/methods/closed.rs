//! `--head ridge`, `lda` and `prototype`: a closed form at every strength, the best on held-out rows kept, its temperature
//! folded in.

use head::{ClosedForm, ClosedProblem, HeldOut, Sweep, Temperature, default_penalties};
use sample::targets::Task;

use super::{ComparedOn, Kind, Method, Problem, SweepOutcome, penalties, sorted};
use crate::{
    fit::{Fit, LossKind, Model, Told, column, round},
    job::Job,
};

const ONE_CLASS: &str = "it takes each row to be of one class";

pub(super) static RIDGE: Kind = CLOSED;

const CLOSED: Kind = Kind {
    name: "ridge",
    number: None,
    tasks: &[Task::Class, Task::Labels, Task::Numbers],
    why_not: "",
    flags: &[
        "--class-weight",
        "--logit-adjustment",
        "--no-standardize",
        "--folds",
        "--group-column",
        "--no-calibrate",
        "--l2",
        "--reject-at",
    ],
    compared_on: ComparedOn::Folds,
    auto: &[Task::Numbers],
    method: |args, _| Ok(Box::new(Closed { form: ClosedForm::Ridge, strengths: penalties(args)? })),
};

pub(super) static LDA: Kind = Kind {
    name: "lda",
    tasks: &[Task::Class],
    why_not: ONE_CLASS,
    flags: &[
        "--class-weight",
        "--logit-adjustment",
        "--no-standardize",
        "--folds",
        "--group-column",
        "--no-calibrate",
        "--shrinkage",
        "--reject-at",
    ],
    auto: &[Task::Class],
    method: |args, _| {
        let given = args.linear.shrinkage.as_deref();
        let strengths = sorted("--shrinkage", given, |a| (0.0..=1.0).contains(&a), "from 0 to 1")?;
        Ok(Box::new(Closed { form: ClosedForm::Lda, strengths }))
    },
    ..CLOSED
};

pub(super) static PROTOTYPE: Kind = Kind {
    name: "prototype",
    tasks: &[Task::Class],
    why_not: ONE_CLASS,
    flags: &["--no-standardize", "--folds", "--group-column", "--no-calibrate", "--reject-at"],
    auto: &[],
    method: |_, _| Ok(Box::new(Closed { form: ClosedForm::Prototype, strengths: Vec::new() })),
    ..CLOSED
};

/// Tenths, which many features of few rows want, and below them three a decade.
const SHRINKAGES: [f64; 16] =
    [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/// A closed form at each of some strengths.
#[derive(Debug)]
struct Closed {
    form: ClosedForm,
    /// The strengths, each once, the largest first; none for a path of our own.
    strengths: Vec<f64>,
}

/// A problem, and where to fit it.
struct Along<'a> {
    problem: ClosedProblem<'a>,
    path: &'a [f64],
}

impl Method for Closed {
    fn fit(&self, job: &Job<'_>) -> anyhow::Result<Fit> {
        let train = job.rows.train.examples()?;
        let name = self.form.name();
        let path = if self.strengths.is_empty() { path(self.form) } else { self.strengths.clone() };
        let problem = ClosedProblem::new(&train, self.form, &job.class_weights, job.standardize)?;
        let along = Along { problem, path: &path };
        let choice = SweepOutcome::of(&along, path.len(), job)?;
        let strength = choice.as_ref().map_or(path[0], |choice| choice.sweep.chosen().strength);
        let layer = along.problem.fit(strength)?;
        let (strength_name, loss) = (strength_name(self.form), loss(job.task()));
        let mut fit = Fit::new(name, Model::Layers(None, vec![layer]), loss, Told::Choice(strength_name));
        fit.words = name.to_owned();
        if let Some(strength_name) = strength_name {
            fit.settings.push((strength_name, strength.into()));
            fit.words += &format!(", {strength_name} {}", round(strength));
            let all: Vec<f64> = match &choice {
                Some(choice) => choice.sweep.candidates.iter().map(|candidate| candidate.strength).collect(),
                None => vec![strength],
            };
            fit.columns.push(column(strength_name, all));
        }
        fit.chosen_by(choice).finish(&train, job)
    }
}

impl Problem for Along<'_> {
    fn sweep(&self, held_out: HeldOut<'_>, _: &str) -> anyhow::Result<Sweep> {
        Ok(self.problem.sweep(self.path, held_out)?)
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

/// Scores of classes are no logits before they are calibrated, and their loss says nothing.
fn loss(task: Task) -> LossKind {
    match task {
        Task::Class => LossKind::None,
        Task::Labels | Task::Numbers => LossKind::Squares,
    }
}

fn strength_name(form: ClosedForm) -> Option<&'static str> {
    match form {
        ClosedForm::Ridge => Some("l2"),
        ClosedForm::Lda => Some("shrinkage"),
        ClosedForm::Prototype => None,
    }
}

/// Strengths to try where nothing else is known, the largest first.
fn path(form: ClosedForm) -> Vec<f64> {
    match form {
        ClosedForm::Ridge => default_penalties(),
        ClosedForm::Lda => SHRINKAGES.to_vec(),
        ClosedForm::Prototype => vec![0.0],
    }
}
