//! ONNX files: a bound network and its head as one graph, and that graph back as plain data; and graphs that others wrote,
//! as networks.
//!
//! What is written: IR version 8, opset 17; input `pixels` (batch, 3, h, w), normalised f32, of each further backbone
//! `pixels_1` and so on; or `image`, one u8 picture (height, width, 3) of any size; or of texts `input_ids`, `attention_mask` and,
//! where the network knows segments, `token_type_ids`, i64 (batch, tokens), padded at the end. Outputs are `features`
//! (batch, d), and with a head `logits` and `probabilities` (batch, classes), or, where it gives numbers, `values`; with a
//! novelty also `distance` and `novel` (batch,). The batch axis is dynamic and called `batch`. Initializers bear torchvision's names, the head's are `head.0.weight`, `head.0.bias` …; what was worked out
//! for the file (positions at its size, biases of windows, masks) has a slash in its name. A node bears the name of the
//! module whose result it gives; those on the way there have a slash.
//!
//! [`read()`] understands exactly what is written, and refuses all else: it is there to check an export. [`import`] reads
//! what other programs wrote.
//! What it gives is the file's own graph, node by node, for an interpreter; this crate runs nothing.
//!
//! **Invariant:** the same network, weights, head and metadata give the same bytes.
#![forbid(unsafe_code)]

mod draft;
mod exported;
mod graph;
mod import;
mod lower;
mod operator;
mod proto;
mod read;
mod spelling;
mod write;

pub use exported::{Body, Ending, Exported, HeadGraph, Neighbours, Remembered, Tower, Whitened};
pub use graph::{Form, Graph, Input, Literal, Model, Output, Step, Tokens, Value};
pub use import::{ImportError, Imported, Layout, Options, Source, import};
pub use operator::{Element, Operator, Window};
pub use read::read;
pub use write::{write, write_entry, write_model};

/// A graph that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The network does not work at this size.
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    /// The head reads other features.
    #[error("the head takes {expected} features, the backbone gives {got}")]
    Width {
        /// What it takes.
        expected: usize,
        /// What there are.
        got: usize,
    },
    /// A head by itself, or the upper part of a network.
    #[error("a model begins with a picture, got a network that is given features")]
    NoPicture,
    /// A network of texts, and another.
    #[error("a model holds one network of texts, and no other beside it; give --to bundle")]
    Texts,
    /// Nothing was asked of the network.
    #[error("a model has a tap, got a network without an output, or a head without features")]
    NoOutput,
    /// Protocol buffers end there.
    #[error(
        "the model would be {0} bytes long; an ONNX file holds at most 2 GiB; export it as safetensors, or choose an earlier tap"
    )]
    TooLarge(u64),
    /// The disk is full, or the like.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No protocol buffer, or a broken one.
    #[error("it is not an ONNX file: {0}")]
    Decode(#[from] prost::DecodeError),
    /// A graph that was not written here, or was changed since.
    #[error("`{node}` {reason}; only graphs that Headstart wrote can be read back")]
    Foreign {
        /// The node, initializer or value.
        node: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The graph's input.
const INPUT: &str = "pixels";
/// The graph's input where preprocessing is in the model.
const IMAGE: &str = "image";
/// The tap's output.
const FEATURES: &str = "features";
/// The head's output.
const LOGITS: &str = "logits";
/// What probabilities the logits come to.
const PROBABILITIES: &str = "probabilities";
/// The head's output where it gives numbers.
const VALUES: &str = "values";
/// How far features are from those that the head was fitted on.
const DISTANCE: &str = "distance";
/// Whether that is too far.
const NOVEL: &str = "novel";
/// All outputs, in their order.
const OUTPUTS: [&str; 6] = [FEATURES, LOGITS, PROBABILITIES, VALUES, DISTANCE, NOVEL];

/// What the input of a backbone is called.
fn input_name(at: usize) -> String {
    if at == 0 { INPUT.to_owned() } else { format!("{INPUT}_{at}") }
}
