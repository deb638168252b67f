//! Attention within texts, and what tells it where in its text a token stands.

use super::{
    attention::{Bias, Head},
    form::{Form, Out},
    gemm::Lane,
    parallel::{Shared, each_line, each_piece},
    simd::{Isa, LANES},
};
use crate::texts::Texts;
use network::{Distances, Reach};
use std::{
    f32::consts::LOG2_E,
    sync::{Arc, PoisonError, RwLock},
};

/// Attention of tokens to those of their text.
#[derive(Debug)]
pub(crate) struct TextAttention {
    pub(crate) heads: usize,
    /// Heads of keys and values.
    pub(crate) key_heads: usize,
    /// Numbers of a query, a key or a value in one head.
    pub(crate) depth: usize,
    pub(crate) reach: Reach,
    /// What scores are multiplied by.
    pub(crate) scale: Option<f32>,
    pub(crate) distances: Option<DistanceTable>,
    /// Whether products are of pairs of numbers.
    pub(crate) pairs: bool,
}

/// A number of each head for how far apart two tokens are.
#[derive(Debug)]
pub(crate) struct DistanceTable {
    farthest: usize,
    /// (heads, 2 · farthest + 1), from keys before a query to those behind it, as powers of 2.
    numbers: Vec<f32>,
}

impl DistanceTable {
    /// table: (rows, heads).
    pub(crate) fn new(how: Distances, table: &[f32], heads: usize) -> DistanceTable {
        let rows: Vec<usize> = how.rows(table.len() / heads).collect();
        let of_head = |head: usize| rows.iter().map(move |row| table[row * heads + head] * LOG2_E);
        DistanceTable { farthest: how.farthest, numbers: (0..heads).flat_map(of_head).collect() }
    }

    /// Of a head, in a text of `n` tokens: from the farthest key before a query to the farthest behind it.
    fn of_head(&self, head: usize, n: usize) -> Vec<f32> {
        let known = 2 * self.farthest + 1;
        let numbers = &self.numbers[head * known..][..known];
        let place = |at: usize| (at + self.farthest).saturating_sub(n - 1).min(known - 1);
        (0..2 * n - 1).map(|at| numbers[place(at)]).chain([0.0; LANES]).collect()
    }
}

impl TextAttention {
    /// from: queries, keys and values of every token, in one value or in three; to: what each query comes to, in that form.
    pub(crate) fn run(&self, isa: Isa, texts: &Texts<'_>, from: &[&[Lane]], to: &mut [Lane], form: Form) {
        let tokens = texts.tokens().len().max(1);
        let (d, keys) = (self.heads * self.depth, self.key_heads * self.depth);
        // Where queries, keys and values begin in a token, and how long it is.
        let (starts, steps) = match from {
            [joint] => ([0, d, d + keys], [joint.len() / tokens * LANES; 3]),
            from => ([0; 3], std::array::from_fn(|i| from[i].len() / tokens * LANES)),
        };
        let made = form.holds(to.len()) / tokens * LANES;
        let widths = [d, keys, keys];
        assert!(made >= d && (0..3).all(|i| steps[i] >= starts[i] + widths[i]));
        let parts: [Shared; 3] = std::array::from_fn(|i| Shared::reading(from[i.min(from.len() - 1)]));
        let out = Out::of(to, form);
        let spans: Vec<_> = texts.spans().collect();
        let work = spans.iter().map(|span| span.len().pow(2)).sum::<usize>() / spans.len().max(1);
        let scale = self.scale.map_or_else(|| LOG2_E / (self.depth as f32).sqrt(), |scale| LOG2_E * scale);
        each_line(spans.len() * self.heads, work * self.depth / 32, |task| {
            let (span, head) = (&spans[task / self.heads], task % self.heads);
            let key_head = head / (self.heads / self.key_heads);
            let firsts = [head, key_head, key_head].map(|head| head * self.depth);
            let distances = self.distances.as_ref().map(|table| table.of_head(head, span.len()));
            let at = |i: usize| {
                // SAFETY: spans end within the tokens (`Texts::new`), whose rows were counted and measured above.
                unsafe { parts[i].get().add(span.start * steps[i] + starts[i] + firsts[i]) }
            };
            let work = Head {
                depth: self.depth,
                scale,
                counts: (span.len(), span.len()),
                places: None,
                bias: distances
                    .as_ref()
                    .map_or(Bias::NONE, |numbers| Bias::of_distances(numbers, span.len())),
                reach: self.reach,
                queries: at(0),
                keys: at(1),
                values: at(2),
                out: out.skip(span.start * made + firsts[0]),
                steps: [steps[0], steps[1], steps[2], made],
                padding: if head == 0 { d..made } else { 0..0 },
                pairs: self.pairs,
            };
            // SAFETY: as above; every task has a head and tokens of `out` of its own.
            unsafe { work.run(isa) }
        });
    }
}

/// Turns numbers of queries or keys by their tokens' places.
#[derive(Debug)]
pub(crate) struct Rotary {
    pub(crate) how: network::Rotary,
    /// What all layers that turn alike share.
    pub(crate) angles: Arc<Angles>,
}

/// Cosines and sines of places, as far as texts were long.
#[derive(Debug, Default)]
pub(crate) struct Angles(RwLock<Arc<Vec<f32>>>);

impl Angles {
    /// Of so many places at least, as [`network::Rotary::angles`] puts them.
    fn of(&self, how: &network::Rotary, places: usize) -> Arc<Vec<f32>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.len() >= places * how.turned {
            return known;
        }
        let first = known.len() / how.turned;
        // A few more, so that each text that is a little longer does not begin anew.
        let more = how.angles(first..places.next_power_of_two());
        let all = Arc::new([known.as_slice(), &more].concat());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all.clone();
        all
    }
}

impl Rotary {
    /// from, to: heads of every token.
    pub(crate) fn run(&self, texts: &Texts<'_>, from: &[Lane], to: &mut [Lane]) {
        let how = &self.how;
        let (angles, places) = (self.angles.of(how, texts.longest()), texts.places());
        let blocks = to.len() / places.len().max(1);
        let half = how.turned / 2;
        each_piece(to, blocks, |token, to| {
            to.copy_from_slice(&from[token * blocks..][..blocks]);
            let (cosines, sines) = angles[places[token] * how.turned..][..how.turned].split_at(half);
            let to: &mut [f32] = bytemuck::cast_slice_mut(to);
            // What is left over belongs to no head.
            for head in to.chunks_exact_mut(how.depth) {
                for (pair, (cosine, sine)) in cosines.iter().zip(sines).enumerate() {
                    let (first, second) = how.pair(pair);
                    let (a, b) = (head[first], head[second]);
                    head[first] = a * cosine - b * sine;
                    head[second] = b * cosine + a * sine;
                }
            }
        });
    }
}

/// Parts of rows, each over the root of its mean square, where parts are no whole blocks.
pub(crate) fn rms_of_parts(weight: &[f32], eps: f32, width: usize, from: &[Lane], to: &mut [Lane]) {
    let blocks = width.div_ceil(LANES);
    each_piece(to, blocks, |row, to| {
        let from: &[f32] = bytemuck::cast_slice(&from[row * blocks..][..blocks]);
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        to[width..].fill(0.0);
        let parts = from[..width].chunks_exact(weight.len());
        for (from, to) in parts.zip(to.chunks_exact_mut(weight.len())) {
            let squares: f32 = from.iter().map(|x| x * x).sum();
            let share = 1.0 / (squares / weight.len() as f32 + eps).sqrt();
            for ((to, x), weight) in to.iter_mut().zip(from).zip(weight) {
                *to = x * share * weight;
            }
        }
    });
}
