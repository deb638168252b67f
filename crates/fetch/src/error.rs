//! What can stop a download.

use std::{io, path::PathBuf, time::Duration};

/// A source that could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// No connection at all.
    #[error("cannot reach {host}: {why}; check the network, and HTTPS_PROXY behind a proxy")]
    Unreachable { host: String, why: String },
    /// A connection without an answer.
    #[error("{host} does not answer: {why}")]
    Broken { host: String, why: String },
    /// Bytes that stopped coming.
    #[error("the connection for `{file}` broke off after {got} bytes: {why}; run it again to go on")]
    Cut { file: String, got: u64, why: String },
    /// Nobody vouches for the server.
    #[error("cannot trust {host}: {why}; a firm's own certificates go into SSL_CERT_FILE")]
    Tls { host: String, why: String },
    /// Nobody could.
    #[error(
        "this system has no certificates of trusted authorities; install ca-certificates, or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// An address that HTTP does not know.
    #[error("`{0}` is no address of a file")]
    Address(String),
    /// A redirect that is not followed.
    #[error("{from} sends elsewhere, which is not followed: {why}")]
    Redirect { from: String, why: &'static str },
    /// Too many requests, or a fault of the server's.
    #[error("{host} cannot serve now ({status}){}", asked(.wait.as_ref()))]
    Busy { host: String, status: u16, wait: Option<Duration> },
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

fn asked(wait: Option<&Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("; it asks to wait {} s", wait.as_secs()))
}
