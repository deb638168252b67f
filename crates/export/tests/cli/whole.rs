//! Models with more inside than a network and layers: preprocessing, f16, neighbours, distances, several backbones.

use super::{DIM, export, head, room};
use engine::{Cpu, Executor, Interpreter};
use features::NetworkSource;
use harness::Room;
use head::{Distances, Head, HeadKind, Memory, Novelty, Scorer};
use input::{
    PROBES, Recipe,
    image::{self, Channels, Filter, Preprocessing, Resize},
};
use network::zoo;
use onnx::{Input, Model};
use sample::targets::{TargetSpec, TargetsFrom, Task, Truth};
use std::fs;
use weights::{Bound, Dense, SafetensorsFile};

fn model(room: &Room) -> Model {
    onnx::read(&fs::read(room.path("x.onnx")).unwrap()).unwrap()
}

fn said(model: &Model, key: &str) -> Option<String> {
    model.metadata.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone())
}

/// What a model that takes pictures as they are makes of the probes: (4, width) of the output of that name.
fn of_probes(model: Model, name: &str) -> Vec<f32> {
    let interpreter = Interpreter::of(model, &[]).unwrap();
    let at = interpreter.outputs().position(|own| own == name).unwrap();
    (0..PROBES).flat_map(|k| interpreter.run_picture(&image::probe(k)).unwrap().swap_remove(at)).collect()
}

fn near(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(1.0_f32, |largest, x| largest.max(x.abs()));
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * largest, "{got:?} {expected:?}");
    }
}

/// Rows of length 1: the probes' own features, and what lies between them.
fn memory(probes: &[f32], truth: Truth) -> Memory {
    let row = |k: usize| &probes[k * DIM..][..DIM];
    let mut rows = Vec::new();
    for n in 0..8 {
        let mixed: Vec<f32> = row(n % 4)
            .iter()
            .zip(row((n + 1) % 4))
            .map(|(a, b)| if n < 4 { *a } else { a + 0.4 * b })
            .collect();
        let length = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
        rows.extend(mixed.iter().map(|x| x / length));
    }
    Memory { neighbours: 3, temperature: 0.07, dim: DIM, rows, truth }
}

/// Near the first two probes, at a scale of their features.
fn novelty(probes: &[f32], classes: usize, threshold: f64) -> Novelty {
    let weight = (0..DIM * DIM).map(|at| if at % DIM == at / DIM { 1.5 } else { 0.001 }).collect();
    let whitening = Dense { inputs: DIM, outputs: DIM, weight, bias: vec![-0.25; DIM] };
    let means = (0..classes * DIM).map(|at| 1.5 * probes[at % (2 * DIM)] - 0.25).collect();
    Novelty { whitening, means, threshold }
}

#[test]
fn a_model_takes_pictures_as_they_are() {
    let room = room(|_| {});
    room.pictures("photos", 3, 4);
    room.write("photos/class0/none.png", "no picture");
    let flags = ["x.head", "-o", "x.onnx", "--with-preprocessing", "--images", "photos"];
    let line = export(&room, &flags).fine().stderr();
    assert!(
        line.contains("; on 12 pictures within ") && line.contains("the class always the same"),
        "{line}"
    );
    assert!(line.contains("; 1 could not be decoded → x.onnx"), "{line}");
    let first = room.bytes("x.onnx");
    export(&room, &[&flags[..], &["--force", "--threads", "1"]].concat()).fine();
    assert_eq!(room.bytes("x.onnx"), first, "the same bytes");

    let made = model(&room);
    assert_eq!(made.inputs, [Input::Image]);
    let found: serde_json::Value = serde_json::from_str(&said(&made, "headstart.verified").unwrap()).unwrap();
    assert_eq!((&found["pictures"]["samples"], &found["pictures"]["skipped"]), (&12.into(), &1.into()));
    assert_eq!(found["pictures"]["same_class"], 12);
    assert!(found["pictures"]["largest_difference"].as_f64().unwrap() < 1e-4);
    assert!(found["pictures"]["sample"].as_str().unwrap().ends_with(".png"));
    near(&of_probes(made, "features"), &head(HeadKind::Linear).probes, 1e-4);

    let few = [&flags[..], &["--verify-samples", "5", "--force"]].concat();
    assert!(export(&room, &few).fine().stderr().contains("; on 5 pictures within "));
    // Without pictures of somebody the made-up ones are all.
    let line = export(&room, &["x.head", "-o", "x.onnx", "--with-preprocessing", "--force"]).fine().stderr();
    assert!(!line.contains("pictures"), "{line}");
    let found: serde_json::Value =
        serde_json::from_str(&said(&model(&room), "headstart.verified").unwrap()).unwrap();
    assert!(found["pictures"].is_null());
}

#[test]
fn weights_of_half_the_bytes() {
    let room = room(|_| {});
    export(&room, &["x.head", "-o", "x.onnx"]).fine();
    let whole = room.bytes("x.onnx").into_values().next().unwrap().len();
    assert_eq!(said(&model(&room), "headstart.dtype"), None);
    let line = export(&room, &["x.head", "-o", "x.onnx", "--dtype", "f16", "--force"]).fine().stderr();
    assert!(line.contains(", weights in f16 → x.onnx"), "{line}");
    let half = room.bytes("x.onnx").into_values().next().unwrap().len();
    assert!(100 * half < 62 * whole, "{half} of {whole} bytes");
    let made = model(&room);
    assert_eq!(said(&made, "headstart.dtype").as_deref(), Some("f16"));
    assert!(said(&made, "headstart.verified").unwrap().starts_with(r#"{"pictures":null,"probes":"#));
    export(&room, &["x.head", "-o", "x.onnx", "--dtype", "f16", "--force", "--tolerance", "1e-6"])
        .failed(3, &["at most 1e-6 passes"]);
    export(&room, &["x.head", "-o", "x.onnx", "--dtype", "f32", "--force"]).fine();
    assert_eq!(room.bytes("x.onnx").into_values().next().unwrap().len(), whole);
}

#[test]
fn neighbours_vote_and_distances_are_measured() {
    let own = head(HeadKind::Knn);
    let values = || (0..24).map(|at| f64::from(at * 5 % 3 == 1));
    for (task, truth) in [
        (Task::Class, Truth::Class(vec![2, 0, 1, 0, 0, 1, 1, 2])),
        (Task::Labels, Truth::Labels(values().collect())),
        (Task::Numbers, Truth::Numbers(values().map(|x| 7.0 * x - 3.0).collect())),
    ] {
        let from = if task == Task::Class { TargetsFrom::default() } else { TargetsFrom::Columns };
        let classes = if task == Task::Class { 3 } else { 1 };
        // Between the distances of the first two probes and those of the others.
        let limit = novelty(&own.probes, classes, 0.0);
        let mut distances = Distances::of(&limit).of_rows(&own.probes);
        let expected = distances.clone();
        distances.sort_by(f32::total_cmp);
        let threshold = f64::from(distances[1] + distances[2]) / 2.0;
        let threshold = f64::from(threshold as f32);
        let room = room(|made| {
            *made = Head {
                targets: TargetSpec { task, from },
                memory: Some(memory(&own.probes, truth.clone())),
                novelty: Some(novelty(&own.probes, classes, threshold)),
                ..head(HeadKind::Knn)
            };
        });
        export(&room, &["x.head", "-o", "x.onnx", "--with-preprocessing"]).fine();
        let read = Head::read(&room.path("x.head")).unwrap();
        let scores = Scorer::of(&read).unwrap().of_rows(&read.probes);
        let name = if task == Task::Numbers { "values" } else { "logits" };
        near(&of_probes(model(&room), name), &scores, 1e-3);
        near(&of_probes(model(&room), "distance"), &expected, 1e-4);
        let novel = of_probes(model(&room), "novel");
        let told: Vec<f32> =
            expected.iter().map(|&d| f32::from(u8::from(f64::from(d) > threshold))).collect();
        assert_eq!(novel, told);
        assert_eq!(novel.iter().sum::<f32>(), 2.0);
        assert!(said(&model(&room), "headstart.novelty_threshold").is_some());
        // A distance that the file does not give.
        let mut tampered = read;
        tampered.novelty.as_mut().unwrap().whitening.bias[3] = f32::MAX;
        tampered.write(&room.path("x.head"), true).unwrap();
        export(&room, &["x.head", "-o", "x.onnx", "--force"]).failed(3, &["distances differ"]);
    }
}

/// The embedded network behind another recipe: its source, and the probes' features.
fn other() -> (NetworkSource, Vec<f32>) {
    let entry = zoo::find("headstart_tiny").unwrap();
    let full = entry.network();
    let pruned = full.for_taps(&["layer3"]).unwrap();
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    let bound = Bound::bind(pruned.clone(), &full, &file).unwrap();
    let (resize, filter, channels) = (Resize::Exact(48, 72), Filter::Bicubic, Channels::Bgr);
    let recipe: Recipe =
        Preprocessing { resize, filter, channels, crop: None, ..Preprocessing::imagenet() }.into();
    let (weights, network) = (bound.digest(), pruned.fingerprint());
    let probes = Cpu::new(bound, &recipe).unwrap().run(recipe.probes().batch()).unwrap().remove(0);
    let first = head(HeadKind::Linear).sources.remove(0);
    let first = first.network().unwrap().clone();
    (NetworkSource { tap: "layer3".to_owned(), network, weights, recipe, ..first }, probes)
}

#[test]
fn two_backbones_are_one_model() {
    let (source, own) = other();
    let width = own.len() / PROBES;
    // The other one first, so that inputs and features have an order to keep.
    let room = room(|made| {
        let beside = |k: usize| [&own[k * width..][..width], &made.probes[k * DIM..][..DIM]].concat();
        made.probes = (0..PROBES).flat_map(beside).collect();
        made.sources.insert(0, source.clone().into());
        made.layers = vec![super::dense(width + DIM, 3)];
    });
    let expected = Head::read(&room.path("x.head")).unwrap();
    let scores = Scorer::of(&expected).unwrap().of_rows(&expected.probes);
    export(&room, &["x.head", "-o", "x.onnx"]).fine();
    let made = model(&room);
    let [Input::Pixels { name, sides }, Input::Pixels { name: second, .. }] = &made.inputs[..] else {
        panic!("{:?}", made.inputs)
    };
    assert_eq!((name.as_str(), *sides, second.as_str()), ("pixels", [3, 48, 72], "pixels_1"));
    assert_eq!(said(&made, "headstart.backbone").as_deref(), Some("headstart_tiny + headstart_tiny"));
    let recipe: Recipe = serde_json::from_str(&said(&made, "headstart.preprocessing").unwrap()).unwrap();
    let second: Recipe = serde_json::from_str(&said(&made, "headstart.preprocessing_1").unwrap()).unwrap();
    assert_eq!(recipe, source.recipe);
    let probes = [recipe.probes(), second.probes()];
    let interpreter = Interpreter::of(made, &[&recipe, &second]).unwrap();
    let outputs = interpreter.run_all(&[probes[0].batch(), probes[1].batch()]).unwrap();
    near(&outputs[0], &expected.probes, 1e-4);
    near(&outputs[1], &scores, 1e-4);

    export(&room, &["x.head", "-o", "x.onnx", "--force", "--with-preprocessing"]).fine();
    let made = model(&room);
    assert_eq!(made.inputs, [Input::Image]);
    near(&of_probes(made, "logits"), &scores, 1e-4);
    let told = ["of inputs that were prepared in two ways; give --to onnx"];
    export(&room, &["x.head", "-o", "model"]).failed(1, &told);
}
