//! The formats of weight files, a file each, and what opens any of them.

mod kind;
mod onnx;
mod safetensors;

pub use onnx::{Numbers, OnnxFile, StoredTensor};
pub use safetensors::SafetensorsFile;

use crate::{Tensors, WeightError};
use kind::Kind;
use network::zoo::Entry;
use std::path::Path;
use store::MappedFile;

/// Opens a weight file; no tensor is read yet.
///
/// # Errors
/// Where it cannot be read, or is of no format that is known.
pub fn open(path: &Path) -> Result<Box<dyn Tensors>, WeightError> {
    let (file, label) = (MappedFile::open(path)?, path.display().to_string());
    Ok(match Kind::of(&file[..file.len().min(kind::FIRST)]) {
        Kind::Safetensors => Box::new(SafetensorsFile::mapped(label, file)?),
        Kind::Onnx => Box::new(OnnxFile::mapped(path, file)?),
        Kind::Other(found) => return Err(WeightError::Unknown { file: label, found: found.to_owned() }),
    })
}

/// The weights to run a network with: those of the file that the user gives, else those that come with Headstart; `None`
/// where there are neither.
///
/// # Errors
/// As [`open`].
pub fn open_for(entry: &Entry, given: Option<&Path>) -> Result<Option<Box<dyn Tensors>>, WeightError> {
    match (given, entry.weights) {
        (Some(path), _) => open(path).map(Some),
        (None, Some(bytes)) => Ok(Some(Box::new(SafetensorsFile::embedded(entry.name, bytes)?))),
        (None, None) => Ok(None),
    }
}
