//! Models of heads that are no classifiers.

use super::{DIM, export, head, room};
use engine::{Executor, Interpreter};
use head::{Head, HeadKind};
use sample::targets::{TargetSpec, TargetsFrom, Task};
use std::fs;

#[test]
fn labels_end_with_a_sigmoid_and_numbers_with_themselves() {
    for (task, kind, line) in [
        (Task::Labels, HeadKind::Linear, "export: 3 labels, logits of the probes within "),
        (Task::Numbers, HeadKind::Mlp, "export: 3 numbers, values of the probes within "),
    ] {
        let room = room(|made| {
            *made = Head { targets: TargetSpec { task, from: TargetsFrom::Columns }, ..head(kind) };
        });
        let run = export(&room, &["x.head", "-o", "x.onnx"]).fine();
        assert!(run.stderr().starts_with(line), "{}", run.stderr());
        let model = onnx::read(&fs::read(room.path("x.onnx")).unwrap()).unwrap();
        let value = |key: &str| model.metadata.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone());
        assert_eq!(value("headstart.task").as_deref(), Some(task.name()));
        let names = if task == Task::Labels { "headstart.classes" } else { "headstart.outputs" };
        assert_eq!(value(names).as_deref(), Some(r#"["daisy","roses","tulips"]"#));
        let outputs: Vec<&str> = model.graph.outputs.iter().map(|output| output.name).collect();
        match task {
            Task::Labels => assert_eq!(outputs, ["features", "logits", "probabilities"]),
            Task::Class | Task::Numbers => assert_eq!(outputs, ["features", "values"]),
        }

        let own = Head::read(&room.path("x.head")).unwrap();
        let recipe = &own.sources[0].network().unwrap().recipe;
        let said = Interpreter::new(model, recipe).unwrap().run(recipe.probes().batch()).unwrap();
        let said: Vec<&[f32]> = said.iter().map(|each| &each[each.len() / 4..][..each.len() / 4]).collect();
        let expected = head::logits(&own.layers, &own.probes[DIM..][..DIM]);
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
        assert!(said[1].iter().zip(&expected).all(near), "{:?} {expected:?}", said[1]);
        if task == Task::Labels {
            for (p, z) in said[2].iter().zip(said[1]) {
                assert!((p - 1.0 / (1.0 + (-z).exp())).abs() < 1e-5, "{p} {z}");
            }
        }

        export(&room, &["x.head", "-o", "model"]).fine();
        let config = fs::read(room.path("model/config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["task"], task.name());
        assert!(!config["assembly"].as_str().unwrap().contains("softmax"));
    }
}
