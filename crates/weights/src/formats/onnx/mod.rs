//! ONNX files: their initializers by name, and what whoever reads their graphs needs.

mod file;
mod stored;

pub use file::OnnxFile;
pub use stored::{Numbers, StoredTensor};
