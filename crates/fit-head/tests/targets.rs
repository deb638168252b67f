//! `fit-head --target` as users run it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Made, Room, Run};
use head::{Head, HeadKind};
use sample::targets::{TargetsFrom, Task};
use store::table;

const TOOL: &str = env!("CARGO_BIN_EXE_fit-head");

fn fit_head(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, &[&["x.features", "-o", "x.head", "--force"], arguments].concat())
}

/// A room with features of classes whose names are lists of labels.
fn labels() -> Room {
    let room = Room::new();
    room.features("x.features", &Made { classes: vec!["cat", "cat|dog", "dog", "none"], ..Made::default() });
    room
}

/// A room with features of classes whose names are numbers, of which the last is the largest.
fn numbers() -> Room {
    let room = Room::new();
    room.features("x.features", &Made { classes: vec!["-1", "0.5", "2e1"], ..Made::default() });
    room
}

/// `m.csv` with a row for each sample: `row(class, number)` says what follows its path.
fn manifest(room: &Room, header: &str, classes: &[&str], row: impl Fn(usize, usize) -> String) {
    let mut text = format!("path,{header}\n");
    for (class, name) in classes.iter().enumerate() {
        (0..50).for_each(|number| text += &format!("{name}/{number:04}.png,{}\n", row(class, number)));
    }
    room.write("m.csv", text);
}

fn head(room: &Room) -> Head {
    Head::read(&room.path("x.head")).unwrap()
}

#[test]
fn labels_stand_in_class_names_and_are_fitted_together() {
    let room = labels();
    for (flags, kind, name) in [
        (&[][..], HeadKind::Linear, "linear"),
        (&["--head", "ridge", "--folds", "4"], HeadKind::Linear, "ridge"),
        (
            &["--head", "mlp:8", "--calibrate", "--epochs", "30", "--learning-rate", "0.01"],
            HeadKind::Mlp,
            "mlp:8",
        ),
    ] {
        let run = fit_head(&room, &[&["--target", "labels", "--table", "t.parquet"], flags].concat()).fine();
        assert!(run.last_line().starts_with("fit-head: 120 rows, 2 labels, "), "{}", run.last_line());
        let head = head(&room);
        assert_eq!((head.kind, head.classes.as_slice()), (kind, &["cat".to_owned(), "dog".to_owned()][..]));
        let targets = head.targets;
        assert_eq!((targets.task, targets.from), (Task::Labels, TargetsFrom::Class));
        assert_eq!((head.fit["head"].as_str(), head.fit["target"].as_str()), (Some(name), Some("labels")));
        let accuracy = head.fit["train_accuracy"].as_f64().unwrap();
        assert!((0.6..=1.0).contains(&accuracy), "{accuracy}");
        assert!(head.fit["temperature"].as_f64().unwrap() > 0.0, "{name}");
        assert!(table::read(&room.path("t.parquet")).unwrap().height() > 1);
    }
    // The same features and flags give the same bytes, on any number of threads.
    let bytes = |flags: &[&str]| {
        fit_head(&room, &[&["--target", "labels", "--folds", "3"], flags].concat()).fine();
        room.bytes("x.head")
    };
    let one = bytes(&[]);
    assert_eq!(bytes(&["--threads", "1"]), one);
    assert_eq!(bytes(&["--threads", "3"]), one);
    assert_ne!(bytes(&["--seed", "1"]), one);
}

#[test]
fn labels_stand_in_columns_or_in_a_list() {
    let room = labels();
    let classes = ["cat", "cat|dog", "dog", "none"];
    manifest(&room, "dog,cat,tags,patient", &classes, |class, number| {
        let (cat, dog) = (class < 2, class == 1 || class == 2);
        let tags = match (cat, dog) {
            (true, true) => "cat|dog",
            (true, false) => "cat",
            (false, true) => "dog",
            (false, false) => "none",
        };
        format!("{},{cat},{tags},{}", u8::from(dog), number / 5)
    });
    fit_head(&room, &["--target", "labels"]).fine();
    let of_classes = head(&room);
    fit_head(&room, &["--target", "labels", "--manifest", "m.csv", "--target-columns", "cat,dog"]).fine();
    let of_columns = head(&room);
    assert_eq!(of_columns.targets.from, TargetsFrom::Columns);
    fit_head(&room, &["--target", "labels", "--manifest", "m.csv", "--target-columns", "tags"]).fine();
    let of_list = head(&room);
    assert_eq!(of_list.targets.from, TargetsFrom::Column("tags".to_owned()));
    // However they were read, they are the same.
    assert_eq!(of_columns.layers, of_classes.layers);
    assert_eq!(of_list.layers, of_classes.layers);
    // Other separators make one label of a list: that is said.
    let text = std::fs::read_to_string(room.path("m.csv")).unwrap();
    room.write("semi.csv", text.replace(",cat|dog,", ",cat;dog,"));
    let listed = ["--target", "labels", "--target-columns", "tags", "--manifest"];
    let run = fit_head(&room, &[&listed[..], &["semi.csv"]].concat()).fine();
    let said = "fit-head: `cat;dog` is one label; lists are written with `|`, as `cat|dog`\n";
    assert!(run.stderr().contains(said), "{}", run.stderr());
    let run = fit_head(&room, &[&listed[..], &["m.csv"]].concat()).fine();
    assert!(!run.stderr().contains("is one label"), "{}", run.stderr());
    let grouped = ["--target-columns", "dog,cat", "--group-column", "patient", "--manifest", "m.csv"];
    fit_head(&room, &[&["--target", "labels"], &grouped[..]].concat()).fine();
    let of_groups = head(&room);
    assert_eq!(of_groups.classes, ["dog", "cat"]);
    assert_eq!(of_groups.fit["held_out"], "5 folds");
    // One column of 0 and 1 is one label.
    fit_head(&room, &["--target", "labels", "--manifest", "m.csv", "--target-columns", "dog"]).fine();
    assert_eq!(head(&room).classes, ["dog"]);
}

#[test]
fn numbers_stand_in_class_names_or_in_columns() {
    let room = numbers();
    // Without a head, ridge.
    let run = fit_head(&room, &["--target", "number", "--table", "t.csv"]).fine();
    let line = run.last_line();
    assert!(
        line.starts_with("fit-head: 90 rows, 1 number, ridge, l2 ") && line.contains(" on val (loss "),
        "{line}"
    );
    let ridge = head(&room);
    assert_eq!(
        (ridge.classes.as_slice(), ridge.fit["head"].as_str()),
        (&["value".to_owned()][..], Some("ridge"))
    );
    assert!(ridge.fit["temperature"].is_null() && ridge.fit["train_accuracy"].is_null());
    let names = table::read(&room.path("t.csv")).unwrap();
    assert_eq!(names.get_column_names(), ["l2", "train_loss", "held_out_loss", "chosen"]);
    // The loss is that part of the variance that is left.
    let loss = ridge.fit["train_loss"].as_f64().unwrap();
    assert!(loss > 0.05 && loss < 0.9, "{loss}");

    manifest(&room, "a,b", &["-1", "0.5", "2e1"], |class, number| {
        format!("{},{}", [-1.0, 0.5, 20.0][class], (number * 7 % 13) as f64 / 4.0)
    });
    fit_head(&room, &["--target", "number", "--manifest", "m.csv", "--target-columns", "b,a", "--l2", "10"])
        .fine();
    let both = head(&room);
    assert_eq!((both.classes.as_slice(), both.layers[0].outputs), (&["b".to_owned(), "a".to_owned()][..], 2));
    fit_head(&room, &["--target", "number", "--l2", "10"]).fine();
    // Each output is what it would be alone, but for rounding.
    let alone = head(&room);
    for (a, b) in alone.layers[0].weight.iter().zip(&both.layers[0].weight[20..]) {
        assert!((a - b).abs() < 1e-4 * a.abs().max(0.1), "{a} {b}");
    }
    let run =
        fit_head(&room, &["--target", "number", "--head", "mlp:8", "--patience", "5", "--epochs", "40"])
            .fine();
    assert!(run.stderr().lines().any(|line| line.starts_with("epoch 1/40: train loss ")), "{}", run.stderr());
    assert!(!run.stderr().contains("accuracy"), "{}", run.stderr());
    assert_eq!((head(&room).kind, head(&room).layers[1].outputs), (HeadKind::Mlp, 1));
}

#[test]
fn what_is_no_target_is_one_line() {
    let room = labels();
    let failed = |code: i32, flags: &[&str], part: &str| fit_head(&room, flags).failed(code, &[part]);
    failed(
        1,
        &["--target", "number"],
        "`x.features`, column `label`: `cat/0000.png` has `cat`, expected a finite number",
    );
    let classes = ["cat", "cat|dog", "dog", "none"];
    manifest(&room, "age,cat,bird,empty,fish", &classes, |class, number| {
        let age = if class == 2 && number == 3 { "old".to_owned() } else { number.to_string() };
        let empty = if class == 3 { "" } else { "1" };
        // Only a row of the test split bears the fish.
        format!("{age},{},0,{empty},{}", u8::from(class < 2), u8::from(class == 0 && number == 45))
    });
    let with = |target: &'static str, columns: &'static str| {
        ["--target", target, "--manifest", "m.csv", "--target-columns", columns]
    };
    failed(
        1,
        &with("number", "cat,age"),
        "`m.csv`, column `age`: `dog/0003.png` has `old`, expected a finite number",
    );
    failed(
        1,
        &with("labels", "cat,age"),
        "column `age`: `cat/0002.png` has `2`, expected 0 or 1, or false or true",
    );
    failed(1, &with("labels", "cat,empty"), ": `empty` of `none/0000.png` is empty");
    failed(1, &with("labels", "cat,bird"), "no train row of `m.csv` bears the label `bird`");
    failed(1, &with("labels", "cat,fish"), "no train row of `m.csv` bears the label `fish`");
    failed(1, &with("labels", "cat,wing"), "nor has `m.csv`, only `path`, `age`");
    failed(1, &with("labels", "cat,cat"), "the column `cat` is named twice");
    failed(
        1,
        &["--target", "labels", "--target-columns", "cat"],
        "`x.features` has no column `cat`, only `label`",
    );
    failed(1, &["--manifest", "m.csv"], "no column `label`, only `path`, `age`");
    failed(2, &["--target", "colours"], "classes, labels, number");
    failed(
        2,
        &["--target", "number", "--head", "lda"],
        "this head is lda: it takes each row to be of one class",
    );
    assert_eq!(room.names(), ["m.csv", "x.features"]);
    // One class is enough where it says something.
    let one = Room::new();
    one.features("x.features", &Made { classes: vec!["none"], ..Made::default() });
    fit_head(&one, &["--target", "labels"]).failed(1, &["no sample bears a label, expected some"]);
    fit_head(&one, &[]).failed(1, &["has one class"]);
}

#[test]
fn a_held_out_sample_is_not_learnt_from_by_its_views() {
    let room = Room::new();
    let made = Made { classes: vec!["a", "b", "c"], dim: 60, rows: [24, 0, 8], views: 4, ..Made::default() };
    room.features("x.features", &made);
    // What features say nothing of: whoever has seen a view of a held-out sample knows it all the same.
    let drawn = |class: usize, number: usize| (class * 7919 + number * number * 104_729 + number) % 97;
    manifest(&room, "value,label", &["a", "b", "c"], |class, number| {
        format!("{},{}", drawn(class, number), drawn(class, number) % 2)
    });
    let columns = |column| ["--manifest", "m.csv", "--target-columns", column];
    for head_flags in [&["--l2", "0.01,0.1"][..], &["--head", "mlp:64", "--epochs", "40", "--patience", "40"]]
    {
        fit_head(&room, &[&["--target", "number"], &columns("value")[..], head_flags].concat()).fine();
        let fit = head(&room).fit;
        let (train, held_out) = (fit["train_loss"].as_f64().unwrap(), fit["held_out_loss"].as_f64().unwrap());
        assert!(train < 0.4 && held_out > 0.7, "{train}, held out {held_out}");
    }
    for head_flags in [&["--l2", "0.01,0.1"][..], &["--head", "ridge", "--l2", "0.01,0.1"]] {
        fit_head(&room, &[&["--target", "labels"], &columns("label")[..], head_flags].concat()).fine();
        let fit = head(&room).fit;
        assert!(fit["held_out_accuracy"].as_f64().unwrap() < 0.75, "{fit}");
    }
}

#[test]
fn of_several_features_and_kinds_the_best_is_kept() {
    for (room, target, heads, number) in
        [(labels(), "labels", "linear,ridge", 6), (numbers(), "number", "ridge,mlp:4", 6)]
    {
        let classes =
            if target == "labels" { vec!["cat", "cat|dog", "dog", "none"] } else { vec!["-1", "0.5", "2e1"] };
        room.features("y.features", &Made { classes, tap: "layer3", ..Made::default() });
        let flags = ["y.features", "--target", target, "--head", heads, "--table", "t.parquet"];
        let run = fit_head(&room, &flags).fine();
        assert!(run.last_line().contains(&format!(", of {number} tried: ")), "{}", run.last_line());
        let fit = head(&room).fit;
        let tried = fit["candidates"]["tried"].as_array().unwrap();
        let losses: Vec<f64> = tried.iter().map(|one| one["held_out_loss"].as_f64().unwrap()).collect();
        let chosen = fit["candidates"]["chosen"].as_u64().unwrap() as usize;
        assert!(losses.len() == number && losses.iter().all(|loss| losses[chosen] <= *loss), "{losses:?}");
        // Of labels linear, of numbers ridge, each on either and on both.
        let run = fit_head(&room, &["y.features", "--target", target, "--head", "auto"]).fine();
        assert!(run.last_line().contains(", of 3 tried: "), "{}", run.last_line());
    }
}

#[test]
fn numbers_that_a_head_cannot_tell_apart_are_refused() {
    let room = numbers();
    manifest(&room, "time", &["-1", "0.5", "2e1"], |class, number| {
        format!("{}", 1_700_000_000 + class * 50 + number)
    });
    let flags = ["--target", "number", "--manifest", "m.csv", "--target-columns", "time"];
    fit_head(&room, &flags)
        .failed(1, &["`time` lies around 1.700e9 and spreads by", "subtract a constant from it"]);
}
