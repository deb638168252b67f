//! Weights that nobody trained.

use safetensors::{Dtype, tensor::TensorView};
use std::path::Path;

/// Numbers of a parameter by a formula, with which values neither vanish nor grow.
pub fn formula(name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let fan: usize = shape.iter().skip(1).product::<usize>().max(1);
    let seed = name.bytes().fold(7_usize, |sum, byte| (sum * 31 + byte as usize) % 9973);
    let wave = |i: usize| ((i * 7919 + seed * 104_729) % 20_011) as f32 / 10_005.5 - 1.0;
    let is_vector = shape.iter().filter(|side| **side > 1).count() < 2;
    (0..count)
        .map(|i| match wave(i) {
            x if name.ends_with("running_var") => 1.0 + 0.2 * x,
            x if is_vector && name.ends_with("weight") => 1.0 + 0.2 * x,
            x if is_vector => 0.1 * x,
            x => x * (3.0 / fan as f32).sqrt(),
        })
        .collect()
}

/// Writes a safetensors file of parameters by the formula: names and shapes.
pub fn write_formula<'a>(path: &Path, params: impl IntoIterator<Item = (&'a str, &'a [usize])>) {
    let made: Vec<_> = params
        .into_iter()
        .map(|(name, shape)| {
            let bytes: Vec<u8> = formula(name, shape).iter().flat_map(|x| x.to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = made
        .iter()
        .map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}
