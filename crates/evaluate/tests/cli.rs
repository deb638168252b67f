//! `evaluate` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

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
        memory: None,
        kind: HeadKind::Linear,
        classes: features.column("label").unwrap().words().to_vec(),
        targets: Default::default(),
        layers: vec![Dense { inputs, outputs, bias: bias.collect(), weight }],
        novelty: None,
        sources: vec![features.index().source.clone()],
        probes: features.probes(),
        fit: serde_json::json!({}),
        features: features.digest(),
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

#[test]
fn help_states_its_files_and_defaults() {
    let room = Room::new();
    let help = evaluate(&room, &["--help"]).fine().stdout();
    for part in [
        "slice:COLUMN=VALUE",
        "3 worse than the baseline",
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
    // Every metric has one but support, and counts of confusions.
    let metric = text(&metrics, "metric");
    for (metric, interval) in metric.iter().zip(&intervals) {
        let counted = metric == "support" || metric.starts_with("confusion:");
        assert_eq!(interval.is_some(), !counted, "{metric}");
    }
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
        (
            [30, 10, 10],
            &["--split", "train"],
            &["train"],
            "the train rows are scored: the head has seen them",
        ),
        ([30, 10, 10], &["--split", "all"], &["test", "train", "val"], "the head has seen them"),
        ([0, 10, 10], &["--split", "all"], &["test", "val"], ""),
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
fn train_rows_are_never_scored_without_a_word() {
    const OTHER: &str = "he head was fitted on other features, and has not seen these rows unless both hold the same pictures";
    for (rows, flags) in [([30, 0, 0], &[][..]), ([30, 5, 5], &["--split", "train"])] {
        let room = room(&Made { rows, ..Made::default() });
        room.features("y.features", &Made { rows, pictures: "others", ..Made::default() });
        for (features, seen) in [("x.features", true), ("y.features", false)] {
            let outputs = [features, "x.head", "-o", "m.csv", "--report", "r.html", "--force"];
            let run = evaluate(&room, &[&outputs[..], flags].concat()).fine();
            let (said, page) = (run.stderr(), std::fs::read_to_string(room.path("r.html")).unwrap());
            assert_eq!(said.contains("the head has seen them"), seen, "{said}");
            assert_eq!(page.contains("Scored on rows that it was fitted on"), seen);
            assert_eq!((said.contains(OTHER), page.contains(OTHER)), (!seen, !seen), "{said}");
            assert!(!page.contains("There are no test or val rows"), "there may be");
        }
    }
}

#[test]
fn features_of_any_size_can_be_looked_at() {
    let room = room(&Made::default());
    // Two rows are the same, so that there is a pair.
    let twins = ["daisy/0003.png", "roses/0007.png"];
    for (name, factor) in [("tiny", 1e-39), ("small", 1e-41), ("large", 1e35)] {
        let features = format!("{name}.features");
        remade(&room, "x.features", &features, |id, _, values| {
            for (column, value) in values.iter_mut().enumerate() {
                let own = if twins.contains(&id) { column as f32 * 0.5 } else { *value };
                *value = (f64::from(own) * factor) as f32;
            }
        });
        let tables = ["--suspects", "s.csv", "--duplicates", "d.csv", "--report", "r.html", "--force"];
        evaluate(&room, &[&[&features, "x.head", "-o", "m.csv"][..], &tables].concat()).fine();
        let quality = text(&table::read(&room.path("s.csv")).unwrap(), "quality");
        assert!(quality.iter().all(|quality| quality.parse::<f64>().unwrap().is_finite()), "{name}");
        let found = table::read(&room.path("d.csv")).unwrap();
        let pairs: Vec<_> = text(&found, "id").into_iter().zip(text(&found, "other_id")).collect();
        assert!(pairs.contains(&(twins[0].to_owned(), twins[1].to_owned())), "{name}: {pairs:?}");
    }
}

#[test]
fn rows_whose_features_are_too_large_are_named() {
    let room = room(&Made::default());
    remade(&room, "x.features", "y.features", |id, _, values| {
        if id == "roses/0041.png" {
            values.fill(3e38);
        }
    });
    let parts = [
        "cannot score `x.head`: its scores of `roses/0041.png` are no numbers",
        "`y.features` are too large for this head; were they extracted by the same network?",
    ];
    evaluate(&room, &["y.features", "x.head", "-o", "m.csv"]).failed(1, &parts);
    let baseline = ["--baseline", "x.head", "--baseline-features", "y.features"];
    evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"][..], &baseline].concat()).failed(1, &parts);
    assert_eq!(room.names(), ["x.features", "x.head", "y.features"]);
}

#[test]
fn labels_of_which_no_class_has_two_rows_are_left_undecided() {
    // Also where all but one class have one row, and a row can be held out.
    for (rows, last, undecided) in [([1, 0, 0], 1, true), ([0, 0, 1], 0, true), ([1, 0, 0], 2, false)] {
        let room = room(&Made { rows, last_class_train_rows: Some(last), ..Made::default() });
        let tables = ["--suspects", "s.csv", "--report", "r.html"];
        let run = evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"][..], &tables].concat()).fine();
        assert_eq!(run.stderr().contains("no class has two rows"), undecided, "{}", run.stderr());
        let suspects = table::read(&room.path("s.csv")).unwrap();
        let [labels, suggested, quality, likely] =
            ["label", "suggested", "quality", "likely"].map(|column| text(&suspects, column));
        assert_eq!(labels.len(), if undecided { 3 } else { 4 });
        assert!(labels.iter().zip(&suggested).all(|(label, suggested)| label != suggested));
        if undecided {
            assert_eq!((quality, likely), (vec!["0.5".to_owned(); 3], vec!["false".to_owned(); 3]));
        }
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
fn slices_are_the_rows_that_share_a_value() {
    let room = room(&Made::default());
    let samples = ["daisy", "roses", "tulips"].iter().flat_map(|class| (0..50).map(move |n| (class, n)));
    let rows: String = samples
        .map(|(class, n)| format!("{class}/{n:04}.png,{},{class}\n", if n % 2 == 0 { "even" } else { "odd" }))
        .collect();
    room.write("m.csv", format!("path,side,kind\n{rows}"));
    let flags = ["--slice", "side", "--slice", "kind", "--manifest", "m.csv"];
    let outputs = ["x.features", "x.head", "-o", "m.parquet", "--predictions", "p.parquet"];
    evaluate(&room, &[&outputs[..], &flags].concat()).fine();
    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let of = |scope: &str| value(&metrics, "test", scope, "accuracy", "null");
    assert_eq!((of("slice:side=even") + of("slice:side=odd")) / 2.0, of("overall"));
    // A column that is named twice is taken once.
    let twice =
        ["x.features", "x.head", "-o", "t.parquet", "--slice", "side", "--slice", "kind", "--slice", "side"];
    evaluate(&room, &[&twice[..], &["--manifest", "m.csv"]].concat()).fine();
    assert_eq!(room.bytes("t.parquet"), room.bytes("m.parquet"));
    // A slice of one class: its accuracy is that class's recall.
    assert_eq!(of("slice:kind=roses"), value(&metrics, "test", "class", "recall", "roses"));
    let run = |flags: &[&str]| evaluate(&room, &[&["x.features", "x.head", "-o", "n.csv"], flags].concat());
    run(&["--slice", "age", "--manifest", "m.csv"]).failed(1, &["no column `age`", "`side`"]);
    // Without a manifest the features' own columns are read.
    run(&["--slice", "side"]).failed(1, &["`x.features` has no column `side`, only `label`"]);
    run(&["--slice", "label"]).fine();
}

#[test]
fn a_head_takes_what_it_was_fitted_on_of_the_features_given() {
    let room = room(&Made::default());
    room.features("y.features", &Made { tap: "layer3", dim: 7, ..Made::default() });
    room.features("z.features", &Made { tap: "layer2", dim: 5, ..Made::default() });
    let mut both = joined(&room, ["x.features", "y.features"]);
    let one = serde_json::json!({"head": "lda", "features": ["a", "b"], "held_out_loss": 0.5, "held_out_accuracy": 0.75});
    both.fit = serde_json::json!({"candidates": {"tried": [one], "chosen": 0}});
    both.write(&room.path("both.head"), false).unwrap();
    let run = |inputs: &[&str], output: &str| evaluate(&room, &[inputs, &["-o", output]].concat());
    run(&["x.features", "y.features", "both.head"], "m.csv").fine();
    // Whatever the order, and whatever is there besides.
    run(&["z.features", "y.features", "x.features", "both.head"], "same.csv").fine();
    let bytes = |name: &str| std::fs::read(room.path(name)).unwrap();
    assert_eq!(bytes("m.csv"), bytes("same.csv"));
    let compared = ["x.features", "y.features", "both.head", "--baseline", "x.head", "--report", "r.html"];
    run(&compared, "m.parquet").fine();
    let accuracy =
        |table: &str| value(&table::read(&room.path(table)).unwrap(), "test", "overall", "accuracy", "null");
    run(&["x.features", "x.head"], "x.parquet").fine();
    let table = table::read(&room.path("m.parquet")).unwrap();
    let difference = value(&table, "test", "difference", "accuracy", "null");
    assert_eq!(difference, accuracy("m.parquet") - accuracy("x.parquet"));
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    assert!(page.contains("lda on a + b") && page.contains("log loss 0.5000, accuracy 75.0 % (chosen)"));
    assert!(
        page.contains("resnet18 (tap pooled), weights") && page.contains("resnet18 (tap layer3), weights")
    );
    run(&["x.features", "both.head"], "no.csv").failed(
        1,
        &["`both.head` takes features of resnet18 (tap pooled) and resnet18 (tap layer3); those of resnet18 (tap layer3) are not among `x.features`"],
    );
    run(&["y.features", "z.features", "x.head"], "no.csv")
        .failed(1, &["takes features of resnet18 (tap pooled)"]);
}

#[test]
fn the_hardest_rows_come_first() {
    let room = room(&Made::default());
    let tables = ["--hardest", "h.parquet", "--predictions", "p.parquet", "--split", "all"];
    evaluate(&room, &[&["x.features", "x.head", "-o", "m.parquet"][..], &tables].concat()).fine();
    let [hardest, predictions] =
        ["h.parquet", "p.parquet"].map(|name| table::read(&room.path(name)).unwrap());
    let losses = hardest.column("loss").unwrap().f64().unwrap().to_vec();
    assert!(losses.len() == 150 && losses.is_sorted_by(|a, b| a >= b));
    let mean = losses.iter().map(|loss| loss.unwrap()).sum::<f64>() / 150.0;
    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let splits = [("train", 90.0), ("val", 30.0), ("test", 30.0)];
    let expected: f64 =
        splits.iter().map(|(split, n)| n * value(&metrics, split, "overall", "log_loss", "null")).sum();
    assert!((mean - expected / 150.0).abs() < 1e-12);
    let mut ids = [text(&hardest, "id"), text(&predictions, "id")];
    ids.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn rows_unlike_anything_seen_are_counted_and_named() {
    let room = room(&Made::default());
    let mut known = Head::read(&room.path("x.head")).unwrap();
    // Distances from a mean at zero of the columns less their numbers: noise is up to 2, a class's columns are 0.7 more.
    let dim = known.dim();
    let weight = (0..dim * dim).map(|at| if at % dim == at / dim { 1.0 } else { 0.0 }).collect();
    let bias = (0..dim).map(|column| -(column as f32)).collect();
    let whitening = Dense { inputs: dim, outputs: dim, weight, bias };
    let novelty = |threshold| Novelty { whitening: whitening.clone(), means: vec![0.0; 3 * dim], threshold };
    for (name, threshold) in [("near.head", 0.0), ("some.head", 1.25), ("far.head", 1e3)] {
        known.novelty = Some(novelty(threshold));
        known.write(&room.path(name), false).unwrap();
        let tables = ["-o", "m.parquet", "--predictions", "p.parquet", "--force"];
        evaluate(&room, &[&["x.features", name][..], &tables].concat()).fine();
        let predictions = table::read(&room.path("p.parquet")).unwrap();
        let distances = predictions.column("distance").unwrap().f64().unwrap().to_vec();
        let novel = predictions.column("novel").unwrap().bool().unwrap();
        assert!(novel.iter().zip(&distances).all(|(novel, d)| novel == Some(d.unwrap() > threshold)));
        let rate =
            value(&table::read(&room.path("m.parquet")).unwrap(), "test", "overall", "novelty_rate", "null");
        assert_eq!(rate, novel.iter().filter(|novel| *novel == Some(true)).count() as f64 / 30.0);
        assert!(if threshold == 1.25 {
            0.1 < rate && rate < 0.9
        } else {
            rate == f64::from(u8::from(threshold == 0.0))
        });
    }
}

#[test]
fn a_baseline_is_compared_on_the_same_samples_and_is_a_gate() {
    let room = room(&Made { rows: [30, 10, 60], ..Made::default() });
    // The same head with two classes' weights exchanged is worse.
    let mut other = head(&room, "x.features");
    let (first, rest) = other.layers[0].weight.split_at_mut(20);
    first.swap_with_slice(&mut rest[..20]);
    other.layers[0].bias.swap(0, 1);
    other.write(&room.path("worse.head"), false).unwrap();
    let run = |head: &str, baseline: &str, flags: &[&str]| {
        let inputs = ["x.features", head, "-o", "m.parquet", "--force", "--baseline", baseline];
        evaluate(&room, &[&inputs[..], flags].concat())
    };
    let better = run("x.head", "worse.head", &[]).fine();
    assert!(
        better.stdout().contains("\ntest: better than the baseline: accuracy +0."),
        "{}",
        better.stdout()
    );
    let table = table::read(&room.path("m.parquet")).unwrap();
    let gain = value(&table, "test", "difference", "accuracy", "null");
    assert!(gain > 0.2 && value(&table, "test", "difference", "mcnemar_p_value", "null") < 0.05, "{gain}");

    let worse = run("worse.head", "x.head", &[]);
    assert_eq!(worse.code(), 3);
    assert!(worse.last_line().ends_with(" below the baseline's, tolerance 0"), "{}", worse.stderr());
    // The table is written all the same: it says what is wrong.
    let table = table::read(&room.path("m.parquet")).unwrap();
    assert_eq!(value(&table, "test", "difference", "accuracy", "null"), -gain);
    run("worse.head", "x.head", &["--tolerance", "0.9"]).fine();
    let same = run("x.head", "x.head", &[]).fine();
    assert!(
        same.stdout().contains("not told apart from the baseline: accuracy +0.0000"),
        "{}",
        same.stdout()
    );

    // Other features of the same samples, with a head of theirs.
    room.features("y.features", &Made { rows: [30, 10, 60], ..Made::default() });
    run("x.head", "x.head", &["--baseline-features", "y.features"]).fine();
    room.features("few.features", &Made { rows: [30, 10, 5], ..Made::default() });
    run("x.head", "x.head", &["--baseline-features", "few.features"])
        .failed(1, &["the baseline's features have no `", "the same samples"]);
    run("x.head", "x.head", &["--tolerance", "2"]).failed(2, &["--tolerance: expected a number from 0 to 1"]);
    run("x.head", "none.head", &[]).failed(1, &["none.head"]);
}

#[test]
fn the_report_is_one_page_with_what_was_found() {
    let room = room(&Made { rows: [30, 10, 30], ..Made::default() });
    let outputs = ["x.features", "x.head", "-o", "m.csv", "--report", "r.html"];
    let tables = ["--suspects", "s.parquet", "--duplicates", "d.csv", "--baseline", "x.head"];
    let run = |flags: &[&str]| evaluate(&room, &[&outputs[..], &tables, flags].concat());
    let said = run(&[]).fine();
    assert_eq!(said.last_line(), "evaluate: 90 rows, 3 classes → m.csv, s.parquet, d.csv, r.html");
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    for part in ["<!doctype html>", "daisy/0040.png", "Not told apart", "id=\"confusion\"", "id=\"lineage\""]
    {
        assert!(page.contains(part), "no `{part}` in the page");
    }
    assert!(!page.contains("data:image/jpeg"), "no pictures without --images");

    // All 210 rows, of every split, worst first.
    let suspects = table::read(&room.path("s.parquet")).unwrap();
    assert_eq!(suspects.height(), 210);
    let quality = suspects.column("quality").unwrap().f64().unwrap().to_vec();
    assert!(quality.windows(2).all(|pair| pair[0] <= pair[1]));
    let [labels, suggested] = ["label", "suggested"].map(|name| text(&suspects, name));
    assert!(labels.iter().zip(&suggested).all(|(label, suggested)| label != suggested));

    let bytes = || ["r.html", "s.parquet", "d.csv"].map(|name| std::fs::read(room.path(name)).unwrap());
    let first = bytes();
    run(&["--force", "--threads", "1"]).fine();
    assert_eq!(bytes(), first, "another number of threads");
    run(&[]).failed(1, &["`m.csv` exists"]);
    evaluate(&room, &["x.features", "x.head", "-o", "n.csv", "--report", "r.txt"])
        .failed(2, &["--report: expected a name in .html, got `r.txt`"]);
    evaluate(&room, &["x.features", "x.head", "-o", "n.csv", "--images", "."])
        .failed(2, &["--images goes with --report or --duplicates"]);
}

#[test]
fn pictures_of_the_report_are_those_of_the_samples() {
    let room = Room::new();
    room.pictures("data", 2, 12);
    room.tool("extract", &["data", "-o", "x.features", "--split", "50/0/50", "-q"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head", "-q"]).fine();
    let arguments = ["x.features", "x.head", "-o", "m.csv", "--report", "r.html", "--force", "--images"];
    evaluate(&room, &[&arguments[..], &["data"]].concat()).fine();
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    assert!(page.matches("data:image/jpeg;base64,").count() > 3, "pictures behind the cells");
    evaluate(&room, &[&arguments[..], &["nowhere"]].concat()).failed(2, &["`nowhere` is no folder"]);
    let duplicates = ["x.features", "x.head", "-o", "m.csv", "--duplicates", "d.csv", "--force", "--images"];
    for arguments in [&arguments, &duplicates] {
        // Another folder has none of them; some may be missing or damaged.
        evaluate(&room, &[&arguments[..], &["x.features"]].concat())
            .failed(1, &["no picture of 24 in `x.features` is of use: 24 are missing"]);
    }
    for file in ["a/000.png", "a/001.png", "b/002.png"] {
        let path = room.path("data").join(file);
        if file.starts_with('a') {
            std::fs::remove_file(path).unwrap();
        } else {
            std::fs::write(path, "x").unwrap();
        }
    }
    let counted =
        "evaluate: of the pictures in --images 2 are missing, 1 cannot be decoded: their duplicates";
    for arguments in [&arguments, &duplicates] {
        let run = evaluate(&room, &[&arguments[..], &["data"]].concat()).fine();
        assert!(run.stderr().contains(counted), "{}", run.stderr());
    }
    // What is there and cannot be read is not missing in silence.
    for path in room.bytes("data").into_keys() {
        std::fs::remove_file(room.path("data").join(&path)).unwrap();
        std::fs::create_dir(room.path("data").join(&path)).unwrap();
    }
    evaluate(&room, &[&arguments[..], &["data"]].concat())
        .failed(1, &["cannot read `data/", "not a regular file"]);
    evaluate(&room, &[&duplicates[..], &["data"]].concat())
        .failed(1, &["cannot read `data/", "not a regular file"]);
}

#[test]
fn a_sample_that_is_there_twice_is_found() {
    let room = Room::new();
    room.pictures("data", 2, 40);
    let twin = room.path("data/a/000.png");
    std::fs::copy(twin, room.path("data/b/twin.png")).unwrap();
    room.tool("extract", &["data", "-o", "x.features", "-q", "--split", "60/0/40"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head", "-q"]).fine();
    evaluate(&room, &["x.features", "x.head", "-o", "m.csv", "--duplicates", "d.csv"]).fine();
    let found = table::read(&room.path("d.csv")).unwrap();
    let pairs = |found: &DataFrame| -> Vec<(String, String)> {
        text(found, "id").into_iter().zip(text(found, "other_id")).collect()
    };
    let twins = ("a/000.png".to_owned(), "b/twin.png".to_owned());
    assert!(pairs(&found).contains(&twins), "{:?}", pairs(&found));
    // With the pictures at hand, their pixels say so too.
    let more = ["--duplicates", "d.parquet", "--images", "data", "--force"];
    evaluate(&room, &[&["x.features", "x.head", "-o", "m.csv"][..], &more].concat()).fine();
    let found = table::read(&room.path("d.parquet")).unwrap();
    let at = pairs(&found).iter().position(|pair| *pair == twins).unwrap();
    assert!(found.column("pixels").unwrap().f64().unwrap().get(at).unwrap() > 0.999);
}

#[test]
fn augmented_views_are_never_seen() {
    let room = room(&Made { rows: [12, 6, 6], ..Made::default() });
    room.features("v.features", &Made { rows: [12, 6, 6], views: 4, ..Made::default() });
    for (name, features) in [("plain", "x.features"), ("viewed", "v.features")] {
        let [metrics, predictions, suspects, duplicates] =
            ["metrics", "predictions", "suspects", "duplicates"].map(|table| format!("{name}.{table}.csv"));
        let tables = ["--predictions", &predictions, "--suspects", &suspects, "--duplicates", &duplicates];
        evaluate(&room, &[&[features, "x.head", "-o", &metrics, "--split", "all"], &tables[..]].concat())
            .fine();
        let baseline = ["--baseline", "x.head", "--baseline-features", features, "--force"];
        evaluate(&room, &[&["x.features", "x.head", "-o", "b.csv"], &baseline[..]].concat()).fine();
    }
    for table in ["metrics", "predictions", "suspects", "duplicates"] {
        let [plain, viewed] = ["plain", "viewed"].map(|name| room.bytes(&format!("{name}.{table}.csv")));
        assert_eq!(plain, viewed, "{table}");
    }
    let predictions = table::read(&room.path("viewed.predictions.csv")).unwrap();
    assert_eq!(predictions.height(), 3 * 24);
    let ids = text(&predictions, "id");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    let report = ["--report", "r.html", "--split", "train", "--force"];
    evaluate(&room, &[&["v.features", "x.head", "-o", "r.csv"], &report[..]].concat()).fine();
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    assert!(page.contains("train samples in 4 views (flip, seed 0)"));
}

#[test]
fn heads_of_other_features_are_refused() {
    type Change = fn(&mut Head);
    fn pictures(head: &mut Head) -> &mut Preprocessing {
        let Recipe::Image(how) = &mut head.sources[0].recipe;
        how
    }
    let cases: [(Change, &[&str]); 6] = [
        (|head| head.sources[0].tap = "layer3".into(), &["tap differs", "expected `layer3`, got `pooled`"]),
        (
            |head| head.sources[0].backbone = "vgg16".into(),
            &["backbone differs", "expected `vgg16`, got `resnet18`"],
        ),
        (|head| head.sources[0].weights = Digest::of(b"others"), &["weights differs", "fit-head on these"]),
        (|head| pictures(head).crop = Some((96, 96)), &["preprocessing differs"]),
        (|head| pictures(head).decode = Decode::Fast, &["preprocessing differs", r#""decode":"fast""#]),
        (
            |head| {
                let classes = head.classes.len();
                head.layers[0] =
                    Dense { inputs: 7, outputs: classes, weight: vec![0.0; 21], bias: vec![0.0; 3] };
                head.probes = vec![0.0; 28];
            },
            &["width differs, expected 7, got 20"],
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
fn classes_are_matched_by_name() {
    let room = room(&Made::default());
    let run = |output: &str| {
        evaluate(&room, &["x.features", "x.head", "-o", output, "--predictions", "p.csv", "--force"])
    };
    run("m.csv").fine();
    let before = std::fs::read(room.path("p.csv")).unwrap();
    // A head that knows the same classes in another order, and one class more.
    let mut other = head(&room, "x.features");
    let layer = &mut other.layers[0];
    let (first, rest) = (layer.weight[..layer.inputs].to_vec(), layer.weight[layer.inputs..].to_vec());
    layer.weight = [rest, first, vec![0.0; layer.inputs]].concat();
    layer.bias.rotate_left(1);
    layer.bias.push(-1e6);
    layer.outputs = 4;
    other.classes.rotate_left(1);
    other.classes.push("violets".into());
    other.write(&room.path("x.head"), true).unwrap();
    run("m.csv").fine();
    let predicted = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().skip(1).map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(predicted(&before), predicted(&std::fs::read(room.path("p.csv")).unwrap()));
    // One that lacks a class.
    other.classes[0] = "lilies".into();
    other.write(&room.path("x.head"), true).unwrap();
    run("m.csv")
        .failed(1, &["is of class `roses`, which the head does not know, only `lilies`, `tulips`, `daisy`"]);
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
    std::fs::write(&index, text.replacen("\"schema\": 4", "\"schema\": 9", 1)).unwrap();
    run(&room).failed(1, &["schema 9 is newer", "update Headstart"]);
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
    let forced = [&arguments[..], &["--force"]].concat();
    evaluate(&room, &forced)
        .failed(1, &["`p.csv` exists and is another text or table, not a table of evaluate"]);
    // Neither a manifest, nor a head.
    std::fs::write(room.path("p.csv"), "path,label\na.png,cat\n").unwrap();
    evaluate(&room, &forced).failed(1, &["`p.csv` exists and is", "not a table of evaluate"]);
    let over = ["x.features", "x.head", "-o", "m.csv", "--report", "h.html", "--force"];
    std::fs::copy(room.path("x.head"), room.path("h.html")).unwrap();
    evaluate(&room, &over).failed(1, &["`h.html` exists and is a head, not a report of evaluate"]);
    std::fs::remove_file(room.path("h.html")).unwrap();
    assert_eq!(room.names(), ["p.csv", "x.features", "x.head"]);
    std::fs::remove_file(room.path("p.csv")).unwrap();
    for _ in 0..2 {
        evaluate(&room, &forced).fine();
    }
    // What this program writes, but reads in this run.
    let sliced = ["--slice", "split", "--manifest", "p.csv", "--force"];
    let run = evaluate(&room, &[&["x.features", "x.head", "-o", "p.csv"], &sliced[..]].concat());
    run.failed(1, &["`p.csv` is the same file as `p.csv`, which this run reads as well"]);
    assert_eq!(room.names(), ["m.csv", "p.csv", "x.features", "x.head"]);
}

#[test]
fn whatever_it_wrote_may_be_replaced() {
    for ending in ["csv", "parquet", "json"] {
        let room = room(&Made::default());
        let names = ["m", "p", "s", "d", "h"].map(|name| format!("{name}.{ending}"));
        let [m, p, s, d, h] = names.each_ref().map(String::as_str);
        let flags = ["x.features", "x.head", "-o", m, "--predictions", p, "--suspects", s, "--duplicates", d];
        let flags = [&flags[..], &["--hardest", h, "--report", "r.html", "--force"]].concat();
        evaluate(&room, &flags).fine();
        let first = room.bytes(".");
        evaluate(&room, &flags).fine();
        assert!(room.bytes(".") == first, "{ending}");
    }
}

#[test]
fn wrong_usage_and_missing_splits() {
    let room = room(&Made { rows: [9, 0, 3], ..Made::default() });
    let base = ["x.features", "x.head"];
    let cases: [(&[&str], i32, &str); 5] = [
        (&[], 2, "--output"),
        (&["-o", "m.txt"], 2, "expected .parquet, .csv or .json"),
        (&["-o", "m.csv", "--predictions", "m.csv"], 2, "two outputs both name `m.csv`"),
        (&["-o", "m.csv", "--split", "half"], 2, "expected train, val, test or all, got `half`"),
        (&["-o", "m.csv", "--split", "val"], 1, "has no val rows, only train and test"),
    ];
    for (flags, code, part) in cases {
        evaluate(&room, &[&base[..], flags].concat()).failed(code, &[part]);
    }
    evaluate(&room, &["x.features", "-o", "m.csv"]).failed(2, &["expected features, and a head after them"]);
    assert_eq!(room.names(), ["x.features", "x.head"]);
    // Flags may stand between the two.
    evaluate(&room, &["x.features", "-o", "m.csv", "x.head"]).fine();
}
