//! A matrix in columns of a Parquet file, read row group by row group.

use super::{MatrixError, columns};
use crate::{
    MappedFile,
    table::{Table, TableError, guarded, metadata},
};
use columns::Columns;
use polars_arrow::{array::Array, compute::concatenate::concatenate, datatypes::ArrowSchema};
use polars_buffer::Buffer;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, Filter, PageReader, RowGroupMetadata, column_iter_to_arrays,
    infer_schema,
};
use std::{io::Cursor, ops::Range, path::Path, sync::Arc};

/// Values of a row group that is decoded at once: a group of more is decoded in parts.
const MOST_AT_ONCE: usize = 64 << 20;
/// A page is no longer.
const MOST_PAGE: usize = 1 << 30;

pub(super) struct Parquet {
    file: Bytes,
    metadata: FileMetadata,
    schema: ArrowSchema,
    columns: Columns,
}

/// A mapped file that arrays may borrow from.
#[derive(Clone)]
struct Bytes(Arc<MappedFile>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Parquet {
    pub(super) fn open(path: &Path, map: MappedFile, name: Option<&str>) -> Result<Parquet, MatrixError> {
        let fail = |reason: String| MatrixError::Malformed { path: path.to_owned(), reason };
        let metadata = metadata(&map).map_err(fail)?;
        let schema = guarded(|| infer_schema(&metadata)).map_err(fail)?;
        let columns = Columns::of(schema.iter_values(), name).map_err(fail)?;
        let mut own = Parquet { file: Bytes(Arc::new(map)), metadata, schema, columns };
        own.check().map_err(fail)?;
        if own.columns.dim == 0 {
            own.columns.dim = own.width().map_err(fail)?;
        }
        Ok(own)
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    pub(super) fn rows(&self) -> usize {
        self.metadata.row_groups.iter().map(RowGroupMetadata::num_rows).sum()
    }

    /// What the other columns say.
    pub(super) fn table(&self, path: &Path) -> Result<Option<Table>, TableError> {
        let said: Vec<&str> = self.columns.said.iter().map(String::as_str).collect();
        if said.is_empty() { Ok(None) } else { Table::of_parquet(path, &said).map(Some) }
    }

    /// About `values` numbers at a time.
    pub(super) fn blocks(&self, values: usize) -> impl Iterator<Item = Result<Vec<f32>, String>> {
        let dim = self.columns.dim.max(1);
        let parts = self.metadata.row_groups.iter().flat_map(move |group| {
            let step =
                (if group.num_rows().saturating_mul(dim) <= MOST_AT_ONCE { MOST_AT_ONCE } else { values }
                    / dim)
                    .max(1);
            (0..group.num_rows()).step_by(step).map(move |row| (group, row..group.num_rows().min(row + step)))
        });
        parts.map(|(group, rows)| {
            let arrays = self.arrays(group, rows.clone())?;
            let block = self.columns.rows(&arrays)?;
            drop(arrays);
            self.file.0.release(0..self.file.as_ref().len());
            let whole = block.len() == rows.len() * self.columns.dim;
            if whole { Ok(block) } else { Err("it is damaged".to_owned()) }
        })
    }

    /// Columns lie within the file, and rows can be counted.
    fn check(&self) -> Result<(), String> {
        let mut rows = 0_usize;
        for group in &self.metadata.row_groups {
            rows = rows.checked_add(group.num_rows()).ok_or("it is damaged")?;
            for name in &self.columns.names {
                let mut chunks = group.columns_under_root_iter(name).into_iter().flatten();
                let lies_within = chunks.all(|chunk| {
                    let Range { start, end } = chunk.byte_range();
                    start <= end && end <= self.file.as_ref().len() as u64
                });
                if !lies_within {
                    return Err("it is damaged".to_owned());
                }
            }
        }
        Ok(())
    }

    /// Of the first row.
    fn width(&self) -> Result<usize, String> {
        let Some(group) = self.metadata.row_groups.iter().find(|group| group.num_rows() > 0) else {
            return Ok(0);
        };
        let arrays = self.arrays(group, 0..1)?;
        Ok(arrays.first().and_then(|array| columns::width(&**array)).unwrap_or(0))
    }

    /// Some rows of a row group, of each column of the matrix.
    fn arrays(&self, group: &RowGroupMetadata, rows: Range<usize>) -> Result<Vec<Box<dyn Array>>, String> {
        let array = |name: &String| -> Result<Box<dyn Array>, String> {
            let field = self.schema.get(name).ok_or("it is damaged")?.clone();
            let chunks: Vec<_> = group.columns_under_root_iter(name).into_iter().flatten().collect();
            let decoded = guarded(|| {
                let (pages, types): (Vec<_>, Vec<_>) = chunks
                    .into_iter()
                    .map(|chunk| {
                        let Range { start, end } = chunk.byte_range();
                        let bytes =
                            Buffer::from_owner(self.file.clone()).sliced(start as usize..end as usize);
                        let pages = PageReader::new(Cursor::new(bytes), chunk, Vec::new(), MOST_PAGE);
                        let kind = &chunk.descriptor().descriptor.primitive_type;
                        (BasicDecompressor::new(pages, Vec::new()), kind)
                    })
                    .unzip();
                let part = (rows.len() < group.num_rows()).then(|| Filter::Range(rows.clone()));
                column_iter_to_arrays(pages, types, field, part).map(|(arrays, _)| arrays)
            })?;
            match <[Box<dyn Array>; 1]>::try_from(decoded) {
                Ok([one]) => Ok(one),
                Err(several) => {
                    let several: Vec<&dyn Array> = several.iter().map(|array| &**array).collect();
                    guarded(|| concatenate(&several))
                }
            }
        };
        let arrays: Vec<Box<dyn Array>> = self.columns.names.iter().map(array).collect::<Result<_, _>>()?;
        match arrays.iter().find(|array| array.len() != rows.len()) {
            None => Ok(arrays),
            Some(array) => Err(format!("it is damaged: {} rows where {} should be", array.len(), rows.len())),
        }
    }
}
