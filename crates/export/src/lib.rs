//! Writes what other programs read: a model (ONNX, or safetensors with a description), or a matrix of features (npy).
//!
//! **Invariant:** no model takes its place before it was read back from the bytes that were written, run on the probes
//! (a folder by the reference executor, an ONNX file node by node by the interpreter), and found to give the logits that
//! the cached features give.
#![forbid(unsafe_code)]

mod args;
mod backbone;
mod config;
mod hf;
mod matrix;
mod model_folder;
mod onnx_file;
mod parity;

pub use args::Args;

use anyhow::{Result, bail};
use cli::Session;
use config::{Config, Job};
use features::Features;
use head::Head;
use parity::{Distance, Parity};
use sample::targets::Task;

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
        Job::Onnx => model(&session, &config, onnx_file::write)?,
        Job::Folder => model(&session, &config, model_folder::write)?,
        Job::Hub(of) => {
            model(&session, &config, |config, head, bound| hf::write(&session, config, *of, head, bound))?
        }
    };
    session.note(format!("export: {line} → {}", config.output().display()));
    Ok(())
}

fn model(
    session: &Session,
    config: &Config,
    write: impl FnOnce(&Config, &Head, weights::Bound) -> Result<Parity>,
) -> Result<String> {
    let head = Head::read(config.input())?;
    if head.memory.is_some() {
        let input = config.input().display();
        bail!(
            "`{input}` is a head of nearest neighbours, which cannot be exported yet; fit another kind, such as --head linear"
        );
    }
    let bound = backbone::load(config, &head)?;
    session.detail(format!(
        "export: {} weights of {}",
        bound.network().parameter_count(),
        bound.network().name()
    ));
    let parity = write(config, &head, bound)?;
    let Distance { difference, scale } = parity.logits;
    let (outputs, what) = (head.classes.len(), parity.outputs);
    let kind = match head.task() {
        Task::Class => "classes",
        task => task.noun(outputs),
    };
    Ok(format!(
        "{outputs} {kind}, {what} of the probes within {difference:.1e} of the cache (largest {scale:.1})"
    ))
}
