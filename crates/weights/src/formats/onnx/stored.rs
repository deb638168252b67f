//! A `TensorProto`: what it says of itself, and its numbers.

use crate::{
    numbers::Number,
    protobuf::{Broken, Fields, Wire, numbers, text},
};
use std::{
    ops::Range,
    path::{Component, Path, PathBuf},
};
use store::MappedFile;

/// More axes than any tensor of a network has.
const MOST_AXES: usize = 16;

/// A tensor as a file stores it; its numbers are read when they are asked for.
#[derive(Clone, Debug)]
pub struct StoredTensor {
    /// The initializer's, or none.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
    /// How many numbers that is.
    pub len: usize,
    /// `TensorProto.DataType`.
    dtype: i32,
    data: Data,
}

/// Numbers of a stored tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Of whatever width.
    Floats(Vec<f32>),
    /// Of whatever width, signed or not.
    Integers(Vec<i64>),
    /// 0 or 1.
    Booleans(Vec<i64>),
}

#[derive(Clone, Debug)]
enum Data {
    /// Little-endian, in the file itself.
    Raw(Range<usize>),
    /// In fields of their own type, packed or one by one.
    Fields(Vec<Wire>),
    /// Little-endian, in a file beside it.
    External { location: String, offset: u64, length: Option<u64> },
}

// `TensorProto.DataType`.
const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;
const UINT16: i32 = 4;
const INT16: i32 = 5;
const INT32: i32 = 6;
const INT64: i32 = 7;
const STRING: i32 = 8;
const BOOL: i32 = 9;
const FLOAT16: i32 = 10;
const DOUBLE: i32 = 11;
const UINT32: i32 = 12;
const UINT64: i32 = 13;
const BFLOAT16: i32 = 16;

impl StoredTensor {
    /// Reads what the message at `range` says, but no number.
    ///
    /// # Errors
    /// Where it is none, or its shape cannot be counted.
    pub fn read(file: &[u8], range: Range<usize>) -> Result<StoredTensor, Broken> {
        let (mut name, mut sides, mut dtype) = (String::new(), Vec::new(), 0);
        let (mut raw, mut fields) = (None, Vec::new());
        let (mut outside, mut is_outside) = (Vec::new(), false);
        for field in Fields::of(file, range) {
            match field? {
                (1, wire) => numbers(file, wire, MOST_AXES, &mut sides)?,
                (2, Wire::Number(number)) => dtype = i32::try_from(number).map_err(|_| Broken)?,
                (8, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut name),
                (9, Wire::Bytes(range)) => raw = Some(range),
                (4 | 5 | 7 | 10 | 11, wire) => fields.push(wire),
                (13, Wire::Bytes(range)) if outside.len() < MOST_AXES => outside.push(entry(file, range)?),
                (14, Wire::Number(number)) => is_outside = number == 1,
                _ => {}
            }
        }
        let shape: Vec<usize> =
            sides.iter().map(|side| usize::try_from(*side)).collect::<Result<_, _>>().map_err(|_| Broken)?;
        let len = crate::numbers::count(&shape).ok_or(Broken)?;
        let data = match raw {
            _ if is_outside => external(outside)?,
            Some(range) => Data::Raw(range),
            None => Data::Fields(fields),
        };
        Ok(StoredTensor { name, shape, len, dtype, data })
    }

    /// Whether its numbers are floats.
    pub fn is_float(&self) -> bool {
        matches!(self.dtype, FLOAT | FLOAT16 | DOUBLE | BFLOAT16)
    }

    /// What its numbers are, in a word.
    pub fn dtype(&self) -> String {
        match self.dtype {
            FLOAT => "F32".to_owned(),
            UINT8 => "U8".to_owned(),
            INT8 => "I8".to_owned(),
            UINT16 => "U16".to_owned(),
            INT16 => "I16".to_owned(),
            INT32 => "I32".to_owned(),
            INT64 => "I64".to_owned(),
            STRING => "text".to_owned(),
            BOOL => "bool".to_owned(),
            FLOAT16 => "F16".to_owned(),
            DOUBLE => "F64".to_owned(),
            UINT32 => "U32".to_owned(),
            UINT64 => "U64".to_owned(),
            BFLOAT16 => "BF16".to_owned(),
            other => format!("ONNX's type {other}"),
        }
    }

    /// Its numbers. `folder` is where the file lies.
    ///
    /// # Errors
    /// What is wrong, as a fragment of a sentence.
    pub fn numbers(&self, file: &[u8], folder: &Path) -> Result<Numbers, String> {
        match &self.data {
            Data::Raw(range) => {
                let bytes = file.get(range.clone()).unwrap_or_default();
                self.widened(bytes)
            }
            Data::Fields(fields) => self.collected(file, fields),
            Data::External { location, offset, length } => {
                let path = beside(folder, location)?;
                let map = MappedFile::open(&path).map_err(|error| error.to_string())?;
                let bytes = self.byte_length()? as u64;
                if length.is_some_and(|length| length != bytes) {
                    return Err(format!("should be {bytes} bytes of `{location}`"));
                }
                let range = usize::try_from(*offset).ok().zip(offset.checked_add(bytes));
                let range = range.and_then(|(start, end)| Some(start..usize::try_from(end).ok()?));
                let bytes = range.and_then(|range| map.get(range));
                self.widened(bytes.ok_or_else(|| format!("lies beyond the end of `{location}`"))?)
            }
        }
    }

    /// How long the file beside is that holds its numbers, and where; `None` where they are not in one.
    pub(super) fn outside(&self, folder: &Path) -> Option<(PathBuf, u64)> {
        let Data::External { location, .. } = &self.data else { return None };
        let path = beside(folder, location).ok()?;
        let length = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
        Some((path, length))
    }

    fn byte_length(&self) -> Result<usize, String> {
        let size = match self.dtype {
            UINT8 | INT8 | BOOL => 1,
            UINT16 | INT16 | FLOAT16 | BFLOAT16 => 2,
            FLOAT | INT32 | UINT32 => 4,
            DOUBLE | INT64 | UINT64 => 8,
            _ => return Err(format!("is stored as {}, which is not read", self.dtype())),
        };
        Ok(self.len * size)
    }

    fn widened(&self, bytes: &[u8]) -> Result<Numbers, String> {
        let expected = self.byte_length()?;
        if bytes.len() != expected {
            return Err(format!("has {} bytes, its shape says {expected}", bytes.len()));
        }
        Ok(match self.dtype {
            FLOAT => Numbers::Floats(Number::F32.widen(bytes)),
            FLOAT16 => Numbers::Floats(Number::F16.widen(bytes)),
            BFLOAT16 => Numbers::Floats(Number::BF16.widen(bytes)),
            DOUBLE => Numbers::Floats(Number::F64.widen(bytes)),
            UINT8 => Numbers::Integers(bytes.iter().map(|byte| i64::from(*byte)).collect()),
            BOOL => Numbers::Booleans(bytes.iter().map(|byte| i64::from(*byte != 0)).collect()),
            INT8 => Numbers::Integers(each(bytes, |bytes| i8::from_le_bytes(bytes).into())),
            UINT16 => Numbers::Integers(each(bytes, |bytes| u16::from_le_bytes(bytes).into())),
            INT16 => Numbers::Integers(each(bytes, |bytes| i16::from_le_bytes(bytes).into())),
            INT32 => Numbers::Integers(each(bytes, |bytes| i32::from_le_bytes(bytes).into())),
            UINT32 => Numbers::Integers(each(bytes, |bytes| u32::from_le_bytes(bytes).into())),
            _ => Numbers::Integers(each(bytes, i64::from_le_bytes)),
        })
    }

    /// Numbers that stand in fields of their type.
    fn collected(&self, file: &[u8], fields: &[Wire]) -> Result<Numbers, String> {
        let size = match self.dtype {
            FLOAT => 4,
            DOUBLE => 8,
            _ => 0,
        };
        let expected = self.len;
        let wrong = |_| format!("has other numbers than the {expected} that its shape says");
        if size > 0 {
            let mut bytes = Vec::new();
            for wire in fields {
                match wire {
                    Wire::Fixed32(four) if size == 4 => bytes.extend_from_slice(four),
                    Wire::Fixed64(eight) if size == 8 => bytes.extend_from_slice(eight),
                    Wire::Bytes(range) => {
                        bytes.extend_from_slice(file.get(range.clone()).unwrap_or_default());
                    }
                    _ => return Err(wrong(Broken)),
                }
            }
            return self.widened(&bytes);
        }
        let mut values = Vec::new();
        for wire in fields {
            numbers(file, wire.clone(), expected, &mut values).map_err(wrong)?;
        }
        if values.len() != expected {
            return Err(wrong(Broken));
        }
        // The bits of a half stand in a field of whole numbers.
        let halves = |number: Number| {
            let bits = |value: &i64| value.to_le_bytes()[..2].to_vec();
            Numbers::Floats(number.widen(&values.iter().flat_map(bits).collect::<Vec<u8>>()))
        };
        self.byte_length()?;
        Ok(match self.dtype {
            FLOAT16 => halves(Number::F16),
            BFLOAT16 => halves(Number::BF16),
            BOOL => Numbers::Booleans(values.iter().map(|value| i64::from(*value != 0)).collect()),
            _ => Numbers::Integers(values),
        })
    }
}

fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> i64) -> Vec<i64> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}

/// A `StringStringEntryProto`.
pub(super) fn entry(file: &[u8], range: Range<usize>) -> Result<(String, String), Broken> {
    let (mut key, mut value) = (String::new(), String::new());
    for field in Fields::of(file, range) {
        match field? {
            (1, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut key),
            (2, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut value),
            _ => {}
        }
    }
    Ok((key, value))
}

fn external(entries: Vec<(String, String)>) -> Result<Data, Broken> {
    let (mut location, mut offset, mut length) = (None, 0, None);
    for (key, value) in entries {
        match key.as_str() {
            "location" => location = Some(value),
            "offset" => offset = value.parse().map_err(|_| Broken)?,
            "length" => length = Some(value.parse().map_err(|_| Broken)?),
            _ => {}
        }
    }
    Ok(Data::External { location: location.ok_or(Broken)?, offset, length })
}

/// The file at `location`, which must lie in the folder.
fn beside(folder: &Path, location: &str) -> Result<PathBuf, String> {
    let path = Path::new(location);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside || location.is_empty() {
        let location = store::brief::shortened(location);
        return Err(format!("lies in `{location}`, outside the model's folder, where nothing is read"));
    }
    Ok(folder.join(path))
}
