//! `--target labels` and `--target number`: heads that say of a sample which labels it bears, or what its numbers are.

mod job;
mod mlp;
mod rows;
mod single;

use anyhow::bail;
use artifact::{FeatureSet, Head, Task};
use cli::{Interrupt, Session, UsageError};

use crate::candidates::{self, Candidate};
use crate::report::Outputs;
use crate::{Config, Method};
use job::Job;
use rows::Rows;

/// Reads the targets, fits, writes.
pub(crate) fn run(
    task: Task,
    config: &Config,
    given: &FeatureSet,
    outputs: Outputs<'_>,
    interrupt: &Interrupt,
    session: &Session,
) -> anyhow::Result<()> {
    let fit = |features: &FeatureSet, method: &Method, compare| {
        let rows = &Rows::of(task, features, config)?;
        let (choice, standardize) = (config.choice(), config.standardize());
        let job = Job { rows, features, choice, standardize, compare, session, interrupt };
        match method {
            Method::Linear { l2, settings } => single::linear(l2, settings, &job),
            Method::Closed { strengths, .. } => single::ridge(strengths, &job),
            Method::Mlp(settings) => mlp::fit(settings, &job),
            Method::Knn { .. } => bail!(UsageError("--head knn:K goes with --target classes".to_owned())),
        }
    };
    let Candidate { features, fitted, .. } = candidates::best(given, config, interrupt, session, fit)?;
    let rows = Rows::of(task, &features, config)?;
    let what = match task {
        Task::Labels => "labels",
        Task::Number if rows.names.len() == 1 => "number",
        Task::Number => "numbers",
    };
    let line = format!(
        "fit-head: {}, {} {what}, {} → {}",
        rows.train.rows.describe(),
        rows.names.len(),
        fitted.outcome,
        config.output().display()
    );
    let head = Head {
        kind: fitted.kind,
        classes: rows.names.clone(),
        targets: Some(rows.targets.clone()),
        layers: fitted.layers,
        memory: None,
        novelty: None,
        sources: features.sources(),
        probes: features.probes(),
        fit: fitted.report.into_json(),
        features: features.digest(),
    };
    outputs.write(&head, fitted.table, None)?;
    session.note(line);
    Ok(())
}
