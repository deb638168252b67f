//! A file anywhere, in a cache of our own, by its digest.

use crate::{
    config::Config,
    digest::{Digest, sha256, sha256_of},
    download::{Download, Transfer},
    error::FetchError,
    files, lock,
    source::WebSource,
};
use cli::Session;
use http::{Answer, Client};
use std::path::{Path, PathBuf};

/// Longer ones are part of a name.
const LONGEST_EXTENSION: usize = 16;

/// The file's place, once it is there.
///
/// # Errors
/// Where it cannot be had.
pub(crate) fn fetch(
    config: &Config,
    client: Option<&Client>,
    session: &Session,
    source: &WebSource,
) -> Result<PathBuf, FetchError> {
    let cache = &config.caches().ours;
    match (&source.sha256, client) {
        (Some(digits), client) => known(cache, client, session, source, digits),
        (None, Some(client)) => unknown(cache, client, session, source),
        (None, None) => {
            let why = "files are kept by digest, so write #sha256=HEX behind it".to_owned();
            Err(FetchError::Offline { source_name: source.address.shown(), cache: cache.clone(), why })
        }
    }
}

fn known(
    cache: &Path,
    client: Option<&Client>,
    session: &Session,
    source: &WebSource,
    digits: &str,
) -> Result<PathBuf, FetchError> {
    let target = cache.join(format!("{digits}{}", extension(source)));
    let Some(client) = client else {
        return if target.exists() {
            Ok(target)
        } else {
            let source_name = format!("{}#sha256={digits}", source.address.shown());
            let why = "no file has this digest".to_owned();
            Err(FetchError::Offline { source_name, cache: cache.to_owned(), why })
        };
    };
    let digest = Digest::Sha256(digits.to_owned());
    let download = Download {
        name: source.name(),
        address: &source.address,
        size: None,
        digest: Some(&digest),
        target: &target,
        lock: None,
        refusal: &refusal,
    };
    download.run(client, session)?;
    Ok(target)
}

/// Downloads it anew each time, and says what its digest is.
fn unknown(
    cache: &Path,
    client: &Client,
    session: &Session,
    source: &WebSource,
) -> Result<PathBuf, FetchError> {
    let to = cache.join(format!("{}.incomplete", sha256_of(&source.address.text())));
    let _held = lock::take(&to, source.name(), session)?;
    let transfer = Transfer {
        name: source.name(),
        address: &source.address,
        size: None,
        to: &to,
        resumes: false,
        refusal: &refusal,
    };
    let mut file = transfer.run(client, session)?;
    let digits = sha256(&mut file).map_err(|source| FetchError::Read { path: to.clone(), source })?;
    let target = cache.join(format!("{digits}{}", extension(source)));
    files::settle(&to, &target)?;
    session.note(format!(
        "fetch: {}: write #sha256={digits} behind it, so that it is checked, and downloaded once",
        source.address.shown()
    ));
    Ok(target)
}

/// `.pth` of `model.pth`: programs tell formats by it.
fn extension(source: &WebSource) -> String {
    let extension = Path::new(source.name()).extension().and_then(|extension| extension.to_str());
    let short = |text: &&str| {
        text.len() <= LONGEST_EXTENSION && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    extension.filter(short).map_or_else(String::new, |text| format!(".{text}"))
}

/// What an answer means that is no file.
pub(crate) fn refusal(answer: &Answer) -> FetchError {
    FetchError::Status { address: answer.address.shown(), status: answer.status() }
}
