//! MXNet's `.params`, as `save_parameters` and `export` write them: arrays, one after the other, and then their names.
//!
//! The layout is that of `NDArray::Save` in MXNet's src/ndarray/ndarray.cc. All numbers are little-endian.

use super::cursor::Cursor;
use crate::{
    Tensor, Tensors, WeightError,
    numbers::{Number, count, finite},
};
use std::{collections::BTreeMap, ops::Range};
use store::{MappedFile, brief::shortened};

/// How a file begins: `kMXAPINDArrayListMagic`, and eight bytes that mean nothing.
pub(super) const MAGIC: [u8; 16] = [0x12, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// How an array begins since MXNet 0.12; the last one is that of NumPy's shapes.
const VERSION_1: u32 = 0xF993_FAC8;
const VERSION_2: u32 = 0xF993_FAC9;
const VERSION_3: u32 = 0xF993_FACA;
/// Arrays of a file.
const MOST_ARRAYS: u64 = 100_000;
/// Bytes of a name.
const MOST_NAME: u64 = 1024;
/// Axes of an array.
const MOST_AXES: u32 = 32;

/// A file of MXNet's arrays. They are converted when they are asked for.
pub(super) struct MxnetFile {
    label: String,
    map: MappedFile,
    arrays: BTreeMap<String, Array>,
}

struct Array {
    /// `type_flag` of mshadow.
    kind: u32,
    shape: Vec<usize>,
    range: Range<usize>,
}

impl MxnetFile {
    /// Finds the arrays of a file; none is read yet. `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub(super) fn mapped(label: String, map: MappedFile) -> Result<MxnetFile, WeightError> {
        match arrays(&map) {
            Ok(arrays) => Ok(MxnetFile { label, map, arrays }),
            Err(reason) => Err(WeightError::Unusable { file: label, format: "MXNet", reason }),
        }
    }
}

impl Tensors for MxnetFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.arrays.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.arrays.get(name).map(|array| array.shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(Array { kind, shape, range }) = self.arrays.get(name) else {
            return Ok(None);
        };
        let Ok((Some(number), _)) = stored(*kind) else {
            let (file, tensor, got) = (self.label.clone(), name.to_owned(), whole(*kind).to_owned());
            return Err(WeightError::Dtype { file, tensor, got });
        };
        let data = finite(&self.label, name, number.widen(&self.map[range.clone()]))?;
        Ok(Some(Tensor { shape: shape.clone(), data }))
    }
}

/// How a type's numbers are read, if they are floats, and the bytes of one.
fn stored(kind: u32) -> Result<(Option<Number>, usize), String> {
    let float = |number: Number| Ok((Some(number), number.size()));
    match kind {
        0 => float(Number::F32),
        1 => float(Number::F64),
        2 => float(Number::F16),
        12 => float(Number::BF16),
        3 | 5 | 7 => Ok((None, 1)),
        4 => Ok((None, 4)),
        6 => Ok((None, 8)),
        other => Err(format!("it holds an array of an unknown type, {other}")),
    }
}

/// Types that are no floats, as safetensors spells them.
fn whole(kind: u32) -> &'static str {
    match kind {
        3 => "U8",
        4 => "I32",
        5 => "I8",
        6 => "I64",
        _ => "BOOL",
    }
}

/// The arrays of a file by name.
fn arrays(file: &[u8]) -> Result<BTreeMap<String, Array>, String> {
    let cut_short = "it ends within an array or a name; it may be cut short";
    let mut at = At(Cursor { file, at: MAGIC.len(), cut_short });
    let length = at.0.u64()?;
    if length > MOST_ARRAYS {
        return Err(format!("it says that it holds {length} arrays; expected up to {MOST_ARRAYS}"));
    }
    let arrays = (0..length).map(|_| at.array()).collect::<Result<Vec<Array>, String>>()?;
    let named = at.0.u64()?;
    if named != length {
        return Err(format!("it holds {length} arrays and {named} names"));
    }
    let mut found = BTreeMap::new();
    for array in arrays {
        let name = at.name()?;
        if found.contains_key(name) {
            return Err(format!("the array `{}` is there twice", shortened(name)));
        }
        found.insert(name.to_owned(), array);
    }
    Ok(found)
}

struct At<'a>(Cursor<'a>);

impl<'a> At<'a> {
    fn array(&mut self) -> Result<Array, String> {
        let version = self.0.u32()?;
        if !matches!(version, VERSION_1 | VERSION_2 | VERSION_3) {
            return Err("it was written by an MXNet before 0.12; load it with a later one and save it anew"
                .to_owned());
        }
        // -1 and 0 are dense.
        if version != VERSION_1 && self.0.u32()?.cast_signed() > 0 {
            return Err("it holds a sparse array; expected dense ones".to_owned());
        }
        let axes = self.0.u32()?;
        // What has no shape yet: nothing follows.
        if axes == if version == VERSION_3 { u32::MAX } else { 0 } {
            return Err(
                "it holds an array without numbers: initialize the network, and save it anew".to_owned()
            );
        }
        if axes > MOST_AXES {
            return Err(format!("it holds an array of {axes} axes; expected up to {MOST_AXES}"));
        }
        let shape = (0..axes)
            .map(|_| usize::try_from(self.0.u64()?).map_err(|_| too_large()))
            .collect::<Result<Vec<usize>, String>>()?;
        let _device = self.0.u64()?;
        let kind = self.0.u32()?;
        let (_, size) = stored(kind)?;
        let bytes = count(&shape).and_then(|count| count.checked_mul(size)).ok_or_else(too_large)?;
        let start = self.0.at;
        self.0.take(bytes as u64)?;
        Ok(Array { kind, shape, range: start..self.0.at })
    }

    /// A name, without what `export` says of its use.
    fn name(&mut self) -> Result<&'a str, String> {
        let length = self.0.u64()?;
        if length > MOST_NAME {
            return Err(format!("the name of an array has more than {MOST_NAME} bytes"));
        }
        let name = self.0.take(length)?;
        let name = std::str::from_utf8(name).map_err(|_| "the name of an array is no UTF-8".to_owned())?;
        Ok(name.strip_prefix("arg:").or(name.strip_prefix("aux:")).unwrap_or(name))
    }
}

fn too_large() -> String {
    "it holds an array that is too large".to_owned()
}
