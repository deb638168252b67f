//! Matrices for other programs, with what is said of their rows.

use super::{
    MatrixError, npy,
    safetensors::{FEATURES, ROWS},
};
use polars_arrow::{
    array::{Array, FixedSizeListArray, PrimitiveArray, Utf8Array},
    datatypes::{ArrowDataType, ArrowSchema, Field},
    io::ipc::write as ipc,
    record_batch::RecordBatchT,
};
use polars_parquet::write as parquet;
use std::{
    fmt,
    io::{self, Write},
    ops::Range,
    sync::Arc,
};

/// Values of a row group, or of a batch: 64 MiB.
const GROUP: usize = 16 << 20;
/// Rows of one.
const MOST_ROWS: usize = 1 << 17;

/// How a matrix is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// NumPy's `.npy`, of which nothing else is said.
    Npy,
    /// A Parquet table: texts, then `features`, a list of fixed size in each row.
    Parquet,
    /// The same as an Arrow IPC file, not compressed.
    Arrow,
    /// A safetensors file: `features` (n, d), and in `rows` the bytes of a JSON object of columns.
    Safetensors,
}

/// What is written.
pub struct Written<'a> {
    /// n
    pub rows: usize,
    /// d
    pub dim: usize,
    /// The names of the columns of texts.
    pub columns: &'a [&'a str],
    /// What a column says of a row: (row, column).
    pub text: &'a dyn Fn(usize, usize) -> &'a str,
    /// Writes a row's values into (d,).
    pub values: &'a dyn Fn(usize, &mut [f32]),
}

/// Writes a matrix. The same one gives the same bytes.
///
/// # Errors
/// Where the disk refuses.
pub fn write(layout: Layout, out: impl Write, matrix: &Written<'_>) -> Result<(), MatrixError> {
    match layout {
        Layout::Npy => matrix.npy(out).map_err(MatrixError::Disk),
        Layout::Parquet => matrix.by_polars(|matrix, out| matrix.parquet(out), out),
        Layout::Arrow => matrix.by_polars(|matrix, out| matrix.arrow(out), out),
        Layout::Safetensors => matrix.safetensors(out).map_err(MatrixError::Disk),
    }
}

/// Remembers what the disk said, which polars wraps in its own words.
struct Told<W>(W, Option<io::Error>);

impl<W: Write> Write for Told<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|error| self.keep(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(|error| self.keep(error))
    }
}

impl<W> Told<W> {
    fn keep(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if kind != io::ErrorKind::Interrupted {
            self.1 = Some(error);
        }
        kind.into()
    }
}

fn told(error: impl fmt::Display) -> MatrixError {
    MatrixError::Write(crate::brief::told(&error))
}

impl Written<'_> {
    fn by_polars<W: Write>(
        &self,
        write: impl FnOnce(&Self, &mut Told<W>) -> Result<(), MatrixError>,
        out: W,
    ) -> Result<(), MatrixError> {
        let mut out = Told(out, None);
        write(self, &mut out).map_err(|error| out.1.take().map_or(error, MatrixError::Disk))
    }

    fn npy(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(&npy::header(self.rows, self.dim))?;
        self.floats(&mut out)?;
        out.flush()
    }

    fn safetensors(&self, mut out: impl Write) -> io::Result<()> {
        // What is said comes twice: its length stands in the header.
        let mut said = Counted(0);
        self.json(&mut said)?;
        let floats = 4 * self.rows as u64 * self.dim as u64;
        let mut header = format!(
            r#"{{"__metadata__":{{"headstart":"rows"}},"{FEATURES}":{{"dtype":"F32","shape":[{},{}],"data_offsets":[0,{floats}]}},"{ROWS}":{{"dtype":"U8","shape":[{}],"data_offsets":[{floats},{}]}}}}"#,
            self.rows,
            self.dim,
            said.0,
            floats + said.0
        );
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        self.floats(&mut out)?;
        self.json(&mut out)?;
        out.flush()
    }

    fn floats(&self, out: &mut impl Write) -> io::Result<()> {
        let (mut values, mut bytes) = (vec![0.0; self.dim], Vec::with_capacity(4 * self.dim));
        for row in 0..self.rows {
            (self.values)(row, &mut values);
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value: &f32| value.to_le_bytes()));
            out.write_all(&bytes)?;
        }
        Ok(())
    }

    /// `{"id":["a","b"],"split":["train","val"]}`
    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"{")?;
        for (column, name) in self.columns.iter().enumerate() {
            out.write_all(if column == 0 { b"" } else { b"," })?;
            serde_json::to_writer(&mut *out, name)?;
            out.write_all(b":[")?;
            for row in 0..self.rows {
                out.write_all(if row == 0 { b"" } else { b"," })?;
                serde_json::to_writer(&mut *out, (self.text)(row, column))?;
            }
            out.write_all(b"]")?;
        }
        out.write_all(b"}")
    }

    fn parquet(&self, mut out: impl Write) -> Result<(), MatrixError> {
        let schema = self.schema();
        let options = parquet::WriteOptions {
            statistics: parquet::StatisticsOptions::empty(),
            version: parquet::Version::V1,
            compression: parquet::CompressionOptions::Snappy,
            data_page_size: None,
        };
        let mut writer = parquet::FileWriter::try_new(&mut out, schema.clone(), options).map_err(told)?;
        for rows in self.groups() {
            let count = rows.len() as u64;
            let group = parquet::row_group_iter(
                self.batch(&schema, rows)?,
                schema.iter_values().map(|_| vec![parquet::Encoding::Plain]).collect(),
                writer.parquet_schema().fields().to_vec(),
                options,
            );
            writer.write(count, group).map_err(told)?;
        }
        writer.end(None).map_err(told)?;
        drop(writer);
        out.flush().map_err(told)
    }

    fn arrow(&self, mut out: impl Write) -> Result<(), MatrixError> {
        let schema = self.schema();
        let options = ipc::WriteOptions { compression: None };
        let mut writer =
            ipc::FileWriter::try_new(&mut out, Arc::new(schema.clone()), None, options).map_err(told)?;
        for rows in self.groups() {
            writer.write(&self.batch(&schema, rows)?, None).map_err(told)?;
        }
        writer.finish().map_err(told)?;
        drop(writer);
        out.flush().map_err(told)
    }

    /// Texts, then the features.
    fn schema(&self) -> ArrowSchema {
        let texts =
            self.columns.iter().map(|name| Field::new((*name).into(), ArrowDataType::LargeUtf8, false));
        let value = Field::new("item".into(), ArrowDataType::Float32, false);
        let list = ArrowDataType::FixedSizeList(Box::new(value), self.dim);
        texts.chain([Field::new(FEATURES.into(), list, false)]).collect()
    }

    /// Rows that are written together.
    fn groups(&self) -> impl Iterator<Item = Range<usize>> {
        let (step, rows) = ((GROUP / self.dim.max(1)).clamp(1, MOST_ROWS), self.rows);
        (0..rows).step_by(step).map(move |row| row..rows.min(row + step))
    }

    fn batch(
        &self,
        schema: &ArrowSchema,
        rows: Range<usize>,
    ) -> Result<RecordBatchT<Box<dyn Array>>, MatrixError> {
        let mut arrays: Vec<Box<dyn Array>> = Vec::with_capacity(schema.len());
        for column in 0..self.columns.len() {
            let texts = rows.clone().map(|row| (self.text)(row, column));
            arrays.push(Box::new(Utf8Array::<i64>::from_iter_values(texts)));
        }
        let mut values = vec![0.0; rows.len() * self.dim];
        for (row, out) in rows.clone().zip(values.chunks_exact_mut(self.dim.max(1))) {
            (self.values)(row, out);
        }
        let list = schema.get(FEATURES).map(|field| field.dtype.clone()).unwrap_or_default();
        let values = Box::new(PrimitiveArray::<f32>::from_vec(values));
        arrays.push(Box::new(FixedSizeListArray::try_new(list, rows.len(), values, None).map_err(told)?));
        RecordBatchT::try_new(rows.len(), Arc::new(schema.clone()), arrays).map_err(told)
    }
}

/// Counts bytes.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
