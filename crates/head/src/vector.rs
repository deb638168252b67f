//! Sums and products of long vectors of f64. Chunks of a fixed length go to threads, and what they give is joined in order: the
//! same bits, whatever the number of threads.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Numbers that one thread goes through at a time. Affects bits.
const CHUNK: usize = 1 << 14;

/// Σ a b
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let chunk = |(a, b): (&[f64], &[f64])| Arch::new().dispatch(Dot(a, b));
    if a.len() <= CHUNK {
        return chunk((a, b));
    }
    a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(chunk).collect::<Vec<_>>().iter().sum()
}

/// Adds `factor` times `what`.
pub(crate) fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    let chunk = |(to, what): (&mut [f64], &[f64])| Arch::new().dispatch(Add(to, factor, what));
    if to.len() <= CHUNK {
        return chunk((to, what));
    }
    to.par_chunks_mut(CHUNK).zip(what.par_chunks(CHUNK)).for_each(chunk);
}

/// The largest absolute value.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// In eight chains, which the processor runs side by side, joined in order. In the shape that `pulp` calls, so that it is
/// compiled for several instruction sets.
struct Dot<'a>(&'a [f64], &'a [f64]);

impl WithSimd for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let ((a, a_rest), (b, b_rest)) = (self.0.as_chunks::<8>(), self.1.as_chunks::<8>());
        let mut sums = [0.0; 8];
        for (a, b) in a.iter().zip(b) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += a * b;
            }
        }
        sums[0] += a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>();
        sums.iter().sum()
    }
}

/// Adds to the first the second times the third.
struct Add<'a>(&'a mut [f64], f64, &'a [f64]);

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Add(to, factor, what) = self;
        to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vectors_give_what_short_ones_do_on_any_number_of_threads() {
        let n = 2 * CHUNK + 1234;
        let a: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        let b: Vec<f64> = (0..n).map(|i| (i as f64 * 0.3).cos()).collect();
        let plain: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        let of = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut sum = a.clone();
                add(&mut sum, -0.5, &b);
                (dot(&a, &b), sum)
            })
        };
        let (product, sum) = of(1);
        assert!((product - plain).abs() < 1e-8, "{product}, {plain}");
        assert!(sum.iter().zip(a.iter().zip(&b)).all(|(sum, (a, b))| *sum == a - 0.5 * b));
        assert_eq!((product, sum), of(3));
        assert_eq!(dot(&a[..3], &b[..3]), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
        assert_eq!(largest(&[0.5, -2.0, 1.0]), 2.0);
    }
}
