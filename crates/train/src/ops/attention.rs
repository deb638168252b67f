//! Attention: of tokens to tokens, within windows of a map, and within texts.

use super::{Slopes, Step, functions::exp};
use crate::{
    matrix::{Matrix, multiply, multiply_within},
    memory,
    sums::{self, sum},
};
use network::{Op, ParamId, Rotary, Shape, TextAttention, Windows};
use rayon::prelude::*;
use std::{borrow::Cow, ops::Range};

/// Groups whose slopes of a bias are added by one task. Affects bits.
const TOGETHER: usize = 4;

/// Which scores.
#[derive(Clone, Copy)]
struct At {
    group: usize,
    head: usize,
    query: usize,
}

/// Adds to the scores of a query.
type AddBias<'a> = dyn Fn(At, &mut [f32]) + Sync + 'a;
/// Adds the slopes of a query's scores to a bias' slope.
type AddSlopes<'a> = dyn Fn(At, &[f32], &mut [f64]) + Sync + 'a;

/// Rows that see one another.
struct Group<'a> {
    /// (m, heads · depth), (n, key heads · depth) twice: each with what lies from row to row.
    q: (&'a [f32], usize),
    k: (&'a [f32], usize),
    v: (&'a [f32], usize),
    m: usize,
    n: usize,
}

/// What is the same for all groups.
#[derive(Clone, Copy)]
struct Heads<'a> {
    heads: usize,
    key_heads: usize,
    depth: usize,
    scale: f32,
    /// Adds to the scores of a query.
    bias: Option<&'a AddBias<'a>>,
}

/// The slopes of a group's queries, keys and values, each (rows, width).
struct Back {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

/// A bias' slope: how long it is, and how scores' slopes add to it.
struct BiasSlope<'a> {
    length: usize,
    add: &'a AddSlopes<'a>,
}

impl Heads<'_> {
    /// A head of queries, or of keys or values.
    fn part<'b>(&self, (data, stride): (&'b [f32], usize), head: usize, rows: usize) -> Matrix<'b> {
        Matrix::within(&data[head * self.depth..], rows, self.depth, stride)
    }

    /// The head of keys and values that a head of queries looks at.
    fn key_head(&self, head: usize) -> usize {
        head / (self.heads / self.key_heads)
    }

    /// How much each key counts for each query: (m, n).
    fn shares(&self, at: usize, group: &Group<'_>, head: usize) -> Vec<f32> {
        let (q, k) = (self.part(group.q, head, group.m), self.part(group.k, self.key_head(head), group.n));
        let mut scores = memory::room(group.m * group.n);
        multiply_within(&mut scores, group.n, false, (q, k.t()), self.scale);
        for (query, scores) in scores.chunks_exact_mut(group.n).enumerate() {
            if let Some(bias) = self.bias {
                bias(At { group: at, head, query }, scores);
            }
            sums::fast(|| softmax(scores));
        }
        scores
    }

    /// (m, heads · depth)
    fn values(&self, at: usize, group: &Group<'_>) -> Vec<f32> {
        let width = self.heads * self.depth;
        let mut out = memory::room(group.m * width);
        for head in 0..self.heads {
            let shares = self.shares(at, group, head);
            let v = self.part(group.v, self.key_head(head), group.n);
            let product = (Matrix::new(&shares, group.m, group.n), v);
            multiply_within(&mut out[head * self.depth..], width, false, product, 1.0);
            memory::give_back(shares);
        }
        out
    }

    /// dy: (m, heads · depth). With P the shares: dV = Pᵀ dy; dS = P ∘ (dP − Σ P ∘ dP) with dP = dy Vᵀ; dQ = dS K and dK = dSᵀ Q,
    /// both scaled.
    fn back(
        &self,
        at: usize,
        group: &Group<'_>,
        dy: &[f32],
        bias: Option<(&BiasSlope<'_>, &mut [f64])>,
    ) -> Back {
        let (width, keys) = (self.heads * self.depth, self.key_heads * self.depth);
        let (m, n) = (group.m, group.n);
        let mut back =
            Back { q: memory::room(m * width), k: memory::zeros(n * keys), v: memory::zeros(n * keys) };
        let mut bias = bias;
        for head in 0..self.heads {
            let (first, of) = (head * self.depth, self.key_head(head));
            let first_key = of * self.depth;
            let mut shares = self.shares(at, group, head);
            let dy = self.part((dy, width), head, m);
            let (q, k, v) =
                (self.part(group.q, head, m), self.part(group.k, of, n), self.part(group.v, of, n));
            multiply_within(&mut back.v[first_key..], keys, true, (Matrix::new(&shares, m, n).t(), dy), 1.0);
            let slopes = multiply(dy, v.t());
            sums::fast(|| {
                for (shares, slopes) in shares.chunks_exact_mut(n).zip(slopes.chunks_exact(n)) {
                    let along = sum(shares.iter().zip(slopes).map(|(share, slope)| share * slope));
                    let numbers = shares.iter_mut().zip(slopes);
                    numbers.for_each(|(share, slope)| *share *= slope - along);
                }
            });
            memory::give_back(slopes);
            if let Some((how, to)) = &mut bias {
                for (query, slopes) in shares.chunks_exact(n).enumerate() {
                    (how.add)(At { group: at, head, query }, slopes, to);
                }
            }
            let slopes = Matrix::new(&shares, m, n);
            multiply_within(&mut back.q[first..], width, false, (slopes, k), self.scale);
            multiply_within(&mut back.k[first_key..], keys, true, (slopes.t(), q), self.scale);
            memory::give_back(shares);
        }
        back
    }

    /// Of all groups, as `lay` puts each group's: of each input one after the other. And of the bias where it is asked for.
    fn back_all<'b>(
        &self,
        count: usize,
        group: &(dyn Fn(usize) -> (Group<'b>, Cow<'b, [f32]>) + Sync),
        lay: &(dyn Fn(Back) -> Vec<Vec<f32>> + Sync),
        bias: Option<BiasSlope<'_>>,
    ) -> (Vec<Vec<f32>>, Option<Vec<f32>>) {
        let part = |part: usize| {
            let mut to = vec![0.0; bias.as_ref().map_or(0, |bias| bias.length)];
            let each = |at: usize| {
                let (group, dy) = group(at);
                lay(self.back(at, &group, &dy, bias.as_ref().map(|bias| (bias, to.as_mut_slice()))))
            };
            let backs: Vec<Vec<Vec<f32>>> =
                (part * TOGETHER..count.min((part + 1) * TOGETHER)).map(each).collect();
            (backs, to)
        };
        let parts: Vec<_> = (0..count.div_ceil(TOGETHER)).into_par_iter().map(part).collect();
        let mut slope = bias.map(|bias| vec![0.0; bias.length]);
        let mut inputs: Vec<Vec<Vec<f32>>> = Vec::new();
        for (backs, part) in parts {
            for back in backs {
                inputs.resize_with(back.len(), Vec::new);
                inputs.iter_mut().zip(back).for_each(|(input, own)| input.push(own));
            }
            if let Some(slope) = &mut slope {
                slope.iter_mut().zip(part).for_each(|(slope, part): (&mut f64, f64)| *slope += part);
            }
        }
        let inputs = inputs.into_iter().map(memory::concat).collect();
        (inputs, slope.map(|slope| slope.into_iter().map(|slope| slope as f32).collect()))
    }
}

/// exp(x − largest), over their sum.
#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let most = scores.iter().fold(f32::NEG_INFINITY, |most, score| most.max(*score));
    scores.iter_mut().for_each(|score| *score = exp(*score - most));
    let over = 1.0 / sum(scores.iter().copied());
    scores.iter_mut().for_each(|score| *score *= over);
}

/// One after the other in every row.
fn joined<const N: usize>(parts: [(Vec<f32>, usize); N]) -> Vec<f32> {
    let total: usize = parts.iter().map(|(_, width)| width).sum();
    let mut out = memory::room(parts.iter().map(|(part, _)| part.len()).sum());
    let mut first = 0;
    for (part, width) in parts {
        for (row, own) in out.chunks_exact_mut(total).zip(part.chunks_exact(width)) {
            row[first..first + width].copy_from_slice(own);
        }
        first += width;
        memory::give_back(part);
    }
    out
}

/// What each group gives, one after the other.
fn gathered(count: usize, each: impl Fn(usize) -> Vec<f32> + Send + Sync) -> Vec<f32> {
    memory::concat((0..count).into_par_iter().map(each).collect())
}

/// Attention of tokens, or of a map's places, and of texts: groups are samples.
struct Samples<'a> {
    step: &'a Step<'a>,
    heads: usize,
    key_heads: usize,
    depth: usize,
}

impl<'a> Samples<'a> {
    fn of(step: &'a Step<'a>, heads: usize, key_heads: usize) -> Samples<'a> {
        Samples { step, heads, key_heads, depth: step.made.width() / heads }
    }

    /// All alike, with scores over the root of a head's length.
    fn heads<'b>(&self, bias: Option<&'b AddBias<'b>>) -> Heads<'b> {
        let &Samples { heads, key_heads, depth, .. } = self;
        Heads { heads, key_heads, depth, scale: root(depth), bias }
    }

    fn span(&self, input: usize, sample: usize) -> Range<usize> {
        self.step.extent.span(self.step.seen[input], sample)
    }

    fn group(&self, sample: usize) -> Group<'a> {
        let (wide, keys) = (self.heads * self.depth, self.key_heads * self.depth);
        let rows = |input: usize, skip: usize| {
            let (span, width) = (self.span(input, sample), self.step.seen[input].width());
            (&self.step.inputs[input][span.start * width + skip..span.end * width], width)
        };
        let (k, v) = match self.step.inputs.len() {
            1 => (rows(0, wide), rows(0, wide + keys)),
            // Keys may be the values.
            2 => (rows(1, 0), rows(1, self.step.seen[1].width() - keys)),
            _ => (rows(1, 0), rows(2, 0)),
        };
        let last = self.step.inputs.len() - 1;
        Group { q: rows(0, 0), k, v, m: self.span(0, sample).len(), n: self.span(last, sample).len() }
    }

    fn values(&self, heads: &Heads<'_>) -> Vec<f32> {
        gathered(self.step.extent.samples, |sample| heads.values(sample, &self.group(sample)))
    }

    fn back(
        &self,
        heads: &Heads<'_>,
        slopes: &mut Slopes<'_>,
        dy: &[f32],
        bias: Option<(ParamId, BiasSlope<'_>)>,
    ) {
        let (samples, width) = (self.step.extent.samples, self.step.made.width());
        let wanted = bias.filter(|(id, _)| slopes.learns(*id));
        let id = wanted.as_ref().map(|(id, _)| *id);
        let group = |sample: usize| {
            let span = self.step.extent.span(self.step.made, sample);
            (self.group(sample), Cow::Borrowed(&dy[span.start * width..span.end * width]))
        };
        let (wide, keys) = (self.heads * self.depth, self.key_heads * self.depth);
        // Keys may be the values.
        let are_one = self.step.seen[self.step.seen.len() - 1].width() == keys;
        let lay = |Back { q, k, v }: Back| match self.step.inputs.len() {
            1 => vec![joined([(q, wide), (k, keys), (v, keys)])],
            2 if are_one => {
                let both = sums::map_both(&k, &v, |k, v| k + v);
                [k, v].into_iter().for_each(memory::give_back);
                vec![q, both]
            }
            2 => vec![q, joined([(k, keys), (v, keys)])],
            _ => vec![q, k, v],
        };
        let (inputs, of_bias) = heads.back_all(samples, &group, &lay, wanted.map(|(_, bias)| bias));
        if let Some((id, of_bias)) = id.zip(of_bias) {
            slopes.param(id, || of_bias);
        }
        for (at, slope) in inputs.into_iter().enumerate() {
            slopes.input(at, || slope);
        }
    }
}

fn root(depth: usize) -> f32 {
    (1.0 / (depth as f64).sqrt()) as f32
}

/// The bias of a token's scores: (heads, m, n).
fn row_of(head: usize, query: usize, m: usize, n: usize) -> Range<usize> {
    (head * m + query) * n..(head * m + query + 1) * n
}

pub(super) fn attention(step: &Step<'_>, heads: usize, bias: Option<ParamId>) -> Vec<f32> {
    let samples = Samples::of(step, heads, heads);
    let (m, n) = sides(step);
    let add = add_pairs(step, bias, (m, n));
    samples.values(&samples.heads(bias.map(|_| &add as _)))
}

pub(super) fn attention_back(
    step: &Step<'_>,
    slopes: &mut Slopes<'_>,
    heads: usize,
    bias: Option<ParamId>,
    dy: &[f32],
) {
    let samples = Samples::of(step, heads, heads);
    let (m, n) = sides(step);
    let add = add_pairs(step, bias, (m, n));
    let back = |At { head, query, .. }: At, slopes: &[f32], to: &mut [f64]| {
        let to = &mut to[row_of(head, query, m, n)];
        to.iter_mut().zip(slopes).for_each(|(to, slope)| *to += f64::from(*slope));
    };
    let of_bias = bias.map(|id| (id, BiasSlope { length: heads * m * n, add: &back }));
    samples.back(&samples.heads(bias.map(|_| &add as _)), slopes, dy, of_bias);
}

/// Adds a number for every pair of places, (heads, m, n), where there are some.
fn add_pairs<'a>(
    step: &Step<'a>,
    bias: Option<ParamId>,
    (m, n): (usize, usize),
) -> impl Fn(At, &mut [f32]) + Sync + use<'a> {
    let bias = bias.map_or(&[][..], |bias| step.param(bias));
    move |At { head, query, .. }, scores| {
        let bias = &bias[row_of(head, query, m, n)];
        scores.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
    }
}

/// Queries and keys of a picture.
fn sides(step: &Step<'_>) -> (usize, usize) {
    (step.seen[0].places(), step.seen[step.seen.len() - 1].places())
}

pub(super) fn text_attention(step: &Step<'_>, how: &TextAttention) -> Vec<f32> {
    let samples = Samples::of(step, how.heads, how.key_heads);
    let add = |at: At, scores: &mut [f32]| add_reach(step, how, at, scores);
    samples.values(&reaching(how, samples.heads(None), &add))
}

pub(super) fn text_attention_back(step: &Step<'_>, slopes: &mut Slopes<'_>, how: &TextAttention, dy: &[f32]) {
    let samples = Samples::of(step, how.heads, how.key_heads);
    let add = |at: At, scores: &mut [f32]| add_reach(step, how, at, scores);
    let back = |At { head, query, .. }: At, slopes: &[f32], to: &mut [f64]| {
        let Some(distances) = how.distances else { return };
        let rows = to.len() / how.heads;
        for (key, slope) in slopes.iter().enumerate() {
            let row = distances.row(rows, key as isize - query as isize);
            to[row * how.heads + head] += f64::from(*slope);
        }
    };
    let of_bias = how.distances.map(|distances| {
        (distances.table, BiasSlope { length: step.param(distances.table).len(), add: &back })
    });
    samples.back(&reaching(how, samples.heads(None), &add), slopes, dy, of_bias);
}

/// With what a text's attention is told besides.
fn reaching<'a>(how: &TextAttention, heads: Heads<'a>, add: &'a AddBias<'a>) -> Heads<'a> {
    let bias = (!how.reach.is_all() || how.distances.is_some()).then_some(add);
    Heads { scale: how.scale.unwrap_or(heads.scale), bias, ..heads }
}

/// What distances add, and that tokens out of reach are not seen.
fn add_reach(step: &Step<'_>, how: &TextAttention, At { head, query, .. }: At, scores: &mut [f32]) {
    if let Some(distances) = how.distances {
        let table = step.param(distances.table);
        for (key, score) in scores.iter_mut().enumerate() {
            let row = distances.row(table.len() / how.heads, key as isize - query as isize);
            *score += table[row * how.heads + head];
        }
    }
    let seen = how.reach.seen(query, scores.len());
    scores[..seen.start].fill(f32::NEG_INFINITY);
    scores[seen.end..].fill(f32::NEG_INFINITY);
}

/// Swin's attention.
pub(super) struct Windowed<'a> {
    step: &'a Step<'a>,
    heads: usize,
    windows: Windows,
    table: ParamId,
    /// For each kind of window, what is added to scores: (heads, n, n).
    biases: [Vec<f32>; 4],
    /// Places of a window.
    n: usize,
}

impl<'a> Windowed<'a> {
    /// `None` of other operations, and other shapes than inference has found.
    pub(super) fn of(step: &'a Step<'a>) -> Option<Windowed<'a>> {
        let Op::WindowAttention { heads, window, shift, bias } = step.node.op else { return None };
        let Shape::Map { height, width, .. } = step.made else { return None };
        let windows = Windows::new((height, width), window, shift);
        let biases = [0, 1, 2, 3].map(|kind| windows.biases(kind, heads, step.param(bias)));
        Some(Windowed { step, heads, windows, table: bias, biases, n: window * window })
    }

    fn add(&self, At { group, head, query }: At, scores: &mut [f32]) {
        let bias = &self.biases[self.windows.kind(group % self.windows.count())];
        let bias = &bias[row_of(head, query, self.n, self.n)];
        scores.iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
    }

    /// The rows of a window of (n, width), where they lie.
    fn rows(&self, at: usize) -> impl Iterator<Item = usize> {
        let (sample, window) = (at / self.windows.count(), at % self.windows.count());
        let first = sample * self.step.made.places();
        self.windows.places(window).into_iter().map(move |place| first + place)
    }

    fn gather(&self, x: &[f32], width: usize, at: usize) -> Vec<f32> {
        self.rows(at).flat_map(|row| &x[row * width..][..width]).copied().collect()
    }

    /// Rows of all windows, one after the other, to where they belong.
    fn scatter(&self, by_window: &[f32], width: usize) -> Vec<f32> {
        let mut out = memory::room(by_window.len());
        let rows = (0..self.count()).flat_map(|at| self.rows(at));
        for (from, to) in by_window.chunks_exact(width).zip(rows) {
            out[to * width..][..width].copy_from_slice(from);
        }
        out
    }

    fn count(&self) -> usize {
        self.step.extent.samples * self.windows.count()
    }

    fn depth(&self) -> usize {
        self.step.made.width() / self.heads
    }

    fn heads<'b>(&self, add: &'b AddBias<'b>) -> Heads<'b> {
        let (heads, depth) = (self.heads, self.depth());
        Heads { heads, key_heads: heads, depth, scale: root(depth), bias: Some(add) }
    }

    fn group<'b>(&self, rows: &'b [f32]) -> Group<'b> {
        let d = self.step.made.width();
        let [q, k, v] = [0, d, 2 * d].map(|skip| (&rows[skip..], 3 * d));
        Group { q, k, v, m: self.n, n: self.n }
    }

    pub(super) fn values(&self) -> Vec<f32> {
        let d = self.step.made.width();
        let add = |at: At, scores: &mut [f32]| self.add(at, scores);
        let heads = self.heads(&add);
        let by_window = gathered(self.count(), |at| {
            heads.values(at, &self.group(&self.gather(self.step.inputs[0], 3 * d, at)))
        });
        self.scatter(&by_window, d)
    }

    pub(super) fn back(&self, slopes: &mut Slopes<'_>, dy: &[f32]) {
        let d = self.step.made.width();
        let add = |at: At, scores: &mut [f32]| self.add(at, scores);
        let back = |At { head, query, .. }: At, slopes: &[f32], to: &mut [f64]| {
            for (key, slope) in slopes.iter().enumerate() {
                to[self.windows.relative(query, key) * self.heads + head] += f64::from(*slope);
            }
        };
        let bias = BiasSlope { length: self.step.param(self.table).len(), add: &back };
        let rows: Vec<Vec<f32>> =
            (0..self.count()).into_par_iter().map(|at| self.gather(self.step.inputs[0], 3 * d, at)).collect();
        let group = |at: usize| (self.group(&rows[at]), Cow::Owned(self.gather(dy, d, at)));
        let lay = |Back { q, k, v }: Back| vec![joined([(q, d), (k, d), (v, d)])];
        let wanted = slopes.learns(self.table).then_some(bias);
        let (by_window, of_bias) = self.heads(&add).back_all(self.count(), &group, &lay, wanted);
        if let Some(of_bias) = of_bias {
            slopes.param(self.table, || of_bias);
        }
        slopes.input(0, || self.scatter(&memory::concat(by_window), 3 * d));
    }
}

/// Turns numbers by their tokens' places, forth or back.
pub(super) fn rotary(step: &Step<'_>, how: &Rotary, x: &[f32], back: bool) -> Vec<f32> {
    let (width, half) = (step.made.width(), how.turned / 2);
    let longest = step.extent.spans(step.made).map(|span| span.len()).max().unwrap_or(0);
    let angles = how.angles(0..longest);
    let places: Vec<usize> = step.extent.spans(step.made).flat_map(|span| 0..span.len()).collect();
    let sign = if back { -1.0 } else { 1.0 };
    sums::map_rows(places.len(), width, |row, out| {
        let angles = &angles[places[row] * how.turned..][..how.turned];
        out.copy_from_slice(&x[row * width..][..width]);
        for head in out.chunks_exact_mut(how.depth) {
            for pair in 0..half {
                let (first, second) = how.pair(pair);
                let (cosine, sine) = (angles[pair], sign * angles[half + pair]);
                let (a, b) = (head[first], head[second]);
                (head[first], head[second]) = (a * cosine - b * sine, b * cosine + a * sine);
            }
        }
    })
}
