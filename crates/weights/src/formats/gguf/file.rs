//! The file: mapped, its header checked.

use super::{
    header::{self, Entry},
    kind::{Kind, NotRead},
};
use crate::{Tensor, Tensors, WeightError, numbers::finite};
use std::{collections::BTreeMap, ops::Range};
use store::{MappedFile, brief::shortened};

/// A GGUF file. Tensors are converted when they are asked for; blocks are dequantised by candle.
pub(crate) struct GgufFile {
    label: String,
    map: MappedFile,
    entries: BTreeMap<String, Entry>,
}

impl GgufFile {
    /// Checks the header; no tensor is read yet. `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub(crate) fn mapped(label: String, map: MappedFile) -> Result<GgufFile, WeightError> {
        let entries = header::read(&map).and_then(|entries| apart(&entries).map(|()| entries));
        match entries {
            Ok(entries) => Ok(GgufFile { label, map, entries }),
            Err(reason) => Err(WeightError::Unusable { file: label, format: "GGUF", reason }),
        }
    }
}

impl Tensors for GgufFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(Entry { kind, shape, range }) = self.entries.get(name) else {
            return Ok(None);
        };
        let bytes = self.map.get(range.clone()).unwrap_or_default();
        let data = kind.widen(bytes, shape.iter().product()).map_err(|not_read| match not_read {
            NotRead::Whole(got) => {
                WeightError::Dtype { file: self.label.clone(), tensor: name.to_owned(), got }
            }
            NotRead::Unread(got) => WeightError::Unusable {
                file: self.label.clone(),
                format: "GGUF",
                reason: format!(
                    "the tensor `{}` is stored as {got}; expected one of {}",
                    shortened(name),
                    Kind::read()
                ),
            },
        })?;
        let data = finite(&self.label, name, data)?;
        Ok(Some(Tensor { shape: shape.clone(), data }))
    }
}

/// That no byte belongs to two tensors: all of them then take no longer to read than the file is long.
fn apart(entries: &BTreeMap<String, Entry>) -> Result<(), String> {
    let mut ranges: Vec<(&Range<usize>, &str)> =
        entries.iter().map(|(name, entry)| (&entry.range, name.as_str())).collect();
    ranges.retain(|(range, _)| !range.is_empty());
    ranges.sort_by_key(|(range, _)| range.start);
    match ranges.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
        None => Ok(()),
        Some(pair) => {
            let (first, second) = (shortened(pair[0].1), shortened(pair[1].1));
            Err(format!("the tensors `{first}` and `{second}` share bytes"))
        }
    }
}
