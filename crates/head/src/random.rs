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
    fn units_fill_their_interval() {
        let mut random = Random::new(1, Purpose::Dropout);
        let units: Vec<f32> = (0..4000).map(|_| random.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f32>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
