//! Random numbers of a fit: all from one seed, one ChaCha stream for each purpose.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for. Each purpose has a stream of its own, so that switching dropout
/// on, say, does not change the initial weights or the order of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Weights,
    Shuffle,
    Dropout,
    Folds,
    Parts,
    Mixup,
    Draws,
}

/// A stream of random numbers that follows from seed and purpose alone.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Random {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(purpose as u64);
        Random(stream)
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// From Beta(α, α), α > 0: one of two gamma variates as a part of both (in logarithms: for small α both are tiny).
    pub(crate) fn beta(&mut self, alpha: f64) -> f64 {
        let (a, b) = (self.log_gamma(alpha), self.log_gamma(alpha));
        1.0 / (1.0 + (b - a).exp())
    }

    /// The logarithm of a variate from Gamma(α, 1): Marsaglia and Tsang (2000), of α + 1, brought down by U^(1/α).
    fn log_gamma(&mut self, alpha: f64) -> f64 {
        let d = alpha + 1.0 - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            let u = self.above_zero();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d.ln() + v.ln() + self.above_zero().ln() / alpha;
            }
        }
    }

    /// Standard normal (Box and Muller, 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.above_zero().ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * f64::from(self.unit())).cos()
    }

    /// Uniform in (0, 1].
    fn above_zero(&mut self) -> f64 {
        1.0 - f64::from(self.unit())
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // The high half of a 128-bit product: uniform but for a bias below 2⁻⁴⁰ at these lengths.
            let other = (u128::from(self.0.next_u64()) * (last as u128 + 1)) >> 64;
            items.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_golden() {
        // Heads would change with these numbers: they may not follow a dependency's taste.
        let mut random = Random::new(7, Purpose::Shuffle);
        let mut order: Vec<u8> = (0..10).collect();
        random.shuffle(&mut order);
        assert_eq!(order, [3, 1, 0, 6, 8, 4, 5, 7, 2, 9]);
    }

    #[test]
    fn purposes_and_seeds_do_not_share_numbers() {
        let first = |seed, purpose| Random::new(seed, purpose).unit();
        let a = first(7, Purpose::Weights);
        assert_ne!(a, first(7, Purpose::Shuffle));
        assert_ne!(a, first(7, Purpose::Dropout));
        assert_ne!(a, first(8, Purpose::Weights));
        assert_eq!(a, first(7, Purpose::Weights));
    }

    #[test]
    fn betas_have_the_mean_and_variance_of_theirs() {
        for alpha in [0.1, 0.4, 1.0, 3.0] {
            let mut random = Random::new(1, Purpose::Mixup);
            let draws: Vec<f64> = (0..20_000).map(|_| random.beta(alpha)).collect();
            assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)));
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected = 0.25 / (2.0 * alpha + 1.0);
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{alpha}: {variance}, {expected}");
        }
        // So small that nearly every draw is one end or the other.
        assert!(Random::new(2, Purpose::Mixup).beta(1e-3).is_finite());
    }

    #[test]
    fn units_fill_their_interval() {
        let mut random = Random::new(1, Purpose::Dropout);
        let units: Vec<f32> = (0..4000).map(|_| random.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f32>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
