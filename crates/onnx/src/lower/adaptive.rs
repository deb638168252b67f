//! ONNX has no adaptive average pool. With the input's size known it is a product with two small matrices, which give
//! every cell the mean of its rows, and then of its columns.

/// (cells, side): row i holds 1 / n at the n places of cell i, as PyTorch divides a side into cells.
pub(crate) fn rows(cells: usize, side: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; cells * side];
    for (i, row) in matrix.chunks_exact_mut(side).enumerate() {
        let places = i * side / cells..((i + 1) * side).div_ceil(cells);
        let share = 1.0 / places.len() as f32;
        row[places].fill(share);
    }
    matrix
}

/// (side, cells): the same, transposed.
pub(crate) fn columns(cells: usize, side: usize) -> Vec<f32> {
    let rows = rows(cells, side);
    (0..side * cells).map(|at| rows[at % cells * side + at / cells]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_pytorchs() {
        // torch.nn.AdaptiveAvgPool1d(3) of 5 places reads 0..2, 1..4, 3..5.
        let third = 1.0 / 3.0;
        let expected = [
            0.5, 0.5, 0.0, 0.0, 0.0, /**/ 0.0, third, third, third, 0.0, /**/ 0.0, 0.0, 0.0, 0.5,
            0.5,
        ];
        assert_eq!(rows(3, 5), expected);
        assert_eq!(columns(3, 5)[..6], [0.5, 0.0, 0.0, 0.5, third, 0.0]);
    }

    #[test]
    fn more_cells_than_places_repeat_places() {
        assert_eq!(rows(3, 1), [1.0, 1.0, 1.0]);
        assert_eq!(rows(4, 2), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    }
}
