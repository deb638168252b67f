//! Scaled dot-product attention: in each head, every query's scores against all keys, their softmax, and the sum of
//! values that it weighs. Only some queries' scores exist at a time.

use super::{
    form::{Form, Out},
    functions::exp2,
    gemm::{Factors, Lane, Matrix, Product, Singles, blocks, tile_rows},
    pairs::{Pairs, narrow_row},
    parallel::{Shared, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};
use network::{Reach, Windows};
use std::{cell::RefCell, f32::consts::LOG2_E, ops::Range};

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
    /// Whether products are of [pairs](super::pairs) of numbers.
    pub(crate) pairs: bool,
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
    /// queries: n maps; keys: n maps of keys and values (the same as the queries, or others); out: n maps of d, in that form.
    pub(crate) fn run(
        &self,
        isa: Isa,
        n: usize,
        queries: &[Lane],
        keys: &[Lane],
        out: &mut [Lane],
        form: Form,
    ) {
        let counts = self.places;
        let held = form.holds(out.len());
        let widths = (queries.len() / (n * counts.0), keys.len() / (n * counts.1), held / (n * counts.0));
        let d = self.heads * self.depth;
        assert!(widths.0 * LANES >= d && widths.1 * LANES >= self.at.1 + d && widths.2 * LANES >= d);
        let groups = match &self.groups {
            Groups::All | Groups::Pairs(_) => 1,
            Groups::Windows { places, .. } => places.len(),
        };
        let (queries, keys, out) = (Shared::reading(queries), Shared::reading(keys), Out::of(out, form));
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
            let first = head * self.depth;
            let counts_here = places.map_or(counts, |places| (places.len(), places.len()));
            // SAFETY: pictures lie within the maps, as the lengths checked above say; every task has a head and places of `out` of
            // its own.
            unsafe {
                let keys = keys.get().add(picture * counts.1 * widths.1 * LANES + first);
                let head = Head {
                    depth: self.depth,
                    scale: LOG2_E / (self.depth as f32).sqrt(),
                    counts: counts_here,
                    places,
                    bias: Bias::of_pairs(bias, blocks(counts_here.1)),
                    reach: Reach::ALL,
                    queries: queries.get().add(picture * counts.0 * widths.0 * LANES + first),
                    keys: keys.add(self.at.0),
                    values: keys.add(self.at.1),
                    out: out.skip(picture * counts.0 * widths.2 * LANES + first),
                    steps: [widths.0, widths.1, widths.1, widths.2].map(|blocks| blocks * LANES),
                    padding: if head == 0 { d..widths.2 * LANES } else { 0..0 },
                    pairs: self.pairs,
                };
                head.run(isa);
            }
        });
    }
}

/// What is added to the scores of a head, as powers of 2.
#[derive(Clone, Copy)]
pub(super) struct Bias {
    /// Of the first query's first key; null for nothing.
    first: *const f32,
    /// From one query's numbers to the next's. Each has one for every key, up to whole blocks.
    step: isize,
}

impl Bias {
    pub(super) const NONE: Bias = Bias { first: std::ptr::null(), step: 0 };

    /// Rows of so many blocks, one for each query; none where there are no numbers.
    fn of_pairs(numbers: &[Lane], width: usize) -> Bias {
        let first = if numbers.is_empty() { std::ptr::null() } else { numbers.as_ptr().cast() };
        Bias { first, step: (width * LANES) as isize }
    }

    /// By how far a key is behind its query: of (2n - 1) numbers and a block more, from the farthest before it on.
    ///
    /// # Panics
    /// Where there are fewer.
    pub(super) fn of_distances(numbers: &[f32], n: usize) -> Bias {
        assert!(numbers.len() >= 2 * n - 1 + LANES, "every distance has a number");
        // Queries step back through them: the first sees none before it.
        Bias { first: numbers[n - 1..].as_ptr(), step: -1 }
    }
}

/// One head of one group of places, or of one text.
pub(super) struct Head<'a> {
    /// Numbers of a query, a key or a value.
    pub(super) depth: usize,
    /// What scores are multiplied by, to be powers of 2.
    pub(super) scale: f32,
    /// Queries, and keys.
    pub(super) counts: (usize, usize),
    /// The places of the group; all for `None`.
    pub(super) places: Option<&'a [usize]>,
    pub(super) bias: Bias,
    /// Which keys a query sees, where both are tokens of one text.
    pub(super) reach: Reach,
    /// The head's numbers in the first place of each.
    pub(super) queries: *const f32,
    pub(super) keys: *const f32,
    pub(super) values: *const f32,
    pub(super) out: Out,
    /// Numbers from one place to the next: of queries, keys, values, `out`.
    pub(super) steps: [usize; 4],
    /// Numbers of a place of `out`, counted from the head's, that belong to no head and are made zero.
    pub(super) padding: Range<usize>,
    /// Whether products are of pairs of numbers; scores, their softmax and sums are not.
    pub(super) pairs: bool,
}

impl Head<'_> {
    /// # Safety
    /// All places lie within the maps, and all heads within a place; nobody else uses this head's numbers of `out`, or its padding.
    pub(super) unsafe fn run(self, isa: Isa) {
        let mut scratch = SCRATCH.take();
        let isa = if self.pairs { isa.for_pairs() } else { isa };
        let (pairs, work) = (self.pairs, Work { head: self, tile: tile_rows(isa), scratch: &mut scratch });
        // SAFETY: the caller's promise.
        unsafe {
            if pairs {
                isa.run_pairs(InPairs(work));
            } else {
                isa.run(work);
            }
        }
        SCRATCH.set(scratch);
    }
}

struct Work<'a> {
    head: Head<'a>,
    /// Rows of a tile.
    tile: usize,
    scratch: &'a mut Vec<Lane>,
}

impl Kernel for Work<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller's promise.
        unsafe { self.run_of::<S, Singles>() }
    }
}

/// The same, of pairs of numbers.
struct InPairs<'a>(Work<'a>);

impl Kernel for InPairs<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.run_of::<S, Pairs>() }
    }
}

impl Work<'_> {
    /// # Safety
    /// The processor has `S`, and all that the kernel is compiled for; as [`Head::run`].
    #[inline(always)]
    unsafe fn run_of<S: Simd, F: Factors>(self) {
        let Work { head: Head { depth, bias, reach, ref padding, .. }, tile, .. } = self;
        let head = &self.head;
        let (queries, keys) = head.counts;
        let (width, wide) = (blocks(keys), blocks(depth));
        // What products count: numbers, or pairs of them.
        let (deep, far) = (depth.div_ceil(F::COUNT), keys.div_ceil(F::COUNT));
        let together = (SCORES / width).clamp(LEAST_QUERIES, MOST_QUERIES) / LEAST_QUERIES * LEAST_QUERIES;
        let narrowed = if F::COUNT == 1 { 0 } else { together * wide };
        let lengths = [width * deep, wide * far, together * width, together * wide, narrowed];
        self.scratch.resize(lengths.iter().sum::<usize>().max(self.scratch.len()), Lane::default());
        let (packed_keys, rest) = self.scratch.split_at_mut(lengths[0]);
        let (packed_values, rest) = rest.split_at_mut(lengths[1]);
        let (scores, rest) = rest.split_at_mut(lengths[2]);
        let (sums, narrowed) = rest.split_at_mut(lengths[3]);
        let place = |i: usize| head.places.map_or(i, |places| places[i]);
        // SAFETY: as promised by the caller of `Head::run`.
        unsafe {
            for (block, lanes) in packed_keys.chunks_exact_mut(deep).enumerate() {
                let first = block * LANES;
                let count = LANES.min(keys - first);
                for k in (0..depth).step_by(LANES) {
                    let numbers = LANES.min(depth - k);
                    let mut rows = [S::splat(0.0); LANES];
                    for (i, row) in rows.iter_mut().enumerate().take(count) {
                        let from = head.keys.add(place(first + i) * head.steps[1] + k);
                        *row = load::<S>(from, numbers);
                    }
                    S::transpose(&mut rows);
                    let lanes = &mut lanes[k / F::COUNT..][..numbers.div_ceil(F::COUNT)];
                    for (lane, rows) in lanes.iter_mut().zip(rows.chunks_exact(F::COUNT)) {
                        S::store(lane.0.as_mut_ptr(), factor::<S>(rows));
                    }
                }
            }
            for slot in 0..far {
                for block in 0..wide {
                    let mut values = [S::splat(0.0); 2];
                    for (i, value) in values.iter_mut().enumerate().take(F::COUNT.min(keys - slot * F::COUNT))
                    {
                        let from =
                            head.values.add(place(slot * F::COUNT + i) * head.steps[2] + block * LANES);
                        *value = load::<S>(from, LANES.min(depth - block * LANES));
                    }
                    let value = factor::<S>(&values[..F::COUNT]);
                    S::store(packed_values[block * far + slot].0.as_mut_ptr(), value);
                }
            }
            let narrowed = narrowed.as_mut_ptr().cast::<f32>();
            let mut pointers = Vec::with_capacity(together);
            let mut rows = Vec::with_capacity(together);
            for start in (0..queries).step_by(together) {
                let count = together.min(queries - start);
                let padded = count.next_multiple_of(tile);
                pointers.clear();
                for i in 0..count {
                    let query = head.queries.add(place(start + i) * head.steps[0]);
                    if F::COUNT == 1 {
                        pointers.push(query);
                        continue;
                    }
                    let to = narrowed.add(i * wide * LANES);
                    for block in 0..wide {
                        let mut lane = Lane::default();
                        let numbers = LANES.min(depth - block * LANES);
                        S::store(lane.0.as_mut_ptr(), load::<S>(query.add(block * LANES), numbers));
                        narrow_row::<S>(lane.0.as_ptr(), to.add(block * LANES / 2), 1);
                    }
                    pointers.push(to.cast_const());
                }
                pointers.resize(padded, pointers[count - 1]);
                rows.clear();
                rows.extend((0..count).map(|i| i * width * LANES));
                // Of these queries all together.
                let seen = reach.seen(start, keys).start..reach.seen(start + count - 1, keys).end;
                let seen_blocks = seen.start / LANES..blocks(seen.end);
                let keys_matrix = Matrix { data: packed_keys, depth: deep };
                let product = Product::plain(&pointers, keys_matrix, &rows, scores.as_mut_ptr().cast());
                Product { blocks: seen_blocks.clone(), ..product }.run_of::<S, F>();
                let mut shares = [0.0_f32; MOST_QUERIES];
                for (i, share) in shares.iter_mut().enumerate().take(count) {
                    let row = scores.as_mut_ptr().add(i * width).cast::<f32>();
                    // Keys that it does not see, or that are none.
                    let own = reach.seen(start + i, keys);
                    let hidden =
                        (seen_blocks.start * LANES..own.start).chain(own.end..seen_blocks.end * LANES);
                    hidden.for_each(|key| *row.add(key) = f32::NEG_INFINITY);
                    let bias = if bias.first.is_null() {
                        bias.first
                    } else {
                        bias.first.wrapping_offset((start + i) as isize * bias.step)
                    };
                    *share = softmax::<S>(row, seen_blocks.clone(), head.scale, bias);
                    if F::COUNT == 2 {
                        let first = row.add(seen_blocks.start * LANES);
                        narrow_row::<S>(first, row.add(seen_blocks.start * LANES / 2), seen_blocks.len());
                    }
                }
                pointers.clear();
                pointers
                    .extend((0..padded).map(|i| scores.as_ptr().add(i.min(count - 1) * width).cast::<f32>()));
                rows.clear();
                rows.extend((0..count).map(|i| i * wide * LANES));
                let (begin, end) = (seen_blocks.start * LANES / F::COUNT, seen.end.div_ceil(F::COUNT));
                for first in (begin..end).step_by(KEYS) {
                    let product = Product {
                        first,
                        depth: KEYS.min(end - first),
                        weight_at: first,
                        resume: first > begin,
                        ..Product::plain(
                            &pointers,
                            Matrix { data: packed_values, depth: far },
                            &rows,
                            sums.as_mut_ptr().cast(),
                        )
                    };
                    product.run_of::<S, F>();
                }
                for (i, share) in shares.iter().enumerate().take(count) {
                    let out = head.out.skip(place(start + i) * head.steps[3]);
                    let share = S::splat(*share);
                    for block in 0..wide {
                        let sum = S::mul(S::load(sums.as_ptr().add(i * wide + block).cast()), share);
                        let count = LANES.min(depth - block * LANES);
                        if count == LANES {
                            out.put::<S>(block * LANES, sum);
                        } else {
                            out.put_some::<S>(block * LANES, sum, count);
                        }
                    }
                    padding.clone().for_each(|i| out.put_some::<S>(i, S::splat(0.0), 1));
                }
            }
        }
    }
}

/// One number of each lane, or two, as products read them.
#[inline(always)]
unsafe fn factor<S: Simd>(rows: &[S::V]) -> S::V {
    match *rows {
        // SAFETY: the caller runs on a processor with `S`.
        [first, second] => unsafe { S::join(first, second) },
        _ => rows[0],
    }
}

/// So many numbers of a block, and zeros.
#[inline(always)]
unsafe fn load<S: Simd>(from: *const f32, count: usize) -> S::V {
    // SAFETY: the caller runs on a processor with `S`, and has so many numbers there.
    unsafe {
        if count == LANES {
            return S::load(from);
        }
        let mut lane = Lane::default();
        (0..count).for_each(|i| lane.0[i] = *from.add(i));
        S::load(lane.0.as_ptr())
    }
}

/// Turns these blocks of a row of scores into 2^(score · scale + bias - largest), and gives 1 / their sum.
#[inline(always)]
unsafe fn softmax<S: Simd>(row: *mut f32, blocks: Range<usize>, scale: f32, bias: *const f32) -> f32 {
    // SAFETY: the caller runs on a processor with `S`; the row has these blocks, and so has the bias, unless it is null.
    unsafe {
        let mut scale = S::splat(scale);
        if !bias.is_null() {
            for block in blocks.clone() {
                let at = row.add(block * LANES);
                S::store(at, S::fma(S::load(at), scale, S::load(bias.add(block * LANES))));
            }
            scale = S::splat(1.0);
        }
        let mut largest = S::splat(f32::NEG_INFINITY);
        for block in blocks.clone() {
            largest = S::larger(largest, S::load(row.add(block * LANES)));
        }
        let largest = S::mul(S::splat(S::largest(largest)), scale);
        let less = S::sub(S::splat(0.0), largest);
        let mut sum = S::splat(0.0);
        for block in blocks {
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
