//! A column of bytes in a Parquet file, such as pictures, read a page at a time: nobody needs all of a row group.
//!
//! The column is binary, or a struct of which a field, `bytes`, is, as Hugging Face's data sets have it.

use super::{
    TableError,
    guard::guarded,
    parquet::{self, MOST_PAGE, PageRows},
};
use crate::{MappedFile, Packed, brief};
use polars::prelude::*;
use polars_buffer::Buffer;
use polars_parquet::{
    parquet::read::PageMetaData,
    read::{
        BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, column_iter_to_arrays, infer_schema,
    },
};
use std::{
    collections::VecDeque,
    fmt,
    io::{self, Cursor},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The fields of a struct that are read.
const BYTES: &str = "bytes";
const NAME: &str = "path";
/// Names of a column of bytes that says by its name what it holds.
const NAMES: [&str; 6] = ["image", "img", "picture", "photo", "jpg", "png"];
/// Pages that are kept unpacked: neighbours are read one after the other.
const KEPT: usize = 2;

/// A column of bytes.
pub struct Cells {
    path: PathBuf,
    /// Where headers are looked at.
    file: MappedFile,
    /// Where pages are read.
    read: Packed,
    metadata: FileMetadata,
    /// The column, its type, and the fields of a struct that there are.
    column: String,
    own: ArrowField,
    fields: Vec<String>,
    pages: Vec<Page>,
    rows: usize,
    /// The last that were read, the last of all behind.
    kept: Mutex<VecDeque<(usize, BinaryChunked)>>,
}

/// Some rows of the column.
struct Page {
    group: usize,
    /// The rows of the file.
    rows: Range<usize>,
    /// Of the row group's dictionary, and of the page.
    dictionary: Range<usize>,
    bytes: Range<usize>,
}

impl Cells {
    /// The column of bytes of the Parquet file at `path`; nothing where there is none. Of several the first is taken that
    /// is a struct, or is named like a picture.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no Parquet.
    pub fn open(path: &Path) -> Result<Option<Cells>, TableError> {
        let fail = |reason: String| TableError::Read { path: path.to_owned(), reason };
        let file = MappedFile::open(path).map_err(|error| fail(error.source.to_string()))?;
        let metadata = parquet::metadata(&file).map_err(fail)?;
        let schema = guarded(|| infer_schema(&metadata)).map_err(fail)?;
        let Some((column, fields)) = column(&schema) else { return Ok(None) };
        // A picture has bytes of its own.
        if metadata.num_rows > file.len() {
            return Err(fail(format!("it says that it has {} rows, more than bytes", metadata.num_rows)));
        }
        let Some(own) = schema.get(&column).cloned() else { return Ok(None) };
        let (read, path, pages, rows) = (Packed::at(path), path.to_owned(), Vec::new(), metadata.num_rows);
        let mut cells = Cells {
            path,
            file,
            read,
            metadata,
            column,
            own,
            fields,
            pages,
            rows,
            kept: Mutex::new(VecDeque::new()),
        };
        cells.pages = guarded(|| cells.find_pages()).map_err(|reason| cells.wrong(&reason))?;
        Ok(Some(cells))
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a struct calls each row, if it does.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub fn names(&self) -> Result<Option<Vec<Option<String>>>, TableError> {
        if !self.fields.iter().any(|field| field == NAME) {
            return Ok(None);
        }
        let read = || {
            let mut names = Vec::with_capacity(self.rows.min(1 << 24));
            for group in 0..self.metadata.row_groups.len() {
                self.walk(group, Some(NAME), &mut Vec::new())?;
                let chunk = self.chunk(group, Some(NAME))?;
                let range = self.range(chunk)?;
                let series = self.decode(group, Some(NAME), chunk.num_values(), &[range])?;
                names.extend(series.str()?.iter().map(|name| name.map(str::to_owned)));
            }
            polars_ensure!(names.len() == self.rows, ComputeError: "it has other rows than it says");
            Ok(Some(names))
        };
        guarded(read).map_err(|reason| self.wrong(&reason))
    }

    /// The bytes of a row, of which there may be `most`.
    ///
    /// # Errors
    /// Where there are none, or more, or the file is damaged.
    pub fn read(&self, row: usize, most: u64) -> io::Result<Vec<u8>> {
        let damaged = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        let at = self.pages.partition_point(|page| page.rows.end <= row);
        let Some(page) = self.pages.get(at) else { return Err(damaged("there is no such row".to_owned())) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.iter().position(|(kept, _)| *kept == at) {
            let page = kept.remove(place);
            kept.extend(page);
        } else {
            // Before the next one is there.
            while kept.len() >= KEPT {
                kept.pop_front();
            }
            let cells = guarded(|| self.cells(page)).map_err(damaged)?;
            kept.push_back((at, cells));
        }
        let cells = kept.back().and_then(|(_, cells)| cells.get(row - page.rows.start));
        let cell = cells.ok_or_else(|| damaged("its cell is empty".to_owned()))?;
        if cell.len() as u64 > most {
            return Err(crate::bounded::too_long(cell.len() as u64, most));
        }
        Ok(cell.to_vec())
    }

    fn cells(&self, page: &Page) -> PolarsResult<BinaryChunked> {
        let field = self.fields.iter().any(|field| field == BYTES).then_some(BYTES);
        let rows = page.rows.len() as i64;
        let ranges = [page.dictionary.clone(), page.bytes.clone()];
        let series = self.decode(page.group, field, rows, &ranges)?;
        polars_ensure!(series.len() == page.rows.len(), ComputeError: "a page has other rows than it says");
        Ok(series.binary()?.clone())
    }

    /// Where the pages of all row groups lie.
    fn find_pages(&self) -> PolarsResult<Vec<Page>> {
        let field = self.fields.iter().any(|field| field == BYTES).then_some(BYTES);
        let mut pages = Vec::new();
        for group in 0..self.metadata.row_groups.len() {
            self.walk(group, field, &mut pages)?;
        }
        let rows = pages.last().map_or(0, |page: &Page| page.rows.end);
        polars_ensure!(rows == self.rows, ComputeError: "its row groups do not hold its rows");
        Ok(pages)
    }

    /// Adds the pages of the column in a row group, or those of a field of it. None is unpacked.
    fn walk(&self, group: usize, field: Option<&str>, pages: &mut Vec<Page>) -> PolarsResult<()> {
        let range = self.range(self.chunk(group, field)?)?;
        let mut first = pages.last().map_or(0, |page| page.rows.end);
        let (end, mut at) = (first.saturating_add(self.metadata.row_groups[group].num_rows()), range.start);
        let mut dictionary = at..at;
        while first < end {
            let header = parquet::header(&self.file[at..range.end])?;
            let begin = at;
            at += header.length;
            polars_ensure!(at <= range.end, ComputeError: "a page ends beyond its column");
            // Of which only the header was looked at, but the system maps what lies around it.
            self.file.release(begin..at);
            match header.rows {
                PageRows::Dictionary => dictionary = begin..at,
                PageRows::None => {}
                PageRows::Data(rows) => {
                    polars_ensure!(rows <= end - first, ComputeError: "its pages do not hold its rows");
                    let (rows, dictionary) = (first..first + rows, dictionary.clone());
                    first = rows.end;
                    pages.push(Page { group, rows, dictionary, bytes: begin..at });
                }
            }
        }
        Ok(())
    }

    /// The column's part in a row group, or that of a field of it.
    fn chunk(&self, group: usize, field: Option<&str>) -> PolarsResult<&ColumnChunkMetadata> {
        let chunks = self.metadata.row_groups[group].columns_under_root_iter(&self.column);
        let is_it = |chunk: &&ColumnChunkMetadata| {
            let path = &chunk.descriptor().path_in_schema;
            path.get(1).map(PlSmallStr::as_str) == field && path.len() == 1 + usize::from(field.is_some())
        };
        let chunk = chunks.into_iter().flatten().find(is_it);
        chunk.ok_or_else(|| polars_err!(ComputeError: "a row group lacks the column"))
    }

    fn range(&self, chunk: &ColumnChunkMetadata) -> PolarsResult<Range<usize>> {
        let Range { start, end } = chunk.byte_range();
        polars_ensure!(start <= end && end <= self.file.len() as u64, ComputeError: "a column lies beyond its end");
        Ok(start as usize..end as usize)
    }

    /// The values of the pages that lie in `ranges`, of the column or of a field of it.
    fn decode(
        &self,
        group: usize,
        field: Option<&str>,
        values: i64,
        ranges: &[Range<usize>],
    ) -> PolarsResult<Series> {
        let chunk = self.chunk(group, field)?;
        // Not from the map: what is read there counts as ours.
        let mut bytes = Vec::new();
        for Range { start, end } in ranges {
            bytes.append(&mut self.read.read(*start as u64..*end as u64, u64::MAX)?);
        }
        let mut own = self.own.clone();
        if let (Some(field), ArrowDataType::Struct(fields)) = (field, &own.dtype) {
            let only = fields.iter().filter(|own| own.name == field).cloned().collect();
            own.dtype = ArrowDataType::Struct(only);
        }
        let pages = PageReader::new_with_page_meta(
            Cursor::new(Buffer::from(bytes)),
            meta(chunk, values),
            Vec::new(),
            MOST_PAGE,
        );
        let types = vec![&chunk.descriptor().descriptor.primitive_type];
        let decompressor = BasicDecompressor::new(pages, Vec::new());
        let (arrays, _) = column_iter_to_arrays(vec![decompressor], types, own.clone(), None)?;
        let series = Series::try_from((&own, arrays))?;
        match field {
            Some(field) => series.struct_()?.field_by_name(field),
            None => Ok(series),
        }
    }

    fn wrong(&self, reason: &str) -> TableError {
        TableError::Read { path: self.path.clone(), reason: brief::cut(reason, 200).into_owned() }
    }
}

/// By its file.
impl PartialEq for Cells {
    fn eq(&self, other: &Cells) -> bool {
        self.path == other.path
    }
}

impl Eq for Cells {}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.column, self.path.display())
    }
}

/// Of the pages of a chunk, that many values.
fn meta(chunk: &ColumnChunkMetadata, values: i64) -> PageMetaData {
    PageMetaData { num_values: values, ..PageMetaData::from(chunk) }
}

/// Which column holds bytes, and the fields of it that there are.
fn column(schema: &ArrowSchema) -> Option<(String, Vec<String>)> {
    let is_bytes = |dtype: &ArrowDataType| {
        matches!(dtype, ArrowDataType::Binary | ArrowDataType::LargeBinary | ArrowDataType::BinaryView)
    };
    let of = |field: &ArrowField| match &field.dtype {
        ArrowDataType::Struct(fields) => {
            let has = fields.iter().any(|field| field.name == BYTES && is_bytes(&field.dtype));
            has.then(|| fields.iter().map(|field| field.name.to_string()).collect())
        }
        dtype => is_bytes(dtype).then(Vec::new),
    };
    let found = schema.iter_values().filter_map(|field| Some((field.name.to_string(), of(field)?)));
    let found: Vec<(String, Vec<String>)> = found.collect();
    let named = |(name, _): &&(String, Vec<String>)| NAMES.contains(&name.to_ascii_lowercase().as_str());
    let first = found.iter().find(named).or_else(|| found.iter().find(|(_, fields)| !fields.is_empty()));
    first.or(found.iter().find(|(name, _)| name == BYTES)).cloned()
}

#[cfg(test)]
mod tests;
