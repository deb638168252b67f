//! How far to go along a line, by some of the rows: a pass over all of them then finds a good step at its first try.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{MOST_WEIGHTS, Member, Pass, Stack};
use crate::{examples::BLOCK, vector::dot};

/// One row of so many is asked,
const ONE_OF: usize = 8;
/// where that makes so many rows. Of fewer it saves a fifth of the passes, which is what it takes (600 rows).
const LEAST_ROWS: usize = 1024;
/// Scores that are kept, of all lines: fewer rows are asked where there are many outputs. Affects bits.
const MOST_SCORES: usize = 1 << 24;
/// How many times the sample's slope that of all rows may be.
const ALIKE: f64 = 2.0;
/// How far from the best step a search may end. One that ends early, by its slope, costs whole passes: far from the minimum the
/// loss falls like exp(−step).
const CLOSE: f64 = 0.01;
/// The part of the first slope that counts as none, where the loss falls for ever: rows that are told apart, and no penalty.
const VANISHED: f64 = 1e-6;
/// Steps beyond which no search goes.
const LONGEST: f64 = 1e6;

/// A direction of descent, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Weights (C, d), then biases (C,), for scaled rows.
    pub(crate) from: &'a [f64],
    /// The same, for a step of 1.
    pub(crate) along: &'a [f64],
    /// Of objective / rows at `from`.
    pub(crate) slope: f64,
    /// Of ½ ‖W‖² in the objective.
    pub(crate) penalty: f64,
    /// Rows that it learns from.
    pub(crate) rows: usize,
    /// The fold whose rows it does not learn from.
    pub(crate) held_out: Option<usize>,
}

/// Some rows, and their scores of each line's beginning and direction.
struct Asked<'a> {
    rows: &'a [usize],
    /// (k, lines · 2 C)
    scores: Vec<f32>,
}

impl Pass<'_> {
    /// The step that minimises the objective along each line, as a sample of the rows has it.
    ///
    /// The slope at the beginning is known of all rows. Where the sample's is near it, the sample's loss is scaled so that it
    /// agrees. `None` elsewhere, and where there are few rows.
    pub(crate) fn steps(&self, lines: &[Line<'_>]) -> Vec<Option<f64>> {
        if self.features.len() < ONE_OF * LEAST_ROWS {
            return vec![None; lines.len()];
        }
        let width = 2 * self.outputs;
        let together =
            (MOST_WEIGHTS / (width * self.features.dim())).min(MOST_SCORES / (width * LEAST_ROWS)).max(1);
        lines.chunks(together).flat_map(|lines| self.steps_together(lines)).collect()
    }

    fn steps_together(&self, lines: &[Line<'_>]) -> Vec<Option<f64>> {
        let (dim, classes) = (self.features.dim(), self.outputs);
        let both = lines.iter().flat_map(|line| [(line.from, line.held_out), (line.along, line.held_out)]);
        let members: Vec<Member<'_>> =
            both.map(|(parameters, held_out)| Member { parameters, held_out }).collect();
        let stack = Stack::of(&members, classes, dim);
        let n = self.features.len();
        let rows = sample(n, n.div_ceil(ONE_OF).min(MOST_SCORES / stack.bias.len()));
        if rows.len() < LEAST_ROWS {
            return vec![None; lines.len()];
        }
        let ask = |rows| self.ask(&stack, rows);
        let asked: Vec<Asked<'_>> = rows.par_chunks(BLOCK).map(ask).collect();
        lines.par_iter().enumerate().map(|(at, line)| self.step(line, at, &asked)).collect()
    }

    fn ask<'a>(&self, stack: &Stack<'_>, rows: &'a [usize]) -> Asked<'a> {
        let dim = self.features.dim();
        let (mut x, mut scores) = (vec![0.0; rows.len() * dim], vec![0.0; rows.len() * stack.bias.len()]);
        self.scaling.read_some(self.features, rows, &mut x);
        stack.scores(&x, &mut scores);
        Asked { rows, scores }
    }

    /// The step along `line`, which is the one at `place` of those that were asked.
    fn step(&self, line: &Line<'_>, place: usize, asked: &[Asked<'_>]) -> Option<f64> {
        let loss = |step: f64| {
            let block =
                |asked: &Asked<'_>| Arch::new().dispatch(Slope { pass: self, line, place, asked, step });
            let parts: Vec<(f64, usize)> = asked.par_iter().map(block).collect();
            parts.iter().fold((0.0, 0), |(sum, rows), part| (sum + part.0, rows + part.1))
        };
        let weights = self.outputs * self.features.dim();
        let along = &line.along[..weights];
        let (across, square) =
            (line.penalty * dot(along, &line.from[..weights]), line.penalty * dot(along, along));
        let start = line.slope * line.rows as f64;
        let (of_sample, count) = loss(0.0);
        let each = line.rows as f64 / count.max(1) as f64;
        let (of_all, of_sample) = (start - across, each * of_sample);
        let ratio = of_all / of_sample;
        if !(ALIKE.recip()..ALIKE).contains(&ratio) {
            return None;
        }
        root(start, |step| ratio * each * loss(step).0 + across + step * square)
    }
}

/// Rows spread evenly over `n`, ascending, at most so many: one of every few that follow each other, which of them by a fixed
/// hash, so that no order of classes or views is in step with it.
pub(crate) fn sample(n: usize, most: usize) -> Vec<usize> {
    let group = n.div_ceil(most.max(1));
    let one = |first: usize| {
        let hash = (first as u64 / group as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        first + hash as usize % group.min(n - first)
    };
    (0..n).step_by(group).map(one).collect()
}

/// Where `slope`, which is `start` < 0 at 0 and grows, is zero, to 1 %: Ridders' method (1979), which goes straight to the zero
/// of exponentials. Where it only comes near zero, a step that brings it there. `None` where it says nothing.
fn root(start: f64, slope: impl Fn(f64) -> f64) -> Option<f64> {
    if start.is_nan() || start >= 0.0 {
        return None;
    }
    let (mut low, mut high) = ((0.0, start), (1.0, slope(1.0)));
    while high.1 < VANISHED * start && high.0 < LONGEST {
        low = high;
        high = (4.0 * low.0, slope(4.0 * low.0));
    }
    let mut step = high.0;
    while high.0 - low.0 > CLOSE * high.0 && high.1 > 0.0 {
        let middle = 0.5 * (low.0 + high.0);
        let there = slope(middle);
        let next = middle - (middle - low.0) * there / (there * there - low.1 * high.1).sqrt();
        let next = if next > low.0 && next < high.0 { next } else { middle };
        for point in [(middle, there), (next, slope(next))] {
            if !(low.0..high.0).contains(&point.0) {
                continue;
            }
            if point.1 < 0.0 { low = point } else { high = point }
        }
        if (next - step).abs() <= CLOSE * next {
            return Some(next);
        }
        step = next;
    }
    (step.is_finite() && !high.1.is_nan()).then_some(step)
}

/// Σ w(y) · the loss's slope along a line over the asked rows that it learns from, at one step, and how many those are.
struct Slope<'a, 'b> {
    pass: &'a Pass<'b>,
    line: &'a Line<'a>,
    place: usize,
    asked: &'a Asked<'a>,
    step: f64,
}

impl WithSimd for Slope<'_, '_> {
    type Output = (f64, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (f64, usize) {
        let Slope { pass, line, place, asked, step } = self;
        let (classes, width) = (pass.outputs, asked.scores.len() / asked.rows.len());
        let mut scores = vec![0.0f32; classes];
        let (mut slope, mut count) = (0.0, 0);
        for (&row, both) in asked.rows.iter().zip(asked.scores.chunks_exact(width)) {
            let fold = pass.folds.and_then(|folds| folds.of(row));
            if fold.is_some() && fold == line.held_out {
                continue;
            }
            let (from, along) = both[2 * place * classes..][..2 * classes].split_at(classes);
            for ((score, from), along) in scores.iter_mut().zip(from).zip(along) {
                *score = from + step as f32 * along;
            }
            pass.loss.errors(row, &mut scores);
            let mut sums = [0.0f64; 4];
            for (at, (error, along)) in scores.iter().zip(along).enumerate() {
                sums[at % 4] += f64::from(*error) * f64::from(*along);
            }
            slope += (sums[0] + sums[1]) + (sums[2] + sums[3]);
            count += 1;
        }
        (slope, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_a_slope_vanishes() {
        let near = |got: Option<f64>, expected: f64| {
            assert!(got.is_some_and(|got| (got / expected - 1.0).abs() < 0.02), "{got:?}, {expected}");
        };
        for expected in [1e-3, 0.3, 1.0, 7.5, 4000.0] {
            near(root(-expected, |step| step - expected), expected);
            // A loss that falls like exp(−step) against a weak penalty.
            near(root(1e-6 * expected - 1.0, |t| 1e-6 * (expected + t) - (-t / expected).exp()), {
                let mut t = expected;
                for _ in 0..100 {
                    t = -expected * (1e-6 * (expected + t)).ln();
                }
                t
            });
        }
        assert_eq!(root(-1.0, |_| f64::NAN), None);
        assert_eq!(root(0.0, |step| step), None);
        near(root(-1.0, |step| -(-step).exp()), 16.0);
        assert!(root(-1.0, |_| -1.0) >= Some(LONGEST));
        near(root(-1.0, |step| if step < 0.01 { 100.0 * step - 1.0 } else { f64::INFINITY }), 0.01);
    }

    #[test]
    fn asks_rows_from_everywhere_and_no_more_than_wanted() {
        let rows = sample(80_000, 10_000);
        assert_eq!(rows.len(), 10_000);
        assert!(rows.iter().enumerate().all(|(at, row)| row / 8 == at));
        // As often each of the eight.
        for view in 0..8 {
            let count = rows.iter().filter(|&row| row % 8 == view).count();
            assert!((1100..1400).contains(&count), "{view}: {count}");
        }
        assert_eq!(sample(100_000, 100).len(), 100);
    }
}
