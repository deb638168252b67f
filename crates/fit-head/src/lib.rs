//! The tool `fit-head`: features in, a fitted head out.
//!
//! **Invariant:** only rows of the train split are fitted on; rows of the val split, or folds of the
//! train rows, choose and calibrate; rows of the test split are never looked at.
#![forbid(unsafe_code)]

mod args;
mod best;
mod candidates;
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
mod novelty;
mod passes;
mod reject;
mod report;
mod rows;
mod split_rows;
mod target;
mod targets;

pub use args::Args;
pub use class_weight::ClassWeight;
pub use config::{Choice, Config};
pub use head_choice::{HeadChoice, HeadChoices};
pub use method::Method;
pub use target::TargetChoice;

use anyhow::bail;
use artifact::{Dense, FeatureSet, Head, HeadKind, Memory};
use cli::{Interrupt, count};
use head::Quality;
use polars::frame::DataFrame;

use crate::best::Best;
use crate::candidates::Candidate;
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
    /// How it does on rows that it was not fitted on, where there are any.
    held_out: Option<HeldOutQuality>,
}

/// How a head does on rows that it was not fitted on.
#[derive(Clone, Copy)]
struct HeldOutQuality {
    /// Mean negative log-likelihood, in nats; of scores that are no logits none.
    loss: Option<f64>,
    /// Part of the rows, of labels part of all that is said, that it is right in; of numbers none.
    accuracy: Option<f64>,
}

/// Runs the tool.
///
/// # Errors
/// Settings that contradict one another, an existing output, features that cannot be read or fitted on.
pub fn run(args: Args) -> anyhow::Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let interrupt = if config.keep_best() { Interrupt::listen() } else { Interrupt::default() };
    let outputs = Outputs::claim(&config)?;
    let given = FeatureSet::open(config.features())?;
    if let Some(task) = config.target().task() {
        return targets::run(task, &config, &given, outputs, &interrupt, &session);
    }
    candidates::check_comparable(&config, &Rows::of(&given, &config)?)?;
    if let (Some(_), true) = (config.novelty_at(), given.dim() > head::MOST_NOVELTY_COLUMNS) {
        bail!(
            "--novelty-at takes at most {} features, side by side these are {}; leave it or some of them out",
            count(head::MOST_NOVELTY_COLUMNS as u64),
            count(given.dim() as u64)
        );
    }
    let one = |features: &FeatureSet, method: &Method, compare| {
        let rows = Rows::of(features, &config)?;
        fit(method, &Job::new(&config, &rows, features, method, compare, &session, &interrupt)?)
    };
    let Candidate { features, mut fitted, .. } =
        candidates::best(&given, &config, &interrupt, &session, one)?;
    let rows = Rows::of(&features, &config)?;
    // Whoever asked to stop waits for the head.
    let curve = if config.curve().is_some() && !interrupt.asked() {
        curve::fit(&config, &rows, &features, &session, &interrupt, &mut fitted.report)?
    } else {
        None
    };
    let novelty = novelty::fit(&config, &rows, &features, &mut fitted.report)?;
    let best = Best::of(&interrupt, &mut fitted.report);
    let left = config.curve().filter(|_| curve.is_none());
    let line = format!(
        "{}, {} classes, {}{}{} → {}",
        rows.train.rows.describe(),
        features.classes().len(),
        fitted.outcome,
        novelty.as_ref().map_or("", |(_, line)| line),
        left.map_or(String::new(), |path| format!(", `{}` is not written", path.display())),
        config.output().display()
    );
    let head = Head {
        kind: fitted.kind,
        classes: features.classes().to_vec(),
        targets: Default::default(),
        layers: fitted.layers,
        memory: fitted.memory,
        novelty: novelty.map(|(novelty, _)| novelty),
        sources: features.sources(),
        probes: features.probes(),
        fit: fitted.report.into_json(),
        features: features.digest(),
    };
    cli::finishing();
    outputs.write(&head, fitted.table, curve)?;
    best.told(&line, &session)
}

fn fit(method: &Method, job: &Job<'_>) -> anyhow::Result<Fitted> {
    match method {
        Method::Linear { l2, settings } => linear::fit(l2, settings, job),
        Method::Closed { form, strengths } => closed::fit(*form, strengths, job),
        Method::Mlp(settings) => mlp::fit(settings, job),
        Method::Knn { neighbours } => knn::fit(*neighbours, job),
    }
}

impl From<Quality> for HeldOutQuality {
    fn from(Quality { loss, accuracy }: Quality) -> HeldOutQuality {
        HeldOutQuality { loss: Some(loss), accuracy: Some(accuracy) }
    }
}
