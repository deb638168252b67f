//! A model at one commit: which files are needed, which are there, and the rest.

use super::{
    cache::Cache,
    file,
    listing::{Listing, is_commit},
};
use crate::{config::Config, error::FetchError, source::HubSource};
use cli::Session;
use http::Client;
use std::path::PathBuf;

/// The model's snapshot folder, once all its files are there.
///
/// # Errors
/// Where they cannot be had. The cache keeps what has come, and its branches lead to snapshots that are whole.
pub(crate) fn fetch(
    config: &Config,
    client: Option<&Client>,
    session: &Session,
    source: &HubSource,
) -> Result<PathBuf, FetchError> {
    let cache = Cache::new(&config.caches().hub, source);
    let Some(client) = client else { return cached(config, &cache, source) };
    let listing = match Listing::ask(client, session, config.hub(), source) {
        Ok(listing) => listing,
        Err(FetchError::Http(error)) if error.may_pass() => {
            // What Python does too: a hub that is away is no reason to stop, where all is here.
            let Ok(folder) = cached(config, &cache, source) else { return Err(error.into()) };
            session.note(format!("fetch: {error}; {} is taken from the cache", source.shown()));
            return Ok(folder);
        }
        Err(error) => return Err(error),
    };
    let job = file::Job { client, session, hub: config.hub(), source, cache: &cache, listing: &listing };
    let names: Vec<&str> = listing.files.iter().map(|file| file.name.as_str()).collect();
    let model = source.shown();
    let size = |name: &str| listing.files.iter().find(|file| file.name == name)?.size;
    let (mut files, mut came) = (0, 0);
    for name in config.wanted().of(&model, &names, size)? {
        came += job.fetch(&name)?;
        files += 1;
        // An index names more files, once it is there.
        for shard in config.wanted().shards(&model, &name, &cache.file(&listing.commit, &name), &names)? {
            came += job.fetch(&shard)?;
            files += 1;
        }
    }
    cache.remember(&source.revision, &listing.commit)?;
    session.note(line(&model, &listing.commit, files, came));
    Ok(cache.snapshot(&listing.commit))
}

/// What the cache holds of the model, where that is all that is needed.
fn cached(config: &Config, cache: &Cache, source: &HubSource) -> Result<PathBuf, FetchError> {
    let model = source.shown();
    let offline = |why: String| FetchError::Offline {
        source_name: model.clone(),
        cache: config.caches().hub.clone(),
        why,
    };
    let commit = match &source.revision {
        revision if is_commit(revision) => revision.clone(),
        revision => {
            cache.commit(revision).ok_or_else(|| offline("no such snapshot was downloaded".to_owned()))?
        }
    };
    let names = cache.names(&commit).map_err(|why| offline(why.to_string()))?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let part = |error: FetchError| offline(format!("only a part of it was downloaded ({error})"));
    for name in config.wanted().of(&model, &names, |_| None).map_err(part)? {
        config.wanted().shards(&model, &name, &cache.file(&commit, &name), &names).map_err(part)?;
    }
    Ok(cache.snapshot(&commit))
}

fn line(model: &str, commit: &str, files: usize, came: u64) -> String {
    let (commit, noun) = (&commit[..12], if files == 1 { "file" } else { "files" });
    match came {
        0 => format!("fetch: {model} at {commit}: {files} {noun}, all there already"),
        came => format!("fetch: {model} at {commit}: {files} {noun}, {} bytes downloaded", cli::count(came)),
    }
}
