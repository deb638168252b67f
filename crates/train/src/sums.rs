//! Sums over samples and rows, in parts of fixed size that are added in order; loops that are compiled for the processor at hand.

use crate::memory;
use pulp::Arch;
use rayon::prelude::*;

/// Rows of a part. Affects bits.
const PART: usize = 512;
/// Numbers that one thread goes through at a time.
pub(crate) const CHUNK: usize = 1 << 14;

/// Runs a loop in the widest vectors that there are. None of it fuses or reorders what is written.
pub(crate) fn fast<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// What `add` adds up over so many rows: `length` numbers.
pub(crate) fn over(rows: usize, length: usize, add: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f32> {
    let part = |part: usize| {
        let mut sums = vec![0.0; length];
        fast(|| {
            for row in part * PART..rows.min((part + 1) * PART) {
                add(row, &mut sums);
            }
        });
        sums
    };
    let parts: Vec<Vec<f64>> = (0..rows.div_ceil(PART)).into_par_iter().map(part).collect();
    let mut all = vec![0.0; length];
    for part in parts {
        all.iter_mut().zip(part).for_each(|(all, sum)| *all += sum);
    }
    all.into_iter().map(|sum| sum as f32).collect()
}

/// Σ over rows of (n, width): (width,).
pub(crate) fn of_columns(rows: &[f32], width: usize) -> Vec<f32> {
    over(rows.len() / width, width, |row, sums| {
        sums.iter_mut().zip(&rows[row * width..][..width]).for_each(|(sum, x)| *sum += f64::from(*x));
    })
}

/// Σ over rows of the product of two (n, width): (width,).
pub(crate) fn of_products(a: &[f32], b: &[f32], width: usize) -> Vec<f32> {
    over(a.len() / width, width, |row, sums| {
        let products = a[row * width..][..width].iter().zip(&b[row * width..][..width]);
        sums.iter_mut().zip(products).for_each(|(sum, (a, b))| *sum += f64::from(a * b));
    })
}

/// f of every number of `x`.
pub(crate) fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut out = memory::room(x.len());
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| {
        fast(|| out.iter_mut().zip(x).for_each(|(out, x)| *out = f(*x)));
    });
    out
}

/// f of the numbers of both.
pub(crate) fn map_both(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut out = memory::room(a.len());
    let chunks = out.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK));
    chunks.for_each(|((out, a), b)| {
        fast(|| out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = f(*a, *b)));
    });
    out
}

/// What `each` makes of every row of `width` numbers and its place.
pub(crate) fn map_rows(rows: usize, width: usize, each: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut out = memory::zeros(rows * width);
    let together = (CHUNK / width.max(1)).max(1);
    out.par_chunks_mut((together * width).max(1)).enumerate().for_each(|(chunk, out)| {
        fast(|| {
            for (at, row) in out.chunks_exact_mut(width).enumerate() {
                each(chunk * together + at, row);
            }
        });
    });
    out
}

/// Adds `by` to every row.
pub(crate) fn add_to_rows(rows: &mut [f32], by: &[f32]) {
    let together = (CHUNK / by.len().max(1)).max(1) * by.len().max(1);
    rows.par_chunks_mut(together).for_each(|rows| {
        fast(|| {
            for row in rows.chunks_exact_mut(by.len()) {
                row.iter_mut().zip(by).for_each(|(x, by)| *x += by);
            }
        });
    });
}

/// Σ of a row, in sixteen chains that are joined in order.
#[inline(always)]
pub(crate) fn sum(x: impl ExactSizeIterator<Item = f32>) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (at, x) in x.enumerate() {
        sums[at % 16] += x;
    }
    sums.iter().sum()
}
