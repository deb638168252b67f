//! Features of texts that a model behind an endpoint computes.
//!
//! First all texts are read, so that it is known what will be asked for, and what that costs. Then those are asked for that nobody
//! has asked for before, and their answers are kept. Last, all rows are taken from the answers, in the order of the samples. So
//! nothing in the result shows what was asked when, or together with what.

mod config;
mod cost;
mod texts;
mod write;

use crate::{args::Args, given::exists, skips, skips::Skips};
use anyhow::{Context, Result, bail};
use cli::{Interrupt, Interrupted, Session, UsageError, count};
use config::RemoteConfig;
use cost::{Cost, Estimate};
use endpoint::{Asker, Endpoint, EndpointError, Event, Journal, Model};
use features::{EndpointSource, FeaturesWriter, NewFeatures, probes_digest};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use texts::Texts;
use write::Written;

/// What a backbone is called that is none here.
const PREFIX: &str = "endpoint:";
/// Requests that were begun have so long to end, once a signal has come: they are paid for.
const TIME: Duration = Duration::from_secs(3);
/// Shorter waits need no word.
const WORTH_A_LINE: Duration = Duration::from_secs(2);

/// The model that `--backbone endpoint:MODEL` names.
pub(crate) fn named(args: &Args) -> Option<String> {
    args.backbone.as_deref()?.strip_prefix(PREFIX).map(str::to_owned)
}

/// The whole way: texts → what it will cost → probes → answers → rows.
///
/// # Errors
/// Whatever stops it, as one line. Answers that came by then are kept.
pub(crate) fn run(model: &str, args: Args, session: &Session) -> Result<()> {
    let config = RemoteConfig::new(model, args)?;
    let endpoint = Endpoint::new(config.endpoint()).map_err(told)?;
    if !config.force && config.output.exists() {
        return Err(exists(&config.output));
    }
    let data = crate::open(&config.samples, session)?;
    let mut skips = Skips::new(&config.samples, &data)?;
    let texts = Texts::read(&data, &mut |id, reason| skips.add(id, reason))?;
    if texts.is_empty() {
        return skips.finish().map(drop);
    }
    let journal = Journal::open(&config.answers, endpoint.model(), || {
        session.note(format!("extract: waiting for another run that asks for {}", config.model.name));
    })?;
    session.detail(format!("extract: answers are kept in `{}`", journal.path().display()));
    let wanted = texts.wanted(&journal);
    let estimate = Estimate::of(&texts, &wanted, config.price);
    session.note(format!("extract: {}", estimate.line(texts.different() - wanted.len())));
    estimate.check(config.most)?;

    let done = Arc::new(AtomicUsize::new(0));
    let interrupted = {
        let (done, all) = (Arc::clone(&done), wanted.len());
        move || interrupted(done.load(Ordering::Relaxed), all)
    };
    let interrupt = Interrupt::listen_for(TIME, interrupted.clone());
    let waits = |wait: Duration, why: &EndpointError| {
        let line = format!("extract: {why}; trying again in {} s", wait.as_secs_f32());
        if wait >= WORTH_A_LINE { session.note(line) } else { session.detail(line) }
    };
    let asker = Asker::new(&endpoint, journal, config.limits, &waits, interrupt.flag());
    let Some((probes, tokens)) = asker.probes()? else { return Err(Interrupted(interrupted()).into()) };
    let dim = probes.len() / input::PROBES;
    let Model { name, dimensions } = endpoint.model().clone();
    let source =
        EndpointSource { model: name, dimensions, probes: probes_digest(&probes), dtype: config.dtype };
    let plan = NewFeatures {
        columns: data.columns.iter().map(|column| column.name().to_owned()).collect(),
        dim,
        source: source.clone().into(),
        shard_bytes: config.shard_bytes,
    };
    let writer =
        FeaturesWriter::create(&config.output, config.force, plan).map_err(crate::given::name_force)?;

    let mut cost = Cost::new(tokens, config.price);
    {
        let progress = session.progress(wanted.len() as u64, "text");
        let mut took = |event: Event| -> Result<()> {
            match event {
                Event::Answered { texts, tokens } => {
                    done.fetch_add(texts, Ordering::Relaxed);
                    progress.advance(texts as u64);
                    cost.add(tokens);
                    cost.check(config.most)
                }
                Event::Refused { text, why } => {
                    done.fetch_add(1, Ordering::Relaxed);
                    progress.advance(1);
                    texts.alike(text).try_for_each(|sample| skips.add(&data.samples[sample].id, &why))
                }
            }
        };
        asker.ask(&wanted, &|text| texts.text(&data, text), &mut took)?;
    }
    if done.load(Ordering::Relaxed) < wanted.len() {
        return Err(Interrupted(interrupted()).into());
    }
    let mut written = Written::new(&config, &data, source, writer);
    written.push_all(&texts, &mut asker.into_journal(), session)?;
    let skipped = skips.finish()?;
    let complete = written.complete(&probes, skipped.clone())?;
    cli::finishing();
    let summary = complete.commit()?;
    crate::describe(session, &config.samples, &data);
    if !wanted.is_empty() {
        session.note(format!("extract: {}", cost.line(endpoint.host(), wanted.len())));
    }
    for line in skips::describe(&skipped).into_iter().chain(summary) {
        session.note(format!("extract: {line}"));
    }
    Ok(())
}

fn interrupted(done: usize, all: usize) -> String {
    let (done, all) = (count(done as u64), count(all as u64));
    format!("interrupted after {done} of {all} texts; run the same command again to go on")
}

/// Wrong usage, where other flags would mend it.
fn told(error: EndpointError) -> anyhow::Error {
    if error.is_usage() { UsageError(error.to_string()).into() } else { error.into() }
}
