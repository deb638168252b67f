//! `--head linear` and `ridge`: one layer at every penalty, the best on held-out rows kept, its temperature folded in.

use artifact::{HeadKind, Task};
use head::{ClosedCandidate, ClosedProblem, ClosedSweep, LinearProblem, LinearSettings, default_penalties};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};
use serde_json::json;

use super::job::Job;
use crate::passes::Passes;
use crate::report::{Report, round};
use crate::{Fitted, HeldOutQuality, linear};

/// Logistic regressions of labels at each of `l2`, largest first, or at a path of our own; the penalty of least held-out
/// loss is kept for all labels.
pub(super) fn linear(l2: &[f64], settings: &LinearSettings, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let train = job.rows.train.targets()?;
    let passes = Passes::new(job.session, l2);
    let watch = |step| passes.tell(step);
    let problem = LinearProblem::of_labels(&train, settings)?.watched(&watch);
    let mut report = job.report("linear");
    report.set("tolerance", settings.tolerance);
    report.set("max_iterations", settings.max_iterations);
    let (mut fit, chosen) = match l2 {
        // Nothing to choose, nothing to calibrate: no other fit is needed.
        [l2] if !job.choice.calibrate && !job.compare => (problem.fit(*l2, None)?, None),
        _ => {
            let held = job.held_out()?;
            let sweep =
                linear::sweep(&problem, l2, held.rows(), &held.name(), job.interrupt, job.session, &passes)?;
            let temperature = job.choice.calibrate.then(|| problem.temperature(&sweep, held.rows()));
            (problem.finish(&sweep)?, Some((sweep, temperature, held.name())))
        }
    };
    let mut outcome = linear::record(&mut report, &fit, settings, job.session);
    if let Some((sweep, temperature, held)) = &chosen {
        outcome += &linear::record_choice(&mut report, sweep, *temperature, held);
        fit.layer.scale(1.0 / temperature.map_or(1.0, |temperature| temperature.value));
    }
    let held_out = chosen.as_ref().map(|(sweep, temperature, _)| {
        let found = sweep.candidates[sweep.best].held_out;
        let loss = temperature.map_or(found.loss, |temperature| temperature.after);
        HeldOutQuality { loss: Some(loss), accuracy: Some(found.accuracy) }
    });
    let table = linear::table(chosen.as_ref().map(|(sweep, ..)| sweep), &fit)?;
    let layers = vec![fit.layer];
    job.finish(&layers, &train, &mut report);
    Ok(Fitted { kind: HeadKind::Linear, outcome, table, layers, memory: None, report, held_out })
}

/// Least squares on numbers, or on 1 and −1 for labels, at each of `strengths`, largest first, or at a path of our own; the
/// penalty of least held-out loss is kept for all outputs.
pub(super) fn ridge(strengths: &[f64], job: &Job<'_>) -> anyhow::Result<Fitted> {
    let train = job.rows.train.targets()?;
    let problem = ClosedProblem::of_targets(&train, job.standardize)?;
    let mut report = job.report("ridge");
    let path = if strengths.is_empty() { default_penalties() } else { strengths.to_vec() };
    let (l2, chosen) = match path[..] {
        [l2] if !job.choice.calibrate && !job.compare => (l2, None),
        _ => {
            let held = job.held_out()?;
            let sweep = problem.sweep(&path, held.rows())?;
            let temperature = job.choice.calibrate.then(|| problem.temperature(&sweep, held.rows()));
            (sweep.candidates[sweep.best].strength, Some((sweep, temperature, held.name())))
        }
    };
    let mut layer = problem.fit(l2)?;
    report.set("l2", l2);
    let mut outcome = format!("ridge, l2 {}", round(l2));
    if let Some((sweep, temperature, held)) = &chosen {
        outcome += &record_choice(&mut report, sweep, held, job);
        if let Some(temperature) = temperature {
            layer.scale(1.0 / temperature.value);
            report.set("temperature", temperature.value);
            report.set("held_out_log_loss", temperature.after);
        }
    }
    let held_out = chosen.as_ref().map(|(sweep, temperature, _)| {
        let found = sweep.candidates[sweep.best];
        // Of labels the log loss, which other kinds of heads have too; of numbers the squared error is what all have.
        let loss = match job.task {
            Task::Labels => temperature.map(|temperature| temperature.after),
            Task::Class | Task::Numbers => Some(found.held_out_loss),
        };
        let accuracy = (job.task == Task::Labels).then_some(found.held_out_accuracy);
        HeldOutQuality { loss, accuracy }
    });
    let layers = vec![layer];
    job.finish(&layers, &train, &mut report);
    let table = table(chosen.as_ref().map(|(sweep, ..)| sweep), l2, job.task)?;
    Ok(Fitted { kind: HeadKind::Linear, outcome, table, layers, memory: None, report, held_out })
}

/// Records what was chosen from, and says it for the last line.
fn record_choice(report: &mut Report, sweep: &ClosedSweep, held: &str, job: &Job<'_>) -> String {
    let best = sweep.candidates[sweep.best];
    let each = |of: fn(&ClosedCandidate) -> f64| sweep.candidates.iter().map(of).collect::<Vec<f64>>();
    report.set(
        "sweep",
        json!({
            "l2": each(|candidate| candidate.strength),
            "train_loss": each(|candidate| candidate.train_loss),
            "held_out_loss": each(|candidate| candidate.held_out_loss),
            "chosen": sweep.best,
        }),
    );
    report.set("held_out_loss", best.held_out_loss);
    match job.task {
        Task::Labels => {
            report.set("held_out_accuracy", best.held_out_accuracy);
            report.set_choice(sweep.candidates.len(), held, best.held_out_accuracy)
        }
        Task::Class | Task::Numbers => {
            report.set("held_out", held);
            let tried = sweep.candidates.len();
            let of = if tried == 1 { String::new() } else { format!(", best of {tried}") };
            format!("{of} on {held} (loss {:.4})", best.held_out_loss)
        }
    }
}

/// One row a candidate; without a sweep, one for the fit.
fn table(sweep: Option<&ClosedSweep>, l2: f64, task: Task) -> PolarsResult<DataFrame> {
    let Some(ClosedSweep { candidates, best, .. }) = sweep else {
        return df!("l2" => [l2], "chosen" => [true]);
    };
    let column = |of: fn(&ClosedCandidate) -> f64| candidates.iter().map(of).collect::<Vec<f64>>();
    let chosen: Vec<bool> = (0..candidates.len()).map(|at| at == *best).collect();
    let table = df!(
        "l2" => column(|c| c.strength),
        "train_loss" => column(|c| c.train_loss),
        "train_accuracy" => column(|c| c.train_accuracy),
        "held_out_loss" => column(|c| c.held_out_loss),
        "held_out_accuracy" => column(|c| c.held_out_accuracy),
        "chosen" => chosen,
    )?;
    Ok(match task {
        Task::Labels => table,
        Task::Class | Task::Numbers => table.drop_many(["train_accuracy", "held_out_accuracy"]),
    })
}
