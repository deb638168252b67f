//! What is done to maps without a product: pooling, sums, scales. All are a small part of a network's time.

use super::{
    form::{Form, Out},
    functions::After,
    gemm::Lane,
    lines::Maps,
    parallel::{each_line, each_of},
    simd::{Isa, Kernel, LANES, Simd},
};
use network::{Axis, Pool};
use std::ops::Range;

/// Blocks of sixteen that a task works on, about.
const GRAIN: usize = 1 << 10;

/// What becomes of the numbers in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduce {
    Max,
    Mean,
}

/// Pooling, compiled for one size of map.
#[derive(Debug)]
pub(crate) struct Pooling {
    input: (usize, usize),
    /// What each row of the result sees, and each column.
    rows: Vec<Seen>,
    columns: Vec<Seen>,
    reduce: Reduce,
}

/// Places along one side.
#[derive(Clone, Debug)]
struct Seen {
    places: Range<usize>,
    /// How many a mean is over: with padding perhaps more.
    counted: usize,
}

impl Seen {
    fn all(places: Range<usize>) -> Seen {
        Seen { counted: places.len(), places }
    }
}

impl Pooling {
    /// The largest number of each window; padding never wins.
    pub(crate) fn max(pool: Pool, input: (usize, usize), output: (usize, usize)) -> Pooling {
        Pooling::windows(pool, input, output, Reduce::Max)
    }

    /// The mean of each window's places that lie within the map, or in its padding as well.
    pub(crate) fn average(pool: Pool, input: (usize, usize), output: (usize, usize)) -> Pooling {
        Pooling::windows(pool, input, output, Reduce::Mean)
    }

    /// What becomes of all lines of a map, of these columns alone.
    pub(crate) fn whole(input: (usize, usize), columns: Range<usize>, reduce: Reduce) -> Pooling {
        Pooling { input, rows: vec![Seen::all(0..input.0)], columns: vec![Seen::all(columns)], reduce }
    }

    fn windows(pool: Pool, input: (usize, usize), output: (usize, usize), reduce: Reduce) -> Pooling {
        let seen = |count: usize, axis: Axis, length: usize| {
            let window = |at: usize| {
                let start = at * axis.stride;
                let end = (start + axis.kernel).saturating_sub(axis.before).min(length);
                let inside = Seen::all(start.saturating_sub(axis.before)..end);
                // What sticks out of the padding is no part of the window.
                let padded = axis.kernel.min(length + axis.before + axis.after - start);
                if pool.count_include_pad { Seen { counted: padded, ..inside } } else { inside }
            };
            (0..count).map(window).collect()
        };
        let [down, across] = pool.window().axes();
        let (rows, columns) = (seen(output.0, down, input.0), seen(output.1, across, input.1));
        Pooling { input, rows, columns, reduce }
    }

    /// Means over an even division into cells, as PyTorch's `AdaptiveAvgPool2d`.
    pub(crate) fn mean(input: (usize, usize), output: (usize, usize)) -> Pooling {
        let seen = |count: usize, length: usize| {
            let cell = |at: usize| at * length / count..((at + 1) * length).div_ceil(count);
            (0..count).map(|at| Seen::all(cell(at))).collect()
        };
        Pooling {
            input,
            rows: seen(output.0, input.0),
            columns: seen(output.1, input.1),
            reduce: Reduce::Mean,
        }
    }

    /// from: n maps of `blocks`; to: n maps of `blocks`, in that form.
    pub(crate) fn run(&self, isa: Isa, n: usize, blocks: usize, from: &[Lane], to: &mut [Lane], form: Form) {
        let (map_in, line_out) = (self.input.0 * self.input.1 * blocks, self.columns.len() * blocks);
        assert!(from.len() >= n * map_in && form.holds(to.len()) >= n * self.rows.len() * line_out);
        let to = Out::of(to, form);
        each_line(n * self.rows.len(), line_out * LANES, |task| {
            let (picture, row) = (task / self.rows.len(), task % self.rows.len());
            let line = PooledLine {
                pooling: self,
                rows: &self.rows[row],
                blocks,
                from: from[picture * map_in..].as_ptr().cast(),
                to: to.skip(task * line_out * LANES),
            };
            // SAFETY: windows lie within the map; every task has a line of `to` of its own.
            unsafe { isa.run(line) }
        });
    }

    /// Some lines of one picture of `blocks`.
    ///
    /// # Safety
    /// As [`Maps`] says; nobody else uses these lines of the result.
    pub(crate) unsafe fn run_lines(&self, isa: Isa, blocks: usize, maps: Maps, lines: Range<usize>) {
        for row in lines {
            let line = PooledLine {
                pooling: self,
                rows: &self.rows[row],
                blocks,
                from: maps.input.get(),
                to: maps.out.skip(row * self.columns.len() * blocks * LANES),
            };
            // SAFETY: the caller's promise.
            unsafe { isa.run(line) }
        }
    }

    /// Whether one line sees the whole map.
    pub(crate) fn is_global(&self) -> bool {
        self.rows.len() == 1
    }

    /// Lines of the input that lines of the result see.
    pub(crate) fn sees(&self, lines: Range<usize>) -> Range<usize> {
        self.rows[lines.start].places.start..self.rows[lines.end - 1].places.end
    }
}

struct PooledLine<'a> {
    pooling: &'a Pooling,
    rows: &'a Seen,
    blocks: usize,
    from: *const f32,
    to: Out,
}

impl Kernel for PooledLine<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let width = self.pooling.input.1;
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe {
            for (x, columns) in self.pooling.columns.iter().enumerate() {
                let count = self.rows.counted * columns.counted;
                let share = S::splat(1.0 / count as f32);
                for block in 0..self.blocks {
                    let mut value = match self.pooling.reduce {
                        Reduce::Max => S::splat(f32::NEG_INFINITY),
                        Reduce::Mean => S::splat(0.0),
                    };
                    for y in self.rows.places.clone() {
                        let from = self.from.wrapping_add((y * width * self.blocks + block) * LANES);
                        // Means are sums of each row's sum, which rounds less than one long sum.
                        let mut line = S::splat(0.0);
                        for x in columns.places.clone() {
                            let number = S::load(from.wrapping_add(x * self.blocks * LANES));
                            match self.pooling.reduce {
                                Reduce::Max => value = S::larger(value, number),
                                Reduce::Mean => line = S::add(line, number),
                            }
                        }
                        if self.pooling.reduce == Reduce::Mean {
                            value = S::add(value, line);
                        }
                    }
                    if self.pooling.reduce == Reduce::Mean {
                        value = S::mul(value, share);
                    }
                    self.to.put::<S>((x * self.blocks + block) * LANES, value);
                }
            }
        }
    }
}

/// x · scale + shift per channel, then a function: a batch norm that no convolution takes in.
#[derive(Debug)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<Lane>,
    pub(crate) shift: Vec<Lane>,
    pub(crate) after: After,
}

impl Affine {
    /// from, to: n maps of as many blocks as the scale has, `to` in that form.
    pub(crate) fn run(&self, isa: Isa, from: &[Lane], to: &mut [Lane], form: Form) {
        let scaled = Lanewise::Affine { scale: &self.scale, shift: &self.shift };
        lanewise(isa, self.scale.len(), scaled, self.after, from, (to, form));
    }
}

/// A function alone.
pub(crate) fn activate(isa: Isa, after: After, from: &[Lane], to: &mut [Lane]) {
    lanewise(isa, 1, Lanewise::Same, after, from, (to, Form::Numbers));
}

/// The sum of two maps, then a function.
pub(crate) fn add(isa: Isa, after: After, a: &[Lane], b: &[Lane], to: &mut [Lane], form: Form) {
    assert_eq!(a.len(), b.len());
    lanewise(isa, 1, Lanewise::Add(b), after, a, (to, form));
}

/// The product of two maps, then a function.
pub(crate) fn multiply(isa: Isa, after: After, a: &[Lane], b: &[Lane], to: &mut [Lane], form: Form) {
    assert_eq!(a.len(), b.len());
    lanewise(isa, 1, Lanewise::Multiply(b), after, a, (to, form));
}

/// Every place of n maps times the map's own gates: n vectors.
pub(crate) fn gate(
    isa: Isa,
    after: After,
    n: usize,
    from: &[Lane],
    gates: &[Lane],
    (to, form): (&mut [Lane], Form),
) {
    let shift = vec![Lane::default(); gates.len() / n];
    scale_maps(isa, after, n, from, (gates, &shift), (to, form));
}

/// Every place of n maps times the map's own numbers, n vectors, plus one vector.
pub(crate) fn scale_maps(
    isa: Isa,
    after: After,
    n: usize,
    from: &[Lane],
    (scales, shift): (&[Lane], &[Lane]),
    (to, form): (&mut [Lane], Form),
) {
    assert!(from.len() == form.holds(to.len()) && n > 0);
    let (map, blocks) = (from.len() / n, scales.len() / n);
    assert_eq!(shift.len(), blocks);
    let grain = GRAIN.next_multiple_of(blocks);
    let tasks = map.div_ceil(grain);
    let out = Out::of(to, form);
    each_of(n * tasks, grain.min(map) * LANES, |task| {
        let (picture, first) = (task / tasks, task % tasks * grain);
        let run = picture * map + first..picture * map + map.min(first + grain);
        let to = out.skip(run.start * LANES);
        let op = Lanewise::Affine { scale: &scales[picture * blocks..][..blocks], shift };
        let part = LanewisePart { op, after, from: &from[run], to };
        // SAFETY: every task has a run of `to` of its own.
        unsafe { isa.run(part) }
    });
}

#[derive(Clone, Copy)]
enum Lanewise<'a> {
    Same,
    Add(&'a [Lane]),
    Multiply(&'a [Lane]),
    Affine { scale: &'a [Lane], shift: &'a [Lane] },
}

/// Works on block after block; `period` blocks make a pixel.
fn lanewise(
    isa: Isa,
    period: usize,
    op: Lanewise<'_>,
    after: After,
    from: &[Lane],
    (to, form): (&mut [Lane], Form),
) {
    assert_eq!(from.len(), form.holds(to.len()));
    let grain = GRAIN.next_multiple_of(period);
    let out = Out::of(to, form);
    each_of(from.len().div_ceil(grain), grain.min(from.len()) * LANES, |task| {
        let run = task * grain..from.len().min((task + 1) * grain);
        let op = match op {
            Lanewise::Add(other) => Lanewise::Add(&other[run.clone()]),
            Lanewise::Multiply(other) => Lanewise::Multiply(&other[run.clone()]),
            other => other,
        };
        let to = out.skip(run.start * LANES);
        let part = LanewisePart { op, after, from: &from[run], to };
        // SAFETY: every task has a run of `to` of its own.
        unsafe { isa.run(part) }
    });
}

struct LanewisePart<'a> {
    op: Lanewise<'a>,
    after: After,
    from: &'a [Lane],
    to: Out,
}

impl Kernel for LanewisePart<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // No closures here: they are compiled without the instruction set, and cost ten times as much where they are not
        // inlined. SAFETY: as promised by the caller of `Isa::run`; `to` is as long as `from`, and other maps as well.
        unsafe {
            let period = match self.op {
                Lanewise::Affine { scale, .. } => scale.len(),
                _ => SAME,
            };
            for (i, part) in self.from.chunks(period).enumerate() {
                let to = self.to.skip(i * period * LANES);
                for (block, x) in part.iter().enumerate() {
                    let x = S::load(x.0.as_ptr());
                    let x = match self.op {
                        Lanewise::Same => x,
                        Lanewise::Add(other) => {
                            S::add(x, S::load(other.as_ptr().add(i * period + block).cast()))
                        }
                        Lanewise::Multiply(other) => {
                            S::mul(x, S::load(other.as_ptr().add(i * period + block).cast()))
                        }
                        Lanewise::Affine { scale, shift } => {
                            let scale = S::load(scale.as_ptr().add(block).cast());
                            S::fma(x, scale, S::load(shift.as_ptr().add(block).cast()))
                        }
                    };
                    to.put::<S>(block * LANES, self.after.clamp::<S>(x));
                }
                self.after.finish::<S>(to.place(0), part.len());
            }
        }
    }
}

/// Blocks that are written before a function is applied to them.
const SAME: usize = 32;
