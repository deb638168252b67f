//! Depthwise convolution: every channel by a kernel of its own, sixteen channels at a time.

use super::{
    functions::After,
    gemm::Lane,
    parallel::{Shared, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::ops::Range;

/// Neighbouring results that are worked on together, so that each weight is read once for all.
const TOGETHER: usize = 4;

/// A depthwise convolution, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Depthwise {
    pub(crate) input: (usize, usize),
    pub(crate) output: (usize, usize),
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    /// (k², blocks).
    pub(crate) weights: Vec<Lane>,
    pub(crate) bias: Vec<Lane>,
    pub(crate) after: After,
}

impl Depthwise {
    /// input: n maps; out: n maps.
    pub(crate) fn run(&self, isa: Isa, n: usize, input: &[Lane], out: &mut [Lane]) {
        let blocks = self.bias.len();
        let (pixels_in, pixels_out) = (self.input.0 * self.input.1, self.output.0 * self.output.1);
        assert!(input.len() >= n * pixels_in * blocks && out.len() >= n * pixels_out * blocks);
        assert!(self.weights.len() == self.kernel * self.kernel * blocks);
        let out = Shared::writing(out);
        each_line(n * self.output.0, self.output.1 * blocks * LANES, |task| {
            let (picture, y) = (task / self.output.0, task % self.output.0);
            let top = (y * self.stride) as isize - self.padding as isize;
            let line = Line {
                layer: self,
                // SAFETY: within `input`, whose length was checked above.
                input: unsafe { input.as_ptr().cast::<f32>().add(picture * pixels_in * blocks * LANES) },
                top,
                rows: inside(top, self.kernel, self.input.0),
                // SAFETY: within `out`, whose length was checked above.
                out: unsafe { out.get().add((picture * pixels_out + y * self.output.1) * blocks * LANES) },
            };
            // SAFETY: as above; every task has a line of `out` of its own.
            unsafe { isa.run(line) }
        });
    }
}

/// Which places of a window that begins at `start` lie within `length`.
fn inside(start: isize, kernel: usize, length: usize) -> Range<usize> {
    let first = start.min(0).unsigned_abs().min(kernel);
    let end = (length as isize - start).clamp(0, kernel as isize) as usize;
    first..end.max(first)
}

/// One line of the result.
struct Line<'a> {
    layer: &'a Depthwise,
    input: *const f32,
    /// The first line that its windows see; negative in the padding.
    top: isize,
    /// The rows of the kernel that see the map.
    rows: Range<usize>,
    out: *mut f32,
}

impl Kernel for Line<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Depthwise { input: (_, width), output: (_, columns), kernel, stride, padding, .. } = *self.layer;
        // Results whose windows lie within the map from left to right.
        let first = padding.div_ceil(stride).min(columns);
        let end = ((width + padding).saturating_sub(kernel) / stride + 1).clamp(first, columns);
        let end = if width + padding < kernel { first } else { end };
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            for block in 0..self.layer.bias.len() {
                for x in (0..first).chain(end..columns) {
                    let left = (x * stride) as isize - padding as isize;
                    self.results::<S, 1>(block, x, left, inside(left, kernel, width));
                }
                let mut x = first;
                while x < end {
                    let left = x * stride - padding;
                    if x + TOGETHER > end {
                        self.results::<S, 1>(block, x, left as isize, 0..kernel);
                        x += 1;
                        continue;
                    }
                    match (kernel, stride) {
                        (3, 1) => self.neighbours::<S, 3, 1>(block, x, left),
                        (3, 2) => self.neighbours::<S, 3, 2>(block, x, left),
                        (5, 1) => self.neighbours::<S, 5, 1>(block, x, left),
                        (5, 2) => self.neighbours::<S, 5, 2>(block, x, left),
                        (7, 1) => self.neighbours::<S, 7, 1>(block, x, left),
                        _ => self.results::<S, TOGETHER>(block, x, left as isize, 0..kernel),
                    }
                    x += TOGETHER;
                }
            }
            self.layer.after.finish::<S>(self.out, columns * self.layer.bias.len());
        }
    }
}

impl Line<'_> {
    /// [`TOGETHER`] neighbouring results of a kernel of side `K`, moved by `STRIDE`: each number of the map is read once
    /// for all of them. The same chains of operations as in `results`.
    #[inline(always)]
    unsafe fn neighbours<S: Simd, const K: usize, const STRIDE: usize>(
        &self,
        block: usize,
        x: usize,
        left: usize,
    ) {
        let layer = self.layer;
        let blocks = layer.bias.len();
        // SAFETY: as promised to `run`; all windows lie within the map from left to right, `rows` from top to bottom.
        unsafe {
            let mut sums = [S::load(layer.bias.as_ptr().add(block).cast()); TOGETHER];
            for dy in self.rows.clone() {
                let y = (self.top + dy as isize) as usize;
                let from = self.input.add(((y * layer.input.1 + left) * blocks + block) * LANES);
                let weights = layer.weights.as_ptr().add(dy * K * blocks + block);
                let weights: [S::V; K] = std::array::from_fn(|dx| S::load(weights.add(dx * blocks).cast()));
                for column in 0..(TOGETHER - 1) * STRIDE + K {
                    let number = S::load(from.add(column * blocks * LANES));
                    for (i, sum) in sums.iter_mut().enumerate() {
                        if column >= i * STRIDE && column - i * STRIDE < K {
                            *sum = S::fma(number, weights[column - i * STRIDE], *sum);
                        }
                    }
                }
            }
            for (i, sum) in sums.into_iter().enumerate() {
                let at = ((x + i) * blocks + block) * LANES;
                S::store(self.out.add(at), layer.after.clamp::<S>(sum));
            }
        }
    }

    /// `N` neighbouring results whose windows all see the same columns of the kernel.
    #[inline(always)]
    unsafe fn results<S: Simd, const N: usize>(
        &self,
        block: usize,
        x: usize,
        left: isize,
        seen: Range<usize>,
    ) {
        let layer = self.layer;
        let blocks = layer.bias.len();
        // SAFETY: as promised to `run`; `seen` and `rows` keep within the map.
        unsafe {
            let mut sums = [S::load(layer.bias.as_ptr().add(block).cast()); N];
            for dy in self.rows.clone() {
                let y = (self.top + dy as isize) as usize;
                for dx in seen.clone() {
                    let w =
                        S::load(layer.weights.as_ptr().add((dy * layer.kernel + dx) * blocks + block).cast());
                    let from = y * layer.input.1 + (left + dx as isize) as usize;
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let at = ((from + i * layer.stride) * blocks + block) * LANES;
                        *sum = S::fma(S::load(self.input.add(at)), w, *sum);
                    }
                }
            }
            for (i, sum) in sums.into_iter().enumerate() {
                let at = ((x + i) * blocks + block) * LANES;
                S::store(self.out.add(at), layer.after.clamp::<S>(sum));
            }
        }
    }
}
