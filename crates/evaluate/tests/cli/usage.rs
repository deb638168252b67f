//! Flags, formats and files that are there already.

use super::*;

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
