//! Networks as plain data: graphs, and the zoo of known ones.
//!
//! One definition of a network serves every reader: the engines, the oracles, the ONNX writer. This crate runs nothing and
//! knows no tensor library; a [`Network`] has no weights.
//!
//! **Invariant:** a [`Network`] is well-formed from the moment it exists: nodes stand after the nodes they read, every
//! id points at something, and the bytes of all parameters together can be counted.

#![forbid(unsafe_code)]

mod assembly;
mod attending;
mod builder;
mod check;
mod cost;
mod dialect;
mod entry;
mod error;
pub mod families;
mod graph;
mod infer;
mod join;
mod op;
pub mod positions;
mod shape;
mod taps;
mod window;
mod windows;
pub mod zoo;

pub use assembly::Assembly;
pub use attending::{Distances, Pairs, Reach, Rotary, Scaling, TextAttention};
pub use builder::Builder;
pub use dialect::{Dialect, Stored, Turn};
pub use error::{NetworkError, nearest};
pub use graph::{Network, Node, NodeId, Param, ParamId, Tap, as_written};
pub use op::{Activation, By, Conv, Interpolation, Op};
pub use shape::Shape;
pub use taps::without_pooling;
pub use window::{Axis, Padding, Pair, Pool, Window};
pub use windows::Windows;
