//! Matrices whose numbers lie in a mapped file one after the other.

use super::{Matrix, MatrixError, number::Number};
use crate::MappedFile;
use std::{
    io::{BufWriter, Write as _},
    ops::Range,
    path::Path,
};

/// (rows, dim) numbers.
pub(super) struct Mapped {
    map: MappedFile,
    /// Where the first of them lies.
    start: usize,
    pub(super) number: Number,
    big_endian: bool,
    /// Column by column, as Fortran has them.
    by_column: bool,
    pub(super) rows: usize,
    pub(super) dim: usize,
}

impl Mapped {
    /// `shape` is (rows, dim).
    ///
    /// # Errors
    /// Where they are not all of the file from `start` to `end`.
    pub(super) fn new(
        map: MappedFile,
        place: Range<usize>,
        number: Number,
        shape: (usize, usize),
    ) -> Result<Mapped, String> {
        let (rows, dim) = shape;
        let expected = rows.checked_mul(dim).and_then(|values| values.checked_mul(number.size()));
        let got = map.get(place.clone()).map(<[u8]>::len);
        if expected.is_none() || got != expected {
            let got = got.unwrap_or(0);
            return Err(format!(
                "its header says {rows} rows of {dim} numbers, of {} bytes each; {got} bytes are there",
                number.size()
            ));
        }
        Ok(Mapped { map, start: place.start, number, big_endian: false, by_column: false, rows, dim })
    }

    pub(super) fn laid(self, big_endian: bool, by_column: bool) -> Mapped {
        Mapped { big_endian, by_column, ..self }
    }

    /// Whether a row's numbers lie one after the other.
    pub(super) fn is_row_major(&self) -> bool {
        !self.by_column || self.rows == 1 || self.dim == 1
    }

    /// Appends some rows: (rows.len(), d).
    pub(super) fn extend(&self, rows: Range<usize>, out: &mut Vec<f32>) {
        let size = self.number.size();
        let bytes = |first: usize, count: usize| &self.map[self.start + first * size..][..count * size];
        if self.is_row_major() {
            let bytes = bytes(rows.start * self.dim, rows.len() * self.dim);
            return self.number.extend(bytes, self.big_endian, out);
        }
        let (first, mut column) = (out.len(), Vec::with_capacity(rows.len()));
        out.resize(first + rows.len() * self.dim, 0.0);
        for at in 0..self.dim {
            column.clear();
            self.number.extend(bytes(at * self.rows + rows.start, rows.len()), self.big_endian, &mut column);
            let places = out[first + at..].iter_mut().step_by(self.dim);
            places.zip(&column).for_each(|(place, value)| *place = *value);
        }
    }

    /// Gives the memory of all of it back, until it is read again.
    pub(super) fn release(&self) {
        self.map.release(0..self.map.len());
    }

    /// All rows, some `values` numbers at a time. What was read does not stay in memory.
    pub(super) fn blocks(&self, values: usize) -> impl Iterator<Item = Vec<f32>> {
        let step = (values / self.dim).max(1);
        (0..self.rows).step_by(step).map(move |row| {
            let rows = row..self.rows.min(row + step);
            let mut block = Vec::with_capacity(rows.len() * self.dim);
            self.extend(rows.clone(), &mut block);
            match self.by_column {
                true => self.release(),
                false => {
                    let size = self.dim * self.number.size();
                    self.map.release(self.start + rows.start * size..self.start + rows.end * size);
                }
            }
            block
        })
    }
}

/// Writes a matrix, as f32 row by row, into a file in `folder` that has no name, and maps that.
pub(super) fn spool(matrix: &Matrix, folder: &Path) -> Result<Mapped, MatrixError> {
    let fail = |source| MatrixError::Aside { folder: folder.to_owned(), source };
    let file = tempfile::tempfile_in(folder).map_err(fail)?;
    let mut out = BufWriter::with_capacity(1 << 20, &file);
    for block in matrix.blocks() {
        for value in block? {
            out.write_all(&value.to_le_bytes()).map_err(fail)?;
        }
    }
    out.flush().map_err(fail)?;
    drop(out);
    let map = MappedFile::of(&file).map_err(fail)?;
    let place = 0..map.len();
    let malformed = |reason| MatrixError::Malformed { path: matrix.path().to_owned(), reason };
    Mapped::new(map, place, Number::F32, (matrix.rows(), matrix.dim())).map_err(malformed)
}
