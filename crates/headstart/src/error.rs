//! Why there is no prediction.

use engine::EngineError;
use input::BadInput;
use model::{ModelError, Unlike};
use std::{io, path::PathBuf};

/// A model that cannot be opened, or a picture that cannot be classified.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model cannot be read, or its weights are not found.
    #[error(transparent)]
    Model(Box<ModelError>),
    /// The network does not run on this machine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network does not give here what the head was fitted on.
    #[error(transparent)]
    Unlike(#[from] Unlike),
    /// A picture's file cannot be read.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture cannot be decoded.
    #[error(transparent)]
    Bad(#[from] BadInput),
    /// What the network made of a picture is too large for the head.
    #[error("its features are too large for this head")]
    TooLarge,
    /// The network stopped, of several pictures, for the reason that an earlier one has as its error.
    #[error("{0}")]
    Stopped(String),
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Error {
        Error::Model(Box::new(error))
    }
}
