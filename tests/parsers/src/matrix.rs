//! Matrices of other programs: `.npy`, Parquet, Arrow and safetensors, by how they begin.

use crate::scratch;
use store::matrix::{Matrix, npy_texts};

/// More values than a file of a fuzzer honestly holds.
const MOST: usize = 1 << 24;

/// A file.
pub fn matrix(bytes: &[u8]) {
    scratch::with_file("x", bytes, |path| {
        if let Err(error) = npy_texts(path) {
            assert!(error.to_string().chars().count() < 500);
        }
        let mut matrix = match Matrix::open(path) {
            Ok(matrix) => matrix,
            Err(error) => return assert!(error.to_string().chars().count() < 500),
        };
        let (rows, dim) = (matrix.rows(), matrix.dim());
        assert!(rows > 0 && dim > 0);
        if let Ok(Some(table)) = matrix.take_table() {
            table.columns().for_each(|(name, _)| assert!(table.names().iter().any(|own| own == name)));
        }
        let mut values = 0;
        for block in matrix.blocks() {
            let Ok(block) = block else { return };
            assert!(block.len().is_multiple_of(dim));
            values += block.len();
            if values > MOST {
                return;
            }
        }
        assert_eq!(Some(values), rows.checked_mul(dim));
    });
}
