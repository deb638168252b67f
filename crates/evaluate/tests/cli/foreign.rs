//! Test sets that are not the head's own: classes it does not know, classes that are absent, pictures that it has seen.

use super::*;
use harness::network;
use head::SeenSamples;
use std::collections::BTreeMap;
use store::Dtype;

/// What becomes of a row: its label and split in the new features, or that it is left out.
type Kept<'a> = Option<(&'a str, Split)>;

/// Features `to` of those rows of `x.features` that `keep` keeps by id and split.
fn foreign(room: &Room, to: &str, keep: impl Fn(&str, Split) -> Kept<'static>) {
    let features = Features::open(&room.path("x.features")).unwrap();
    let source = features.index().source.clone();
    let plan = NewFeatures { columns: vec!["label".into()], dim: features.dim(), source, shard_bytes: 2000 };
    let mut writer = FeaturesWriter::create(&room.path(to), false, plan).unwrap();
    let mut values = vec![0.0; features.dim()];
    for row in features.samples() {
        let Some((label, split)) = keep(features.id(row), features.split(row)) else { continue };
        features.copy_row(row, &mut values);
        let (id, key) = (features.id(row), features.key(row));
        writer.push(Row { id, texts: &[label], split, key, values: &values }).unwrap();
    }
    let lineage = Lineage { dataset: Digest::of(to.as_bytes()), tool: "extract 0.1.0".into() };
    writer.finish(&features.probes(), lineage, Vec::new()).unwrap();
}

/// The class that a row is made of.
fn class(id: &str) -> &'static str {
    ["daisy", "roses", "tulips"].into_iter().find(|class| id.starts_with(class)).unwrap()
}

/// The number in a row's id.
fn number(id: &str) -> usize {
    id[id.len() - 8..id.len() - 4].parse().unwrap()
}

/// The test rows as they are, but for twelve that are called otherwise.
fn with_others(id: &str, split: Split) -> Kept<'static> {
    let label = match (class(id), number(id)) {
        ("daisy", 40..48) => "tulip",
        ("roses", 46..50) => "iris",
        (own, _) => own,
    };
    (split == Split::Test).then_some((label, split))
}

/// The test rows without those twelve.
fn without_others(id: &str, split: Split) -> Kept<'static> {
    with_others(id, split).filter(|(label, _)| *label == class(id))
}

/// A head that remembers the train rows of `x.features`, with this fit.
fn remembering(room: &Room, name: &str, fit: serde_json::Value) -> Head {
    let features = Features::open(&room.path("x.features")).unwrap();
    let train = features.rows_of(Split::Train);
    let seen = Some(SeenSamples::of(train.iter().map(|&row| features.key(row))));
    let own = Head { seen, fit, ..head(room, "x.features") };
    own.write(&room.path(name), true).unwrap();
    own
}

/// Value, interval and n of the rows of `overall`, by name.
fn overall(table: &DataFrame) -> BTreeMap<String, (Option<f64>, Option<f64>, u64)> {
    let [scope, metric] = ["scope", "metric"].map(|name| text(table, name));
    let [value, low] = ["value", "ci_low"].map(|name| table.column(name).unwrap().f64().unwrap().to_vec());
    let n = table.column("n").unwrap().u64().unwrap().to_vec();
    let own = (0..table.height()).filter(|&row| scope[row] == "overall");
    own.map(|row| (metric[row].clone(), (value[row], low[row], n[row].unwrap()))).collect()
}

#[test]
fn a_class_that_a_test_set_lacks_has_neither_recall_nor_f1() {
    let room = room(&Made::default());
    foreign(&room, "y.features", |id, split| {
        (split == Split::Test && class(id) != "tulips").then(|| (class(id), split))
    });
    let outputs = ["-o", "m.parquet", "--report", "r.html", "--hardest", "h.csv", "--slice", "label"];
    let run = evaluate(&room, &[&["y.features", "x.head"][..], &outputs].concat()).fine();
    // Nothing needs to be said.
    assert_eq!(run.stderr(), "evaluate: 20 rows, 3 classes → m.parquet, h.csv, r.html\n");
    let (out, table) = (run.stdout(), table::read(&room.path("m.parquet")).unwrap());
    assert!(out.starts_with("test: 20 rows, 3 classes\n"), "{out}");
    let line = out.lines().find(|line| line.starts_with("  tulips")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["tulips", "0.0000", "-", "-", "0"]);
    let columns = ["scope", "metric", "class"].map(|name| text(&table, name));
    let values = table.column("value").unwrap().f64().unwrap().to_vec();
    let of = |metric: &str, class: &str| {
        let is_it = |&row: &usize| [0, 1, 2].map(|at| &columns[at][row][..]) == ["class", metric, class];
        values[(0..table.height()).find(is_it).unwrap()]
    };
    for (metric, expected) in
        [("support", Some(0.0)), ("recall", None), ("f1", None), ("precision", Some(0.0)), ("roc_auc", None)]
    {
        assert_eq!(of(metric, "tulips"), expected, "{metric}");
    }
    // Means are those of the classes that are there, as of scikit-learn's labels=["daisy", "roses"].
    let all = overall(&table);
    for metric in ["precision", "recall", "f1"] {
        let mean = (of(metric, "daisy").unwrap() + of(metric, "roses").unwrap()) / 2.0;
        let (value, low, _) = all[&format!("macro_{metric}")];
        assert!((value.unwrap() - mean).abs() < 1e-15 && low.unwrap() < mean, "{metric}");
    }
    assert_eq!(all["macro_recall"].0, all["balanced_accuracy"].0);
}

#[test]
fn rows_of_classes_that_the_head_does_not_know_are_left_out_and_named() {
    let room = room(&Made::default());
    foreign(&room, "y.features", with_others);
    foreign(&room, "z.features", without_others);
    let tables = |name: &str| {
        ["o", "predictions", "hardest", "suspects", "slices"].map(|table| format!("{name}.{table}.parquet"))
    };
    for (features, name) in [("y.features", "y"), ("z.features", "z")] {
        let [metrics, predictions, hardest, suspects, _] = tables(name);
        let flags = ["--predictions", &predictions, "--hardest", &hardest, "--suspects", &suspects];
        let more =
            ["--report", "r.html", "--duplicates", "d.csv", "--slice", "label", "--baseline", "x.head"];
        let run =
            evaluate(&room, &[&[features, "x.head", "-o", &metrics, "--force"], &flags[..], &more].concat())
                .fine();
        let said = run.stderr();
        let lines: Vec<&str> = said.lines().collect();
        if name == "y" {
            let note =
                "evaluate: 12 rows of classes that the head does not know are left out: `tulip` 8, `iris` 4";
            assert_eq!(lines[0], note);
            let page = std::fs::read_to_string(room.path("r.html")).unwrap();
            assert!(page.contains("12 rows of classes that the head does not know"), "not on the page");
            assert!(page.contains("They are in no figure here. Their classes are `tulip` 8, `iris` 4."));
        }
        assert_eq!(lines.len(), if name == "y" { 2 } else { 1 }, "{said}");
        assert!(lines.last().unwrap().starts_with("evaluate: 18 rows, 3 classes → "), "{said}");
    }
    let read = |name: &str| table::read(&room.path(name)).unwrap();
    // Figures, the rows that are hardest and those that look wrong are as if they had never been there.
    let [mut with, without] = ["y", "z"].map(|name| overall(&read(&tables(name)[0])));
    assert_eq!(with.remove("unknown_rows"), Some((Some(12.0), None, 12)));
    assert_eq!(with, without);
    for table in [2, 3] {
        assert!(read(&tables("y")[table]).equals_missing(&read(&tables("z")[table])), "{table}");
    }
    // Predictions have them, in their places.
    let predictions = read(&tables("y")[1]);
    let [ids, labels, predicted] = ["id", "label", "predicted"].map(|name| text(&predictions, name));
    assert!(ids.len() == 30 && ids.is_sorted());
    for (id, label) in ids.iter().zip(&labels) {
        assert_eq!(label, with_others(id, Split::Test).unwrap().0);
    }
    // What is said of a row does not depend on its label.
    evaluate(&room, &["x.features", "x.head", "-o", "x.csv", "--predictions", "p.parquet"]).fine();
    let own = read("p.parquet");
    assert_eq!(text(&own, "id"), ids);
    for column in ["predicted", "confidence", "probabilities"] {
        assert_eq!(own.column(column).unwrap(), predictions.column(column).unwrap());
    }
    assert!(predicted.iter().all(|class| ["daisy", "roses", "tulips"].contains(&&class[..])));
}

#[test]
fn a_test_set_without_any_class_of_the_head_is_refused() {
    let room = room(&Made::default());
    foreign(&room, "y.features", |id, split| {
        (split != Split::Val).then_some((if class(id) == "daisy" { "Daisy" } else { "Rose" }, split))
    });
    evaluate(&room, &["y.features", "x.head", "-o", "m.csv"]).failed(
        1,
        &[
            "the head knows no class of the test rows of `y.features`: they are of `Rose` 20, `Daisy` 10, the head knows `daisy`, `roses`, `tulips`",
            "correct them in a --manifest",
        ],
    );
    evaluate(&room, &["y.features", "x.head", "-o", "m.csv", "--split", "all"])
        .failed(1, &["the train and test rows"]);
    assert_eq!(room.names(), ["x.features", "x.head", "y.features"]);
    // Of several splits those are scored of which something is left.
    foreign(&room, "z.features", |id, split| {
        Some((if split == Split::Train { "Flower" } else { class(id) }, split))
    });
    let run = evaluate(&room, &["z.features", "x.head", "-o", "m.csv", "--split", "all"]).fine();
    let said = run.stderr();
    assert!(said.contains("evaluate: the train rows are not scored: none of them is left\n"), "{said}");
    assert!(said.contains("evaluate: 60 rows, 3 classes → m.csv\n"), "{said}");
}

#[test]
fn unknown_rows_are_right_where_the_head_rejects_them() {
    let room = room(&Made::default());
    foreign(&room, "y.features", with_others);
    let run = |head: &str, flags: &[&str]| {
        let outputs = ["-o", "m.parquet", "--predictions", "p.parquet", "--force"];
        evaluate(&room, &[&["y.features", head], &outputs[..], &["--unknown", "reject"], flags].concat())
    };
    run("x.head", &[]).failed(
        2,
        &["--unknown reject: `x.head` has no threshold to reject rows by; refit it with --reject-at or --novelty-at"],
    );
    let known = remembering(&room, "y.head", serde_json::json!({ "reject_threshold": 0.7 }));
    // Distances as of the columns less their numbers.
    let dim = known.dim();
    let weight = (0..dim * dim).map(|at| f32::from(u8::from(at % dim == at / dim))).collect();
    let bias = (0..dim).map(|column| -(column as f32)).collect();
    let whitening = Dense { inputs: dim, outputs: dim, weight, bias };
    let novelty = Some(Novelty { whitening, means: vec![0.0; 3 * dim], threshold: 1.25 });
    Head { novelty: novelty.clone(), ..known.clone() }.write(&room.path("both.head"), false).unwrap();
    Head { novelty, fit: serde_json::json!({}), ..known }.write(&room.path("novel.head"), false).unwrap();
    for head in ["y.head", "both.head", "novel.head"] {
        let ran = run(head, &["--report", "r.html"]).fine();
        let note = "evaluate: 12 rows of classes that the head does not know count, and are right where rejected or novel: `tulip` 8, `iris` 4\n";
        assert!(ran.stderr().starts_with(note), "{}", ran.stderr());
        assert!(
            ran.stdout().starts_with("test: 18 rows and 12 of unknown classes, 3 classes\n"),
            "{}",
            ran.stdout()
        );
        assert!(ran.stdout().lines().any(|line| line.split_whitespace().eq(["unknown_rows", "12"])));
        let predictions = table::read(&room.path("p.parquet")).unwrap();
        let [label, said] = ["label", "predicted"].map(|name| text(&predictions, name));
        let flag = |name: &str| match predictions.column(name) {
            Ok(column) => column.bool().unwrap().iter().map(|is| is == Some(true)).collect(),
            Err(_) => vec![false; 30],
        };
        let (rejected, novel) = (flag("rejected"), flag("novel"));
        let is_declined = |row: usize| rejected[row] || novel[row];
        let is_unknown = |row: &usize| ["tulip", "iris"].contains(&&label[*row][..]);
        let unknown: Vec<usize> = (0..30).filter(is_unknown).collect();
        let known: Vec<usize> = (0..30).filter(|row| !is_unknown(row)).collect();
        let count =
            |rows: &[usize], of: &dyn Fn(usize) -> bool| rows.iter().filter(|row| of(**row)).count() as f64;
        let declined = count(&unknown, &is_declined);
        let right = count(&known, &|row| label[row] == said[row] && !is_declined(row));
        // Distance tells where it is known, else how little confidence there is.
        let doubt: Vec<f64> = match predictions.column("distance") {
            Ok(column) => column.f64().unwrap().into_no_null_iter().collect(),
            Err(_) => predictions
                .column("confidence")
                .unwrap()
                .f64()
                .unwrap()
                .into_no_null_iter()
                .map(|p| -p)
                .collect(),
        };
        let wins = unknown.iter().map(|&row| count(&known, &|other| doubt[row] > doubt[other])).sum::<f64>();
        let all = overall(&table::read(&room.path("m.parquet")).unwrap());
        for (metric, value, n) in [
            ("open_set_accuracy", (right + declined) / 30.0, 30),
            ("known_accepted", count(&known, &|row| !is_declined(row)) / 18.0, 18),
            ("unknown_rejected", declined / 12.0, 12),
            ("unknown_roc_auc", wins / (18.0 * 12.0), 30),
        ] {
            let (got, low, rows) = all[metric];
            assert!((got.unwrap() - value).abs() < 1e-12, "{head} {metric}: {got:?}, expected {value}");
            assert!(low.unwrap() < value && rows == n, "{head} {metric}");
        }
        assert!(declined > 0.0 && declined < 12.0, "{head}: {declined} of 12 should say something");
        // Figures of closed sets are those of known rows.
        assert_eq!(all["accuracy"].2, 18);
    }
    // A test set of unknown classes alone has figures of an open set, and no page.
    foreign(&room, "y.features.other", |_, split| (split == Split::Test).then_some(("iris", split)));
    let only = |flags: &[&str]| {
        let inputs =
            ["y.features.other", "y.head", "-o", "n.parquet", "--predictions", "q.csv", "--hardest", "h.csv"];
        evaluate(&room, &[&inputs[..], &["--unknown", "reject"], flags].concat())
    };
    only(&["--report", "s.html"])
        .failed(1, &["no test row is left of a class that the head knows, and --report is about those"]);
    only(&["--baseline", "x.head"]).fine();
    let all = overall(&table::read(&room.path("n.parquet")).unwrap());
    assert_eq!((all["accuracy"].0, all["known_accepted"].0, all["unknown_rejected"].2), (None, None, 30));
    assert_eq!(table::read(&room.path("q.csv")).unwrap().height(), 30);
}

#[test]
fn rows_that_the_head_has_seen_are_told_by_their_content() {
    let room = room(&Made::default());
    let made = remembering(&room, "y.head", serde_json::json!({}));
    // Five train rows, and test rows that are none.
    foreign(&room, "y.features", |id, split| match (split, number(id)) {
        (Split::Train, 0..5) if class(id) == "roses" => Some(("roses", Split::Test)),
        (Split::Test, _) => Some((class(id), split)),
        _ => None,
    });
    let run = |features: &str, head: &str, flags: &[&str]| {
        let outputs = [features, head, "-o", "m.csv", "--report", "r.html", "--force"];
        let said = evaluate(&room, &[&outputs[..], flags].concat()).fine().stderr();
        let notes: Vec<String> = said.lines().map(str::to_owned).collect();
        (notes[..notes.len() - 1].join("\n"), std::fs::read_to_string(room.path("r.html")).unwrap())
    };
    let (note, page) = run("y.features", "y.head", &[]);
    assert_eq!(
        note,
        "evaluate: test: the head has seen 5 of these 35 rows, byte for byte: `roses/0000.png`, `roses/0001.png`, `roses/0002.png`, `roses/0003.png`, `roses/0004.png`"
    );
    assert!(
        page.contains("5 of the rows were fitted on")
            && page.contains("The head has seen 5 of these 35 rows")
    );
    // Of features that share no picture, whatever their splits are called.
    foreign(&room, "z.features", |id, split| (split == Split::Test).then_some((class(id), Split::Train)));
    let (note, page) = run("z.features", "y.head", &[]);
    assert_eq!(
        note,
        "evaluate: no test or val rows, so the train rows are scored: the head has seen none of them, byte for byte"
    );
    assert!(!page.contains("fitted on</") && !page.contains("Scored on"), "the head has not seen them");
    // Some of them under another split's name; and its own train rows, all of them, without a list.
    foreign(&room, "w.features", |id, split| {
        (split == Split::Train && number(id) < 2).then_some((class(id), split))
    });
    let (note, _) = run("w.features", "y.head", &[]);
    assert!(
        note.contains("the head has seen 6 of these 6 rows, byte for byte: `daisy/0000.png`, "),
        "{note}"
    );
    let (note, _) = run("x.features", "y.head", &["--split", "train"]);
    assert_eq!(note, "evaluate: the train rows are scored: the head has seen them");
    assert_eq!(run("x.features", "y.head", &[]).0, "");
    // Without them the figures are those of the others.
    let leave = |features: &str, head: &str, flags: &[&str]| {
        let outputs = [features, head, "-o", "m.csv", "--predictions", "p.csv", "--force", "--unseen-only"];
        evaluate(&room, &[&outputs[..], flags].concat())
    };
    let said = leave("y.features", "y.head", &[]).fine().stderr();
    assert_eq!(
        said,
        "evaluate: test: 5 rows that the head has seen are left out\nevaluate: 30 rows, 3 classes → m.csv, p.csv\n"
    );
    let own = room.bytes("m.csv");
    assert_eq!(table::read(&room.path("p.csv")).unwrap().height(), 30);
    evaluate(&room, &["x.features", "y.head", "-o", "n.csv"]).fine();
    assert!(own == room.bytes("n.csv"));
    leave("w.features", "y.head", &[])
        .failed(1, &["--unseen-only leaves no row: the head has seen all train rows of `w.features`"]);
    leave("x.features", "y.head", &["--split", "train"]).failed(1, &["the head has seen all train rows"]);
    let said = leave("x.features", "y.head", &["--split", "all"]).fine().stderr();
    assert_eq!(
        said,
        "evaluate: the train rows are not scored: none of them is left\nevaluate: 60 rows, 3 classes → m.csv, p.csv\n"
    );
    // Heads that remember nothing, and those of another precision, whose keys are others, say nothing of single rows.
    Head { seen: None, ..made.clone() }.write(&room.path("old.head"), false).unwrap();
    let mut half = made;
    network(&mut half.sources[0]).dtype = Dtype::F16;
    half.write(&room.path("half.head"), false).unwrap();
    for head in ["old.head", "half.head"] {
        assert_eq!(run("y.features", head, &[]).0, "");
        let (note, _) = run("z.features", head, &[]);
        assert!(note.ends_with("and has not seen these rows unless both hold the same pictures"), "{note}");
        leave("y.features", head, &[]).failed(2, &["does not say whether it has seen these rows; refit it"]);
    }
}
