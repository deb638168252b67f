//! What classes have, labels and numbers have too; and classes stand in a manifest as those do.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Made, Room, Run};
use head::{Head, HeadKind};
use sample::targets::{TargetsFrom, Task, Truth};
use store::table;

const TOOL: &str = env!("CARGO_BIN_EXE_fit-head");
const CLASSES: [&str; 3] = ["daisy", "roses", "tulips"];

fn fit_head(room: &Room, arguments: &[&str]) -> Run {
    room.call(TOOL, &[&["x.features", "-o", "x.head", "--force"], arguments].concat())
}

fn head(room: &Room) -> Head {
    Head::read(&room.path("x.head")).unwrap()
}

/// A room with features, and a manifest of `header` with a row for each sample: `row(class, number)` follows its path.
fn room(header: &str, row: impl Fn(usize, usize) -> String) -> Room {
    let room = Room::new();
    room.features("x.features", &Made::default());
    let mut text = format!("path,{header}\n");
    for (class, name) in CLASSES.iter().enumerate() {
        (0..50).for_each(|number| text += &format!("{name}/{number:04}.png,{}\n", row(class, number)));
    }
    room.write("m.csv", text);
    room
}

/// Labels that follow from the class, and numbers with some noise.
fn targets() -> Room {
    room("early,red,height", |class, number| {
        let height = 10 * class + number % 4;
        format!("{},{},{height}.5", u8::from(class == 0 || number % 10 == 3), u8::from(class != 2))
    })
}

const LABELS: [&str; 6] = ["--target", "labels", "--target-columns", "early,red", "--manifest", "m.csv"];
const NUMBER: [&str; 6] = ["--target", "number", "--target-columns", "height", "--manifest", "m.csv"];

#[test]
fn a_manifest_corrects_classes() {
    // Two samples of the train split that the features call daisies.
    let room = room("label,kind", |class, number| {
        let label = if class == 0 && number < 2 { "tulips" } else { CLASSES[class] };
        format!("{label},{}", ["wild", "bred", "bred"][class])
    });
    fit_head(&room, &[]).fine();
    let plain = head(&room);
    let run = fit_head(&room, &["--manifest", "m.csv"]).fine();
    let said = "fit-head: --manifest gives 2 of 150 samples another class than the features have\n";
    assert!(run.stderr().contains(said), "{}", run.stderr());
    let corrected = head(&room);
    assert_eq!(corrected.targets.from, TargetsFrom::Class);
    assert_eq!((corrected.task(), &corrected.classes), (Task::Class, &plain.classes));
    assert_ne!(corrected.layers, plain.layers);

    // What nothing is corrected in is the head that the features' own classes give.
    let text = std::fs::read_to_string(room.path("m.csv")).unwrap();
    room.write(
        "same.csv",
        text.replace("daisy/0000.png,tulips", "daisy/0000.png,daisy")
            .replace("daisy/0001.png,tulips", "daisy/0001.png,daisy"),
    );
    let run = fit_head(&room, &["--manifest", "same.csv"]).fine();
    assert!(run.stderr().contains("gives 0 of 150 samples another class"), "{}", run.stderr());
    let corrected_none = plain.layers.clone();
    assert_eq!((head(&room).layers, head(&room).fit), (plain.layers, plain.fit));

    // Any column holds classes, and with it all that classes have.
    let flags = ["--manifest", "m.csv", "--target-columns", "kind", "--head", "auto", "--reject-at", "0.8"];
    let run = fit_head(&room, &flags).fine();
    assert!(run.last_line().contains(" 90 rows, 2 classes, "), "{}", run.last_line());
    assert_eq!(head(&room).classes, ["bred", "wild"]);

    let missing: String =
        text.lines().filter(|line| !line.contains("/0007")).map(|l| format!("{l}\n")).collect();
    room.write("holes.csv", missing);
    fit_head(&room, &["--manifest", "holes.csv"]).failed(1, &["`holes.csv`", "daisy/0007.png"]);
    let two = ["--manifest", "m.csv", "--target-columns", "label,kind"];
    fit_head(&room, &two).failed(1, &["classes stand in one column, got `label`, `kind`"]);
    room.write("one.csv", text.replace("tulips,", "roses,").replace("daisy,", "roses,"));
    fit_head(&room, &["--manifest", "one.csv"]).failed(1, &["has one class, `roses`"]);
    // Without a manifest the features' own columns are read.
    fit_head(&room, &["--target-columns", "label"]).fine();
    assert_eq!(head(&room).layers, corrected_none);
    fit_head(&room, &["--target-columns", "kind"])
        .failed(1, &["`x.features` has no column `kind`, only `label`"]);
}

#[test]
fn a_column_is_the_manifests_where_it_has_it_else_the_features() {
    // Groups in one manifest, classes in the features; both in one; classes in one and groups in the features.
    let room = room("patient,label", |class, number| format!("p{},{}", number % 7, CLASSES[(class + 1) % 3]));
    let text = std::fs::read_to_string(room.path("m.csv")).unwrap();
    let groups: String =
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    room.write("groups.csv", groups);
    let bytes = |flags: &[&str]| {
        fit_head(&room, flags).fine();
        room.bytes("x.head")
    };
    let plain = bytes(&[]);
    assert_eq!(plain, bytes(&["--target-columns", "label"]));
    let grouped = fit_head(&room, &["--manifest", "groups.csv", "--group-column", "patient"]).fine();
    assert!(!grouped.stderr().contains("another class"), "{}", grouped.stderr());
    let own = head(&room);
    let both = fit_head(&room, &["--manifest", "m.csv", "--group-column", "patient"]).fine();
    assert!(both.stderr().contains("gives 150 of 150 samples another class"), "{}", both.stderr());
    assert_ne!(own.layers, head(&room).layers);
    // By a column that the features lack, nothing is corrected.
    let kind = fit_head(&room, &["--manifest", "m.csv", "--target-columns", "patient"]).fine();
    assert!(!kind.stderr().contains("another class"), "{}", kind.stderr());
    fit_head(&room, &["--manifest", "groups.csv"])
        .failed(1, &["`groups.csv` has no column `label`, only `path`, `patient`"]);
}

#[test]
fn neighbours_say_labels_and_numbers() {
    let room = targets();
    for (flags, outputs) in [(&LABELS, 2), (&NUMBER, 1)] {
        let flags = [&flags[..], &["--head", "knn:5", "--table", "t.csv"]].concat();
        let run = fit_head(&room, &flags).fine();
        assert!(run.last_line().contains(", knn, 5 neighbours, val loss "), "{}", run.last_line());
        let own = head(&room);
        let memory = own.memory.as_ref().unwrap();
        assert_eq!((own.kind, memory.truth.task()), (HeadKind::Knn, own.task()));
        assert_eq!(memory.truth.values().len(), 90 * outputs);
        // Better than to say the same of all: ln 2 of labels, 1 of numbers.
        assert!(own.fit["val_loss"].as_f64().unwrap() < 0.69, "{}", own.fit);
    }
    let Truth::Numbers(heights) = head(&room).memory.unwrap().truth else { panic!("numbers") };
    assert!(heights.iter().all(|height| height.fract() == 0.5), "{heights:?}");
    let names = table::read(&room.path("t.csv")).unwrap();
    assert_eq!(names.get_column_names(), ["neighbours", "val_loss"]);
    // Compared with others on val rows, and with none where there are none.
    let run = fit_head(&room, &[&NUMBER[..], &["--head", "ridge,knn:5"]].concat()).fine();
    assert!(run.last_line().contains(", of 2 tried: "), "{}", run.last_line());
    std::fs::remove_dir_all(room.path("x.features")).unwrap();
    room.features("x.features", &Made { rows: [40, 0, 10], ..Made::default() });
    fit_head(&room, &[&NUMBER[..], &["--head", "ridge,knn:5"]].concat())
        .failed(1, &["knn:5 heads are compared with others on val rows"]);
}

#[test]
fn each_label_has_its_threshold() {
    let room = targets();
    for kind in ["linear", "ridge"] {
        let flags = [&LABELS[..], &["--head", kind, "--reject-at", "0.9", "--folds", "5"]].concat();
        let run = fit_head(&room, &flags).fine();
        assert!(run.last_line().contains(" labels with a threshold of 90.0 % precision (mean recall "));
        let own = head(&room);
        let thresholds = own.label_thresholds().unwrap();
        assert_eq!(thresholds.len(), 2);
        assert!(thresholds.iter().flatten().all(|p| (0.0..1.0).contains(p)), "{thresholds:?}");
        let recalls = own.fit["label_recalls"].as_array().unwrap();
        let known = thresholds.iter().zip(recalls).all(|(p, recall)| p.is_some() == recall.is_number());
        assert!(known && own.reject_threshold().is_none(), "{}", own.fit);
    }
    fit_head(&room, &[&NUMBER[..], &["--reject-at", "0.9"]].concat())
        .failed(2, &["--reject-at goes with --target classes or labels", "comes without a confidence"]);
}

#[test]
fn novelty_and_learning_curves_are_there_for_every_task() {
    let room = targets();
    for (flags, accuracy) in [(&LABELS, true), (&NUMBER, false)] {
        let flags = [&flags[..], &["--novelty-at", "0.9", "--curve", "c.parquet", "--folds", "4"]].concat();
        let run = fit_head(&room, &flags).fine();
        assert!(
            run.last_line().contains("90.0 % of held-out rows within a distance of "),
            "{}",
            run.last_line()
        );
        let own = head(&room);
        let novelty = own.novelty.as_ref().unwrap();
        assert_eq!(novelty.means.len(), own.dim(), "one mean");
        assert_eq!(own.fit["novelty_threshold"].as_f64(), Some(novelty.threshold));
        let curve = table::read(&room.path("c.parquet")).unwrap();
        assert_eq!(curve.column("train_accuracy").is_ok(), accuracy);
        let losses = curve.column("held_out_loss").unwrap().f64().unwrap().into_no_null_iter();
        let losses: Vec<f64> = losses.collect();
        assert!(losses.len() > 2 && losses[0] > losses[losses.len() - 1], "{losses:?}");
        assert_eq!(own.fit["curve"]["rows"].as_array().unwrap().len(), losses.len());
    }
    // The rows with each label are counted as those of each class are.
    fit_head(&room, &[&LABELS[..], &["--min-class-rows", "50"]].concat())
        .failed(1, &["has fewer than 50 train rows of some labels: `early` 3"]);
    fit_head(&room, &[&NUMBER[..], &["--min-class-rows", "2"]].concat())
        .failed(2, &["--min-class-rows goes with --target classes or labels; this target is number"]);
}
