//! Why a head cannot be read or written.

use engine::EngineError;
use std::path::PathBuf;
use store::{MapError, PlaceError};

/// A head that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// It cannot be opened.
    #[error("{0}; expected a head that fit-head wrote")]
    Map(#[from] MapError),
    /// It is no head, or damaged.
    #[error("cannot read `{path}`: {reason}; expected a head that fit-head wrote")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It holds a head, and all that the head needs.
    #[error("`{0}` is a bundle, for predict; give the head that it was made of")]
    Bundle(PathBuf),
    /// Written by another release.
    #[error("cannot read `{path}`: head format {got}, this program reads 1 to {expected}; {advice}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The last format that this program reads.
        expected: u32,
        /// The format found.
        got: u32,
        /// What to do.
        advice: &'static str,
    },
    /// The fit diverged.
    #[error(
        "`{0}` is not written: the fitted weights are not finite; lower the learning rate or raise the penalty"
    )]
    NotFinite(PathBuf),
    /// It has more to say of itself than anybody would read.
    #[error("`{path}` is not written: {reason}; shorten the names of its classes")]
    TooLarge {
        /// The output.
        path: PathBuf,
        /// How much it is.
        reason: String,
    },
    /// Its graph cannot be run.
    #[error("the head cannot be run: {0}")]
    Engine(#[from] EngineError),
    /// Its place could not be made or taken.
    #[error(transparent)]
    Place(#[from] PlaceError),
}
