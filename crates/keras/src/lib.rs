//! Networks as Keras' models, and such models back.
//!
//! What is written is a `.keras` archive, as Keras 3 saves a functional model: `config.json` lists layers, and
//! `model.weights.h5` holds their numbers. Input is `picture` (batch, h, w, 3), RGB from 0 to 255. The output is
//! `probabilities` (batch, classes), or of a head that gives numbers its last layer. Layers bear the names that a
//! [`Dialect`] has for them, else those of the network's nodes; the head's are `head_0`, `head_1` ….
//!
//! [`read()`] understands what is written, and refuses all else: it is there to check an export.
//!
//! **Invariant:** the same network and weights give the same bytes.
#![forbid(unsafe_code)]

mod activation;
mod archive;
mod image;
mod layer;
mod lower;
mod order;
mod raise;
mod window;

pub use archive::{read, write};
pub use image::Image;

use network::Dialect;
use weights::{Bound, WeightError};

/// A network and its head, as one.
pub struct Exported<'a> {
    /// As [`Bound::join`] makes it: its last output is what the head gives.
    pub bound: &'a Bound,
    /// Height and width of pictures.
    pub size: (usize, usize),
    /// From bytes to what the network takes.
    pub image: Image,
    /// What comes after the head.
    pub link: Link,
    /// What Keras calls the network's layers.
    pub dialect: Option<Dialect>,
}

/// What comes after the head's last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Probabilities of classes, of which one is right.
    Softmax,
    /// Probabilities of labels.
    Sigmoid,
    /// Nothing.
    None,
}

/// A model that was read.
#[derive(Debug)]
pub struct Read {
    /// From bytes, as f32, to what the head gives. Its outputs are what the head reads, and what it gives.
    pub bound: Bound,
    /// What comes after.
    pub link: Link,
}

/// A model that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KerasError {
    /// The network does not work at this size.
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    /// Something that no layer of Keras computes.
    #[error("no layer of Keras computes `{node}` ({why})")]
    Operation {
        /// The network's node.
        node: String,
        /// What it is.
        why: &'static str,
    },
    /// Two layers of one name, or a network without an output.
    #[error("{0}")]
    Malformed(String),
    /// The archive, or what is in it.
    #[error("{0}")]
    Archive(String),
    /// Its weights.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The file cannot be written or read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
