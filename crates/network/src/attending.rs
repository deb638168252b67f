//! What only networks of texts know of attention: who sees whom, how far apart, and by which angles places are told.

use crate::ParamId;
use serde::{Deserialize, Serialize};

/// Scaled dot-product attention of the tokens of a text to one another. Reads queries (n, heads·d), keys and values
/// (n, `key_heads`·d); or one value that has them one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextAttention {
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / key_heads` heads of queries in a row (Ainslie et al., 2023, "GQA").
    pub key_heads: usize,
    /// Which tokens a token sees.
    #[serde(default, skip_serializing_if = "Reach::is_all")]
    pub reach: Reach,
    /// What scores are multiplied by, where that is not 1 / sqrt(d).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// What is added to scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<Distances>,
}

/// Which tokens of its text a token sees, itself always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// So many before it; all for `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<usize>,
    /// So many behind it; all for `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<usize>,
}

impl Reach {
    /// Every token sees every other.
    pub const ALL: Reach = Reach { back: None, ahead: None };
    /// A token sees those before it.
    pub const BEFORE: Reach = Reach { back: None, ahead: Some(0) };

    /// Whether every token sees every other.
    pub fn is_all(&self) -> bool {
        *self == Reach::ALL
    }

    /// Of a text of `count` tokens, those that token `at` sees.
    pub fn seen(self, at: usize, count: usize) -> std::ops::Range<usize> {
        let start = self.back.map_or(0, |back| at.saturating_sub(back));
        let end = self.ahead.map_or(count, |ahead| count.min(at.saturating_add(ahead).saturating_add(1)));
        start..end
    }
}

/// A number of each head for how far apart two tokens are, both ways (Raffel et al., 2019, "T5", section 2.1): few distances one by
/// one, more of them together the farther they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distances {
    /// (rows, heads): half of them for keys before the query or at it, the others for keys behind it.
    pub table: ParamId,
    /// From here on all distances are one.
    pub farthest: usize,
}

impl Distances {
    /// The rows of a table of `rows`, a multiple of four, for keys from `farthest` tokens before the query to as many behind it.
    /// All beyond have the same as the last.
    pub fn rows(self, rows: usize) -> impl Iterator<Item = usize> {
        let most = self.farthest as isize;
        (-most..=most).map(move |behind| self.row(rows, behind))
    }

    /// The row of such a table for a key so many tokens behind the query.
    pub fn row(self, rows: usize, behind: isize) -> usize {
        let (half, apart) = (rows / 2, behind.unsigned_abs());
        let exact = half / 2;
        let first = if behind > 0 { half } else { 0 };
        if apart < exact {
            return first + apart;
        }
        // As PyTorch computes it, in f32: where a distance is a power of two, its rounding decides.
        #[expect(clippy::cast_possible_truncation, reason = "rounded to f32 where PyTorch rounds")]
        let (share, whole) = (
            libm::log(f64::from(apart as f32 / exact as f32)) as f32,
            libm::log(self.farthest as f64 / exact as f64) as f32,
        );
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small row, from 0")]
        let beyond = (share / whole * (half - exact) as f32) as usize;
        first + (exact + beyond).min(half - 1)
    }
}

/// Turns pairs of numbers of each head by angles that grow with the token's place (Su et al., 2021, "RoFormer").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotary {
    /// Numbers of a head.
    pub depth: usize,
    /// The first of them, which turn.
    pub turned: usize,
    /// Pair i of `turned / 2` turns by place · theta^(-2i / turned).
    pub theta: f32,
    /// Which numbers are a pair.
    pub pairs: Pairs,
    /// How texts longer than those of the first training are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

/// Which numbers turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairs {
    /// The i-th of the first half, and the i-th of the second.
    Halves,
    /// One and the next.
    Neighbours,
}

/// How slowly numbers turn where a network was taught longer texts later.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scaling {
    /// All so many times slower.
    Linear {
        /// How many.
        factor: f32,
    },
    /// As Llama 3.1: quick ones as they are, slow ones slower, and those between by share.
    Llama3 {
        /// By how much the slow ones are slower.
        factor: f32,
        /// Slow ones turn less often than so within `places`.
        low: f32,
        /// Quick ones turn more often than so.
        high: f32,
        /// Tokens of the first training's texts.
        places: usize,
    },
}

impl Rotary {
    /// By how much each pair turns from one place to the next: (turned / 2,), rounded as transformers rounds.
    #[expect(clippy::cast_possible_truncation, reason = "rounded to f32 where transformers rounds")]
    pub fn speeds(&self) -> Vec<f32> {
        let speed = |pair: usize| {
            let exponent = (2 * pair) as f32 / self.turned as f32;
            1.0 / libm::pow(f64::from(self.theta), f64::from(exponent)) as f32
        };
        (0..self.turned / 2).map(speed).map(|speed| self.scaled(speed)).collect()
    }

    fn scaled(&self, speed: f32) -> f32 {
        match self.scaling {
            None => speed,
            Some(Scaling::Linear { factor }) => speed / factor,
            Some(Scaling::Llama3 { factor, low, high, places }) => {
                let (places, wave) = (places as f32, std::f32::consts::TAU / speed);
                if wave > places / low {
                    speed / factor
                } else if wave < places / high {
                    speed
                } else {
                    let share = (places / wave - low) / (high - low);
                    (1.0 - share) * speed / factor + share * speed
                }
            }
        }
    }

    /// Cosines and sines of the angles at these places: for each place `turned / 2` cosines, then as many sines.
    #[expect(clippy::cast_possible_truncation, reason = "rounded once, from f64")]
    pub fn angles(&self, places: std::ops::Range<usize>) -> Vec<f32> {
        let speeds = self.speeds();
        let mut table = Vec::with_capacity(places.len() * self.turned);
        for place in places {
            let angles = speeds.iter().map(|speed| f64::from(place as f32 * speed));
            table.extend(angles.clone().map(|angle| libm::cos(angle) as f32));
            table.extend(angles.map(|angle| libm::sin(angle) as f32));
        }
        table
    }

    /// The numbers of a pair, counted within a head.
    pub fn pair(&self, pair: usize) -> (usize, usize) {
        match self.pairs {
            Pairs::Halves => (pair, self.turned / 2 + pair),
            Pairs::Neighbours => (2 * pair, 2 * pair + 1),
        }
    }

    /// Whether its numbers make sense.
    pub(crate) fn is_well_formed(&self) -> bool {
        let is_positive = |x: f32| x.is_finite() && x > 0.0;
        let scales = match self.scaling {
            None => true,
            Some(Scaling::Linear { factor }) => is_positive(factor),
            Some(Scaling::Llama3 { factor, low, high, places }) => {
                is_positive(factor) && is_positive(low) && high.is_finite() && high > low && places > 0
            }
        };
        (1..1 << 16).contains(&self.depth)
            && (2..=self.depth).contains(&self.turned)
            && self.turned.is_multiple_of(2)
            && is_positive(self.theta)
            && scales
    }
}

impl TextAttention {
    /// Every head with keys and values of its own, every token seen.
    pub fn new(heads: usize) -> TextAttention {
        TextAttention { heads, key_heads: heads, reach: Reach::ALL, scale: None, distances: None }
    }

    /// Numbers of a head, of queries that are so wide, or of a value that holds keys and values too.
    pub fn depth(&self, width: usize, joint: bool) -> usize {
        width / if joint { self.heads + 2 * self.key_heads } else { self.heads }
    }

    /// Whether its numbers make sense.
    pub(crate) fn is_well_formed(&self) -> bool {
        let most = 1 << 10;
        (1..most).contains(&self.heads)
            && (1..=self.heads).contains(&self.key_heads)
            && self.heads.is_multiple_of(self.key_heads)
            && self.scale.is_none_or(|scale| scale.is_finite() && scale > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_share_rows_as_pytorch_says() {
        // transformers' `compute_position_bucket` of MPNet, 32 rows, 128: for keys 0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 32, 45,
        // 46, 63, 64, 90, 91, 127, 128 and 1000 behind.
        let distances = Distances { table: ParamId(0), farthest: 128 };
        let apart = [0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 1000];
        let rows = [0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 15, 15];
        for (apart, row) in apart.into_iter().zip(rows) {
            assert_eq!(distances.row(32, -apart), row, "{apart} before");
            let behind = if apart == 0 { 0 } else { row + 16 };
            assert_eq!(distances.row(32, apart), behind, "{apart} behind");
        }
    }

    #[test]
    fn reach_is_cut_at_the_ends_of_a_text() {
        let window = Reach { back: Some(2), ahead: Some(1) };
        assert_eq!([0, 3, 4].map(|at| window.seen(at, 5)), [0..2, 1..5, 2..5]);
        assert_eq!(Reach::BEFORE.seen(3, 5), 0..4);
        assert_eq!(Reach::ALL.seen(3, 5), 0..5);
    }
}
