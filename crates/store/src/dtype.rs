//! The number formats that features are stored in.

use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How a feature is stored. Everything computes in f32 or wider; this is only what lies in a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE 754 binary32: what the network computed, to the bit.
    #[default]
    F32,
    /// IEEE 754 binary16, rounded to nearest even.
    F16,
    /// bfloat16, rounded to nearest even.
    BF16,
}

impl Dtype {
    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
        }
    }

    /// Whether a value is a finite number, and still one once it is rounded to this format.
    pub fn holds(self, value: f32) -> bool {
        match self {
            Dtype::F32 => value.is_finite(),
            Dtype::F16 => f16::from_f32(value).is_finite(),
            Dtype::BF16 => bf16::from_f32(value).is_finite(),
        }
    }

    /// Appends `values`, little-endian, rounded once where this format is narrower than f32.
    pub fn encode(self, values: &[f32], out: &mut Vec<u8>) {
        match self {
            Dtype::F32 => values.iter().for_each(|v| out.extend(v.to_le_bytes())),
            Dtype::F16 => values.iter().for_each(|&v| out.extend(f16::from_f32(v).to_le_bytes())),
            Dtype::BF16 => values.iter().for_each(|&v| out.extend(bf16::from_f32(v).to_le_bytes())),
        }
    }

    /// Widens `bytes` into `out`; both hold the same count of values.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        debug_assert_eq!(bytes.len(), out.len() * self.size());
        match self {
            Dtype::F32 => {
                let (values, _) = bytes.as_chunks::<4>();
                out.iter_mut().zip(values).for_each(|(o, &v)| *o = f32::from_le_bytes(v));
            }
            Dtype::F16 => {
                let (values, _) = bytes.as_chunks::<2>();
                out.iter_mut().zip(values).for_each(|(o, &v)| *o = f16::from_le_bytes(v).to_f32());
            }
            Dtype::BF16 => {
                let (values, _) = bytes.as_chunks::<2>();
                out.iter_mut().zip(values).for_each(|(o, &v)| *o = bf16::from_le_bytes(v).to_f32());
            }
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::BF16 => "bf16",
        })
    }
}

impl FromStr for Dtype {
    type Err = String;

    fn from_str(text: &str) -> Result<Dtype, String> {
        match text {
            "f32" => Ok(Dtype::F32),
            "f16" => Ok(Dtype::F16),
            "bf16" => Ok(Dtype::BF16),
            _ => Err(format!("expected f32, f16 or bf16, got `{text}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_to_their_precision() {
        let values = [0.0, -1.5, 3.140_625, 65_504.0, 1.0e-3];
        for (dtype, tolerance) in [(Dtype::F32, 0.0), (Dtype::F16, 0.001), (Dtype::BF16, 0.008)] {
            let mut bytes = Vec::new();
            dtype.encode(&values, &mut bytes);
            assert_eq!(bytes.len(), values.len() * dtype.size());
            let mut back = [0.0; 5];
            dtype.decode(&bytes, &mut back);
            for (a, b) in values.iter().zip(back) {
                assert!((a - b).abs() <= tolerance * a.abs(), "{dtype}: {a} became {b}");
            }
            assert_eq!(dtype.to_string().parse::<Dtype>(), Ok(dtype));
        }
    }

    #[test]
    fn what_was_stored_is_stored_the_same_again() {
        for dtype in [Dtype::F16, Dtype::BF16] {
            for bits in 0..=u16::MAX {
                let (stored, mut value, mut again) = (bits.to_le_bytes(), [0.0], Vec::new());
                dtype.decode(&stored, &mut value);
                dtype.encode(&value, &mut again);
                assert!(again == stored || value[0].is_nan(), "{dtype}: {stored:?} became {again:?}");
            }
        }
    }
}
