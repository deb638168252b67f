//! Networks as plain data: graphs, the zoo's families, weight names of each ecosystem, weight files, ONNX.
//!
//! One definition of a network serves every reader: the CPU engine, the reference executor, and the ONNX writer. This
//! crate runs nothing and knows no tensor library; a [`Network`] has no weights, a [`Bound`] has all it needs.
//!
//! **Invariant:** a [`Network`] is well-formed from the moment it exists: nodes stand after the nodes they read, every
//! id points at something, and the bytes of all parameters together can be counted.
//! **Invariant:** a [`Bound`] has a finite f32 tensor of the right shape for every parameter of its network, and no
//! variance in it is negative.

#![forbid(unsafe_code)]

mod builder;
mod check;
mod cost;
mod error;
mod families;
mod graph;
pub mod onnx;
mod op;
pub mod positions;
mod shape;
mod taps;
mod weights;
pub mod zoo;

pub use builder::Builder;
pub use error::NetworkError;
pub use families::{
    convnext, densenet, efficientnet, mobilenet_v2, mobilenet_v3, mobilenet_v4, regnet, resnet, squeezenet,
    swin, vgg, vit,
};
pub use graph::{Network, Node, NodeId, Param, ParamId, Tap};
pub use op::{Activation, Conv, Interpolation, Op, Pool};
pub use shape::Shape;
pub use weights::{Bound, Misfit, Tensor, WeightError, WeightFile};
