//! The tool `evaluate`: features and a head in, a table of metrics out.
//!
//! **Invariant:** a head is only scored on features of the very network, weights, tap, preprocessing
//! and classes that it was fitted on; one that is no classifier on targets that are read as they were for its fit.
#![forbid(unsafe_code)]

mod args;
mod baseline;
mod belonging;
mod blocks;
mod config;
mod duplicates;
mod findings;
mod hardest;
mod many;
mod novelty;
mod outputs;
mod page;
mod picture_file;
mod predictions;
mod scores;
mod slices;
mod stream;
mod summary;
mod table;
mod targets;
mod values;

pub use args::Args;
pub use config::{Config, SplitChoice};

use artifact::{FeatureSet, Head};
use cli::{Session, UsageError, count};

use crate::baseline::Baseline;
use crate::findings::Findings;
use crate::outputs::{Outputs, write_page};
use crate::page::Material;
use crate::scores::SplitScores;

/// Runs the tool.
///
/// # Errors
/// An existing output, artefacts that cannot be read or do not belong together, a split without rows.
pub fn run(args: Args) -> anyhow::Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    if config.asks_for_bootstrap() {
        session.note("evaluate: --bootstrap does nothing any more: intervals are formulas");
    }
    let outputs = Outputs::claim(&config)?;
    let given = FeatureSet::open(config.features())?;
    let head = Head::read(config.head())?;
    let features = belonging::choose(&given, &head, config.head())?;
    let formula = outputs.formula_in(&features, &head);
    if head.task() != artifact::Task::Class {
        targets::run(&config, outputs, &given, &features, &head, &session)?;
        warn(&session, formula.as_deref());
        return Ok(());
    }
    if config.manifest().is_some() && config.slices().next().is_none() {
        return Err(UsageError("--manifest goes with --slice".to_owned()).into());
    }
    let baseline = Baseline::open(&config, &given)?;
    let splits = scores::splits(&features, &head, &config)?;
    if let Some(why) = splits.why {
        session.note(format!("evaluate: {why}"));
    }
    let scores = splits
        .chosen
        .iter()
        .map(|&split| SplitScores::compute(split, &features, &head, &config))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    let mut comparisons = Vec::new();
    for scores in &scores {
        rows.extend(values::rows(scores, features.classes(), head.reject_threshold()));
        rows.extend(slices::rows(scores, &features, &config)?);
        if let Some(baseline) = &baseline {
            let comparison = baseline.compare(scores, &features)?;
            rows.extend(comparison.rows(scores));
            comparisons.push(comparison);
        }
    }
    if let Some(table) = &outputs.predictions {
        predictions::write(&scores, &head, &features, table)?;
    }
    if let Some(table) = &outputs.hardest {
        table.write(&mut hardest::frame(&scores, &features)?)?;
    }
    if config.looks() {
        let findings =
            Findings::of(&features, &head, config.images(), config.judges(), config.seed(), &session)?;
        if let Some(table) = &outputs.suspects {
            table.write(&mut findings.suspects_frame(&features)?)?;
        }
        if let Some(table) = &outputs.duplicates {
            table.write(&mut findings.duplicates_frame(&features)?)?;
        }
        if let (Some(place), Some((at, scores))) = (&outputs.report, page::split_of(&scores)) {
            let comparison = comparisons.get(at);
            let material = Material {
                config: &config,
                features: &features,
                head: &head,
                scores,
                rows: &rows,
                comparison,
                findings: &findings,
            };
            let (page, unread) = material.render()?;
            write_page(&page, place)?;
            if unread > 0 {
                session.note(format!(
                    "evaluate: {} pictures of the report could not be read",
                    count(unread as u64)
                ));
            }
        }
    }
    cli::finishing();
    outputs.commit(&mut table::frame(&rows)?)?;
    warn(&session, formula.as_deref());
    cli::print(&summary::render(&scores, &rows, features.classes())?)?;
    for (scores, comparison) in scores.iter().zip(&comparisons) {
        cli::print(&format!("\n{}: {}\n", scores.split, comparison.verdict()))?;
    }
    session.note(format!(
        "evaluate: {} rows, {} classes → {}",
        count(scores.iter().map(|split| split.outcomes.rows() as u64).sum::<u64>()),
        features.classes().len(),
        config.outputs().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    // What was measured is written; only then may the gate close.
    if let Some((at, _)) = page::split_of(&scores)
        && let Some(comparison) = comparisons.get(at)
    {
        comparison.gate(config.tolerance())?;
    }
    Ok(())
}

/// Says what a spreadsheet would run.
fn warn(session: &Session, formula: Option<&str>) {
    if let Some(text) = formula {
        session.note(format!("evaluate: {}", artifact::table::formula_warning(text)));
    }
}
