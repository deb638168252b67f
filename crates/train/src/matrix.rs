//! Products of matrices.

use crate::memory;
use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rayon::prelude::*;

/// Parts of a product, each of which one thread works out. Affects bits only where gemm's do.
const PARTS: usize = 8;

/// A matrix within a slice.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    /// From one row to the next, or from one column to the next of what was transposed.
    stride: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// (rows, columns) row-major.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix::within(data, rows, columns, columns)
    }

    /// The same, `stride` numbers from one row to the next; `data` begins with the first.
    pub(crate) fn within(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Matrix<'a> {
        Matrix { data, rows, columns, stride, transposed: false }
    }

    /// Its transpose.
    pub(crate) fn t(self) -> Matrix<'a> {
        Matrix { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    fn skip_rows(self, first: usize, rows: usize) -> Matrix<'a> {
        let by = if self.transposed { first } else { first * self.stride };
        Matrix { data: &self.data[by..], rows, ..self }
    }

    fn view(&self) -> MatRef<'a, f32> {
        let (rows, columns) =
            if self.transposed { (self.columns, self.rows) } else { (self.rows, self.columns) };
        let end = if rows * columns == 0 { 0 } else { (rows - 1) * self.stride + columns };
        let view = MatRef::from_row_major_slice_with_stride(&self.data[..end], rows, columns, self.stride);
        if self.transposed { view.transpose() } else { view }
    }
}

/// to (rows, columns), `stride` numbers from row to row: factor · a · b, or that and what was there. On this thread.
pub(crate) fn multiply_within(
    to: &mut [f32],
    stride: usize,
    add: bool,
    (a, b): (Matrix<'_>, Matrix<'_>),
    factor: f32,
) {
    let (rows, columns) = (a.rows, b.columns);
    if rows * columns == 0 {
        return;
    }
    let end = (rows - 1) * stride + columns;
    // Not `from_row_major_slice_with_stride_mut`, which takes rows for columns in faer 0.24.4, and writes beyond the slice.
    let to = MatMut::from_column_major_slice_with_stride_mut(&mut to[..end], columns, rows, stride)
        .transpose_mut();
    let accum = if add { Accum::Add } else { Accum::Replace };
    matmul(to, accum, a.view(), b.view(), factor, Par::Seq);
}

/// a · b, (rows, columns) row-major. On this thread.
pub(crate) fn multiply(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let mut to = memory::room(a.rows * b.columns);
    multiply_within(&mut to, b.columns, false, (a, b), 1.0);
    to
}

/// The same on all threads.
pub(crate) fn multiply_all(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let mut to = memory::room(a.rows * b.columns);
    if to.is_empty() {
        return to;
    }
    let tile = a.rows.div_ceil(PARTS).next_multiple_of(32);
    to.par_chunks_mut(tile * b.columns).enumerate().for_each(|(at, to)| {
        let a = a.skip_rows(at * tile, to.len() / b.columns);
        multiply_within(to, b.columns, false, (a, b), 1.0);
    });
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_where_they_belong() {
        let x: Vec<f32> = (0..600).map(|at| (at % 17) as f32 - 8.0).collect();
        for (rows, depth, columns) in [(1, 2, 3), (5, 4, 1), (7, 9, 12), (19, 3, 21)] {
            let a = Matrix::within(&x, rows, depth, depth + 1);
            let b = Matrix::within(&x[7..], columns, depth, depth + 2).t();
            let number = |row: usize, column: usize| -> f32 {
                (0..depth).map(|k| x[row * (depth + 1) + k] * x[7 + column * (depth + 2) + k]).sum()
            };
            let mut to = vec![9.0; 4 + rows * (columns + 2)];
            multiply_within(&mut to[4..], columns + 2, false, (a, b), 2.0);
            multiply_within(&mut to[4..], columns + 2, true, (a, b), 1.0);
            for (at, value) in to.iter().enumerate() {
                let place = at.checked_sub(4).map(|at| (at / (columns + 2), at % (columns + 2)));
                let expected = match place {
                    Some((row, column)) if column < columns => 3.0 * number(row, column),
                    _ => 9.0,
                };
                assert_eq!(*value, expected, "{rows}×{depth}×{columns} at {place:?}");
            }
            let plain: Vec<f32> = (0..rows * columns).map(|at| number(at / columns, at % columns)).collect();
            assert_eq!(multiply(a, b), plain);
            assert_eq!(multiply_all(a, b), plain);
            let turned: Vec<f32> = (0..rows * columns).map(|at| number(at % rows, at / rows)).collect();
            assert_eq!(multiply_all(b.t(), a.t()), turned);
        }
    }
}
