//! What can be wrong with weights.

use artifact::MapError;

/// Weights that do not fit, or cannot be read. Every variant names the tensor it is about.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] MapError),
    /// The file is no safetensors file, or a broken one.
    #[error("`{file}` is not a usable safetensors file: {reason}")]
    NotSafetensors {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor is needed and not there.
    #[error("`{file}` lacks the tensor `{tensor}`{} that {network} needs{}", and_more(*.more), advice(.hint.as_deref()))]
    Missing {
        /// The file.
        file: String,
        /// The first missing tensor, by the name the file would give it.
        tensor: String,
        /// How many more are missing.
        more: usize,
        /// The network.
        network: String,
        /// What the file is good for, where that is known.
        hint: Option<String>,
    },
    /// A tensor is there that the network has no place for.
    #[error("`{file}` holds the tensor `{tensor}`{} that {network} has no place for{}", and_more(*.more), advice(.hint.as_deref()))]
    Extra {
        /// The file.
        file: String,
        /// The first such tensor.
        tensor: String,
        /// How many more there are.
        more: usize,
        /// The network.
        network: String,
        /// What the file is good for, where that is known.
        hint: Option<String>,
    },
    /// A tensor has another shape.
    #[error("`{file}`: the tensor `{tensor}`{} should have the shape {expected:?} for {network}, got {got:?}{}", and_more(*.more), advice(.hint.as_deref()))]
    Shape {
        /// The file.
        file: String,
        /// The first such tensor.
        tensor: String,
        /// How many more there are.
        more: usize,
        /// The network.
        network: String,
        /// The shape that is needed.
        expected: Vec<usize>,
        /// The shape in the file.
        got: Vec<usize>,
        /// What the file is good for, where that is known.
        hint: Option<String>,
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
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more)") }
}

fn advice(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}
