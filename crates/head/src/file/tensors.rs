//! The tensors of a head's file.

use safetensors::{Dtype, SafeTensors};
use store::{Digest, DigestBuilder};

/// A tensor to write.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) data: Vec<u8>,
}

impl Named {
    pub(super) fn floats(name: &str, shape: Vec<usize>, values: &[f32]) -> Named {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Named { name: name.to_owned(), dtype: Dtype::F32, shape, data }
    }

    pub(super) fn whole(name: &str, values: &[u32]) -> Named {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Named { name: name.to_owned(), dtype: Dtype::U32, shape: vec![values.len()], data }
    }

    pub(super) fn longs(name: &str, values: &[u64]) -> Named {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Named { name: name.to_owned(), dtype: Dtype::U64, shape: vec![values.len()], data }
    }
}

/// Values and shape of an f32 tensor.
pub(super) fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
    numbers(tensors, name, Dtype::F32, f32::from_le_bytes)
}

/// Values and shape of a u32 tensor.
pub(super) fn whole(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<u32>, Vec<usize>), String> {
    numbers(tensors, name, Dtype::U32, u32::from_le_bytes)
}

/// Values and shape of a u64 tensor.
pub(super) fn longs(tensors: &SafeTensors<'_>, name: &str) -> Result<(Vec<u64>, Vec<usize>), String> {
    numbers(tensors, name, Dtype::U64, u64::from_le_bytes)
}

/// Values of N bytes each.
fn numbers<const N: usize, T>(
    tensors: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    of: impl Fn([u8; N]) -> T,
) -> Result<(Vec<T>, Vec<usize>), String> {
    let view = tensors.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
    if view.dtype() != dtype {
        return Err(format!("tensor `{name}` is {:?}, expected {dtype:?}", view.dtype()));
    }
    let (values, _) = view.data().as_chunks::<N>();
    Ok((values.iter().map(|&value| of(value)).collect(), view.shape().to_vec()))
}

/// Of names, shapes and bytes.
pub(super) fn digest<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>) -> Digest {
    let mut builder = DigestBuilder::new();
    for (name, shape, data) in tensors {
        let shape: Vec<u8> = shape.iter().flat_map(|&side| (side as u64).to_le_bytes()).collect();
        builder.field(name.as_bytes()).field(&shape).field(data);
    }
    builder.finish()
}
