//! Why a network does not learn.

use network::NetworkError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The network does not take such inputs.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Nothing goes back through a step.
    #[error("`{node}` of {network} looks tokens up, and only what stands behind that can learn")]
    Lookup {
        /// What the zoo calls it.
        network: String,
        /// The step.
        node: String,
    },
    /// What was given is of another length.
    #[error("{network} reads {expected} numbers at `{node}` for such a batch, got {got}")]
    Length {
        /// What the zoo calls it.
        network: String,
        /// What reads, or is asked back from.
        node: String,
        /// Numbers.
        expected: usize,
        /// Numbers.
        got: usize,
    },
    /// There is nothing to run.
    #[error("{network} was given no sample")]
    Empty {
        /// What the zoo calls it.
        network: String,
    },
    /// Texts do not end where they should.
    #[error(
        "{network} reads texts one after the other: where they end must ascend, with one end for each of {samples}"
    )]
    Ends {
        /// What the zoo calls it.
        network: String,
        /// How many texts.
        samples: usize,
    },
    /// Another number of inputs or outputs.
    #[error("{network} has {expected} {what}, got {got}")]
    Count {
        /// What the zoo calls it.
        network: String,
        /// `inputs` or `outputs`.
        what: &'static str,
        /// How many there are.
        expected: usize,
        /// How many were given.
        got: usize,
    },
}
