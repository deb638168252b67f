//! Runs networks. For now there is one engine, [`Reference`], on plain candle: the oracle that faster ones are
//! compared against.
//!
//! This crate knows graphs and weights, and no file, picture format or command line.
//!
//! **Invariant:** the bits of a feature depend on its picture, the weights, the preprocessing and the tap (and, until
//! our own kernels are here, on the processor's kind), but not on what else was in the batch, nor on the threads.

#![forbid(unsafe_code)]

mod convolution;
mod error;
mod ops;
mod reference;

pub use error::EngineError;
pub use reference::Reference;

/// Goes into every artefact; changes whenever an engine's bits do.
pub const REVISION: &str = "reference-1";
