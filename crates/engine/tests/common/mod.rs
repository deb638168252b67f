//! What the engine's tests share: the formula that fills networks and inputs, and the one tolerance.
//!
//! bits(name, i) = splitmix64(fnv1a64(name) + (i + 1) · 0x9E3779B97F4A7C15), u = (bits >> 40) / 2²⁴, v = 2u − 1, all in
//! f64 and rounded once to f32. Any language can repeat it, so networks of any size are checked without a weight file.

#![allow(dead_code, clippy::allow_attributes, reason = "every test file uses a part of this")]

pub(crate) mod golden;
pub(crate) mod rows;
pub(crate) mod text_networks;

use headstart_engine::{EngineError, Executor};
use input::{
    Batch, Recipe,
    image::{Preprocessing, Resize},
    text::{Tokenisation, Tokenizer},
};
use network::{Network, Param, Stored, Turn};
use rayon::prelude::*;
use std::path::PathBuf;
use weights::{Bound, Tensor};

/// The largest relative L2 error that passes.
pub(crate) struct Tolerance(pub(crate) f64);

impl Tolerance {
    /// The [`error`], printed; panics where it is too large or the lengths differ.
    pub(crate) fn check(&self, what: &str, got: &[f32], expected: &[f32]) {
        let error = error(got, expected);
        println!("{what}: relative L2 error {error:.2e}");
        assert!(error <= self.0, "{what}: relative L2 error {error:.2e}, allowed {:.0e}", self.0);
    }
}

/// ‖got − expected‖ / ‖expected‖; panics where the lengths differ.
pub(crate) fn error(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let error = square(&mut got.iter().zip(expected).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    (error / square(&mut expected.iter().map(|b| f64::from(*b)))).sqrt()
}

/// u(name, i) in [0, 1).
pub(crate) fn uniform(name: &str, i: usize) -> f64 {
    uniform_of(fnv1a(name), i)
}

/// Pictures of `side` pixels, as they are.
pub(crate) fn sized(side: usize) -> Recipe {
    let side = u32::try_from(side).unwrap();
    let (resize, crop) = (Resize::Exact(side, side), Some((side, side)));
    Preprocessing { resize, crop, ..Preprocessing::imagenet() }.into()
}

/// Runs n pictures that lie one after the other.
pub(crate) trait RunAlike: Executor {
    fn run_alike(&mut self, pixels: &[u8], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        let ends: Vec<usize> = (1..=n).map(|i| pixels.len() / n * i).collect();
        self.run(Batch::new(pixels, &ends))
    }
}

impl<E: Executor> RunAlike for E {}

/// A network with every parameter filled by the formula.
pub(crate) fn filled(network: Network) -> Bound {
    filled_as(network, str::to_owned)
}

/// The same by the names that `naming` gives to parameters, so that the peer of those names has the same numbers.
pub(crate) fn filled_as(network: Network, naming: fn(&str) -> String) -> Bound {
    Bound::from_tensors(network, "formula", |param| Some(fill(&naming(&param.name), param))).unwrap()
}

/// The same where a peer keeps a parameter in several tensors, one after the other.
pub(crate) fn filled_in_parts(network: Network, place: fn(&str) -> Stored) -> Bound {
    let tensor = |param: &Param| match place(&param.name) {
        Stored::As(name) => fill(&name, param),
        Stored::Rows(parts) => {
            let mut shape = param.shape.clone();
            shape[0] /= parts.len();
            let part = Param { name: String::new(), shape };
            let each = parts.iter().flat_map(|place| place.names()).map(|name| fill(name, &part).data);
            Tensor { shape: param.shape.clone(), data: each.collect::<Vec<_>>().concat() }
        }
        Stored::Part { name, parts, of } => {
            let mut shape = param.shape.clone();
            shape[0] *= of;
            let whole = fill(&name, &Param { name: String::new(), shape }).data;
            let data = whole[param.len() * parts.start..][..param.len()].to_vec();
            Tensor { shape: param.shape.clone(), data }
        }
        Stored::Turned(name, Turn::Dense) => {
            let &[out, inputs] = param.shape.as_slice() else { panic!("{name}: no dense layer") };
            // Its fan-in is that of the layer, however it lies.
            let turned = fill(&name, param).data;
            let data = (0..param.len()).map(|i| turned[i % inputs * out + i / inputs]).collect();
            Tensor { shape: param.shape.clone(), data }
        }
        Stored::Turned(name, turn) => {
            let mut shape = param.shape.clone();
            shape[0] *= if let Turn::OfHeads { .. } = turn { 3 } else { 1 };
            let kept = fill(&name, &Param { name: String::new(), shape });
            weights::restored(turn, &param.shape, &kept).unwrap()
        }
        Stored::Always(value) => Tensor { shape: param.shape.clone(), data: vec![value; param.len()] },
    };
    Bound::from_tensors(network, "formula", |param| Some(tensor(param))).unwrap()
}

/// How texts are made tokens where they are tokens already.
pub(crate) fn texts() -> Recipe {
    let json = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}"#;
    let tokenizer = Tokenizer::of(json.as_bytes().to_vec()).unwrap();
    Recipe::Text(Tokenisation::new(tokenizer, 512, String::new()).unwrap())
}

/// (n, 3, side, side): coarse cells, so that deep features of the pictures differ, plus noise.
pub(crate) fn image(side: usize, n: usize) -> Vec<f32> {
    let value = |i: usize| {
        let (plane, y, x) = (i / (side * side), i / side % side, i % side);
        let coarse = 2.0 * uniform("input", (plane * 14 + y * 14 / side) * 14 + x * 14 / side) - 1.0;
        // The formula doubles and halves the two parts before adding them.
        (2.0 * coarse + 0.5 * (2.0 * uniform("noise", i) - 1.0)) as f32
    };
    (0..n * 3 * side * side).into_par_iter().map(value).collect()
}

/// The place of the real weights, where this checkout has it, or HEADSTART_SHARED says where it is.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("HEADSTART_SHARED");
    let folder = folder.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").into());
    let path = PathBuf::from(folder).join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no `{}`", path.display());
    None
}

/// A parameter's numbers; the first line that fits its name decides.
fn fill(name: &str, param: &Param) -> Tensor {
    let hash = fnv1a(name);
    let fan_in: usize = param.shape[1..].iter().product();
    let is = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    // A layer scale may be stored as (c, 1, 1), but is one number a channel all the same.
    let flat = param.shape.len() == 1;
    // The number is `middle` + `reach` · v.
    let (middle, reach) = match () {
        () if name.ends_with("running_var") => (1.0, 0.5),
        () if name.ends_with("running_mean") => (0.0, 0.1),
        () if is(&["gamma", "layer_scale"]) => (0.5, 0.25),
        () if flat && name.ends_with("weight") => (1.0, 0.25),
        () if flat => (0.0, 0.1),
        () if is(&["token", "position"]) || is(&["embed"]) && !is(&["patch_embed"]) => (0.0, 0.5),
        () if ["wte.weight", "wpe.weight"].contains(&name) => (0.0, 0.5),
        () => (0.0, (6.0 / fan_in as f64).sqrt()),
    };
    let value = |i| (middle + reach * (2.0 * uniform_of(hash, i) - 1.0)) as f32;
    Tensor { shape: param.shape.clone(), data: (0..param.len()).into_par_iter().map(value).collect() }
}

fn fnv1a(name: &str) -> u64 {
    name.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

fn uniform_of(hash: u64, i: usize) -> f64 {
    let mut z = hash.wrapping_add((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / f64::from(1 << 24)
}
