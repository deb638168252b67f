//! Writes what other programs read: a model (ONNX, or safetensors with a description), or a matrix of features (npy).
//!
//! **Invariant:** no model takes its place before it was read back from the bytes that were written, run on the probes
//! (a folder by the reference executor, an ONNX file node by node by the interpreter), and found to give the logits that
//! the cached features give.
#![forbid(unsafe_code)]

mod args;
mod backbone;
mod bundle_file;
mod config;
mod hub;
mod matrix;
mod model_folder;
mod onnx_file;
mod ours;
mod parity;
mod samples;
mod towers;
mod verify;

pub use args::Args;

use anyhow::{Result, bail};
use backbone::{pictures, source};
use cli::Session;
use config::{Config, Job, OnnxJob};
use features::Features;
use head::Head;
use hub::Of;
use input::Recipe;
use model::{Distance, Tower};
use parity::Parity;
use sample::targets::Task;
use weights::Bound;

/// The whole tool: arguments → open the input → write beside → check → move into place → one line.
///
/// # Errors
/// Whatever stops it, as one line; a [`cli::GateError`] where the model disagrees with the cache. Nothing is left
/// behind then.
pub fn run(args: Args) -> Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let line = match config.job() {
        Job::Matrix(job) => {
            let features = Features::open(config.input())?;
            let line = matrix::write(job, &features)?;
            if let Some(warning) = matrix::warning(job, &features) {
                session.note(format!("export: {warning}"));
            }
            line
        }
        Job::Onnx(job) => onnx(&session, &config, job)?,
        Job::Folder => folder(&session, &config)?,
        Job::Bundle => {
            let head = Head::read(config.input())?;
            let parity = bundle_file::write(&config, &head)?;
            summary(&head, parity)
        }
        Job::Hub(of) => hub(&session, &config, *of)?,
    };
    session.note(format!("export: {line} → {}", config.output().display()));
    Ok(())
}

fn onnx(session: &Session, config: &Config, job: &OnnxJob) -> Result<String> {
    let head = one_window_a_text(Head::read(config.input())?)?;
    let towers = towers::load(config, &head)?;
    towers.iter().for_each(|tower| tell(session, &tower.bound));
    let (parity, verified) = onnx_file::write(session, config, job, &head, towers)?;
    let stored = if job.halves { ", weights in f16" } else { "" };
    let verified = verified.map_or(String::new(), |verified| format!("; {}", verified.told()));
    Ok(format!("{}{stored}{verified}", summary(&head, parity)))
}

fn folder(session: &Session, config: &Config) -> Result<String> {
    let head = with_layers(config)?;
    pictures(&source(&head)?.recipe)?;
    let tower = of_one_backbone(session, config, &head)?;
    Ok(summary(&head, model_folder::write(config, &head, tower.bound)?))
}

fn hub(session: &Session, config: &Config, of: Of) -> Result<String> {
    let head = with_layers(config)?;
    if of != Of::Hub {
        pictures(&source(&head)?.recipe)?;
    }
    let tower = of_one_backbone(session, config, &head)?;
    Ok(summary(&head, hub::write(session, config, of, &head, tower)?))
}

/// Refuses a head of texts that are read in windows: what others run reads one at a time.
fn one_window_a_text(head: Head) -> Result<Head> {
    let mut recipes = head.sources.iter().filter_map(|source| source.network()).map(|source| &source.recipe);
    if recipes.any(|recipe| matches!(recipe, Recipe::Text(how) if how.stride().is_some())) {
        bail!("the head's texts are read in windows, and such a model reads one of them; give --to bundle");
    }
    Ok(head)
}

/// The head of a folder.
fn with_layers(config: &Config) -> Result<Head> {
    let head = one_window_a_text(Head::read(config.input())?)?;
    if head.memory.is_some() {
        let input = config.input().display();
        bail!(
            "`{input}` is a head of nearest neighbours, which a folder cannot hold yet; give --to onnx or bundle, or fit another kind, such as --head linear"
        );
    }
    let is_more = [(head.pool.is_some(), "pools by attention"), (head.graph.is_some(), "ends a network")];
    if let Some((_, what)) = is_more.into_iter().find(|(is, _)| *is) {
        let input = config.input().display();
        bail!(
            "`{input}` {what}, which a folder cannot hold yet; give --to onnx or bundle, or fit another kind, such as --head linear"
        );
    }
    Ok(head)
}

/// What a folder holds besides.
fn of_one_backbone(session: &Session, config: &Config, head: &Head) -> Result<Tower> {
    let tower = backbone::load(config, head)?;
    tell(session, &tower.bound);
    Ok(tower)
}

fn tell(session: &Session, bound: &Bound) {
    let network = bound.network();
    session.detail(format!("export: {} weights of {}", network.parameter_count(), network.name()));
}

fn summary(head: &Head, parity: Parity) -> String {
    let Distance { difference, scale } = parity.logits;
    let (outputs, what) = (head.classes.len(), parity.outputs);
    let kind = match head.task() {
        Task::Class => "classes",
        task => task.noun(outputs),
    };
    format!(
        "{outputs} {kind}, {what} of the probes within {difference:.1e} of the cache (largest {scale:.1})"
    )
}
