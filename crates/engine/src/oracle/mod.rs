//! The oracles, on plain candle: what our own engines, and the files that we write, are held against. They hurry nowhere
//! but in convolutions and products.

mod convolution;
mod interpreter;
mod loops;
mod operations;
mod reference;
mod texts;

pub use interpreter::Interpreter;
pub use reference::Reference;
