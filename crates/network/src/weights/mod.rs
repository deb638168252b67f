//! Weight files, the names that ecosystems give to the same tensors, and networks bound to their weights.

mod bound;
mod error;
mod file;
mod naming;

pub use bound::{Bound, Tensor};
pub use error::{Misfit, WeightError};
pub use file::WeightFile;
