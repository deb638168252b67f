//! `--head ridge`, `lda` and `prototype`: a closed form at every strength, the best on held-out rows kept, its temperature
//! folded in.

use artifact::HeadKind;
use head::{ClosedForm, ClosedProblem, ClosedSweep, Temperature, default_penalties};
use polars::prelude::{Column, DataFrame, NamedFrom, PolarsResult, Series};

use crate::held_out::Held;
use crate::job::Job;
use crate::report::{Report, round};
use crate::{Fitted, HeldOutQuality, reject};

/// Tenths, which many features of few rows want, and below them three a decade.
const SHRINKAGES: [f64; 16] =
    [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/// Fits at each of `strengths`, largest first, or at a path of our own; keeps the one of highest held-out accuracy, of
/// equals the largest.
pub(crate) fn fit(form: ClosedForm, strengths: &[f64], job: &Job<'_>) -> anyhow::Result<Fitted> {
    let train = job.rows.train.examples()?;
    let problem = ClosedProblem::new(&train, form, &job.class_weights, job.standardize)?;
    let (name, strength_name) = names(form);
    let mut report = job.report(name);
    let path = if strengths.is_empty() { path(form) } else { strengths.to_vec() };
    let (strength, chosen) = match path[..] {
        // Nothing to choose, nothing to calibrate: no other fit is needed.
        [strength] if !job.choice.calibrate && job.choice.reject_at.is_none() && !job.compare => {
            (strength, None)
        }
        _ => {
            let held = Held::of(job.choice, job.rows, job.features)?;
            let sweep = problem.sweep(&path, held.rows())?;
            let temperature = job.choice.calibrate.then(|| problem.temperature(&sweep, held.rows()));
            (sweep.candidates[sweep.best].strength, Some((sweep, temperature, held)))
        }
    };
    let mut layer = problem.fit(strength)?;
    let mut outcome = name.to_owned();
    if let Some(strength_name) = strength_name {
        report.set(strength_name, strength);
        outcome += &format!(", {strength_name} {}", round(strength));
    }
    if let Some((sweep, temperature, held)) = &chosen {
        outcome += &record(&mut report, sweep, *temperature, strength_name, &held.name());
        if let Some(precision) = job.choice.reject_at {
            let temperature = temperature.map_or(1.0, |temperature| temperature.value);
            let judge = |_, label, scores: &[f32]| reject::judge(scores, label, temperature);
            let judged = problem.held_out_scores(sweep, held.rows(), judge);
            outcome += &reject::record(judged, precision, &mut report);
        }
        layer.scale(1.0 / temperature.map_or(1.0, |temperature| temperature.value));
    }
    let held_out = chosen.as_ref().map(|(sweep, temperature, _)| HeldOutQuality {
        // Without a temperature their scores are no logits.
        loss: temperature.map(|temperature| temperature.after),
        accuracy: Some(sweep.candidates[sweep.best].held_out_accuracy),
    });
    let mut layers = vec![layer];
    job.finish(&mut layers, &train, &mut report);
    let table = table(chosen.as_ref().map(|(sweep, ..)| sweep), strength_name, strength)?;
    Ok(Fitted { kind: HeadKind::Linear, outcome, table, layers, memory: None, report, held_out })
}

/// The head's name, and its strength's.
fn names(form: ClosedForm) -> (&'static str, Option<&'static str>) {
    match form {
        ClosedForm::Ridge => ("ridge", Some("l2")),
        ClosedForm::Lda => ("lda", Some("shrinkage")),
        ClosedForm::Prototype => ("prototype", None),
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

/// Records what was chosen from, and says it for the last line.
fn record(
    report: &mut Report,
    sweep: &ClosedSweep,
    temperature: Option<Temperature>,
    strength_name: Option<&str>,
    held: &str,
) -> String {
    let best = sweep.candidates[sweep.best];
    if let Some(name) = strength_name {
        let strengths: Vec<f64> = sweep.candidates.iter().map(|candidate| candidate.strength).collect();
        report.set(&format!("{name}_candidates"), strengths);
    }
    report.set("held_out_accuracy", best.held_out_accuracy);
    report.set_temperature(temperature);
    report.set_choice(sweep.candidates.len(), held, best.held_out_accuracy)
}

/// One row a candidate; without a sweep, one for the fit.
fn table(sweep: Option<&ClosedSweep>, name: Option<&str>, strength: f64) -> PolarsResult<DataFrame> {
    let column = |name: &str, values: Vec<f64>| Column::from(Series::new(name.into(), values));
    let mut columns = Vec::new();
    let Some(ClosedSweep { candidates, best, .. }) = sweep else {
        columns.extend(name.map(|name| column(name, vec![strength])));
        columns.push(Series::new("chosen".into(), [true]).into());
        return DataFrame::new(1, columns);
    };
    columns.extend(name.map(|name| column(name, candidates.iter().map(|c| c.strength).collect())));
    columns.push(column("train_accuracy", candidates.iter().map(|c| c.train_accuracy).collect()));
    columns.push(column("held_out_accuracy", candidates.iter().map(|c| c.held_out_accuracy).collect()));
    let chosen: Vec<bool> = (0..candidates.len()).map(|at| at == *best).collect();
    columns.push(Series::new("chosen".into(), chosen).into());
    DataFrame::new(candidates.len(), columns)
}
