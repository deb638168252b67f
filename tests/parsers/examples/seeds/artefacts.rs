//! Features and heads.

use features::{FeaturesWriter, Lineage, NetworkSource, NewFeatures, Row, Source};
use head::{Head, HeadKind};
use input::{Augment, PROBES, Views};
use model::{BUNDLE_FILE, Model, Tower, write_bundle};
use parsers::source;
use sample::Split;
use std::fs;
use store::{Digest, Place};
use weights::{AttentionPool, Bound, Dense, Places, Tensor};

const DIM: usize = 3;

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    let folder = tempfile::tempdir().unwrap();
    for views in [1, 2_u32] {
        let path = folder.path().join(format!("{views}.features"));
        // The rows and shards of `parsers`, which reads indexes beside its own shards.
        let plan = NewFeatures { columns: vec!["label".into()], dim: DIM, source: source(), shard_bytes: 48 };
        let mut writer = FeaturesWriter::create(&path, false, plan).unwrap();
        let all = (views > 1).then(|| Views::new(views, [Augment::Flip], 0));
        if let Some(views) = &all {
            writer = writer.with_views(views.clone());
        }
        for row in 0..6_u8 {
            let (id, split) = (format!("{row}.png"), Split::ALL[usize::from(row) % 3]);
            let values = [f32::from(row), 0.5, -1.0];
            let row = Row {
                id: &id,
                texts: &[["a", "b"][usize::from(row % 2)]],
                split,
                key: Digest::of(&[row]),
                values: &values,
            };
            writer.push(row).unwrap();
            for view in 1..all.as_ref().map_or(1, |views| views.of(split)) {
                writer.push_view(view, row).unwrap();
            }
        }
        let lineage = Lineage { dataset: Digest::of(b"dataset"), tool: "extract 0.1.0".into() };
        writer.finish(&[0.25; PROBES * DIM], lineage, Vec::new()).unwrap();
        write("index", &format!("{views}-views"), &fs::read(path.join("index.json")).unwrap());
        for shard in ["shard-00000.rkyv", "shard-00001.rkyv", "probes.rkyv"] {
            let bytes = fs::read(path.join(shard)).unwrap();
            let viewed = u8::from(views > 1 && shard.starts_with("shard"));
            write("shard", &format!("{views}-{shard}"), &[&[viewed], &bytes[64..]].concat());
        }
    }
    heads(write);
    bundles(write);
}

/// Of one network, and of one that is there twice.
fn bundles(write: &dyn Fn(&str, &str, &[u8])) {
    let folder = tempfile::tempdir().unwrap();
    let network = parsers::network();
    let ones = |param: &network::Param| {
        Some(Tensor { shape: param.shape.clone(), data: vec![1.0; param.shape.iter().product()] })
    };
    let bound = Bound::from_tensors(network, "ones", ones).unwrap();
    let Source::Network(source) = source() else { unreachable!("a network's") };
    let (network, weights) = (bound.network().fingerprint(), bound.digest());
    let source = NetworkSource { network, weights, tap: "fc".to_owned(), ..source };
    let recipe = source.recipe.clone();
    for (name, count) in [("one", 1), ("two", 2)] {
        let head = Head {
            graph: None,
            kind: HeadKind::Linear,
            classes: vec!["a".into(), "b".into()],
            sources: vec![source.clone().into(); count],
            fit: serde_json::json!({}),
            features: Digest::of(b"features"),
            seen: None,
            pool: None,
            layers: vec![Dense { inputs: 2, outputs: 2, weight: vec![0.5; 4], bias: vec![0.0; 2] }],
            memory: None,
            novelty: None,
            targets: Default::default(),
            probes: vec![0.25; PROBES * 2],
        };
        let tower = |at| Tower { bound: bound.clone(), recipe: recipe.clone(), sources: vec![at] };
        let model = Model { head, towers: (0..count).map(tower).collect() };
        let place = Place::file(&folder.path().join(name), false, BUNDLE_FILE).unwrap();
        write_bundle(&model, "seeds", None, &place).unwrap();
        place.commit().unwrap();
        write("bundle", name, &fs::read(folder.path().join(name)).unwrap());
    }
}

fn heads(write: &dyn Fn(&str, &str, &[u8])) {
    let folder = tempfile::tempdir().unwrap();
    let dense = |inputs: usize, outputs: usize| Dense {
        inputs,
        outputs,
        weight: vec![0.5; inputs * outputs],
        bias: vec![0.1; outputs],
    };
    let of = Places { channels: DIM, places: 1, channels_first: true };
    let pool = AttentionPool { of, queries: vec![0.5; DIM] };
    let graph = weights::head_graph(None, &[dense(DIM, 4), dense(4, 2)]).unwrap();
    let kinds = [
        ("linear", HeadKind::Linear, None, None, vec![dense(DIM, 2)]),
        ("mlp", HeadKind::Mlp, None, None, vec![dense(DIM, 4), dense(4, 2)]),
        ("attention", HeadKind::Attention, None, Some(pool), vec![dense(DIM, 2)]),
        ("network", HeadKind::Network, Some(graph), None, Vec::new()),
    ];
    for (name, kind, graph, pool, layers) in kinds {
        let head = Head {
            graph,
            kind,
            classes: vec!["a".into(), "b".into()],
            sources: vec![source()],
            fit: serde_json::json!({"l2": 1.0, "reject_threshold": 0.5}),
            features: Digest::of(b"features"),
            seen: None,
            pool,
            layers,
            memory: None,
            novelty: None,
            targets: Default::default(),
            probes: vec![0.25; PROBES * DIM],
        };
        let path = folder.path().join(name);
        head.write(&path, false).unwrap();
        write("head", name, &fs::read(&path).unwrap());
    }
}
