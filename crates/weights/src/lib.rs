//! Tensors by name: weight files, the names that ecosystems give to the same tensors, and networks bound to their weights.
//!
//! A format is one file in `formats` that implements [`Tensors`], and one arm in [`open`].
//!
//! **Invariant:** a [`Bound`] has a finite f32 tensor of the right shape for every parameter of its network, and no
//! variance in it is negative.
#![forbid(unsafe_code)]

mod attention;
mod bound;
mod compare;
mod dense;
mod error;
mod formats;
mod naming;
mod numbers;
pub mod protobuf;
mod slot;
mod tensors;
mod turn;

pub use attention::{AttentionPool, Places};
pub use bound::Bound;
pub use compare::{Comparison, compare, copies, dialect};
pub use dense::{Dense, head_graph};
pub use error::{Misfit, WeightError};
pub use formats::{
    KerasGroups, Numbers, OnnxFile, SafetensorsFile, StoredTensor, file_of, gguf_metadata, is_onnx, open,
    open_for,
};
pub use tensors::{Tensor, Tensors};
pub use turn::{restored, stored};
