//! Numbers as they are stored, and as f32.

use crate::WeightError;
use half::{bf16, f16};

/// How numbers are stored, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    F64,
    F32,
    F16,
    BF16,
}

impl Number {
    /// Bytes of one.
    pub(crate) fn size(self) -> usize {
        match self {
            Number::F64 => 8,
            Number::F32 => 4,
            Number::F16 | Number::BF16 => 2,
        }
    }

    /// bytes: a whole number of them.
    pub(crate) fn widen(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
            Number::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Number::F32 => each(bytes, f32::from_le_bytes),
            Number::F16 => each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Number::BF16 => each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}

/// The same numbers, if they are all finite.
///
/// # Errors
/// [`WeightError::NotFinite`], with the first that is not.
pub(crate) fn finite(file: &str, tensor: &str, data: Vec<f32>) -> Result<Vec<f32>, WeightError> {
    match not_finite(&data) {
        None => Ok(data),
        Some(index) => {
            let (file, tensor) = (file.to_owned(), tensor.to_owned());
            Err(WeightError::NotFinite { file, tensor, index, value: data[index] })
        }
    }
}

/// The place of the first number that is not finite. Whole runs are looked at without leaving off, which vectors can do.
pub(crate) fn not_finite(data: &[f32]) -> Option<usize> {
    const RUN: usize = 4096;
    let all_finite = |run: &[f32]| run.iter().fold(true, |all, value| all & value.is_finite());
    let run = data.chunks(RUN).position(|run| !all_finite(run))? * RUN;
    Some(run + data[run..].iter().position(|value| !value.is_finite())?)
}

/// How many numbers a shape has, if they can be counted, with their bytes.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    let length = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side))?;
    length.checked_mul(size_of::<f64>()).and(Some(length))
}
