//! What a network's numbers are.

use crate::{
    COARSE_REVISION, REVISION,
    cuda::{self, Unit},
};
use std::{fmt, str::FromStr};

/// What numbers are multiplied in, and on cards stored as; sums are f32 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f32 throughout; on cards without the tensor cores.
    F32,
    /// Stored in f32, rounded to tf32 (10 bits) before they are multiplied.
    Tf32,
    /// bf16 (7 bits, f32's range).
    Bf16,
    /// f16 (10 bits, up to 65,504; what lies beyond becomes infinite, and so do features).
    F16,
}

impl Precision {
    /// Every one.
    pub const ALL: [Precision; 4] = [Precision::F32, Precision::Tf32, Precision::Bf16, Precision::F16];

    /// How far features may be from those of [`Cpu`](crate::Cpu) in f32: the relative L2 difference of all four probes'
    /// features of a tap. A kernel that is wrong, or a card that is broken, misses it by orders of magnitude.
    ///
    /// Roundings of single numbers are 6e-8 in f32, 5e-4 in tf32 and f16, 4e-3 in bf16. In a whole network they add up to a
    /// few times that: with trained weights, MobileNetV2's features are off by 2.1e-3 in tf32 and f16, and 1.5e-2 in bf16.
    pub fn tolerance(self) -> f64 {
        match self {
            Precision::F32 => 1e-4,
            Precision::Tf32 | Precision::F16 => 1e-2,
            Precision::Bf16 => 5e-2,
        }
    }

    /// Names the engine whose bits features have: what it is, and the kind of card, of this compute capability; with an `a`
    /// where products are made by what only that one has.
    pub(crate) fn engine(self, (major, minor): (u32, u32), unit: Unit) -> String {
        let own = if unit == Unit::Warpgroup { "a" } else { "" };
        format!("{}-{self}-sm{major}{minor}{own}", cuda::REVISION)
    }

    /// The same of a processor: bits are those of any.
    pub(crate) fn processor(self) -> String {
        if self == Precision::F32 { REVISION.to_owned() } else { format!("{COARSE_REVISION}-{self}") }
    }

    /// The precision of features by the name of their engine, as [`Executor::revision`](crate::Executor::revision) gives it, in
    /// this revision or another; `None` where that was a processor in f32.
    pub fn of_engine(name: &str) -> Option<Precision> {
        let words: Vec<&str> = name.split('-').collect();
        match words[..] {
            ["cuda", _revision, precision, card] if card.starts_with("sm") => precision.parse().ok(),
            ["cpu", _revision, precision] => precision.parse().ok(),
            _ => None,
        }
    }

    /// Bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Precision::F32 | Precision::Tf32 => 4,
            Precision::Bf16 | Precision::F16 => 2,
        }
    }

    /// What the names of kernels end with.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Precision::F32 | Precision::Tf32 => "f32",
            Precision::Bf16 => "b16",
            Precision::F16 => "f16",
        }
    }

    /// As [`Precision::suffix`], of products.
    pub(crate) fn multiplied(self) -> &'static str {
        if self == Precision::Tf32 { "t32" } else { self.suffix() }
    }

    /// Appends numbers as they are stored, rounded to nearest, ties to even.
    pub(crate) fn encode(self, numbers: impl Iterator<Item = f32>, to: &mut Vec<u8>) {
        match self {
            Precision::F32 | Precision::Tf32 => numbers.for_each(|x| to.extend(x.to_le_bytes())),
            Precision::Bf16 => numbers.for_each(|x| to.extend(half::bf16::from_f32(x).to_le_bytes())),
            Precision::F16 => numbers.for_each(|x| to.extend(half::f16::from_f32(x).to_le_bytes())),
        }
    }

    /// A weight as products multiply it.
    pub(crate) fn weight(self, x: f32) -> f32 {
        if self == Precision::Tf32 { tf32(x) } else { x }
    }
}

/// Rounded to tf32's 10 bits, ties away from zero, as the cards' `cvt.rna` does.
fn tf32(x: f32) -> f32 {
    if x.is_finite() { f32::from_bits((x.to_bits() + 0x1000) & !0x1fff) } else { x }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
            Precision::Bf16 => "bf16",
            Precision::F16 => "f16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Precision, String> {
        let found = Precision::ALL.into_iter().find(|precision| precision.to_string() == text);
        found.ok_or_else(|| "expected f32, tf32, bf16 or f16".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_nearest() {
        assert_eq!(tf32(1.0 + 2_f32.powi(-11)), 1.0 + 2_f32.powi(-10), "a tie goes away from zero");
        assert_eq!(tf32(1.0 + 2_f32.powi(-12)), 1.0);
        assert_eq!(tf32(-1.0 - 2_f32.powi(-11)), -1.0 - 2_f32.powi(-10));
        let encoded = |precision: Precision, x: f32| {
            let mut bytes = Vec::new();
            precision.encode([x].into_iter(), &mut bytes);
            bytes
        };
        assert_eq!(encoded(Precision::Bf16, 1.0), [0x80, 0x3f]);
        assert_eq!(encoded(Precision::F16, 1e9), half::f16::INFINITY.to_le_bytes());
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
            assert_eq!(encoded(precision, 0.5).len(), precision.bytes());
        }
    }

    #[test]
    fn engines_say_their_precision() {
        for precision in Precision::ALL {
            assert_eq!(Precision::of_engine(&precision.engine((9, 0), Unit::Warpgroup)), Some(precision));
        }
        assert_eq!(Precision::Bf16.engine((12, 0), Unit::Warp), format!("{}-bf16-sm120", cuda::REVISION));
        assert_eq!(Precision::of_engine(&Precision::Bf16.processor()), Some(Precision::Bf16));
        assert_eq!(Precision::F32.processor(), REVISION);
        for (name, expected) in [
            ("cuda-17-tf32-sm80", Some(Precision::Tf32)),
            ("cuda-1-f64-sm80", None),
            ("cuda-1-bf16", None),
            ("cuda-1-bf16-sm80-x", None),
            ("cuda-1-bf16-gfx942", None),
            ("cpu-2", None),
            ("cpu-7-bf16", Some(Precision::Bf16)),
            ("cpu-7-bf16-x", None),
            ("", None),
        ] {
            assert_eq!(Precision::of_engine(name), expected, "{name}");
        }
    }
}
