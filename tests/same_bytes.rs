//! The same inputs give the same bytes: for any number of threads, any batch, and twice.

use harness::Room;
use std::{collections::BTreeMap, path::PathBuf};

/// How a chain is run.
#[derive(Clone, Copy)]
struct Way {
    threads: &'static str,
    batch: &'static str,
    /// What polars and rayon are told from outside.
    environment: &'static str,
}

const FIRST: Way = Way { threads: "1", batch: "32", environment: "1" };
const OTHERS: [Way; 3] = [
    FIRST,
    Way { threads: "2", batch: "5", environment: "2" },
    Way { threads: "2", batch: "1", environment: "3" },
];

/// Every tool with everything that it writes. File names are the same in every room, since lines name them.
fn chain(room: &Room, way: Way) {
    let environment = [("POLARS_MAX_THREADS", way.environment), ("RAYON_NUM_THREADS", way.environment)];
    let run = |tool: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--threads", way.threads]].concat();
        room.call_with(harness::program(tool), &arguments, &environment).fine()
    };
    let extract = |arguments: &[&str]| {
        run("extract", &[&["data", "-o", "x.features", "--batch", way.batch], arguments].concat())
    };
    extract(&["--tap", "layer2", "--tap", "pooled", "--split", "60/20/20"]);
    extract(&["--dtype", "f16", "--preprocess", "keras", "--resize", "64x64", "--split", "60/20/20"]);
    let features = "x.pooled.features";
    run("fit-head", &[features, "-o", "linear.head", "--l2", "0.1,1,10", "--table", "fits.parquet"]);
    let mlp = ["--head", "mlp:16", "--epochs", "3", "--dropout", "0.3", "--seed", "7"];
    run("fit-head", &[&[features, "-o", "mlp.head", "--table", "epochs.csv"], &mlp[..]].concat());
    for (head, metrics, predictions) in
        [("linear.head", "l.parquet", "lp.parquet"), ("mlp.head", "m.csv", "mp.json")]
    {
        let arguments = [features, head, "-o", metrics, "--predictions", predictions, "--split", "all"];
        let summary = run("evaluate", &arguments).stdout();
        room.write(&format!("{head}.summary"), summary);
    }
    run("export", &["linear.head", "-o", "x.onnx"]);
    run("export", &["mlp.head", "-o", "model"]);
    run("export", &["x.features", "-o", "x.npy", "--rows", "rows.csv"]);
}

fn room() -> Room {
    let room = Room::new();
    room.pictures("data", 3, 12);
    room
}

fn differing(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<PathBuf> {
    let names = a.keys().chain(b.keys()).filter(|name| a.get(*name) != b.get(*name));
    names.cloned().collect()
}

#[test]
fn whole_chains_agree_to_the_byte() {
    let first = room();
    chain(&first, FIRST);
    let expected = first.bytes("");
    // Pictures; three features of three files; two heads; six tables; two summaries; ONNX; a folder of two; a matrix.
    assert_eq!(expected.len(), 36 + 9 + 2 + 6 + 2 + 1 + 2 + 1 + 1);
    for way in OTHERS {
        let again = room();
        chain(&again, way);
        let differing = differing(&expected, &again.bytes(""));
        assert!(differing.is_empty(), "{} threads, batch {}: {differing:?}", way.threads, way.batch);
    }
}

#[test]
fn no_artefact_says_where_or_when_it_was_made() {
    let room = room();
    chain(&room, FIRST);
    let place = room.path("").to_str().unwrap().trim_end_matches('/').as_bytes().to_vec();
    let bytes = room.bytes("");
    assert!(bytes.len() > 50);
    for (name, content) in bytes {
        assert!(!content.windows(place.len()).any(|window| window == place), "{}", name.display());
    }
}
