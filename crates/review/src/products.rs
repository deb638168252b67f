//! Products of rows with rows, compiled for the processor at hand.
//!
//! The kernel is written once over vectors of any width; `pulp` compiles it for AVX2 and FMA (or NEON) as well and
//! calls what the processor has, behind a safe interface, which `gemm` lacks.
//! Each product is one chain of fused multiply-adds in the order of the columns, and vectors run
//! across products: bits depend on neither threads, tiles nor instruction set.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows in a panel.
pub(crate) const WIDTH: usize = 16;
/// Rows that share a pass over a panel: with two vectors of eight each, all sums stay in registers.
const TILE: usize = 6;
/// Rows that a thread takes at a time. Does not affect bits.
const BLOCK: usize = 8 * TILE;

/// Rows packed so that a vector holds one column of several rows.
pub(crate) struct Packed {
    rows: usize,
    dim: usize,
    /// (⌈rows / 16⌉, dim, 16); rows that do not exist are zero.
    panels: Vec<[f32; WIDTH]>,
}

impl Packed {
    /// Packs `rows` (m, `dim`).
    pub(crate) fn of(rows: &[f32], dim: usize) -> Packed {
        let count = rows.len() / dim;
        let mut panels = vec![[0.0; WIDTH]; count.div_ceil(WIDTH) * dim];
        panels.par_chunks_mut(dim).zip(rows.par_chunks(WIDTH * dim)).for_each(|(panel, rows)| {
            for (lane, row) in rows.chunks_exact(dim).enumerate() {
                panel.iter_mut().zip(row).for_each(|(lanes, &value)| lanes[lane] = value);
            }
        });
        Packed { rows: count, dim, panels }
    }

    /// Packs the columns of `matrix` (rows, `columns`), as if it had been transposed.
    pub(crate) fn of_columns(matrix: &[f32], columns: usize) -> Packed {
        let dim = matrix.len() / columns;
        let mut panels = vec![[0.0; WIDTH]; columns.div_ceil(WIDTH) * dim];
        panels.par_chunks_mut(dim).enumerate().for_each(|(panel, lanes)| {
            let first = panel * WIDTH;
            let width = WIDTH.min(columns - first);
            for (lanes, row) in lanes.iter_mut().zip(matrix.chunks_exact(columns)) {
                lanes[..width].copy_from_slice(&row[first..first + width]);
            }
        });
        Packed { rows: columns, dim, panels }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// The panels in order, (dim, 16) each; the first holds rows 0 to 15.
    pub(crate) fn panels(&self) -> impl Iterator<Item = &[[f32; WIDTH]]> {
        self.panels.chunks_exact(self.dim)
    }
}

/// `left` (m, dim) · `right` (p, dim)ᵀ: (m, p).
pub(crate) fn products(left: &[f32], right: &Packed) -> Vec<f32> {
    let (dim, width) = (right.dim, right.rows);
    let mut out = vec![0.0; left.len() / dim * width];
    out.par_chunks_mut(BLOCK * width).zip(left.par_chunks(BLOCK * dim)).for_each(|(out, left)| {
        let mut scores = [[0.0; WIDTH]; BLOCK];
        for (index, panel) in right.panels().enumerate() {
            let first = index * WIDTH;
            let lanes = WIDTH.min(width - first);
            panel_products(left, panel, &mut scores);
            for (out, scores) in out.chunks_exact_mut(width).zip(&scores) {
                out[first..first + lanes].copy_from_slice(&scores[..lanes]);
            }
        }
    });
    out
}

/// Products of the rows of `left` (m, dim) with the rows of one panel (dim, 16): the first m of `out`.
pub(crate) fn panel_products(left: &[f32], panel: &[[f32; WIDTH]], out: &mut [[f32; WIDTH]]) {
    Arch::new().dispatch(PanelProducts { left, panel, out });
}

/// The arguments of [`panel_products`], in the shape that `pulp` calls.
struct PanelProducts<'a> {
    left: &'a [f32],
    panel: &'a [[f32; WIDTH]],
    out: &'a mut [[f32; WIDTH]],
}

impl WithSimd for PanelProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let PanelProducts { left, panel, out } = self;
        let tiles = left.chunks_exact(TILE * panel.len());
        let rest = tiles.remainder().chunks_exact(panel.len());
        let (whole, single) = out.split_at_mut(tiles.len() * TILE);
        for (left, out) in tiles.zip(whole.chunks_exact_mut(TILE)) {
            tile::<S, TILE>(simd, left, panel, out);
        }
        for (left, out) in rest.zip(single) {
            tile::<S, 1>(simd, left, panel, std::slice::from_mut(out));
        }
    }
}

/// Two vectors of a panel's columns at a time, as many times as sixteen values take.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize>(simd: S, left: &[f32], panel: &[[f32; WIDTH]], out: &mut [[f32; WIDTH]]) {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &left[row * panel.len()..][..panel.len()]);
    let vectors = WIDTH / S::F32_LANES;
    for first in (0..vectors).step_by(2) {
        // Where one vector holds all sixteen, the second is the first again, and its sums go unused.
        let second = (first + 1).min(vectors - 1);
        let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
        for (column, lanes) in panel.iter().enumerate() {
            let (lanes, _) = S::as_simd_f32s(lanes);
            let (a, b) = (lanes[first], lanes[second]);
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let value = simd.splat_f32s(row[column]);
                sums[0] = simd.mul_add_f32s(value, a, sums[0]);
                sums[1] = simd.mul_add_f32s(value, b, sums[1]);
            }
        }
        for (out, sums) in out.iter_mut().zip(&sums) {
            let (out, _) = S::as_mut_simd_f32s(out);
            out[first] = sums[0];
            out[second] = sums[1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, salt: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + salt) % 1009) as f32 / 500.0 - 1.0).collect()
    }

    #[test]
    fn equals_the_definition() {
        for (rows, width, dim) in [(1, 1, 1), (6, 16, 3), (7, 17, 5), (101, 40, 33)] {
            let (left, right) = (values(rows * dim, 1), values(width * dim, 2));
            let got = products(&left, &Packed::of(&right, dim));
            let mut transposed = vec![0.0; right.len()];
            for (i, &value) in right.iter().enumerate() {
                transposed[i % dim * width + i / dim] = value;
            }
            assert_eq!(products(&left, &Packed::of_columns(&transposed, width)), got);
            for (i, &got) in got.iter().enumerate() {
                let pair = left[i / width * dim..].iter().zip(&right[i % width * dim..][..dim]);
                assert_eq!(got, pair.fold(0.0f32, |sum, (&a, &b)| a.mul_add(b, sum)));
            }
        }
    }
}
