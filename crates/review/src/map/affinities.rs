//! How much each point of a map belongs to each of its neighbours.

use rayon::prelude::*;

use crate::{neighbours::nearest, products::Packed};

/// Neighbours that count, in effect.
const PERPLEXITY: f64 = 30.0;
/// Neighbours that are looked at, for each that counts.
const REACH: f64 = 3.0;
/// Halvings of the interval in which a bandwidth lies.
const HALVINGS: usize = 60;

/// A sparse symmetric matrix of probabilities that sum to 1 over all pairs.
pub(super) struct Affinities {
    /// Where the entries of each row start, and the end: (n + 1,).
    pub(super) starts: Vec<usize>,
    /// The other point and p.
    pub(super) entries: Vec<(u32, f32)>,
}

impl Affinities {
    /// Of unit rows `values` (n, p), which `packed` holds too: equations 1 and 2 of van der Maaten (JMLR 2014), over
    /// squared distances 2 − 2 cos.
    pub(super) fn of(values: &[f32], packed: &Packed) -> Affinities {
        let n = packed.rows();
        let perplexity = PERPLEXITY.min(((n - 1) as f64 / REACH).max(1.0));
        let count = ((REACH * perplexity) as usize).min(n - 1);
        if count == 0 {
            return Affinities { starts: vec![0; n + 1], entries: Vec::new() };
        }
        let (indices, similarities) = nearest(values, packed, count, true);
        let mut pairs: Vec<(u32, u32, f32)> = indices
            .par_chunks_exact(count)
            .zip(similarities.par_chunks_exact(count))
            .enumerate()
            .flat_map_iter(|(row, (others, similarities))| {
                let shares = conditional(similarities, perplexity);
                others.iter().zip(shares).flat_map(move |(&other, share)| {
                    let p = (share / (2 * n) as f64) as f32;
                    [(row as u32, other, p), (other, row as u32, p)]
                })
            })
            .collect();
        // At most two entries are of one pair, and the sum of two does not depend on their order.
        pairs.par_sort_unstable_by_key(|&(row, other, _)| (row, other));
        pairs.dedup_by(|later, first| {
            let same = (later.0, later.1) == (first.0, first.1);
            if same {
                first.2 += later.2;
            }
            same
        });
        let starts = (0..=n as u32).map(|row| pairs.partition_point(|pair| pair.0 < row)).collect();
        Affinities { starts, entries: pairs.into_iter().map(|(_, other, p)| (other, p)).collect() }
    }
}

/// Shares that sum to 1, falling with distance at the rate that gives them the perplexity; equal ones where all
/// distances are.
fn conditional(similarities: &[f32], perplexity: f64) -> Vec<f64> {
    let nearest = f64::from(similarities[0]);
    let distances: Vec<f64> = similarities.iter().map(|&s| 2.0 * (nearest - f64::from(s))).collect();
    let shares = |rate: f64| -> Vec<f64> {
        let weights: Vec<f64> = distances.iter().map(|distance| (-rate * distance).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    };
    let entropy = |shares: &[f64]| -> f64 {
        shares.iter().filter(|&&share| share > 0.0).map(|share| -share * share.ln()).sum()
    };
    // Squared distances are between 0 and 4, so that rates outside would make no difference.
    let (mut low, mut high) = (1e-3f64.ln(), 1e6f64.ln());
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if entropy(&shares(middle.exp())) > perplexity.ln() { low = middle } else { high = middle }
    }
    shares(((low + high) / 2.0).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Random, rows::scale_to_unit};

    #[test]
    fn shares_have_the_perplexity() {
        let similarities: Vec<f32> = (0..90).map(|i| 0.9 - i as f32 * 0.005).collect();
        let shares = conditional(&similarities, 30.0);
        let entropy: f64 = shares.iter().map(|share| -share * share.ln()).sum();
        assert!((entropy.exp() - 30.0).abs() < 1e-6);
        assert!(shares.is_sorted_by(|a, b| a >= b));
        assert!(conditional(&[0.5; 10], 3.0).iter().all(|share| (share - 0.1).abs() < 1e-12));
    }

    #[test]
    fn affinities_are_symmetric_and_sum_to_one() {
        let mut random = Random::new(1);
        let mut values: Vec<f32> = (0..200 * 5).map(|_| random.centred()).collect();
        scale_to_unit(&mut values, 5);
        let affinities = Affinities::of(&values, &Packed::of(&values, 5));
        let row = |i: usize| &affinities.entries[affinities.starts[i]..affinities.starts[i + 1]];
        let sum: f32 = affinities.entries.iter().map(|entry| entry.1).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        for i in 0..200 {
            for &(other, p) in row(i) {
                assert_ne!(other as usize, i);
                assert!(row(other as usize).contains(&(i as u32, p)));
            }
        }
    }
}
