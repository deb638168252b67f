//! A checkpoint: its tensors by name.

use super::{find, layout::Layout, legacy, machine::Built, names::describe, values::Storage, zipped};
use crate::{
    Tensor, Tensors, WeightError,
    formats::zip::{Zip, short},
    numbers::finite,
};
use std::{collections::BTreeMap, ops::Range};
use store::MappedFile;

/// A checkpoint, mapped, with what its pickle says checked. Tensors are converted when they are asked for.
pub(crate) struct PytorchFile {
    label: String,
    file: MappedFile,
    tensors: Found,
}

/// Tensors by name.
pub(super) type Found = BTreeMap<String, Layout>;

/// Why a file is no checkpoint.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is broken, or holds what is not read.
    Unusable(String),
    /// It is something else.
    Unknown(String),
}

impl From<String> for Refused {
    fn from(reason: String) -> Refused {
        Refused::Unusable(reason)
    }
}

impl PytorchFile {
    /// A checkpoint in a zip archive, with the archive's directory.
    ///
    /// # Errors
    /// [`WeightError::Unusable`], [`WeightError::Unknown`].
    pub(crate) fn zipped(label: String, file: MappedFile, zip: &Zip) -> Result<PytorchFile, WeightError> {
        let found = zipped::read(&file, zip);
        PytorchFile::new(label, file, found)
    }

    /// A checkpoint from before there were archives, which begins with a pickle.
    ///
    /// # Errors
    /// As [`zipped`](Self::zipped).
    pub(crate) fn legacy(label: String, file: MappedFile) -> Result<PytorchFile, WeightError> {
        let found = legacy::read(&file);
        PytorchFile::new(label, file, found)
    }

    fn new(
        label: String,
        file: MappedFile,
        found: Result<Found, Refused>,
    ) -> Result<PytorchFile, WeightError> {
        match found {
            Ok(tensors) => Ok(PytorchFile { label, file, tensors }),
            Err(Refused::Unusable(reason)) => {
                Err(WeightError::Unusable { file: label, format: "PyTorch", reason })
            }
            Err(Refused::Unknown(found)) => Err(WeightError::Unknown { file: label, found }),
        }
    }
}

/// The tensors of what a pickle built, each found in the file.
pub(super) fn place(
    built: &Built<'_>,
    locate: &dyn Fn(&Storage) -> Result<Range<usize>, String>,
) -> Result<Found, Refused> {
    let Built { values, root, .. } = built;
    let named = find::tensors(values, *root)?;
    if named.is_empty() {
        let what = describe(values, *root);
        return Err(Refused::Unknown(format!("it holds {what}; save a model's state_dict")));
    }
    let mut found = Found::new();
    for (name, tensor) in named {
        let layout = Layout::new(values, &values.tensors[tensor as usize], locate)
            .map_err(|why| format!("its tensor `{}` {why}", short(&name)))?;
        if found.insert(name.clone(), layout).is_some() {
            return Err(Refused::Unusable(format!("it holds the tensor `{}` twice", short(&name))));
        }
    }
    Ok(found)
}

impl Tensors for PytorchFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|layout| layout.shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(layout) = self.tensors.get(name) else {
            return Ok(None);
        };
        let number = layout.number.map_err(|got| WeightError::Dtype {
            file: self.label.clone(),
            tensor: name.to_owned(),
            got: got.to_owned(),
        })?;
        let data = finite(&self.label, name, layout.read(number, &self.file))?;
        Ok(Some(Tensor { shape: layout.shape.clone(), data }))
    }
}
