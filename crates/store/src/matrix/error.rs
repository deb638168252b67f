//! Why a file is no matrix.

use crate::{MapError, table::TableError};
use std::{io, path::PathBuf};

/// A matrix that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The file cannot be opened.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A file of another kind.
    #[error("`{path}` is no matrix: expected .npy, .parquet, .arrow or .safetensors, found {found}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is instead, by how it begins.
        found: &'static str,
    },
    /// It is not what it says, or no matrix of numbers.
    #[error("cannot read `{path}`: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What it says of its rows cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Rows could not be set aside to be put in order.
    #[error("cannot set rows aside in `{folder}`: {source}")]
    Aside {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write the matrix: {0}")]
    Write(String),
    /// The disk refuses.
    #[error("cannot write the matrix: {0}")]
    Disk(io::Error),
}
