//! One shard: a 64-byte prefix, then one rkyv archive of columns.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `HSFEATS\n` |
//! | 8..12 | format version, u32 little-endian: 3; 1 and 2 are read as well |
//! | 12..16 | flags, u32: how rkyv laid the archive out (bit 0 little-endian, 1 aligned, 2 64-bit pointers) |
//! | 16..24 | length of the archive in bytes, u64 |
//! | 24..56 | BLAKE3 digest of the archive |
//! | 56..64 | zero |
//! | 64.. | the archive; its root sits at the end, as rkyv's does |

mod layout;

use super::{ShardError, ShardRecord};
use bytemuck::{Pod, Zeroable};
use layout::{Layout, Parts};
use rkyv::{Archive, Serialize, rancor};
use sample::Split;
use std::{collections::HashMap, fs::File, io, io::Write, path::Path};
use store::{Digest, Dtype, MappedFile};

const MAGIC: [u8; 8] = *b"HSFEATS\n";
/// What is written: [`ShardColumns`].
const FORMAT_VERSION: u32 = 3;
const FLAGS: u32 = 0b111;
const PREFIX: usize = 64;
const MAX_DIM: usize = 1 << 28;

/// The file name of a folder's n-th shard.
pub(super) fn name(n: usize) -> String {
    format!("shard-{n:05}.rkyv")
}

/// Whether a file of this name is a shard of rows.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with("shard-") && name.ends_with(".rkyv")
}

/// 64 bytes of features, so that the matrix is aligned to cache lines in memory and in the file.
#[derive(Archive, Serialize, Clone, Copy, Pod, Zeroable)]
#[rkyv(attr(derive(Clone, Copy, Pod, Zeroable), repr(align(64))))]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Some rows, column by column.
#[derive(Archive, Serialize, Default)]
pub(super) struct ShardColumns {
    dim: u64,
    dtype: u8,
    /// (rows, dim) values of `dtype`, little-endian, padded with zeros to whole lines.
    features: Vec<Line>,
    ids: Vec<String>,
    splits: Vec<u8>,
    /// Content keys: what each row is a pure function of.
    keys: Vec<[u8; 32]>,
    /// Each row's view, 0 for the picture itself; nothing where all rows are of view 0.
    views: Vec<u32>,
    /// What is said of each row, in the order of the index's columns.
    texts: Vec<TextColumn>,
    /// Bytes of features that are not padding.
    #[rkyv(with = rkyv::with::Skip)]
    filled: usize,
}

/// One column of texts: its words, sorted and each once, and which of them each row has.
#[derive(Archive, Serialize, Default)]
struct TextColumn {
    words: Vec<String>,
    codes: Vec<u32>,
    /// The words so far, by the order in which they came.
    #[rkyv(with = rkyv::with::Skip)]
    seen: HashMap<String, u32>,
}

impl TextColumn {
    fn push(&mut self, text: &str) {
        let code = match self.seen.get(text) {
            Some(&code) => code,
            None => {
                let code = self.seen.len() as u32;
                self.seen.insert(text.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }

    /// Sorts the words.
    fn finish(&mut self) {
        let mut words: Vec<(String, u32)> = std::mem::take(&mut self.seen).into_iter().collect();
        words.sort_unstable();
        let mut places = vec![0; words.len()];
        for (place, (_, code)) in words.iter().enumerate() {
            places[*code as usize] = place as u32;
        }
        self.codes.iter_mut().for_each(|code| *code = places[*code as usize]);
        self.words = words.into_iter().map(|(word, _)| word).collect();
    }
}

impl ShardColumns {
    /// Of rows with so many columns of texts.
    pub(super) fn new(dim: usize, dtype: Dtype, texts: usize) -> ShardColumns {
        let texts = std::iter::repeat_with(TextColumn::default).take(texts).collect();
        ShardColumns { dim: dim as u64, dtype: code(dtype), texts, ..ShardColumns::default() }
    }

    /// Appends one row; `bytes` are its values in the columns' dtype, `view` is there where there are views.
    pub(super) fn push(
        &mut self,
        id: &str,
        split: Split,
        view: Option<u32>,
        key: &Digest,
        texts: &[&str],
        bytes: &[u8],
    ) {
        let end = self.filled + bytes.len();
        self.features.resize(end.div_ceil(64), Line::zeroed());
        bytemuck::cast_slice_mut::<Line, u8>(&mut self.features)[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
        self.ids.push(id.to_owned());
        self.splits.push(split as u8);
        self.keys.push(*key.as_bytes());
        self.views.extend(view);
        self.texts.iter_mut().zip(texts).for_each(|(column, text)| column.push(text));
    }

    pub(super) fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Bytes of features gathered so far.
    pub(super) fn bytes(&self) -> usize {
        self.filled
    }

    /// Writes the shard as `folder/file`.
    pub(super) fn write(mut self, folder: &Path, file: String) -> io::Result<ShardRecord> {
        let rows = self.rows() as u64;
        self.texts.iter_mut().for_each(TextColumn::finish);
        let archive = rkyv::to_bytes::<rancor::Error>(&self).map_err(io::Error::other)?;
        let digest = Digest::of(&archive);
        let mut prefix = Vec::with_capacity(PREFIX);
        prefix.extend(MAGIC);
        prefix.extend(FORMAT_VERSION.to_le_bytes());
        prefix.extend(FLAGS.to_le_bytes());
        prefix.extend((archive.len() as u64).to_le_bytes());
        prefix.extend(digest.as_bytes());
        prefix.resize(PREFIX, 0);
        let mut out = File::create(folder.join(&file))?;
        out.write_all(&prefix)?;
        out.write_all(&archive)?;
        out.sync_all()?;
        Ok(ShardRecord { file, rows, bytes: (PREFIX + archive.len()) as u64, digest })
    }
}

/// A mapped shard that was checked in full.
pub(super) struct Shard {
    map: MappedFile,
    dim: usize,
    dtype: Dtype,
    layout: Layout,
}

impl Shard {
    /// Maps and checks `folder/record.file`: length, prefix, digest, structure, and that its columns fit one another.
    pub(super) fn open(
        folder: &Path,
        record: &ShardRecord,
        dim: usize,
        dtype: Dtype,
    ) -> Result<Shard, ShardError> {
        let map = MappedFile::open(&folder.join(&record.file))?;
        if map.len() as u64 != record.bytes {
            return Err(ShardError::Length { expected: record.bytes, got: map.len() as u64 });
        }
        Shard::check(map, Some(record), dim, dtype)
    }

    /// As [`Shard::open`], for a shard that no index vouches for: its own prefix does.
    pub(super) fn open_alone(path: &Path, dim: usize, dtype: Dtype) -> Result<Shard, ShardError> {
        Shard::check(MappedFile::open(path)?, None, dim, dtype)
    }

    fn check(
        map: MappedFile,
        record: Option<&ShardRecord>,
        dim: usize,
        dtype: Dtype,
    ) -> Result<Shard, ShardError> {
        let (prefix, archive) = map.split_first_chunk::<PREFIX>().ok_or(ShardError::Magic)?;
        let layout = check_prefix(prefix, archive, record)?;
        let parts = layout.parts(archive).map_err(|error| ShardError::Archive(error.to_string()))?;
        let rows = record.map_or(parts.ids.len() as u64, |record| record.rows);
        check_parts(&parts, rows, dim, dtype)?;
        let shard = Shard { map, dim, dtype, layout };
        shard.check_finite()?;
        Ok(shard)
    }

    pub(super) fn rows(&self) -> usize {
        self.parts().ids.len()
    }

    /// Whether it says which view each row is.
    pub(super) fn is_viewed(&self) -> bool {
        self.parts().views.is_some()
    }

    /// A row's view; 0 in a shard without views.
    pub(super) fn view(&self, row: usize) -> u32 {
        self.parts().views.map_or(0, |views| views[row].to_native())
    }

    /// How many columns of texts it has; none in older formats.
    pub(super) fn texts(&self) -> usize {
        self.parts().texts.len()
    }

    /// What a column says of a row.
    pub(super) fn text(&self, column: usize, row: usize) -> &str {
        let texts = &self.parts().texts[column];
        &texts.words[texts.codes[row].to_native() as usize]
    }

    /// Whether it is of a format whose rows have classes by number.
    pub(super) fn is_labelled(&self) -> bool {
        self.parts().labels.is_some()
    }

    /// A row's class by its number; none since format 3.
    pub(super) fn label(&self, row: usize) -> Option<u32> {
        Some(self.parts().labels?[row].to_native())
    }

    pub(super) fn id(&self, row: usize) -> &str {
        &self.parts().ids[row]
    }

    pub(super) fn split(&self, row: usize) -> Split {
        Split::ALL[usize::from(self.parts().splits[row])]
    }

    pub(super) fn key(&self, row: usize) -> Digest {
        Digest::from_bytes(self.parts().keys[row])
    }

    /// The stored bytes of a row: d values, little-endian. A slice of the map.
    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        let width = self.dim * self.dtype.size();
        &bytemuck::cast_slice::<ArchivedLine, u8>(self.parts().features)[row * width..][..width]
    }

    /// Gives back the memory of the whole shard.
    pub(super) fn release_all(&self) {
        self.map.release(0..self.map.len());
    }

    /// Gives back the memory of these rows' features.
    pub(super) fn release(&self, rows: std::ops::Range<usize>) {
        let lines = bytemuck::cast_slice::<ArchivedLine, u8>(self.parts().features);
        // Where the matrix begins in the map: both are slices of the same bytes.
        let start = lines.as_ptr().addr() - self.map.as_ptr().addr();
        let width = self.dim * self.dtype.size();
        self.map.release(start + rows.start * width..start + rows.end * width);
    }

    /// What the writer refused, nobody else shall have slipped in: a NaN would spoil every later sum in silence.
    fn check_finite(&self) -> Result<(), ShardError> {
        let mut values = vec![0.0; self.dim];
        for row in 0..self.rows() {
            self.dtype.decode(self.bytes(row), &mut values);
            if let Some(column) = values.iter().position(|value| !value.is_finite()) {
                let what = format!("`{}` has the value {} in column {column}", self.id(row), values[column]);
                return Err(ShardError::Archive(what));
            }
        }
        Ok(())
    }

    fn parts(&self) -> Parts<'_> {
        // SAFETY: `check` had this layout accept these very bytes, and a map of an artefact does not change (see
        // `MappedFile`).
        unsafe { self.layout.parts_unchecked(&self.map[PREFIX..]) }
    }
}

/// Gives the format's layout.
fn check_prefix(
    prefix: &[u8; PREFIX],
    archive: &[u8],
    record: Option<&ShardRecord>,
) -> Result<Layout, ShardError> {
    let word = |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
    if prefix[..8] != MAGIC {
        return Err(ShardError::Magic);
    }
    let (got, flags, expected) = (word(8), word(12), FORMAT_VERSION);
    if got > expected {
        return Err(ShardError::TooNew { expected, got });
    }
    let Some(layout) = Layout::of(got).filter(|_| flags == FLAGS) else {
        return Err(ShardError::Format { expected, got, flags });
    };
    let length = u64::from(word(16)) | u64::from(word(20)) << 32;
    if length != archive.len() as u64 {
        return Err(ShardError::Length { expected: length, got: archive.len() as u64 });
    }
    let digest = Digest::of(archive);
    if prefix[24..56] != *digest.as_bytes()
        || prefix[56..] != [0; 8]
        || record.is_some_and(|record| record.digest != digest)
    {
        return Err(ShardError::Digest);
    }
    Ok(layout)
}

fn check_parts(parts: &Parts<'_>, rows: u64, dim: usize, dtype: Dtype) -> Result<(), ShardError> {
    let wrong = |what: &str, expected: u64, got: u64| {
        Err(ShardError::Archive(format!("{what} {got}, index says {expected}")))
    };
    // No network has wider features; below it no arithmetic on rows can overflow.
    if !(1..=MAX_DIM).contains(&dim) {
        return wrong("rows of width", MAX_DIM as u64, dim as u64);
    }
    if parts.dim != dim as u64 {
        return wrong("rows of width", dim as u64, parts.dim);
    }
    if parts.dtype != code(dtype) {
        return wrong("dtype code", code(dtype).into(), parts.dtype.into());
    }
    let texts = parts.texts.iter().map(|texts| texts.codes.len());
    let optional = parts.labels.iter().chain(&parts.views).map(|column| column.len());
    let lengths = [parts.ids.len(), parts.splits.len(), parts.keys.len()];
    if let Some(length) =
        lengths.into_iter().chain(optional).chain(texts).find(|&length| length as u64 != rows)
    {
        return wrong("a column of length", rows, length as u64);
    }
    let bytes = rows.saturating_mul((dim * dtype.size()) as u64);
    if parts.features.len() as u64 != bytes.div_ceil(64) {
        return wrong("lines of features", bytes.div_ceil(64), parts.features.len() as u64);
    }
    for texts in parts.texts {
        if !texts.words.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()) {
            return Err(ShardError::Archive("words of a column out of order".to_owned()));
        }
        if texts.codes.iter().any(|code| code.to_native() as usize >= texts.words.len()) {
            return Err(ShardError::Archive("a row with a word that its column has not".to_owned()));
        }
    }
    match parts.splits.iter().find(|&&split| usize::from(split) >= Split::ALL.len()) {
        Some(split) => Err(ShardError::Archive(format!("unknown split {split}"))),
        None => Ok(()),
    }
}

fn code(dtype: Dtype) -> u8 {
    match dtype {
        Dtype::F32 => 0,
        Dtype::F16 => 1,
        Dtype::BF16 => 2,
    }
}
