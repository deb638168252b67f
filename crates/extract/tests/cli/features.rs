//! What is in the features, and what it does not depend on.

use super::{extract, open, room, rows};
use harness::{Room, picture, turned_png};
use sample::Split;
use std::fs;
use store::Dtype;

#[test]
fn the_index_says_what_was_run() {
    let room = Room::new();
    for (split, each) in [("train", 3), ("validation", 1), ("Test", 2)] {
        room.pictures(&format!("data/{split}"), 3, each);
    }
    room.write("data/train/a/notes.txt", "no image");
    let run = extract(&room, &["data", "-o", "x.features"]).fine();
    assert_eq!(run.last_line(), "extract: 18 rows of 224 features, 0 skipped → x.features");
    assert!(run.stderr().contains("extract: passed over: 1 .txt\n"), "{}", run.stderr());
    let held = "extract: 9 train, 3 val, 6 test; 3 classes: a 6, b 6, c 6\n";
    assert!(run.stderr().contains(held), "{}", run.stderr());
    assert_eq!(run.stderr().lines().count(), 3, "{}", run.stderr());
    assert_eq!(run.stdout(), "");
    let features = open(&room, "x.features");
    assert_eq!(features.column("label").unwrap().words(), ["a", "b", "c"]);
    assert_eq!(features.id(0), "Test/a/000.png");
    assert!((1..18).all(|row| features.id(row - 1) < features.id(row)));
    let counts = Split::ALL.map(|split| features.rows_of(split).len());
    assert_eq!(counts, [9, 3, 6]);
    let source = features.index().source.network().unwrap();
    assert_eq!((source.backbone.as_str(), source.tap.as_str()), ("headstart_tiny", "pooled"));
    assert!(features.matrix(&[0]).iter().all(|value| value.is_finite()));
    assert_ne!(features.matrix(&[0]), features.matrix(&[1]));
    assert_eq!(features.probes().len(), 4 * 224);
    let index = fs::read_to_string(room.path("x.features/index.json")).unwrap();
    assert!(!index.contains(room.path("").to_str().unwrap()), "absolute paths stay out of artefacts");
}

#[test]
fn splits_are_drawn_by_content() {
    let room = room(20);
    let run = extract(&room, &["data", "-o", "x.features", "--split", "60/40", "--tap", "layer1"]).fine();
    assert!(run.stderr().contains("no splits given; 60/0/40 per cent"), "{}", run.stderr());
    let features = open(&room, "x.features");
    let train = features.rows_of(Split::Train).len();
    assert!((12..36).contains(&train) && features.rows_of(Split::Val).is_empty(), "{train} of 40");
    // The same pictures under other names, and some of them gone.
    fs::rename(room.path("data/a"), room.path("data/z")).unwrap();
    for n in 0..10 {
        fs::remove_file(room.path(&format!("data/b/{n:03}.png"))).unwrap();
    }
    extract(&room, &["data", "-o", "y.features", "--split", "60/40", "--tap", "layer1"]).fine();
    let again = open(&room, "y.features");
    let split_of = |features: &features::Features, id: &str| {
        (0..features.len()).find(|&row| features.id(row) == id).map(|row| features.split(row))
    };
    for row in 0..again.len() {
        let before = again.id(row).replacen("z/", "a/", 1);
        assert_eq!(Some(again.split(row)), split_of(&features, &before), "{before}");
    }
    assert_eq!(extract(&room, &["data", "-o", "w.features", "-q"]).fine().stderr(), "");
}

#[test]
fn a_manifest_gives_the_folders_features() {
    let room = room(4);
    let mut lines: Vec<String> = ["a", "b"]
        .iter()
        .flat_map(|class| (0..4).map(move |n| format!("{class}/{n:03}.png,{class},train")))
        .collect();
    lines.reverse();
    room.write("data/m.csv", format!("path,label,split\n{}\n", lines.join("\n")));
    extract(&room, &["data", "-o", "folder.features", "--split", "100/0"]).fine();
    extract(&room, &["data/m.csv", "-o", "manifest.features"]).fine();
    assert_eq!(room.bytes("folder.features"), room.bytes("manifest.features"));

    // What else a manifest says goes along.
    let text = fs::read_to_string(room.path("data/m.csv")).unwrap();
    room.write("data/m.csv", text.replace("path,label,split", "path,label,age").replace(",train", ",7"));
    extract(&room, &["data/m.csv", "-o", "age.features"]).fine();
    let aged = open(&room, "age.features");
    assert_eq!(aged.columns(), ["label", "age"]);
    assert_eq!(aged.column("age").unwrap().words(), ["7"]);
    // And a label is not needed.
    room.write("data/m.csv", text.replace("path,label,split", "path,kind,split"));
    let run = extract(&room, &["data/m.csv", "-o", "kind.features"]).fine();
    assert!(run.stderr().contains("no column `label`"), "{}", run.stderr());
    assert_eq!(open(&room, "kind.features").columns(), ["kind"]);

    room.write("data/m.csv", text.replace(",train", ",val"));
    extract(&room, &["data/m.csv", "-o", "val.features"]).fine();
    let (folder, val) = (open(&room, "folder.features"), open(&room, "val.features"));
    assert_eq!(val.rows_of(Split::Val).len(), 8);
    assert_eq!(rows(&folder), rows(&val));
}

#[test]
fn several_taps_in_one_pass_are_those_of_single_runs() {
    let room = room(3);
    let taps = ["layer1", "pooled", "layer3.0.conv1"];
    let flags = taps.map(|tap| ["--tap", tap]).concat();
    let run = extract(&room, &[&["data", "-o", "many.features"], &flags[..]].concat()).fine();
    assert_eq!(run.stderr().lines().filter(|line| line.contains(" rows of ")).count(), 3);
    for tap in taps {
        extract(&room, &["data", "-o", "one.features", "--tap", tap, "--force"]).fine();
        let many = room.bytes(&format!("many.{tap}.features"));
        assert!(many.len() >= 3);
        assert_eq!(room.bytes("one.features"), many, "{tap}");
    }
    assert_eq!(room.names().len(), 5);
}

#[test]
fn a_features_bits_depend_on_no_setting_of_the_run() {
    let room = room(9);
    let settings: [&[&str]; 4] =
        [&[], &["--threads", "1", "--batch", "1"], &["--threads", "2", "--batch", "7"], &["--batch", "4096"]];
    let mut seen = Vec::new();
    for flags in settings {
        extract(&room, &[&["data", "-o", "x.features", "--force"], flags].concat()).fine();
        seen.push(room.bytes("x.features"));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn smaller_numbers_are_the_same_numbers_rounded() {
    let room = room(2);
    extract(&room, &["data", "-o", "f32.features"]).fine();
    let full = rows(&open(&room, "f32.features"));
    for (name, dtype, steps) in [("f16", Dtype::F16, 2048.0), ("bf16", Dtype::BF16, 256.0)] {
        let output = format!("{name}.features");
        extract(&room, &["data", "-o", &output, "--dtype", name]).fine();
        let features = open(&room, &output);
        assert_eq!(features.index().dtype, dtype);
        for ((id, full), (other, rounded)) in full.iter().zip(rows(&features)) {
            assert_eq!(*id, other);
            // Half a step of the mantissa, and what f16 loses below its least normal number.
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / steps + 3e-8;
            assert!(full.iter().zip(&rounded).all(near), "{id} as {name}");
        }
        let stored = |name: &str| fs::metadata(room.path(name).join("shard-00000.rkyv")).unwrap().len();
        assert!(stored(&output) < stored("f32.features"));
    }
}

#[test]
fn a_picture_on_its_side_is_turned_upright() {
    let room = room(1);
    let upright = picture(1, 3);
    upright.save(room.path("data/a/upright.png")).unwrap();
    room.write("data/a/turned.png", turned_png(&upright));
    extract(&room, &["data", "-o", "x.features"]).fine();
    let rows = rows(&open(&room, "x.features"));
    assert_eq!((rows[1].0.as_str(), rows[2].0.as_str()), ("a/turned.png", "a/upright.png"));
    assert_eq!(rows[1].1, rows[2].1);
    assert_ne!(rows[0].1, rows[1].1);
}

#[test]
fn rows_do_not_depend_on_how_they_were_made() {
    let room = room(20);
    extract(&room, &["data", "-o", "whole.features", "--threads", "1", "--batch", "7", "--split", "70/30"])
        .fine();
    let whole = room.bytes("whole.features");
    let mut ways =
        vec![vec!["--batch", "1"], vec!["--batch", "64"], vec!["--threads", "2"], vec!["--isa", "portable"]];
    for isa in ["avx2", "avx512", "neon"] {
        if extract(&room, &["data", "-o", "isa.features", "--isa", isa, "--force"]).code() == 0 {
            ways.push(vec!["--isa", isa]);
        }
    }
    for way in ways {
        let flags = [&["data", "-o", "other.features", "--split", "70/30", "--force"], &way[..]].concat();
        extract(&room, &flags).fine();
        assert!(room.bytes("other.features") == whole, "{way:?}");
    }

    // Rows of every part, and of the same files under a manifest in another order.
    let whole = rows(&open(&room, "whole.features"));
    let mut together = Vec::new();
    for (part, expected) in [("1/3", 13), ("2/3", 13), ("3/3", 14)] {
        extract(&room, &["data", "-o", "part.features", "--part", part, "--split", "70/30", "--force"])
            .fine();
        let part = open(&room, "part.features");
        assert_eq!((part.len(), part.columns()), (expected, &["label".to_owned()][..]));
        together.extend(rows(&part));
    }
    assert_eq!(together, whole);
    for (flags, message) in [
        (["--part", "4/3"], "expected I/N such as 2/3, the second of three"),
        (["--part", "0/3"], "expected I/N such as 2/3, the second of three"),
        (["--part", "1/41"], "`data` has 40 samples, too few for 41 parts"),
        (["--isa", "mmx"], "this processor runs "),
    ] {
        let run = extract(&room, &[&["data", "-o", "bad.features"], &flags[..]].concat());
        assert!(run.code() == 2 && run.stderr().contains(message), "{}", run.stderr());
    }
}
