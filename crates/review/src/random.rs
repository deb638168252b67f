//! Random numbers: all from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers that follows from the seed alone.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Random(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [-1, 1), a multiple of 2⁻²³.
    pub(crate) fn centred(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_their_interval_and_follow_the_seed() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..4000).map(|_| random.centred()).collect::<Vec<f32>>()
        };
        let values = draw(1);
        assert!(values.iter().all(|value| (-1.0..1.0).contains(value)));
        assert!((values.iter().sum::<f32>() / 4000.0).abs() < 0.04);
        assert_eq!(values, draw(1));
        assert_ne!(values, draw(2));
    }
}
