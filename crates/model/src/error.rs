//! Why there is no model.

use backbone::BackboneError;
use head::HeadError;
use network::NetworkError;
use std::path::PathBuf;
use store::{Digest, MapError, PlaceError};
use weights::WeightError;

/// A model that cannot be had, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The head cannot be read.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The file cannot be opened.
    #[error("{0}; expected a head that fit-head wrote, or a bundle of export")]
    Map(#[from] MapError),
    /// Weights cannot be read, or are of no network that is known.
    #[error(transparent)]
    Backbone(#[from] BackboneError),
    /// Texts were made tokens by another tokenizer.
    #[error("`{file}`: {reason}; give the folder that extract read")]
    Tokenizer {
        /// Where the weights are.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Weights do not fit.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A graph cannot be had.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The weights of a network do not come with Headstart.
    #[error("{name} needs --weights, those that extract read")]
    NoWeights {
        /// The network.
        name: String,
    },
    /// Weights of another network.
    #[error(
        "`{file}` is of another network than the one that computed these features; give --weights as extract was given them"
    )]
    OfAnother {
        /// Their file.
        file: String,
    },
    /// Weights of the same network that are others.
    #[error(
        "`{file}` holds other weights than those that computed these features: expected digest {expected}, got {got}"
    )]
    OtherWeights {
        /// Their file.
        file: String,
        /// The head's.
        expected: Digest,
        /// Theirs.
        got: Digest,
    },
    /// This program builds the network otherwise.
    #[error(
        "the graph of {name} up to `{tap}` is not the one that computed these features; rerun extract with this version"
    )]
    OtherGraph {
        /// The network.
        name: String,
        /// Where its features are read.
        tap: String,
    },
    /// Several weights were given, and none is of this network.
    #[error("none of the --weights given computed the features of {source_name}: {why}")]
    NoneFits {
        /// The head's source.
        source_name: String,
        /// What is wrong with the last of them.
        why: Box<ModelError>,
    },
    /// Weights that no source of the head needs.
    #[error("`{}` is of none of the networks that computed these features; leave it out", .0.display())]
    Needless(PathBuf),
    /// The features are a remote model's.
    #[error(
        "the head takes features of {name}, which runs elsewhere: extract its features first, and give those"
    )]
    Endpoint {
        /// What it is called.
        name: String,
    },
    /// The features are of no network.
    #[error("the head takes the {name}, which no network of ours computed: there is none to run on pictures")]
    Given {
        /// What they are called.
        name: String,
    },
    /// Networks that give other rows than the head takes.
    #[error("the networks' features are not the head's")]
    Widths,
    /// A bundle is damaged, or none.
    #[error("cannot read `{path}`: {reason}; expected a bundle that export wrote")]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A bundle of another release.
    #[error("cannot read `{path}`: bundle format {got}, this program reads {expected}; update Headstart")]
    Version {
        /// The file.
        path: PathBuf,
        /// What is read.
        expected: u32,
        /// What it is.
        got: u32,
    },
    /// More is to be said than a header may hold.
    #[error("`{path}` is not written: {reason}")]
    TooLarge {
        /// The output.
        path: PathBuf,
        /// How much it is.
        reason: String,
    },
    /// Weights beside a bundle, which has its own.
    #[error("`{0}` is a bundle, which holds its weights; leave --weights out")]
    OwnWeights(PathBuf),
    /// Its place could not be made or taken.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

impl ModelError {
    /// Whether other flags would mend it.
    pub fn is_usage(&self) -> bool {
        match self {
            ModelError::NoWeights { .. } | ModelError::Needless(_) | ModelError::OwnWeights(_) => true,
            ModelError::Backbone(error) => error.is_usage(),
            _ => false,
        }
    }
}
