//! What can be wrong with weights.

use store::MapError;

/// Weights that do not fit, or cannot be read. Every variant names the tensor it is about.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] MapError),
    /// The file is broken, or holds what is not read.
    #[error("`{file}` is not a usable {format} file: {reason}")]
    Unusable {
        /// The file.
        file: String,
        /// The format that its first bytes say.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is something else.
    #[error("`{file}` holds no weights that are read: {found}")]
    Unknown {
        /// The file.
        file: String,
        /// What it is, and what to do about it.
        found: String,
    },
    /// A tensor is needed and not there.
    #[error("`{}` lacks the tensor {} that {} needs{}", .0.file, .0.tensors(), .0.network, .0.advice())]
    Missing(Box<Misfit>),
    /// A tensor is there that the network has no place for.
    #[error("`{}` holds the tensor {} that {} has no place for{}", .0.file, .0.tensors(), .0.network, .0.advice())]
    Extra(Box<Misfit>),
    /// A tensor has another shape.
    #[error("`{}`: the tensor {} should have the shape {expected:?} for {}, got {got:?}{}", .misfit.file, .misfit.tensors(), .misfit.network, .misfit.advice())]
    Shape {
        /// The file, the network and the tensor.
        misfit: Box<Misfit>,
        /// The shape that is needed.
        expected: Vec<usize>,
        /// The shape in the file.
        got: Vec<usize>,
    },
    /// A tensor is stored in numbers that are no floats we know.
    #[error("`{file}`: the tensor `{tensor}` is stored as {got}; expected F32, F16, BF16 or F64")]
    Dtype {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its dtype, as safetensors spells it.
        got: String,
    },
    /// A tensor holds a NaN, an infinity, or a number beyond f32.
    #[error("`{file}`: the tensor `{tensor}` holds {value} at place {index}; weights must be finite")]
    NotFinite {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// The first such place, row-major.
        index: usize,
        /// What is there.
        value: f32,
    },
    /// The running variance of a batch norm is negative somewhere, so that its root would be no number.
    #[error("`{file}`: the tensor `{tensor}` holds {value} at place {index}; a variance cannot be negative")]
    NegativeVariance {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// The first such place.
        index: usize,
        /// What is there.
        value: f32,
    },
}

/// How a file does not fit a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The file.
    pub file: String,
    /// The first tensor in question, by the name the file gives it, or would.
    pub tensor: String,
    /// In how many more tensors the same is wrong.
    pub more: usize,
    /// The network.
    pub network: String,
    /// What the file is good for, where that is known.
    pub hint: Option<String>,
}

impl Misfit {
    fn tensors(&self) -> String {
        let Misfit { tensor, more, .. } = self;
        if *more == 0 { format!("`{tensor}`") } else { format!("`{tensor}` (and {more} more)") }
    }

    fn advice(&self) -> String {
        self.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"))
    }
}
