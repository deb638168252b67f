//! The tool `fit-head`: features in, a fitted head out.
//!
//! **Invariant:** only rows of the train split are fitted on; rows of the val split, or folds of the
//! train rows, choose and calibrate; rows of the test split are never looked at.
#![forbid(unsafe_code)]

mod args;
mod class_weight;
mod closed;
mod config;
mod curve;
mod flags;
mod head_choice;
mod held_out;
mod job;
mod knn;
mod linear;
mod method;
mod mlp;
mod reject;
mod report;
mod rows;

pub use args::Args;
pub use class_weight::ClassWeight;
pub use config::{Choice, Config};
pub use head_choice::HeadChoice;
pub use method::Method;

use artifact::{Dense, Features, Head, HeadKind, Memory};
use polars::frame::DataFrame;

use crate::job::Job;
use crate::report::{Outputs, Report};
use crate::rows::Rows;

/// What a method made of the rows.
struct Fitted {
    kind: HeadKind,
    layers: Vec<Dense>,
    memory: Option<Memory>,
    report: Report,
    /// How it went, for the last line.
    outcome: String,
    /// Row by row what `--table` writes.
    table: DataFrame,
    /// What `--curve` writes.
    curve: Option<DataFrame>,
}

/// Runs the tool.
///
/// # Errors
/// Settings that contradict one another, an existing output, features that cannot be read or fitted on.
pub fn run(args: Args) -> anyhow::Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let outputs = Outputs::claim(&config)?;
    let features = Features::open(config.features())?;
    let rows = Rows::of(&features, &config)?;
    let fitted = fit(&config, &Job::new(&config, &rows, &features, &session)?)?;
    let line = format!(
        "fit-head: {}, {} classes, {} → {}",
        rows.train.describe(),
        features.classes().len(),
        fitted.outcome,
        config.output().display()
    );
    let head = Head {
        kind: fitted.kind,
        classes: features.classes().to_vec(),
        layers: fitted.layers,
        memory: fitted.memory,
        source: features.index().source.clone(),
        probes: features.probes(),
        fit: fitted.report.into_json(),
        features: features.digest(),
    };
    outputs.write(&head, fitted.table, fitted.curve)?;
    session.note(line);
    Ok(())
}

fn fit(config: &Config, job: &Job<'_>) -> anyhow::Result<Fitted> {
    match config.method() {
        Method::Linear { l2, settings } => linear::fit(l2, settings, job),
        Method::Closed { form, strengths } => closed::fit(*form, strengths, job),
        Method::Mlp(settings) => mlp::fit(settings, job),
        Method::Knn { neighbours } => knn::fit(*neighbours, job),
    }
}
