//! Augmented views: what they are, what they depend on, and that nobody is given them for samples.

use super::{extract, interrupted, open, room, rows};
use features::Features;
use harness::Room;
use input::{Augment, Views};
use sample::Split;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

const ALL: [&str; 6] = ["--views", "3", "--augment", "flip,crop,colour", "--seed", "5"];

/// Id, view and values of every row.
fn viewed(features: &Features) -> Vec<(String, u32, Vec<f32>)> {
    let row = |row| (features.id(row).to_owned(), features.view(row), features.matrix(&[row]));
    (0..features.len()).map(row).collect()
}

/// A room with `data`: train, val and test folders of two classes.
fn split_room() -> Room {
    let room = Room::new();
    for (split, each) in [("train", 5), ("val", 2), ("test", 2)] {
        room.pictures(&format!("data/{split}"), 2, each);
    }
    room
}

#[test]
fn train_samples_have_views_and_the_rows_of_others_are_those_without() {
    let room = split_room();
    extract(&room, &["data", "-o", "plain.features"]).fine();
    let run = extract(&room, &[&["data", "-o", "x.features"], &ALL[..]].concat()).fine();
    assert_eq!(
        run.last_line(),
        "extract: 38 rows of 224 features (18 samples, those of train in 3 views), 0 skipped → x.features"
    );
    let (plain, features) = (open(&room, "plain.features"), open(&room, "x.features"));
    let index = features.index();
    assert_eq!(index.views, Some(Views::new(3, Augment::ALL, 5)));
    assert_eq!((index.schema, plain.index().schema), (4, 4));
    assert!(!fs::read_to_string(room.path("plain.features/index.json")).unwrap().contains("views"));
    assert_eq!((&index.lineage, &index.source), (&plain.index().lineage, &plain.index().source));
    assert_eq!(Split::ALL.map(|split| features.rows_of(split).len()), [10, 4, 4]);
    assert_eq!((index.splits[&Split::Train], index.splits[&Split::Val]), (30, 4));

    // To the bit, and with the same keys.
    let samples: Vec<usize> = features.samples().collect();
    assert_eq!(samples.len(), plain.len());
    for (row, &sample) in samples.iter().enumerate() {
        assert_eq!(features.id(sample), plain.id(row));
        assert_eq!(features.row_bytes(sample), plain.row_bytes(row));
        assert_eq!(features.key(sample), plain.key(row));
    }
    // The pictures of a test all differ, and so do their copies.
    let values: BTreeSet<Vec<u8>> = (0..features.len()).map(|row| features.row_bytes(row).to_vec()).collect();
    let keys: BTreeSet<_> = (0..features.len()).map(|row| features.key(row)).collect();
    assert_eq!((keys.len(), values.len()), distinct(&room, &features));
}

/// How many different keys and rows there can be: val and test repeat pictures of train.
fn distinct(room: &Room, features: &Features) -> (usize, usize) {
    let contents: BTreeMap<Vec<u8>, u32> = (0..features.len())
        .map(|row| (fs::read(room.path("data").join(features.id(row))).unwrap(), features.view(row)))
        .fold(BTreeMap::new(), |mut views, (content, view)| {
            let most = views.entry(content).or_default();
            *most = view.max(*most);
            views
        });
    let all = contents.values().map(|most| *most as usize + 1).sum();
    (all, all)
}

#[test]
fn views_bits_depend_on_no_setting_of_the_run() {
    let room = room(9);
    let call = [&["data", "-o", "x.features", "--force", "--split", "70/15/15"], &ALL[..]].concat();
    let mut seen = Vec::new();
    for flags in [
        &[][..],
        &["--threads", "1", "--batch", "1"],
        &["--threads", "2", "--batch", "7"],
        &["--batch", "4096", "--isa", "portable"],
    ] {
        extract(&room, &[&call[..], flags].concat()).fine();
        seen.push(room.bytes("x.features"));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    let whole = viewed(&open(&room, "x.features"));
    assert!(whole.iter().any(|(_, view, _)| *view == 2));

    // Parts, shards of any size, augmentations in any order.
    let mut together = Vec::new();
    for part in ["1/4", "2/4", "3/4", "4/4"] {
        extract(&room, &[&call[..], &["--part", part]].concat()).fine();
        together.extend(viewed(&open(&room, "x.features")));
    }
    assert!(together == whole);
    let mut other = call.clone();
    other[9] = "colour,flip,crop";
    extract(&room, &other).fine();
    assert!(room.bytes("x.features") == seen[0]);

    // Of several taps, each alone.
    extract(&room, &[&call[..], &["--tap", "pooled", "--tap", "layer1"]].concat()).fine();
    assert!(room.bytes("x.pooled.features") == seen[0]);
    extract(&room, &[&call[..], &["--tap", "layer1"]].concat()).fine();
    assert!(room.bytes("x.features") == room.bytes("x.layer1.features"));
}

#[test]
fn views_follow_content_seed_and_number_and_nothing_else() {
    let room = room(3);
    let run = |name: &str, flags: &[&str]| {
        let split = ["--split", "100/0/0"];
        extract(&room, &[&["data", "-o", name, "--force"], &split[..], flags].concat()).fine();
        viewed(&open(&room, name))
    };
    let three = run("x.features", &ALL);
    // More views leave the others as they are.
    let five = run("x.features", &["--views", "5", "--augment", "flip,crop,colour", "--seed", "5"]);
    assert!(three.iter().all(|row| five.contains(row)) && five.len() == 30);
    let views = |rows: &[(String, u32, Vec<f32>)]| rows.iter().filter(|row| row.1 > 0).count();
    for other in [&["--views", "3", "--augment", "flip,crop,colour"][..], &["--views", "3", "--seed", "5"]] {
        let rows = run("x.features", other);
        let same = rows.iter().filter(|row| three.contains(row)).count();
        assert_eq!((rows.len(), views(&rows), same), (18, 12, 6), "{other:?}");
    }
    // The same pictures under other names.
    fs::rename(room.path("data/a/000.png"), room.path("data/a/zzz.png")).unwrap();
    let renamed = run("x.features", &ALL);
    let of = |rows: &[(String, u32, Vec<f32>)], id: &str| {
        rows.iter().filter(|row| row.0 == id).map(|row| (row.1, row.2.clone())).collect::<Vec<_>>()
    };
    assert_eq!(of(&renamed, "a/zzz.png"), of(&three, "a/000.png"));
}

#[test]
fn a_bad_picture_is_left_out_with_all_of_its_views() {
    let room = room(3);
    room.write("data/a/bad.png", "no picture");
    for batch in ["1", "4", "32"] {
        let flags = ["--max-skipped", "50", "--batch", batch, "--force", "--split", "100/0/0"];
        let run = extract(&room, &[&["data", "-o", "x.features"], &ALL[..], &flags].concat()).fine();
        let line = run.last_line();
        assert!(
            line.contains("18 rows") && line.contains("6 samples") && line.contains("1 skipped"),
            "{line}"
        );
        let features = open(&room, "x.features");
        assert_eq!(features.index().skipped.len(), 1);
        assert!(rows(&features).iter().all(|(id, _)| id != "a/bad.png"));
    }
}

#[test]
fn flags_that_make_no_sense_are_told() {
    let room = room(1);
    for (flags, message) in [
        (&["--views", "0"][..], "--views takes a number from 1 to 1000, got 0"),
        (&["--views", "1001"], "--views takes a number from 1 to 1000, got 1001"),
        (&["--augment", "flip"], "--augment goes with --views 2 or more"),
        (&["--seed", "1"], "--seed goes with --views 2 or more"),
        (&["--views", "2", "--augment", "hue"], "expected flip, crop or colour, separated by commas"),
        (&["--views", "2", "--augment", "flip,flip"], "an augmentation of --augment is given twice"),
        (&["--views", "2", "--augment", ""], "expected flip, crop or colour"),
    ] {
        let run = extract(&room, &[&["data", "-o", "x.features"], flags].concat());
        assert!(run.code() == 2 && run.stderr().contains(message), "{flags:?}: {}", run.stderr());
    }
    assert_eq!(room.names(), ["data"]);
}

#[cfg(unix)]
#[test]
fn a_stopped_run_with_views_goes_on_to_the_same_bytes() {
    let room = interrupted::room(1600);
    let call = ["data", "-o", "x.features", "--shard-size", "1", "--split", "90/10", "--views", "2"];
    let first = interrupted::stop_at(
        &room,
        interrupted::start(&room, &call),
        ".x.features.partial/shard-00000.rkyv",
        "INT",
    );
    let done = interrupted::interrupted(&first);
    assert!((580..1600).contains(&done), "{done}");
    let told = extract(&room, &call).fine().last_line();
    let reused = told.split_once(" views) (").and_then(|(_, rest)| rest.split_once(" reused)"));
    let reused: usize = reused.expect(&told).0.replace(',', "").parse().unwrap();
    assert!(reused >= 1171 && reused > done, "{told}");
    let mut undisturbed = call;
    undisturbed[2] = "y.features";
    extract(&room, &undisturbed).fine();
    assert!(room.bytes("x.features") == room.bytes("y.features"));

    // What a run without views left is the view 0 of one with views; views of another seed are not taken.
    let plain = ["data", "-o", "z.features", "--shard-size", "1", "--split", "90/10"];
    let stopped = interrupted::stop_at(
        &room,
        interrupted::start(&room, &plain),
        ".z.features.partial/shard-00000.rkyv",
        "INT",
    );
    let done = interrupted::interrupted(&stopped);
    let told = extract(&room, &[&plain[..], &["--views", "2", "--seed", "9"]].concat()).fine().last_line();
    let reused = told.split_once(" views) (").and_then(|(_, rest)| rest.split_once(" reused)"));
    let reused: usize = reused.expect(&told).0.replace(',', "").parse().unwrap();
    assert_eq!(reused, done);
}
