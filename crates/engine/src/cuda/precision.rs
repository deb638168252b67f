//! What a network's numbers are on a card.

use std::{fmt, str::FromStr};

/// What numbers are stored as, and multiplied in; sums are f32 always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f32 throughout, without the tensor cores.
    F32,
    /// Stored in f32, rounded to tf32 (10 bits) before they are multiplied.
    Tf32,
    /// bf16 (7 bits, f32's range).
    Bf16,
    /// f16 (10 bits, up to 65,504; what lies beyond stays there).
    F16,
}

impl Precision {
    /// Every one.
    pub const ALL: [Precision; 4] = [Precision::F32, Precision::Tf32, Precision::Bf16, Precision::F16];

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
            Precision::F16 => {
                let limit = half::f16::MAX.to_f32();
                numbers.for_each(|x| to.extend(half::f16::from_f32(x.clamp(-limit, limit)).to_le_bytes()));
            }
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
        assert_eq!(encoded(Precision::F16, 1e9), half::f16::MAX.to_le_bytes(), "never infinite");
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
            assert_eq!(encoded(precision, 0.5).len(), precision.bytes());
        }
    }
}
