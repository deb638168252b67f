//! The zoo against torchvision in float64, every parameter filled by a formula: relative L2 error at most 1e-5.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifact::Preprocessing;
use common::Tolerance;
use headstart_engine::{Cpu, Reference};
use network::zoo;
use std::{fs, time::Instant};

const TOLERANCE: Tolerance = Tolerance(1e-5);

/// Checks one network at all taps that torchvision's outputs are kept of, in one pass.
fn check(name: &str, taps: &[&str]) {
    let bytes = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/torchvision.safetensors")).unwrap();
    let expected = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let network = (zoo::find(name).unwrap().build)().for_taps(taps).unwrap();
    let reference = Reference::new(common::filled(network), &Preprocessing::imagenet()).unwrap();
    let input = common::image(224, 2);
    let start = Instant::now();
    let outputs = reference.run_tensor(&input, [2, 3, 224, 224]).unwrap();
    println!("{name}: {:.2} images/s", 2.0 / start.elapsed().as_secs_f64());
    drop(reference);
    let network = (zoo::find(name).unwrap().build)().for_taps(taps).unwrap();
    let cpu = Cpu::new(common::filled(network), &Preprocessing::imagenet()).unwrap();
    let ours = cpu.run_tensor(&input, 2, |_, _| {}).unwrap();
    assert!(outputs.len() == taps.len() && ours.len() == taps.len());
    for (tap, (got, ours)) in taps.iter().zip(outputs.iter().zip(&ours)) {
        let key = format!("torchvision/{name}@224/{tap}");
        let values = expected.tensor(&key).unwrap();
        let values: Vec<f32> = values.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        TOLERANCE.check(&format!("{key}, reference"), got, &values);
        TOLERANCE.check(&format!("{key}, cpu"), ours, &values);
    }
}

#[test]
fn residual_networks() {
    check("resnet18", &["pooled", "logits"]);
    check("resnet34", &["pooled", "logits"]);
    check("resnet50", &["pooled", "logits"]);
}

#[test]
fn vgg() {
    // One after the other: each needs about a gibibyte for its weights.
    for name in ["vgg11", "vgg16", "vgg16_bn", "vgg19"] {
        check(name, &["gap", "fc7", "logits"]);
    }
}

#[test]
fn mobilenet_v2() {
    check("mobilenet_v2", &["pooled", "logits"]);
}

#[test]
fn squeezenet() {
    check("squeezenet1_1", &["gap", "logits"]);
}
