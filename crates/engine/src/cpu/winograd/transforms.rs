//! Winograd's transforms: tiles of the input to points, and points to tiles of the result.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{IN, OUT};
use crate::cpu::{
    form::Out,
    functions::After,
    gemm::Lane,
    simd::{Kernel, LANES, Simd},
};
use std::ops::Range;

/// Where a tile begins: picture, row, column of the result.
#[inline(always)]
fn place(at: usize, (down, across): (usize, usize)) -> (usize, usize, usize) {
    let tile = at % (down * across);
    (at / (down * across), tile / across * OUT, tile % across * OUT)
}

/// Input tiles d to Bᵀ d B.
pub(super) struct There {
    pub(super) run: Range<usize>,
    pub(super) tiles: (usize, usize),
    pub(super) size: (usize, usize),
    pub(super) blocks: usize,
    pub(super) input: *const f32,
    pub(super) spread: *mut f32,
    /// Numbers from one tile to the next, and from one point's tiles to the next point's.
    pub(super) pitch: usize,
    pub(super) step: usize,
}

impl Kernel for There {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            let (height, width) = self.size;
            let zero = S::splat(0.0);
            let pixel = self.blocks * LANES;
            for (i, tile) in self.run.clone().enumerate() {
                let (n, y, x) = place(tile, self.tiles);
                // One pixel of padding: above and to the left of the map the pointer is not followed.
                let corner = ((n * height + y) * width + x).wrapping_sub(width + 1).wrapping_mul(pixel);
                let corner = self.input.wrapping_add(corner);
                let inside = y > 0 && x > 0 && y + IN <= height + 1 && x + IN <= width + 1;
                for block in 0..self.blocks {
                    let from = corner.wrapping_add(block * LANES);
                    let mut lines = [[zero; IN]; IN];
                    for dx in 0..IN {
                        let mut d = [zero; IN];
                        for dy in 0..IN {
                            let seen = |at: usize, d: usize, length: usize| at + d > 0 && at + d <= length;
                            if inside || (seen(y, dy, height) && seen(x, dx, width)) {
                                d[dy] = S::load(from.wrapping_add((dy * width + dx) * pixel));
                            }
                        }
                        let d = spread::<S>(d);
                        for dy in 0..IN {
                            lines[dy][dx] = d[dy];
                        }
                    }
                    let out = self.spread.add(i * self.pitch + block * LANES);
                    for row in 0..IN {
                        let d = spread::<S>(lines[row]);
                        for column in 0..IN {
                            S::store(out.add((row * IN + column) * self.step), d[column]);
                        }
                    }
                }
            }
        }
    }
}

/// Bᵀ d for one line of a tile.
#[inline(always)]
unsafe fn spread<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        let (two, four, five) = (S::splat(2.0), S::splat(4.0), S::splat(5.0));
        let even = S::sub(d[4], S::mul(four, d[2]));
        let odd = S::sub(d[3], S::mul(four, d[1]));
        let far = S::sub(d[4], d[2]);
        let near = S::mul(two, S::sub(d[3], d[1]));
        [
            S::fma(four, d[0], S::sub(d[4], S::mul(five, d[2]))),
            S::add(even, odd),
            S::sub(even, odd),
            S::add(far, near),
            S::sub(far, near),
            S::fma(four, d[1], S::sub(d[5], S::mul(five, d[3]))),
        ]
    }
}

/// Products m to Aᵀ m A, with bias, residual and clamp.
pub(super) struct Back<'a> {
    pub(super) run: Range<usize>,
    pub(super) tiles: (usize, usize),
    pub(super) size: (usize, usize),
    pub(super) blocks: Range<usize>,
    /// Blocks of a pixel of the result.
    pub(super) width: usize,
    pub(super) sums: *const f32,
    /// Numbers from one tile to the next, and from one point's tiles to the next point's.
    pub(super) pitch: usize,
    pub(super) step: usize,
    pub(super) bias: &'a [Lane],
    pub(super) residual: *const f32,
    pub(super) after: After,
    pub(super) out: Out,
}

impl Kernel for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            let (height, width) = self.size;
            for (i, tile) in self.run.clone().enumerate() {
                let (n, y, x) = place(tile, self.tiles);
                for block in self.blocks.clone() {
                    let sums = self.sums.add(i * self.pitch + (block - self.blocks.start) * LANES);
                    let bias = S::load(self.bias.as_ptr().add(block).cast());
                    let mut columns = [[bias; IN]; OUT];
                    for column in 0..IN {
                        let mut m = [bias; IN];
                        for row in 0..IN {
                            m[row] = S::load(sums.add((row * IN + column) * self.step));
                        }
                        let m = gather::<S>(m);
                        for row in 0..OUT {
                            columns[row][column] = m[row];
                        }
                    }
                    for row in 0..OUT.min(height - y) {
                        let line = gather::<S>(columns[row]);
                        let pixel = (n * height + y + row) * width + x;
                        let at = (pixel * self.width + block) * LANES;
                        for column in 0..OUT.min(width - x) {
                            let at = at + column * self.width * LANES;
                            let mut v = S::add(line[column], bias);
                            if !self.residual.is_null() {
                                v = S::add(v, S::load(self.residual.add(at)));
                            }
                            self.out.put::<S>(at, self.after.clamp::<S>(v));
                        }
                        if !self.after.is_clamp() {
                            for column in 0..OUT.min(width - x) {
                                let to = self.out.place(at + column * self.width * LANES);
                                self.after.finish::<S>(to, 1);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Aᵀ m for one line of a tile.
#[inline(always)]
unsafe fn gather<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        let (two, four, eight) = (S::splat(2.0), S::splat(4.0), S::splat(8.0));
        let (near, near_odd) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (far, far_odd) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        [
            S::add(m[0], S::add(near, far)),
            S::fma(two, far_odd, near_odd),
            S::fma(four, far, near),
            S::add(m[5], S::fma(eight, far_odd, near_odd)),
        ]
    }
}
