//! What can be wrong with a model that is to be imported.

use store::brief::shortened;

/// A model that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, is no ONNX file, or holds a tensor that cannot be used.
    #[error(transparent)]
    Weights(#[from] weights::WeightError),
    /// A message inside it is broken.
    #[error("the model is damaged: {0}")]
    Broken(#[from] weights::protobuf::Broken),
    /// A graph that makes no network.
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    /// Operators of another time.
    #[error("the model needs ONNX's operator set {version}; {least} to {most} are read")]
    Opset {
        /// What it needs.
        version: i64,
        /// The oldest that is read.
        least: i64,
        /// The newest that is read.
        most: i64,
    },
    /// A node that no operation of ours is.
    #[error("the node `{}` ({}) {reason}{}", shortened(.node), shortened(.op), before(*.taps))]
    Operation {
        /// The node's name, or its output's.
        node: String,
        /// Its operator.
        op: String,
        /// Why it is not known.
        reason: &'static str,
        /// Whether something before it can be tapped.
        taps: bool,
    },
    /// A node that reads what is not there.
    #[error("the node `{}` reads `{}`, which no node before it gives", shortened(.node), shortened(.value))]
    Order {
        /// The node's name, or its output's.
        node: String,
        /// What it reads.
        value: String,
    },
    /// Two nodes that give a value of one name.
    #[error("the value `{}` is given twice", shortened(.0))]
    Twice(String),
    /// The graph reads something else than one picture.
    #[error(
        "the model reads {0}; a backbone reads one picture, (batch, channels, height, width) or channels last"
    )]
    Input(String),
    /// The graph reads whole numbers.
    #[error("the model's input `{}` is of whole numbers; export it with an input of floats, without the cast", shortened(.0))]
    InputType(String),
    /// The model takes pictures of one size, and another was asked for.
    #[error("the model takes pictures of {}×{} pixels, {}×{} were asked for; {}", .fixed.1, .fixed.0, .asked.1, .asked.0, sized(*.fixed))]
    Size {
        /// Height and width in the file.
        fixed: (usize, usize),
        /// Height and width that were asked for.
        asked: (usize, usize),
    },
    /// The file does not say how large its pictures are.
    #[error("the model takes pictures of any size; say how large they are to be")]
    NoSize,
    /// Nothing comes out.
    #[error("the model gives nothing that depends on its picture")]
    NoOutput,
    /// No node of that name, or one that went into another.
    #[error("the model has no tap `{}`; taps are `pooled`, `logits` and the names of nodes and values", shortened(.tap))]
    Tap {
        /// What was asked for.
        tap: String,
    },
}

fn sized((height, width): (usize, usize)) -> String {
    match height == width {
        true => format!("give --resize {height} --crop {height}"),
        false => format!("give --resize {height}x{width} --crop none"),
    }
}

fn before(taps: bool) -> &'static str {
    if taps { "; nodes before it can be tapped" } else { "" }
}
