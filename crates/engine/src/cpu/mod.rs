//! Our own engine on the processor: a network is compiled once, for one size of picture, to steps of fused kernels.
//!
//! Maps lie channels last, in blocks of sixteen channels. Every kernel is written once, over such blocks, and compiled
//! for each instruction set.
//!
//! **Invariant:** the bits of a feature depend on its picture, the weights, the preprocessing and the tap alone: not on
//! the batch, the threads or the instruction set. Each number is made by one chain of operations, each rounded as
//! IEEE 754 says, in an order that the layer's shape fixes.

mod attention;
mod chain;
mod compile;
mod conv;
mod crew;
mod depthwise;
mod engine;
mod form;
mod functions;
mod gemm;
mod lanes;
mod lines;
mod maps;
mod memory;
mod norm;
mod pairs;
mod parallel;
mod plan;
mod rearrange;
mod response;
mod simd;
mod text_attention;
mod texts;
mod winograd;

pub use engine::Cpu;
pub use simd::Isa;
