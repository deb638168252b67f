//! Trained weights with PyTorch's outputs on one photograph, where the files are at hand.

use input::image::Preprocessing;
use network::zoo;
use weights::Bound;

/// A network with trained weights.
pub(crate) struct Golden {
    /// The zoo's name.
    pub(crate) name: &'static str,
    pub(crate) bound: Bound,
    /// (1, 3, 224, 224), normalised.
    pub(crate) input: Vec<f32>,
    /// What PyTorch gives, by the name of the tensor: one an output.
    pub(crate) expected: Vec<(&'static str, Vec<f32>)>,
}

/// (tap, tensor of the golden file).
type Tap = (&'static str, &'static str);

/// (file, network, taps).
const CASES: [(&str, &str, &[Tap]); 3] = [
    ("mobilenet_v2.features", "mobilenet_v2", &[("pooled", "mobilenet_v2.pooled")]),
    (
        "squeezenet1_1",
        "squeezenet1_1",
        &[("gap", "squeezenet1_1.pooled"), ("logits", "squeezenet1_1.logits")],
    ),
    ("resnet18.layer1-3", "resnet18", &[("layer3", "resnet18.layer3.pooled")]),
];

/// All that are at hand; says 'skipped' for what is not.
pub(crate) fn networks() -> Vec<Golden> {
    let Some(golden) = super::shared("weights/golden.safetensors") else { return Vec::new() };
    let golden = weights::open(&golden).unwrap();
    let how = Preprocessing::imagenet();
    let picture = golden.read("image_rgb01").unwrap().unwrap();
    let normalised = picture.data.chunks(224 * 224).zip(how.mean).zip(how.std);
    let input: Vec<f32> =
        normalised.flat_map(|((plane, mean), std)| plane.iter().map(move |x| (x - mean) / std)).collect();
    let mut networks = Vec::new();
    for (file, name, taps) in CASES {
        let Some(path) = super::shared(&format!("weights/{file}.safetensors")) else { continue };
        let full = zoo::find(name).unwrap().network();
        let names: Vec<&str> = taps.iter().map(|(tap, _)| *tap).collect();
        let network = full.for_taps(&names).unwrap();
        let bound = Bound::bind(network, &full, &*weights::open(&path).unwrap()).unwrap();
        let expected = taps.iter().map(|(_, key)| (*key, golden.read(key).unwrap().unwrap().data)).collect();
        networks.push(Golden { name, bound, input: input.clone(), expected });
    }
    networks
}
