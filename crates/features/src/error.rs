//! Every way in which features can be wrong.

use std::{io, path::PathBuf};
use store::{MapError, PlaceError};

/// Features that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// Nothing is there, or nothing that can be read.
    #[error("cannot read `{path}`: {source}; expected a folder that extract wrote")]
    Missing {
        /// The folder.
        path: PathBuf,
        /// What the system said of its index.
        source: io::Error,
    },
    /// A folder of something else.
    #[error("`{0}` is no features folder: it holds no `index.json`; expected a folder that extract wrote")]
    NotFeatures(PathBuf),
    /// The index is no JSON of ours.
    #[error("cannot read `{path}`: its index is malformed ({reason}); rerun extract")]
    Index {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Written by a later release.
    #[error("cannot read `{path}`: schema {got} is newer than this program's {expected}; update Headstart")]
    TooNew {
        /// The folder.
        path: PathBuf,
        /// The schema that this program writes.
        expected: u32,
        /// The schema found.
        got: u32,
    },
    /// Written by an earlier release.
    #[error("cannot read `{path}`: schema {got} is older than this program's {expected}; rerun extract")]
    TooOld {
        /// The folder.
        path: PathBuf,
        /// The schema that this program writes.
        expected: u32,
        /// The schema found.
        got: u32,
    },
    /// One shard is wrong.
    #[error("cannot read `{path}`: `{shard}` {source}; rerun extract")]
    Shard {
        /// The folder.
        path: PathBuf,
        /// The shard's file name.
        shard: String,
        /// What is wrong with it.
        source: ShardError,
    },
    /// The parts do not agree with one another.
    #[error("cannot read `{path}`: {reason}; rerun extract")]
    Inconsistent {
        /// The folder.
        path: PathBuf,
        /// What disagrees.
        reason: String,
    },
    /// A row that the writer cannot take.
    #[error("row `{id}` {reason}")]
    Row {
        /// The sample's id.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The output's place could not be made or taken.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// A shard that is not what the index says.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// It cannot be opened or mapped.
    #[error("cannot be opened: {}", .0.source)]
    Map(#[from] MapError),
    /// Cut short, or grown.
    #[error("is {got} bytes, index says {expected}")]
    Length {
        /// Bytes that the index records.
        expected: u64,
        /// Bytes that the file has.
        got: u64,
    },
    /// Not one of our shards.
    #[error("does not begin as a shard does")]
    Magic,
    /// A later format.
    #[error("has format {got}, newer than this program's {expected}")]
    TooNew {
        /// The format that this program writes.
        expected: u32,
        /// The format found.
        got: u32,
    },
    /// An earlier format, or an archive of another layout.
    #[error("has format {got} (flags {flags:#x}), this program reads {expected}")]
    Format {
        /// The format that this program writes.
        expected: u32,
        /// The format found.
        got: u32,
        /// How its archive was laid out.
        flags: u32,
    },
    /// A byte is not what was written.
    #[error("is damaged: its content does not match its digest")]
    Digest,
    /// The archive's structure is wrong although its digest is right.
    #[error("holds a malformed archive: {0}")]
    Archive(String),
}
