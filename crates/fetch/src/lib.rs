//! Downloads weights once, into the caches that other programs share: the Hugging Face hub's, torch's, and one of our own.
//!
//! **Invariant:** with `--offline` it opens no socket.
//! **Invariant:** a file has its name in a cache only once it is whole, its digest has been checked, and it is on the disk.
#![forbid(unsafe_code)]

mod args;
mod config;
mod digest;
mod download;
mod environment;
mod error;
mod files;
mod hub;
mod lock;
mod names;
mod patience;
mod source;
mod torchvision;
mod web;

pub use args::Args;

use anyhow::Result;
use cli::Session;
use config::Config;
use error::FetchError;
use http::{Client, Secret, Settings};
use source::Source;
use std::path::{Path, PathBuf};

/// The whole tool: arguments → each source into its cache → their paths on stdout.
///
/// # Errors
/// Whatever stops it, as one line. What was downloaded of a file stays for the next run.
pub fn run(args: Args) -> Result<()> {
    let session = args.common.start()?;
    let config = Config::new(args)?;
    let client = if config.offline() { None } else { Some(client(&config)) };
    let mut paths = String::new();
    for source in config.sources() {
        let path = one(&config, client.as_ref(), &session, source)?;
        paths += printable(&path)?;
        paths.push('\n');
    }
    cli::print(&paths)?;
    Ok(())
}

/// Whoever asks servers, and tells the hub alone its token.
fn client(config: &Config) -> Client {
    let hub = config.hub();
    let secret = hub.token.clone().map(|word| Secret { server: hub.endpoint.clone(), word });
    Client::new(secret, Settings::default())
}

fn one(
    config: &Config,
    client: Option<&Client>,
    session: &Session,
    source: &Source,
) -> Result<PathBuf, FetchError> {
    match source {
        Source::Hub(source) => hub::fetch(config, client, session, source),
        Source::Torchvision(source) => torchvision::fetch(config, client, session, source),
        Source::Web(source) => web::fetch(config, client, session, source),
    }
}

/// A path that programs can read from a line, which is what stdout is for.
fn printable(path: &Path) -> Result<&str, FetchError> {
    let text = path.to_str().filter(|text| cli::plain(text) == *text);
    text.ok_or_else(|| FetchError::Unprintable(path.to_owned()))
}
