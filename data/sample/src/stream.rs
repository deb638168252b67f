//! A stream of random draws, the same on every machine.

use crate::canvas::Colour;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use store::Digest;

pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a name under a seed.
    pub(crate) fn new(seed: u64, name: &str) -> Stream {
        Stream(ChaCha8Rng::from_seed(*Digest::of(format!("{seed}/{name}").as_bytes()).as_bytes()))
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 / 16_777_216.0)
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.next_u32() % (high - low + 1)
    }

    /// One of several.
    pub(crate) fn pick(&mut self, all: &[&'static str]) -> &'static str {
        all[self.whole(0, all.len() as u32 - 1) as usize]
    }

    pub(crate) fn colour(&mut self) -> Colour {
        std::array::from_fn(|_| self.between(0.0, 1.0))
    }

    /// A unit vector in any direction: a point of the unit disc, pushed to its rim. No sine, whose last digit differs
    /// between systems.
    pub(crate) fn direction(&mut self) -> (f32, f32) {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let length = (x * x + y * y).sqrt();
            if (0.1..1.0).contains(&length) {
                return (x / length, y / length);
            }
        }
    }
}
