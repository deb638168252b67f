//! Convolution without groups, and dense layers, as products of rows: a row of the product is what a pixel of the result
//! sees, read in place through pointers.

use super::{
    form::{Form, Out},
    functions::After,
    gemm::{Lane, Packed, Product, tile_rows},
    lines::{Maps, window},
    pairs::{self, OfPairs, with_pairs},
    parallel::{Shared, each_of, threads},
    simd::{Isa, LANES},
};
use network::{Padding, Pair};
use std::ops::Range;

/// Numbers of the inner dimension that are worked off at a time: the weights of two blocks of outputs, at most 128 KiB, then
/// stay in the second cache. Taking up sums again costs more than the nearest would give (cut at 384, deep layers were 2
/// to 5 % slower on Zen 5).
const DEPTH: usize = 1024;
/// Numbers of the input that one task reads, about: a quarter of a mebibyte, half of the second cache.
const INPUT: usize = 1 << 16;

/// A convolution, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Conv {
    /// Whether factors are [pairs](super::pairs) of numbers: they are then what is counted of a pixel, and of a run.
    pub(crate) pairs: bool,
    /// How the input lies. Where factors are pairs and it is of numbers, these are narrowed first.
    pub(crate) lies: Form,
    /// Rows and columns of the input.
    pub(crate) input: (usize, usize),
    /// Numbers from one pixel of the input to the next, and from one picture to the next.
    pub(crate) pixel: usize,
    pub(crate) image: usize,
    /// Rows and columns of the result.
    pub(crate) output: (usize, usize),
    pub(crate) stride: Pair,
    /// Zeros around the map.
    pub(crate) padding: Padding,
    /// (dy, dx): where each run of the inner dimension begins, row by row.
    pub(crate) taps: Vec<(usize, usize)>,
    /// Numbers in a run.
    pub(crate) depth: usize,
    /// For convolutions in groups: where in a pixel each block of outputs begins to read. Else empty.
    pub(crate) offsets: Vec<usize>,
    pub(crate) weights: Packed,
    pub(crate) bias: Vec<Lane>,
    pub(crate) after: After,
}

/// A part of the inner dimension.
struct Part {
    taps: Range<usize>,
    depth: Range<usize>,
}

/// What all rows of a product share.
struct Cut {
    parts: Vec<Part>,
    /// A run of padding.
    zeros: Vec<f32>,
}

impl Conv {
    /// The same of pairs of neighbouring numbers, where a window's line is one run that begins with a pair wherever it stands. A
    /// pixel is then a pair. A run of an odd count takes a number more of the line, times zero. at(output, tap, k): the weight of a
    /// run's number.
    pub(crate) fn of_pairs_along(
        self,
        outputs: usize,
        at: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Conv {
        let Conv { input: (height, width), pixel, stride: Pair { y, x }, depth, .. } = self;
        let is_even = |numbers: usize| numbers.is_multiple_of(2);
        if !(self.taps.iter().all(|(_, dx)| *dx == 0) && is_even(width * pixel) && is_even(x * pixel)) {
            return self;
        }
        let run = depth.div_ceil(2);
        let number = |output, tap, k| if k < depth { at(output, tap, k) } else { 0.0 };
        Conv {
            pairs: true,
            input: (height, width * pixel / 2),
            stride: Pair { y, x: x * pixel / 2 },
            pixel: 1,
            image: self.image / 2,
            depth: run,
            weights: pairs::packed(outputs, self.taps.len() * run, |output, k| {
                [0, 1].map(|i| number(output, k / run, 2 * (k % run) + i))
            }),
            bias: pairs::biases(self.bias),
            ..self
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
        let isa = self.isa(isa);
        let blocks = self.weights.blocks();
        let pixels = self.output.0 * self.output.1;
        let total = n * pixels;
        let read = if self.narrows() { 2 * n * self.image } else { n * self.image };
        assert!(input.len() * LANES >= read && self.bias.len() == blocks);
        assert!(
            form.holds(out.len()) >= total * blocks
                && (form == Form::Numbers || self.pairs && self.is_one_part())
        );
        assert!(residual.is_none_or(|residual| residual.len() >= total * blocks));
        let (threads, tile) = (threads(), tile_rows(isa));
        // Few rows (dense layers, small maps): threads share out the outputs.
        let few = total <= self.fitting(tile) && blocks >= 4 * threads;
        let rows = if few { total } else { self.rows_of_a_task(tile, total) };
        let row_tasks = total.div_ceil(rows);
        let column_tasks = if threads == 1 { 1 } else { (4 * threads).div_ceil(row_tasks) };
        let columns = blocks.div_ceil(column_tasks).next_multiple_of(2).min(blocks);
        let column_tasks = blocks.div_ceil(columns);
        let numbers = rows * columns * LANES * self.weights.matrix().depth / 8;
        let cut = self.cut();
        let run = |maps: Maps| {
            each_of(row_tasks * column_tasks, numbers, |task| {
                let (row, column) = (task / column_tasks, task % column_tasks);
                let rows = row * rows..total.min((row + 1) * rows);
                let columns = column * columns..blocks.min((column + 1) * columns);
                // SAFETY: the maps are as long as was checked above; tasks differ in rows or blocks.
                unsafe { self.rows(isa, &cut, maps, rows, columns) }
            });
        };
        let maps = Maps::new(input, residual, Out::of(out, form));
        if self.narrows() {
            with_pairs(isa, input, |pairs| run(Maps { input: Shared::reading(pairs), ..maps }));
        } else {
            run(maps);
        }
    }

    /// Some lines of one picture.
    ///
    /// # Safety
    /// As [`Maps`] says; nobody else uses these lines of the result.
    pub(crate) unsafe fn run_lines(&self, isa: Isa, maps: Maps, lines: Range<usize>) {
        let (cut, isa) = (self.cut(), self.isa(isa));
        let (first, end) = (lines.start * self.output.1, lines.end * self.output.1);
        let together = self.rows_of_a_task(tile_rows(isa), end - first);
        let run = |maps| {
            for row in (first..end).step_by(together) {
                // SAFETY: the caller's promise.
                unsafe { self.rows(isa, &cut, maps, row..end.min(row + together), 0..self.weights.blocks()) }
            }
        };
        if self.narrows() {
            let (seen, line) = (self.sees(lines), self.input.1 * 2 * self.pixel);
            // Lines of a picture lie without gaps, and are no whole blocks.
            let (start, end) = (seen.start * line / LANES, (seen.end * line).div_ceil(LANES));
            let from = maps.input.get().wrapping_add(start * LANES).cast::<Lane>();
            // SAFETY: these lines are there, as the caller promises, in whole blocks.
            let numbers = unsafe { std::slice::from_raw_parts(from, end - start) };
            with_pairs(isa, numbers, |pairs| {
                let first = Shared::reading(pairs).get().wrapping_sub(start * LANES / 2);
                run(Maps { input: Shared::at(first), ..maps });
            });
        } else {
            run(maps);
        }
    }

    /// Some rows and some blocks of the result. Pictures lie one after the other.
    ///
    /// # Safety
    /// What the windows of these rows see of the input, and these rows of the others, are there; nobody else uses these
    /// rows and blocks of the result.
    unsafe fn rows(&self, isa: Isa, cut: &Cut, maps: Maps, rows: Range<usize>, columns: Range<usize>) {
        let width = self.weights.blocks() * LANES;
        let places: Vec<usize> = rows.clone().map(|row| row * width).collect();
        let pointers = self.pointers(rows, tile_rows(isa), maps.input.get(), &cut.zeros);
        // Blocks of groups read different channels, so they are products of their own.
        let products: Vec<(Range<usize>, usize)> = match &self.offsets[..] {
            [] => vec![(columns, 0)],
            offsets => columns.map(|block| (block..block + 1, offsets[block])).collect(),
        };
        let parts = cut.parts.iter().enumerate();
        for ((columns, offset), (i, part)) in
            products.iter().flat_map(|product| parts.clone().map(move |part| (product, part)))
        {
            let product = Product {
                inputs: &pointers,
                all_taps: self.taps.len(),
                first_tap: part.taps.start,
                taps: part.taps.len(),
                first: offset + part.depth.start,
                depth: part.depth.len(),
                weight_at: part.taps.start * self.depth + part.depth.start,
                weights: self.weights.matrix(),
                blocks: columns.clone(),
                bias: &self.bias,
                resume: i > 0,
                finish: i + 1 == cut.parts.len(),
                rows: &places,
                out: maps.out,
                residual: maps.residual.get(),
                after: self.after,
            };
            // SAFETY: pointers lie `depth` numbers before the end of a pixel's run or of `zeros`; the rest is the caller's
            // promise.
            unsafe {
                if self.pairs {
                    isa.run_pairs(OfPairs(product));
                } else {
                    isa.run(product);
                }
            }
        }
    }

    /// Whether the input is narrowed before it is read.
    fn narrows(&self) -> bool {
        self.pairs && self.lies == Form::Numbers
    }

    /// Whether no sums wait in the result.
    pub(crate) fn is_one_part(&self) -> bool {
        self.taps.len() * self.depth <= DEPTH
    }

    /// The instruction set for its factors.
    fn isa(&self, isa: Isa) -> Isa {
        if self.pairs { isa.for_pairs() } else { isa }
    }

    /// Lines of the input that lines of the result see.
    pub(crate) fn sees(&self, lines: Range<usize>) -> Range<usize> {
        let reach = self.taps.last().map_or(1, |(dy, _)| dy + 1);
        window(lines, (reach, self.stride.y, self.padding.top), self.input.0)
    }

    /// Rows whose inputs a task may read.
    fn fitting(&self, tile: usize) -> usize {
        let reads = self.pixel.min(DEPTH) * self.stride.y.min(2) * self.stride.x.min(2);
        (INPUT / reads.max(1)).clamp(tile, 32 * tile)
    }

    fn rows_of_a_task(&self, tile: usize, total: usize) -> usize {
        // Not one large task and a small one, but equal ones, where there are only a few.
        let tasks = total.div_ceil(self.fitting(tile)).max(threads());
        total.div_ceil(tasks).max(1).next_multiple_of(tile)
    }

    /// For each tile of rows, for each tap, a pointer for each row.
    fn pointers(&self, rows: Range<usize>, tile: usize, input: *const f32, zeros: &[f32]) -> Vec<*const f32> {
        let (height, width) = self.input;
        let last = rows.end - 1;
        let mut pointers = Vec::with_capacity(rows.len().next_multiple_of(tile) * self.taps.len());
        // The row at hand: its column in the result, and where its window begins: first number of its first pixel, without
        // padding; line; column. Counted up, as divisions took longer than small products.
        let mut x = rows.start % self.output.1;
        let line = rows.start / self.output.1;
        let mut y = line % self.output.0;
        let mut picture = line / self.output.0 * self.image;
        let mut place = |row: usize| {
            let (top, left) = (y * self.stride.y, x * self.stride.x);
            let place = (picture + (top * width + left) * self.pixel, top, left);
            if row < last {
                x += 1;
                if x == self.output.1 {
                    (x, y) = (0, y + 1);
                    if y == self.output.0 {
                        (y, picture) = (0, picture + self.image);
                    }
                }
            }
            place
        };
        let mut places = vec![(0, 0, 0); tile];
        for first in rows.step_by(tile) {
            places.iter_mut().zip(first..).for_each(|(to, row)| *to = place(row));
            for (dy, dx) in &self.taps {
                // Above and to the left of the map the differences wrap around, and are as large as can be.
                let Padding { top, left, .. } = self.padding;
                let (dy, dx) = (dy.wrapping_sub(top), dx.wrapping_sub(left));
                let offset = dy.wrapping_mul(width).wrapping_add(dx).wrapping_mul(self.pixel);
                // Without padding, windows lie within the map: that is what the result's size says.
                if self.padding == Padding::NONE {
                    pointers.extend(places.iter().map(|(at, ..)| input.wrapping_add(at + offset)));
                    continue;
                }
                pointers.extend(places.iter().map(|(at, y, x)| {
                    if y.wrapping_add(dy) < height && x.wrapping_add(dx) < width {
                        // Not followed here: whoever does promises that it lies within.
                        input.wrapping_add(at.wrapping_add(offset))
                    } else {
                        zeros.as_ptr()
                    }
                }));
            }
        }
        pointers
    }

    /// The inner dimension in its order: several taps at a time, or each tap in several cuts.
    fn cut(&self) -> Cut {
        let taps = self.taps.len();
        let together = (DEPTH / self.depth).max(1);
        let cut = self.depth.div_ceil(self.depth.div_ceil(DEPTH));
        let part = |tap: usize| {
            (0..self.depth).step_by(cut).map(move |first| Part {
                taps: tap..taps.min(tap + together),
                depth: first..self.depth.min(first + cut),
            })
        };
        let parts = (0..taps).step_by(together).flat_map(part).collect();
        Cut { parts, zeros: vec![0.0; self.depth.max(self.pixel)] }
    }
}
