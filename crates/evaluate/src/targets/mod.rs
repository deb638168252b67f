//! Heads that are no classifiers: several labels a sample, or numbers. The same table, other metrics.

mod baseline;
mod hardest;
mod labels;
mod numbers;
mod predictions;
mod scores;
mod summary;

use artifact::{FeatureSet, Head, Task};
use cli::{Session, UsageError, count, print};

use crate::config::Config;
use crate::findings::Findings;
use crate::outputs::{Outputs, write_page};
use crate::page::TargetsMaterial;
use crate::table::{self, Row, Scope};
use baseline::Baseline;
use scores::SplitScores;

pub(crate) use baseline::Comparison;

/// Scores `head` on `features`.
pub(crate) fn run(
    config: &Config,
    outputs: Outputs,
    given: &FeatureSet,
    features: &FeatureSet,
    head: &Head,
    session: &Session,
) -> anyhow::Result<()> {
    let targets = &head.targets;
    if config.suspects().is_some() {
        let judges = "--suspects judges classes; this head says";
        return Err(UsageError(format!("{judges} {}", said(targets.task))).into());
    }
    if config.images().is_some() && config.duplicates().is_none() {
        let pictures = "--images goes with --duplicates here: this head's report shows no pictures";
        return Err(UsageError(pictures.to_owned()).into());
    }
    if config.manifest().is_some() && config.slices().next().is_none() && !targets.need_manifest() {
        return Err(UsageError(
            "--manifest goes with --slice: this head's targets stand in class names".to_owned(),
        )
        .into());
    }
    let baseline = Baseline::open(config, given, head)?;
    let splits = crate::scores::splits(features, head, config)?;
    if let Some(why) = splits.why {
        session.note(format!("evaluate: {why}"));
    }
    let scores = splits
        .chosen
        .iter()
        .map(|&split| SplitScores::compute(split, features, head, targets, config))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    let mut comparisons = Vec::new();
    for scores in &scores {
        rows.extend(scores.measured.rows(scores.split, &Scope::Overall, &head.classes)?);
        for (scope, members) in crate::slices::members(&scores.rows, features, config)? {
            rows.extend(scores.measured.select(&members).rows(scores.split, &scope, &[])?);
        }
        if let Some(baseline) = &baseline {
            let comparison = baseline.compare(scores, features)?;
            rows.extend(comparison.rows(scores));
            comparisons.push(comparison);
        }
    }
    if let Some(table) = &outputs.predictions {
        table.write(&mut predictions::frame(&scores, features, &head.classes, table.format)?)?;
    }
    if let Some(table) = &outputs.hardest {
        table.write(&mut hardest::frame(&scores, features)?)?;
    }
    if let Some(table) = &outputs.duplicates {
        let findings = Findings::of(features, head, config.images(), false, config.seed(), session)?;
        table.write(&mut findings.duplicates_frame(features)?)?;
    }
    let judged = scores::judged(&scores);
    if let (Some(place), Some(at)) = (&outputs.report, judged) {
        let own = &scores[at];
        let comparison = comparisons.get(at);
        let material = TargetsMaterial {
            config,
            features,
            head,
            split: own.split,
            n: own.len(),
            rows: &rows,
            comparison,
        };
        write_page(&material.render()?, place)?;
    }
    cli::finishing();
    outputs.commit(&mut table::frame(&rows)?)?;
    print(&summary::render(&scores, &rows, &head.classes, targets.task)?)?;
    for (scores, comparison) in scores.iter().zip(&comparisons) {
        print(&format!("\n{}: {}\n", scores.split, comparison.verdict()))?;
    }
    session.note(format!(
        "evaluate: {} rows, {} {} → {}",
        count(scores.iter().map(|split| split.len() as u64).sum::<u64>()),
        head.classes.len(),
        targets.task.noun(head.classes.len()),
        config.outputs().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    // What was measured is written; only then may the gate close.
    match judged.and_then(|at| comparisons.get(at)) {
        Some(comparison) => Ok(comparison.gate(config.tolerance())?),
        None => Ok(()),
    }
}

fn said(task: Task) -> &'static str {
    match task {
        Task::Labels => "which labels a sample bears",
        Task::Class | Task::Numbers => "numbers",
    }
}

/// The rows of a split, or of a part of it, that have this scope.
pub(crate) fn of_scope<'a>(
    rows: &'a [Row],
    split: artifact::Split,
    scope: &'a Scope,
) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| row.split == split && row.scope == *scope)
}
