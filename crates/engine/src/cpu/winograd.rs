//! 3×3 convolution of stride 1 by Winograd's F(4×4, 3×3) (Lavin and Gray, 2015, section 4.1): a tile of 4×4 results
//! costs 36 multiplications instead of 144.
//!
//! Tiles of several pictures share one product, which leaves each result its own chain of operations.
//!
//! Transformed weights are four times as many. Where there are so many that they come from far, the first few pictures do
//! without: a block of them is transformed, used and forgotten, in less time than the system takes to give the memory.

mod transforms;

use super::{
    form::{Form, Out},
    functions::After,
    gemm::{Lane, Matrix, Product, blocks, tile_rows},
    lanes::Lanes,
    lines::{Maps, window},
    parallel::{Shared, each, threads},
    simd::{Isa, LANES},
};
use rayon::prelude::*;
use std::{cell::RefCell, ops::Range, slice::ChunksExactMut};
use transforms::{Back, There};

/// Results of a tile, on a side.
pub(crate) const OUT: usize = 4;
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
    outputs: usize,
    channels: usize,
    weights: Weights,
    bias: Vec<Lane>,
    pub(crate) after: After,
}

/// Kernels as they were trained.
#[derive(Debug)]
pub(crate) struct Kernels {
    /// (outputs, channels, 3, 3), row-major.
    pub(crate) weights: Vec<f32>,
    /// What each output's are multiplied by.
    pub(crate) scales: Vec<f64>,
}

#[derive(Debug)]
enum Weights {
    /// As they are.
    Kernels(Kernels),
    /// One [`Matrix`] (outputs, channels) a point, one after the other.
    Points(Lanes),
}

/// Rows and columns of kernels of sixteen outputs.
type Kernel = [[[f64; LANES]; 3]; 3];

/// G g Gᵀ of sixteen kernels, rounded once.
#[expect(clippy::cast_possible_truncation, reason = "weights are rounded to f32 once, after the transform")]
fn transformed(kernel: &Kernel) -> [Lane; POINTS] {
    let sum = |g: &[f64; 3], of: &[[f64; LANES]; 3]| -> [f64; LANES] {
        std::array::from_fn(|lane| g[0] * of[0][lane] + g[1] * of[1][lane] + g[2] * of[2][lane])
    };
    let rows: [[[f64; LANES]; 3]; IN] = std::array::from_fn(|j| kernel.map(|row| sum(&G[j], &row)));
    std::array::from_fn(|at| Lane(sum(&G[at / IN], &rows[at % IN]).map(|value| value as f32)))
}

impl Winograd {
    /// For maps of that size, of so many outputs and channels.
    pub(crate) fn new(
        size: (usize, usize),
        (outputs, channels): (usize, usize),
        kernels: Kernels,
        bias: Vec<Lane>,
        after: After,
    ) -> Winograd {
        let weights = Weights::Kernels(kernels);
        let mut layer = Winograd { size, outputs, channels, weights, bias, after };
        if layer.is_near() {
            layer.settle();
        }
        layer
    }

    /// Transforms all weights, unless that was done: more pictures are coming.
    pub(crate) fn settle(&mut self) {
        let Weights::Kernels(kernels) = &self.weights else { return };
        let (channels, outputs) = (self.channels, self.outputs);
        let of_point = blocks(outputs) * channels;
        let mut weights = Lanes::zeroed(POINTS * of_point);
        // All points of sixteen outputs at a time, as vectors: one point after the other would read all weights 36 times.
        let points = weights.chunks_exact_mut(of_point.max(1));
        let mut each: Vec<_> = points.map(|lanes| lanes.chunks_exact_mut(channels.max(1))).collect();
        let of_block = |_| each.iter_mut().flat_map(ChunksExactMut::next).collect::<Vec<&mut [Lane]>>();
        let of_blocks: Vec<Vec<&mut [Lane]>> = (0..blocks(outputs)).map(of_block).collect();
        of_blocks
            .into_par_iter()
            .enumerate()
            .for_each(|(block, mut points)| self.transform(kernels, block, &mut points));
        self.weights = Weights::Points(weights);
    }

    /// The weights of sixteen outputs at every point: (points, channels).
    fn transform(&self, kernels: &Kernels, block: usize, points: &mut [&mut [Lane]]) {
        let first = block * LANES;
        for channel in 0..self.channels {
            let mut kernel = Kernel::default();
            for output in first..self.outputs.min(first + LANES) {
                let weights = &kernels.weights[(output * self.channels + channel) * 9..][..9];
                for (of, weight) in kernel.as_flattened_mut().iter_mut().zip(weights) {
                    of[output - first] = f64::from(*weight) * kernels.scales[output];
                }
            }
            for (point, lane) in points.iter_mut().zip(transformed(&kernel)) {
                point[channel] = lane;
            }
        }
    }

    /// input: n maps; out: n maps of whole blocks, in that form; residual: n of numbers.
    pub(crate) fn run(
        &self,
        isa: Isa,
        n: usize,
        input: &[Lane],
        residual: Option<&[Lane]>,
        out: &mut [Lane],
        form: Form,
    ) {
        let pixels = self.size.0 * self.size.1;
        let (from, to) = self.widths();
        assert!(input.len() >= n * pixels * from && form.holds(out.len()) >= n * pixels * to);
        assert!(residual.is_none_or(|residual| residual.len() >= n * pixels * to));
        let (down, across) = self.tiles();
        // SAFETY: the maps are as long as was just checked.
        unsafe { self.run_tiles(isa, Maps::new(input, residual, Out::of(out, form)), 0..n * down * across) }
    }

    /// Some lines of one picture. `lines` begins with a tile, and ends with one or with the map.
    ///
    /// # Safety
    /// As [`Maps`] says; nobody else uses these lines of the result.
    pub(crate) unsafe fn run_lines(&self, isa: Isa, maps: Maps, lines: Range<usize>) {
        debug_assert!(lines.start.is_multiple_of(OUT), "lines begin with a tile");
        let across = self.tiles().1;
        let tiles = lines.start / OUT * across..lines.end.div_ceil(OUT) * across;
        // SAFETY: the caller's promise.
        unsafe { self.run_tiles(isa, maps, tiles) }
    }

    /// Lines of the input that lines of the result see.
    pub(crate) fn sees(&self, lines: Range<usize>) -> Range<usize> {
        window(lines, (3, 1, 1), self.size.0)
    }

    /// Tiles down and across.
    fn tiles(&self) -> (usize, usize) {
        (self.size.0.div_ceil(OUT), self.size.1.div_ceil(OUT))
    }

    /// # Safety
    /// What these tiles see and make is there; nobody else uses their results.
    unsafe fn run_tiles(&self, isa: Isa, maps: Maps, all: Range<usize>) {
        let (from, to) = self.widths();
        let job = Job { layer: self, isa, tiles: self.tiles(), maps };
        let (begin, total) = (all.start, all.len());
        let lanes = POINTS * (from + to);
        if self.is_near() {
            // The weights stay near whoever uses them: every task takes its tiles all the way.
            let threads = threads();
            let fitting = (NEAR_TILES / (POINTS * (from + NEAR_SUMS))).clamp(LEAST_TILES, MOST_TILES);
            let tasks = total.div_ceil(fitting).next_multiple_of(threads);
            let together = total.div_ceil(tasks).next_multiple_of(tile_rows(isa));
            each(total.div_ceil(together), |task| {
                let tiles = begin + task * together..begin + total.min((task + 1) * together);
                job.group(tiles, NEAR_SUMS.min(to), |group| {
                    let all = 0..group.tiles.len();
                    job.spread(group, all.clone());
                    for first in (0..to).step_by(NEAR_SUMS) {
                        let blocks = first..to.min(first + NEAR_SUMS);
                        let product = |point| job.product(group, point, self.point(point, blocks.clone()), 0);
                        (0..POINTS).for_each(product);
                        job.gather(group, all.clone(), blocks);
                    }
                });
            });
        } else {
            // The weights come from far: each point's are read once for as many tiles as fit.
            let groups = total.div_ceil((FAR_TILES / lanes).max(LEAST_TILES));
            let together = total.div_ceil(groups).next_multiple_of(tile_rows(isa));
            for first in (0..total).step_by(together) {
                job.group(begin + first..begin + total.min(first + together), to, |group| {
                    let part = |task: usize| task * GRAIN..group.tiles.len().min((task + 1) * GRAIN);
                    let parts = group.tiles.len().div_ceil(GRAIN);
                    each(parts, |task| job.spread(group, part(task)));
                    match &self.weights {
                        Weights::Points(_) => {
                            each(POINTS, |point| job.product(group, point, self.point(point, 0..to), 0));
                        }
                        Weights::Kernels(kernels) => each(to, |block| job.products_of(group, kernels, block)),
                    }
                    each(parts, |task| job.gather(group, part(task), 0..to));
                });
            }
        }
    }

    /// Blocks of transformed weights.
    pub(crate) fn weights(&self) -> usize {
        POINTS * self.channels * blocks(self.outputs)
    }

    /// Whether the weights are so few that they stay near whoever uses them.
    fn is_near(&self) -> bool {
        self.weights() <= NEAR_WEIGHTS
    }

    /// Some blocks of the matrix of a point.
    fn point(&self, point: usize, blocks: Range<usize>) -> Matrix<'_> {
        let Weights::Points(weights) = &self.weights else { unreachable!("near weights are settled") };
        let (length, depth) = (weights.len() / POINTS, self.channels);
        let of_point = &weights[point * length..][..length];
        Matrix { data: &of_point[blocks.start * depth..blocks.end * depth], depth }
    }

    /// Blocks of a pixel of the input and of the result.
    fn widths(&self) -> (usize, usize) {
        (blocks(self.channels), self.bias.len())
    }
}

/// Blocks of weights that may be read again for every few tiles: 16 MiB, half of a third cache.
const NEAR_WEIGHTS: usize = 1 << 18;
/// Blocks that a task's own tiles may take: three quarters of the second cache.
const NEAR_TILES: usize = 6 << 10;
/// Blocks of results whose products are kept at a time there.
const NEAR_SUMS: usize = 2;
/// Fewer tiles than this would read the weights too often.
const LEAST_TILES: usize = 48;
const MOST_TILES: usize = 192;
/// Blocks that the tiles of all tasks may take, where the weights come from far: 16 MiB.
const FAR_TILES: usize = 1 << 18;
/// Tiles that are transformed by one task there.
const GRAIN: usize = 8;

/// One run of a layer.
struct Job<'a> {
    layer: &'a Winograd,
    isa: Isa,
    /// Tiles of a picture, down and across.
    tiles: (usize, usize),
    maps: Maps,
}

/// Tiles that are worked on together, and where they are kept between the transforms: (point, tile, block).
struct Group {
    tiles: Range<usize>,
    spread: Shared,
    sums: Shared,
    /// Numbers from one tile to the next.
    pitches: (usize, usize),
    /// Numbers from one point's tiles to the next point's.
    steps: (usize, usize),
}

thread_local! {
    /// Kept from one group to the next.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
    /// Weights of one block, at all points.
    static BLOCK: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

impl Job<'_> {
    /// Takes some tiles through `work`, with room for the products of `to` blocks of results.
    fn group(&self, tiles: Range<usize>, to: usize, work: impl FnOnce(&Group)) {
        let (from, _) = self.layer.widths();
        // Odd numbers of cache lines from one tile to the next, and from one point to the next, so that neither tiles nor
        // points all fall on the same few sets of a cache (up to 5 % faster).
        let pitches = (from | 1, to | 1);
        let steps = ((tiles.len() * pitches.0) | 1, (tiles.len() * pitches.1) | 1);
        // Taken, not borrowed: this thread may begin another group while it waits for others.
        let mut scratch = SCRATCH.take();
        let needed = POINTS * (steps.0 + steps.1);
        if scratch.len() < needed {
            scratch.resize(needed, Lane::default());
        }
        let (spread, sums) = scratch.split_at_mut(POINTS * steps.0);
        let (spread, sums) = (Shared::writing(spread), Shared::writing(sums));
        let [pitches, steps] = [pitches, steps].map(|(from, to)| (from * LANES, to * LANES));
        work(&Group { tiles, spread, sums, pitches, steps });
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
            input: self.maps.input.get(),
            // SAFETY: the group's place for its tiles is as long as that.
            spread: unsafe { group.spread.get().add(part.start * group.pitches.0) },
            pitch: group.pitches.0,
            step: group.steps.0,
        };
        // SAFETY: what tiles see is there, as promised to `run_tiles`; parts of a group do not overlap.
        unsafe { self.isa.run(there) }
    }

    /// All points' products of one block of the result, whose weights are transformed for that alone.
    fn products_of(&self, group: &Group, kernels: &Kernels, block: usize) {
        let depth = self.layer.channels;
        let mut weights = BLOCK.take();
        weights.resize(POINTS * depth, Lane::default());
        let mut points: Vec<&mut [Lane]> = weights.chunks_exact_mut(depth).collect();
        self.layer.transform(kernels, block, &mut points);
        for (point, data) in weights.chunks_exact(depth).enumerate() {
            self.product(group, point, Matrix { data, depth }, block);
        }
        BLOCK.set(weights);
    }

    /// One point's product, for all tiles of a group and some blocks of the result, which go to `block` and those behind it
    /// in the group.
    fn product(&self, group: &Group, point: usize, weights: Matrix<'_>, block: usize) {
        let count = group.tiles.len();
        let rows: Vec<usize> = (0..count).map(|i| i * group.pitches.1).collect();
        // SAFETY: the group's places hold `POINTS` times as much as a step, and a tile's as many blocks as there are.
        let (spread, out) = unsafe {
            (
                group.spread.get().add(point * group.steps.0),
                group.sums.get().add(point * group.steps.1 + block * LANES),
            )
        };
        let pointers: Vec<*const f32> = (0..count.next_multiple_of(tile_rows(self.isa)))
            .map(|i| spread.wrapping_add(i.min(count - 1) * group.pitches.0).cast_const())
            .collect();
        // SAFETY: every row of `spread` holds `depth` numbers, every row of `out` as many blocks; no other task has these
        // blocks of this point of this group.
        unsafe { self.isa.run(Product::plain(&pointers, weights, &rows, out)) }
    }

    /// The result's transform, for some tiles of a group and the blocks whose products it holds.
    fn gather(&self, group: &Group, part: Range<usize>, blocks: Range<usize>) {
        let (_, to) = self.layer.widths();
        let back = Back {
            run: group.tiles.start + part.start..group.tiles.start + part.end,
            tiles: self.tiles,
            size: self.layer.size,
            blocks,
            width: to,
            // SAFETY: the group's place for its tiles is as long as that.
            sums: unsafe { group.sums.get().add(part.start * group.pitches.1) },
            pitch: group.pitches.1,
            step: group.steps.1,
            bias: &self.layer.bias,
            residual: self.maps.residual.get(),
            after: self.layer.after,
            out: self.maps.out,
        };
        // SAFETY: the results of tiles are there, as promised to `run_tiles`; no other task has these tiles.
        unsafe { self.isa.run(back) }
    }
}
