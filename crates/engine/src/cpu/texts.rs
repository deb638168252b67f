//! What only networks of texts do: rows of tables for tokens, and one vector of a text's tokens.
//!
//! Tokens of several texts lie one after the other, without any between them: layers see rows, and only attention and the
//! steps here see where a text ends.

use super::{gemm::Lane, parallel::each_piece, simd::LANES};
use crate::texts::Texts;
use network::By;

/// For each token a row of a table.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Rows of whole blocks.
    pub(crate) table: Vec<Lane>,
    pub(crate) by: By,
}

impl Lookup {
    /// to: a row for each token.
    pub(crate) fn run(&self, texts: &Texts<'_>, to: &mut [Lane]) {
        let blocks = to.len() / texts.tokens().len().max(1);
        let rows = texts.rows(self.by, self.table.len() / blocks.max(1));
        assert!(rows.iter().all(|row| (row + 1) * blocks <= self.table.len()), "tokens were checked");
        each_piece(to, blocks, |token, to| to.copy_from_slice(&self.table[rows[token] * blocks..][..blocks]));
    }
}

/// Which of a text's tokens its vector is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    First,
    Last,
    Mean,
    Max,
}

impl Gather {
    /// from: a row for each token; to: a row for each text.
    pub(crate) fn run(self, texts: &Texts<'_>, from: &[Lane], to: &mut [Lane]) {
        let blocks = to.len() / texts.len().max(1);
        each_piece(to, blocks, |text, to| {
            let tokens = texts.span(text);
            let rows = from[tokens.start * blocks..tokens.end * blocks].chunks_exact(blocks);
            match self {
                Gather::First => rows.take(1).for_each(|row| to.copy_from_slice(row)),
                Gather::Last => rows.last().into_iter().for_each(|row| to.copy_from_slice(row)),
                Gather::Max => {
                    to.fill(Lane([f32::NEG_INFINITY; LANES]));
                    // Not `f32::max`, which may give either zero.
                    rows.for_each(|row| combine(to, row, |largest, x| if x > largest { x } else { largest }));
                }
                Gather::Mean => {
                    to.fill(Lane::default());
                    rows.for_each(|row| combine(to, row, |sum, x| sum + x));
                    let count = tokens.len() as f32;
                    to.iter_mut().flat_map(|lane| &mut lane.0).for_each(|sum| *sum /= count);
                }
            }
        });
    }
}

fn combine(to: &mut [Lane], row: &[Lane], with: impl Fn(f32, f32) -> f32) {
    for (to, row) in to.iter_mut().zip(row) {
        for (to, x) in to.0.iter_mut().zip(row.0) {
            *to = with(*to, x);
        }
    }
}

/// Vectors of so many numbers, each divided by its length.
pub(crate) fn normalize(channels: usize, n: usize, from: &[Lane], to: &mut [Lane]) {
    let blocks = to.len() / n.max(1);
    let (from, to): (&[f32], &mut [f32]) = (bytemuck::cast_slice(from), bytemuck::cast_slice_mut(to));
    for (from, to) in from.chunks_exact(blocks * LANES).zip(to.chunks_exact_mut(blocks * LANES)) {
        let squares: f64 = from[..channels].iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        let length = squares.sqrt().max(1e-12);
        for (to, x) in to.iter_mut().zip(from) {
            *to = crate::fuse::narrow(f64::from(*x) / length);
        }
        to[channels..].fill(0.0);
    }
}
