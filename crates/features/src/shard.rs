//! One shard: a 64-byte prefix, then one rkyv archive of columns.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `HSFEATS\n` |
//! | 8..12 | format version, u32 little-endian: 1, or 2 with a column of views |
//! | 12..16 | flags, u32: how rkyv laid the archive out (bit 0 little-endian, 1 aligned, 2 64-bit pointers) |
//! | 16..24 | length of the archive in bytes, u64 |
//! | 24..56 | BLAKE3 digest of the archive |
//! | 56..64 | zero |
//! | 64.. | the archive; its root sits at the end, as rkyv's does |

use super::{ShardError, ShardRecord};
use bytemuck::{Pod, Zeroable};
use rkyv::{Archive, Serialize, rancor};
use sample::Split;
use std::{fs::File, io, io::Write, path::Path};
use store::{Digest, Dtype, MappedFile};

const MAGIC: [u8; 8] = *b"HSFEATS\n";
/// [`Columns`].
const FORMAT_VERSION: u32 = 1;
/// [`Viewed`].
const FORMAT_WITH_VIEWS: u32 = 2;
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

/// The columns of some rows.
#[derive(Archive, Serialize, Default)]
pub(super) struct Columns {
    dim: u64,
    dtype: u8,
    /// (rows, dim) values of `dtype`, little-endian, padded with zeros to whole lines.
    features: Vec<Line>,
    ids: Vec<String>,
    labels: Vec<u32>,
    splits: Vec<u8>,
    /// Content keys: what each row is a pure function of.
    keys: Vec<[u8; 32]>,
    /// Bytes of features that are not padding.
    #[rkyv(with = rkyv::with::Skip)]
    filled: usize,
    /// Each row's view, where there are views: written as [`Viewed`].
    #[rkyv(with = rkyv::with::Skip)]
    views: Option<Vec<u32>>,
}

/// The columns of some rows of which some are augmented views of others.
#[derive(Archive, Serialize)]
struct Viewed {
    columns: Columns,
    /// Each row's view, 0 for the picture itself.
    views: Vec<u32>,
}

impl Columns {
    pub(super) fn new(dim: usize, dtype: Dtype) -> Columns {
        Columns { dim: dim as u64, dtype: code(dtype), ..Columns::default() }
    }

    /// As [`Columns::new`], of rows with views.
    pub(super) fn with_views(dim: usize, dtype: Dtype) -> Columns {
        Columns { views: Some(Vec::new()), ..Columns::new(dim, dtype) }
    }

    /// Appends one row; `bytes` are its values in the columns' dtype.
    pub(super) fn push(&mut self, id: &str, label: u32, split: Split, key: &Digest, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        self.features.resize(end.div_ceil(64), Line::zeroed());
        bytemuck::cast_slice_mut::<Line, u8>(&mut self.features)[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
        self.ids.push(id.to_owned());
        self.labels.push(label);
        self.splits.push(split as u8);
        self.keys.push(*key.as_bytes());
    }

    /// Says which view the row is that was appended last.
    pub(super) fn push_view(&mut self, view: u32) {
        if let Some(views) = &mut self.views {
            views.push(view);
        }
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
        let (version, archive) = match self.views.take() {
            None => (FORMAT_VERSION, rkyv::to_bytes::<rancor::Error>(&self)),
            Some(views) => {
                (FORMAT_WITH_VIEWS, rkyv::to_bytes::<rancor::Error>(&Viewed { columns: self, views }))
            }
        };
        let archive = archive.map_err(io::Error::other)?;
        let digest = Digest::of(&archive);
        let mut prefix = Vec::with_capacity(PREFIX);
        prefix.extend(MAGIC);
        prefix.extend(version.to_le_bytes());
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
    /// Whether its archive is a [`Viewed`].
    viewed: bool,
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
        let viewed = check_prefix(prefix, archive, record)? == FORMAT_WITH_VIEWS;
        let malformed = |error: rancor::Error| ShardError::Archive(error.to_string());
        let (columns, views) = if viewed {
            let viewed = rkyv::access::<ArchivedViewed, rancor::Error>(archive).map_err(malformed)?;
            (&viewed.columns, Some(viewed.views.len()))
        } else {
            (rkyv::access::<ArchivedColumns, rancor::Error>(archive).map_err(malformed)?, None)
        };
        let rows = record.map_or(columns.ids.len() as u64, |record| record.rows);
        check_columns(columns, views, rows, dim, dtype)?;
        let shard = Shard { map, dim, dtype, viewed };
        shard.check_finite()?;
        Ok(shard)
    }

    pub(super) fn rows(&self) -> usize {
        self.columns().ids.len()
    }

    /// Whether it says which view each row is.
    pub(super) fn is_viewed(&self) -> bool {
        self.viewed
    }

    /// A row's view; 0 in a shard without views.
    pub(super) fn view(&self, row: usize) -> u32 {
        if !self.viewed {
            return 0;
        }
        // SAFETY: as in `columns`; `check` accessed a `Viewed` where `viewed` is set.
        let viewed = unsafe { rkyv::access_unchecked::<ArchivedViewed>(&self.map[PREFIX..]) };
        viewed.views[row].to_native()
    }

    pub(super) fn id(&self, row: usize) -> &str {
        &self.columns().ids[row]
    }

    pub(super) fn label(&self, row: usize) -> u32 {
        self.columns().labels[row].to_native()
    }

    pub(super) fn split(&self, row: usize) -> Split {
        Split::ALL[usize::from(self.columns().splits[row])]
    }

    pub(super) fn key(&self, row: usize) -> Digest {
        Digest::from_bytes(self.columns().keys[row])
    }

    /// The stored bytes of a row: d values, little-endian. A slice of the map.
    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        let width = self.dim * self.dtype.size();
        &bytemuck::cast_slice::<ArchivedLine, u8>(&self.columns().features)[row * width..][..width]
    }

    /// Gives back the memory of the whole shard.
    pub(super) fn release_all(&self) {
        self.map.release(0..self.map.len());
    }

    /// Gives back the memory of these rows' features.
    pub(super) fn release(&self, rows: std::ops::Range<usize>) {
        let lines = bytemuck::cast_slice::<ArchivedLine, u8>(&self.columns().features);
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

    fn columns(&self) -> &ArchivedColumns {
        // SAFETY: `check` ran the checked `access` over these very bytes, as the type that `viewed` tells, and a map of
        // an artefact does not change (see `MappedFile`).
        unsafe {
            if self.viewed {
                &rkyv::access_unchecked::<ArchivedViewed>(&self.map[PREFIX..]).columns
            } else {
                rkyv::access_unchecked::<ArchivedColumns>(&self.map[PREFIX..])
            }
        }
    }
}

/// Gives the format's version.
fn check_prefix(
    prefix: &[u8; PREFIX],
    archive: &[u8],
    record: Option<&ShardRecord>,
) -> Result<u32, ShardError> {
    let word = |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
    if prefix[..8] != MAGIC {
        return Err(ShardError::Magic);
    }
    let (got, flags, expected) = (word(8), word(12), FORMAT_WITH_VIEWS);
    if got > expected {
        return Err(ShardError::TooNew { expected, got });
    }
    if got < FORMAT_VERSION || flags != FLAGS {
        return Err(ShardError::Format { expected, got, flags });
    }
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
    Ok(got)
}

/// `views` is the length of the column of views, where there is one.
fn check_columns(
    columns: &ArchivedColumns,
    views: Option<usize>,
    rows: u64,
    dim: usize,
    dtype: Dtype,
) -> Result<(), ShardError> {
    let wrong = |what: &str, expected: u64, got: u64| {
        Err(ShardError::Archive(format!("{what} {got}, index says {expected}")))
    };
    // No network has wider features; below it no arithmetic on rows can overflow.
    if !(1..=MAX_DIM).contains(&dim) {
        return wrong("rows of width", MAX_DIM as u64, dim as u64);
    }
    if columns.dim.to_native() != dim as u64 {
        return wrong("rows of width", dim as u64, columns.dim.to_native());
    }
    if columns.dtype != code(dtype) {
        return wrong("dtype code", code(dtype).into(), columns.dtype.into());
    }
    let lengths = [columns.ids.len(), columns.labels.len(), columns.splits.len(), columns.keys.len()];
    if let Some(length) = lengths.into_iter().chain(views).find(|&length| length as u64 != rows) {
        return wrong("a column of length", rows, length as u64);
    }
    let bytes = rows.saturating_mul((dim * dtype.size()) as u64);
    if columns.features.len() as u64 != bytes.div_ceil(64) {
        return wrong("lines of features", bytes.div_ceil(64), columns.features.len() as u64);
    }
    match columns.splits.iter().find(|&&split| usize::from(split) >= Split::ALL.len()) {
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
