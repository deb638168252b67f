//! A safetensors file: what it holds, and its tensors as f32.

use crate::{Tensor, Tensors, WeightError};
use ::safetensors::{Dtype, SafeTensors};
use half::{bf16, f16};
use std::{collections::BTreeMap, ops::Range, path::Path};
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
    /// Maps a file and checks its header; no tensor is read yet.
    ///
    /// # Errors
    /// [`WeightError::Open`] or [`WeightError::NotSafetensors`].
    pub fn open(path: &Path) -> Result<SafetensorsFile, WeightError> {
        SafetensorsFile::new(path.display().to_string(), Bytes::Mapped(MappedFile::open(path)?))
    }

    /// The same from bytes that are part of the program; `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`WeightError::NotSafetensors`].
    pub fn embedded(label: &str, bytes: &'static [u8]) -> Result<SafetensorsFile, WeightError> {
        SafetensorsFile::new(label.to_owned(), Bytes::Embedded(bytes))
    }

    /// The header's `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    fn new(label: String, bytes: Bytes) -> Result<SafetensorsFile, WeightError> {
        let fail = |reason: String| WeightError::NotSafetensors { file: label.clone(), reason };
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
        let data = match stored.dtype {
            Dtype::F32 => widen(bytes, f32::from_le_bytes),
            Dtype::F16 => widen(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => widen(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
            Dtype::F64 => widen(bytes, |b| f64::from_le_bytes(b) as f32),
            other => {
                let got = format!("{other:?}");
                return Err(WeightError::Dtype { file: self.label.clone(), tensor: name.to_owned(), got });
            }
        };
        if let Some(index) = data.iter().position(|value| !value.is_finite()) {
            let (file, tensor, value) = (self.label.clone(), name.to_owned(), data[index]);
            return Err(WeightError::NotFinite { file, tensor, index, value });
        }
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

fn widen<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
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
