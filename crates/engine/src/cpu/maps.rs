//! What is done to maps without a product: pooling, sums, scales. All are a small part of a network's time.

use super::{
    gemm::{Clamp, Lane, blocks},
    parallel::{Shared, each, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};
use network::Pool;
use rayon::prelude::*;
use std::ops::Range;

/// Blocks of sixteen that a task works on, about.
const GRAIN: usize = 1 << 10;

/// What becomes of the numbers in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reduce {
    Max,
    Mean,
}

/// Pooling, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Pooling {
    input: (usize, usize),
    /// The rows that each row of the result sees, and the columns.
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
    reduce: Reduce,
}

impl Pooling {
    /// The largest number of each window; padding never wins.
    pub(crate) fn max(pool: Pool, input: (usize, usize), output: (usize, usize)) -> Pooling {
        let Pool { kernel, stride, padding, .. } = pool;
        let seen = |count: usize, length: usize| {
            let window = |at: usize| {
                let start = at * stride;
                start.saturating_sub(padding)..(start + kernel).saturating_sub(padding).min(length)
            };
            (0..count).map(window).collect()
        };
        Pooling {
            input,
            rows: seen(output.0, input.0),
            columns: seen(output.1, input.1),
            reduce: Reduce::Max,
        }
    }

    /// Means over an even division into cells, as PyTorch's `AdaptiveAvgPool2d`.
    pub(crate) fn mean(input: (usize, usize), output: (usize, usize)) -> Pooling {
        let seen = |count: usize, length: usize| {
            (0..count).map(|at| at * length / count..((at + 1) * length).div_ceil(count)).collect()
        };
        Pooling {
            input,
            rows: seen(output.0, input.0),
            columns: seen(output.1, input.1),
            reduce: Reduce::Mean,
        }
    }

    /// from: n maps of `blocks`; to: n maps of `blocks`.
    pub(crate) fn run(&self, isa: Isa, n: usize, blocks: usize, from: &[Lane], to: &mut [Lane]) {
        let (map_in, line_out) = (self.input.0 * self.input.1 * blocks, self.columns.len() * blocks);
        assert!(from.len() >= n * map_in && to.len() >= n * self.rows.len() * line_out);
        let to = Shared::writing(to);
        each_line(n * self.rows.len(), line_out * LANES, |task| {
            let (picture, row) = (task / self.rows.len(), task % self.rows.len());
            let line = PooledLine {
                pooling: self,
                rows: self.rows[row].clone(),
                blocks,
                from: from[picture * map_in..].as_ptr().cast(),
                // SAFETY: within `to`, whose length was checked above.
                to: unsafe { to.get().add(task * line_out * LANES) },
            };
            // SAFETY: windows lie within the map; every task has a line of `to` of its own.
            unsafe { isa.run(line) }
        });
    }
}

struct PooledLine<'a> {
    pooling: &'a Pooling,
    rows: Range<usize>,
    blocks: usize,
    from: *const f32,
    to: *mut f32,
}

impl Kernel for PooledLine<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let width = self.pooling.input.1;
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            for (x, columns) in self.pooling.columns.iter().enumerate() {
                let count = self.rows.len() * columns.len();
                let share = S::splat(1.0 / count as f32);
                for block in 0..self.blocks {
                    let load = |y: usize, x: usize| {
                        S::load(self.from.add(((y * width + x) * self.blocks + block) * LANES))
                    };
                    let value = match self.pooling.reduce {
                        Reduce::Max => {
                            let mut largest = S::splat(f32::NEG_INFINITY);
                            for y in self.rows.clone() {
                                for x in columns.clone() {
                                    largest = S::larger(largest, load(y, x));
                                }
                            }
                            largest
                        }
                        Reduce::Mean => {
                            // A sum of each row's sum, which rounds less than one long sum.
                            let mut sum = S::splat(0.0);
                            for y in self.rows.clone() {
                                let mut line = S::splat(0.0);
                                for x in columns.clone() {
                                    line = S::add(line, load(y, x));
                                }
                                sum = S::add(sum, line);
                            }
                            S::mul(sum, share)
                        }
                    };
                    S::store(self.to.add((x * self.blocks + block) * LANES), value);
                }
            }
        }
    }
}

/// x · scale + shift per channel, then the clamp: a batch norm that no convolution takes in.
#[derive(Debug)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<Lane>,
    pub(crate) shift: Vec<Lane>,
    pub(crate) clamp: Clamp,
}

impl Affine {
    /// from, to: n maps of as many blocks as the scale has.
    pub(crate) fn run(&self, isa: Isa, from: &[Lane], to: &mut [Lane]) {
        let scaled = Lanewise::Affine { scale: &self.scale, shift: &self.shift };
        lanewise(isa, self.scale.len(), scaled, self.clamp, from, to);
    }
}

/// The clamp alone.
pub(crate) fn clamp(isa: Isa, clamp: Clamp, from: &[Lane], to: &mut [Lane]) {
    lanewise(isa, 1, Lanewise::Same, clamp, from, to);
}

/// The sum of two maps, then the clamp.
pub(crate) fn add(isa: Isa, clamp: Clamp, a: &[Lane], b: &[Lane], to: &mut [Lane]) {
    assert_eq!(a.len(), b.len());
    lanewise(isa, 1, Lanewise::Add(b), clamp, a, to);
}

#[derive(Clone, Copy)]
enum Lanewise<'a> {
    Same,
    Add(&'a [Lane]),
    Affine { scale: &'a [Lane], shift: &'a [Lane] },
}

/// Works on block after block; `period` blocks make a pixel.
fn lanewise(isa: Isa, period: usize, op: Lanewise<'_>, clamp: Clamp, from: &[Lane], to: &mut [Lane]) {
    assert_eq!(from.len(), to.len());
    let grain = GRAIN.next_multiple_of(period);
    let out = Shared::writing(to);
    each(from.len().div_ceil(grain), |task| {
        let run = task * grain..from.len().min((task + 1) * grain);
        let op = match op {
            Lanewise::Add(other) => Lanewise::Add(&other[run.clone()]),
            other => other,
        };
        // SAFETY: within `to`, which is as long as `from`.
        let to = unsafe { out.get().add(run.start * LANES) };
        let part = LanewisePart { op, clamp, from: &from[run], to };
        // SAFETY: every task has a run of `to` of its own.
        unsafe { isa.run(part) }
    });
}

struct LanewisePart<'a> {
    op: Lanewise<'a>,
    clamp: Clamp,
    from: &'a [Lane],
    to: *mut f32,
}

impl Kernel for LanewisePart<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`; the zips keep within all slices.
        unsafe {
            let load = |lane: &Lane| S::load(lane.0.as_ptr());
            let put = |i: usize, v| S::store(self.to.add(i * LANES), self.clamp.apply::<S>(v));
            match self.op {
                Lanewise::Same => {
                    for (i, x) in self.from.iter().enumerate() {
                        put(i, load(x));
                    }
                }
                Lanewise::Add(other) => {
                    for (i, (a, b)) in self.from.iter().zip(other).enumerate() {
                        put(i, S::add(load(a), load(b)));
                    }
                }
                Lanewise::Affine { scale, shift } => {
                    let blocks = scale.len();
                    for (pixel, map) in self.from.chunks(blocks).enumerate() {
                        for (i, ((x, scale), shift)) in map.iter().zip(scale).zip(shift).enumerate() {
                            put(pixel * blocks + i, S::fma(load(x), load(scale), load(shift)));
                        }
                    }
                }
            }
        }
    }
}

/// Maps one after the other along the channels, pixel by pixel. parts: maps and their channels.
pub(crate) fn concat(parts: &[(&[Lane], usize)], to: &mut [Lane]) {
    let channels: usize = parts.iter().map(|(_, channels)| channels).sum();
    let width = blocks(channels);
    to.par_chunks_mut(width * GRAIN.div_ceil(width)).enumerate().for_each(|(task, to)| {
        let first = task * GRAIN.div_ceil(width);
        for (pixel, to) in to.chunks_exact_mut(width).enumerate() {
            let to: &mut [f32] = bytemuck::cast_slice_mut(to);
            let mut at = 0;
            for (from, channels) in parts {
                let from = &from[(first + pixel) * blocks(*channels)..][..blocks(*channels)];
                to[at..at + channels].copy_from_slice(&bytemuck::cast_slice(from)[..*channels]);
                at += channels;
            }
            to[at..].fill(0.0);
        }
    });
}

/// Maps of `pixels` to vectors (c · pixels,), row-major as PyTorch flattens.
pub(crate) fn flatten(pixels: usize, channels: usize, from: &[Lane], to: &mut [Lane]) {
    let (width, length) = (blocks(channels), blocks(channels * pixels));
    from.par_chunks_exact(pixels * width).zip(to.par_chunks_exact_mut(length)).for_each(|(from, to)| {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        for (pixel, from) in from.chunks_exact(width).enumerate() {
            for (channel, x) in bytemuck::cast_slice::<Lane, f32>(from)[..channels].iter().enumerate() {
                to[channel * pixels + pixel] = *x;
            }
        }
        to[channels * pixels..].fill(0.0);
    });
}
