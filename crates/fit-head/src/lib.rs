//! The tool `fit-head`: features in, a fitted head out.
//!
//! **Invariant:** only rows of the train split are fitted on; rows of the val split, or folds of the
//! train rows, choose and calibrate; features of the test split are never looked at.
#![forbid(unsafe_code)]

mod args;
mod best;
mod candidates;
mod class_weight;
mod config;
mod curve;
mod fit;
mod flags;
mod head_choice;
mod held_out;
mod job;
mod methods;
mod novelty;
mod one_error;
mod outputs;
mod passes;
mod record;
mod reject;
mod rows;
mod split_rows;
mod target;

pub use args::Args;
pub use class_weight::ClassWeight;
pub use config::{Choice, Config};
pub use head_choice::{HeadChoice, HeadChoices};
pub use target::TargetChoice;

use anyhow::bail;
use cli::{Interrupt, Session, count};
use features::FeatureSet;
use head::Head;
use sample::targets::{Task, list_in_disguise};
use store::brief;

use crate::{
    best::Best,
    candidates::Candidate,
    fit::Model,
    job::Job,
    outputs::Outputs,
    rows::{Read, Rows},
};

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
    let read = Read::of(&given, &config)?;
    tell_disguise(&read, &session);
    // What is wrong with rows is told once, not of every candidate.
    candidates::check_comparable(&config, &Rows::of(&read, &given, &config)?)?;
    tell_corrections(&read, &given, &session);
    if let (Some(_), true) = (config.novelty_at(), given.dim() > head::MOST_NOVELTY_COLUMNS) {
        bail!(
            "--novelty-at takes at most {} features, side by side these are {}; leave it or some of them out",
            count(head::MOST_NOVELTY_COLUMNS as u64),
            count(given.dim() as u64)
        );
    }
    let Candidate { features, fit, mut record, table, outcome, .. } =
        candidates::best(&given, &read, &config, &interrupt, &session)?;
    let rows = Rows::of(&read, &features, &config)?;
    let job = Job::new(&config, &read, &rows, &features, &session, &interrupt)?;
    // Whoever asked to stop waits for the head.
    let curve = if config.curve().is_some() && !interrupt.asked() {
        curve::fit(config.linear(), &job, &mut record)?
    } else {
        None
    };
    let novelty = config.novelty_at().map(|part| novelty::fit(part, &job, &mut record)).transpose()?;
    let best = Best::of(&interrupt, &mut record);
    let left = config.curve().filter(|_| curve.is_none());
    let line = format!(
        "{}, {} {}, {}{}{} → {}",
        rows.train.rows.describe(),
        read.names.len(),
        read.spec.task.noun(read.names.len()),
        outcome,
        novelty.as_ref().map_or("", |(_, line)| line),
        left.map_or(String::new(), |path| format!(", `{}` is not written", path.display())),
        config.output().display()
    );
    let kind = fit.kind();
    let (pool, layers, memory) = match fit.model {
        Model::Layers(pool, layers) => (pool, layers, None),
        Model::Memory(memory) => (None, Vec::new(), Some(memory)),
    };
    let head = Head {
        kind,
        classes: read.names.clone(),
        targets: read.spec.clone(),
        pool,
        layers,
        graph: None,
        memory,
        novelty: novelty.map(|(novelty, _)| novelty),
        sources: features.sources(),
        probes: features.probes(),
        fit: record.into_json(),
        features: features.digest(),
        seen: Some(rows.train.rows.seen(&features)),
    };
    cli::finishing();
    outputs.write(&head, table, curve)?;
    best.told(&line, &session)
}

/// Says so where lists of labels look like labels.
fn tell_disguise(read: &Read, session: &Session) {
    if read.spec.task == Task::Labels
        && let Some(label) = list_in_disguise(&read.names)
    {
        let label = brief::shortened(label);
        session.note(format!("fit-head: `{label}` is one label; lists are written with `|`, as `cat|dog`"));
    }
}

/// Says how many classes a manifest corrects.
fn tell_corrections(read: &Read, features: &FeatureSet, session: &Session) {
    if let (Some(corrected), Task::Class) = (read.corrected, read.spec.task) {
        session.note(format!(
            "fit-head: --manifest gives {} of {} samples another class than the features have",
            count(corrected as u64),
            count(features.samples().count() as u64)
        ));
    }
}
