//! What every weight file is to its readers.

use crate::WeightError;

/// Some numbers and their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Row-major.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub data: Vec<f32>,
}

/// Named tensors that are converted to f32 when they are asked for.
pub trait Tensors {
    /// The path, or what stands for it in errors.
    fn label(&self) -> &str;

    /// The names of all tensors, sorted by bytes.
    fn names(&self) -> Vec<&str>;

    /// The shape of a tensor.
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// A tensor as f32, whatever it is stored as; `None` where there is no such tensor.
    ///
    /// # Errors
    /// [`WeightError::Dtype`] or [`WeightError::NotFinite`].
    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError>;
}
