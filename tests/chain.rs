//! The main job: pictures in; features, a head, metrics and a model out.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Features;
use harness::{Room, picture, program};
use head::{Head, HeadKind};
use polars::prelude::DataFrame;
use sample::Split;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use store::table;

const TOOLS: [&str; 5] = ["extract", "fit-head", "evaluate", "export", "make-sample"];

/// A room with `demo`, as `make demo` leaves it but for two thirds of the pictures.
struct Demo {
    room: Room,
    summary: String,
}

/// Made once: every test here reads it and none writes into it.
fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let room = Room::new();
        let run = |tool, arguments: &[&str]| room.tool(tool, arguments).fine();
        fs::create_dir(room.path("demo")).unwrap();
        let line = run("make-sample", &["demo/sample"]).stderr();
        assert_eq!(line, "make-sample: 800 pictures → demo/sample\n");
        thin_out(&room.path("demo/sample"));
        run("extract", &["demo/sample", "-o", "demo/sample.features"]);
        run("fit-head", &["demo/sample.features", "-o", "demo/sample.head", "--l2", "1,10,100,1000"]);
        let inputs = ["demo/sample.features", "demo/sample.head"];
        let outputs = ["-o", "demo/metrics.parquet", "--predictions", "demo/predictions.parquet"];
        let summary = run("evaluate", &[&inputs[..], &outputs].concat()).stdout();
        run("export", &["demo/sample.head", "-o", "demo/sample.onnx"]);
        Demo { room, summary }
    })
}

/// Leaves every third picture.
fn thin_out(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let number = entry.file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
        if entry.is_dir() {
            thin_out(&entry);
        } else if number.is_some_and(|number| number % 3 != 0) {
            fs::remove_file(entry).unwrap();
        }
    }
}

fn text(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap().str().unwrap();
    column.iter().map(|value| value.unwrap_or("null").to_owned()).collect()
}

#[test]
fn the_demo_tells_ten_classes_apart() {
    let Demo { room, summary } = demo();
    let features = Features::open(&room.path("demo/sample.features")).unwrap();
    assert_eq!(features.column("label").unwrap().words().len(), 10);
    let counts = Split::ALL.map(|split| features.rows_of(split).len());
    assert_eq!(counts, [170, 40, 70]);

    let metrics = table::read(&room.path("demo/metrics.parquet")).unwrap();
    let values = metrics.column("value").unwrap().f64().unwrap().to_vec();
    let keys = ["split", "scope", "metric", "class"].map(|name| text(&metrics, name));
    let value = |metric: &str| {
        let row = (0..values.len()).find(|&row| keys[1][row] == "overall" && keys[2][row] == metric).unwrap();
        values[row].unwrap()
    };
    assert!(keys[0].iter().all(|split| split == "test"));
    // Chance is 0.1. The whole sample's 50 train pictures a class do better than these 17.
    let accuracy = value("accuracy");
    assert!(accuracy > 0.5 && accuracy <= 1.0, "{accuracy}");
    assert!(value("top_5_accuracy") >= accuracy && value("log_loss") < 10_f64.ln());
    for metric in ["balanced_accuracy", "macro_f1", "weighted_recall", "brier_score_loss", "ece"] {
        assert!((0.0..=1.0).contains(&value(metric)), "{metric} {}", value(metric));
    }
    let supports = (0..values.len()).filter(|&row| keys[2][row] == "support").map(|row| values[row].unwrap());
    assert_eq!(supports.collect::<Vec<_>>(), [7.0; 10]);
    let confused =
        (0..values.len()).filter(|&row| keys[1][row] == "confusion").map(|row| values[row].unwrap());
    assert_eq!(confused.sum::<f64>(), 70.0);
    let intervals = metrics.column("ci_low").unwrap().f64().unwrap().to_vec();
    assert!(intervals[0].unwrap() < accuracy);

    let predictions = table::read(&room.path("demo/predictions.parquet")).unwrap();
    let [ids, labels, predicted] = ["id", "label", "predicted"].map(|name| text(&predictions, name));
    let expected: Vec<&str> = features.rows_of(Split::Test).into_iter().map(|row| features.id(row)).collect();
    assert_eq!(ids, expected);
    assert!(ids.iter().zip(&labels).all(|(id, label)| id.starts_with(&format!("test/{label}/"))));
    let hits = labels.iter().zip(&predicted).filter(|(label, predicted)| label == predicted).count();
    assert_eq!(hits as f64 / 70.0, accuracy);

    assert!(summary.starts_with("test: 70 rows, 10 classes\n") && summary.contains("accuracy"), "{summary}");
    assert!(fs::metadata(room.path("demo/sample.onnx")).unwrap().len() > 1_000_000);
    let head = Head::read(&room.path("demo/sample.head")).unwrap();
    assert_eq!(head.features, features.digest());
    assert_eq!(head.probes, features.probes());
}

#[test]
fn two_taps_side_by_side_make_one_model() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let run = |tool: &str, arguments: &[&str]| own.tool(tool, arguments);
    let sample = room.path("demo/sample");
    let taps = ["--tap", "layer2", "--tap", "pooled"];
    run("extract", &[&[sample.to_str().unwrap(), "-o", "x.features"], &taps[..]].concat()).fine();
    let both = ["x.layer2.features", "x.pooled.features"];
    run("fit-head", &[&both[..], &["-o", "x.head", "--concat"]].concat()).fine();
    let head = Head::read(&own.path("x.head")).unwrap();
    assert_eq!(head.sources.len(), 2);
    run("evaluate", &[&both[..], &["x.head", "-o", "m.csv"]].concat()).fine();
    // Each is run again on the probes before it takes its place.
    run("export", &["x.head", "-o", "x.onnx"]).fine();
    run("export", &["x.head", "-o", "model"]).fine();
    let config = fs::read_to_string(own.path("model/config.json")).unwrap();
    assert!(config.contains("layer2 + pooled") && config.contains("its outputs, one after the other, go"));
}

#[test]
fn a_stage_of_headstart_is_the_tool_itself() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let path = |name: &str| room.path(name).to_str().unwrap().to_owned();
    let (features, head) = (path("demo/sample.features"), path("demo/sample.head"));
    let run = own.tool("headstart", &["evaluate", &features, &head, "-o", "m.parquet"]).fine();
    assert_eq!(run.stdout(), demo().summary);
    assert_eq!(own.bytes("m.parquet"), room.bytes("demo/metrics.parquet"));
    let run = own.tool("headstart", &["evaluate", &features, &head, "-o", "m.parquet"]);
    assert_eq!(run.code(), 1);
    assert_eq!(run.stderr().lines().count(), 1);
    assert!(run.stderr().starts_with("evaluate: `m.parquet` exists"), "{}", run.stderr());
    assert_eq!(own.tool("headstart", &["extract", "x", "-o", "x.features", "--batch", "0"]).code(), 2);
}

#[test]
fn every_example_runs_as_printed() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    fs::create_dir(own.path("tmp")).unwrap();
    let demo = room.path("demo");
    for tool in TOOLS {
        // As on a wide terminal: clap breaks lines at the terminal's width.
        let help = own.call_with(program(tool), &["--help"], &[("COLUMNS", "160")]).fine().stdout();
        let lines = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        let example = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        let example = example.replace("\\\n", " ");
        assert_eq!(example.lines().count(), 1, "{tool} --help has one example: {example}");
        let words = example.split_whitespace().map(|word| {
            // A clone's folders, as this test has them.
            let word = word.replacen("/tmp/", "tmp/", 1);
            word.replacen("target/demo", demo.to_str().unwrap(), 1)
        });
        let words: Vec<String> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(words[0], format!("target/release/{tool}"), "{example}");
        own.tool(tool, &words[1..]).fine();
        assert_eq!(own.names(), ["tmp"], "{example}");
    }
    let left: Vec<PathBuf> =
        fs::read_dir(own.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.len() >= TOOLS.len(), "{left:?}");
}

#[test]
fn every_flag_with_a_value_states_its_default() {
    let room = Room::new();
    for tool in TOOLS.into_iter().chain(["fetch"]) {
        let help = room.tool(tool, &["--help"]).fine().stdout();
        let usage = help.lines().find(|line| line.starts_with("Usage:")).unwrap();
        let flags = paragraphs(&help);
        assert!(flags.len() >= 2, "{tool} has {} flags with values", flags.len());
        for (flag, paragraph) in flags {
            let required = usage.contains(&flag) || flag == "--output";
            let optional_output = paragraph.to_lowercase().contains("also write");
            let repeated = paragraph.contains("repeat it");
            assert!(
                required || optional_output || repeated || paragraph.contains("[default: "),
                "{tool} --help states no default of {flag}: {paragraph}"
            );
        }
        for part in ["Reads", "Writes", "Exit codes: 0 success, 1 failed, 2 wrong usage"] {
            // The sample comes from nothing.
            let not_asked = tool == "make-sample" && part != "Writes";
            assert!(not_asked || help.contains(part), "{tool} --help says nothing of `{part}`");
        }
    }
}

/// Every flag that takes a value, and what is said of it.
fn paragraphs(help: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in help.lines() {
        let words = line.trim();
        if words.starts_with('-') && line.starts_with("  ") && !line.starts_with("          ") {
            inside = words.contains('<');
            if inside {
                let flag = words.split([' ', ',']).find(|word| word.starts_with("--")).unwrap();
                found.push((flag.to_owned(), String::new()));
            }
        } else if !line.is_empty() && !line.starts_with(' ') {
            inside = false;
        } else if let (true, Some((_, paragraph))) = (inside, found.last_mut()) {
            *paragraph = format!("{paragraph} {words}").trim().to_owned();
        }
    }
    found
}

#[test]
fn labels_and_numbers_go_the_same_way() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let path = room.path("demo/sample.features");
    let features = Features::open(&path).unwrap();
    // What a manifest may say of the ten classes: two labels that overlap, and a number.
    let labels = features.column("label").unwrap();
    let mut manifest = "path,even,late,size\n".to_owned();
    for row in 0..features.len() {
        let class = labels.codes()[row];
        let (even, late) = (class.is_multiple_of(2), class > 5);
        let late = u8::from(late);
        manifest +=
            &format!("{},{even},{late},{}\n", features.id(row), 2000 + 10 * u32::from(late) + class % 2);
    }
    own.write("m.csv", manifest);
    let features = path.to_str().unwrap();
    for (target, columns, flags, metric, least, output) in [
        ("labels", "even,late", &[][..], "macro_roc_auc", 0.65, "logits"),
        ("labels", "even,late", &["--head", "mlp:64"], "macro_roc_auc", 0.65, "logits"),
        ("number", "size", &[], "r2_score", 0.1, "values"),
    ] {
        let from = ["--manifest", "m.csv", "--force", "--target", target, "--target-columns", columns];
        own.tool("fit-head", &[&[features, "-o", "x.head"], &from[..], flags].concat()).fine();
        let files = ["x.head", "-o", "m.csv.parquet", "--predictions", "p.parquet", "--report", "r.html"];
        own.tool("evaluate", &[&[features], &files[..], &["--manifest", "m.csv", "--force"]].concat()).fine();
        let metrics = table::read(&own.path("m.csv.parquet")).unwrap();
        let at = text(&metrics, "metric").iter().position(|name| name == metric).unwrap();
        let value = |column: &str| metrics.column(column).unwrap().f64().unwrap().get(at).unwrap();
        let (low, own_value) = (value("ci_low"), value("value"));
        assert!(low < own_value && own_value > least, "{target} {flags:?}: {low}, {own_value}");
        assert_eq!(table::read(&own.path("p.parquet")).unwrap().height(), 70);
        let line = own.tool("export", &["x.head", "-o", "x.onnx", "--force"]).fine().last_line();
        assert!(line.contains(&format!("{output} of the probes")), "{line}");
        own.tool("export", &["x.head", "-o", "model", "--force"]).fine();
        let config = fs::read_to_string(own.path("model/config.json")).unwrap();
        assert!(config.contains(&format!("\"task\": \"{target}\"")), "{config}");
        let onnx = fs::read(own.path("x.onnx")).unwrap();
        assert_eq!(onnx.windows(11).any(|bytes| bytes == b"probabiliti"), target == "labels");
    }
}

#[test]
fn an_mlp_goes_the_same_way() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let features = room.path("demo/sample.features");
    let features = features.to_str().unwrap();
    let fit = ["-o", "mlp.head", "--head", "mlp:64", "--epochs", "20", "--table", "epochs.csv"];
    own.tool("fit-head", &[&[features], &fit[..]].concat()).fine();
    let epochs = table::read(&own.path("epochs.csv")).unwrap();
    assert_eq!(epochs.height(), 20);
    let losses: Vec<f64> = text(&epochs, "train_loss").iter().map(|loss| loss.parse().unwrap()).collect();
    assert!(losses[19] < losses[0] / 2.0, "{losses:?}");
    own.tool("evaluate", &[features, "mlp.head", "-o", "m.csv"]).fine();
    let metrics = table::read(&own.path("m.csv")).unwrap();
    assert_eq!(text(&metrics, "metric")[0], "accuracy");
    let accuracy: f64 = text(&metrics, "value")[0].parse().unwrap();
    assert!(accuracy > 0.5, "{accuracy}");
    own.tool("export", &["mlp.head", "-o", "mlp.onnx"]).fine();
    own.tool("export", &["mlp.head", "-o", "model"]).fine();
    assert!(own.path("model/config.json").is_file());
}

#[test]
fn attention_over_a_map_goes_the_same_way() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let run = |tool: &str, arguments: &[&str]| own.tool(tool, arguments);
    let sample = room.path("demo/sample");
    let taps = ["--tap", "layer3:flat", "--tap", "layer3:mean+max", "--dtype", "f16"];
    run("extract", &[&[sample.to_str().unwrap(), "-o", "x.features"], &taps[..]].concat()).fine();
    let (flat, both) = ("x.layer3.flat.features", "x.layer3.mean+max.features");
    let features = Features::open(&own.path(flat)).unwrap();
    let source = features.index().source.network().unwrap().clone();
    assert_eq!((source.shape.len(), source.shape.iter().product::<usize>()), (3, features.dim()));
    run("fit-head", &[both, "-o", "both.head"]).fine();

    let fit = ["-o", "x.head", "--head", "attention:4", "--learning-rate", "0.01", "--threads"];
    run("fit-head", &[&[flat], &fit[..], &["1"]].concat()).fine();
    let one = fs::read(own.path("x.head")).unwrap();
    run("fit-head", &[&[flat], &fit[..], &["2", "--force"]].concat()).fine();
    assert_eq!(fs::read(own.path("x.head")).unwrap(), one);
    let head = Head::read(&own.path("x.head")).unwrap();
    assert_eq!(head.pool.as_ref().unwrap().count(), 4);
    run("evaluate", &[flat, "x.head", "-o", "m.csv", "--predictions", "p.csv"]).fine();
    let metrics = table::read(&own.path("m.csv")).unwrap();
    let accuracy: f64 = text(&metrics, "value")[0].parse().unwrap();
    assert!(accuracy > 0.5, "{accuracy}");

    // Each is run again on the probes before it takes its place.
    run("export", &["x.head", "-o", "x.onnx"]).fine();
    run("export", &["both.head", "-o", "both.onnx"]).fine();
    run("export", &["both.head", "-o", "both"]).fine();
    run("export", &["x.head", "-o", "x.hst", "--to", "bundle"]).fine();
    let of_model = |model: &str| run("predict", &[model, flat, "-o", "q.csv", "--force"]).fine();
    of_model("x.hst");
    run("export", &["x.head", "-o", "model"]).failed(
        1,
        &["`x.head` pools by attention, which a folder cannot hold yet; give --to onnx or bundle"],
    );

    let pooled = room.path("demo/sample.features");
    let pooled = pooled.to_str().unwrap();
    let refused =
        ["rows that were pooled already, and --head attention takes all places; rerun extract with --tap"];
    run("fit-head", &[pooled, "-o", "y.head", "--head", "attention:4"]).failed(1, &refused);
    run("fit-head", &[flat, both, "-o", "y.head", "--head", "attention:4", "--concat"])
        .failed(1, &["--head attention takes the features of one tap, got 2"]);
}

#[test]
fn a_head_may_be_the_upper_part_of_a_network() {
    let Demo { room, .. } = demo();
    let own = Room::new();
    let run = |tool: &str, arguments: &[&str]| own.tool(tool, arguments);
    let sample = room.path("demo/sample");
    let sample = sample.to_str().unwrap();
    run("extract", &[sample, "-o", "x.features", "--tap", "layer3:flat", "--tap", "pooled"]).fine();
    let (flat, pooled) = ("x.layer3.flat.features", "x.pooled.features");
    run("fit-head", &[pooled, "-o", "p.head", "--novelty-at", "0.9"]).fine();
    let small = Head::read(&own.path("p.head")).unwrap();

    // What stands between the map and the head goes into the head.
    let tower = model::towers_of(&small, &[]).unwrap().remove(0);
    let (height, width) = tower.size().unwrap();
    let (_, upper) = tower.bound.network().cut(&["layer3"], height, width).unwrap();
    let upper = tower.bound.part(upper, "the network").unwrap();
    let whole = upper.join(small.network().unwrap().unwrap()).unwrap();
    let scores = whole.network().of_output(whole.network().outputs().len() - 1);
    let features = Features::open(&own.path(flat)).unwrap();
    let head = Head {
        kind: HeadKind::Network,
        graph: Some(whole.part(scores, "the whole").unwrap()),
        layers: Vec::new(),
        novelty: None,
        sources: vec![features.index().source.clone()],
        probes: features.probes().to_vec(),
        features: features.digest(),
        ..small
    };
    head.write(&own.path("x.head"), false).unwrap();
    assert_eq!(Head::read(&own.path("x.head")).unwrap(), head);

    // It says what the other says.
    let said = |features: &str, head: &str, table: &str| {
        let outputs = ["-o", "m.csv", "--predictions", table, "--force", "--split", "all"];
        run("evaluate", &[&[features, head], &outputs[..]].concat()).fine();
        let table = table::read(&own.path(table)).unwrap();
        (text(&table, "predicted"), text(&table, "confidence"))
    };
    let (one, other) = (said(flat, "x.head", "x.csv"), said(pooled, "p.head", "p.csv"));
    assert_eq!(one.0, other.0);
    for (a, b) in one.1.iter().zip(&other.1) {
        let [a, b] = [a, b].map(|confidence| confidence.parse::<f64>().unwrap());
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }

    // Each is run again on the probes before it takes its place.
    run("export", &["x.head", "-o", "x.onnx"]).fine();
    run("export", &["x.head", "-o", "x.hst", "--to", "bundle"]).fine();
    for threads in ["1", "2"] {
        let arguments = ["x.hst", sample, "-o", "q.csv", "--force", "--threads", threads];
        run("predict", &arguments).fine();
        fs::rename(own.path("q.csv"), own.path(&format!("q{threads}.csv"))).unwrap();
    }
    assert_eq!(fs::read(own.path("q1.csv")).unwrap(), fs::read(own.path("q2.csv")).unwrap());
    let of_pictures = text(&table::read(&own.path("q1.csv")).unwrap(), "predicted");
    assert_eq!(of_pictures.len(), one.0.len());
    run("predict", &["x.hst", flat, "-o", "q.csv"]).fine();
    let by_id = |table: &str| {
        let table = table::read(&own.path(table)).unwrap();
        text(&table, "id").into_iter().zip(text(&table, "predicted")).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(by_id("q.csv"), by_id("x.csv"));
    run("export", &["x.head", "-o", "model"])
        .failed(1, &["`x.head` ends a network, which a folder cannot hold yet; give --to onnx or bundle"]);
    run("evaluate", &[pooled, "x.head", "-o", "m.csv", "--force"]).failed(1, &["x.head"]);
    let inspected = run("headstart", &["inspect", "x.head"]).fine();
    assert!(inspected.stdout().contains("network"), "{}", inspected.stdout());
}

#[test]
fn columns_of_a_manifest_go_along() {
    let room = Room::new();
    room.pictures("data", 3, 12);
    let mut rows = String::from("path,kind,age,who,split\n");
    for (class, kind) in ["a", "b", "c"].iter().zip(["wild", "bred", "wild"]) {
        for number in 0..12 {
            let split = if number < 8 { "train" } else { "test" };
            rows += &format!("{class}/{number:03}.png,{kind},{},p{},{split}\n", number * 3 % 7, number % 5);
        }
    }
    room.write("data/m.csv", &rows);
    let run = room.tool("extract", &["data/m.csv", "-o", "x.features"]).fine();
    assert!(run.stderr().contains("24 train, 12 test; no column `label`"), "{}", run.stderr());
    room.tool("fit-head", &["x.features", "-o", "x.head"])
        .failed(1, &["`x.features` has no column `label`, only `kind`, `age`, `who`"]);

    let kind = ["x.features", "-o", "kind.head", "--target-columns", "kind", "--group-column", "who"];
    room.tool("fit-head", &kind).fine();
    let evaluate = ["x.features", "kind.head", "-o", "kind.csv", "--slice", "who"];
    let run = room.tool("evaluate", &evaluate).fine();
    assert!(run.stdout().starts_with("test: 12 rows, 2 classes\n"), "{}", run.stdout());
    assert!(fs::read_to_string(room.path("kind.csv")).unwrap().contains("slice:who=p3"));
    room.tool("export", &["kind.head", "-o", "kind.onnx"]).fine();

    let age = ["x.features", "-o", "age.head", "--target", "number", "--target-columns", "age"];
    room.tool("fit-head", &age).fine();
    room.tool("evaluate", &["x.features", "age.head", "-o", "age.csv", "--report", "age.html"]).fine();
    // A wrong one is corrected without running the network again.
    room.write("fixed.csv", rows.replace("a/000.png,wild", "a/000.png,bred"));
    let fixed = ["x.features", "-o", "fixed.head", "--target-columns", "kind", "--manifest", "fixed.csv"];
    room.tool("fit-head", &fixed).fine();
    assert_ne!(fs::read(room.path("fixed.head")).unwrap(), fs::read(room.path("kind.head")).unwrap());
}

#[test]
fn test_sets_from_elsewhere() {
    let room = Room::new();
    let save = |folder: &str, class: usize, numbers: std::ops::Range<usize>| {
        let folder = room.path(&format!("{folder}/{}", ["a", "b", "c", "d"][class]));
        fs::create_dir_all(&folder).unwrap();
        for n in numbers {
            picture(class, n).save(folder.join(format!("{n:03}.png"))).unwrap();
        }
    };
    (0..3).for_each(|class| save("ours/train", class, 0..9));
    (0..2).for_each(|class| save("two/test", class, 20..24));
    (0..4).for_each(|class| save("four/test", class, 20..24));
    (0..3).for_each(|class| save("seen/test", class, 20..24));
    save("seen/test", 1, 4..9);
    (0..3).for_each(|class| save("new/train", class, 30..32));
    for name in ["ours", "two", "four", "seen", "new"] {
        room.tool("extract", &[name, "-o", &format!("{name}.features")]).fine();
    }
    room.tool("fit-head", &["ours.features", "-o", "x.head", "--reject-at", "0.8", "--novelty-at", "0.9"])
        .fine();
    let run = |name: &str, flags: &[&str]| {
        let features = format!("{name}.features");
        room.tool("evaluate", &[&[&features, "x.head", "-o", "m.csv", "--force"], flags].concat()).fine()
    };
    let two = run("two", &[]);
    assert_eq!(two.stderr(), "evaluate: 8 rows, 3 classes → m.csv\n");
    let absent = two.stdout().lines().find(|line| line.starts_with("  c ")).unwrap().to_owned();
    assert!(absent.split_whitespace().skip(2).eq(["-", "-", "0"]), "{absent}");

    let four = "evaluate: 4 rows of classes that the head does not know";
    let said = run("four", &[]).stderr();
    assert_eq!(said, format!("{four} are left out: `d` 4\nevaluate: 12 rows, 3 classes → m.csv\n"));
    let reject = run("four", &["--unknown", "reject"]);
    let first = format!("{four} count, and are right where rejected or novel: `d` 4\n");
    assert!(reject.stderr().starts_with(&first), "{}", reject.stderr());
    for metric in ["open_set_accuracy", "known_accepted", "unknown_rejected", "unknown_roc_auc"] {
        assert!(reject.stdout().contains(metric), "{}", reject.stdout());
    }

    let said = run("seen", &[]).stderr();
    let ids = (4..9).map(|n| format!("`test/b/{n:03}.png`")).collect::<Vec<_>>().join(", ");
    let note = format!("evaluate: test: the head has seen 5 of these 17 rows, byte for byte: {ids}\n");
    assert_eq!(said, format!("{note}evaluate: 17 rows, 3 classes → m.csv\n"));
    // What is called train elsewhere was not fitted on here.
    let said = run("new", &[]).stderr();
    assert!(
        said.contains("so the train rows are scored: the head has seen none of them, byte for byte\n"),
        "{said}"
    );
    let said = run("ours", &[]).stderr();
    assert!(said.contains("so the train rows are scored: the head has seen them\n"), "{said}");
}
