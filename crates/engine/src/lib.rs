//! Runs networks. Every [`Executor`] does: [`Cpu`] is the engine that people wait for, and [`Cuda`](cuda::Cuda) the one on
//! cards; [`Reference`], on plain candle, is the oracle that both are compared against. [`Interpreter`] runs ONNX files that
//! Headstart wrote, to check them.
//!
//! This crate knows graphs and weights, and no file, picture format or command line.
//!
//! **Invariant:** the bits of a feature depend on its picture, the weights, the preprocessing and the tap, but not on
//! what else was in the batch, nor on the threads, nor (with [`Cpu`]) on the processor's instruction set.

#![deny(unsafe_code)]

#[expect(unsafe_code, reason = "kernels")]
mod cpu;
pub mod cuda;
mod error;
mod executor;
mod fuse;
mod oracle;
mod precision;
mod texts;

pub use cpu::{Cpu, Isa};
pub use error::EngineError;
pub use executor::Executor;
pub use oracle::{Interpreter, Reference};
pub use precision::Precision;

/// Goes into every artefact; changes whenever an engine's bits in f32 do, or those of prepared pictures.
pub const REVISION: &str = "cpu-2";

/// The same of a processor's bits in precisions other than f32.
pub const COARSE_REVISION: &str = "cpu-3";
