//! Why there is no backbone.

use input::text::TokenizerError;
use network::{NetworkError, zoo::ZooError};
use std::path::PathBuf;
use store::MapError;
use weights::WeightError;

/// A backbone that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BackboneError {
    /// A name that no network bears.
    #[error(transparent)]
    Unknown(#[from] ZooError),
    /// A network whose weights do not come with Headstart.
    #[error("{name} needs --weights: a file of its weights, or a folder as on the Hugging Face hub")]
    NoWeights {
        /// The network.
        name: String,
    },
    /// Features of a network that only its weights describe.
    #[error(
        "the features are of `{0}`, which the zoo does not have; give --weights, those that extract read"
    )]
    NotInZoo(String),
    /// Weights that are of no network that is known.
    #[error("`{file}` holds the weights of no network that is known{}; name it with --backbone", .nearest.as_ref().map_or_else(String::new, |near| format!("; the nearest is {near}")))]
    Unrecognised {
        /// The file.
        file: String,
        /// A network of which it has some tensors.
        nearest: Option<String>,
    },
    /// A configuration that says something that is not known.
    #[error("`{}`: {reason}", .file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// What is not known, and what to do.
        reason: String,
    },
    /// A tokenizer that is missing or broken.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// A tokenizer of another network.
    #[error(
        "`{}`: its tokenizer has {tokens} tokens, its network rows for {rows}; they belong to different models", .folder.display()
    )]
    OtherTokenizer {
        /// Where both lie.
        folder: PathBuf,
        /// Tokens.
        tokens: usize,
        /// Rows of the network's table.
        rows: usize,
    },
    /// A configuration cannot be read.
    #[error(transparent)]
    Read(#[from] MapError),
    /// Weights that cannot be read, or do not fit.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// An ONNX model that is not understood.
    #[error("`{file}`: {error}")]
    Onnx {
        /// The file.
        file: String,
        /// What of it.
        error: Box<onnx::ImportError>,
    },
    /// Weights beside a model that has its own.
    #[error("`{0}` has its own weights; leave --weights out")]
    TwoWeights(String),
    /// Weights where a network's name belongs.
    #[error("`{0}` is no network's name; give weights, and their address, as --weights")]
    NamesWeights(String),
    /// A tap that the network does not have.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl BackboneError {
    /// Whether the command line is wrong, and no file.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            BackboneError::Unknown(_)
                | BackboneError::NoWeights { .. }
                | BackboneError::TwoWeights(_)
                | BackboneError::NamesWeights(_)
        )
    }
}
