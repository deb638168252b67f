//! The types of numbers that matrices are stored in.

use half::{bf16, f16};

/// A type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F16,
    Bf16,
    F32,
    F64,
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl Number {
    /// Bytes of one.
    pub(super) fn size(self) -> usize {
        match self {
            Number::Bool | Number::I8 | Number::U8 => 1,
            Number::F16 | Number::Bf16 | Number::I16 | Number::U16 => 2,
            Number::F32 | Number::I32 | Number::U32 => 4,
            Number::F64 | Number::I64 | Number::U64 => 8,
        }
    }

    /// Its name, where f32 does not hold all of its numbers.
    pub(super) fn rounded(self) -> Option<&'static str> {
        match self {
            Number::F64 => Some("f64"),
            Number::I32 => Some("i32"),
            Number::I64 => Some("i64"),
            Number::U32 => Some("u32"),
            Number::U64 => Some("u64"),
            _ => None,
        }
    }

    /// Appends the numbers that these bytes say, to the nearest f32. What f32 cannot hold becomes infinite.
    pub(super) fn extend(self, bytes: &[u8], big_endian: bool, out: &mut Vec<f32>) {
        macro_rules! numbers {
            ($size:literal, $of:ty, $value:ident => $to:expr) => {{
                let (values, _) = bytes.as_chunks::<$size>();
                if big_endian {
                    out.extend(values.iter().map(|&bytes| {
                        let $value = <$of>::from_be_bytes(bytes);
                        $to
                    }));
                } else {
                    out.extend(values.iter().map(|&bytes| {
                        let $value = <$of>::from_le_bytes(bytes);
                        $to
                    }));
                }
            }};
        }
        match self {
            Number::F16 => numbers!(2, f16, value => value.to_f32()),
            Number::Bf16 => numbers!(2, bf16, value => value.to_f32()),
            Number::F32 => numbers!(4, f32, value => value),
            Number::F64 => numbers!(8, f64, value => value as f32),
            Number::Bool => out.extend(bytes.iter().map(|&byte| f32::from(u8::from(byte != 0)))),
            Number::I8 => numbers!(1, i8, value => f32::from(value)),
            Number::I16 => numbers!(2, i16, value => f32::from(value)),
            Number::I32 => numbers!(4, i32, value => value as f32),
            Number::I64 => numbers!(8, i64, value => value as f32),
            Number::U8 => numbers!(1, u8, value => f32::from(value)),
            Number::U16 => numbers!(2, u16, value => f32::from(value)),
            Number::U32 => numbers!(4, u32, value => value as f32),
            Number::U64 => numbers!(8, u64, value => value as f32),
        }
    }
}
