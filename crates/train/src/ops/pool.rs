//! What many places come to: the largest of them, or their mean.

use super::Step;
use crate::{memory, sums};
use network::{Axis, Pool, Shape};
use rayon::prelude::*;
use std::ops::Range;

/// Places of a sample that become one.
pub(super) struct Region {
    places: Vec<usize>,
    /// What a mean divides by.
    over: f32,
}

/// For every sample, what becomes of its places: alike for all maps and tokens, and all of them for each text.
pub(super) enum Regions {
    Alike(Vec<Region>),
    Whole,
}

impl Regions {
    pub(super) fn of_pool(step: &Step<'_>, pool: Pool) -> Regions {
        let (Shape::Map { height, width, .. }, Shape::Map { height: rows, width: columns, .. }) =
            (step.seen[0], step.made)
        else {
            return Regions::Alike(Vec::new());
        };
        let [down, across] = pool.window().axes();
        // The part of a window that is inside a side of so many places.
        let inside = |at: usize, axis: Axis, side: usize| {
            let start = at * axis.stride;
            start.saturating_sub(axis.before)..(start + axis.kernel).saturating_sub(axis.before).min(side)
        };
        // What sticks out of the padding is no part of the window.
        let counted = |at: usize, axis: Axis, side: usize| match pool.count_include_pad {
            true => axis.kernel.min(side + axis.before + axis.after - at * axis.stride),
            false => inside(at, axis, side).len(),
        };
        let each = |row: usize, column: usize| Region {
            places: rectangle(inside(row, down, height), inside(column, across, width), width),
            over: (counted(row, down, height) * counted(column, across, width)) as f32,
        };
        Regions::Alike((0..rows * columns).map(|at| each(at / columns, at % columns)).collect())
    }

    /// An even division into cells, which may overlap.
    pub(super) fn of_cells(step: &Step<'_>, rows: usize, columns: usize) -> Regions {
        let Shape::Map { height, width, .. } = step.seen[0] else { return Regions::Alike(Vec::new()) };
        let cell =
            |at: usize, side: usize, cells: usize| at * side / cells..((at + 1) * side).div_ceil(cells);
        let each = |at: usize| {
            let ys = cell(at / columns, height, rows);
            let places = rectangle(ys, cell(at % columns, width, columns), width);
            Region { over: places.len() as f32, places }
        };
        Regions::Alike((0..rows * columns).map(each).collect())
    }

    /// All places; not the tokens before them.
    pub(super) fn of_all(step: &Step<'_>) -> Regions {
        let places = match step.seen[0] {
            Shape::Sequence { .. } => return Regions::Whole,
            Shape::Tokens { prefix, places, .. } => prefix..prefix + places,
            other => 0..other.places(),
        };
        Regions::Alike(vec![Region { over: places.len() as f32, places: places.collect() }])
    }

    /// Each region of each sample: its rows, and what a mean divides by. In the order of what is made.
    fn each(
        &self,
        step: &Step<'_>,
        sample: usize,
        mut work: impl FnMut(usize, &mut dyn Iterator<Item = usize>, f32),
    ) {
        let span = step.extent.span(step.seen[0], sample);
        match self {
            Regions::Whole => work(0, &mut span.clone(), span.len() as f32),
            Regions::Alike(regions) => {
                for (at, region) in regions.iter().enumerate() {
                    work(at, &mut region.places.iter().map(|place| span.start + place), region.over);
                }
            }
        }
    }
}

fn rectangle(ys: Range<usize>, xs: Range<usize>, width: usize) -> Vec<usize> {
    ys.flat_map(|y| xs.clone().map(move |x| y * width + x)).collect()
}

pub(super) fn mean(step: &Step<'_>, regions: &Regions) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    sums::map_rows(step.extent.samples, step.made.len(), |sample, out| {
        regions.each(step, sample, |at, rows, over| {
            let out = &mut out[at * width..][..width];
            for row in rows {
                out.iter_mut().zip(&x[row * width..]).for_each(|(out, x)| *out += x);
            }
            out.iter_mut().for_each(|out| *out /= over);
        });
    })
}

pub(super) fn mean_back(step: &Step<'_>, regions: &Regions, dy: &[f32]) -> Vec<f32> {
    let width = step.made.width();
    scattered(step, |sample, first, dx| {
        let dy = &dy[sample * step.made.len()..];
        regions.each(step, sample, |at, rows, over| {
            for row in rows {
                let to = dx[(row - first) * width..].iter_mut();
                to.zip(&dy[at * width..][..width]).for_each(|(dx, dy)| *dx += dy / over);
            }
        });
    })
}

/// The first of the largest wins; a NaN does over all.
pub(super) fn largest(step: &Step<'_>, regions: &Regions) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    sums::map_rows(step.extent.samples, step.made.len(), |sample, out| {
        regions.each(step, sample, |at, rows, _| {
            let out = &mut out[at * width..][..width];
            out.fill(f32::NEG_INFINITY);
            for row in rows {
                let numbers = out.iter_mut().zip(&x[row * width..]);
                numbers.for_each(|(out, &x)| *out = if x > *out || x.is_nan() { x } else { *out });
            }
        });
    })
}

pub(super) fn largest_back(step: &Step<'_>, regions: &Regions, dy: &[f32]) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    scattered(step, |sample, first, dx| {
        let dy = &dy[sample * step.made.len()..];
        let (mut most, mut of) = (vec![0.0; width], vec![0; width]);
        regions.each(step, sample, |at, rows, _| {
            most.fill(f32::NEG_INFINITY);
            // Of nothing but minus infinity the first.
            of.fill(usize::MAX);
            for row in rows {
                let numbers = most.iter_mut().zip(&mut of).zip(&x[row * width..]);
                numbers.for_each(|((most, of), &x)| {
                    if x > *most || x.is_nan() || *of == usize::MAX {
                        (*most, *of) = (x, row);
                    }
                });
            }
            let winners = of.iter().zip(&dy[at * width..][..width]).enumerate();
            winners.filter(|(_, (row, _))| **row != usize::MAX).for_each(|(channel, (row, dy))| {
                dx[(row - first) * width + channel] += dy;
            });
        });
    })
}

/// What is added to the rows of every sample, each by itself: `add(sample, its first row, its numbers)`.
fn scattered(step: &Step<'_>, add: impl Fn(usize, usize, &mut [f32]) + Sync) -> Vec<f32> {
    let width = step.seen[0].width();
    let mut dx = memory::zeros(step.extent.len(step.seen[0]));
    let mut rest = dx.as_mut_slice();
    let mut samples = Vec::with_capacity(step.extent.samples);
    for (sample, span) in step.extent.spans(step.seen[0]).enumerate() {
        let (own, others) = rest.split_at_mut(span.len() * width);
        samples.push((sample, span.start, own));
        rest = others;
    }
    samples.into_par_iter().for_each(|(sample, first, dx)| sums::fast(|| add(sample, first, dx)));
    dx
}
