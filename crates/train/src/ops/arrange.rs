//! What moves numbers about: a table of places says where each comes from, and the way back follows from it.

use super::{Slopes, Step};
use crate::{layout, memory, sums};
use network::Shape;
use rayon::prelude::*;

/// Where each of some columns comes from.
fn channels(x: &[f32], width: usize, from: &[usize]) -> Vec<f32> {
    sums::map_rows(x.len() / width, from.len(), |row, out| {
        let x = &x[row * width..][..width];
        out.iter_mut().zip(from).for_each(|(out, from)| *out = x[*from]);
    })
}

/// Back to those columns.
fn channels_back(dy: &[f32], width: usize, from: &[usize]) -> Vec<f32> {
    sums::map_rows(dy.len() / from.len(), width, |row, dx| {
        let dy = &dy[row * from.len()..][..from.len()];
        dy.iter().zip(from).for_each(|(dy, from)| dx[*from] += dy);
    })
}

/// Some columns from `start` on.
pub(super) fn narrow(step: &Step<'_>, start: usize, end: usize) -> Vec<f32> {
    channels(step.inputs[0], step.seen[0].width(), &(start..end).collect::<Vec<_>>())
}

pub(super) fn narrow_back(step: &Step<'_>, start: usize, end: usize, dy: &[f32]) -> Vec<f32> {
    channels_back(dy, step.seen[0].width(), &(start..end).collect::<Vec<_>>())
}

pub(super) fn shuffle(step: &Step<'_>, groups: usize) -> Vec<f32> {
    let width = step.seen[0].width();
    channels(step.inputs[0], width, &shuffled(width, groups))
}

pub(super) fn shuffle_back(step: &Step<'_>, groups: usize, dy: &[f32]) -> Vec<f32> {
    let width = step.seen[0].width();
    channels_back(dy, width, &shuffled(width, groups))
}

/// Where each channel comes from: (groups, c / groups) transposed.
fn shuffled(width: usize, groups: usize) -> Vec<usize> {
    (0..width).map(|to| to % groups * (width / groups) + to / groups).collect()
}

/// Columns of all inputs, one after the other.
pub(super) fn concat(step: &Step<'_>) -> Vec<f32> {
    let rows = step.extent.rows(step.made);
    sums::map_rows(rows, step.made.width(), |row, out| {
        let mut out = out;
        for (x, shape) in step.inputs.iter().zip(&step.seen) {
            let (own, rest) = out.split_at_mut(shape.width());
            own.copy_from_slice(&x[row * shape.width()..][..shape.width()]);
            out = rest;
        }
    })
}

pub(super) fn concat_back(step: &Step<'_>, slopes: &mut Slopes<'_>, dy: &[f32]) {
    let mut start = 0;
    for (at, shape) in step.seen.iter().enumerate() {
        let (first, width) = (start, shape.width());
        slopes.input(at, || {
            let total = step.made.width();
            sums::map_rows(dy.len() / total, width, |row, dx| {
                dx.copy_from_slice(&dy[row * total + first..][..width]);
            })
        });
        start += width;
    }
}

/// Rows as they lie, or of a map channel by channel.
pub(super) fn flatten(step: &Step<'_>) -> Vec<f32> {
    layout::by_channel(step.seen[0], step.inputs[0])
}

pub(super) fn flatten_back(step: &Step<'_>, dy: &[f32]) -> Vec<f32> {
    layout::by_place(step.seen[0], dy)
}

/// Every place times its sample's numbers.
pub(super) fn gate(step: &Step<'_>) -> Vec<f32> {
    let (width, places) = (step.made.width(), step.made.places());
    let [x, by] = [step.inputs[0], step.inputs[1]];
    sums::map_rows(x.len() / width, width, |row, out| {
        let by = &by[row / places * width..][..width];
        out.iter_mut().zip(&x[row * width..]).zip(by).for_each(|((out, x), by)| *out = x * by);
    })
}

pub(super) fn gate_back(step: &Step<'_>, slopes: &mut Slopes<'_>, dy: &[f32]) {
    let (width, places) = (step.made.width(), step.made.places());
    let [x, by] = [step.inputs[0], step.inputs[1]];
    slopes.input(0, || {
        sums::map_rows(x.len() / width, width, |row, dx| {
            let by = &by[row / places * width..][..width];
            dx.iter_mut().zip(&dy[row * width..]).zip(by).for_each(|((dx, dy), by)| *dx = dy * by);
        })
    });
    slopes.input(1, || {
        sums::map_rows(step.extent.samples, width, |sample, to| {
            for row in sample * places..(sample + 1) * places {
                let products = x[row * width..].iter().zip(&dy[row * width..]);
                to.iter_mut().zip(products).for_each(|(to, (x, dy))| *to += x * dy);
            }
        })
    });
}

/// One row of each sample, counted from its first, or from behind its last.
pub(super) fn token(step: &Step<'_>, index: Option<usize>) -> Vec<f32> {
    let width = step.made.width();
    let mut out = Vec::with_capacity(step.extent.samples * width);
    for span in step.extent.spans(step.seen[0]) {
        let row = index.map_or(span.end - 1, |index| span.start + index);
        out.extend_from_slice(&step.inputs[0][row * width..][..width]);
    }
    out
}

pub(super) fn token_back(step: &Step<'_>, index: Option<usize>, dy: &[f32]) -> Vec<f32> {
    let width = step.made.width();
    let mut dx = memory::zeros(step.extent.len(step.seen[0]));
    for (span, dy) in step.extent.spans(step.seen[0]).zip(dy.chunks_exact(width)) {
        let row = index.map_or(span.end - 1, |index| span.start + index);
        dx[row * width..][..width].copy_from_slice(dy);
    }
    dx
}

/// A table (k + places, d) for every sample; the sample's places are added to its last rows.
pub(super) fn tokens(step: &Step<'_>, table: &[f32]) -> Vec<f32> {
    let length = step.made.len();
    let own = step.seen[0].len();
    let mut out = memory::room(step.extent.samples * length);
    out.par_chunks_mut(length.max(1)).zip(step.inputs[0].par_chunks(own)).for_each(|(out, x)| {
        out.copy_from_slice(table);
        out[length - own..].iter_mut().zip(x).for_each(|(out, x)| *out += x);
    });
    out
}

pub(super) fn tokens_back(step: &Step<'_>, dy: &[f32]) -> Vec<f32> {
    let (length, own) = (step.made.len(), step.seen[0].len());
    let mut dx = memory::room(step.extent.samples * own);
    let samples = dx.chunks_exact_mut(own).zip(dy.chunks_exact(length));
    samples.for_each(|(dx, dy)| dx.copy_from_slice(&dy[length - own..]));
    dx
}

/// Where each number of (4c, h/2, w/2) comes from; none of what was added at an uneven side.
pub(super) fn merge(step: &Step<'_>) -> Vec<f32> {
    let Merge { width, height, across, columns } = Merge::of(step);
    let x = step.inputs[0];
    sums::map_rows(step.extent.rows(step.made), 4 * width, |row, out| {
        let place = row % step.made.places();
        let first = row / step.made.places() * step.seen[0].places();
        for (part, out) in out.chunks_exact_mut(width).enumerate() {
            let (y, x_) = (place / across * 2 + part % 2, place % across * 2 + part / 2);
            if y < height && x_ < columns {
                out.copy_from_slice(&x[(first + y * columns + x_) * width..][..width]);
            }
        }
    })
}

pub(super) fn merge_back(step: &Step<'_>, dy: &[f32]) -> Vec<f32> {
    let Merge { width, across, columns, .. } = Merge::of(step);
    sums::map_rows(step.extent.rows(step.seen[0]), width, |row, dx| {
        let place = row % step.seen[0].places();
        let first = row / step.seen[0].places() * step.made.places();
        let (y, x) = (place / columns, place % columns);
        let from = (first + y / 2 * across + x / 2) * 4 + y % 2 + x % 2 * 2;
        dx.copy_from_slice(&dy[from * width..][..width]);
    })
}

/// Sides of what is merged.
struct Merge {
    width: usize,
    height: usize,
    /// Columns of what is made.
    across: usize,
    columns: usize,
}

impl Merge {
    fn of(step: &Step<'_>) -> Merge {
        match step.seen[0] {
            Shape::Map { channels, height, width } => {
                Merge { width: channels, height, across: width.div_ceil(2), columns: width }
            }
            other => Merge { width: other.width(), height: 1, across: 1, columns: other.places() },
        }
    }
}
