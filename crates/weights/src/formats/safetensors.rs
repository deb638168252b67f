//! A safetensors file: what it holds, and its tensors as f32.

use crate::{
    Tensor, Tensors, WeightError,
    numbers::{Number, finite},
};
use ::safetensors::{Dtype, SafeTensors};
use std::{collections::BTreeMap, ops::Range};
use store::{MappedFile, check_header};

/// A weight file, mapped, its header checked. Tensors are converted when they are asked for.
pub struct SafetensorsFile {
    label: String,
    bytes: Bytes,
    stored: BTreeMap<String, Stored>,
    metadata: BTreeMap<String, String>,
}

enum Bytes {
    Mapped(MappedFile),
    Embedded(&'static [u8]),
}

struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    range: Range<usize>,
}

impl SafetensorsFile {
    /// Checks the header of a file; no tensor is read yet. `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub fn mapped(label: String, file: MappedFile) -> Result<SafetensorsFile, WeightError> {
        SafetensorsFile::new(label, Bytes::Mapped(file))
    }

    /// The same from bytes that are part of the program.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub fn embedded(label: &str, bytes: &'static [u8]) -> Result<SafetensorsFile, WeightError> {
        SafetensorsFile::new(label.to_owned(), Bytes::Embedded(bytes))
    }

    /// The header's `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    fn new(label: String, bytes: Bytes) -> Result<SafetensorsFile, WeightError> {
        let fail =
            |reason: String| WeightError::Unusable { file: label.clone(), format: "safetensors", reason };
        let all = bytes.get();
        check_header(all).map_err(fail)?;
        // The header is eight bytes of length and so many of JSON; it is checked that the tensors fill the rest.
        let (header, metadata) = SafeTensors::read_metadata(all).map_err(|error| fail(reason(&error)))?;
        let start = all.len() - metadata.data_len();
        debug_assert_eq!(start, header + 8);
        let stored = metadata.tensors().into_iter().map(|(name, info)| {
            let (from, to) = info.data_offsets;
            (name, Stored { dtype: info.dtype, shape: info.shape.clone(), range: start + from..start + to })
        });
        let stored = stored.collect();
        let metadata = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(SafetensorsFile { label, bytes, stored, metadata })
    }
}

impl Tensors for SafetensorsFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.stored.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.stored.get(name).map(|stored| stored.shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(stored) = self.stored.get(name) else {
            return Ok(None);
        };
        let bytes = &self.bytes.get()[stored.range.clone()];
        let number = match stored.dtype {
            Dtype::F64 => Number::F64,
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::BF16,
            other => {
                let got = format!("{other:?}");
                return Err(WeightError::Dtype { file: self.label.clone(), tensor: name.to_owned(), got });
            }
        };
        let data = finite(&self.label, name, number.widen(bytes))?;
        Ok(Some(Tensor { shape: stored.shape.clone(), data }))
    }
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Embedded(bytes) => bytes,
        }
    }
}

/// safetensors' errors are names of enum variants; say what users can act upon.
fn reason(error: &::safetensors::SafeTensorError) -> String {
    use ::safetensors::SafeTensorError as E;
    match error {
        E::HeaderTooSmall => "it is too short to hold a header".to_owned(),
        E::HeaderTooLarge | E::InvalidHeaderLength => "its header would be longer than the file".to_owned(),
        E::InvalidHeader(_) | E::InvalidHeaderDeserialization(_) => {
            "its header is not safetensors' JSON".to_owned()
        }
        E::MetadataIncompleteBuffer => "it was cut short or has bytes too many".to_owned(),
        other => other.to_string(),
    }
}
