//! The header: metadata, and the list of tensors.
//!
//! The layout is that of ggml's docs/gguf.md, versions 2 and 3. All numbers are little-endian.

use super::{super::cursor::Cursor, kind::Kind};
use crate::numbers::count;
use serde_json::Value;
use std::{collections::BTreeMap, ops::Range};
use store::brief::shortened;

/// Tensors of a file.
const MOST_TENSORS: u64 = 100_000;
/// Bytes of a tensor's name. GGML itself has room for 64.
const MOST_NAME: usize = 1024;
/// Axes of a tensor, `GGML_MAX_DIMS`.
const MOST_AXES: u32 = 4;
/// Arrays within arrays. Nobody writes any.
const MOST_DEPTH: usize = 8;
/// What tensors begin at a multiple of, where the metadata do not say.
const ALIGNMENT: u32 = 32;
/// Every type of metadata whose values have one length: its number and its bytes.
const FIXED: [(u32, u64); 11] =
    [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 4), (7, 1), (10, 8), (11, 8), (12, 8)];
/// Entries of an array that is kept.
const MOST_ENTRIES: u64 = 1 << 22;
const UINT32: u32 = 4;
const TEXT: u32 = 8;
const ARRAY: u32 = 9;

/// Where a tensor lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Row-major.
    pub(super) shape: Vec<usize>,
    /// Bytes of the file; empty where the kind is not read.
    pub(super) range: Range<usize>,
}

/// The tensors of a file by name.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn read(file: &[u8]) -> Result<BTreeMap<String, Entry>, String> {
    let (mut header, tensors, metadata) = begin(file)?;
    let alignment = header.metadata(metadata, |header, _, kind| header.pass(kind, 0))?;
    let mut entries = BTreeMap::new();
    for _ in 0..tensors {
        let (name, entry) = header.tensor()?;
        if entries.contains_key(&name) {
            return Err(format!("the tensor `{}` is there twice", shortened(&name)));
        }
        entries.insert(name, entry);
    }
    let start = header.0.at.next_multiple_of(alignment);
    entries.into_iter().map(|(name, entry)| entry.placed(name, file.len(), start, alignment)).collect()
}

/// What a file says of its model: numbers, flags and texts, and the arrays of its tokenizer.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn metadata(file: &[u8]) -> Result<BTreeMap<String, Value>, String> {
    let (mut header, _, count) = begin(file)?;
    let mut said = BTreeMap::new();
    header.metadata(count, |header, key, kind| {
        if kind == ARRAY && !key.starts_with("tokenizer.ggml.") {
            return header.pass(kind, 0);
        }
        if said.insert(key.to_owned(), header.value(kind)?).is_some() {
            return Err(format!("`{}` is there twice", shortened(key)));
        }
        Ok(())
    })?;
    Ok(said)
}

/// Of a header: how many tensors, and how many entries of metadata, which come next.
fn begin(file: &[u8]) -> Result<(Header<'_>, u64, u64), String> {
    let cut_short = "its header goes on beyond the file's end";
    let mut header = Header(Cursor { file, at: 4, cut_short });
    header.version()?;
    let tensors = header.0.u64()?;
    let metadata = header.0.u64()?;
    if tensors > MOST_TENSORS {
        return Err(format!("it says that it holds {tensors} tensors; expected up to {MOST_TENSORS}"));
    }
    Ok((header, tensors, metadata))
}

/// A tensor as it is listed: its kind, its shape, and where it begins, from where the tensors begin.
struct Listed {
    kind: Kind,
    shape: Vec<usize>,
    offset: u64,
}

impl Listed {
    fn placed(
        self,
        name: String,
        length: usize,
        start: usize,
        alignment: usize,
    ) -> Result<(String, Entry), String> {
        let Listed { kind, shape, offset } = self;
        let fail = |what: String| format!("the tensor `{}` {what}", shortened(&name));
        let numbers = count(&shape).ok_or_else(|| fail("is too large".to_owned()))?;
        let bytes = kind.bytes(numbers, shape.last().copied().unwrap_or(1)).map_err(fail)?.unwrap_or(0);
        let from = usize::try_from(offset).ok().filter(|offset| offset.is_multiple_of(alignment));
        let from = from.ok_or_else(|| {
            fail(format!("begins at {offset}, which is no multiple of the alignment {alignment}"))
        })?;
        let from = start.checked_add(from);
        let range = from.and_then(|from| Some(from..from.checked_add(bytes)?));
        match range.filter(|range| range.end <= length || bytes == 0) {
            Some(range) => Ok((name, Entry { kind, shape, range })),
            None => Err(fail("lies beyond the file's end; the file may be cut short".to_owned())),
        }
    }
}

/// Bytes of a value of such a type.
fn size_of_fixed(kind: u32) -> u64 {
    FIXED.iter().find(|(fixed, _)| *fixed == kind).map_or(0, |(_, size)| *size)
}

struct Header<'a>(Cursor<'a>);

impl<'a> Header<'a> {
    fn version(&mut self) -> Result<(), String> {
        match self.0.u32()? {
            2 | 3 => Ok(()),
            1 => Err("it is of version 1; convert the model anew, as version 2 or 3".to_owned()),
            version if version != 0 && version.trailing_zeros() >= 16 => {
                Err("it is big-endian; turn it with `gguf-convert-endian FILE little` of Python's gguf"
                    .to_owned())
            }
            version => Err(format!("it is of version {version}; versions 2 and 3 are read")),
        }
    }

    /// Has `take` read the values of `count` entries, by key and type; gives the alignment of tensors.
    fn metadata(
        &mut self,
        count: u64,
        mut take: impl FnMut(&mut Header<'a>, &str, u32) -> Result<(), String>,
    ) -> Result<usize, String> {
        let mut alignment = None;
        // Each entry takes bytes of the file, so that a count that lies ends with the file.
        for _ in 0..count {
            let key = self.bytes()?;
            let kind = self.0.u32()?;
            if key != b"general.alignment" {
                take(self, &String::from_utf8_lossy(key), kind)?;
                continue;
            }
            if kind != UINT32 || alignment.is_some() {
                return Err("`general.alignment` is no u32, or is there twice".to_owned());
            }
            alignment = Some(self.0.u32()?);
        }
        let alignment = alignment.unwrap_or(ALIGNMENT);
        // Blocks are read where they lie, so that numbers must not be split.
        if alignment < 8 || !alignment.is_power_of_two() {
            return Err(format!("its alignment is {alignment}; expected a power of two from 8"));
        }
        usize::try_from(alignment).map_err(|_| format!("its alignment is {alignment}"))
    }

    /// A value that is kept.
    fn value(&mut self, kind: u32) -> Result<Value, String> {
        let number = |bytes: &[u8], is_signed: bool| {
            let mut wide =
                [if is_signed && bytes.last().is_some_and(|last| last >> 7 == 1) { 255 } else { 0 }; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            if is_signed {
                Value::from(i64::from_le_bytes(wide))
            } else {
                Value::from(u64::from_le_bytes(wide))
            }
        };
        match kind {
            // Whole numbers without a sign, and with one.
            0 | 2 | 4 | 10 => Ok(number(self.0.take(size_of_fixed(kind))?, false)),
            1 | 3 | 5 | 11 => Ok(number(self.0.take(size_of_fixed(kind))?, true)),
            6 => Ok(Value::from(f64::from(f32::from_bits(self.0.u32()?)))),
            7 => Ok(Value::from(self.0.take(1)? != [0])),
            12 => Ok(Value::from(f64::from_bits(self.0.u64()?))),
            TEXT => Ok(Value::from(String::from_utf8_lossy(self.bytes()?))),
            ARRAY => {
                let (inner, count) = (self.0.u32()?, self.0.u64()?);
                if inner == ARRAY || count > MOST_ENTRIES {
                    return Err(
                        "an array of its tokenizer is nested, or has more entries than any".to_owned()
                    );
                }
                (0..count).map(|_| self.value(inner)).collect()
            }
            _ => Err(format!("it holds metadata of an unknown type, {kind}")),
        }
    }

    /// Passes over a value that lies in `depth` arrays.
    fn pass(&mut self, kind: u32, depth: usize) -> Result<(), String> {
        if let Some((_, size)) = FIXED.iter().find(|(fixed, _)| *fixed == kind) {
            return self.0.take(*size).map(drop);
        }
        match kind {
            TEXT => self.bytes().map(drop),
            ARRAY if depth == MOST_DEPTH => Err(format!("its arrays are nested more than {MOST_DEPTH} deep")),
            ARRAY => {
                let (inner, count) = (self.0.u32()?, self.0.u64()?);
                if let Some((_, size)) = FIXED.iter().find(|(fixed, _)| *fixed == inner) {
                    return self.0.take(size.checked_mul(count).ok_or(self.0.cut_short)?).map(drop);
                }
                (0..count).try_for_each(|_| self.pass(inner, depth + 1))
            }
            _ => Err(format!("it holds metadata of an unknown type, {kind}")),
        }
    }

    fn tensor(&mut self) -> Result<(String, Listed), String> {
        let name = self.bytes()?;
        if name.len() > MOST_NAME {
            return Err(format!("the name of a tensor has more than {MOST_NAME} bytes"));
        }
        let name =
            std::str::from_utf8(name).map_err(|_| "the name of a tensor is no UTF-8".to_owned())?.to_owned();
        let axes = self.0.u32()?;
        if axes > MOST_AXES {
            let name = shortened(&name);
            return Err(format!("the tensor `{name}` has {axes} axes; GGUF has at most {MOST_AXES}"));
        }
        let mut shape = (0..axes)
            .map(|_| {
                let side = self.0.u64()?;
                usize::try_from(side).map_err(|_| format!("the tensor `{}` is too large", shortened(&name)))
            })
            .collect::<Result<Vec<usize>, String>>()?;
        // GGML lists the axis first along which numbers are neighbours.
        shape.reverse();
        let (kind, offset) = (Kind::new(self.0.u32()?), self.0.u64()?);
        Ok((name, Listed { kind, shape, offset }))
    }

    /// A text's bytes.
    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = self.0.u64()?;
        self.0.take(length)
    }
}
