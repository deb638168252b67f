//! `--head linear`: a fit at every penalty, the best on the val rows kept.

use anyhow::{Context, bail};
use artifact::HeadKind;
use cli::Session;
use head::{LinearFit, LinearProblem, LinearSettings, Quality, quality};
use polars::df;

use crate::Fitted;
use crate::report::{Report, describe};
use crate::rows::Rows;

/// A fit and how it does.
struct Candidate {
    fit: LinearFit,
    train: Quality,
    val: Option<Quality>,
}

/// Fits at each of `l2`, largest first, each from the one before; keeps the one of least val loss.
pub(crate) fn fit(
    l2: &[f64],
    settings: &LinearSettings,
    rows: &Rows,
    session: &Session,
) -> anyhow::Result<Fitted> {
    if l2.len() > 1 && rows.val.is_none() {
        bail!(
            "{} values of --l2 are chosen from on val rows, but there are none; give one value, or extract again with a val split (a val folder, or --split 80/10/10)",
            l2.len()
        );
    }
    let problem = LinearProblem::new(&rows.train.examples()?, settings)?;
    let mut candidates: Vec<Candidate> = Vec::with_capacity(l2.len());
    for &l2 in l2 {
        let start = candidates.last().map(|candidate| &candidate.fit);
        let candidate = Candidate::measure(problem.fit(l2, start)?, rows)?;
        session.note(candidate.line(settings));
        candidates.push(candidate);
    }
    let best = best(&candidates).context("expected at least one value of --l2")?;
    let mut report = Report::new("linear", settings.class_weights, settings.standardize, rows);
    report.set("tolerance", settings.tolerance);
    report.set("max_iterations", settings.max_iterations);
    report.set("l2_candidates", l2);
    candidates[best].record(&mut report);
    let table = table(&candidates, best)?;
    let best = candidates.swap_remove(best).fit;
    let convergence = if best.converged { "converged" } else { "not converged" };
    let chosen = if l2.len() > 1 { format!(", l2 {} of {}", best.l2, l2.len()) } else { String::new() };
    Ok(Fitted {
        kind: HeadKind::Linear,
        outcome: format!("{} iterations, {convergence}{chosen}", best.iterations),
        layers: vec![best.layer],
        report,
        table,
    })
}

impl Candidate {
    fn measure(fit: LinearFit, rows: &Rows) -> anyhow::Result<Candidate> {
        let layers = std::slice::from_ref(&fit.layer);
        let train = quality(layers, &rows.train.examples()?);
        let val = rows.val.as_ref().map(|val| anyhow::Ok(quality(layers, &val.examples()?))).transpose()?;
        Ok(Candidate { fit, train, val })
    }

    fn line(&self, settings: &LinearSettings) -> String {
        let LinearFit { l2, iterations, gradient, converged, .. } = &self.fit;
        let mut line = format!("l2 {l2}: {iterations} iterations, {}", describe("train", self.train));
        if let Some(val) = self.val {
            line = format!("{line}; {}", describe("val", val));
        }
        if !converged {
            let tolerance = settings.tolerance;
            line.push_str(&format!(
                "; not converged (gradient {gradient:.1e}, tolerance {tolerance:.0e}): raise --max-iterations, --tolerance or --l2"
            ));
        }
        line
    }

    fn record(&self, report: &mut Report) {
        report.set("l2", self.fit.l2);
        report.set("iterations", self.fit.iterations);
        report.set("converged", self.fit.converged);
        report.set("gradient", self.fit.gradient);
        report.set("objective", self.fit.objective);
        report.set_quality("train", self.train);
        if let Some(val) = self.val {
            report.set_quality("val", val);
        }
    }
}

/// Of least val loss; of equals the first, which has the largest penalty. One that diverged is never the best of several.
fn best(candidates: &[Candidate]) -> Option<usize> {
    let loss = |at: &usize| {
        let loss = candidates[*at].val.map_or(0.0, |val| val.loss);
        if loss.is_finite() { loss } else { f64::INFINITY }
    };
    (0..candidates.len()).min_by(|a, b| loss(a).total_cmp(&loss(b)))
}

fn table(candidates: &[Candidate], best: usize) -> polars::prelude::PolarsResult<polars::frame::DataFrame> {
    fn column<T>(candidates: &[Candidate], of: impl Fn(&Candidate) -> T) -> Vec<T> {
        candidates.iter().map(of).collect()
    }
    df!(
        "l2" => column(candidates, |c| c.fit.l2),
        "iterations" => column(candidates, |c| c.fit.iterations as u64),
        "converged" => column(candidates, |c| c.fit.converged),
        "objective" => column(candidates, |c| c.fit.objective),
        "train_loss" => column(candidates, |c| c.train.loss),
        "train_accuracy" => column(candidates, |c| c.train.accuracy),
        "val_loss" => column(candidates, |c| c.val.map(|val| val.loss)),
        "val_accuracy" => column(candidates, |c| c.val.map(|val| val.accuracy)),
        "chosen" => (0..candidates.len()).map(|at| at == best).collect::<Vec<_>>(),
    )
}
