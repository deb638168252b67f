//! Matrices that other programs wrote: rows of numbers, as f32, from whatever file holds them.
//!
//! A file's first bytes say what it is, not its name: NumPy's `.npy`, Parquet, Arrow's IPC file, safetensors.
//!
//! **Invariant:** a matrix is checked when it is opened: its numbers lie within the file, and it has a row and a column.
//! **Invariant:** memory does not grow with the matrix. What can be mapped is; the others are read block by block.

mod arrow;
mod columns;
mod error;
mod mapped;
mod npy;
mod number;
mod parquet;
mod safetensors;
mod write;

use crate::{MappedFile, table::Table};
use mapped::Mapped;
use std::path::{Path, PathBuf};

pub(crate) use arrow::names as arrow_names;
pub use error::MatrixError;
pub use npy::{header as npy_header, texts as npy_texts};
pub use write::{Layout, Written, write};

/// Values of a block: 16 MiB.
const BLOCK: usize = 4 << 20;

/// An (n, d) matrix of numbers.
pub struct Matrix {
    path: PathBuf,
    form: Form,
}

enum Form {
    Mapped(Mapped, Option<Table>),
    Parquet(parquet::Parquet),
    Arrow(arrow::Arrow),
}

impl Matrix {
    /// Opens the matrix at `path`. `FILE:NAME` is the tensor or the column of that name, where there is no file of the whole
    /// name.
    ///
    /// # Errors
    /// Where there is no matrix, or several of which none is named, or the file is damaged.
    pub fn open(path: &Path) -> Result<Matrix, MatrixError> {
        let (path, name) = apart(path);
        let fail = |reason: String| MatrixError::Malformed { path: path.clone(), reason };
        let map = MappedFile::open(&path)?;
        let kind = Kind::of(&map);
        if let (Some(name), Kind::Npy) = (&name, kind) {
            return Err(fail(format!("an .npy file holds one matrix, without the name `{name}`")));
        }
        let name = name.as_deref();
        let form = match kind {
            Kind::Npy => Form::Mapped(npy::open(map).map_err(fail)?, None),
            Kind::Safetensors => {
                let (mapped, table) = safetensors::open(&path, map, name).map_err(fail)?;
                Form::Mapped(mapped, table)
            }
            Kind::Parquet => Form::Parquet(parquet::Parquet::open(&path, map, name)?),
            Kind::Arrow => Form::Arrow(arrow::Arrow::open(&path, map, name)?),
            Kind::Other(found) => return Err(MatrixError::Format { path, found }),
        };
        let matrix = Matrix { path, form };
        match (matrix.rows(), matrix.dim()) {
            (0, _) => Err(MatrixError::Malformed { path: matrix.path, reason: "it has no rows".to_owned() }),
            (_, 0) => Err(MatrixError::Malformed {
                path: matrix.path,
                reason: "its rows have no values".to_owned(),
            }),
            _ => Ok(matrix),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// n
    pub fn rows(&self) -> usize {
        match &self.form {
            Form::Mapped(mapped, _) => mapped.rows,
            Form::Parquet(parquet) => parquet.rows(),
            Form::Arrow(arrow) => arrow.rows(),
        }
    }

    /// d
    pub fn dim(&self) -> usize {
        match &self.form {
            Form::Mapped(mapped, _) => mapped.dim,
            Form::Parquet(parquet) => parquet.columns().dim,
            Form::Arrow(arrow) => arrow.columns().dim,
        }
    }

    /// The type that its numbers have, where f32 cannot hold all of that: `f64`.
    pub fn rounded(&self) -> Option<&str> {
        match &self.form {
            Form::Mapped(mapped, _) => mapped.number.rounded(),
            Form::Parquet(parquet) => parquet.columns().rounded(),
            Form::Arrow(arrow) => arrow.columns().rounded(),
        }
    }

    /// The names of the columns that are the matrix, where each of them is one number of a row.
    pub fn columns(&self) -> Option<&[String]> {
        let columns = match &self.form {
            Form::Mapped(..) => return None,
            Form::Parquet(parquet) => parquet.columns(),
            Form::Arrow(arrow) => arrow.columns(),
        };
        columns.is_wide().then_some(&columns.names)
    }

    /// What the file says of its rows besides: every column of text, and those called `id`, `path`, `label` and `split`. Of
    /// several columns of numbers, which are the matrix, no other is said.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn take_table(&mut self) -> Result<Option<Table>, MatrixError> {
        match &mut self.form {
            Form::Mapped(_, table) => Ok(table.take()),
            Form::Parquet(parquet) => Ok(parquet.table(&self.path)?),
            Form::Arrow(arrow) => arrow.table(&self.path),
        }
    }

    /// All values, in runs of whole rows: (some rows, d) row-major.
    pub fn blocks(&self) -> Box<dyn Iterator<Item = Result<Vec<f32>, MatrixError>> + '_> {
        let fail = |reason: String| MatrixError::Malformed { path: self.path.clone(), reason };
        match &self.form {
            Form::Mapped(mapped, _) => Box::new(mapped.blocks(BLOCK).map(Ok)),
            Form::Parquet(parquet) => Box::new(parquet.blocks(BLOCK).map(move |block| block.map_err(fail))),
            Form::Arrow(arrow) => Box::new(arrow.blocks().map(move |block| block.map_err(fail))),
        }
    }

    /// The same matrix, whose rows can be read in any order: where they cannot yet, from a file without a name in `folder`,
    /// as long as the matrix in f32.
    ///
    /// # Errors
    /// As [`Matrix::blocks`], and where the disk refuses.
    pub fn any_order(self, folder: &Path) -> Result<Rows, MatrixError> {
        match self.form {
            Form::Mapped(mapped, _) if mapped.is_row_major() => Ok(Rows::of(mapped)),
            form => mapped::spool(&Matrix { form, path: self.path }, folder).map(Rows::of),
        }
    }
}

/// A matrix whose rows can be read in any order.
pub struct Rows {
    mapped: Mapped,
    /// Values that were read since memory was last given back.
    read: usize,
}

impl Rows {
    /// One row: (d,).
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn copy(&mut self, row: usize, out: &mut Vec<f32>) {
        out.clear();
        self.mapped.extend(row..row + 1, out);
        self.read += out.len();
        if self.read >= BLOCK {
            self.mapped.release();
            self.read = 0;
        }
    }

    fn of(mapped: Mapped) -> Rows {
        Rows { mapped, read: 0 }
    }
}

/// What a file is, by how it begins.
#[derive(Clone, Copy)]
enum Kind {
    Npy,
    Parquet,
    Arrow,
    Safetensors,
    /// What it is instead.
    Other(&'static str),
}

impl Kind {
    fn of(bytes: &[u8]) -> Kind {
        let safetensors = bytes.get(8..).is_some_and(|rest| rest.starts_with(b"{"));
        let known: [(&[u8], Kind); 8] = [
            (b"\x93NUMPY", Kind::Npy),
            (b"PAR1", Kind::Parquet),
            (b"ARROW1", Kind::Arrow),
            (b"FEA1", Kind::Other("Feather of version 1; write version 2")),
            (b"\xff\xff\xff\xff", Kind::Other("a stream of Arrow; write Arrow's file format")),
            (
                b"PK\x03\x04",
                Kind::Other("an archive such as .npz; save its array by itself, with numpy.save"),
            ),
            (b"\x89HDF", Kind::Other("HDF5; save its array with numpy.save")),
            (b"\x80", Kind::Other("a pickle, which is never loaded; save its array with numpy.save")),
        ];
        let found = known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind);
        match found {
            // Eight bytes of length may begin with any of those that are short.
            Some(Kind::Other(_)) | None if safetensors => Kind::Safetensors,
            Some(kind) => kind,
            None => Kind::Other("none of them"),
        }
    }
}

/// A path, and the name after its last colon, where that is no part of the path.
fn apart(path: &Path) -> (PathBuf, Option<String>) {
    if let (false, Some(text)) = (path.exists(), path.to_str())
        && let Some((file, name)) = text.rsplit_once(':')
        && Path::new(file).is_file()
    {
        return (PathBuf::from(file), Some(name.to_owned()));
    }
    (path.to_owned(), None)
}
