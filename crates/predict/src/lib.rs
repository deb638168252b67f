//! Says what a head makes of new samples.
//!
//! **Invariant:** a sample's row is what `evaluate --predictions` says of its features, to the bit, whatever came before it.
//! **Invariant:** every sample has a row. One that cannot be used says why.
#![forbid(unsafe_code)]

mod args;
mod config;
mod from_features;
mod lines;
mod row;
mod samples;
mod sink;
mod table;

pub use args::Args;

use anyhow::{Result, bail};
use cli::{Session, count};
use config::{Config, Output};
use row::Outputs;
use sink::{Claim, Sink};

/// The whole tool: arguments → model → samples or features → a row each → one line of counts.
///
/// # Errors
/// Whatever stops it, as one line; a [`cli::GateError`] where the network disagrees with the head.
pub fn run(args: Args) -> Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let claim = Claim::new(&config)?;
    let mut done = Done { stops: config.stops_on_error, ..Done::default() };
    if config.reads_features() {
        let head = model::Model::open_head(&config.model)?;
        let outputs = Outputs::of(&head, config.wanted)?;
        let mut sink = Sink::create(claim, &config.output, &outputs)?;
        from_features::run(&config, &head, &mut |rows| done.put(&mut sink, rows))?;
        finish(sink, done, &config, &session)
    } else {
        let mut runner = samples::Runner::open(&config, &session)?;
        let outputs = Outputs::of(runner.head(), config.wanted)?;
        let mut sink = Sink::create(claim, &config.output, &outputs)?;
        runner.run(&session, config.output == Output::Stdout, &mut |rows| done.put(&mut sink, rows))?;
        finish(sink, done, &config, &session)?;
        for line in runner.remarks.lines((count, cli::name)) {
            session.note(format!("predict: {line}"));
        }
        Ok(())
    }
}

/// What has become of samples so far.
#[derive(Default)]
struct Done {
    /// Whether a bad one ends the run.
    stops: bool,
    good: u64,
    bad: u64,
    /// Of the first bad one, its id and the reason.
    first: Option<(String, String)>,
}

impl Done {
    /// Hands rows on; whether more are wanted.
    fn put(&mut self, sink: &mut Sink, rows: Vec<row::Row>) -> Result<bool> {
        for row in &rows {
            match &row.said {
                Ok(_) => self.good += 1,
                Err(reason) if self.stops => bail!("`{}`: {reason}", row.id),
                Err(reason) => {
                    self.bad += 1;
                    self.first.get_or_insert_with(|| (row.id.clone(), reason.clone()));
                }
            }
        }
        sink.push(rows)
    }
}

fn finish(sink: Sink, done: Done, config: &Config, session: &Session) -> Result<()> {
    if let (0, Some((id, reason))) = (done.good, &done.first) {
        let (id, more) = (cli::name(id), done.bad - 1);
        let more = if more == 0 { String::new() } else { format!(", and {} more", count(more)) };
        bail!("there is no prediction of any sample: `{id}`: {reason}{more}");
    }
    cli::finishing();
    if let Some(warning) = sink.finish()? {
        session.note(format!("predict: {warning}"));
    }
    let Done { good, bad, first, .. } = done;
    if let Some((id, reason)) = first {
        let (id, more) = (cli::name(&id), bad - 1);
        let more = if more == 0 { String::new() } else { format!(", and {} more", count(more)) };
        session.note(format!("predict: no prediction: `{id}`: {reason}{more}"));
    }
    let place = match &config.output {
        Output::Stdout => String::new(),
        Output::Lines(path) | Output::Table(path) => format!(" → {}", path.display()),
    };
    session.note(format!("predict: {} predicted, {} without prediction{place}", count(good), count(bad)));
    Ok(())
}
