//! The Mersenne Twister (Matsumoto and Nishimura, 1998), as numpy's `RandomState` shuffles by it.

/// Words of the state.
const WORDS: usize = 624;
/// How far apart the words are that are mixed.
const APART: usize = 397;
/// Numbers per seed that `RandomState` takes.
const MULTIPLIER: u32 = 1_812_433_253;
const TWIST: u32 = 0x9908_b0df;
const UPPER: u32 = 0x8000_0000;

/// A stream of 32-bit numbers that follows from its seed.
pub(crate) struct Mt19937 {
    state: [u32; WORDS],
    /// The word that is taken next.
    next: usize,
}

impl Mt19937 {
    /// As `RandomState(seed)`.
    pub(crate) fn new(seed: u32) -> Mt19937 {
        let mut state = [seed; WORDS];
        for at in 1..WORDS {
            let before = state[at - 1];
            state[at] = (before ^ (before >> 30)).wrapping_mul(MULTIPLIER).wrapping_add(at as u32);
        }
        Mt19937 { state, next: WORDS }
    }

    /// As `RandomState.shuffle` of a list: Fisher and Yates, from the end.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.at_most(last as u32) as usize);
        }
    }

    /// Uniform in 0..=`most`: numbers of as many bits as `most` has, until one is not above it.
    fn at_most(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.number() & mask;
            if value <= most {
                return value;
            }
        }
    }

    fn number(&mut self) -> u32 {
        if self.next == WORDS {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for at in 0..WORDS {
            let y = (self.state[at] & UPPER) | (self.state[(at + 1) % WORDS] & !UPPER);
            let twist = if y & 1 == 1 { TWIST } else { 0 };
            self.state[at] = self.state[(at + APART) % WORDS] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard() {
        // std::mt19937, ISO C++ 26.6.5.
        let mut stream = Mt19937::new(5489);
        assert_eq!((0..10_000).map(|_| stream.number()).last(), Some(4_123_659_995));
        // numpy.random.RandomState(42).randint(0, 2**32, 5, dtype=numpy.uint32)
        let mut stream = Mt19937::new(42);
        let first: Vec<u32> = (0..5).map(|_| stream.number()).collect();
        assert_eq!(first, [1_608_637_542, 3_421_126_067, 4_083_286_876, 787_846_414, 3_143_890_026]);
    }

    #[test]
    fn lists_are_shuffled_as_by_numpy() {
        let shuffled = |n: u32| {
            let mut items: Vec<u32> = (0..n).collect();
            Mt19937::new(42).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(10), [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
        let many = shuffled(1000);
        assert_eq!((&many[..6], &many[997..]), (&[521, 737, 740, 660, 411, 678][..], &[860, 435, 102][..]));
        assert!(shuffled(0).is_empty() && shuffled(1) == [0]);
    }
}
