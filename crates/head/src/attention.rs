//! Applying an attention pool.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use weights::{AttentionPool, Places};

use crate::logits::exp;

/// Rows that a task pools.
const BLOCK: usize = 4;

/// An attention pool made ready to be applied to block after block of rows.
pub(crate) struct Pooling {
    of: Places,
    /// (c, m), each over √c.
    queries: Vec<f64>,
    count: usize,
}

impl Pooling {
    /// Lays its queries out anew.
    pub(crate) fn of(pool: &AttentionPool) -> Pooling {
        let (channels, count) = (pool.of.channels, pool.count());
        let scale = (channels as f64).sqrt().recip();
        let mut queries = vec![0.0; pool.queries.len()];
        for (at, query) in pool.queries.chunks_exact(channels).enumerate() {
            for (channel, &value) in query.iter().enumerate() {
                queries[channel * count + at] = f64::from(value) * scale;
            }
        }
        Pooling { of: pool.of, queries, count }
    }

    /// x: (n, p·c) → (n, m·c), f32.
    ///
    /// All is f64 but what is given. Each sum is one chain of fused multiply-adds, over channels or over places in their order, so
    /// a row's numbers depend on the row alone.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows.
    pub(crate) fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.of.len(), self.count * self.of.channels);
        assert_eq!(x.len() % inputs, 0, "rows of {inputs} values");
        let mut out = vec![0.0; x.len() / inputs * outputs];
        let blocks = out.par_chunks_mut(BLOCK * outputs).zip(x.par_chunks(BLOCK * inputs));
        blocks.for_each(|(out, x)| Arch::new().dispatch(Apply { by: self, x, out }));
        out
    }
}

/// Some rows to pool, in the shape that `pulp` calls, so that it is compiled for several instruction sets.
struct Apply<'a> {
    by: &'a Pooling,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Pooling { of, ref queries, count } = *self.by;
        let Places { channels, places, channels_first } = of;
        // (p, c), and (p, m).
        let (mut wide, mut shares) = (vec![0.0; of.len()], vec![0.0; places * count]);
        let rows = self.x.chunks_exact(of.len()).zip(self.out.chunks_exact_mut(count * channels));
        for (x, out) in rows {
            if channels_first {
                for (channel, x) in x.chunks_exact(places).enumerate() {
                    wide[channel..]
                        .iter_mut()
                        .step_by(channels)
                        .zip(x)
                        .for_each(|(to, &x)| *to = f64::from(x));
                }
            } else {
                wide.iter_mut().zip(x).for_each(|(to, &x)| *to = f64::from(x));
            }
            for (shares, x) in shares.chunks_exact_mut(count).zip(wide.chunks_exact(channels)) {
                shares.fill(0.0);
                for (&x, queries) in x.iter().zip(queries.chunks_exact(count)) {
                    shares.iter_mut().zip(queries).for_each(|(sum, query)| *sum = query.mul_add(x, *sum));
                }
            }
            for query in 0..count {
                let each = || (query..places * count).step_by(count);
                let top = each().fold(f64::NEG_INFINITY, |top, at| top.max(shares[at]));
                let mut sum = 0.0;
                for at in each() {
                    shares[at] = exp(shares[at] - top);
                    sum += shares[at];
                }
                each().for_each(|at| shares[at] /= sum);
            }
            for (query, out) in out.chunks_exact_mut(channels).enumerate() {
                let mut sums = vec![0.0; channels];
                for (place, x) in wide.chunks_exact(channels).enumerate() {
                    let share = shares[place * count + query];
                    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = share.mul_add(*x, *sum));
                }
                out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = *sum as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(channels_first: bool) -> AttentionPool {
        let queries = (0..3 * 5).map(|i| ((i * 7919) % 31) as f32 / 4.0 - 3.0).collect();
        AttentionPool { of: Places { channels: 5, places: 7, channels_first }, queries }
    }

    fn rows(n: usize) -> Vec<f32> {
        (0..n * 35).map(|i| ((i * 104_729) % 997) as f32 / 200.0 - 2.0).collect()
    }

    #[test]
    fn equals_the_definition() {
        let x = rows(6);
        for channels_first in [true, false] {
            let pool = pool(channels_first);
            let got = Pooling::of(&pool).of_rows(&x);
            for (row, got) in x.chunks_exact(35).zip(got.chunks_exact(15)) {
                let at = |place: usize, channel: usize| {
                    f64::from(if channels_first {
                        row[channel * 7 + place]
                    } else {
                        row[place * 5 + channel]
                    })
                };
                for (query, got) in pool.queries.chunks_exact(5).zip(got.chunks_exact(5)) {
                    let score = |place: usize| -> f64 {
                        let sum: f64 = (0..5).map(|c| f64::from(query[c]) * at(place, c)).sum();
                        (sum / 5_f64.sqrt()).exp()
                    };
                    let all: f64 = (0..7).map(score).sum();
                    for (channel, got) in got.iter().enumerate() {
                        let expected: f64 = (0..7).map(|p| score(p) / all * at(p, channel)).sum();
                        assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} is not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn bits_depend_on_the_row_alone_and_large_numbers_are_none_s_loss() {
        let (pool, mut x) = (pool(true), rows(23));
        x[40] = 1e30;
        let pooling = Pooling::of(&pool);
        let all = pooling.of_rows(&x);
        assert!(all.iter().all(|value| value.is_finite()));
        for threads in [1, 2, 5] {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(threads.install(|| pooling.of_rows(&x)), all);
        }
        let parts: Vec<f32> = x.chunks(3 * 35).flat_map(|x| pooling.of_rows(x)).collect();
        assert_eq!(parts, all);
    }
}
