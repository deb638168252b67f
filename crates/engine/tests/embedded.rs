//! The embedded backbone against PyTorch's float64 answer, which `data/backbone/train.py` left beside the weights.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::Tolerance;
use headstart_engine::{Cpu, Reference};
use network::zoo;
use weights::{Bound, SafetensorsFile};

#[test]
fn headstart_tiny_is_what_was_trained() {
    let probe: serde_json::Value =
        serde_json::from_str(include_str!("../../../data/backbone/probe.json")).unwrap();
    let expected: Vec<f32> =
        probe["pooled"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect();
    let entry = zoo::find("headstart_tiny").unwrap();
    let full = entry.network();
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    let bound = Bound::bind(full.for_taps(&["pooled"]).unwrap(), &full, &file).unwrap();
    // The formula that probe.json states.
    let input: Vec<f32> = (0..3 * 64 * 64)
        .map(|i| (i / 4096, i / 64 % 64, i % 64))
        .map(|(c, y, x)| (0.1 * (c + 1) as f64 * x as f64 + 0.07 * y as f64).sin() as f32)
        .collect();
    let how = (entry.recipe)();
    let reference = Reference::new(bound.clone(), &how).unwrap().run_tensor(&input, [1, 3, 64, 64]).unwrap();
    let cpu = Cpu::new(bound, &how).unwrap().run_tensor(&input, 1, |_, _| {}).unwrap();
    for (engine, outputs) in [("reference", reference), ("cpu", cpu)] {
        Tolerance(1e-5).check(&format!("headstart_tiny/pooled, {engine}"), &outputs[0], &expected);
    }
}
