//! ONNX files of other programs as networks of ours, with their weights.
//!
//! A graph is read once, node by node, for pictures of one size. Shapes and other constants are worked out on the way.
//! Every value that depends on the picture is a node of ours in some [view](view), with what is still
//! [pending](value::Pending) on its numbers. So it does not matter how an exporter spells an activation, a layer norm or
//! attention, nor where it turns its tensors.
//!
//! **Invariant:** what is not known is named, and never guessed: it stops whatever depends on it, and nothing else.
//!
//! **Invariant:** a hostile file costs memory and time in proportion to its length, and at most 2²² numbers of constants
//! beside.

mod constant;
mod element;
mod error;
mod finish;
mod fold;
mod function;
mod importer;
mod model;
mod ops;
mod settle;
mod source;
mod value;
mod view;
mod whole;

pub use error::ImportError;
pub use source::{Imported, Layout, Options, Source, import};
