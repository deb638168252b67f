//! `--target labels` and `--target number`: heads that say of a sample which labels it bears, or what its numbers are.

mod job;
mod mlp;
mod rows;
mod single;

use anyhow::bail;
use artifact::{FeatureSet, Head, Task, brief, list_in_disguise};
use cli::{Interrupt, Session, UsageError};

use crate::best::Best;
use crate::candidates::{self, Candidate};
use crate::report::Outputs;
use crate::{Config, Method};
use job::Job;
use rows::{Read, Rows};

/// Reads the targets, fits, writes.
pub(crate) fn run(
    task: Task,
    config: &Config,
    given: &FeatureSet,
    outputs: Outputs<'_>,
    interrupt: &Interrupt,
    session: &Session,
) -> anyhow::Result<()> {
    let read = Read::of(task, given, config)?;
    if task == Task::Labels
        && let Some(label) = list_in_disguise(&read.names)
    {
        let label = brief::shortened(label);
        session.note(format!("fit-head: `{label}` is one label; lists are written with `|`, as `cat|dog`"));
    }
    // What is wrong with them is told once, not of every candidate.
    let described = Rows::of(&read, given)?.train.rows.describe();
    let fit = |features: &FeatureSet, method: &Method, compare| {
        let rows = &Rows::of(&read, features)?;
        let (choice, standardize) = (config.choice(), config.standardize());
        let job = Job { task, rows, features, choice, standardize, compare, session, interrupt };
        match method {
            Method::Linear { l2, settings } => single::linear(l2, settings, &job),
            Method::Closed { strengths, .. } => single::ridge(strengths, &job),
            Method::Mlp(settings) => mlp::fit(settings, &job),
            Method::Knn { .. } => bail!(UsageError("--head knn:K goes with --target classes".to_owned())),
        }
    };
    let Candidate { features, mut fitted, .. } = candidates::best(given, config, interrupt, session, fit)?;
    let best = Best::of(interrupt, &mut fitted.report);
    let line = format!(
        "{described}, {} {}, {} → {}",
        read.names.len(),
        task.noun(read.names.len()),
        fitted.outcome,
        config.output().display()
    );
    let head = Head {
        kind: fitted.kind,
        classes: read.names,
        targets: read.targets,
        layers: fitted.layers,
        memory: None,
        novelty: None,
        sources: features.sources(),
        probes: features.probes(),
        fit: fitted.report.into_json(),
        features: features.digest(),
    };
    cli::finishing();
    outputs.write(&head, fitted.table, None)?;
    best.told(&line, session)
}
