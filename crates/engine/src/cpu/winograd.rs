//! 3×3 convolution of stride 1 by Winograd's F(4×4, 3×3) (Lavin and Gray, 2015, section 4.1): a tile of 4×4 results
//! costs 36 multiplications instead of 144.
//!
//! Tiles of several pictures share one product, which leaves each result its own chain of operations.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{
    functions::After,
    gemm::{Lane, Packed, Product, blocks, tile_rows},
    parallel::{Shared, each, threads},
    simd::{Isa, Kernel, LANES, Simd},
};
use rayon::prelude::*;
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
    after: After,
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
        weight: impl Fn(usize, usize, usize, usize) -> f64 + Sync,
        bias: Vec<Lane>,
        after: After,
    ) -> Winograd {
        // (outputs, channels, points).
        let mut transformed = vec![0.0; outputs * channels * POINTS];
        transformed.par_chunks_exact_mut(POINTS).enumerate().for_each(|(at, points)| {
            let (output, channel) = (at / channels, at % channels);
            let kernel: [[f64; 3]; 3] =
                std::array::from_fn(|y| std::array::from_fn(|x| weight(output, channel, y, x)));
            let rows = G.map(|g| kernel.map(|row| (0..3).map(|x| g[x] * row[x]).sum::<f64>()));
            for (i, g) in G.iter().enumerate() {
                for (j, row) in rows.iter().enumerate() {
                    points[i * IN + j] = (0..3).map(|y| g[y] * row[y]).sum::<f64>() as f32;
                }
            }
        });
        let point = |point: usize| {
            let at =
                |output: usize, channel: usize| transformed[(output * channels + channel) * POINTS + point];
            Packed::new(outputs, channels, at)
        };
        let weights = (0..POINTS).into_par_iter().map(point).collect();
        Winograd { size, channels, weights, bias, after }
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
        let pixels = self.size.0 * self.size.1;
        let (from, to) = self.widths();
        assert!(input.len() >= n * pixels * from && out.len() >= n * pixels * to);
        assert!(residual.is_none_or(|residual| residual.len() >= n * pixels * to));
        let tiles = (self.size.0.div_ceil(OUT), self.size.1.div_ceil(OUT));
        let job = Job {
            layer: self,
            isa,
            tiles,
            input,
            residual: residual.map_or(Shared::NULL, Shared::reading),
            out: Shared::writing(out),
        };
        let total = n * tiles.0 * tiles.1;
        let lanes = POINTS * (from + to);
        if POINTS * self.channels * to <= NEAR_WEIGHTS {
            // The weights stay near whoever uses them: every task takes its tiles all the way.
            let threads = threads();
            let fitting = (NEAR_TILES / lanes).clamp(LEAST_TILES, MOST_TILES);
            let tasks = total.div_ceil(fitting).next_multiple_of(threads);
            let together = total.div_ceil(tasks).next_multiple_of(tile_rows(isa));
            each(total.div_ceil(together), |task| {
                let tiles = task * together..total.min((task + 1) * together);
                job.group(tiles, |group| {
                    job.spread(group, 0..group.tiles.len());
                    (0..POINTS).for_each(|point| job.product(group, point));
                    job.gather(group, 0..group.tiles.len());
                });
            });
        } else {
            // The weights come from far: each point's are read once for as many tiles as fit.
            let groups = total.div_ceil((FAR_TILES / lanes).max(LEAST_TILES));
            let together = total.div_ceil(groups);
            for first in (0..total).step_by(together) {
                job.group(first..total.min(first + together), |group| {
                    let part = |task: usize| task * GRAIN..group.tiles.len().min((task + 1) * GRAIN);
                    let parts = group.tiles.len().div_ceil(GRAIN);
                    each(parts, |task| job.spread(group, part(task)));
                    each(POINTS, |point| job.product(group, point));
                    each(parts, |task| job.gather(group, part(task)));
                });
            }
        }
    }

    /// Blocks of transformed weights.
    pub(crate) fn weights(&self) -> usize {
        self.weights.iter().map(|point| point.matrix().data.len()).sum()
    }

    /// Blocks of a pixel of the input and of the result.
    fn widths(&self) -> (usize, usize) {
        (blocks(self.channels), self.bias.len())
    }
}

/// Blocks of weights that may be read again for every few tiles: 4 MiB.
const NEAR_WEIGHTS: usize = 1 << 16;
/// Blocks that a task's own tiles may take: three quarters of the second cache.
const NEAR_TILES: usize = 6 << 10;
/// Fewer tiles than this would read the weights too often.
const LEAST_TILES: usize = 48;
const MOST_TILES: usize = 192;
/// Blocks that the tiles of all tasks may take, where the weights come from far: 16 MiB.
const FAR_TILES: usize = 1 << 18;
/// Tiles that are transformed by one task there.
const GRAIN: usize = 8;
/// Numbers of the inner dimension that are worked off at a time.
const DEPTH: usize = 256;

/// One run of a layer.
struct Job<'a> {
    layer: &'a Winograd,
    isa: Isa,
    /// Tiles of a picture, down and across.
    tiles: (usize, usize),
    input: &'a [Lane],
    residual: Shared,
    out: Shared,
}

/// Tiles that are worked on together, and where they are kept between the transforms: (point, tile, block).
struct Group {
    tiles: Range<usize>,
    spread: Shared,
    sums: Shared,
    /// Numbers from one point's tiles to the next point's.
    steps: (usize, usize),
}

thread_local! {
    /// Kept from one group to the next.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

impl Job<'_> {
    fn group(&self, tiles: Range<usize>, work: impl FnOnce(&Group)) {
        let (from, to) = self.layer.widths();
        // A line of cache more than the tiles need, so that the points do not all fall on the same sets of it.
        let steps = (tiles.len() * from + 1, tiles.len() * to + 1);
        // Taken, not borrowed: this thread may begin another group while it waits for others.
        let mut scratch = SCRATCH.take();
        let needed = POINTS * (steps.0 + steps.1);
        if scratch.len() < needed {
            scratch.resize(needed, Lane::default());
        }
        let (spread, sums) = scratch.split_at_mut(POINTS * steps.0);
        let (spread, sums) = (Shared::writing(spread), Shared::writing(sums));
        work(&Group { tiles, spread, sums, steps: (steps.0 * LANES, steps.1 * LANES) });
        SCRATCH.set(scratch);
    }

    /// The input's transform, for some tiles of a group.
    fn spread(&self, group: &Group, part: Range<usize>) {
        let (from, _) = self.layer.widths();
        let there = There {
            run: group.tiles.start + part.start..group.tiles.start + part.end,
            tiles: self.tiles,
            size: self.layer.size,
            blocks: from,
            input: self.input.as_ptr().cast(),
            // SAFETY: the group's place for its tiles is as long as that.
            spread: unsafe { group.spread.get().add(part.start * from * LANES) },
            step: group.steps.0,
        };
        // SAFETY: tiles lie within `input`, whose length `Winograd::run` has checked; parts of a group do not overlap.
        unsafe { self.isa.run(there) }
    }

    /// One point's product, for all tiles of a group.
    fn product(&self, group: &Group, point: usize) {
        let (from, to) = self.layer.widths();
        let count = group.tiles.len();
        let tile = tile_rows(self.isa);
        let rows: Vec<usize> = (0..count).map(|i| i * to * LANES).collect();
        // SAFETY: the group's places hold `POINTS` times as much as a step.
        let (spread, out) = unsafe {
            (group.spread.get().add(point * group.steps.0), group.sums.get().add(point * group.steps.1))
        };
        let pointers: Vec<*const f32> = (0..count.next_multiple_of(tile))
            .map(|i| spread.wrapping_add(i.min(count - 1) * from * LANES).cast_const())
            .collect();
        let channels = self.layer.channels;
        for first in (0..channels).step_by(DEPTH) {
            let product = Product {
                first,
                depth: DEPTH.min(channels - first),
                weight_at: first,
                resume: first > 0,
                ..Product::plain(&pointers, self.layer.weights[point].matrix(), &rows, out)
            };
            // SAFETY: every row of `spread` holds `channels` numbers, every row of `out` all blocks; no other task has
            // this point of this group.
            unsafe { self.isa.run(product) }
        }
    }

    /// The result's transform, for some tiles of a group.
    fn gather(&self, group: &Group, part: Range<usize>) {
        let (_, to) = self.layer.widths();
        let back = Back {
            run: group.tiles.start + part.start..group.tiles.start + part.end,
            tiles: self.tiles,
            size: self.layer.size,
            blocks: to,
            // SAFETY: the group's place for its tiles is as long as that.
            sums: unsafe { group.sums.get().add(part.start * to * LANES) },
            step: group.steps.1,
            bias: &self.layer.bias,
            residual: self.residual.get(),
            after: self.layer.after,
            out: self.out.get(),
        };
        // SAFETY: tiles lie within `out` and `residual`, whose lengths `Winograd::run` has checked; no other task has
        // these tiles.
        unsafe { self.isa.run(back) }
    }
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
    after: After,
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
                            S::store(self.out.add(at), self.after.apply::<S>(v));
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
