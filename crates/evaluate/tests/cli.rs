//! `evaluate` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use artifact::{Decode, Dense, Digest, Features, Head, HeadKind, table};
use harness::{Made, Room, Run, flip};
use polars::prelude::DataFrame;

const TOOL: &str = env!("CARGO_BIN_EXE_evaluate");

fn evaluate(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, arguments)
}

/// A head that tells the classes of the made features apart, mostly: it adds up each class's columns.
fn head(room: &Room, features: &str) -> Head {
    let features = Features::open(&room.path(features)).unwrap();
    let (inputs, outputs) = (features.dim(), features.classes().len());
    let own = |i: usize| (i % inputs) % outputs == i / inputs;
    let weight: Vec<f32> = (0..outputs * inputs).map(|i| if own(i) { 0.5 } else { 0.0 }).collect();
    // Columns are shifted by their number; the biases take that back.
    let bias =
        weight.chunks(inputs).map(|row| -row.iter().enumerate().map(|(i, w)| i as f32 * w).sum::<f32>());
    Head {
        memory: None,
        kind: HeadKind::Linear,
        classes: features.classes().to_vec(),
        layers: vec![Dense { inputs, outputs, bias: bias.collect(), weight }],
        source: features.index().source.clone(),
        probes: features.probes(),
        fit: serde_json::json!({}),
        features: features.digest(),
    }
}

/// A room with `x.features` and `x.head`.
fn room(made: &Made) -> Room {
    let room = Room::new();
    room.features("x.features", made);
    head(&room, "x.features").write(&room.path("x.head"), false).unwrap();
    room
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

#[test]
fn help_states_its_files_and_defaults() {
    let room = Room::new();
    let help = evaluate(&room, &["--help"]).fine().stdout();
    for part in [
        "default: test, else val, else train",
        "split, scope, metric, class, value, ci_low, ci_high, n",
        "nats",
        "Reads a folder",
        "Writes one long table",
        "Exit codes",
        "confusion:PREDICTED",
        "id, split, label, predicted",
    ] {
        let flowing = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(part), "no `{part}` in:\n{help}");
    }
}

#[test]
fn the_table_agrees_with_the_predictions() {
    let room = room(&Made::default());
    let run =
        evaluate(&room, &["x.features", "x.head", "-o", "m.parquet", "--predictions", "p.parquet"]).fine();
    assert!(run.stdout().starts_with("test: 30 rows, 3 classes\n"), "{}", run.stdout());
    assert_eq!(run.stderr(), "evaluate: 30 rows, 3 classes → m.parquet, p.parquet\n");

    let predictions = table::read(&room.path("p.parquet")).unwrap();
    let names = predictions.get_column_names();
    assert_eq!(names, ["id", "split", "label", "predicted", "confidence", "probabilities"]);
    let [ids, labels, predicted] = ["id", "label", "predicted"].map(|name| text(&predictions, name));
    assert!(ids.is_sorted());
    let hits = labels.iter().zip(&predicted).filter(|(label, predicted)| label == predicted).count();
    assert!((16..30).contains(&hits), "{hits} of 30: the data should be neither hopeless nor trivial");
    let lists = predictions.column("probabilities").unwrap().list().unwrap().clone();
    for row in 0..30 {
        let list = lists.get_as_series(row).unwrap().f64().unwrap().to_vec();
        let sum: f64 = list.iter().map(|p| p.unwrap()).sum();
        assert!(list.len() == 3 && (sum - 1.0).abs() < 1e-12, "{list:?}");
    }

    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let names = metrics.get_column_names();
    assert_eq!(names, ["split", "scope", "metric", "class", "value", "ci_low", "ci_high", "n"]);
    assert_eq!(value(&metrics, "test", "overall", "accuracy", "null"), hits as f64 / 30.0);
    for class in ["daisy", "roses", "tulips"] {
        assert_eq!(value(&metrics, "test", "class", "support", class), 10.0);
        let right = labels.iter().zip(&predicted).filter(|(l, p)| *l == class && *p == class).count() as f64;
        assert_eq!(value(&metrics, "test", "class", "recall", class), right / 10.0);
        if right > 0.0 {
            assert_eq!(value(&metrics, "test", "confusion", &format!("confusion:{class}"), class), right);
        }
    }
    let intervals = metrics.column("ci_low").unwrap().f64().unwrap().to_vec();
    // Of accuracy, and of each class's precision and recall.
    assert_eq!(intervals.iter().flatten().count(), 7);
    assert!(!text(&metrics, "metric").contains(&"top_5_accuracy".to_owned()), "meaningless with 3 classes");
}

#[test]
fn splits_are_chosen_and_all_come_by_themselves() {
    /// Rows in each split, flags, splits scored, note on stderr.
    type Case = ([usize; 3], &'static [&'static str], &'static [&'static str], &'static str);
    let cases: [Case; 6] = [
        ([30, 10, 10], &[], &["test"], ""),
        ([30, 10, 0], &[], &["val"], "no test rows, so the val rows are scored"),
        ([30, 0, 0], &[], &["train"], "the head has seen them"),
        ([30, 10, 10], &["--split", "train"], &["train"], ""),
        ([30, 10, 10], &["--split", "all"], &["test", "train", "val"], ""),
        ([30, 0, 10], &["--split", "all"], &["test", "train"], ""),
    ];
    for (rows, flags, expected, note) in cases {
        let room = room(&Made { rows, ..Made::default() });
        let run = evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"], flags].concat()).fine();
        let mut splits = text(&table::read(&room.path("m.csv")).unwrap(), "split");
        splits.sort();
        splits.dedup();
        assert_eq!(splits, expected);
        assert!(run.stderr().contains(note), "{}", run.stderr());
        assert_eq!(run.stderr().lines().count(), if note.is_empty() { 1 } else { 2 });
    }
}

#[test]
fn every_format_holds_the_same() {
    let classes = vec!["a", "b", "c", "d", "e", "f, g"];
    let room = room(&Made { classes, rows: [2, 0, 9], dim: 30, ..Made::default() });
    for extension in ["parquet", "csv", "json"] {
        let (metrics, predictions) = (format!("m.{extension}"), format!("p.{extension}"));
        evaluate(&room, &["x.features", "x.head", "-o", &metrics, "--predictions", &predictions]).fine();
    }
    let parquet = table::read(&room.path("m.parquet")).unwrap();
    let csv = table::read(&room.path("m.csv")).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(room.path("m.json")).unwrap()).unwrap();
    let values = parquet.column("value").unwrap().f64().unwrap().to_vec();
    assert!(text(&parquet, "metric").contains(&"top_5_accuracy".to_owned()));
    for (row, value) in values.iter().enumerate() {
        let value = value.unwrap();
        assert_eq!(text(&csv, "value")[row].parse::<f64>().unwrap(), value);
        assert_eq!(json[row]["value"].as_f64().unwrap(), value);
        assert_eq!(text(&csv, "metric")[row], json[row]["metric"]);
    }
    let csv = table::read(&room.path("p.csv")).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(room.path("p.json")).unwrap()).unwrap();
    assert_eq!(csv.get_column_names()[10].as_str(), "probability:f, g");
    for row in 0..csv.height() {
        let from_csv: f64 = text(&csv, "probability:c")[row].parse().unwrap();
        assert_eq!(json[row]["probabilities"][2].as_f64().unwrap(), from_csv);
    }
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let room = room(&Made { dim: 300, rows: [50, 50, 50], ..Made::default() });
    let mut seen = Vec::new();
    for threads in ["1", "2", "3"] {
        let outputs = ["x.features", "x.head", "-o", "m.parquet", "--predictions", "p.parquet", "--force"];
        let flags = ["--split", "all", "--threads", threads];
        let environment = [("POLARS_MAX_THREADS", threads), ("RAYON_NUM_THREADS", threads)];
        let run = room.call_with(TOOL, &[&outputs[..], &flags].concat(), &environment).fine();
        let files = ["m.parquet", "p.parquet"].map(|name| std::fs::read(room.path(name)).unwrap());
        seen.push((run.stdout(), files));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn heads_of_other_features_are_refused() {
    type Change = fn(&mut Head);
    let cases: [(Change, &[&str]); 8] = [
        (|head| head.source.tap = "layer3".into(), &["tap differs", "expected `layer3`, got `pooled`"]),
        (
            |head| head.source.backbone = "vgg16".into(),
            &["backbone differs", "expected `vgg16`, got `resnet18`"],
        ),
        (|head| head.source.weights = Digest::of(b"others"), &["weights differs", "fit-head on these"]),
        (|head| head.source.preprocessing.crop = Some((96, 96)), &["preprocessing differs"]),
        (
            |head| head.source.preprocessing.decode = Decode::Fast,
            &["preprocessing differs", r#""decode":"fast""#],
        ),
        (
            |head| {
                let classes = head.classes.len();
                head.layers[0] =
                    Dense { inputs: 7, outputs: classes, weight: vec![0.0; 21], bias: vec![0.0; 3] };
                head.probes = vec![0.0; 28];
            },
            &["width differs, expected 7, got 20"],
        ),
        (|head| head.classes[1] = "lilies".into(), &["class 1 differs, expected `lilies`, got `roses`"]),
        (
            |head| {
                head.classes.pop();
                head.layers[0].outputs = 2;
                head.layers[0].weight.truncate(40);
                head.layers[0].bias.truncate(2);
            },
            &["number of classes differs, expected 2, got 3"],
        ),
    ];
    for (change, parts) in cases {
        let room = room(&Made::default());
        let mut other = head(&room, "x.features");
        change(&mut other);
        other.write(&room.path("y.head"), false).unwrap();
        let run = evaluate(&room, &["x.features", "y.head", "-o", "m.csv"]);
        run.failed(1, &[&["head `y.head` does not belong to `x.features`"], parts].concat());
        assert_eq!(room.names(), ["x.features", "x.head", "y.head"]);
    }
}

#[test]
fn damaged_inputs_are_refused() {
    let room = room(&Made::default());
    let run = |room: &Room| evaluate(room, &["x.features", "x.head", "-o", "m.csv"]);
    evaluate(&room, &["y.features", "x.head", "-o", "m.csv"]).failed(1, &["cannot read `y.features`"]);
    evaluate(&room, &["x.features", "y.head", "-o", "m.csv"]).failed(1, &["`y.head`"]);

    let shard = room.path("x.features/shard-00001.rkyv");
    let whole = std::fs::read(&shard).unwrap();
    flip(&shard);
    run(&room).failed(1, &["shard-00001.rkyv", "damaged", "rerun extract"]);
    std::fs::write(&shard, &whole[..100]).unwrap();
    run(&room).failed(1, &["shard-00001.rkyv", "bytes, index says"]);
    std::fs::write(&shard, whole).unwrap();

    let good = std::fs::read(room.path("x.head")).unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(room.path("x.head"), damaged).unwrap();
    run(&room).failed(1, &["cannot read `x.head`", "fit-head"]);
    std::fs::write(room.path("x.head"), "no head at all").unwrap();
    run(&room).failed(1, &["cannot read `x.head`"]);
    std::fs::write(room.path("x.head"), good).unwrap();

    let index = room.path("x.features/index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    std::fs::write(&index, text.replacen("\"schema\": 1", "\"schema\": 2", 1)).unwrap();
    run(&room).failed(1, &["schema 2 is newer", "update Headstart"]);
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

#[test]
fn outputs_are_never_replaced_unasked_and_never_halved() {
    let room = room(&Made::default());
    std::fs::write(room.path("p.csv"), "mine").unwrap();
    let arguments = ["x.features", "x.head", "-o", "m.csv", "--predictions", "p.csv"];
    evaluate(&room, &arguments).failed(1, &["`p.csv` exists", "--force"]);
    assert_eq!(room.names(), ["p.csv", "x.features", "x.head"]);
    evaluate(&room, &["x.features", "x.head", "-o", "p.csv"]).failed(1, &["`p.csv` exists"]);
    let gone = ["x.features", "x.head", "-o", "m.csv", "--predictions", "gone/p.csv"];
    evaluate(&room, &gone).failed(1, &["cannot write `gone/p.csv`"]);
    assert_eq!(room.names(), ["p.csv", "x.features", "x.head"]);
    evaluate(&room, &[&arguments[..], &["--force"]].concat()).fine();
    assert_eq!(room.names(), ["m.csv", "p.csv", "x.features", "x.head"]);
}

#[test]
fn wrong_usage_and_missing_splits() {
    let room = room(&Made { rows: [9, 0, 3], ..Made::default() });
    let base = ["x.features", "x.head"];
    let cases: [(&[&str], i32, &str); 5] = [
        (&[], 2, "--output"),
        (&["-o", "m.txt"], 2, "expected .parquet, .csv or .json"),
        (&["-o", "m.csv", "--predictions", "m.csv"], 2, "both name `m.csv`"),
        (&["-o", "m.csv", "--split", "half"], 2, "expected train, val, test or all, got `half`"),
        (&["-o", "m.csv", "--split", "val"], 1, "has no val rows, only train and test"),
    ];
    for (flags, code, part) in cases {
        evaluate(&room, &[&base[..], flags].concat()).failed(code, &[part]);
    }
    assert_eq!(room.names(), ["x.features", "x.head"]);
}
