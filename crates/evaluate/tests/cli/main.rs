//! `evaluate` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod foreign;
mod heads;
mod metrics;
mod page;
mod protocol;
mod usage;

use features::{Features, FeaturesWriter, Lineage, NewFeatures, Row};
use harness::{Made, Room, Run, flip};
use head::{Head, HeadKind, Novelty};
use input::{
    Recipe,
    image::{Decode, Preprocessing},
};
use polars::prelude::DataFrame;
use sample::Split;
use store::{Digest, table};
use weights::Dense;

const TOOL: &str = env!("CARGO_BIN_EXE_evaluate");

fn evaluate(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}

/// A head that tells the classes of the made features apart, mostly: it adds up each class's columns.
fn head(room: &Room, features: &str) -> Head {
    let features = Features::open(&room.path(features)).unwrap();
    let (inputs, outputs) = (features.dim(), features.column("label").unwrap().words().len());
    let own = |i: usize| (i % inputs) % outputs == i / inputs;
    let weight: Vec<f32> = (0..outputs * inputs).map(|i| if own(i) { 0.5 } else { 0.0 }).collect();
    // Columns are shifted by their number; the biases take that back.
    let bias =
        weight.chunks(inputs).map(|row| -row.iter().enumerate().map(|(i, w)| i as f32 * w).sum::<f32>());
    Head {
        graph: None,
        memory: None,
        kind: HeadKind::Linear,
        classes: features.column("label").unwrap().words().to_vec(),
        targets: Default::default(),
        pool: None,
        layers: vec![Dense { inputs, outputs, bias: bias.collect(), weight }],
        novelty: None,
        sources: vec![features.index().source.clone()],
        probes: features.probes(),
        fit: serde_json::json!({}),
        features: features.digest(),
        seen: None,
    }
}

/// The same of two features side by side: what each says is added up.
fn joined(room: &Room, features: [&str; 2]) -> Head {
    let [a, b] = features.map(|features| head(room, features));
    let [of_a, of_b] = [&a.layers[0], &b.layers[0]];
    let rows = of_a.weight.chunks(of_a.inputs).zip(of_b.weight.chunks(of_b.inputs));
    let probes = a.probes.chunks(a.dim()).zip(b.probes.chunks(b.dim()));
    Head {
        layers: vec![Dense {
            inputs: of_a.inputs + of_b.inputs,
            outputs: of_a.outputs,
            weight: rows.flat_map(|(a, b)| [a, b].concat()).collect(),
            bias: of_a.bias.iter().zip(&of_b.bias).map(|(a, b)| a + b).collect(),
        }],
        novelty: None,
        sources: [a.sources.clone(), b.sources.clone()].concat(),
        probes: probes.flat_map(|(a, b)| [a, b].concat()).collect(),
        ..a
    }
}

/// A room with `x.features` and `x.head`.
fn room(made: &Made) -> Room {
    let room = Room::new();
    room.features("x.features", made);
    head(&room, "x.features").write(&room.path("x.head"), false).unwrap();
    room
}

/// Features `to` like `from`, whose values `change` has had a look at: of each row its id, split and values.
fn remade(room: &Room, from: &str, to: &str, change: impl Fn(&str, Split, &mut [f32])) {
    let features = Features::open(&room.path(from)).unwrap();
    let (columns, dim) = (features.columns().to_vec(), features.dim());
    let plan = NewFeatures { columns, dim, source: features.index().source.clone(), shard_bytes: 1 << 20 };
    let mut writer = FeaturesWriter::create(&room.path(to), false, plan).unwrap();
    let mut values = vec![0.0; dim];
    for row in features.samples() {
        features.copy_row(row, &mut values);
        let label = features.text(row, "label");
        let (id, split, key) = (features.id(row), features.split(row), features.key(row));
        change(id, split, &mut values);
        writer.push(Row { id, texts: &[label], split, key, values: &values }).unwrap();
    }
    let lineage = Lineage { dataset: Digest::of(to.as_bytes()), tool: "extract 0.1.0".into() };
    writer.finish(&features.probes(), lineage, Vec::new()).unwrap();
}

fn text(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap().str().unwrap();
    column.iter().map(|value| value.unwrap_or("null").to_owned()).collect()
}

/// The value of one row of the table.
fn value(frame: &DataFrame, split: &str, scope: &str, metric: &str, class: &str) -> f64 {
    let keys = ["split", "scope", "metric", "class"].map(|name| text(frame, name));
    let rows = 0..frame.height();
    let mut found = rows.filter(|&row| {
        keys.iter().zip([split, scope, metric, class]).all(|(column, wanted)| column[row] == wanted)
    });
    let row = found.next().unwrap_or_else(|| panic!("no {split} {scope} {metric} {class}"));
    assert_eq!(found.next(), None, "{split} {scope} {metric} {class} is there twice");
    frame.column("value").unwrap().f64().unwrap().get(row).unwrap()
}
