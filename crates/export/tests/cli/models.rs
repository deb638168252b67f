//! Models that are written, and what is in them.

use super::{DIM, export, head, room};
use engine::{Executor, Interpreter};
use head::{Head, HeadKind};
use input::Recipe;
use std::fs;

#[test]
fn an_onnx_file_gives_the_heads_logits_by_itself() {
    for kind in [HeadKind::Linear, HeadKind::Mlp] {
        let room = room(|made| *made = head(kind));
        let run = export(&room, &["x.head", "-o", "x.onnx"]).fine();
        assert_eq!(run.stdout(), "");
        let line = run.stderr();
        assert!(
            line.starts_with("export: 3 classes, logits of the probes within ")
                && line.ends_with(" → x.onnx\n"),
            "{line}"
        );
        assert_eq!(room.names(), ["x.head", "x.onnx"]);

        let model = onnx::read(&fs::read(room.path("x.onnx")).unwrap()).unwrap();
        let value = |key: &str| model.metadata.iter().find(|(k, _)| k == key).unwrap().1.clone();
        assert_eq!(value("headstart.classes"), r#"["daisy","roses","tulips"]"#);
        assert_eq!(value("headstart.backbone"), "headstart_tiny");
        let head = Head::read(&room.path("x.head")).unwrap();
        assert_eq!(value("headstart.head"), head.digest().to_string());
        assert_eq!(value("headstart.weights"), head.sources[0].network().unwrap().weights.to_string());
        let recipe: Recipe = serde_json::from_str(&value("headstart.preprocessing")).unwrap();
        assert_eq!(head.sources[0].network().unwrap().recipe, recipe);

        let outputs = Interpreter::new(model, &recipe).unwrap().run(recipe.probes().batch()).unwrap();
        let outputs: Vec<&[f32]> =
            outputs.iter().map(|each| &each[2 * each.len() / 4..][..each.len() / 4]).collect();
        let [_, logits, probabilities] = outputs.as_slice() else { panic!("{} outputs", outputs.len()) };
        let expected = head::logits(&head.layers, &head.probes[2 * DIM..][..DIM]);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
        assert!(logits.iter().zip(&expected).all(near), "{logits:?} {expected:?}");
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{probabilities:?}");
    }
}

#[test]
fn a_folder_says_how_to_assemble_it() {
    let room = room(|_| {});
    let run = export(&room, &["x.head", "-o", "model/", "--verbose"]).fine();
    assert!(run.last_line().ends_with(" → model/"), "{}", run.stderr());
    assert_eq!(run.stderr().lines().count(), 2);
    let files = room.bytes("model");
    let names: Vec<_> = files.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["config.json", "model.safetensors"]);
    let permissions = |name: &str| std::fs::metadata(room.path("model").join(name)).unwrap().permissions();
    assert_eq!(permissions("model.safetensors"), permissions("config.json"));

    let config: serde_json::Value = serde_json::from_slice(files.values().next().unwrap()).unwrap();
    assert_eq!(config["format"], "headstart-model");
    assert_eq!(config["classes"][2], "tulips");
    assert_eq!(config["head"], serde_json::json!([[3, DIM]]));
    assert!(config["assembly"].as_str().unwrap().contains("softmax"));
    let weights = weights::open(&room.path("model/model.safetensors")).unwrap();
    assert_eq!(weights.shape("head.0.weight"), Some(&[3, DIM][..]));
    assert_eq!(weights.shape("head.0.bias"), Some(&[3][..]));
    assert!(weights.shape("conv1.weight").is_some());
    assert_eq!(weights.read("head.0.weight").unwrap().unwrap().data, head(HeadKind::Linear).layers[0].weight);
}

#[test]
fn the_same_head_gives_the_same_bytes() {
    let room = room(|_| {});
    for (output, names) in [("x.onnx", 1), ("model", 2)] {
        export(&room, &["x.head", "-o", output]).fine();
        let first = room.bytes(output);
        assert_eq!(first.len(), names);
        let run = export(&room, &["x.head", "-o", output, "--force", "--threads", "1", "--quiet"]).fine();
        assert_eq!(run.stderr(), "");
        assert_eq!(room.bytes(output), first, "{output}");
    }
}

#[test]
fn the_format_asked_for_wins_over_the_name() {
    let room = room(|_| {});
    export(&room, &["x.head", "-o", "model", "--to", "onnx"]).fine();
    assert!(room.path("model").is_file());
    export(&room, &["x.head", "-o", "folder.onnx", "--to", "safetensors"]).fine();
    assert!(room.path("folder.onnx/config.json").is_file());
}
