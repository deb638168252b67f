//! `--head linear`: a fit at every penalty, the best on held-out rows kept, its temperature folded in.

use std::ops::ControlFlow;

use artifact::HeadKind;
use cli::{Interrupt, Session};
use head::{
    Candidate, HeldOut, LinearFit, LinearProblem, LinearSettings, Sweep, Temperature, default_penalties,
};
use polars::df;
use polars::prelude::{DataFrame, PolarsResult};
use serde_json::json;

use crate::held_out::Held;
use crate::job::Job;
use crate::passes::Passes;
use crate::report::{Report, describe, round};
use crate::{Fitted, HeldOutQuality, reject};

/// Fits at each of `l2`, largest first, or at a path of our own; keeps the one of least held-out loss.
pub(crate) fn fit(l2: &[f64], settings: &LinearSettings, job: &Job<'_>) -> anyhow::Result<Fitted> {
    let (choice, session) = (job.choice, job.session);
    let train = job.rows.train.examples()?;
    let settings = LinearSettings { class_weights: job.class_weights.clone(), ..settings.clone() };
    let passes = Passes::new(session, l2);
    let watch = |step| passes.tell(step);
    let problem = LinearProblem::new(&train, &settings)?.watched(&watch);
    let mut report = job.report("linear");
    report.set("tolerance", settings.tolerance);
    report.set("max_iterations", settings.max_iterations);
    let (mut fit, chosen) = match l2 {
        // Nothing to choose, nothing to calibrate: no other fit is needed.
        [l2] if !choice.calibrate && choice.reject_at.is_none() && !job.compare => {
            (problem.fit(*l2, None)?, None)
        }
        _ => {
            let held = Held::of(choice, job.rows, job.features)?;
            let sweep = sweep(&problem, l2, held.rows(), &held.name(), job.interrupt, session, &passes)?;
            let temperature = choice.calibrate.then(|| problem.temperature(&sweep, held.rows()));
            (problem.finish(&sweep)?, Some((sweep, temperature, held)))
        }
    };
    let mut outcome = record(&mut report, &fit, &settings, session);
    if let Some((sweep, temperature, held)) = &chosen {
        outcome += &record_choice(&mut report, sweep, *temperature, &held.name());
        if let Some(precision) = choice.reject_at {
            let temperature = temperature.map_or(1.0, |temperature| temperature.value);
            let judge = |_, label, scores: &[f32]| reject::judge(scores, label, temperature);
            let judged = problem.held_out_scores(sweep, held.rows(), judge);
            outcome += &reject::record(judged, precision, &mut report);
        }
    }
    let held_out = chosen.as_ref().map(|(sweep, temperature, _)| {
        let found = HeldOutQuality::from(sweep.candidates[sweep.best].held_out);
        HeldOutQuality {
            loss: temperature.map_or(found.loss, |temperature| Some(temperature.after)),
            ..found
        }
    });
    if let Some((_, Some(temperature), _)) = &chosen {
        fit.layer.scale(1.0 / temperature.value);
    }
    let table = table(chosen.as_ref().map(|(sweep, ..)| sweep), &fit)?;
    let mut layers = vec![fit.layer];
    job.finish(&mut layers, &train, &mut report);
    Ok(Fitted { kind: HeadKind::Linear, outcome, table, layers, memory: None, report, held_out })
}

/// Every candidate, told as it comes. With --keep-best a signal ends the path: the best so far is kept. `name` is that of the rows held out.
pub(crate) fn sweep(
    problem: &LinearProblem<'_>,
    l2: &[f64],
    held_out: HeldOut<'_>,
    name: &str,
    interrupt: &Interrupt,
    session: &Session,
    passes: &Passes,
) -> anyhow::Result<Sweep> {
    let path = if l2.is_empty() { default_penalties() } else { l2.to_vec() };
    let sweep = problem.sweep(&path, held_out, l2.is_empty(), |candidate| {
        passes.advance();
        session.detail(line(candidate, name));
        if !interrupt.asked() {
            return ControlFlow::Continue(());
        }
        session.note("fit-head: asked to stop: the best penalty so far is taken");
        ControlFlow::Break(())
    })?;
    Ok(sweep)
}

fn line(candidate: &Candidate, held: &str) -> String {
    let &Candidate { l2, iterations, converged, train, held_out } = candidate;
    let (train, held_out) = (describe("train", train), describe(held, held_out));
    let end = if converged { "" } else { "; not converged" };
    format!("l2 {}: {iterations} iterations, {train}; {held_out}{end}", round(l2))
}

/// Records a fit, tells where it has not converged, and says it for the last line.
pub(crate) fn record(
    report: &mut Report,
    fit: &LinearFit,
    settings: &LinearSettings,
    session: &Session,
) -> String {
    if !fit.converged {
        session.note(format!(
            "fit-head: l2 {}: not converged after {} iterations (gradient {:.1e}, tolerance {:.0e}): raise --max-iterations, --tolerance or --l2",
            fit.l2, fit.iterations, fit.gradient, settings.tolerance
        ));
    }
    report.set("l2", fit.l2);
    report.set("iterations", fit.iterations);
    report.set("converged", fit.converged);
    report.set("gradient", fit.gradient);
    report.set("objective", fit.objective);
    let convergence = if fit.converged { "converged" } else { "not converged" };
    format!("l2 {}, {} iterations, {convergence}", round(fit.l2), fit.iterations)
}

/// Records what was chosen from, and says it for the last line.
pub(crate) fn record_choice(
    report: &mut Report,
    sweep: &Sweep,
    temperature: Option<Temperature>,
    held: &str,
) -> String {
    let best = &sweep.candidates[sweep.best];
    let each = |of: fn(&Candidate) -> f64| sweep.candidates.iter().map(of).collect::<Vec<f64>>();
    report.set(
        "sweep",
        json!({
            "l2": each(|candidate| candidate.l2),
            "train_loss": each(|candidate| candidate.train.loss),
            "held_out_loss": each(|candidate| candidate.held_out.loss),
            "chosen": sweep.best,
        }),
    );
    report.set_quality("held_out", best.held_out);
    report.set_temperature(temperature);
    report.set_choice(sweep.candidates.len(), held, best.held_out.accuracy)
}

/// One row a candidate; without a sweep, one for the fit.
pub(crate) fn table(sweep: Option<&Sweep>, fit: &LinearFit) -> PolarsResult<DataFrame> {
    let Some(sweep) = sweep else {
        return df!(
            "l2" => [fit.l2], "iterations" => [fit.iterations as u64], "converged" => [fit.converged],
            "chosen" => [true],
        );
    };
    fn column<T>(sweep: &Sweep, of: impl Fn(&Candidate) -> T) -> Vec<T> {
        sweep.candidates.iter().map(of).collect()
    }
    df!(
        "l2" => column(sweep, |c| c.l2),
        "iterations" => column(sweep, |c| c.iterations as u64),
        "converged" => column(sweep, |c| c.converged),
        "train_loss" => column(sweep, |c| c.train.loss),
        "train_accuracy" => column(sweep, |c| c.train.accuracy),
        "held_out_loss" => column(sweep, |c| c.held_out.loss),
        "held_out_accuracy" => column(sweep, |c| c.held_out.accuracy),
        "chosen" => (0..sweep.candidates.len()).map(|at| at == sweep.best).collect::<Vec<_>>(),
    )
}
