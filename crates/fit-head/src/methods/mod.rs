//! The kinds of heads, a file each. A new kind is a file here, and a line in [`KINDS`].

mod closed;
mod knn;
pub(crate) mod linear;
mod mlp;

use cli::UsageError;
use head::{HeldOut, Sweep, Temperature, softmax};
use sample::targets::{Task, Truth};

use crate::{
    args::Args,
    fit::{Fit, HeldOutQuality},
    job::Job,
    reject::Reject,
};

/// All kinds, in the order that the help names them in.
pub(crate) static KINDS: [&Kind; 7] = [
    &linear::LINEAR,
    &closed::RIDGE,
    &closed::LDA,
    &closed::PROTOTYPE,
    &mlp::MLP,
    &mlp::ATTENTION,
    &knn::KNN,
];

/// A kind of head: all that `--head` and other flags need to know of it.
#[derive(Debug)]
pub(crate) struct Kind {
    /// As `--head` names it.
    pub(crate) name: &'static str,
    /// What the number after its name is, such as `UNITS`; nothing where there is none.
    pub(crate) number: Option<&'static str>,
    /// What it can say.
    pub(crate) tasks: &'static [Task],
    /// Why it cannot say the rest.
    pub(crate) why_not: &'static str,
    /// The flags that it takes, of those that not all kinds take.
    pub(crate) flags: &'static [&'static str],
    /// Which rows it can be compared with others on.
    pub(crate) compared_on: ComparedOn,
    /// What `auto` stands for it in.
    pub(crate) auto: &'static [Task],
    /// Reads its settings, and the number after its name.
    pub(crate) method: fn(&Args, usize) -> MethodResult,
}

/// A method with its settings, or what is wrong with these.
type MethodResult = Result<Box<dyn Method>, UsageError>;

/// Which rows heads of a kind can be compared with others on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComparedOn {
    /// Val rows, or folds of the train rows.
    Folds,
    /// Val rows, or some train rows that are set aside, which heads of other kinds do not do.
    RowsSetAside,
    /// Val rows only.
    Val,
}

/// A way to fit, with its settings.
pub(crate) trait Method: std::fmt::Debug {
    /// Fits and chooses.
    fn fit(&self, job: &Job<'_>) -> anyhow::Result<Fit>;
}

impl Kind {
    /// As the help writes it: `mlp:UNITS`.
    pub(crate) fn pattern(&self) -> String {
        self.number.map_or(self.name.to_owned(), |number| format!("{}:{number}", self.name))
    }
}

/// What one of several strengths was chosen by.
pub(crate) struct SweepOutcome {
    pub(crate) sweep: Sweep,
    pub(crate) judged: HeldOutQuality,
    pub(crate) reject: Option<Reject>,
}

/// A problem that can be fitted at several strengths.
trait Problem {
    /// Fits at all of them, of which `name` names the rows that judge.
    fn sweep(&self, held_out: HeldOut<'_>, name: &str) -> anyhow::Result<Sweep>;
    fn temperature(&self, sweep: &Sweep, held_out: HeldOut<'_>) -> Temperature;
    /// What `of` makes of every held-out row and its scores.
    fn held_out_scores<T: Send>(
        &self,
        sweep: &Sweep,
        held_out: HeldOut<'_>,
        of: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T>;
}

impl SweepOutcome {
    /// Compares, calibrates and finds what to reject, where any of that is wanted; nothing where there is one of `strengths`
    /// and no other fit is needed.
    fn of(problem: &impl Problem, strengths: usize, job: &Job<'_>) -> anyhow::Result<Option<SweepOutcome>> {
        if strengths == 1 && !job.choice.calibrate && job.choice.reject_at.is_none() && !job.compare {
            return Ok(None);
        }
        let held = job.held_out()?;
        let sweep = problem.sweep(held.rows(), &held.name())?;
        let temperature = job.choice.calibrate.then(|| problem.temperature(&sweep, held.rows()));
        let factor = temperature.map_or(1.0, |temperature| temperature.value);
        let train = job.rows.train.examples()?;
        let truth = held.rows().examples(&train).truth();
        let reject = job.choice.reject_at.map(|precision| {
            let judge = |row: usize, scores: &[f32]| Reject::judge(truth, row, scores, factor);
            let judged = problem.held_out_scores(&sweep, held.rows(), judge);
            Reject::of(&judged, precision, job.task())
        });
        let losses = match (truth, temperature) {
            (Truth::Class(labels), Some(_)) if job.compare => {
                let loss = |row: usize, scores: &[f32]| log_loss(scores, labels[row] as usize, factor);
                problem.held_out_scores(&sweep, held.rows(), loss)
            }
            _ => Vec::new(),
        };
        let quality = sweep.chosen().held_out;
        let judged = HeldOutQuality { name: held.name(), quality, temperature, losses };
        Ok(Some(SweepOutcome { sweep, judged, reject }))
    }
}

/// A row's scores, divided by `temperature`.
pub(crate) fn calibrated(scores: &[f32], temperature: f64) -> Vec<f32> {
    scores.iter().map(|&score| (f64::from(score) / temperature) as f32).collect()
}

/// That of a row of class `label`, in nats, once its scores are divided by `temperature`.
fn log_loss(scores: &[f32], label: usize, temperature: f64) -> f64 {
    let scaled = calibrated(scores, temperature);
    -softmax(&scaled, scaled.len())[label].max(f64::MIN_POSITIVE).ln()
}

/// Each value once, the largest first.
fn sorted(
    flag: &str,
    given: Option<&[f64]>,
    fine: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<Vec<f64>, UsageError> {
    let mut sorted = given.unwrap_or_default().to_vec();
    sorted.iter().try_for_each(|&value| require(flag, value, fine(value), expected))?;
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.dedup();
    Ok(sorted)
}

fn penalties(args: &Args) -> Result<Vec<f64>, UsageError> {
    sorted("--l2", args.linear.l2.as_deref(), |l2| l2 >= 0.0, "of 0 or more")
}

/// Refuses a number out of its range.
pub(crate) fn require(flag: &str, got: f64, fine: bool, expected: &str) -> Result<(), UsageError> {
    if fine && got.is_finite() {
        Ok(())
    } else {
        Err(UsageError(format!("{flag}: expected a number {expected}, got {got}")))
    }
}
