//! The formats of weight files, a file each, and what opens any of them.

mod cursor;
mod folder;
mod gguf;
mod hdf5;
mod kind;
mod mxnet;
mod onnx;
mod pytorch;
mod safetensors;
mod sharded;
mod zip;

pub use gguf::gguf_metadata;
pub use onnx::{Numbers, OnnxFile, StoredTensor};
pub use safetensors::SafetensorsFile;

use crate::{Tensors, WeightError};
use gguf::GgufFile;
use hdf5::Hdf5File;
pub use hdf5::KerasGroups;
use kind::Kind;
use mxnet::MxnetFile;
use network::zoo::Entry;
use pytorch::PytorchFile;
use sharded::Sharded;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};
use store::MappedFile;
use zip::Zip;

/// Opens a weight file, or the weights of a folder; no tensor is read yet.
///
/// # Errors
/// Where it cannot be read, or is of no format that is known.
pub fn open(path: &Path) -> Result<Box<dyn Tensors>, WeightError> {
    open_file(&file_of(path)?)
}

/// The file that weights lie in: `path`, or the one of that folder.
///
/// # Errors
/// Where the folder has none, or several.
pub fn file_of(path: &Path) -> Result<PathBuf, WeightError> {
    if path.is_dir() { folder::weights_of(path) } else { Ok(path.to_owned()) }
}

/// Whether a file is an ONNX model, by its first bytes. `None` where they tell nothing, or cannot be read.
pub fn is_onnx(path: &Path) -> Option<bool> {
    let mut first = Vec::new();
    let file = path.is_file().then(|| File::open(path).ok()).flatten()?;
    file.take(kind::FIRST as u64).read_to_end(&mut first).ok()?;
    match Kind::of(&first) {
        Kind::Onnx => Some(true),
        Kind::Other(kind::UNKNOWN) => None,
        _ => Some(false),
    }
}

fn open_file(path: &Path) -> Result<Box<dyn Tensors>, WeightError> {
    if sharded::is_index(path) { Ok(Box::new(Sharded::open(path)?)) } else { open_plain(path) }
}

/// Opens one file, which is no index of others: a shard is opened so, and an index cannot name itself.
fn open_plain(path: &Path) -> Result<Box<dyn Tensors>, WeightError> {
    let (file, label) = (MappedFile::open(path)?, path.display().to_string());
    Ok(match Kind::of(&file[..file.len().min(kind::FIRST)]) {
        Kind::Gguf => Box::new(GgufFile::mapped(label, file)?),
        Kind::Hdf5 => Box::new(Hdf5File::mapped(label, file)?),
        Kind::Mxnet => Box::new(MxnetFile::mapped(label, file)?),
        Kind::Safetensors => Box::new(SafetensorsFile::mapped(label, file)?),
        Kind::Zip => {
            let zip = Zip::read(&file).map_err(|reason| WeightError::Unusable {
                file: label.clone(),
                format: "zip",
                reason,
            })?;
            if zip.entry(hdf5::WEIGHTS).is_some() {
                Box::new(Hdf5File::in_keras(label, file, &zip)?)
            } else {
                Box::new(PytorchFile::zipped(label, file, &zip)?)
            }
        }
        Kind::Pickle => Box::new(PytorchFile::legacy(label, file)?),
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
