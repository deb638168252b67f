//! Products of rows by a packed matrix: what convolutions, dense layers and Winograd's middle step come to.
//!
//! **Invariant:** each number of a result is one chain of fused multiply-adds over the inner dimension, in its order,
//! beginning with the bias. How rows are tiled and how the inner dimension is cut (sums then wait in the result and are
//! taken up again) leaves the chain as it is, and so the bits.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{
    form::{Form, Out},
    functions::After,
    lanes::Lanes,
    simd::{Isa, Kernel, LANES, Simd},
};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Sixteen numbers on a cache line's boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub(crate) [f32; LANES]);

/// How many blocks of sixteen hold `n` numbers.
pub(crate) fn blocks(n: usize) -> usize {
    n.div_ceil(LANES)
}

/// A matrix (outputs, depth), stored as the kernel reads it: blocks of sixteen outputs, depth after depth.
#[derive(Debug)]
pub(crate) struct Packed {
    data: Lanes,
    depth: usize,
}

impl Packed {
    /// The matrix whose number at (output, k) is `at(output, k)`; padded with zeros to whole blocks of outputs.
    pub(crate) fn new(outputs: usize, depth: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Packed {
        let mut data = Lanes::zeroed(blocks(outputs) * depth);
        data.par_chunks_mut(depth.max(1)).enumerate().for_each(|(block, lanes)| {
            for output in block * LANES..outputs.min((block + 1) * LANES) {
                lanes.iter_mut().enumerate().for_each(|(k, lane)| lane.0[output % LANES] = at(output, k));
            }
        });
        Packed { data, depth }
    }

    /// How many blocks of sixteen outputs.
    pub(crate) fn blocks(&self) -> usize {
        self.data.len() / self.depth.max(1)
    }

    /// As a product reads it.
    pub(crate) fn matrix(&self) -> Matrix<'_> {
        Matrix { data: &self.data, depth: self.depth }
    }
}

/// A packed matrix: blocks of sixteen outputs, `depth` lanes each.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) data: &'a [Lane],
    pub(crate) depth: usize,
}

/// Rows of a tile of this instruction set.
pub(crate) fn tile_rows(isa: Isa) -> usize {
    if isa == Isa::Avx512 { 12 } else { 6 }
}

/// What is multiplied: numbers, or [pairs](super::pairs) of them in a number's place.
pub(crate) trait Factors {
    /// Numbers in a number's place.
    const COUNT: usize;

    /// sum + x · w.
    ///
    /// # Safety
    /// The processor has `S`, and all that the kernel is compiled for.
    unsafe fn add<S: Simd>(x: S::V, w: S::V, sum: S::V) -> S::V;
}

/// Numbers.
pub(crate) struct Singles;

impl Factors for Singles {
    const COUNT: usize = 1;

    #[inline(always)]
    unsafe fn add<S: Simd>(x: S::V, w: S::V, sum: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::fma(x, w, sum) }
    }
}

/// Rows times some blocks of a matrix, over a part of the inner dimension: `taps` runs of `depth` numbers.
///
/// Where it is of pairs, a number stands for two.
pub(crate) struct Product<'a> {
    /// For every tile of rows, for every tap of the whole inner dimension, a pointer for each of [`tile_rows`] rows. A
    /// last tile that is not full repeats some row.
    pub(crate) inputs: &'a [*const f32],
    /// All taps; a tile's pointers are `all_taps · tile_rows`.
    pub(crate) all_taps: usize,
    /// The first tap of this part, and how many.
    pub(crate) first_tap: usize,
    pub(crate) taps: usize,
    /// Of each run, the first number that is read, and how many.
    pub(crate) first: usize,
    pub(crate) depth: usize,
    /// Where in the matrix's inner dimension this part begins.
    pub(crate) weight_at: usize,
    pub(crate) weights: Matrix<'a>,
    /// The blocks to compute.
    pub(crate) blocks: std::ops::Range<usize>,
    /// Where sums begin, one number an output; empty for zeros. Not read where `resume`.
    pub(crate) bias: &'a [Lane],
    /// Whether sums were begun by an earlier part, and wait in the result: as numbers.
    pub(crate) resume: bool,
    /// Whether this is the last part, after which the residual is added and the function applied.
    pub(crate) finish: bool,
    /// Where each row goes, counted in numbers from `out`; as many as there are rows.
    pub(crate) rows: &'a [usize],
    /// As pairs only where factors are.
    pub(crate) out: Out,
    /// Added to the sums: laid out as the result is. Null for nothing.
    pub(crate) residual: *const f32,
    pub(crate) after: After,
}

impl<'a> Product<'a> {
    /// Rows of one run each, as many numbers as the matrix is deep, times the whole matrix: sums as they are.
    pub(crate) fn plain(
        inputs: &'a [*const f32],
        weights: Matrix<'a>,
        rows: &'a [usize],
        out: *mut f32,
    ) -> Product<'a> {
        Product {
            inputs,
            all_taps: 1,
            first_tap: 0,
            taps: 1,
            first: 0,
            depth: weights.depth,
            weight_at: 0,
            weights,
            blocks: 0..weights.data.len() / weights.depth,
            bias: &[],
            resume: false,
            finish: false,
            rows,
            out: Out::numbers(out),
            residual: std::ptr::null(),
            after: After::NONE,
        }
    }
}

impl Kernel for Product<'_> {
    /// # Safety
    /// As [`Product::run_of`].
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised to this function.
        unsafe { self.run_of::<S, Singles>() }
    }
}

impl Product<'_> {
    /// # Safety
    /// Every pointer and every row's place is good for the reads and writes that the fields describe, and no other
    /// thread uses those places of `out`.
    #[inline(always)]
    pub(crate) unsafe fn run_of<S: Simd, F: Factors>(&self) {
        // SAFETY: as promised to this function.
        unsafe {
            if S::WIDE {
                let even = self.blocks.start + self.blocks.len() / 2 * 2;
                for block in (self.blocks.start..even).step_by(2) {
                    self.column::<S, F, 12, 2>(block);
                }
                if even < self.blocks.end {
                    self.column::<S, F, 12, 1>(even);
                }
            } else {
                for block in self.blocks.clone() {
                    self.column::<S, F, 6, 1>(block);
                }
            }
        }
    }
}

/// Written out for each row of a tile, so that row numbers are constants and sums stay in registers: a loop over 12 rows
/// of 2 blocks is too long for the compiler to unroll, and every step of the product then stored all sums (2 times as
/// slow on Zen 4).
macro_rules! each_row {
    ($r:ident in $rows:ident => $work:expr) => {
        each_row!($r in $rows => $work, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($r:ident in $rows:ident => $work:expr, $($i:literal)*) => {$(
        #[allow(clippy::allow_attributes, clippy::absurd_extreme_comparisons, reason = "the first row is 0")]
        if $i < $rows {
            let $r = $i % $rows;
            $work
        }
    )*};
}

/// Weights that the next blocks need: a part is brought nearer while a tile is worked on, a little at every step.
struct Ahead {
    at: *const f32,
    /// Bytes.
    step: usize,
}

impl Product<'_> {
    /// The part of the weights behind those of `P` blocks, where there are any, that is this tile's of so many.
    #[inline(always)]
    fn ahead<const P: usize>(&self, block: usize, tile: usize, tiles: usize) -> Ahead {
        let (next, lines) = (block + P, self.taps * self.depth);
        if next + P > self.blocks.end || lines == 0 {
            return Ahead { at: self.weights.data.as_ptr().cast(), step: 0 };
        }
        let share = (P * lines).div_ceil(tiles);
        let (block, line) = (next + (tile * share / lines).min(P - 1), tile * share % lines);
        let at = self.weights.data.as_ptr().wrapping_add(block * self.weights.depth + self.weight_at + line);
        Ahead { at: at.cast(), step: share * size_of::<Lane>() / lines }
    }

    /// All tiles for `P` blocks of outputs, whose weights stay in the nearest cache meanwhile.
    #[inline(always)]
    unsafe fn column<S: Simd, F: Factors, const R: usize, const P: usize>(&self, block: usize) {
        debug_assert!((block + P) * self.weights.depth <= self.weights.data.len());
        let tiles = self.rows.len().div_ceil(R);
        for (tile, rows) in self.rows.chunks(R).enumerate() {
            let inputs = &self.inputs[(tile * self.all_taps + self.first_tap) * R..][..self.taps * R];
            let ahead = self.ahead::<P>(block, tile, tiles);
            // SAFETY: as promised to `run`.
            unsafe {
                match rows.len() {
                    1..=4 if S::WIDE => self.tile::<S, F, R, 4, P>(block, inputs, rows, ahead),
                    5..=8 if S::WIDE => self.tile::<S, F, R, 8, P>(block, inputs, rows, ahead),
                    _ => self.tile::<S, F, R, R, P>(block, inputs, rows, ahead),
                }
            }
        }
    }

    /// The first `R` rows of a tile that has `T` pointers for each tap.
    #[inline(always)]
    unsafe fn tile<S: Simd, F: Factors, const T: usize, const R: usize, const P: usize>(
        &self,
        block: usize,
        inputs: &[*const f32],
        rows: &[usize],
        mut ahead: Ahead,
    ) {
        // SAFETY: as promised to `run`; `column` has cut `inputs` to T pointers a tap, of which these are R.
        unsafe {
            if self.finish && !self.residual.is_null() {
                for row in rows {
                    for p in 0..P {
                        S::prefetch(self.residual.wrapping_add(row + (block + p) * LANES));
                    }
                }
            }
            let out = self.out.place(0);
            let mut sums = [[S::splat(0.0); P]; R];
            if self.resume {
                each_row!(r in R => if let Some(row) = rows.get(r) {
                    for p in 0..P {
                        sums[r][p] = S::load(out.wrapping_add(row + (block + p) * LANES));
                    }
                });
            } else if !self.bias.is_empty() {
                let bias: [S::V; P] =
                    std::array::from_fn(|p| S::load(self.bias.as_ptr().add(block + p).cast()));
                sums = [bias; R];
            }
            let mut weights: [*const f32; P] = std::array::from_fn(|p| {
                self.weights.data.as_ptr().add((block + p) * self.weights.depth + self.weight_at).cast()
            });
            for pointers in inputs.chunks_exact(T) {
                let from: [*const f32; R] =
                    std::array::from_fn(|r| (*pointers.get_unchecked(r)).add(self.first));
                for k in 0..self.depth {
                    S::prefetch(ahead.at);
                    ahead.at = ahead.at.wrapping_byte_add(ahead.step);
                    let w: [S::V; P] = std::array::from_fn(|p| S::load(weights[p].add(k * LANES)));
                    for r in 0..R {
                        let x = S::splat(*from[r].add(k));
                        for p in 0..P {
                            sums[r][p] = F::add::<S>(x, w[p], sums[r][p]);
                        }
                    }
                }
                for weights in &mut weights {
                    *weights = weights.add(self.depth * LANES);
                }
            }
            let pairs = F::COUNT == 2 && self.out.form == Form::Pairs;
            let mut waiting = [[const { MaybeUninit::<Lane>::uninit() }; P]; R];
            each_row!(r in R => if let Some(row) = rows.get(r) {
                for p in 0..P {
                    let at = row + (block + p) * LANES;
                    let mut sum = sums[r][p];
                    if self.finish {
                        if !self.residual.is_null() {
                            sum = S::add(sum, S::load(self.residual.add(at)));
                        }
                        if self.after.clamps() {
                            sum = self.after.clamp::<S>(sum);
                        }
                    }
                    let to = if pairs { waiting[r][p].as_mut_ptr().cast() } else { out.wrapping_add(at) };
                    S::store(to, sum);
                }
            });
            // Functions are of numbers.
            for (row, waiting) in rows.iter().zip(&mut waiting) {
                if pairs {
                    let numbers = waiting.as_mut_ptr().cast::<f32>();
                    self.after.finish::<S>(numbers, P);
                    for p in 0..P {
                        self.out.put::<S>(row + (block + p) * LANES, S::load(numbers.add(p * LANES)));
                    }
                } else if self.finish && !self.after.is_clamp() {
                    self.after.finish::<S>(out.wrapping_add(row + block * LANES), P);
                }
            }
        }
    }
}
