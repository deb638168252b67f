//! Random numbers of a view.

use crate::Augment;
use store::{Digest, DigestBuilder};

/// A stream of random numbers: BLAKE3 of everything that they may depend on, and of their place in the stream.
pub(super) struct Draws {
    key: Digest,
    next: u64,
}

impl Draws {
    /// Each augmentation has a stream of its own, so that leaving one out changes none of the others.
    pub(super) fn new(seed: u64, view: u32, content: &Digest, of: Augment) -> Draws {
        let mut key = DigestBuilder::new();
        key.field(&seed.to_le_bytes()).field(&view.to_le_bytes()).field(content.as_bytes());
        Draws { key: key.field(of.name().as_bytes()).finish(), next: 0 }
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        let digest =
            DigestBuilder::new().update(self.key.as_bytes()).update(&self.next.to_le_bytes()).finish();
        self.next += 1;
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Uniform in 0..n, but for a bias below n / 2³².
    pub(super) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(n)) >> 32) as u32
    }

    /// Uniform in [0, 1), a multiple of 2⁻³².
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.bits()) / f64::from(1u32 << 31) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, view: u32, content: &[u8], of: Augment) -> u32 {
        Draws::new(seed, view, &Digest::of(content), of).bits()
    }

    #[test]
    fn draws_depend_on_seed_view_content_and_purpose() {
        let a = first(1, 2, b"x", Augment::Flip);
        assert_eq!(a, first(1, 2, b"x", Augment::Flip));
        for other in [
            first(2, 2, b"x", Augment::Flip),
            first(1, 1, b"x", Augment::Flip),
            first(1, 2, b"y", Augment::Flip),
            first(1, 2, b"x", Augment::Crop),
        ] {
            assert_ne!(a, other);
        }
    }

    #[test]
    fn draws_are_golden() {
        // Views would change with these numbers.
        let mut draws = Draws::new(7, 1, &Digest::of(b"picture"), Augment::Crop);
        assert_eq!([draws.bits(), draws.bits()], [3_179_531_963, 1_189_517_030]);
    }

    #[test]
    fn draws_fill_their_range() {
        let mut draws = Draws::new(0, 1, &Digest::of(b""), Augment::Colour);
        let mut counts = [0; 6];
        (0..6000).for_each(|_| counts[draws.below(6) as usize] += 1);
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        let units: Vec<f64> = (0..4000).map(|_| draws.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
