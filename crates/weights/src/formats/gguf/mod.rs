//! GGUF, the files of llama.cpp and of what stands on GGML.

mod file;
mod header;
mod kind;

pub(super) use file::GgufFile;

use crate::WeightError;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use store::MappedFile;

/// What a file says of its model, by ggml's keys; `None` where it is no GGUF file.
///
/// # Errors
/// Where it cannot be read, or its header is damaged.
pub fn gguf_metadata(path: &Path) -> Result<Option<BTreeMap<String, Value>>, WeightError> {
    let file = MappedFile::open(path)?;
    if super::Kind::of(&file[..file.len().min(super::kind::FIRST)]) != super::Kind::Gguf {
        return Ok(None);
    }
    let failed = |reason| WeightError::Unusable { file: path.display().to_string(), format: "GGUF", reason };
    header::metadata(&file).map(Some).map_err(failed)
}
