//! Why a network could not be run.

use network::NetworkError;

/// A network that could not be set up or run. Nothing here is a panic, and no result is half a result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The network does not work at this size.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The preprocessing leaves pictures of varying sizes.
    #[error("the preprocessing gives pictures of varying sizes; give it a centre crop or an exact size")]
    VaryingSize,
    /// The network looks at something else than pictures in colour.
    #[error("{network} reads {channels} channels; pictures have 3")]
    Channels {
        /// The network.
        network: String,
        /// What it reads.
        channels: usize,
    },
    /// A network of texts is fed pictures, or one of pictures texts.
    #[error("{network} reads {reads}, and the recipe makes {made}")]
    OtherContent {
        /// The network.
        network: String,
        /// What it reads.
        reads: &'static str,
        /// What it would be given.
        made: &'static str,
    },
    /// Tokens that a network has nothing for: its tokenizer is another's.
    #[error("{network} cannot read a text: {what}; give it the tokenizer that it was trained with")]
    Tokens {
        /// The network.
        network: String,
        /// What is wrong with them.
        what: String,
    },
    /// A head, or the upper part of a network, by itself.
    #[error("{network} begins with what another network gives; join them first")]
    Given {
        /// The network.
        network: String,
    },
    /// The other way round.
    #[error("{network} does not read one map, one vector or one picture's tokens that another network gives")]
    NotGiven {
        /// The network.
        network: String,
    },
    /// A model is for pictures of another size.
    #[error(
        "the model takes pictures {expected:?} (channels, height, width), its preprocessing gives {got:?}"
    )]
    PictureSize {
        /// What the model takes.
        expected: [usize; 3],
        /// What the preprocessing gives.
        got: [usize; 3],
    },
    /// A model has other inputs than it was given.
    #[error("the model has {expected} inputs of prepared pictures, got {got}")]
    Inputs {
        /// Its inputs.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// Not as many bytes or numbers as pictures of this size have.
    #[error("expected {expected} values for {samples} pictures, got {got}")]
    InputLength {
        /// Pictures.
        samples: usize,
        /// Values that these have.
        expected: usize,
        /// Values that came.
        got: usize,
    },
    /// One picture's intermediate results do not fit into memory.
    #[error(
        "running {network} on one picture of {width}×{height} pixels needs about {mebibytes} MiB, which this machine does not give; use a smaller picture"
    )]
    OutOfMemory {
        /// The network.
        network: String,
        /// Rows of the picture.
        height: usize,
        /// Columns of the picture.
        width: usize,
        /// What one picture needs at once, about.
        mebibytes: usize,
    },
    /// One text's intermediate results do not fit into memory.
    #[error(
        "running {network} on a text of {tokens} tokens needs about {mebibytes} MiB, which this machine does not give; use a smaller --max-tokens"
    )]
    OutOfMemoryForText {
        /// The network.
        network: String,
        /// Of the text.
        tokens: usize,
        /// What it needs at once, about.
        mebibytes: usize,
    },
    /// No worker could be started.
    #[error("cannot start a worker: {0}")]
    Worker(#[from] rayon::ThreadPoolBuildError),
    /// The kernels for cards do no attention with heads like these.
    #[error("cannot run `{node}` of {network} on a card: heads are {depth} deep; {most}; use --device cpu")]
    HeadDepth {
        /// The network.
        network: String,
        /// The node.
        node: String,
        /// Numbers of a head.
        depth: usize,
        /// Which heads they do.
        most: &'static str,
    },
    /// A card could not do its part.
    #[error(transparent)]
    Card(#[from] crate::cuda::CardError),
    /// candle could not run a step.
    #[error("cannot run `{node}` of {network}: {source}")]
    Step {
        /// The network.
        network: String,
        /// The node.
        node: String,
        /// What candle said.
        source: Box<candle_core::Error>,
    },
}
