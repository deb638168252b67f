//! A matrix in columns of an Arrow IPC file (`.arrow`, `.feather`), read batch by batch
//! (<https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format>).
//!
//! polars' reader believes what messages say of lengths. So every length is looked at before it reads anything.

use super::{MatrixError, columns};
use crate::{
    MappedFile,
    table::{Table, guarded},
};
use columns::Columns;
use polars::prelude::{Column, IntoColumn as _, PlSmallStr, Series};
use polars_arrow::{
    array::Array,
    io::ipc::{
        format::ipc::{self, FooterRef, MessageHeaderRef, MessageRef, planus::ReadAsRoot as _},
        read::{FileMetadata, FileReader, read_file_metadata},
    },
    record_batch::RecordBatchT,
};
use std::{io::Cursor, path::Path};

/// Bytes of a batch, once it is unpacked.
const MOST_BATCH: u64 = 2 << 30;
/// Columns, and what is in them.
const MOST_FIELDS: usize = 1 << 17;
/// How deep columns lie in one another.
const DEEPEST: usize = 16;

pub(super) struct Arrow {
    map: MappedFile,
    metadata: FileMetadata,
    columns: Columns,
    rows: usize,
}

type Batch = Vec<Box<dyn Array>>;

impl Arrow {
    pub(super) fn open(path: &Path, map: MappedFile, name: Option<&str>) -> Result<Arrow, MatrixError> {
        let of = || -> Result<(FileMetadata, Columns, usize), String> {
            let metadata = metadata(&map)?;
            let columns = Columns::of(metadata.schema.iter_values(), name)?;
            let mut rows = 0_usize;
            for block in metadata.blocks.iter().chain(metadata.dictionaries.iter().flatten()) {
                rows = check(&map, block)?.and_then(|own| rows.checked_add(own)).ok_or("it is damaged")?;
            }
            Ok((metadata, columns, rows))
        };
        let (metadata, columns, rows) =
            of().map_err(|reason| MatrixError::Malformed { path: path.to_owned(), reason })?;
        let mut own = Arrow { map, metadata, columns, rows };
        if own.columns.dim == 0 {
            own.columns.dim =
                own.width().map_err(|reason| MatrixError::Malformed { path: path.to_owned(), reason })?;
        }
        Ok(own)
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// What the other columns say.
    pub(super) fn table(&self, path: &Path) -> Result<Option<Table>, MatrixError> {
        let fields = || self.metadata.schema.iter_values().enumerate();
        let said: Vec<usize> = fields()
            .filter(|(_, field)| self.columns.said.iter().any(|name| *name == field.name))
            .map(|(at, _)| at)
            .collect();
        if said.is_empty() {
            return Ok(None);
        }
        let names: Vec<PlSmallStr> =
            said.iter().map(|&at| fields().nth(at).expect("a field").1.name.clone()).collect();
        let read = || -> Result<Vec<Column>, String> {
            let mut columns: Vec<Batch> = said.iter().map(|_| Vec::new()).collect();
            for batch in self.batches(&said) {
                columns.iter_mut().zip(batch?).for_each(|(column, array)| column.push(array));
            }
            let column = |(name, arrays): (&PlSmallStr, Batch)| {
                guarded(|| Series::try_from((name.clone(), arrays))).map(Series::into_column)
            };
            names.iter().zip(columns).map(column).collect()
        };
        let columns = read().map_err(|reason| MatrixError::Malformed { path: path.to_owned(), reason })?;
        Ok(Some(Table::of_columns(path, self.rows, columns)?))
    }

    /// All rows, a batch at a time.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Result<Vec<f32>, String>> {
        let blocks = self.batches(&self.columns.at).map(|batch| {
            self.map.release(0..self.map.len());
            self.columns.rows(&batch?)
        });
        blocks.filter(|block| block.as_ref().map_or(true, |block| !block.is_empty()))
    }

    /// Of the first row.
    fn width(&self) -> Result<usize, String> {
        for batch in self.batches(&self.columns.at) {
            if let Some(width) = batch?.first().and_then(|array| columns::width(&**array)) {
                return Ok(width);
            }
        }
        Ok(0)
    }

    /// These columns of every batch.
    fn batches(&self, columns: &[usize]) -> impl Iterator<Item = Result<Batch, String>> {
        let file = Cursor::new(&self.map[..]);
        let mut reader = FileReader::new(file, self.metadata.clone(), Some(columns.to_vec()), None);
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let next = guarded(|| reader.next().transpose()).transpose()?;
            failed = next.is_err();
            Some(next.map(RecordBatchT::into_arrays))
        })
    }
}

/// The names of a file's columns.
pub(crate) fn names(path: &Path) -> Option<Vec<String>> {
    let map = MappedFile::open(path).ok()?;
    let metadata = metadata(&map).ok()?;
    Some(metadata.schema.iter_names().map(ToString::to_string).collect())
}

/// What the end of the file says, after a look at whether that can be read.
fn metadata(file: &[u8]) -> Result<FileMetadata, String> {
    let damaged = || "it is damaged, or was cut short".to_owned();
    let footer = file.strip_suffix(b"ARROW1").ok_or_else(damaged)?;
    let (rest, length) = footer.split_last_chunk::<4>().ok_or_else(damaged)?;
    let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| damaged())?;
    let start = rest.len().checked_sub(length).ok_or_else(damaged)?;
    let schema = FooterRef::read_as_root(&rest[start..]).and_then(|footer| footer.schema());
    let schema = schema.ok().flatten().ok_or_else(damaged)?;
    let mut left = MOST_FIELDS;
    count(schema.fields().map_err(|_| damaged())?, DEEPEST, &mut left).ok_or_else(damaged)?;
    guarded(|| read_file_metadata(&mut Cursor::new(file)))
}

/// Whether there are not too many fields, nor too deep in one another.
fn count<'a>(
    fields: Option<ipc::planus::Vector<'a, ipc::planus::Result<ipc::FieldRef<'a>>>>,
    deepest: usize,
    left: &mut usize,
) -> Option<()> {
    for field in fields.into_iter().flatten() {
        *left = left.checked_sub(1)?;
        let deeper = deepest.checked_sub(1)?;
        count(field.ok()?.children().ok()?, deeper, left)?;
    }
    Some(())
}

/// How many rows a batch has, 0 of a dictionary; nothing where it says so wrongly.
///
/// # Errors
/// Where it does not lie within the file, or is larger than one may be.
fn check(file: &[u8], block: &ipc::Block) -> Result<Option<usize>, String> {
    let damaged = || "it is damaged, or was cut short".to_owned();
    let unsigned = |number: i64| u64::try_from(number).map_err(|_| damaged());
    let start = unsigned(block.offset)?.checked_add(unsigned(block.meta_data_length.into())?);
    let start = start.ok_or_else(damaged)?;
    let body = unsigned(block.body_length)?;
    let end = start.checked_add(body).filter(|end| *end <= file.len() as u64).ok_or_else(damaged)?;
    let message = MessageRef::read_as_root(message(&file[block.offset as usize..]).ok_or_else(damaged)?);
    let message = message.map_err(|_| damaged())?;
    let (batch, rows) = match message.header() {
        Ok(Some(MessageHeaderRef::RecordBatch(batch))) => (batch, batch.length().map_err(|_| damaged())?),
        Ok(Some(MessageHeaderRef::DictionaryBatch(dictionary))) => {
            (dictionary.data().ok().flatten().ok_or_else(damaged)?, 0)
        }
        _ => return Err(damaged()),
    };
    let is_packed = batch.compression().map_err(|_| damaged())?.is_some();
    let mut size = 0_u64;
    for buffer in batch.buffers().map_err(|_| damaged())?.into_iter().flatten() {
        let (offset, length) = (unsigned(buffer.offset())?, unsigned(buffer.length())?);
        let from = start.checked_add(offset).ok_or_else(damaged)?;
        let to = from.checked_add(length).filter(|to| *to <= end).ok_or_else(damaged)?;
        let bytes = &file[from as usize..to as usize];
        let unpacked = match bytes.first_chunk::<8>().map(|length| i64::from_le_bytes(*length)) {
            Some(unpacked) if is_packed && unpacked != -1 => unsigned(unpacked)?,
            None if is_packed && length > 0 => return Err(damaged()),
            _ => length,
        };
        size = size.saturating_add(unpacked);
    }
    if size > MOST_BATCH {
        return Err(format!(
            "one of its batches takes {size} bytes, {MOST_BATCH} at most are read; write smaller ones"
        ));
    }
    Ok(usize::try_from(rows).ok())
}

/// What a message at the beginning of these bytes says of the body that follows it.
fn message(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xff\xff\xff\xff").unwrap_or(bytes);
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(i32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::Matrix;
    use std::{fs, path::PathBuf};

    fn fixture(how: &str) -> PathBuf {
        PathBuf::from(format!("{}/tests/fixtures/{how}.arrow", env!("CARGO_MANIFEST_DIR")))
    }

    fn values(path: &std::path::Path) -> Result<Vec<f32>, String> {
        let matrix = Matrix::open(path).map_err(|error| error.to_string())?;
        let blocks: Result<Vec<Vec<f32>>, _> = matrix.blocks().collect();
        Ok(blocks.map_err(|error| error.to_string())?.concat())
    }

    /// Files of pyarrow's, which compresses unless it is told not to.
    #[test]
    fn compressed_files_hold_the_same() {
        let plain = values(&fixture("uncompressed")).unwrap();
        assert_eq!((plain.len(), &plain[..4]), (120, &[0.0, 0.5, 1.0, 1.5][..]));
        for how in ["lz4", "zstd"] {
            assert_eq!(values(&fixture(how)).unwrap(), plain, "{how}");
            let mut matrix = Matrix::open(&fixture(how)).unwrap();
            let table = matrix.take_table().unwrap().unwrap();
            assert_eq!(table.texts("label").unwrap().get(4), Some("dog"));
        }
    }

    /// Lengths of what is unpacked stand before each buffer.
    #[test]
    fn no_flipped_byte_of_a_compressed_file_panics_or_asks_for_much() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("m.arrow");
        for how in ["lz4", "zstd"] {
            let good = fs::read(fixture(how)).unwrap();
            let mut refused = 0;
            for at in 0..good.len() {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << (at % 8);
                fs::write(&path, bytes).unwrap();
                if let Err(message) = values(&path) {
                    assert!(!message.contains('\n') && message.chars().count() < 500, "{message}");
                    refused += 1;
                }
            }
            assert!(refused > 100, "{refused} of {} refused", good.len());
        }
    }
}
