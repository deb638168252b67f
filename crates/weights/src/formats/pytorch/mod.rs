//! PyTorch's checkpoints, read as data: zip archives since 1.6, and the files before.
//!
//! A checkpoint is a pickle, a program that builds objects, and the raw numbers of its storages. [`machine`] follows that
//! program, [`rebuild`] knows the few names that stand for tensors and dictionaries, and [`find`] looks for tensors in what
//! came out.
//!
//! **Invariant:** nothing that a file names is called. What is not known is a value with a name.
//!
//! **Invariant:** memory and time are bounded by the length of a pickle, and by [`limits`]. Nothing here recurses.

mod dtype;
mod file;
mod find;
mod layout;
mod legacy;
mod limits;
mod machine;
mod names;
mod reader;
mod rebuild;
mod values;
mod zipped;

pub(super) use file::PytorchFile;
