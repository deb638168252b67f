//! What the table says, and of which rows.

use super::*;

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
    run(&["--slice", "age", "--manifest", "m.csv"])
        .failed(1, &["no column `label`, `age`, only `path`, `side`", "`side`"]);
    // Without a manifest the features' own columns are read.
    run(&["--slice", "side"]).failed(1, &["`x.features` has no column `side`, only `label`"]);
    run(&["--slice", "label"]).fine();
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
