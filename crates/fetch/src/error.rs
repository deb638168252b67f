//! What can stop a download.

use http::HttpError;
use std::{io, path::PathBuf};

/// A source that could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Bytes that stopped coming.
    #[error("the connection for `{file}` broke off after {got} bytes: {why}; run it again to go on")]
    Cut { file: String, got: u64, why: String },
    /// Any other answer that is no file.
    #[error("{address} cannot be downloaded: the server answers {status}")]
    Status { address: String, status: u16 },
    /// A model that needs a licence or a token.
    #[error(
        "{model} is private or gated, or does not exist ({status}): accept its licence at {page}, and set HF_TOKEN"
    )]
    Denied { model: String, page: String, status: u16 },
    /// The same although there is a token.
    #[error("{model} is closed to your token ({status}): accept its licence at {page}, and check HF_TOKEN")]
    DeniedWithToken { model: String, page: String, status: u16 },
    /// A name that the hub does not know.
    #[error("{host} has no model `{name}`")]
    NoModel { host: String, name: String },
    /// A branch, tag or commit that is not there.
    #[error("{host} has no model `{name}` with revision `{revision}`")]
    NoRevision { host: String, name: String, revision: String },
    /// A file that is not there.
    #[error("{model} has no file `{file}`")]
    NoFile { model: String, file: String },
    /// A server that is no hub, or a portal in between.
    #[error("{host} does not answer as the hub does: {why}; check HF_ENDPOINT and the network")]
    NoHub { host: String, why: &'static str },
    /// A file list that leads out of its folder.
    #[error("{model} lists `{name}`, which is no name of a file; nothing was downloaded")]
    Name { model: String, name: String },
    /// Nothing that we would read.
    #[error(
        "{model} has no weights that are taken by default; choose files by `headstart fetch --include`; it has {files}"
    )]
    NoWeights { model: String, files: String },
    /// A pattern without a file.
    #[error("{model} has no file `{pattern}`; it has {files}")]
    NoMatch { model: String, pattern: String, files: String },
    /// An index of shards that is none.
    #[error("`{file}` of {model} is no index of weights: {why}")]
    Index { model: String, file: String, why: &'static str },
    /// Bytes that are not those that were asked for.
    #[error("`{file}` has the wrong digest: expected {expected}, got {got}; it was removed, run it again")]
    Digest { file: String, expected: String, got: String },
    /// More bytes than there should be.
    #[error("`{file}` has more than its {size} bytes; it was removed")]
    Long { file: String, size: u64 },
    /// Not in the cache, and no connection allowed.
    #[error("{source_name} is not in the cache `{cache}`: {why}; run `fetch {source_name}` without --offline and HF_HUB_OFFLINE", cache = .cache.display())]
    Offline { source_name: String, cache: PathBuf, why: String },
    /// The disk refused.
    #[error("cannot write `{path}`: {source}", path = .path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The disk refused.
    #[error("cannot read `{path}`: {source}", path = .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// A path that is more than a line.
    #[error("the path `{path}` cannot be printed as one line; put the cache elsewhere", path = .0.display())]
    Unprintable(PathBuf),
}
