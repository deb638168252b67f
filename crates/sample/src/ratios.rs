//! Splits by content: which split a sample falls into follows from its bytes alone.

use crate::Split;
use std::{fmt, str::FromStr};
use store::Digest;

/// How the samples that no folder and no manifest assigns are shared out, in per cent.
///
/// Written `80/10/10` (train, val, test) or `80/20` (train, test: a held-out fifth, as scikit-learn's
/// `train_test_split` cuts it). They add up to 100.
///
/// A sample's share is drawn by its file's digest: exact duplicates never sit in two splits, and a sample stays where
/// it is when others come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratios {
    /// Per cent of `train`, at least 1.
    pub train: u32,
    /// Per cent of `val`.
    pub val: u32,
    /// Per cent of `test`.
    pub test: u32,
}

/// A text that does not say how to share out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatiosError {
    /// Not two or three whole numbers.
    #[error(
        "`{0}` is not a split: expected per cents such as 80/10/10 (train/val/test) or 80/20 (train/test)"
    )]
    Shape(String),
    /// Something is left over, or overdrawn.
    #[error("`{text}` adds up to {sum}, expected 100")]
    Sum {
        /// As it was given.
        text: String,
        /// Its sum.
        sum: u32,
    },
    /// Nothing to learn from.
    #[error("`{0}` leaves nothing to train on")]
    NoTrain(String),
}

impl Ratios {
    /// The split that a sample with this content belongs to.
    pub fn split_of(&self, content: &Digest) -> Split {
        // The first 8 bytes as a number in 0..2⁶⁴, against the shares of that range.
        let [a, b, c, d, e, f, g, h, ..] = *content.as_bytes();
        let draw = u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h])) * 100;
        let below = |share: u32| draw < u128::from(share) << 64;
        if below(self.train) {
            Split::Train
        } else if below(self.train + self.val) {
            Split::Val
        } else {
            Split::Test
        }
    }
}

impl FromStr for Ratios {
    type Err = RatiosError;

    fn from_str(text: &str) -> Result<Ratios, RatiosError> {
        let shape = || RatiosError::Shape(text.to_owned());
        let parts: Vec<u32> = text
            .split('/')
            .map(|part| part.trim().parse().ok().filter(|share| *share <= 100).ok_or_else(shape))
            .collect::<Result<_, _>>()?;
        let (train, val, test) = match parts[..] {
            [train, test] => (train, 0, test),
            [train, val, test] => (train, val, test),
            _ => return Err(shape()),
        };
        match train + val + test {
            100 if train == 0 => Err(RatiosError::NoTrain(text.to_owned())),
            100 => Ok(Ratios { train, val, test }),
            sum => Err(RatiosError::Sum { text: text.to_owned(), sum }),
        }
    }
}

impl fmt::Display for Ratios {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.train, self.val, self.test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_or_refused() {
        let ok = |text: &str| text.parse::<Ratios>().unwrap().to_string();
        assert_eq!(ok("80/10/10"), "80/10/10");
        assert_eq!(ok("80/20"), "80/0/20");
        assert_eq!(ok("100/0/0"), "100/0/0");
        for text in ["", "80", "80/10/5/5", "80/-10/30", "eighty/20", "80.0/20", "4294967295/1", "101/0"] {
            assert_eq!(text.parse::<Ratios>(), Err(RatiosError::Shape(text.to_owned())));
        }
        assert_eq!(
            "80/10/20".parse::<Ratios>(),
            Err(RatiosError::Sum { text: "80/10/20".to_owned(), sum: 110 })
        );
        assert_eq!("0/50/50".parse::<Ratios>(), Err(RatiosError::NoTrain("0/50/50".to_owned())));
    }

    #[test]
    fn shares_come_out_as_asked_and_never_move() {
        let ratios: Ratios = "80/10/10".parse().unwrap();
        let drawn: Vec<Split> =
            (0..10_000u32).map(|i| ratios.split_of(&Digest::of(&i.to_le_bytes()))).collect();
        let count = |split| drawn.iter().filter(|s| **s == split).count();
        // Three standard deviations: 3·√(n·p·(1 - p)) = 120 and 90.
        assert!(count(Split::Train).abs_diff(8000) < 120, "{}", count(Split::Train));
        assert!(count(Split::Val).abs_diff(1000) < 90, "{}", count(Split::Val));
        let edge = |byte| Digest::from_bytes([byte; 32]);
        // CCCC…₁₆ is just below 0.8 of the range, E5E5…₁₆ is 0.898 of it.
        let expected = [Split::Train, Split::Train, Split::Val, Split::Val, Split::Test];
        assert_eq!([0x00, 0xCC, 0xCD, 0xE5, 0xE6].map(|b| ratios.split_of(&edge(b))), expected);
        let all: Ratios = "100/0/0".parse().unwrap();
        assert_eq!(all.split_of(&edge(0xFF)), Split::Train);
    }
}
