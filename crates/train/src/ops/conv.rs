//! Convolutions, as products of matrices: what each window sees is a row.

use super::{Slopes, Step};
use crate::{
    matrix::{Matrix, multiply, multiply_within},
    memory, sums,
};
use network::{Op, ParamId, Shape};
use rayon::prelude::*;

/// Rows that a task multiplies, about. Affects bits only where gemm's do.
const ROWS: usize = 256;
/// Rows of a sum of products that are gathered together. Affects bits.
const GATHERED: usize = 8192;
/// Channels of a weight's slope that a task works out.
const CHANNELS: usize = 128;
/// Instead of a place: padding.
const OUTSIDE: u32 = u32::MAX;

/// What a convolution is of.
pub(super) struct Conv {
    weight: ParamId,
    bias: Option<ParamId>,
    groups: usize,
    /// Channels that are read, and of each group.
    channels: usize,
    of_group: usize,
    /// Channels that are made.
    out: usize,
    taps: usize,
    /// Places of a sample that are read.
    seen: usize,
    /// For each place that is made, the place that each tap reads.
    places: Vec<u32>,
    /// Whether each place reads itself alone.
    plain: bool,
}

impl Conv {
    /// `None` of other operations, and other shapes than inference has found.
    pub(super) fn of(step: &Step<'_>) -> Option<Conv> {
        let Op::Conv { weight, bias, groups, .. } = step.node.op else { return None };
        let Shape::Map { channels, height, width } = step.seen[0] else { return None };
        let Shape::Map { channels: out, height: rows, width: columns } = step.made else { return None };
        let window = step.network.window(step.node)?;
        let [down, across] = window.axes();
        let (taps, seen) = (window.kernel.y * window.kernel.x, height * width);
        let mut places = Vec::with_capacity(rows * columns * taps);
        for at in 0..rows * columns {
            for tap in 0..taps {
                let (row, column) = (at / columns * down.stride, at % columns * across.stride);
                let (dy, dx) =
                    (tap / window.kernel.x * down.dilation, tap % window.kernel.x * across.dilation);
                let y = (row + dy).checked_sub(down.before).filter(|y| *y < height);
                let x = (column + dx).checked_sub(across.before).filter(|x| *x < width);
                places.push(y.zip(x).map_or(OUTSIDE, |(y, x)| (y * width + x) as u32));
            }
        }
        let is_whole = places.len() == seen && taps == 1;
        let plain = is_whole && places.iter().enumerate().all(|(at, place)| at as u32 == *place);
        let of_group = channels / groups;
        Some(Conv { weight, bias, groups, channels, of_group, out, taps, seen, places, plain })
    }

    fn made(&self) -> usize {
        self.places.len() / self.taps
    }

    /// One channel in and one out of every group.
    fn is_depthwise(&self) -> bool {
        self.of_group == 1 && self.out == self.groups
    }

    /// Samples of a task.
    fn together(&self) -> usize {
        ROWS.div_ceil(self.made())
    }

    /// Channels that a group makes.
    fn made_of_group(&self) -> usize {
        self.out / self.groups
    }

    /// (out, c, taps) as (out, taps, c): a row for each channel, as windows are gathered.
    fn laid(&self, weight: &[f32]) -> Vec<f32> {
        let (taps, of_group) = (self.taps, self.of_group);
        sums::map_rows(self.out, taps * of_group, |row, out| {
            let weight = &weight[row * taps * of_group..][..taps * of_group];
            for (tap, out) in out.chunks_exact_mut(of_group).enumerate() {
                out.iter_mut().enumerate().for_each(|(c, out)| *out = weight[c * taps + tap]);
            }
        })
    }

    /// What the windows of some samples see of a group: (places, taps · c).
    fn windows(&self, x: &[f32], group: usize) -> Vec<f32> {
        let of_group = self.of_group;
        let count = x.len() / (self.seen * self.channels);
        let mut windows = memory::room(count * self.places.len() * of_group);
        let samples = windows.chunks_exact_mut(self.places.len() * of_group);
        for (windows, x) in samples.zip(x.chunks_exact(self.seen * self.channels)) {
            for (window, &place) in windows.chunks_exact_mut(of_group).zip(&self.places) {
                if place == OUTSIDE {
                    window.fill(0.0);
                } else {
                    let from = place as usize * self.channels + group * of_group;
                    window.copy_from_slice(&x[from..from + of_group]);
                }
            }
        }
        windows
    }

    /// Adds slopes of windows to what they saw.
    fn spread(&self, windows: &[f32], group: usize, dx: &mut [f32]) {
        let of_group = self.of_group;
        let samples = dx.chunks_exact_mut(self.seen * self.channels);
        for (dx, windows) in samples.zip(windows.chunks_exact(self.places.len() * of_group)) {
            for (&place, window) in self.places.iter().zip(windows.chunks_exact(of_group)) {
                if place != OUTSIDE {
                    let to = place as usize * self.channels + group * of_group;
                    dx[to..to + of_group].iter_mut().zip(window).for_each(|(dx, slope)| *dx += slope);
                }
            }
        }
    }

    pub(super) fn values(&self, step: &Step<'_>) -> Vec<f32> {
        let (x, out, made) = (step.inputs[0], self.out, self.made());
        let laid = self.laid(step.param(self.weight));
        let mut values = if self.is_depthwise() {
            self.depthwise(x, &laid)
        } else {
            let (together, own, depth) = (self.together(), self.made_of_group(), self.taps * self.of_group);
            let mut values = memory::room(step.extent.samples * made * out);
            let tasks = values.par_chunks_mut(together * made * out);
            tasks.zip(x.par_chunks(together * self.seen * self.channels)).for_each(|(values, x)| {
                let rows = values.len() / out;
                for group in 0..self.groups {
                    let by = Matrix::new(&laid[group * own * depth..], own, depth).t();
                    let to = &mut values[group * own..];
                    if self.plain {
                        let x = Matrix::within(&x[group * self.of_group..], rows, depth, self.channels);
                        multiply_within(to, out, false, (x, by), 1.0);
                    } else {
                        let windows = self.windows(x, group);
                        multiply_within(to, out, false, (Matrix::new(&windows, rows, depth), by), 1.0);
                        memory::give_back(windows);
                    }
                }
            });
            values
        };
        if let Some(bias) = self.bias {
            sums::add_to_rows(&mut values, step.param(bias));
        }
        values
    }

    pub(super) fn slopes(&self, step: &Step<'_>, slopes: &mut Slopes<'_>, dy: &[f32]) {
        let x = step.inputs[0];
        if let Some(bias) = self.bias {
            slopes.param(bias, || sums::of_columns(dy, self.out));
        }
        slopes.param(self.weight, || {
            if self.is_depthwise() { self.depthwise_weight(x, dy) } else { self.of_weight(x, dy) }
        });
        slopes.input(0, || {
            let laid = self.laid(step.param(self.weight));
            if self.is_depthwise() { self.depthwise_back(&laid, dy) } else { self.of_input(&laid, dy) }
        });
    }

    /// Windows' slopes are dy · weight; each goes to where its numbers came from.
    fn of_input(&self, laid: &[f32], dy: &[f32]) -> Vec<f32> {
        let (out, made, own, depth) =
            (self.out, self.made(), self.made_of_group(), self.taps * self.of_group);
        let together = self.together();
        let length = dy.len() / (made * out) * self.seen * self.channels;
        // Windows add to what is there.
        let mut dx = if self.plain { memory::room(length) } else { memory::zeros(length) };
        let tasks = dx.par_chunks_mut(together * self.seen * self.channels);
        tasks.zip(dy.par_chunks(together * made * out)).for_each(|(dx, dy)| {
            let rows = dy.len() / out;
            for group in 0..self.groups {
                let by = Matrix::new(&laid[group * own * depth..], own, depth);
                let dy = Matrix::within(&dy[group * own..], rows, own, out);
                if self.plain {
                    multiply_within(&mut dx[group * depth..], self.channels, false, (dy, by), 1.0);
                } else {
                    let windows = multiply(dy, by);
                    sums::fast(|| self.spread(&windows, group, dx));
                    memory::give_back(windows);
                }
            }
        });
        dx
    }

    /// Of each tap, and of some channels at a time: dyᵀ · what the tap saw.
    fn of_weight(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        let (out, made, own) = (self.out, self.made(), self.made_of_group());
        let samples = dy.len() / (made * out);
        let blocks = self.of_group.div_ceil(CHANNELS);
        let task = |at: usize| {
            let (group, tap, block) = (at / blocks / self.taps, at / blocks % self.taps, at % blocks);
            let first = block * CHANNELS;
            let count = CHANNELS.min(self.of_group - first);
            let from = group * self.of_group + first;
            let mut sum = vec![0.0; own * count];
            let together = (GATHERED / made).max(1);
            let mut seen = Vec::new();
            for start in (0..samples).step_by(together) {
                let samples = start..samples.min(start + together);
                let rows = samples.len() * made;
                seen.clear();
                for sample in samples {
                    let x = &x[sample * self.seen * self.channels..][..self.seen * self.channels];
                    for place in self.places.iter().skip(tap).step_by(self.taps) {
                        if *place == OUTSIDE {
                            seen.resize(seen.len() + count, 0.0);
                        } else {
                            seen.extend_from_slice(&x[*place as usize * self.channels + from..][..count]);
                        }
                    }
                }
                let dy = Matrix::within(&dy[start * made * out + group * own..], rows, own, out);
                multiply_within(&mut sum, count, true, (dy.t(), Matrix::new(&seen, rows, count)), 1.0);
            }
            sum
        };
        let count = self.groups * self.taps * blocks;
        let parts: Vec<Vec<f32>> = (0..count).into_par_iter().map(task).collect();
        let mut slope = vec![0.0; out * self.of_group * self.taps];
        for (at, part) in parts.iter().enumerate() {
            let (group, tap, first) =
                (at / blocks / self.taps, at / blocks % self.taps, at % blocks * CHANNELS);
            let count = part.len() / own;
            for (row, part) in part.chunks_exact(count).enumerate() {
                let to = &mut slope[((group * own + row) * self.of_group + first) * self.taps..];
                part.iter().enumerate().for_each(|(c, value)| to[c * self.taps + tap] = *value);
            }
        }
        slope
    }

    /// laid: (c, taps).
    fn depthwise(&self, x: &[f32], laid: &[f32]) -> Vec<f32> {
        let (c, by) = (self.channels, self.by_tap(laid));
        let rows = x.len() / (self.seen * c) * self.made();
        sums::map_rows(rows, c, |row, out| {
            let x = &x[row / self.made() * self.seen * c..];
            let places = &self.places[row % self.made() * self.taps..][..self.taps];
            for (place, by) in places.iter().zip(by.chunks_exact(c)).filter(|(place, _)| **place != OUTSIDE) {
                let x = &x[*place as usize * c..][..c];
                out.iter_mut().zip(x).zip(by).for_each(|((out, x), by)| *out += x * by);
            }
        })
    }

    fn depthwise_back(&self, laid: &[f32], dy: &[f32]) -> Vec<f32> {
        let (c, by) = (self.channels, self.by_tap(laid));
        let samples = dy.len() / (self.made() * c);
        sums::map_rows(samples, self.seen * c, |sample, dx| {
            let dy = &dy[sample * self.made() * c..][..self.made() * c];
            for (dy, places) in dy.chunks_exact(c).zip(self.places.chunks_exact(self.taps)) {
                let taps = places.iter().zip(by.chunks_exact(c)).filter(|(place, _)| **place != OUTSIDE);
                for (place, by) in taps {
                    let dx = &mut dx[*place as usize * c..][..c];
                    dx.iter_mut().zip(dy).zip(by).for_each(|((dx, dy), by)| *dx += dy * by);
                }
            }
        })
    }

    fn depthwise_weight(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        let (c, rows) = (self.channels, dy.len() / self.channels);
        let by_tap = sums::over(rows, self.taps * c, |row, to| {
            let (x, dy) = (&x[row / self.made() * self.seen * c..], &dy[row * c..][..c]);
            let places = &self.places[row % self.made() * self.taps..][..self.taps];
            for (place, to) in
                places.iter().zip(to.chunks_exact_mut(c)).filter(|(place, _)| **place != OUTSIDE)
            {
                let x = &x[*place as usize * c..][..c];
                to.iter_mut().zip(x).zip(dy).for_each(|((to, x), dy)| *to += f64::from(x * dy));
            }
        });
        (0..c * self.taps).map(|at| by_tap[at % self.taps * c + at / self.taps]).collect()
    }

    /// (c, taps) as (taps, c).
    fn by_tap(&self, laid: &[f32]) -> Vec<f32> {
        let c = self.channels;
        (0..c * self.taps).map(|at| laid[at % c * self.taps + at / c]).collect()
    }
}
