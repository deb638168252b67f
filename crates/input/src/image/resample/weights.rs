//! How much each input pixel of a line weighs in each output pixel: Pillow's scheme, in its fixed point.

use crate::image::Filter;
use std::ops::Range;

/// Fractional bits of a weight: 32, less 8 for the byte and 2 for sign and overshoot.
pub(super) const PRECISION: u32 = 22;

/// One axis of a resize, for a run of its output positions.
pub(super) struct Weights {
    /// Per output position: its first input position, and its part of `values`.
    runs: Vec<(usize, Range<usize>)>,
    values: Vec<i32>,
}

impl Weights {
    /// Weights of the output positions `wanted`, when `input` positions become `output`.
    pub(super) fn new(input: u32, output: u32, wanted: Range<u32>, filter: Filter) -> Weights {
        let (kernel, support): (fn(f64) -> f64, f64) = match filter {
            Filter::Bilinear => (triangle, 1.0),
            Filter::Bicubic => (cubic, 2.0),
        };
        let scale = f64::from(input) / f64::from(output);
        // Downscaling stretches the kernel over all the input that an output position covers: the antialiasing.
        let stretch = scale.max(1.0);
        let reach = support * stretch;
        let mut weights = Weights { runs: Vec::with_capacity(wanted.len()), values: Vec::new() };
        let mut reals = Vec::new();
        for position in wanted {
            let center = (f64::from(position) + 0.5) * scale;
            // Casts truncate towards zero and saturate, which is how Pillow's clamp at 0 comes out.
            let first = (center - reach + 0.5) as u32;
            let end = ((center + reach + 0.5) as u32).min(input);
            reals.clear();
            reals.extend((first..end).map(|x| kernel((f64::from(x) - center + 0.5) * (1.0 / stretch))));
            let sum: f64 = reals.iter().sum();
            let from = weights.values.len();
            weights.values.extend(reals.iter().map(|w| fixed(if sum == 0.0 { *w } else { w / sum })));
            weights.runs.push((first as usize, from..weights.values.len()));
        }
        weights
    }

    /// How many output positions there are.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Per output position: its first input position and the weights from there on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.runs.iter().map(|(first, at)| (*first, &self.values[at.clone()]))
    }

    /// The input positions that any output position looks at.
    pub(super) fn inputs(&self) -> Range<usize> {
        let first = self.runs.first().map_or(0, |(first, _)| *first);
        first..self.runs.last().map_or(first, |(last, at)| last + at.len())
    }
}

/// To the nearest fixed-point number, halves away from zero.
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

fn triangle(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 { 1.0 - x } else { 0.0 }
}

/// Keys' cubic convolution (1981, equation 4) with a = -0.5, in Pillow's order of operations.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_cover_the_input() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (input, output) in [(1, 7), (7, 1), (640, 341), (100, 256), (3, 2), (5000, 3)] {
                let weights = Weights::new(input, output, 0..output, filter);
                assert_eq!(weights.inputs(), 0..input as usize, "{input} to {output}");
                for (first, values) in weights.iter() {
                    assert!(first + values.len() <= input as usize);
                    let off = values.iter().sum::<i32>() - (1 << PRECISION);
                    assert!(
                        off.unsigned_abs() as usize <= values.len() / 2 + 1,
                        "{input} to {output}: {off}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_window_has_the_weights_of_the_whole() {
        let whole = Weights::new(97, 41, 0..41, Filter::Bicubic);
        let window = Weights::new(97, 41, 13..29, Filter::Bicubic);
        assert!(window.iter().eq(whole.iter().skip(13).take(16)));
    }
}
