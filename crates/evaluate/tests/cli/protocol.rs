//! `--protocol`: heads that are fitted on a few rows of each class.

use super::*;
use std::collections::BTreeMap;

/// A room with `x.features`.
fn bare(made: &Made) -> Room {
    let room = Room::new();
    room.features("x.features", made);
    room
}

/// A table of all samples of `x.features` that says this of each: its place among them, and its class.
fn manifest(room: &Room, name: &str, says: impl Fn(usize, &str) -> String) {
    let features = Features::open(&room.path("x.features")).unwrap();
    let rows = features
        .samples()
        .map(|row| format!("{},{}\n", features.id(row), says(row, features.text(row, "label"))));
    room.write(name, format!("path,label\n{}", rows.collect::<String>()));
}

/// Value, ends and n of a scope, by metric.
type Scope = BTreeMap<String, (Option<f64>, Option<[f64; 2]>, u64)>;

fn scopes(room: &Room, name: &str) -> BTreeMap<String, Scope> {
    let table = table::read(&room.path(name)).unwrap();
    let [scope, metric] = ["scope", "metric"].map(|column| text(&table, column));
    let [value, low, high] =
        ["value", "ci_low", "ci_high"].map(|column| table.column(column).unwrap().f64().unwrap().to_vec());
    let n = table.column("n").unwrap().u64().unwrap().to_vec();
    let mut found: BTreeMap<String, Scope> = BTreeMap::new();
    for row in 0..table.height() {
        let ends = low[row].zip(high[row]).map(|(low, high)| [low, high]);
        let own = found.entry(scope[row].clone()).or_default();
        assert_eq!(own.insert(metric[row].clone(), (value[row], ends, n[row].unwrap())), None, "twice");
    }
    found
}

#[test]
fn means_deviations_and_draws_are_in_the_table() {
    let room = bare(&Made { rows: [30, 0, 20], ..Made::default() });
    let run = evaluate(&room, &["x.features", "--protocol", "few:5x4", "-o", "m.parquet"]).fine();
    assert_eq!(run.stderr(), "evaluate: 60 rows, 3 classes, few:5x4 → m.parquet\n");
    let out = run.stdout();
    assert!(out.starts_with("test: 60 rows, 3 classes; few:5x4, means of draws\n\n  accuracy"), "{out}");
    assert_eq!(
        out.lines().filter(|line| line.trim_start().starts_with(['1', '2', '3', '4'])).count(),
        4,
        "{out}"
    );
    let scopes = scopes(&room, "m.parquet");
    assert_eq!(
        scopes.keys().collect::<Vec<_>>(),
        ["deviation", "draw:1", "draw:2", "draw:3", "draw:4", "overall"]
    );
    let draws = ["draw:1", "draw:2", "draw:3", "draw:4"].map(|draw| &scopes[draw]);
    for metric in ["accuracy", "macro_f1", "log_loss", "ece"] {
        let each = draws.map(|draw| draw[metric].0.unwrap());
        let mean = each.iter().sum::<f64>() / 4.0;
        let deviation = (each.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
        let (value, ends, n) = scopes["overall"][metric];
        assert!((value.unwrap() - mean).abs() < 1e-15 && n == 60, "{metric}");
        assert!((scopes["deviation"][metric].0.unwrap() - deviation).abs() < 1e-15, "{metric}");
        let [low, high] = ends.unwrap();
        let half = 3.182_446 * deviation / 2.0;
        assert!(low < mean - half && mean + half < high, "{metric}: {low} to {high}");
        assert!(deviation > 0.0 && scopes["deviation"][metric].1.is_none());
    }
    assert!(draws[0]["accuracy"].0.unwrap() > 0.4);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let room = bare(&Made { dim: 300, rows: [50, 0, 50], ..Made::default() });
    for protocol in ["few:8x3", "mteb"] {
        let mut seen = Vec::new();
        for threads in ["1", "2", "3"] {
            let flags = ["--protocol", protocol, "-o", "m.parquet", "--force", "--threads", threads];
            let run = evaluate(&room, &[&["x.features"], &flags[..]].concat()).fine();
            seen.push((run.stdout(), std::fs::read(room.path("m.parquet")).unwrap()));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{protocol}");
    }
    let of = |flags: &[&str]| {
        evaluate(&room, &[&["x.features", "-o", "m.parquet", "--force", "--protocol"], flags].concat())
            .fine();
        scopes(&room, "m.parquet")
    };
    let (usual, zero, one) =
        (of(&["few:8x3"]), of(&["few:8x3", "--seed", "0"]), of(&["few:8x3", "--seed", "1"]));
    assert!(usual == zero && usual != one);
    // More draws begin as fewer do.
    let more = of(&["few:8x5"]);
    assert!(["draw:1", "draw:2", "draw:3"].iter().all(|draw| more[*draw] == usual[*draw]));
}

#[test]
fn one_draw_has_neither_interval_nor_deviation() {
    let room = bare(&Made::default());
    let run = evaluate(&room, &["x.features", "--protocol", "few:1x1", "-o", "m.csv"]).fine();
    assert!(!run.stdout().contains("within") && !run.stdout().contains("draw "), "{}", run.stdout());
    evaluate(&room, &["x.features", "--protocol", "few:1x1", "-o", "m.parquet"]).fine();
    let scopes = scopes(&room, "m.parquet");
    assert_eq!(scopes["overall"]["accuracy"].0, scopes["draw:1"]["accuracy"].0);
    assert_eq!((scopes["overall"]["accuracy"].1, scopes["deviation"]["accuracy"].0), (None, None));
    assert!(scopes["draw:1"]["accuracy"].1.is_some());
}

#[test]
fn mteb_takes_what_there_is_and_says_so() {
    let room = bare(&Made { last_class_train_rows: Some(3), rows: [12, 0, 20], ..Made::default() });
    let run = evaluate(&room, &["x.features", "--protocol", "mteb", "-o", "m.parquet"]).fine();
    let said = run.stderr();
    assert!(said.contains("1 of 3 classes have fewer than 8 train rows, such as `tulips` with 3; all of them are drawn, as by mteb\n"), "{said}");
    // These ids are names.
    assert!(said.contains("mteb's draws depend on the order of the train rows"), "{said}");
    let ten = scopes(&room, "m.parquet");
    assert_eq!(ten.keys().filter(|scope| scope.starts_with("draw:")).count(), 10);
    // All rows are drawn each time.
    evaluate(&room, &["x.features", "--protocol", "mteb:12x3", "-o", "n.parquet"]).fine();
    let all = scopes(&room, "n.parquet");
    assert!(all["draw:1"] == all["draw:2"] && all["draw:1"] == all["draw:3"]);
    assert_eq!(all["deviation"]["accuracy"].0, Some(0.0));
    assert_ne!(ten["draw:1"], ten["draw:2"]);
}

#[test]
fn mteb_draws_in_the_order_of_numbered_rows() {
    let room = bare(&Made { rows: [40, 0, 20], ..Made::default() });
    let from = Features::open(&room.path("x.features")).unwrap();
    // The same rows, called by the numbers of a shuffled table: as numbers of a fixed width, as plain ones, and as names.
    let renamed = |to: &str, id: &dyn Fn(usize) -> String| {
        let (columns, dim, source) = (from.columns().to_vec(), from.dim(), from.index().source.clone());
        let plan = NewFeatures { columns, dim, source, shard_bytes: 1 << 20 };
        let mut writer = FeaturesWriter::create(&room.path(to), false, plan).unwrap();
        let rows: Vec<usize> = from.samples().collect();
        let mut named: Vec<(String, usize)> =
            rows.iter().map(|&row| (id(row * 7 % rows.len()), row)).collect();
        named.sort();
        for (id, row) in &named {
            let mut values = vec![0.0; dim];
            from.copy_row(*row, &mut values);
            let (label, split, key) = (from.text(*row, "label"), from.split(*row), from.key(*row));
            writer.push(Row { id, texts: &[label], split, key, values: &values }).unwrap();
        }
        let lineage = Lineage { dataset: Digest::of(to.as_bytes()), tool: "extract 0.1.0".into() };
        writer.finish(&from.probes(), lineage, Vec::new()).unwrap();
        let run = evaluate(&room, &[to, "--protocol", "mteb", "-o", "m.parquet", "--force"]).fine();
        // Sums over the test rows run in their order, so not all figures are the same to the bit.
        let draws = scopes(&room, "m.parquet").into_values().map(|scope| scope["accuracy"].0);
        (draws.collect::<Vec<_>>(), run.stderr().contains("depend on the order"))
    };
    let (fixed, is_unsure) = renamed("fixed.features", &|number| format!("train#{number:06}"));
    assert!(!is_unsure);
    let (plain, is_unsure) = renamed("plain.features", &|number| number.to_string());
    assert!(!is_unsure && plain == fixed);
    // In the order of plain numbers as texts.
    let (names, is_unsure) = renamed("names.features", &|number| format!("n{number}"));
    assert!(is_unsure && names != fixed);
}

#[test]
fn rows_are_drawn_without_their_views_and_val_rows_are_not_looked_at() {
    let room = bare(&Made::default());
    room.features("v.features", &Made { views: 3, ..Made::default() });
    // Val rows of a class that nobody else has.
    let features = Features::open(&room.path("x.features")).unwrap();
    let is_val: Vec<bool> = (0..features.len()).map(|row| features.split(row) == Split::Val).collect();
    manifest(&room, "m.csv", |row, label| if is_val[row] { "other".to_owned() } else { label.to_owned() });
    let of = |given: &[&str]| {
        evaluate(&room, &[given, &["--protocol", "few:4x3", "-o", "m.parquet", "--force"]].concat()).fine();
        scopes(&room, "m.parquet")
    };
    let usual = of(&["x.features"]);
    assert_eq!(of(&["x.features", "--manifest", "m.csv"]), usual);
    assert_eq!(of(&["v.features"])["draw:1"].len(), usual["draw:1"].len());
    assert_ne!(of(&["x.features", "--split", "val"]), usual);
    // Side by side.
    room.features("y.features", &Made { tap: "layer3", ..Made::default() });
    assert_ne!(of(&["x.features", "y.features"]), usual);
}

#[test]
fn what_makes_no_sense_is_refused_by_one_line() {
    let room = bare(&Made { last_class_train_rows: Some(3), ..Made::default() });
    room.features("t.features", &Made { rows: [0, 0, 9], ..Made::default() });
    room.features("v.features", &Made { rows: [9, 9, 0], ..Made::default() });
    room.features("n.features", &Made { rows: [9, 0, 0], ..Made::default() });
    manifest(&room, "numbers.csv", |row, _| format!("{row}.25"));
    manifest(
        &room,
        "lists.csv",
        |row, label| if row % 2 == 0 { format!("{label}|big") } else { label.to_owned() },
    );
    manifest(&room, "one.csv", |_, _| "all".to_owned());
    let features = Features::open(&room.path("x.features")).unwrap();
    let is_test: Vec<bool> = (0..features.len()).map(|row| features.split(row) == Split::Test).collect();
    manifest(
        &room,
        "unseen.csv",
        |row, label| if is_test[row] { format!("new {label}") } else { label.to_owned() },
    );
    let few = |flags: &[&str], code: i32, part: &str| {
        let base = ["--protocol", "few:8x10", "-o", "m.csv"];
        evaluate(&room, &[&base[..], flags].concat()).failed(code, &[part]);
    };
    for wrong in ["few:0x10", "few:8x0", "few", "mteb:8", "some"] {
        let run = evaluate(&room, &["x.features", "-o", "m.csv", "--protocol", wrong]);
        run.failed(2, &["expected `few:NxK`", &format!("got `{wrong}`")]);
    }
    few(
        &["x.features"],
        1,
        "1 of 3 classes have fewer than 8 train rows, such as `tulips` with 3; draw fewer",
    );
    few(&["x.features", "--manifest", "numbers.csv"], 1, "they are numbers, and --protocol takes classes");
    few(&["x.features", "--manifest", "lists.csv"], 1, "holds lists of labels, such as `daisy|big`");
    few(&["x.features", "--manifest", "one.csv"], 1, "has one class, `all`: expected two or more");
    few(&["x.features", "--manifest", "unseen.csv"], 1, "with 0; give it some");
    few(&["t.features"], 1, "`t.features` has no train rows, and --protocol needs some to draw from");
    few(&["v.features"], 1, "has no test rows, and --protocol needs some to score; give --split val, or");
    few(&["n.features", "--split", "val"], 1, "has no val rows");
    few(&["x.features", "--target-columns", "kind"], 1, "has no column `kind`");
    few(&["x.features", "--target-columns", "a,b"], 2, "expected the one column of classes, got 2");
    for split in ["train", "all"] {
        few(&["x.features", "--split", split], 2, "--protocol scores test or val rows");
    }
    few(&["x.features", "x.head"], 2, "give features alone, without `x.head`");
    for flags in [
        &["--predictions", "p.csv"][..],
        &["--report", "r.html"],
        &["--images", "x.features", "--report", "r.html"],
        &["--hardest", "h.csv"],
        &["--suspects", "s.csv"],
        &["--duplicates", "d.csv"],
        &["--slice", "label"],
        &["--unknown", "reject"],
        &["--unseen-only"],
        &["--baseline", "x.head"],
    ] {
        few(&[&["x.features"], flags].concat(), 2, "is about one head, and --protocol fits its own");
    }
    let seeded = ["x.features", "--protocol", "mteb", "--seed", "1", "-o", "m.csv"];
    evaluate(&room, &seeded).failed(2, &["--seed goes with --protocol few:NxK; that of mteb is always 42"]);
    let unseen = ["x.features", "--protocol", "mteb", "-o", "m.csv", "--manifest", "unseen.csv"];
    evaluate(&room, &unseen).failed(1, &["with 0; give it some"]);
    evaluate(&room, &["x.features", "--protocol", "mteb", "-o", "m.txt"])
        .failed(2, &["expected .parquet, .csv or .json"]);
    room.write("mine.csv", "mine");
    let mine = ["x.features", "--protocol", "few:3x2", "-o", "mine.csv"];
    evaluate(&room, &mine).failed(1, &["`mine.csv` exists"]);
    evaluate(&room, &[&mine[..], &["--force"]].concat()).failed(1, &["not a table of evaluate"]);
    assert!(!room.names().iter().any(|name| name.starts_with('.') || name == "m.csv"), "{:?}", room.names());
    // What it wrote it may replace.
    for _ in 0..2 {
        evaluate(&room, &["x.features", "--protocol", "few:3x2", "-o", "m.csv", "--force"]).fine();
    }
}
