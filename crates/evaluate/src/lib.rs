//! The tool `evaluate`: features and a head in, a table of metrics out.
//!
//! With `--protocol` it takes features alone, and fits heads by itself (`protocol`).
//!
//! **Invariant:** a head is only scored on features of the very network, weights, tap and preprocessing that it was fitted on.
//! What is so is read as it was for the fit; classes are matched by name.
#![forbid(unsafe_code)]

mod args;
mod baseline;
mod belonging;
mod config;
mod divided;
mod duplicates;
mod findings;
mod hardest;
mod help;
mod measured;
mod novelty;
mod outputs;
mod page;
mod picture_file;
mod predictions;
mod protocol;
mod rows;
mod scores;
mod slices;
mod splits;
mod summary;
mod suspects;
mod table;
mod texts;
mod truth;
mod unknown;

pub use args::Args;
pub use config::{Config, SplitChoice};
pub use protocol::Protocol;
pub use unknown::UnknownChoice;

use cli::{Session, count};
use features::FeatureSet;
use head::Head;
use polars::prelude::DataFrame;

use crate::{
    baseline::{Baseline, Comparison},
    findings::Findings,
    outputs::{Outputs, Table},
    page::Material,
    scores::SplitScores,
    table::Row,
    truth::TruthSource,
};

/// Runs the tool.
///
/// # Errors
/// An existing output, artefacts that cannot be read or do not belong together, a split without rows.
pub fn run(args: Args) -> anyhow::Result<()> {
    let session = args.common.start()?;
    if let Some(protocol) = args.protocol {
        return protocol::run(protocol, args, &session);
    }
    let config = Config::new(args)?;
    if config.asks_for_bootstrap() {
        session.note("evaluate: --bootstrap does nothing any more: intervals are formulas");
    }
    let outputs = Outputs::claim(&config)?;
    let given = FeatureSet::open(config.features())?;
    let head = Head::read(config.head())?;
    let features = head::choose(&given, &head, config.head())?;
    config.unknown().check(&head, &config)?;
    let source = TruthSource::of(&head, &config)?;
    let formula = outputs.formula_in(&features, &head);
    let baseline = Baseline::open(&config, &given, &head)?;
    let splits = splits::choose(&features, &head, &config)?;
    let parts = divided::divided(&splits.chosen, &features, &head, &source, &config)?;
    if let Some(why) = splits.why {
        session.note(format!("evaluate: {why}"));
    }
    for note in divided::notes(&parts, &splits.chosen, &features, config.unknown()) {
        session.note(format!("evaluate: {note}"));
    }
    let mut found = Found { scores: Vec::new(), rows: Vec::new(), comparisons: Vec::new() };
    for part in parts {
        found.add(SplitScores::compute(part, &features, &head, &config, &source)?, &config, &source)?;
        found.compare(baseline.as_ref(), &features)?;
    }
    write(&outputs, &found, &features, &head, &config, &source, &session)?;
    cli::finishing();
    outputs.commit(&mut table::frame(&found.rows)?)?;
    if let Some(text) = formula {
        session.note(format!("evaluate: {}", store::table::formula_warning(&text)));
    }
    tell(&found, &head, &config, &session)?;
    // What was measured is written; only then may the gate close.
    match splits::judged(&found.scores).and_then(|at| found.comparisons.get(at)) {
        Some(comparison) => Ok(comparison.gate(config.tolerance())?),
        None => Ok(()),
    }
}

/// What was measured, split by split.
struct Found<'a> {
    scores: Vec<SplitScores<'a>>,
    rows: Vec<Row>,
    /// One a split, or none.
    comparisons: Vec<Comparison>,
}

impl<'a> Found<'a> {
    fn add(
        &mut self,
        scores: SplitScores<'a>,
        config: &Config,
        source: &TruthSource<'_>,
    ) -> anyhow::Result<()> {
        self.rows.extend(rows::of(&scores, config, source)?);
        self.scores.push(scores);
        Ok(())
    }

    /// Compares the split that came last.
    fn compare(&mut self, baseline: Option<&Baseline>, features: &FeatureSet) -> anyhow::Result<()> {
        if let (Some(baseline), Some(scores)) = (baseline, self.scores.last()) {
            let comparison = baseline.compare(scores, features)?;
            self.rows.extend(comparison.rows(scores.split));
            self.comparisons.push(comparison);
        }
        Ok(())
    }
}

/// Writes all outputs but the table of metrics beside their places.
fn write(
    outputs: &Outputs,
    found: &Found<'_>,
    features: &FeatureSet,
    head: &Head,
    config: &Config,
    source: &TruthSource<'_>,
    session: &Session,
) -> anyhow::Result<()> {
    if let Some(table) = &outputs.predictions {
        predictions::write(&found.scores, head, features, table)?;
    }
    let put = |table: &Table, frame: DataFrame| -> anyhow::Result<()> {
        let (run, missing) = texts::write(table, frame, config.texts())?;
        if let Some(text) = run {
            session.note(format!("evaluate: {}", store::table::formula_warning(&text)));
        }
        if missing > 0 {
            let place = table.place();
            session.note(format!(
                "evaluate: {} texts of `{}` are not in --texts",
                count(missing as u64),
                place.target().display()
            ));
        }
        Ok(())
    };
    if let Some(table) = &outputs.hardest {
        put(table, hardest::frame(&found.scores, &head.classes, features)?)?;
    }
    if !config.looks() {
        return Ok(());
    }
    let findings = Findings::of(features, head, config, source, session)?;
    if let (Some(table), Some(suspects)) = (&outputs.suspects, &findings.suspects) {
        put(table, suspects.frame(features, &head.classes)?)?;
    }
    if let Some(table) = &outputs.duplicates {
        put(table, findings.duplicates_frame(features)?)?;
    }
    let (Some(place), Some(at)) = (&outputs.report, splits::judged(&found.scores)) else { return Ok(()) };
    let (scores, comparison) = (&found.scores[at], found.comparisons.get(at));
    let material =
        Material { config, features, head, scores, rows: &found.rows, comparison, findings: &findings };
    let (page, unread) = material.render()?;
    outputs::write_page(&page, place)?;
    if unread > 0 {
        let what = if config.texts().is_some() { "texts" } else { "pictures" };
        session.note(format!("evaluate: {} {what} of the report could not be read", count(unread as u64)));
    }
    Ok(())
}

/// Says what was found.
fn tell(found: &Found<'_>, head: &Head, config: &Config, session: &Session) -> anyhow::Result<()> {
    let (names, task) = (&head.classes, head.task());
    cli::print(&summary::render(&found.scores, &found.rows, names, task)?)?;
    for (scores, comparison) in found.scores.iter().zip(&found.comparisons) {
        cli::print(&format!("\n{}: {}\n", scores.split, comparison.verdict()))?;
    }
    session.note(format!(
        "evaluate: {} rows, {} {} → {}",
        count(found.scores.iter().map(|split| split.len() as u64).sum::<u64>()),
        names.len(),
        task.noun(names.len()),
        config.outputs().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}
