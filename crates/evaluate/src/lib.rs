//! The tool `evaluate`: features and a head in, a table of metrics out.
//!
//! **Invariant:** a head is only scored on features of the very network, weights, tap, preprocessing
//! and classes that it was fitted on.
#![forbid(unsafe_code)]

mod args;
mod belonging;
mod config;
mod outputs;
mod predictions;
mod scores;
mod summary;
mod table;

pub use args::Args;
pub use config::{Config, SplitChoice};

use artifact::{Features, Head};
use cli::count;

use crate::outputs::Outputs;
use crate::scores::SplitScores;

/// Runs the tool.
///
/// # Errors
/// An existing output, artefacts that cannot be read or do not belong together, a split without rows.
pub fn run(args: Args) -> anyhow::Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let outputs = Outputs::claim(&config)?;
    let features = Features::open(config.features())?;
    let head = Head::read(config.head())?;
    belonging::check(&features, &head, &config)?;
    let splits = scores::splits(&features, &config)?;
    if let Some(why) = splits.why {
        session.note(format!("evaluate: {why}"));
    }
    let scores = splits
        .chosen
        .iter()
        .map(|&split| SplitScores::compute(split, &features, &head, &config))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let rows = table::rows(&scores, features.classes())?;
    outputs.write(&mut table::frame(&rows)?, |format| predictions::frame(&scores, &features, format))?;
    cli::print(&summary::render(&scores, features.classes())?)?;
    session.note(format!(
        "evaluate: {} rows, {} classes → {}",
        count(scores.iter().map(|split| split.rows.len() as u64).sum::<u64>()),
        features.classes().len(),
        config.outputs().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}
