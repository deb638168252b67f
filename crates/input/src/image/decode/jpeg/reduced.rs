//! The inverse DCT to fewer pixels: libjpeg's `jpeg_idct_4x4`, `jpeg_idct_2x2` and `jpeg_idct_1x1`, to the bit.
//!
//! Less work, and less to resample: what `--decode fast` is about.

use super::idct::{Block, descale, limit};

/// 4×4 pixels of a block.
pub(super) fn four(block: &Block) -> [[u8; 4]; 4] {
    // Column 4 has no part in the rows' pass.
    let x = |column: usize| std::array::from_fn(|row| i64::from(block.values[row * 8 + column]));
    let between: [[i64; 4]; 8] =
        std::array::from_fn(|c| if c == 4 { [0; 4] } else { line_of_four(x(c), 12) });
    std::array::from_fn(|row| {
        line_of_four(std::array::from_fn(|c| i64::from(between[c][row] as i32)), 19).map(limit)
    })
}

#[inline(always)]
fn line_of_four(x: [i64; 8], bits: u32) -> [i64; 4] {
    let t0 = x[0] << 14;
    let t2 = x[2] * 15_137 - x[6] * 6270; // 1.847759065, 0.765366865
    let (even, inner) = (t0 + t2, t0 - t2);
    // 0.211164243, 1.451774981, 2.172734803, 1.061594337
    let t0 = -x[7] * 1730 + x[5] * 11_893 - x[3] * 17_799 + x[1] * 8697;
    // 0.509795579, 0.601344887, 0.899976223, 2.562915447
    let t2 = -x[7] * 4176 - x[5] * 4926 + x[3] * 7373 + x[1] * 20_995;
    [even + t2, inner + t0, inner - t0, even - t2].map(|value| descale(value, bits))
}

/// 2×2 pixels of a block.
pub(super) fn two(block: &Block) -> [[u8; 2]; 2] {
    // Of the columns 2, 4 and 6 the rows' pass makes no use.
    let x = |column: usize| std::array::from_fn(|row| i64::from(block.values[row * 8 + column]));
    let between: [[i64; 2]; 8] =
        std::array::from_fn(|c| if c % 2 == 0 && c > 0 { [0; 2] } else { line_of_two(x(c), 13) });
    std::array::from_fn(|row| {
        line_of_two(std::array::from_fn(|c| i64::from(between[c][row] as i32)), 20).map(limit)
    })
}

#[inline(always)]
fn line_of_two(x: [i64; 8], bits: u32) -> [i64; 2] {
    let even = x[0] << 15;
    // 0.720959822, 0.850430095, 1.272758580, 3.624509785
    let odd = -x[7] * 5906 + x[5] * 6967 - x[3] * 10_426 + x[1] * 29_692;
    [even + odd, even - odd].map(|value| descale(value, bits))
}

/// The one pixel of a block.
pub(super) fn one(block: &Block) -> u8 {
    limit(descale(i64::from(block.values[0]), 3))
}
