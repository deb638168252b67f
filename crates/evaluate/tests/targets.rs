//! `evaluate` on heads that are no classifiers, as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Features;
use harness::{Made, Room, Run};
use head::{Head, HeadKind};
use polars::prelude::DataFrame;
use sample::targets::{TargetSpec, TargetsFrom, Task};
use store::table;
use weights::Dense;

const TOOL: &str = env!("CARGO_BIN_EXE_evaluate");

fn evaluate(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, &[&["x.features", "x.head"], arguments].concat())
}

/// A head of one layer that adds up, for each output, the columns that belong to the classes it goes with; less what they
/// are shifted by, times `scale`, plus `bias`.
fn head(room: &Room, task: Task, from: TargetsFrom, outputs: &[(&str, &[usize])], scale: f32) -> Head {
    let features = Features::open(&room.path("x.features")).unwrap();
    let (inputs, classes) = (features.dim(), features.column("label").unwrap().words().len());
    let (mut weight, mut bias) = (Vec::new(), Vec::new());
    for (_, own) in outputs {
        let row: Vec<f32> =
            (0..inputs).map(|i| if own.contains(&(i % classes)) { scale } else { 0.0 }).collect();
        bias.push(-row.iter().enumerate().map(|(i, w)| i as f32 * w).sum::<f32>() - 1.5 * scale);
        weight.extend(row);
    }
    Head {
        graph: None,
        memory: None,
        kind: HeadKind::Linear,
        classes: outputs.iter().map(|(name, _)| (*name).to_owned()).collect(),
        targets: TargetSpec { task, from },
        pool: None,
        layers: vec![Dense { inputs, outputs: outputs.len(), weight, bias }],
        novelty: None,
        sources: vec![features.index().source.clone()],
        probes: features.probes(),
        fit: serde_json::json!({}),
        features: features.digest(),
        seen: None,
    }
}

const CAT_AND_DOG: [(&str, &[usize]); 2] = [("cat", &[0, 1]), ("dog", &[1, 2])];

/// A room with `x.features` and `x.head` of labels that stand in class names.
fn labels() -> Room {
    let room = Room::new();
    room.features("x.features", &Made { classes: vec!["cat", "cat|dog", "dog", "none"], ..Made::default() });
    let head = head(&room, Task::Labels, TargetsFrom::Class, &CAT_AND_DOG, 0.5);
    head.write(&room.path("x.head"), false).unwrap();
    room
}

/// A room with `x.features` and `x.head` of a number that stands in class names.
fn numbers() -> Room {
    let room = Room::new();
    room.features("x.features", &Made { classes: vec!["-1", "0", "2"], ..Made::default() });
    let head = head(&room, Task::Numbers, TargetsFrom::Class, &[("value", &[2])], 0.3);
    head.write(&room.path("x.head"), false).unwrap();
    room
}

fn text(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap().str().unwrap();
    column.iter().map(|value| value.unwrap_or("null").to_owned()).collect()
}

/// Value, lower and upper end of one row of the table.
fn row(frame: &DataFrame, scope: &str, metric: &str, class: &str) -> [Option<f64>; 3] {
    let keys = ["scope", "metric", "class"].map(|name| text(frame, name));
    let mut found = (0..frame.height())
        .filter(|&row| keys.iter().zip([scope, metric, class]).all(|(column, wanted)| column[row] == wanted));
    let row = found.next().unwrap_or_else(|| panic!("no {scope} {metric} {class}"));
    assert_eq!(found.next(), None, "{scope} {metric} {class} is there twice");
    ["value", "ci_low", "ci_high"].map(|name| frame.column(name).unwrap().f64().unwrap().get(row))
}

#[test]
fn the_table_of_labels_agrees_with_the_predictions() {
    let room = labels();
    let run = evaluate(&room, &["-o", "m.parquet", "--predictions", "p.csv"]).fine();
    assert!(run.stdout().starts_with("test: 40 rows, 2 labels\n"), "{}", run.stdout());
    assert_eq!(run.stderr(), "evaluate: 40 rows, 2 labels → m.parquet, p.csv\n");
    let predictions = table::read(&room.path("p.csv")).unwrap();
    let names = predictions.get_column_names();
    assert_eq!(names, ["id", "split", "label", "predicted", "probability:cat", "probability:dog"]);
    let [labels, predicted] = ["label", "predicted"].map(|name| text(&predictions, name));
    assert_eq!(labels.iter().filter(|label| *label == "cat|dog").count(), 10);
    assert_eq!(labels.iter().filter(|label| *label == "none").count(), 10);
    let cats: Vec<f64> = text(&predictions, "probability:cat").iter().map(|p| p.parse().unwrap()).collect();
    assert!(cats.iter().zip(&predicted).all(|(p, said)| (*p > 0.5) == said.contains("cat")));
    let exact = labels.iter().zip(&predicted).filter(|(label, said)| label == said).count() as f64 / 40.0;

    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let names = metrics.get_column_names();
    assert_eq!(names, ["split", "scope", "metric", "class", "value", "ci_low", "ci_high", "n"]);
    let of = |metric: &str| row(&metrics, "overall", metric, "null");
    assert_eq!(of("subset_accuracy")[0], Some(exact));
    assert!((0.3..1.0).contains(&exact), "{exact}: the data should be neither hopeless nor trivial");
    for metric in [
        "subset_accuracy",
        "hamming_loss",
        "macro_f1",
        "micro_f1",
        "weighted_precision",
        "samples_recall",
        "coverage_error",
        "label_ranking_average_precision",
        "log_loss",
        "brier_score_loss",
        "macro_roc_auc",
        "macro_average_precision",
    ] {
        let [value, low, high] = of(metric).map(|value| value.unwrap_or_else(|| panic!("{metric}")));
        assert!(low <= value && value <= high && low < high, "{metric}: {low} {value} {high}");
    }
    for (label, support) in [("cat", 20.0), ("dog", 20.0)] {
        assert_eq!(row(&metrics, "class", "support", label)[0], Some(support));
        for metric in ["precision", "recall", "f1", "roc_auc", "average_precision", "log_loss"] {
            let [value, low, high] = row(&metrics, "class", metric, label).map(Option::unwrap);
            assert!(low <= value && value <= high && low < high, "{label} {metric}");
        }
        let own = |list: &str| list.split('|').any(|name| name == label);
        let right = labels.iter().zip(&predicted).filter(|(a, b)| own(a) && own(b)).count() as f64;
        assert_eq!(row(&metrics, "class", "recall", label)[0], Some(right / support));
    }
    // The same on other threads.
    let bytes = |flags: &[&str]| {
        evaluate(&room, &[&["-o", "n.csv", "--force"], flags].concat()).fine();
        room.bytes("n.csv")
    };
    assert_eq!(bytes(&["--threads", "1"]), bytes(&["--threads", "3"]));
    // Nothing is drawn, so neither the seed nor what once asked for samples changes anything.
    assert_eq!(bytes(&[]), bytes(&["--seed", "1", "--bootstrap", "0"]));
}

#[test]
fn the_table_of_numbers_agrees_with_the_predictions() {
    let room = numbers();
    let run = evaluate(&room, &["-o", "m.csv", "--predictions", "p.parquet", "--split", "all"]).fine();
    assert!(run.stdout().contains("test: 30 rows, 1 number\n"), "{}", run.stdout());
    let predictions = table::read(&room.path("p.parquet")).unwrap();
    assert_eq!(predictions.get_column_names(), ["id", "split", "target:value", "predicted:value"]);
    let splits = text(&predictions, "split");
    let column = |name: &str| predictions.column(name).unwrap().f64().unwrap().into_no_null_iter();
    let pairs = column("target:value").zip(column("predicted:value")).zip(&splits);
    let errors: Vec<f64> =
        pairs.filter(|(_, split)| *split == "test").map(|((truth, said), _)| said - truth).collect();
    assert_eq!(errors.len(), 30);
    let metrics = table::read(&room.path("m.csv")).unwrap();
    let keys = ["split", "scope", "metric", "value", "ci_low", "ci_high"].map(|name| text(&metrics, name));
    let value = |metric: &str, column: usize| -> f64 {
        let is_it = |&at: &usize| keys[0][at] == "test" && keys[1][at] == "overall" && keys[2][at] == metric;
        keys[column][(0..metrics.height()).find(is_it).unwrap()].parse().unwrap()
    };
    let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / 30.0).sqrt();
    assert!((value("root_mean_squared_error", 3) - rmse).abs() < 1e-12);
    let mae = errors.iter().map(|e| e.abs()).sum::<f64>() / 30.0;
    assert!((value("mean_absolute_error", 3) - mae).abs() < 1e-12);
    assert!(value("r2_score", 4) < value("r2_score", 3) && value("r2_score", 3) < value("r2_score", 5));
    // One number is what the whole is.
    assert!(keys[1].iter().zip(&keys[2]).filter(|(scope, _)| *scope == "class").count() == 18);
}

#[test]
fn slices_manifests_and_what_is_missing() {
    let room = labels();
    let mut rows = "path,side,cat,dog,size\n".to_owned();
    for (class, name) in ["cat", "cat|dog", "dog", "none"].iter().enumerate() {
        for number in 0..50 {
            let side = if number % 2 == 0 { "left" } else { "right" };
            let (cat, dog) = (u8::from(class < 2), u8::from(class == 1 || class == 2));
            rows += &format!("{name}/{number:04}.png,{side},{cat},{dog},{class}.5\n");
        }
    }
    room.write("m.csv", rows);
    evaluate(&room, &["-o", "m.parquet", "--slice", "side", "--manifest", "m.csv"]).fine();
    let metrics = table::read(&room.path("m.parquet")).unwrap();
    let [left, right, all] = ["slice:side=left", "slice:side=right", "overall"]
        .map(|scope| row(&metrics, scope, "subset_accuracy", "null")[0].unwrap());
    assert!(((left + right) / 2.0 - all).abs() < 1e-12);
    assert!(row(&metrics, "slice:side=left", "micro_f1", "null")[1].is_some());
    evaluate(&room, &["-o", "n.csv", "--manifest", "m.csv"])
        .failed(1, &["`m.csv` has no column `label`, only `path`, `side`, `cat`"]);

    // The same labels in columns: the same numbers.
    let columns = head(&room, Task::Labels, TargetsFrom::Columns, &CAT_AND_DOG, 0.5);
    columns.write(&room.path("x.head"), true).unwrap();
    evaluate(&room, &["-o", "n.csv"])
        .failed(1, &["has no column `cat`, only `label`; name another, or give a --manifest that has it"]);
    evaluate(&room, &["-o", "n.parquet", "--manifest", "m.csv"]).fine();
    let again = table::read(&room.path("n.parquet")).unwrap();
    assert_eq!(row(&again, "overall", "log_loss", "null"), row(&metrics, "overall", "log_loss", "null"));

    let both: [(&str, &[usize]); 2] = [("size", &[3]), ("dog", &[1, 2])];
    head(&room, Task::Numbers, TargetsFrom::Columns, &both, 0.3).write(&room.path("x.head"), true).unwrap();
    let run = evaluate(&room, &["-o", "o.parquet", "--manifest", "m.csv", "--slice", "side"]).fine();
    assert!(run.stdout().starts_with("test: 40 rows, 2 numbers\n"), "{}", run.stdout());
    let metrics = table::read(&room.path("o.parquet")).unwrap();
    let of = |scope: &str, class: &str| row(&metrics, scope, "root_mean_squared_error", class)[0].unwrap();
    let mean = 0.5 * (of("class", "size") + of("class", "dog"));
    assert!((of("overall", "null") - mean).abs() < 1e-12);
    assert!(of("slice:side=left", "null") > 0.0);

    // A label that the head does not know.
    head(&room, Task::Labels, TargetsFrom::Class, &[("cat", &[0, 1])], 0.5)
        .write(&room.path("x.head"), true)
        .unwrap();
    evaluate(&room, &["-o", "n.csv"]).failed(1, &["bears `dog`, which is no label of the head, only `cat`"]);
    assert_eq!(room.names(), ["m.csv", "m.parquet", "n.parquet", "o.parquet", "x.features", "x.head"]);
}

#[test]
fn thresholds_of_labels_change_no_figure_but_their_own() {
    let room = labels();
    let mut own = Head::read(&room.path("x.head")).unwrap();
    own.fit = serde_json::json!({ "label_thresholds": [0.75, null] });
    own.write(&room.path("own.head"), false).unwrap();
    let baseline = ["--baseline", "own.head"];
    evaluate(&room, &[&["-o", "plain.csv", "--report", "p.html"], &baseline[..]].concat()).fine();
    let flags = ["x.features", "own.head", "-o", "own.csv", "--predictions", "p.csv", "--baseline", "x.head"];
    room.call(TOOL, &flags).fine();
    let [plain, own] = ["plain.csv", "own.csv"].map(|name| table::read(&room.path(name)).unwrap());
    let of = |frame: &DataFrame, what: &str| -> Vec<String> {
        let columns = ["scope", "metric", "class", "value"].map(|name| text(frame, name));
        let rows =
            (0..frame.height()).map(|at| columns.each_ref().map(|column| column[at].as_str()).join(" "));
        rows.filter(|row| row.contains(what)).collect()
    };
    let others: Vec<String> = of(&own, "").into_iter().filter(|row| !row.contains("at_reject")).collect();
    assert_eq!(others, of(&plain, ""));
    assert_eq!(of(&own, "at_reject").len(), 2 + 2 * 2, "{:?}", of(&own, "at_reject"));
    assert_eq!(of(&own, "recall_at_reject dog"), ["class recall_at_reject dog 0.0"]);
    let said = table::read(&room.path("p.csv")).unwrap();
    for (p, accepted) in text(&said, "probability:cat").iter().zip(text(&said, "accepted")) {
        let sure = p.parse::<f64>().unwrap() >= 0.75;
        assert_eq!(accepted, if sure { "cat" } else { "none" }, "{p}");
    }
}

#[test]
fn labels_that_a_spreadsheet_would_run_are_named() {
    let room = labels();
    let rows = ["cat", "cat|dog", "dog", "none"].map(|name| {
        (0..50)
            .map(|number| format!("{name}/{number:04}.png,{}\n", u8::from(name == "cat")))
            .collect::<String>()
    });
    room.write("m.csv", format!("path,=cmd()\n{}", rows.concat()));
    let outputs: [(&str, &[usize]); 1] = [("=cmd()", &[0])];
    for task in [Task::Labels, Task::Numbers] {
        head(&room, task, TargetsFrom::Columns, &outputs, 0.3).write(&room.path("x.head"), true).unwrap();
        let run = |output: &str| evaluate(&room, &["-o", output, "--manifest", "m.csv", "--force"]).fine();
        assert!(run("n.csv").stderr().contains("`=cmd()`"), "{}", run("n.csv").stderr());
        assert!(!run("n.parquet").stderr().contains("=cmd()"));
    }
}

#[test]
fn train_rows_are_never_scored_without_a_word() {
    let other = "he head was fitted on other features, and has not seen these rows unless both hold the same";
    for (room, task, name) in [(labels(), Task::Labels, "cat"), (numbers(), Task::Numbers, "value")] {
        for seen in [true, false] {
            let mut own = Head::read(&room.path("x.head")).unwrap();
            assert_eq!((own.task(), &own.classes[0][..]), (task, name));
            if !seen {
                own.features = store::Digest::of(b"others");
            }
            own.write(&room.path("x.head"), true).unwrap();
            let flags = ["-o", "m.csv", "--split", "train", "--report", "r.html", "--force"];
            let said = evaluate(&room, &flags).fine().stderr();
            let page = std::fs::read_to_string(room.path("r.html")).unwrap();
            assert_eq!(page.contains("Scored on rows that it was fitted on"), seen);
            assert_eq!(said.contains("the train rows are scored: the head has seen them"), seen, "{said}");
            assert_eq!((said.contains(other), page.contains(other)), (!seen, !seen), "{said}");
        }
    }
}

#[test]
fn baselines_pages_and_the_gate() {
    for (room, worse, metric) in [
        (labels(), head as fn(&Room, Task, TargetsFrom, &[(&str, &[usize])], f32) -> Head, "micro_f1"),
        (numbers(), head, "root_mean_squared_error"),
    ] {
        let (task, outputs): (Task, &[(&str, &[usize])]) = if metric == "micro_f1" {
            (Task::Labels, &[("cat", &[3]), ("dog", &[0])])
        } else {
            (Task::Numbers, &[("value", &[0])])
        };
        worse(&room, task, TargetsFrom::Class, outputs, 0.4).write(&room.path("y.head"), false).unwrap();
        let flags = ["--report", "r.html", "--baseline"];
        let run = evaluate(&room, &[&["-o", "m.parquet"], &flags[..], &["y.head"]].concat()).fine();
        assert!(
            run.stdout().contains(&format!("\ntest: better than the baseline: {metric} ")),
            "{}",
            run.stdout()
        );
        let metrics = table::read(&room.path("m.parquet")).unwrap();
        let [apart, low, high] = row(&metrics, "difference", metric, "null").map(Option::unwrap);
        assert!(low <= apart && apart <= high && (low > 0.0 || high < 0.0), "{low} {apart} {high}");
        let page = std::fs::read_to_string(room.path("r.html")).unwrap();
        assert!(page.contains("id=\"summary\"") && page.contains("id=\"classes\""));
        assert!(page.contains("better than the baseline") && !page.contains("id=\"confusion\""));

        // The other way round it is worse: what was measured is written, and the gate closes.
        let swapped = ["x.features", "y.head", "-o", "n.parquet", "--baseline", "x.head"];
        let run = room.call(TOOL, &swapped);
        assert_eq!(run.code(), 3, "{}", run.stderr());
        assert!(
            run.last_line().contains(metric) && run.last_line().contains("tolerance 0"),
            "{}",
            run.last_line()
        );
        assert!(room.path("n.parquet").is_file());
        if metric == "micro_f1" {
            room.call(TOOL, &[&swapped[..], &["--tolerance", "1", "--force"]].concat()).fine();
        }
        // A head of other outputs.
        let other = worse(&room, task, TargetsFrom::Class, &[("bird", &[0])], 0.4);
        other.write(&room.path("z.head"), false).unwrap();
        evaluate(&room, &["-o", "o.csv", "--baseline", "z.head"])
            .failed(1, &["baseline `z.head` predicts other "]);
    }
}

#[test]
fn the_hardest_rows_of_labels_and_numbers_come_first() {
    for (room, metric) in [(labels(), "log_loss"), (numbers(), "mean_squared_error")] {
        let run = evaluate(&room, &["-o", "m.parquet", "--hardest", "h.parquet"]).fine();
        assert!(run.last_line().ends_with("m.parquet, h.parquet"), "{}", run.last_line());
        let hardest = table::read(&room.path("h.parquet")).unwrap();
        let losses: Vec<f64> = hardest.column("loss").unwrap().f64().unwrap().into_no_null_iter().collect();
        assert!(losses.len() == text(&hardest, "id").len() && losses.is_sorted_by(|a, b| a >= b), "{metric}");
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let metrics = table::read(&room.path("m.parquet")).unwrap();
        // In standard deviations the mean squared error is what R² says is not explained.
        let expected = match metric {
            "log_loss" => row(&metrics, "overall", "log_loss", "null")[0].unwrap(),
            _ => 1.0 - row(&metrics, "overall", "r2_score", "null")[0].unwrap(),
        };
        assert!((mean - expected).abs() < 1e-12 * expected.max(1.0), "{mean}, {expected}");
    }
}

#[test]
fn whatever_it_wrote_may_be_replaced() {
    for room in [labels(), numbers()] {
        for ending in ["csv", "parquet", "json"] {
            let names = ["m", "p", "h"].map(|name| format!("{name}.{ending}"));
            let [m, p, h] = names.each_ref().map(String::as_str);
            let flags = ["-o", m, "--predictions", p, "--hardest", h, "--report", "r.html", "--force"];
            evaluate(&room, &flags).fine();
            let first = room.bytes(".");
            evaluate(&room, &flags).fine();
            assert!(room.bytes(".") == first, "{ending}");
        }
    }
}

#[test]
fn what_is_likely_wrong_comes_first() {
    // Of every class one sample bears labels, or has a number, of another.
    let wrong = |number: usize| number == 7;
    let classes = ["cat", "cat|dog", "dog", "none"];
    let room = labels();
    let mut rows = "path,kinds\n".to_owned();
    for (class, name) in classes.iter().enumerate() {
        for number in 0..50 {
            let said = classes[(class + 2 * usize::from(wrong(number))) % 4];
            rows += &format!("{name}/{number:04}.png,{said}\n");
        }
    }
    room.write("m.csv", rows);
    let list = TargetsFrom::Column("kinds".to_owned());
    head(&room, Task::Labels, list, &CAT_AND_DOG, 0.5).write(&room.path("x.head"), true).unwrap();
    let flags = ["--manifest", "m.csv", "--suspects", "s.parquet", "--report", "r.html"];
    evaluate(&room, &[&["-o", "m.parquet"], &flags[..]].concat()).fine();
    let suspects = table::read(&room.path("s.parquet")).unwrap();
    let names = suspects.get_column_names();
    assert_eq!(names, ["id", "split", "label", "suggested", "quality", "likely", "missing", "wrong"]);
    assert_eq!(suspects.height(), 200);
    let ids = text(&suspects, "id");
    // The made features overlap, so some of the four look as if they were right; no honest row comes before the others.
    assert!(ids[..2].iter().all(|id| id.ends_with("/0007.png")), "{:?}", &ids[..6]);
    let at = ids.iter().position(|id| id == "dog/0007.png").unwrap();
    let of = |column: &str| text(&suspects, column)[at].clone();
    assert_eq!(["label", "suggested", "missing", "wrong"].map(of), ["cat", "dog", "dog", "cat"]);
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    for section in ["curves", "mistakes", "mislabels", "map"] {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
    assert!(page.contains("Labels likely missing or wrong"));

    let room = numbers();
    let mut rows = "path,value\n".to_owned();
    for (class, name) in ["-1", "0", "2"].iter().enumerate() {
        for number in 0..50 {
            let value = class as f64 + if wrong(number) { 25.0 } else { 0.01 * number as f64 };
            rows += &format!("{name}/{number:04}.png,{value}\n");
        }
    }
    room.write("m.csv", rows);
    head(&room, Task::Numbers, TargetsFrom::Columns, &[("value", &[2])], 0.3)
        .write(&room.path("x.head"), true)
        .unwrap();
    evaluate(&room, &[&["-o", "m.parquet"], &flags[..], &["--slice", "value"]].concat()).fine();
    let suspects = table::read(&room.path("s.parquet")).unwrap();
    let names = suspects.get_column_names();
    assert_eq!(names, ["id", "split", "target:value", "expected:value", "quality", "likely"]);
    let ids = text(&suspects, "id");
    assert!(ids[..3].iter().all(|id| id.ends_with("/0007.png")), "{:?}", &ids[..4]);
    let likely = suspects.column("likely").unwrap().bool().unwrap();
    assert!((0..3).all(|row| likely.get(row) == Some(true)) && likely.get(149) == Some(false));
    let page = std::fs::read_to_string(room.path("r.html")).unwrap();
    for section in ["values", "mistakes", "mislabels", "map", "slices"] {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
}

#[test]
fn a_corrected_class_is_read_from_the_manifest() {
    let room = labels();
    let classes = ["cat", "cat|dog", "dog", "none"];
    let outputs: Vec<(&str, &[usize])> =
        classes.iter().zip([&[0][..], &[1], &[2], &[3]]).map(|(name, own)| (*name, own)).collect();
    let mut own = head(&room, Task::Labels, TargetsFrom::Class, &outputs, 0.5);
    own.targets = TargetSpec::default();
    own.write(&room.path("x.head"), true).unwrap();
    evaluate(&room, &["-o", "a.parquet"]).fine();
    let table = |corrected: &str| {
        let mut rows = "path,label,other\n".to_owned();
        for name in classes {
            for number in 0..50 {
                let said = if name == "cat" { corrected } else { name };
                rows += &format!("{name}/{number:04}.png,{name},{said}\n");
            }
        }
        rows
    };
    room.write("m.csv", table("dog"));
    evaluate(&room, &["-o", "b.parquet", "--manifest", "m.csv"]).fine();
    evaluate(&room, &["-o", "c.parquet", "--manifest", "m.csv", "--target-columns", "other"]).fine();
    assert_eq!(room.bytes("a.parquet"), room.bytes("b.parquet"));
    let found = store::table::read(&room.path("c.parquet")).unwrap();
    assert_eq!(row(&found, "class", "support", "dog")[0], Some(20.0));
    assert_eq!(row(&found, "class", "support", "cat")[0], Some(0.0));
    room.write("m.csv", table("bird"));
    let said = evaluate(&room, &["-o", "d.csv", "--manifest", "m.csv", "--target-columns", "other"]).fine();
    let note = "evaluate: 10 rows of classes that the head does not know are left out: `bird` 10\n";
    assert!(said.stderr().starts_with(note), "{}", said.stderr());
    evaluate(&room, &["-o", "e.csv", "--manifest", "m.csv", "--target-columns", "label,other"])
        .failed(2, &["expected the one column of classes, got 2"]);
}
