//! One pass over the rows for many models at once: their weights are stacked into one matrix, so that each block of rows
//! is read once, and multiplied by all of them in one product.

mod along;
mod exponential;
mod loss;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use features::Rows;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::{Folds, Quality, examples::BLOCK, scaling::Scaling};
pub(crate) use along::{Line, sample};
use exponential::exp;
pub(crate) use loss::{Judged, Loss};

/// Blocks whose gradients are added up in f32 at most, before they go into f64. Affects bits.
const MOST_BLOCKS: usize = 16;
/// Such sums that exist at a time, at least, and numbers in them otherwise. Memory only.
const AT_ONCE: usize = 8;
const MOST_NUMBERS: usize = 1 << 21;
/// Weights of all models of one pass, at most; a model of more has a pass of its own. Memory only.
const MOST_WEIGHTS: usize = 1 << 22;

/// One of the models that are evaluated together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    /// Weights (C, d), then biases (C,), for scaled rows.
    pub(crate) parameters: &'a [f64],
    /// The fold whose rows it does not learn from.
    pub(crate) held_out: Option<usize>,
}

/// What a pass found for one model.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Σ w(y) · loss over the rows that it learns from.
    pub(crate) loss: f64,
    /// Its gradient: (C, d), then (C,). Empty where none was wanted.
    pub(crate) gradient: Vec<f64>,
    /// Σ w(y) p(1 − p) over those rows, for each class: (C,).
    pub(crate) bends: Vec<f64>,
    /// On those rows, each counting the same.
    pub(crate) train: Tally,
    /// On the rows that judge its held-out fold; of no rows where it has none.
    pub(crate) held_out: Tally,
}

/// Loss and hits of some rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: usize,
    /// What can be right or wrong: one a row of classes, one a row and output of others.
    pub(crate) decisions: usize,
    pub(crate) loss: f64,
    pub(crate) hits: usize,
}

/// Rows to pass over.
pub(crate) struct Pass<'a> {
    /// (n, d)
    pub(crate) features: &'a dyn Rows,
    /// C
    pub(crate) outputs: usize,
    pub(crate) loss: Loss<'a>,
    pub(crate) scaling: &'a Scaling,
    /// Which fold each row belongs to, where there are any.
    pub(crate) folds: Option<&'a Folds>,
}

/// The members' weights as one matrix.
struct Stack<'a> {
    members: &'a [Member<'a>],
    /// (members · C, d)
    weight: Vec<f32>,
    /// (members · C,)
    bias: Vec<f32>,
}

/// What some blocks give.
struct Partial {
    /// (members · C, d), or nothing.
    gradient: Vec<f32>,
    /// (members · C,)
    bias: Vec<f64>,
    /// (members · C,)
    bends: Vec<f64>,
    sums: Vec<PassSums>,
}

/// What is added up for one member.
#[derive(Clone, Copy, Debug, Default)]
struct PassSums {
    loss: f64,
    train: Tally,
    held_out: Tally,
}

impl Tally {
    pub(crate) fn push(&mut self, decisions: usize, Judged { loss, hits }: Judged) {
        self.add(Tally { rows: 1, decisions, loss, hits });
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, other: Tally) {
        self.rows += other.rows;
        self.decisions += other.decisions;
        self.loss += other.loss;
        self.hits += other.hits;
    }

    /// The means.
    pub(crate) fn quality(self) -> Quality {
        let decisions = self.decisions.max(1) as f64;
        Quality { loss: self.loss / decisions, accuracy: self.hits as f64 / decisions }
    }
}

impl Pass<'_> {
    /// Losses of all members, and their gradients if `gradients`.
    ///
    /// The sums run over fixed blocks in a fixed order, and products are taken by one thread each: the same bits,
    /// whatever the number of threads.
    pub(crate) fn run(&self, members: &[Member<'_>], gradients: bool) -> Vec<Outcome> {
        let weights = self.outputs * self.features.dim();
        let together = (MOST_WEIGHTS / weights).max(1);
        members.chunks(together).flat_map(|members| self.run_together(members, gradients)).collect()
    }

    /// What `of(row, scores)` makes of every row that judges a member, in order, of that member's scores; where
    /// there are no folds, of every row, of the first member's.
    pub(crate) fn held_out_scores<T: Send>(
        &self,
        members: &[Member<'_>],
        of: impl Fn(usize, &[f32]) -> T + Sync,
    ) -> Vec<T> {
        let (n, dim, classes) = (self.features.len(), self.features.dim(), self.outputs);
        let stack = Stack::of(members, classes, dim);
        let owner = |at: usize| match self.folds {
            None => Some(0),
            Some(folds) => folds.judged_by(at),
        };
        let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let block = |&first: &usize| -> Vec<T> {
            let count = BLOCK.min(n - first);
            let (mut x, mut scores) = (vec![0.0; count * dim], vec![0.0; count * stack.bias.len()]);
            self.scaling.read(self.features, first, &mut x);
            stack.scores(&x, &mut scores);
            let rows = (first..).zip(scores.chunks_exact(stack.bias.len()));
            rows.filter_map(|(at, scores)| Some(of(at, &scores[owner(at)? * classes..][..classes]))).collect()
        };
        starts.par_iter().map(block).collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn run_together(&self, members: &[Member<'_>], gradients: bool) -> Vec<Outcome> {
        let stack = Stack::of(members, self.outputs, self.features.dim());
        let n = self.features.len();
        let chunk = BLOCK * (n / (32 * BLOCK)).clamp(1, MOST_BLOCKS);
        let starts: Vec<usize> = (0..n).step_by(chunk).collect();
        let mut gradient = vec![0.0; if gradients { stack.weight.len() } else { 0 }];
        let mut bias = vec![0.0; stack.bias.len()];
        let mut bends = bias.clone();
        let mut sums = vec![PassSums::default(); members.len()];
        // Small gradients may all wait for the end: threads need not.
        let at_once = (MOST_NUMBERS / stack.weight.len().max(1)).clamp(AT_ONCE, 64);
        for starts in starts.chunks(at_once) {
            let parts: Vec<Partial> = starts
                .par_iter()
                .map(|&start| self.chunk(&stack, start..(start + chunk).min(n), gradients))
                .collect();
            gradient.par_chunks_mut(1 << 12).enumerate().for_each(|(at, gradient)| {
                for part in &parts {
                    let part = &part.gradient[at << 12..];
                    gradient.iter_mut().zip(part).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            });
            for part in &parts {
                bias.iter_mut().zip(&part.bias).for_each(|(sum, value)| *sum += value);
                bends.iter_mut().zip(&part.bends).for_each(|(sum, value)| *sum += value);
                sums.iter_mut().zip(&part.sums).for_each(|(sum, part)| sum.add(part));
            }
        }
        let (weights, classes) = (stack.weight.len() / members.len(), self.outputs);
        let outcome = |(member, sums): (usize, &PassSums)| Outcome {
            loss: sums.loss,
            gradient: if gradients {
                [&gradient[member * weights..][..weights], &bias[member * classes..][..classes]].concat()
            } else {
                Vec::new()
            },
            bends: bends[member * classes..][..classes].to_vec(),
            train: sums.train,
            held_out: sums.held_out,
        };
        sums.iter().enumerate().map(outcome).collect()
    }

    fn chunk(&self, stack: &Stack<'_>, rows: std::ops::Range<usize>, gradients: bool) -> Partial {
        let (dim, width) = (self.features.dim(), stack.bias.len());
        let mut partial = Partial {
            gradient: vec![0.0; if gradients { stack.weight.len() } else { 0 }],
            bias: vec![0.0; width],
            bends: vec![0.0; width],
            sums: vec![PassSums::default(); stack.members.len()],
        };
        let (mut x, mut scores) = (vec![0.0; BLOCK * dim], vec![0.0; BLOCK * width]);
        for first in rows.clone().step_by(BLOCK) {
            let count = BLOCK.min(rows.end - first);
            let (x, scores) = (&mut x[..count * dim], &mut scores[..count * width]);
            self.scaling.read(self.features, first, x);
            stack.scores(x, scores);
            Arch::new().dispatch(EachRow { pass: self, stack, first, scores, partial: &mut partial });
            if gradients {
                matmul(
                    MatMut::from_row_major_slice_mut(&mut partial.gradient, width, dim),
                    Accum::Add,
                    MatRef::from_row_major_slice(scores, count, width).transpose(),
                    MatRef::from_row_major_slice(x, count, dim),
                    1.0,
                    Par::Seq,
                );
            }
        }
        partial
    }

    /// Turns the scores of one row (members · C) into slopes of its loss, w(y) · (probability − one-hot) of classes, zero
    /// where the row is held out.
    #[inline(always)]
    fn row(&self, stack: &Stack<'_>, at: usize, scores: &mut [f32], partial: &mut Partial) {
        let (weight, classes) = (self.loss.weight(at), self.outputs);
        let inverse = weight.recip();
        let decisions = self.loss.decisions(classes);
        let fold = self.folds.and_then(|folds| folds.of(at));
        let judges = self.folds.is_none_or(|folds| folds.judged_by(at).is_some());
        let slopes = partial.bias.chunks_exact_mut(classes).zip(partial.bends.chunks_exact_mut(classes));
        let members = stack.members.iter().zip(&mut partial.sums).zip(slopes);
        for (((member, sums), (bias, bends)), scores) in members.zip(scores.chunks_exact_mut(classes)) {
            let judged = self.loss.errors(at, scores);
            if fold.is_some() && fold == member.held_out {
                if judges {
                    sums.held_out.push(decisions, judged);
                }
                scores.fill(0.0);
            } else {
                sums.loss += weight * judged.loss;
                sums.train.push(decisions, judged);
                for ((bias, bend), &error) in bias.iter_mut().zip(bends).zip(&*scores) {
                    // |error| / w is p, or 1 − p for the row's own class or labels.
                    let error = f64::from(error);
                    *bias += error;
                    *bend += error.abs() - error * error * inverse;
                }
            }
        }
    }
}

/// The rows of a block, in the shape that `pulp` calls: what is inlined into it is compiled for several instruction sets, none
/// of which fuses or reorders what is written (3x on 10 classes with AVX-512).
struct EachRow<'a, 'b, 'c> {
    pass: &'a Pass<'b>,
    stack: &'a Stack<'c>,
    first: usize,
    scores: &'a mut [f32],
    partial: &'a mut Partial,
}

impl WithSimd for EachRow<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (at, row) in self.scores.chunks_exact_mut(self.stack.bias.len()).enumerate() {
            self.pass.row(self.stack, self.first + at, row, self.partial);
        }
    }
}

impl<'a> Stack<'a> {
    fn of(members: &'a [Member<'a>], classes: usize, dim: usize) -> Stack<'a> {
        let weights = classes * dim;
        let narrow = |values: &[f64], to: &mut Vec<f32>| to.extend(values.iter().map(|&value| value as f32));
        let (mut weight, mut bias) = (Vec::with_capacity(members.len() * weights), Vec::new());
        for member in members {
            narrow(&member.parameters[..weights], &mut weight);
            narrow(&member.parameters[weights..], &mut bias);
        }
        Stack { members, weight, bias }
    }

    /// x Wᵀ + b: `scores` (k, members · C) of the scaled rows `x` (k, d).
    fn scores(&self, x: &[f32], scores: &mut [f32]) {
        let width = self.bias.len();
        let (count, dim) = (scores.len() / width, self.weight.len() / width);
        matmul(
            MatMut::from_row_major_slice_mut(scores, count, width),
            Accum::Replace,
            MatRef::from_row_major_slice(x, count, dim),
            MatRef::from_row_major_slice(&self.weight, width, dim).transpose(),
            1.0,
            Par::Seq,
        );
        for row in scores.chunks_exact_mut(width) {
            row.iter_mut().zip(&self.bias).for_each(|(score, bias)| *score += bias);
        }
    }
}

impl PassSums {
    fn add(&mut self, other: &PassSums) {
        self.loss += other.loss;
        self.train.add(other.train);
        self.held_out.add(other.held_out);
    }
}

/// Turns the scores of one row into weight · (probability − one-hot); gives its nll, and whether the largest score, of
/// equals the first, is its class's.
#[inline(always)]
fn errors(scores: &mut [f32], label: usize, weight: f32) -> (f64, bool) {
    let top = scores.iter().fold(f32::NEG_INFINITY, |top, &score| if score > top { score } else { top });
    let own = scores[label];
    let hit = own == top && scores[..label].iter().all(|&score| score != top);
    let mut sums = [0.0f64; 4];
    scores.iter_mut().for_each(|score| *score = exp(*score - top));
    for (at, &value) in scores.iter().enumerate() {
        sums[at % 4] += f64::from(value);
    }
    let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    let factor = (f64::from(weight) / sum) as f32;
    scores.iter_mut().for_each(|value| *value *= factor);
    scores[label] -= weight;
    (sum.ln() - (f64::from(own) - f64::from(top)), hit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_the_gradient_of_the_loss() {
        let scores = [0.3f32, -1.2, 2.0, 0.1, 0.1];
        let nll = |scores: &[f32], label: usize| errors(&mut scores.to_vec(), label, 1.0).0;
        for label in 0..5 {
            let mut gradient = scores.to_vec();
            let (loss, hit) = errors(&mut gradient, label, 1.0);
            let sum: f64 = scores.iter().map(|&score| f64::from(score).exp()).sum();
            assert!((loss - (sum.ln() - f64::from(scores[label]))).abs() < 1e-6);
            assert_eq!(hit, label == 2);
            for class in 0..5 {
                let (mut up, mut down) = (scores, scores);
                up[class] += 0.125;
                down[class] -= 0.125;
                let slope = (nll(&up, label) - nll(&down, label)) / 0.25;
                assert!((slope - f64::from(gradient[class])).abs() < 2e-3, "{slope}, {gradient:?}");
            }
        }
    }

    #[test]
    fn of_equal_scores_the_first_is_the_prediction() {
        assert!(errors(&mut [1.0, 1.0], 0, 1.0).1);
        assert!(!errors(&mut [1.0, 1.0], 1, 1.0).1);
    }
}
