//! How values lie: a row for every place, and the places of a sample one after the other.

use crate::memory;
use network::Shape;
use rayon::prelude::*;
use std::ops::Range;

/// How much of everything a batch has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent<'a> {
    /// How many samples.
    pub(crate) samples: usize,
    /// Of texts: where the tokens of each end.
    pub(crate) ends: &'a [usize],
}

impl Extent<'_> {
    /// The rows of a sample.
    pub(crate) fn span(self, shape: Shape, sample: usize) -> Range<usize> {
        match shape {
            Shape::Sequence { .. } => {
                sample.checked_sub(1).map_or(0, |last| self.ends[last])..self.ends[sample]
            }
            _ => sample * shape.places()..(sample + 1) * shape.places(),
        }
    }

    /// The rows of every sample.
    pub(crate) fn spans(self, shape: Shape) -> impl Iterator<Item = Range<usize>> {
        (0..self.samples).map(move |sample| self.span(shape, sample))
    }

    /// All rows.
    pub(crate) fn rows(self, shape: Shape) -> usize {
        match shape {
            Shape::Sequence { .. } => self.ends.last().copied().unwrap_or(0),
            _ => self.samples * shape.places(),
        }
    }

    /// All numbers.
    pub(crate) fn len(self, shape: Shape) -> usize {
        self.rows(shape) * shape.width()
    }
}

/// Maps (n, c, h, w) as a row for every place, (n·h·w, c). Everything else lies so already.
pub(crate) fn by_place(shape: Shape, values: &[f32]) -> Vec<f32> {
    turned(shape, values, shape.width(), shape.places())
}

/// And back.
pub(crate) fn by_channel(shape: Shape, values: &[f32]) -> Vec<f32> {
    turned(shape, values, shape.places(), shape.width())
}

/// Of a map: every sample, (rows, columns), transposed.
fn turned(shape: Shape, values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let Shape::Map { .. } = shape else { return memory::copy(values) };
    let mut out = memory::room(values.len());
    out.par_chunks_mut(shape.len()).zip(values.par_chunks(shape.len())).for_each(|(out, sample)| {
        for (column, out) in out.chunks_exact_mut(rows).enumerate() {
            let numbers = sample[column..].iter().step_by(columns);
            out.iter_mut().zip(numbers).for_each(|(out, number)| *out = *number);
        }
    });
    out
}
