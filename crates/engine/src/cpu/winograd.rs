//! 3×3 convolution of stride 1 by Winograd's F(4×4, 3×3) (Lavin and Gray, 2015, section 4.1): a tile of 4×4 results
//! costs 36 multiplications instead of 144.
//!
//! Tiles of several pictures share one product, which leaves each result its own chain of operations.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{
    gemm::{Clamp, Lane, Packed, Product, blocks, tile_rows},
    parallel::{Shared, each},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::{cell::RefCell, ops::Range};

/// Results of a tile, on a side.
const OUT: usize = 4;
/// Inputs of a tile, on a side.
const IN: usize = 6;
/// Products that a tile comes to.
const POINTS: usize = IN * IN;

/// Weight transform: rows of G.
const G: [[f64; 3]; IN] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// A 3×3 convolution with stride 1 and padding 1, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Winograd {
    /// Rows and columns, of input and result.
    size: (usize, usize),
    channels: usize,
    /// One matrix (outputs, channels) a point.
    weights: Vec<Packed>,
    bias: Vec<Lane>,
    clamp: Clamp,
}

impl Winograd {
    /// weight(output, channel, y, x): (outputs, channels, 3, 3).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "weights are rounded to f32 once, after the transform"
    )]
    pub(crate) fn new(
        size: (usize, usize),
        (outputs, channels): (usize, usize),
        weight: impl Fn(usize, usize, usize, usize) -> f64,
        bias: Vec<Lane>,
        clamp: Clamp,
    ) -> Winograd {
        let point = |point: usize| {
            let (i, j) = (point / IN, point % IN);
            Packed::new(outputs, channels, |output, channel| {
                let row = |y: usize| (0..3).map(|x| G[j][x] * weight(output, channel, y, x)).sum::<f64>();
                (0..3).map(|y| G[i][y] * row(y)).sum::<f64>() as f32
            })
        };
        Winograd { size, channels, weights: (0..POINTS).map(point).collect(), bias, clamp }
    }

    /// input: n maps; out: n maps of whole blocks; residual: as out.
    pub(crate) fn run(
        &self,
        isa: Isa,
        n: usize,
        input: &[Lane],
        residual: Option<&[Lane]>,
        out: &mut [Lane],
    ) {
        let (height, width) = self.size;
        let (from, to) = (blocks(self.channels), self.bias.len());
        let pixels = height * width;
        assert!(input.len() >= n * pixels * from && out.len() >= n * pixels * to);
        assert!(residual.is_none_or(|residual| residual.len() >= n * pixels * to));
        let tiles = (height.div_ceil(OUT), width.div_ceil(OUT));
        let total = n * tiles.0 * tiles.1;
        let together = self.tiles_of_a_task(tile_rows(isa), total);
        let out = Shared(bytemuck::cast_slice_mut::<Lane, f32>(out).as_mut_ptr());
        let residual = Shared(
            residual.map_or(std::ptr::null_mut(), |residual| residual.as_ptr().cast::<f32>().cast_mut()),
        );
        each(total.div_ceil(together), |task| {
            let run = task * together..total.min((task + 1) * together);
            // A line of cache more than the tiles need, so that the 36 points do not fall on the same sets of it.
            let steps = (run.len() * from + 1, run.len() * to + 1);
            SCRATCH.with_borrow_mut(|scratch| {
                let needed = POINTS * (steps.0 + steps.1);
                if scratch.len() < needed {
                    scratch.resize(needed, Lane::default());
                }
                let (spread, sums) = scratch.split_at_mut(POINTS * steps.0);
                let there = There {
                    run: run.clone(),
                    tiles,
                    size: self.size,
                    blocks: from,
                    input: input.as_ptr().cast(),
                    spread: spread.as_mut_ptr().cast(),
                    step: steps.0 * LANES,
                };
                // SAFETY: the run's tiles lie within `input`, whose length was checked above; `spread` is this task's.
                unsafe { isa.run(there) }
                self.products(isa, run.len(), (spread, steps.0), (sums, steps.1));
                let back = Back {
                    run,
                    tiles,
                    size: self.size,
                    blocks: to,
                    sums: sums.as_ptr().cast(),
                    step: steps.1 * LANES,
                    bias: &self.bias,
                    residual: residual.get(),
                    clamp: self.clamp,
                    out: out.get(),
                };
                // SAFETY: the run's tiles lie within `out` and `residual`; no other task has a tile of this run.
                unsafe { isa.run(back) }
            });
        });
    }

    fn tiles_of_a_task(&self, tile: usize, total: usize) -> usize {
        let bytes = 4 * POINTS * LANES * (blocks(self.channels) + self.bias.len());
        let fitting = (SCRATCH_BYTES / bytes).clamp(LEAST_TILES, MOST_TILES);
        let threads = rayon::current_num_threads();
        let tasks = total.div_ceil(fitting).next_multiple_of(threads);
        total.div_ceil(tasks).next_multiple_of(tile)
    }

    fn products(
        &self,
        isa: Isa,
        tiles: usize,
        (spread, from): (&[Lane], usize),
        (sums, to): (&mut [Lane], usize),
    ) {
        let tile = tile_rows(isa);
        let zero = vec![Lane::default(); self.bias.len()];
        let rows: Vec<usize> = (0..tiles).map(|i| i * self.bias.len() * LANES).collect();
        let step = blocks(self.channels);
        let mut pointers = Vec::with_capacity(tiles.next_multiple_of(tile));
        for (point, weights) in self.weights.iter().enumerate() {
            let spread = &spread[point * from..];
            pointers.clear();
            pointers.extend(
                (0..tiles.next_multiple_of(tile))
                    .map(|i| spread[i.min(tiles - 1) * step..].as_ptr().cast::<f32>()),
            );
            let product = Product {
                inputs: &pointers,
                all_taps: 1,
                first_tap: 0,
                taps: 1,
                first: 0,
                depth: self.channels,
                weight_at: 0,
                weights,
                blocks: 0..self.bias.len(),
                bias: &zero,
                resume: false,
                finish: false,
                rows: &rows,
                out: sums[point * to..][..tiles * self.bias.len()].as_mut_ptr().cast(),
                residual: std::ptr::null(),
                clamp: Clamp::NONE,
            };
            // SAFETY: every row of `spread` holds `channels` numbers, every row of `sums` all blocks; both are this task's.
            unsafe { isa.run(product) }
        }
    }
}

/// What a task's tiles may take: three quarters of the second cache.
const SCRATCH_BYTES: usize = 384 << 10;
/// Fewer tiles than this would read the weights from far caches too often.
const LEAST_TILES: usize = 48;
const MOST_TILES: usize = 192;

thread_local! {
    /// A thread's tiles between the transforms.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

/// Where a tile begins: picture, row, column of the result.
#[inline(always)]
fn place(at: usize, (down, across): (usize, usize)) -> (usize, usize, usize) {
    let tile = at % (down * across);
    (at / (down * across), tile / across * OUT, tile % across * OUT)
}

/// Input tiles d to Bᵀ d B.
struct There {
    run: Range<usize>,
    tiles: (usize, usize),
    size: (usize, usize),
    blocks: usize,
    input: *const f32,
    spread: *mut f32,
    /// Numbers from one point's tiles to the next point's.
    step: usize,
}

impl Kernel for There {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            let (height, width) = self.size;
            let zero = S::splat(0.0);
            for (i, tile) in self.run.clone().enumerate() {
                let (n, y, x) = place(tile, self.tiles);
                let picture = self.input.add(n * height * width * self.blocks * LANES);
                for block in 0..self.blocks {
                    let mut columns = [[zero; IN]; IN];
                    for dx in 0..IN {
                        let mut d = [zero; IN];
                        for (dy, d) in d.iter_mut().enumerate() {
                            // One pixel of padding; above and to the left the difference wraps around.
                            let (y, x) = ((y + dy).wrapping_sub(1), (x + dx).wrapping_sub(1));
                            if y < height && x < width {
                                *d = S::load(picture.add(((y * width + x) * self.blocks + block) * LANES));
                            }
                        }
                        columns[dx] = spread::<S>(d);
                    }
                    let out = self.spread.add((i * self.blocks + block) * LANES);
                    for row in 0..IN {
                        let d = std::array::from_fn(|dx| columns[dx][row]);
                        for (column, v) in spread::<S>(d).into_iter().enumerate() {
                            S::store(out.add((row * IN + column) * self.step), v);
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
        let [two, four, five] = [2.0, 4.0, 5.0].map(|x| S::splat(x));
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
struct Back<'a> {
    run: Range<usize>,
    tiles: (usize, usize),
    size: (usize, usize),
    blocks: usize,
    sums: *const f32,
    /// Numbers from one point's tiles to the next point's.
    step: usize,
    bias: &'a [Lane],
    residual: *const f32,
    clamp: Clamp,
    out: *mut f32,
}

impl Kernel for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            let (height, width) = self.size;
            for (i, tile) in self.run.clone().enumerate() {
                let (n, y, x) = place(tile, self.tiles);
                let picture = n * height * width * self.blocks * LANES;
                for block in 0..self.blocks {
                    let sums = self.sums.add((i * self.blocks + block) * LANES);
                    let bias = S::load(self.bias.as_ptr().add(block).cast());
                    let mut columns = [[bias; OUT]; IN];
                    for (column, out) in columns.iter_mut().enumerate() {
                        *out = gather::<S>(std::array::from_fn(|row| {
                            S::load(sums.add((row * IN + column) * self.step))
                        }));
                    }
                    for row in 0..OUT.min(height - y) {
                        let line = gather::<S>(std::array::from_fn(|column| columns[column][row]));
                        for (column, v) in line.into_iter().enumerate().take(width - x) {
                            let at =
                                picture + (((y + row) * width + x + column) * self.blocks + block) * LANES;
                            let mut v = S::add(v, bias);
                            if !self.residual.is_null() {
                                v = S::add(v, S::load(self.residual.add(at)));
                            }
                            S::store(self.out.add(at), self.clamp.apply::<S>(v));
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
        let [two, four, eight] = [2.0, 4.0, 8.0].map(|x| S::splat(x));
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
