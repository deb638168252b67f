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
pub mod cuda;
mod error;
mod fuse;
mod interpreter;
mod ops;
mod reference;
mod windows;

pub use cpu::{Cpu, Isa};
pub use error::EngineError;
pub use interpreter::Interpreter;
pub use reference::Reference;

/// Goes into every artefact; changes whenever an engine's bits do, or those of prepared pictures.
pub const REVISION: &str = "cpu-2";

/// Refuses networks that look at something else than pictures in colour.
fn check_channels(network: &network::Network) -> Result<(), EngineError> {
    if network.nodes().iter().any(|node| matches!(node.op, network::Op::Given { .. })) {
        return Err(EngineError::Given { network: network.name().to_owned() });
    }
    let channels = network.nodes().iter().filter_map(|node| match node.op {
        network::Op::Input { channels } if channels != 3 => Some(channels),
        _ => None,
    });
    match channels.min() {
        Some(channels) => Err(EngineError::Channels { network: network.name().to_owned(), channels }),
        None => Ok(()),
    }
}
