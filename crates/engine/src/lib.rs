//! Runs networks. [`Cpu`] is the engine that people wait for; [`Reference`], on plain candle, is the oracle that it is
//! compared against. [`Interpreter`] runs ONNX files that Headstart wrote, to check them.
//!
//! This crate knows graphs and weights, and no file, picture format or command line.
//!
//! **Invariant:** the bits of a feature depend on its picture, the weights, the preprocessing and the tap, but not on
//! what else was in the batch, nor on the threads, nor (with [`Cpu`]) on the processor's instruction set.

#![deny(unsafe_code)]

mod attend;
mod convolution;
#[expect(unsafe_code, reason = "kernels")]
mod cpu;
mod error;
mod interpreter;
mod ops;
mod reference;
mod windows;

pub use cpu::{Cpu, Isa};
pub use error::EngineError;
pub use interpreter::Interpreter;
pub use reference::Reference;

/// Goes into every artefact; changes whenever an engine's bits do.
pub const REVISION: &str = "cpu-2";
