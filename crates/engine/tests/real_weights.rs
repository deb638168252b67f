//! Trained weights against PyTorch's outputs on one photograph. Skipped where the files are not at hand.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifact::Preprocessing;
use common::Tolerance;
use headstart_engine::{Cpu, Reference};
use network::{Bound, WeightFile, zoo};

const TOLERANCE: Tolerance = Tolerance(1e-5);

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

#[test]
fn outputs_are_pytorchs() {
    let Some(golden) = common::shared("weights/golden.safetensors") else { return };
    let golden = WeightFile::open(&golden).unwrap();
    let mean_std = Preprocessing::imagenet();
    let picture = golden.read("image_rgb01").unwrap().unwrap();
    let normalised = picture.data.chunks(224 * 224).zip(mean_std.mean).zip(mean_std.std);
    let input: Vec<f32> =
        normalised.flat_map(|((plane, mean), std)| plane.iter().map(move |x| (x - mean) / std)).collect();
    for (file, name, taps) in CASES {
        let Some(path) = common::shared(&format!("weights/{file}.safetensors")) else { continue };
        let full = (zoo::find(name).unwrap().build)();
        let names: Vec<&str> = taps.iter().map(|(tap, _)| *tap).collect();
        let network = full.for_taps(&names).unwrap();
        let bound = Bound::bind(network, &full, &WeightFile::open(&path).unwrap()).unwrap();
        let reference =
            Reference::new(bound.clone(), &mean_std).unwrap().run_tensor(&input, [1, 3, 224, 224]).unwrap();
        let cpu = Cpu::new(bound, &mean_std).unwrap().run_tensor(&input, 1, |_, _| {}).unwrap();
        for ((_, key), (reference, cpu)) in taps.iter().zip(reference.iter().zip(&cpu)) {
            let expected = golden.read(key).unwrap().unwrap().data;
            TOLERANCE.check(&format!("{key}, reference"), reference, &expected);
            TOLERANCE.check(&format!("{key}, cpu"), cpu, &expected);
        }
    }
}
