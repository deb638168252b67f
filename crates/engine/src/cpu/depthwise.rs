//! Depthwise convolution: every channel by a kernel of its own, sixteen channels at a time.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{
    form::{Form, Out},
    functions::After,
    gemm::Lane,
    lines::{Maps, window},
    parallel::{each_of, threads},
    simd::{Isa, Kernel, LANES, Simd},
};
use network::{Axis, Window};
use std::ops::Range;

/// Neighbouring results that are worked on together, so that each number and each weight is read once for all. On
/// AVX-512 in two blocks, as fewer chains of multiply-adds than eight would wait for each other (2 times as slow on Zen 5).
const TOGETHER: usize = 4;
/// Lines, and columns, that are taken through one block after the other: what they read and write stays in the nearest
/// cache.
const LINES: usize = 8;
const COLUMNS: usize = 28;

/// A depthwise convolution, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Depthwise {
    pub(crate) input: (usize, usize),
    pub(crate) output: (usize, usize),
    pub(crate) window: Window,
    /// (places of a window, blocks).
    pub(crate) weights: Vec<Lane>,
    pub(crate) bias: Vec<Lane>,
    pub(crate) after: After,
}

impl Depthwise {
    /// input: n maps; out: n maps, in that form.
    pub(crate) fn run(&self, isa: Isa, n: usize, input: &[Lane], out: &mut [Lane], form: Form) {
        let blocks = self.bias.len();
        let (pixels_in, pixels_out) = (self.input.0 * self.input.1, self.output.0 * self.output.1);
        assert!(input.len() >= n * pixels_in * blocks && form.holds(out.len()) >= n * pixels_out * blocks);
        assert!(self.weights.len() == self.window.kernel.y * self.window.kernel.x * blocks);
        let out = Out::of(out, form);
        // Whole maps where there are enough of them for all threads.
        let (height, threads) = (self.output.0, threads());
        let strips = if threads == 1 { 1 } else { (4 * threads).div_ceil(n).min(height) };
        let lines = height.div_ceil(strips);
        let numbers = lines * self.output.1 * blocks * LANES;
        each_of(n * strips, numbers * self.window.kernel.y * self.window.kernel.x / 8, |task| {
            let (picture, first) = (task / strips, task % strips * lines);
            let strip = Strip {
                layer: self,
                // SAFETY: within `input`, whose length was checked above.
                input: unsafe { input.as_ptr().cast::<f32>().add(picture * pixels_in * blocks * LANES) },
                lines: first..height.min(first + lines),
                out: out.skip(picture * pixels_out * blocks * LANES),
            };
            // SAFETY: as above; every task has lines of `out` of its own.
            unsafe { isa.run(strip) }
        });
    }

    /// Some lines of one picture.
    ///
    /// # Safety
    /// As [`Maps`] says; nobody else uses these lines of the result.
    pub(crate) unsafe fn run_lines(&self, isa: Isa, maps: Maps, lines: Range<usize>) {
        let strip = Strip { layer: self, input: maps.input.get(), lines, out: maps.out };
        // SAFETY: the caller's promise.
        unsafe { isa.run(strip) }
    }

    /// Lines of the input that lines of the result see.
    pub(crate) fn sees(&self, lines: Range<usize>) -> Range<usize> {
        let [down, _] = self.window.axes();
        window(lines, (down.extent(), down.stride, down.before), self.input.0)
    }
}

/// Which places of a window that begins at `start` lie within `length`.
fn inside(start: isize, Axis { kernel, dilation, .. }: Axis, length: usize) -> Range<usize> {
    let first = start.min(0).unsigned_abs().div_ceil(dilation).min(kernel);
    let end = ((length as isize - start).max(0) as usize).div_ceil(dilation).min(kernel);
    first..end.max(first)
}

/// Some lines of the result.
struct Strip<'a> {
    layer: &'a Depthwise,
    input: *const f32,
    lines: Range<usize>,
    out: Out,
}

impl Kernel for Strip<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (columns, blocks) = (self.layer.output.1, self.layer.bias.len());
        let paired = if S::WIDE { blocks / 2 * 2 } else { 0 };
        for first in self.lines.clone().step_by(LINES) {
            let lines = first..self.lines.end.min(first + LINES);
            for first in (0..columns).step_by(COLUMNS) {
                let columns = first..columns.min(first + COLUMNS);
                // SAFETY: as promised by the caller of `Isa::run`.
                unsafe {
                    for block in (0..paired).step_by(2) {
                        self.part_of::<S, 2>(block, lines.clone(), columns.clone());
                    }
                    for block in paired..blocks {
                        self.part_of::<S, 1>(block, lines.clone(), columns.clone());
                    }
                }
            }
        }
    }
}

impl Strip<'_> {
    /// Some lines and columns of `P` blocks.
    #[inline(always)]
    unsafe fn part_of<S: Simd, const P: usize>(
        &self,
        block: usize,
        lines: Range<usize>,
        columns: Range<usize>,
    ) {
        // SAFETY: as promised to `run`.
        unsafe {
            match self.out.form {
                Form::Numbers => self.part::<S, P, false>(block, lines, columns),
                Form::Pairs => self.part::<S, P, true>(block, lines, columns),
            }
        }
    }

    #[inline(always)]
    unsafe fn part<S: Simd, const P: usize, const PAIRS: bool>(
        &self,
        block: usize,
        lines: Range<usize>,
        columns: Range<usize>,
    ) {
        let Depthwise { input: (height, width), output, window, after, .. } = *self.layer;
        let [down, across] = window.axes();
        let blocks = self.layer.bias.len();
        // SAFETY: as promised to `run`.
        unsafe {
            let out = self.out.skip(block * LANES);
            // The kernel's columns and their step, of windows that see neighbours across.
            let tiled = if across.dilation == 1 { (across.kernel, across.stride) } else { (0, 0) };
            for y in lines.clone() {
                let top = (y * down.stride) as isize - down.before as isize;
                let line = Line::<P, PAIRS> {
                    layer: self.layer,
                    input: self.input.wrapping_add(block * LANES),
                    top,
                    rows: inside(top, down, height),
                    apart: down.dilation,
                    tiled,
                    out: out.place(y * output.1 * blocks * LANES),
                    block,
                };
                if columns.len() < TOGETHER {
                    for x in columns.clone() {
                        line.result::<S>(x);
                    }
                    continue;
                }
                for x in columns.clone().step_by(TOGETHER) {
                    // The last few begin earlier, and make some results a second time.
                    let x = x.min(columns.end - TOGETHER);
                    let left = (x * across.stride) as isize - across.before as isize;
                    let right = left + ((TOGETHER - 1) * across.stride + across.kernel) as isize;
                    if left >= 0 && right <= width as isize {
                        line.group::<S, true>(x, left);
                    } else {
                        line.group::<S, false>(x, left);
                    }
                }
            }
            if !after.is_clamp() {
                for y in lines {
                    for x in columns.clone() {
                        after.finish::<S>(out.place((y * output.1 + x) * blocks * LANES), P);
                    }
                }
            }
        }
    }
}

/// One line of `P` blocks of the result. `PAIRS`: its form, which a branch at every store would make known too late (5 to 10 %
/// slower).
struct Line<'a, const P: usize, const PAIRS: bool> {
    layer: &'a Depthwise,
    /// The first block of the map's first pixel.
    input: *const f32,
    /// The first line that its windows see; negative in the padding.
    top: isize,
    /// The rows of the kernel that see the map.
    rows: Range<usize>,
    /// Lines from one of them to the next.
    apart: usize,
    /// Columns of the kernel and their step, where tiles may be made.
    tiled: (usize, usize),
    /// The first block of the line's first pixel.
    out: *mut f32,
    block: usize,
}

impl<const P: usize, const PAIRS: bool> Line<'_, P, PAIRS> {
    /// Clamps and writes a block.
    #[inline(always)]
    unsafe fn put<S: Simd>(&self, at: usize, sum: S::V) {
        // SAFETY: as promised to `Strip::run`.
        unsafe {
            let v = self.layer.after.clamp::<S>(sum);
            if PAIRS {
                S::narrow(self.out.cast::<u16>().wrapping_add(at), v);
            } else {
                S::store(self.out.wrapping_add(at), v);
            }
        }
    }

    /// [`TOGETHER`] neighbouring results, whose first window begins at `left`. `INSIDE`: all windows lie within the map from
    /// left to right.
    #[inline(always)]
    unsafe fn group<S: Simd, const INSIDE: bool>(&self, x: usize, left: isize) {
        // SAFETY: as promised to `Strip::run`.
        unsafe {
            match self.tiled {
                (3, 1) => self.results::<S, 3, 1, INSIDE>(x, left),
                (3, 2) => self.results::<S, 3, 2, INSIDE>(x, left),
                (5, 1) => self.results::<S, 5, 1, INSIDE>(x, left),
                (5, 2) => self.results::<S, 5, 2, INSIDE>(x, left),
                (7, 1) => self.results::<S, 7, 1, INSIDE>(x, left),
                _ => {
                    for x in x..x + TOGETHER {
                        self.result::<S>(x);
                    }
                }
            }
        }
    }

    /// The same for a kernel of `K` columns, moved by `STRIDE` columns.
    #[inline(always)]
    unsafe fn results<S: Simd, const K: usize, const STRIDE: usize, const INSIDE: bool>(
        &self,
        x: usize,
        left: isize,
    ) {
        let layer = self.layer;
        let (blocks, width) = (layer.bias.len(), layer.input.1);
        // SAFETY: as promised to `Strip::run`; columns are checked unless `INSIDE`, `rows` keep within the map.
        unsafe {
            let bias = layer.bias.as_ptr().add(self.block);
            let mut sums = [[S::splat(0.0); P]; TOGETHER];
            for p in 0..P {
                let bias = S::load(bias.add(p).cast());
                for i in 0..TOGETHER {
                    sums[i][p] = bias;
                }
            }
            for dy in self.rows.clone() {
                let y = (self.top + (dy * self.apart) as isize) as usize;
                let from =
                    self.input.wrapping_offset(((y * width) as isize + left) * (blocks * LANES) as isize);
                let row = layer.weights.as_ptr().add(dy * K * blocks + self.block);
                let mut weights = [[S::splat(0.0); P]; K];
                for dx in 0..K {
                    for p in 0..P {
                        weights[dx][p] = S::load(row.add(dx * blocks + p).cast());
                    }
                }
                for column in 0..(TOGETHER - 1) * STRIDE + K {
                    if !INSIDE && (left + column as isize) as usize >= width {
                        continue;
                    }
                    for p in 0..P {
                        let number = S::load(from.wrapping_add((column * blocks + p) * LANES));
                        for i in 0..TOGETHER {
                            if column >= i * STRIDE && column - i * STRIDE < K {
                                sums[i][p] = S::fma(number, weights[column - i * STRIDE][p], sums[i][p]);
                            }
                        }
                    }
                }
            }
            for i in 0..TOGETHER {
                for p in 0..P {
                    self.put::<S>(((x + i) * blocks + p) * LANES, sums[i][p]);
                }
            }
        }
    }

    /// One result of any kernel. The same chain of operations as in `results`.
    #[inline(always)]
    unsafe fn result<S: Simd>(&self, x: usize) {
        let layer = self.layer;
        let (blocks, (_, width)) = (layer.bias.len(), layer.input);
        let [down, across] = layer.window.axes();
        let left = (x * across.stride) as isize - across.before as isize;
        // SAFETY: as promised to `Strip::run`; the columns and `rows` that are seen keep within the map.
        unsafe {
            for p in 0..P {
                let mut sum = S::load(layer.bias.as_ptr().add(self.block + p).cast());
                for dy in self.rows.clone() {
                    let y = (self.top + (dy * down.dilation) as isize) as usize;
                    for dx in inside(left, across, width) {
                        let weight = (dy * across.kernel + dx) * blocks + self.block + p;
                        let from = y * width + (left + (dx * across.dilation) as isize) as usize;
                        let number = S::load(self.input.wrapping_add((from * blocks + p) * LANES));
                        sum = S::fma(number, S::load(layer.weights.as_ptr().add(weight).cast()), sum);
                    }
                }
                self.put::<S>((x * blocks + p) * LANES, sum);
            }
        }
    }
}
