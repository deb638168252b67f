//! One model in several files, as Hugging Face's `model.safetensors.index.json` lists them.

use super::open_plain;
use crate::{Tensor, Tensors, WeightError};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Component, Path},
};
use store::read_file;

/// The files, opened, and which of them holds each tensor.
pub(super) struct Sharded {
    label: String,
    files: Vec<Box<dyn Tensors>>,
    /// Name of a tensor → its file.
    held: BTreeMap<String, usize>,
}

/// What is read of an index.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Bytes of an index: names of hundreds of thousands of tensors.
const MOST_INDEX: u64 = 32 << 20;
/// Files of one model.
const MOST_FILES: usize = 1 << 10;

impl Sharded {
    /// Opens an index and all files that it names, which lie beside it.
    pub(super) fn open(path: &Path) -> Result<Sharded, WeightError> {
        let label = path.display().to_string();
        let fail = |reason: String| WeightError::Unusable { file: label.clone(), format: "index", reason };
        let bytes = read_file(path, MOST_INDEX)?;
        let Index { weight_map } = serde_json::from_slice(&bytes).map_err(|error| {
            fail(format!(
                "it has no `weight_map` from tensors to files: {}",
                store::brief::cut(&error.to_string(), 200)
            ))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (mut files, mut places, mut held) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (tensor, file) in weight_map {
            let at = match places.get(&file) {
                Some(at) => *at,
                None => {
                    if !is_plain(&file) || places.len() == MOST_FILES {
                        let file = store::brief::shortened(&file);
                        return Err(fail(format!(
                            "it names the file `{file}`; expected up to {MOST_FILES} names of files beside it"
                        )));
                    }
                    if is_index(Path::new(&file)) {
                        let file = store::brief::shortened(&file);
                        return Err(fail(format!(
                            "it names the index `{file}`; a shard should be a file of weights"
                        )));
                    }
                    files.push(open_plain(&folder.join(&file))?);
                    places.insert(file, files.len() - 1);
                    files.len() - 1
                }
            };
            if files[at].shape(&tensor).is_none() {
                let tensor = store::brief::shortened(&tensor);
                return Err(fail(format!(
                    "`{}` lacks the tensor `{tensor}` that it should hold",
                    files[at].label()
                )));
            }
            held.insert(tensor, at);
        }
        Ok(Sharded { label, files, held })
    }
}

impl Tensors for Sharded {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.held.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.files[*self.held.get(name)?].shape(name)
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        self.held.get(name).map_or(Ok(None), |at| self.files[*at].read(name))
    }
}

/// Whether a file is called as an index is.
pub(super) fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".index.json"))
}

/// Whether it is the name of a file in the same folder.
fn is_plain(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !file.contains(['/', '\\'])
}
