//! Scaled dot-product attention: in each head, every query's scores against all keys, their softmax, and the sum of
//! values that it weighs. Only some queries' scores exist at a time.

use super::{
    functions::exp2,
    gemm::{Lane, Matrix, Product, blocks, tile_rows},
    parallel::{Shared, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};
use crate::{texts::Texts, windows::Windows};
use std::{cell::RefCell, f32::consts::LOG2_E};

/// Attention, compiled for one number of places.
#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) heads: usize,
    /// Numbers of a query, a key or a value in one head.
    pub(crate) depth: usize,
    /// Places of the queries, and of keys and values.
    pub(crate) places: (usize, usize),
    /// Where in its place a head's first key stands, and its first value.
    pub(crate) at: (usize, usize),
    /// Who attends to whom.
    pub(crate) groups: Groups,
}

/// Who attends to whom.
#[derive(Debug)]
pub(crate) enum Groups {
    /// Every query to every key.
    All,
    /// Every query to every key, with something added to scores: (heads, queries, keys), as powers of 2. Rows are whole
    /// blocks.
    Pairs(Vec<Lane>),
    /// Those of one window to each other.
    Windows {
        /// Places of each window.
        places: Vec<Vec<usize>>,
        /// Which biases each window adds.
        kinds: Vec<usize>,
        /// (kinds, heads, queries, keys): added to scores, as powers of 2; minus infinity hides a key. Rows are whole
        /// blocks.
        biases: Vec<Lane>,
    },
}

impl Groups {
    /// numbers: (rows, keys), a row for each query of each head.
    pub(crate) fn pairs(numbers: &[f32], rows: usize, keys: usize) -> Groups {
        let width = blocks(keys);
        let mut biases = vec![Lane([f32::NEG_INFINITY; LANES]); rows * width];
        fill(&mut biases, width, numbers, keys);
        Groups::Pairs(biases)
    }

    /// table: as [`Windows::biases`] says.
    pub(crate) fn windows(windows: &Windows, heads: usize, table: &[f32]) -> Groups {
        let places: Vec<_> = (0..windows.count()).map(|window| windows.places(window)).collect();
        let count = places.first().map_or(0, Vec::len);
        let width = blocks(count);
        let kinds = (0..windows.count()).map(|window| windows.kind(window)).collect();
        let mut biases = vec![Lane([f32::NEG_INFINITY; LANES]); 4 * heads * count * width];
        let all: Vec<f32> = (0..4).flat_map(|kind| windows.biases(kind, heads, table)).collect();
        fill(&mut biases, width, &all, count);
        Groups::Windows { places, kinds, biases }
    }
}

/// Rows of `keys` numbers into rows of `width` blocks, as powers of 2.
fn fill(biases: &mut [Lane], width: usize, numbers: &[f32], keys: usize) {
    for (lanes, row) in biases.chunks_exact_mut(width.max(1)).zip(numbers.chunks_exact(keys.max(1))) {
        row.iter().enumerate().for_each(|(key, bias)| lanes[key / LANES].0[key % LANES] = bias * LOG2_E);
    }
}

/// Blocks that the scores of the queries in work may take: 256 KiB.
const SCORES: usize = 4 << 10;
/// Keys whose values are summed at a time: two blocks of them stay in the nearest cache.
const KEYS: usize = 256;
/// Queries in work: a multiple of every tile's rows.
const LEAST_QUERIES: usize = 12;
const MOST_QUERIES: usize = 96;

thread_local! {
    /// Kept from one head to the next.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

impl Attention {
    /// queries: n maps; keys: n maps of keys and values (the same as the queries, or others); out: n maps of d.
    pub(crate) fn run(&self, isa: Isa, n: usize, queries: &[Lane], keys: &[Lane], out: &mut [Lane]) {
        let counts = self.places;
        let widths =
            (queries.len() / (n * counts.0), keys.len() / (n * counts.1), out.len() / (n * counts.0));
        let d = self.heads * self.depth;
        assert!(widths.0 * LANES >= d && widths.1 * LANES >= self.at.1 + d && widths.2 * LANES >= d);
        let groups = match &self.groups {
            Groups::All | Groups::Pairs(_) => 1,
            Groups::Windows { places, .. } => places.len(),
        };
        let (queries, keys, out) = (Shared::reading(queries), Shared::reading(keys), Shared::writing(out));
        let work = counts.0 * counts.1 / (groups * groups) * self.depth / 32;
        each_line(n * groups * self.heads, work, |task| {
            let (picture, group, head) =
                (task / (groups * self.heads), task / self.heads % groups, task % self.heads);
            let (places, bias): (Option<&[usize]>, &[Lane]) = match &self.groups {
                Groups::All => (None, &[]),
                Groups::Pairs(biases) => {
                    let length = counts.0 * blocks(counts.1);
                    (None, &biases[head * length..][..length])
                }
                Groups::Windows { places, kinds, biases } => {
                    let count = places[group].len();
                    let length = count * blocks(count);
                    (Some(&places[group]), &biases[(kinds[group] * self.heads + head) * length..][..length])
                }
            };
            let mut scratch = SCRATCH.take();
            // SAFETY: pictures lie within the maps, as the lengths checked above say.
            let [queries, keys, out] = unsafe {
                [
                    queries.get().add(picture * counts.0 * widths.0 * LANES),
                    keys.get().add(picture * counts.1 * widths.1 * LANES),
                    out.get().add(picture * counts.0 * widths.2 * LANES),
                ]
            };
            let work = Head {
                layer: self,
                head,
                counts: places.map_or(counts, |places| (places.len(), places.len())),
                tile: tile_rows(isa),
                places,
                bias,
                queries,
                keys,
                out,
                steps: (widths.0 * LANES, widths.1 * LANES, widths.2 * LANES),
                scratch: &mut scratch,
            };
            // SAFETY: as above; every task has a head and places of `out` of its own.
            unsafe { isa.run(work) }
            SCRATCH.set(scratch);
        });
    }

    /// The same within each text: from has queries, keys and values of every token, out d numbers.
    pub(crate) fn run_texts(&self, isa: Isa, texts: &Texts<'_>, from: &[Lane], out: &mut [Lane]) {
        let tokens = texts.tokens().len().max(1);
        let (seen, made) = (from.len() / tokens * LANES, out.len() / tokens * LANES);
        let d = self.heads * self.depth;
        assert!(seen >= self.at.1 + d && made >= d);
        let (from, out) = (Shared::reading(from), Shared::writing(out));
        let spans: Vec<_> = texts.spans().collect();
        let work = spans.iter().map(|span| span.len().pow(2)).sum::<usize>() / spans.len().max(1);
        each_line(spans.len() * self.heads, work * self.depth / 32, |task| {
            let (span, head) = (&spans[task / self.heads], task % self.heads);
            let mut scratch = SCRATCH.take();
            // SAFETY: spans end within the tokens (`Texts::new`), whose rows were counted and measured above.
            let (from, out) =
                unsafe { (from.get().add(span.start * seen), out.get().add(span.start * made)) };
            let work = Head {
                layer: self,
                head,
                counts: (span.len(), span.len()),
                tile: tile_rows(isa),
                places: None,
                bias: &[],
                queries: from,
                keys: from,
                out,
                steps: (seen, seen, made),
                scratch: &mut scratch,
            };
            // SAFETY: as above; every task has a head and tokens of `out` of its own.
            unsafe { isa.run(work) }
            SCRATCH.set(scratch);
        });
    }
}

/// One head of one group of places.
struct Head<'a> {
    layer: &'a Attention,
    head: usize,
    /// Queries, and keys.
    counts: (usize, usize),
    /// Rows of a tile.
    tile: usize,
    /// The places of the group; all for `None`.
    places: Option<&'a [usize]>,
    /// (queries, keys), rows of whole blocks; empty for none.
    bias: &'a [Lane],
    queries: *const f32,
    keys: *const f32,
    out: *mut f32,
    /// Numbers from one place to the next: of queries, of keys, of `out`.
    steps: (usize, usize, usize),
    scratch: &'a mut Vec<Lane>,
}

impl Kernel for Head<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Attention { depth, at, .. } = *self.layer;
        let (queries, keys) = self.counts;
        let (width, wide) = (blocks(keys), blocks(depth));
        let together = (SCORES / width).clamp(LEAST_QUERIES, MOST_QUERIES) / LEAST_QUERIES * LEAST_QUERIES;
        let lengths = [width * depth, wide * keys, together * width, together * wide];
        self.scratch.resize(lengths.iter().sum::<usize>().max(self.scratch.len()), Lane::default());
        let (packed_keys, rest) = self.scratch.split_at_mut(lengths[0]);
        let (packed_values, rest) = rest.split_at_mut(lengths[1]);
        let (scores, sums) = rest.split_at_mut(lengths[2]);
        let place = |i: usize| self.places.map_or(i, |places| places[i]);
        let first = self.head * depth;
        // SAFETY: as promised by the caller of `Isa::run`: places lie within the maps, heads within a place.
        unsafe {
            for key in 0..keys {
                let from = self.keys.add(place(key) * self.steps.1 + first);
                let to = packed_keys.as_mut_ptr().add(key / LANES * depth).cast::<f32>().add(key % LANES);
                for k in 0..depth {
                    *to.add(k * LANES) = *from.add(at.0 + k);
                }
                for block in 0..wide {
                    let lane = &mut packed_values[block * keys + key].0;
                    let count = LANES.min(depth - block * LANES);
                    let value = from.add(at.1 + block * LANES);
                    if count == LANES {
                        S::store(lane.as_mut_ptr(), S::load(value));
                    } else {
                        *lane = std::array::from_fn(|i| if i < count { *value.add(i) } else { 0.0 });
                    }
                }
            }
            for key in keys..width * LANES {
                (0..depth).for_each(|k| packed_keys[key / LANES * depth + k].0[key % LANES] = 0.0);
            }
            let scale = LOG2_E / (depth as f32).sqrt();
            let mut pointers = Vec::with_capacity(together);
            let mut rows = Vec::with_capacity(together);
            for start in (0..queries).step_by(together) {
                let count = together.min(queries - start);
                let padded = count.next_multiple_of(self.tile);
                pointers.clear();
                pointers.extend(
                    (0..padded)
                        .map(|i| self.queries.add(place(start + i.min(count - 1)) * self.steps.0 + first)),
                );
                rows.clear();
                rows.extend((0..count).map(|i| i * width * LANES));
                let keys_matrix = Matrix { data: packed_keys, depth };
                Product::plain(&pointers, keys_matrix, &rows, scores.as_mut_ptr().cast()).run::<S>();
                let mut shares = [0.0_f32; MOST_QUERIES];
                for (i, share) in shares.iter_mut().enumerate().take(count) {
                    let row = scores.as_mut_ptr().add(i * width).cast::<f32>();
                    let bias = self.bias.get((start + i) * width..).filter(|bias| !bias.is_empty());
                    // Keys that are none.
                    (keys..width * LANES).for_each(|key| *row.add(key) = f32::NEG_INFINITY);
                    *share = softmax::<S>(row, width, scale, bias);
                }
                pointers.clear();
                pointers
                    .extend((0..padded).map(|i| scores.as_ptr().add(i.min(count - 1) * width).cast::<f32>()));
                rows.clear();
                rows.extend((0..count).map(|i| i * wide * LANES));
                for first in (0..keys).step_by(KEYS) {
                    let product = Product {
                        first,
                        depth: KEYS.min(keys - first),
                        weight_at: first,
                        resume: first > 0,
                        ..Product::plain(
                            &pointers,
                            Matrix { data: packed_values, depth: keys },
                            &rows,
                            sums.as_mut_ptr().cast(),
                        )
                    };
                    product.run::<S>();
                }
                for (i, share) in shares.iter().enumerate().take(count) {
                    let out = self.out.add(place(start + i) * self.steps.2);
                    let share = S::splat(*share);
                    for block in 0..wide {
                        let sum = S::mul(S::load(sums.as_ptr().add(i * wide + block).cast()), share);
                        let count = LANES.min(depth - block * LANES);
                        let to = out.add(first + block * LANES);
                        if count == LANES {
                            S::store(to, sum);
                        } else {
                            let mut lane = Lane::default();
                            S::store(lane.0.as_mut_ptr(), sum);
                            (0..count).for_each(|i| *to.add(i) = lane.0[i]);
                        }
                    }
                    if self.head == 0 {
                        let d = self.layer.heads * depth;
                        (d..self.steps.2).for_each(|i| *out.add(i) = 0.0);
                    }
                }
            }
        }
    }
}

/// Turns a row of scores into 2^(score · scale + bias - largest), and gives 1 / their sum.
#[inline(always)]
unsafe fn softmax<S: Simd>(row: *mut f32, width: usize, scale: f32, bias: Option<&[Lane]>) -> f32 {
    // SAFETY: the caller runs on a processor with `S`; the row has `width` blocks, and so has the bias.
    unsafe {
        let mut scale = S::splat(scale);
        if let Some(bias) = bias {
            for block in 0..width {
                let at = row.add(block * LANES);
                let bias = S::load(bias.as_ptr().add(block).cast());
                S::store(at, S::fma(S::load(at), scale, bias));
            }
            scale = S::splat(1.0);
        }
        let mut largest = S::splat(f32::NEG_INFINITY);
        for block in 0..width {
            largest = S::larger(largest, S::load(row.add(block * LANES)));
        }
        let largest = S::mul(S::splat(S::largest(largest)), scale);
        let less = S::sub(S::splat(0.0), largest);
        let mut sum = S::splat(0.0);
        for block in 0..width {
            let at = row.add(block * LANES);
            // Where scores are huge, the product's rounding could be more than any power of 2 can say.
            let power = S::min(S::splat(64.0), S::fma(S::load(at), scale, less));
            let weight = exp2::<S>(power);
            S::store(at, weight);
            sum = S::add(sum, weight);
        }
        1.0 / S::sum(sum)
    }
}
