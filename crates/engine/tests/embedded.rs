//! The embedded networks against float64 answers that their recipes left beside the weights: PyTorch's of
//! `data/backbone/train.py`, and those of `data/words/train.py`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::Tolerance;
use headstart_engine::{Cpu, Executor as _, Reference};
use input::{Inputs, text::tokens_of};
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

#[test]
fn headstart_words_is_what_was_learnt() {
    let probe: serde_json::Value =
        serde_json::from_str(include_str!("../../../data/words/probe.json")).unwrap();
    let entry = zoo::find("headstart_words").unwrap();
    let full = entry.network();
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    let bound = Bound::bind(full.for_taps(&["sentence"]).unwrap(), &full, &file).unwrap();
    let how = (entry.recipe)();
    for probe in probe["probes"].as_array().unwrap() {
        let text = probe["text"].as_str().unwrap();
        let digest = store::Digest::of(text.as_bytes());
        let inputs = Inputs::of(how.load(text.as_bytes(), &digest, None, &[0]).unwrap().0);
        let ids: Vec<u32> = tokens_of(inputs.batch()).0.iter().map(|token| token.id()).collect();
        let expected = probe["tokens"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32);
        assert_eq!(ids, expected.collect::<Vec<u32>>(), "{text}");
        let expected: Vec<f32> =
            probe["sentence"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let reference = Reference::new(bound.clone(), &how).unwrap().run(inputs.batch()).unwrap();
        let cpu = Cpu::new(bound.clone(), &how).unwrap().run(inputs.batch()).unwrap();
        for (engine, outputs) in [("reference", reference), ("cpu", cpu)] {
            Tolerance(1e-6).check(&format!("headstart_words, {text}, {engine}"), &outputs[0], &expected);
        }
    }
}
