//! How much each opinion counts in a product of powers: a maximum-likelihood fit of one number an opinion.

use rayon::prelude::*;

/// Rows whose sums are taken together. Part of the bits.
const BLOCK: usize = 1024;
/// Newton's steps, at most; five or six are usual.
const STEPS: usize = 30;
/// A step that makes the mean loss no smaller than by this ends the fit.
const ENOUGH: f64 = 1e-9;
/// A power is at most this. Where every label is what the opinions say, the likelihood has no maximum.
const MOST: f64 = 4.0;
/// Added to the curvature, so that opinions that say the same can be told apart from none.
const RIDGE: f64 = 1e-6;

/// The powers 0 ≤ a ≤ 4, one for each of `opinions` (ln p, (n, C) each), that make `labels` most likely under
/// q ∝ Πₖ pₖ^aₖ. The loss is convex in a; projected Newton's method (Bertsekas 1982) with halved steps.
pub(crate) fn powers(opinions: &[Vec<f32>], labels: &[u32], classes: usize) -> Vec<f64> {
    let mut powers = vec![1.0 / opinions.len() as f64; opinions.len()];
    let mut here = Loss::at(opinions, &powers, labels, classes);
    for _ in 0..STEPS {
        // An opinion at a bound that would go beyond stays out of the step.
        let inside = |k: usize| if here.gradient[k] < 0.0 { powers[k] < MOST } else { powers[k] > 0.0 };
        let free: Vec<usize> = (0..powers.len()).filter(|&k| inside(k)).collect();
        let direction = here.newton(&free);
        let mut length = 1.0;
        let better = loop {
            let mut tried = powers.clone();
            free.iter()
                .zip(&direction)
                .for_each(|(&k, step)| tried[k] = (tried[k] - length * step).clamp(0.0, MOST));
            let there = Loss::at(opinions, &tried, labels, classes);
            if there.value < here.value - ENOUGH {
                break Some((tried, there));
            }
            length /= 2.0;
            if length < 1e-3 {
                break None;
            }
        };
        let Some(better) = better else { break };
        (powers, here) = better;
    }
    powers
}

/// ln q, up to a constant, of one row: (C,) into `out`.
pub(crate) fn combine(opinions: &[Vec<f32>], powers: &[f64], row: usize, out: &mut [f64]) {
    let classes = out.len();
    out.fill(0.0);
    for (opinion, power) in opinions.iter().zip(powers) {
        let values = &opinion[row * classes..][..classes];
        out.iter_mut().zip(values).for_each(|(out, &value)| *out += power * f64::from(value));
    }
}

/// The mean of −ln q(label) and its derivatives in the powers.
struct Loss {
    value: f64,
    /// (K,)
    gradient: Vec<f64>,
    /// (K, K)
    curvature: Vec<f64>,
}

impl Loss {
    fn at(opinions: &[Vec<f32>], powers: &[f64], labels: &[u32], classes: usize) -> Loss {
        let count = opinions.len();
        let blocks: Vec<Loss> = labels
            .par_chunks(BLOCK)
            .enumerate()
            .map(|(block, labels)| {
                let mut sum =
                    Loss { value: 0.0, gradient: vec![0.0; count], curvature: vec![0.0; count * count] };
                let mut q = vec![0.0; classes];
                for (row, &label) in (block * BLOCK..).zip(labels) {
                    combine(opinions, powers, row, &mut q);
                    sum.add(opinions, row, label as usize, &mut q);
                }
                sum
            })
            .collect();
        let mut total = Loss { value: 0.0, gradient: vec![0.0; count], curvature: vec![0.0; count * count] };
        let scale = 1.0 / labels.len() as f64;
        for block in blocks {
            total.value += block.value * scale;
            total.gradient.iter_mut().zip(block.gradient).for_each(|(sum, value)| *sum += value * scale);
            total.curvature.iter_mut().zip(block.curvature).for_each(|(sum, value)| *sum += value * scale);
        }
        total
    }

    /// Adds one row, whose ln q (up to a constant) becomes q.
    fn add(&mut self, opinions: &[Vec<f32>], row: usize, label: usize, q: &mut [f64]) {
        let (classes, count) = (q.len(), opinions.len());
        let top = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let own = q[label];
        q.iter_mut().for_each(|value| *value = (*value - top).exp());
        let sum: f64 = q.iter().sum();
        q.iter_mut().for_each(|value| *value /= sum);
        self.value += sum.ln() + top - own;
        let values = |k: usize| &opinions[k][row * classes..][..classes];
        let mean = |k: usize| q.iter().zip(values(k)).map(|(q, &value)| q * f64::from(value)).sum::<f64>();
        let means: Vec<f64> = (0..count).map(mean).collect();
        for k in 0..count {
            self.gradient[k] += means[k] - f64::from(values(k)[label]);
            for l in 0..count {
                let pairs = q.iter().zip(values(k).iter().zip(values(l)));
                let product: f64 = pairs.map(|(q, (&a, &b))| q * f64::from(a) * f64::from(b)).sum();
                self.curvature[k * count + l] += product - means[k] * means[l];
            }
        }
    }

    /// The inverse curvature times the gradient, of the `free` powers alone, by Gauss and Jordan.
    fn newton(&self, free: &[usize]) -> Vec<f64> {
        let count = self.gradient.len();
        let mut system: Vec<Vec<f64>> = free
            .iter()
            .map(|&k| {
                let row =
                    free.iter().map(|&l| self.curvature[k * count + l] + if k == l { RIDGE } else { 0.0 });
                row.chain([self.gradient[k]]).collect()
            })
            .collect();
        for pivot in 0..free.len() {
            let row: Vec<f64> = system[pivot].iter().map(|value| value / system[pivot][pivot]).collect();
            for other in &mut system {
                let factor = other[pivot];
                other.iter_mut().zip(&row).for_each(|(value, pivot)| *value -= factor * pivot);
            }
            system[pivot] = row;
        }
        system.iter().map(|row| row[free.len()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn powers_undo_what_was_done_to_the_probabilities() {
        // Labels drawn from p; the opinions are ln p three times too sure, and noise.
        let mut random = Random::new(6);
        let (mut sure, mut noise, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..20_000 {
            let logit = 2.0 * random.centred();
            let p = [1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp())];
            labels.push(u32::from((random.centred() + 1.0) / 2.0 > p[0]));
            sure.extend(p.map(|p| 3.0 * p.ln()));
            let noisy = random.centred();
            noise.extend([noisy, -noisy]);
        }
        let powers = powers(&[sure, noise], &labels, 2);
        assert!((powers[0] - 1.0 / 3.0).abs() < 0.03 && powers[1] < 0.05, "{powers:?}");
    }

    #[test]
    fn misleading_opinions_get_nothing() {
        let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
        let right: Vec<f32> =
            labels.iter().flat_map(|&l| if l == 0 { [-0.1, -2.0] } else { [-2.0, -0.1] }).collect();
        let wrong: Vec<f32> = right.iter().map(|value| -2.1 - value).collect();
        let powers = powers(&[right, wrong], &labels, 2);
        assert_eq!(powers[1], 0.0);
        assert!(powers[0] > 1.0);
    }
}
