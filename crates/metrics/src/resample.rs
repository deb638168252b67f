//! Drawing rows with replacement, and the intervals of what many such draws came to.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::Interval;
use crate::calibration::interpolate;

/// How a bootstrap (Efron, 1979) is run: `replicates` resamples, the randomness of each its own ChaCha8
/// stream of `seed`, so that neither the number of threads nor that of replicates changes what one of them
/// draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples, B; without any there are no intervals.
    pub replicates: usize,
    /// What all draws are made from.
    pub seed: u64,
}

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Of the rows as they are; `None` where it is undefined.
    pub value: Option<f64>,
    /// `None` where the value of the rows or of any resample is undefined.
    pub interval: Option<Interval>,
}

/// Rows grouped by what a resample must keep the counts of: those of one group have neighbouring slots.
pub(crate) struct Strata {
    /// First slot of each group, and the number of rows.
    starts: Vec<u32>,
    slots: Vec<u32>,
}

impl Strata {
    /// One group a class; within it slots are in the order of rows.
    pub(crate) fn by_class(labels: &[u32], classes: usize) -> Strata {
        let mut starts = vec![0; classes + 1];
        for &label in labels {
            starts[label as usize + 1] += 1;
        }
        for class in 0..classes {
            starts[class + 1] += starts[class];
        }
        let mut next = starts.clone();
        let slots = labels.iter().map(|&label| {
            let next = &mut next[label as usize];
            *next += 1;
            *next - 1
        });
        Strata { slots: slots.collect(), starts }
    }

    /// All `rows` rows in one group, each in the slot of its own number.
    pub(crate) fn one(rows: u32) -> Strata {
        Strata { starts: vec![0, rows], slots: (0..rows).collect() }
    }

    /// Number of rows, n.
    pub(crate) fn rows(&self) -> usize {
        self.slots.len()
    }

    /// Where the copies of `row` are counted.
    pub(crate) fn slot(&self, row: u32) -> u32 {
        self.slots[row as usize]
    }

    /// Draws as many rows of each group as it has, with replacement; `copies` are by slot.
    fn draw(&self, random: &mut ChaCha8Rng, copies: &mut [u32]) {
        copies.fill(0);
        for ends in self.starts.windows(2) {
            let group = &mut copies[ends[0] as usize..ends[1] as usize];
            for _ in 0..group.len() {
                group[below(random, group.len() as u32) as usize] += 1;
            }
        }
    }
}

/// Puts the copies of `slots` into `ordered`, one after the other: what is then read again and again lies in
/// order.
pub(crate) fn gather(copies: &[u32], slots: &[u32], ordered: &mut Vec<u32>) {
    ordered.clear();
    ordered.extend(slots.iter().map(|&slot| copies[slot as usize]));
}

/// A number in 0..`end`, each as likely (Lemire, 2019).
fn below(random: &mut ChaCha8Rng, end: u32) -> u32 {
    loop {
        let wide = u64::from(random.next_u32()) * u64::from(end);
        let low = wide as u32;
        if low >= end || low >= end.wrapping_neg() % end {
            return (wide >> 32) as u32;
        }
    }
}

impl Bootstrap {
    /// The values of every replicate, in order: (B, m). `values` gets a scratch of `scratch`'s making, which
    /// it leaves as it likes, and the copies by slot.
    pub(crate) fn run<S: Send, V: Send>(
        &self,
        strata: &Strata,
        scratch: impl Fn() -> S + Sync + Send,
        values: impl Fn(&mut S, &[u32]) -> V + Sync + Send,
    ) -> Vec<V> {
        let buffers = || (scratch(), vec![0; strata.slots.len()]);
        let replicate = |(scratch, copies): &mut (S, Vec<u32>), replicate: usize| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(replicate as u64);
            strata.draw(&mut random, copies);
            values(scratch, copies)
        };
        // One at a time: a replicate is long, and a thread keeps its buffers for all that it gets.
        (0..self.replicates).into_par_iter().with_max_len(1).map_init(buffers, replicate).collect()
    }
}

/// Puts the intervals of `replicates` (B, m) to `values` (m,).
pub(crate) fn estimates(values: Vec<Option<f64>>, replicates: &[Vec<Option<f64>>]) -> Vec<Estimate> {
    let estimate = |(metric, value): (usize, Option<f64>)| {
        let column = || replicates.iter().map(|values| values[metric]).collect::<Option<Vec<f64>>>();
        Estimate { value, interval: value.and_then(|_| column()).and_then(percentile_interval) }
    };
    values.into_par_iter().enumerate().map(estimate).collect()
}

/// The 2.5th and 97.5th percentile of `values`, as `numpy.percentile` interpolates them; `None` of no values.
pub(crate) fn percentile_interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |part: f64| {
        let place = part * last as f64;
        let floor = place as usize;
        interpolate(values[floor], values[(floor + 1).min(last)], place.fract())
    };
    Some(Interval { low: at(0.025), high: at(0.975) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_size() {
        let labels = [2, 0, 2, 2, 0, 3];
        let strata = Strata::by_class(&labels, 5);
        assert_eq!(strata.starts, [0, 2, 2, 5, 6, 6]);
        assert_eq!(strata.slots, [2, 0, 3, 4, 1, 5]);
        let bootstrap = Bootstrap { replicates: 100, seed: 1 };
        let draws = bootstrap.run(&strata, || (), |(), copies| copies.to_vec());
        assert!(draws.iter().all(|copies| copies[..2].iter().sum::<u32>() == 2 && copies[5] == 1));
        assert!(draws.iter().any(|copies| copies[2..5].contains(&0)));
        // A replicate's draws do not depend on how many there are.
        let fewer = Bootstrap { replicates: 7, seed: 1 }.run(&strata, || (), |(), copies| copies.to_vec());
        assert_eq!(draws[..7], fewer);
        assert_ne!(draws[0], draws[1]);
    }

    #[test]
    fn draws_are_even() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut counts = [0_i32; 6];
        for _ in 0..60_000 {
            counts[below(&mut random, 6) as usize] += 1;
        }
        // Within five standard deviations, √(60,000 · 1/6 · 5/6) each.
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 5 * 92), "{counts:?}");
        assert_eq!(below(&mut random, 1), 0);
    }

    #[test]
    fn percentiles_are_numpy_s() {
        // numpy.percentile([3, 1, 2, 5], [2.5, 97.5])
        let got = percentile_interval(vec![3.0, 1.0, 2.0, 5.0]).unwrap();
        assert!((got.low - 1.075).abs() < 1e-15 && (got.high - 4.85).abs() < 1e-15, "{got:?}");
        assert_eq!(percentile_interval(vec![2.0]), Some(Interval { low: 2.0, high: 2.0 }));
        assert_eq!(percentile_interval(Vec::new()), None);
    }
}
