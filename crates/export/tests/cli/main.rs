//! `export` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod hub;
mod hub_texts;
mod keras;
mod matrix;
mod models;
mod refusals;
mod targets;
mod whole;

use engine::Executor;
use features::NetworkSource;
use harness::{Room, Run};
use head::{Head, HeadKind, Memory};
use network::zoo;
use store::{Digest, Dtype};
use weights::{Bound, Dense, SafetensorsFile};

const TOOL: &str = env!("CARGO_BIN_EXE_export");
/// d of headstart_tiny's `pooled`.
const DIM: usize = 224;

fn export(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}

/// A head of three classes behind the embedded backbone, as extract and fit-head would leave it: its probes are what
/// the backbone makes of the probe pictures.
fn head(kind: HeadKind) -> Head {
    let entry = zoo::find("headstart_tiny").unwrap();
    let (full, recipe) = (entry.network(), (entry.recipe)());
    let pruned = full.for_taps(&["pooled"]).unwrap();
    let file = SafetensorsFile::embedded(entry.name, entry.weights.unwrap()).unwrap();
    let bound = Bound::bind(pruned.clone(), &full, &file).unwrap();
    let weights = bound.digest();
    let mut engine = engine::Cpu::new(bound, &recipe).unwrap();
    let probes = engine.run(recipe.probes().batch()).unwrap().remove(0);
    let layers = match kind {
        HeadKind::Linear | HeadKind::Attention => vec![dense(DIM, 3)],
        HeadKind::Mlp => vec![dense(DIM, 5), dense(5, 3)],
        HeadKind::Knn | HeadKind::Network => Vec::new(),
    };
    let memory = Memory {
        neighbours: 1,
        temperature: 0.07,
        dim: DIM,
        rows: vec![(DIM as f32).sqrt().recip(); DIM],
        truth: sample::targets::Truth::Class(vec![2]),
    };
    Head {
        graph: None,
        memory: (kind == HeadKind::Knn).then_some(memory),
        kind,
        classes: ["daisy", "roses", "tulips"].map(str::to_owned).to_vec(),
        targets: Default::default(),
        pool: None,
        layers,
        novelty: None,
        sources: vec![
            NetworkSource {
                backbone: entry.name.to_owned(),
                tap: "pooled".to_owned(),
                shape: [].into(),
                network: pruned.fingerprint(),
                weights,
                recipe,
                dtype: Dtype::F32,
                engine: engine::REVISION.to_owned(),
            }
            .into(),
        ],
        probes,
        fit: serde_json::json!({"head": "made for a test"}),
        features: Digest::of(b"features"),
        seen: None,
    }
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    let weight = (0..inputs * outputs).map(|i| ((i * 7 % 23) as f32 - 11.0) / 16.0).collect();
    Dense { inputs, outputs, weight, bias: (0..outputs).map(|i| i as f32 / 4.0).collect() }
}

/// A room with `x.head`, after `change`.
fn room(change: impl FnOnce(&mut Head)) -> Room {
    let room = Room::new();
    let mut head = head(HeadKind::Linear);
    change(&mut head);
    head.write(&room.path("x.head"), false).unwrap();
    room
}
