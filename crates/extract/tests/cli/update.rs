//! A finished folder is a cache: only what is new in the data is run, and nobody can tell afterwards.

use super::{Room, extract, open, room};
use harness::flip;
use std::{collections::BTreeSet, fs, path::Path};

/// What the end line says of an output: reused, new, removed.
fn counts(told: &str, output: &str) -> Vec<u64> {
    let line = told.lines().find(|line| line.ends_with(&format!(" → {output}"))).expect(told);
    let (_, counts) = line.split_once("(reused ").expect(line);
    let (counts, _) = counts.split_once(')').expect(line);
    let words = counts.split(|c: char| !c.is_ascii_digit() && c != ',');
    let numbers = words.map(|word| word.trim_matches(',').replace(',', ""));
    numbers.filter(|word| !word.is_empty()).map(|word| word.parse().unwrap()).collect()
}

/// 60 pictures of the sample data, 40 for train and 20 for val, and one file that is none.
fn sample() -> Room {
    let room = Room::new();
    room.tool("make-sample", &["all"]).fine();
    for class in ["checks", "cross", "disc", "dots"] {
        fs::create_dir_all(room.path(&format!("data/train/{class}"))).unwrap();
        fs::create_dir_all(room.path(&format!("data/val/{class}"))).unwrap();
        (0..10).for_each(|n| copy(&room, class, n, &format!("train/{class}/{n:03}.png")));
        (10..15).for_each(|n| copy(&room, class, n, &format!("val/{class}/{n:03}.png")));
    }
    room.write("data/train/checks/none.png", "no picture");
    room
}

fn copy(room: &Room, class: &str, n: usize, to: &str) {
    fs::copy(room.path(&format!("all/train/{class}/{n:03}.png")), room.path(&format!("data/{to}"))).unwrap();
}

/// Adds 10 pictures, changes 5, removes 5, renames 20: 8 within their class, 7 to another class, 5 to another split.
fn change(room: &Room) {
    let rename = |from: String, to: String| {
        fs::rename(room.path(&format!("data/{from}")), room.path(&format!("data/{to}"))).unwrap();
    };
    (40..50).for_each(|n| copy(room, "checks", n, &format!("train/checks/{n:03}.png")));
    (0..5).for_each(|n| copy(room, "cross", 30 + n, &format!("train/cross/{n:03}.png")));
    (0..5).for_each(|n| fs::remove_file(room.path(&format!("data/train/disc/{n:03}.png"))).unwrap());
    (0..8).for_each(|n| rename(format!("train/dots/{n:03}.png"), format!("train/dots/new_{n}.png")));
    (0..7).for_each(|n| rename(format!("train/checks/{n:03}.png"), format!("train/disc/was_checks_{n}.png")));
    for (class, n) in [("cross", 10), ("cross", 11), ("cross", 12), ("disc", 10), ("disc", 11)] {
        rename(format!("val/{class}/{n:03}.png"), format!("train/{class}/was_val_{n}.png"));
    }
    room.write("data/val/dots/none.png", "no picture either");
}

/// Content keys of all rows.
fn keys(room: &Room, name: &str) -> BTreeSet<String> {
    let features = open(room, name);
    (0..features.len()).map(|row| features.key(row).to_string()).collect()
}

/// Flags, how the outputs end, and what is reused, new and removed, where that is easily told.
type Case = (&'static [&'static str], &'static [&'static str], Option<[u64; 3]>);

#[test]
fn an_update_is_a_fresh_run() {
    let cases: [Case; 4] = [
        (&[], &["features"], Some([50, 15, 10])),
        (
            &["--tap", "pooled", "--tap", "layer3"],
            &["pooled.features", "layer3.features"],
            Some([50, 15, 10]),
        ),
        (&["--dtype", "f16", "--part", "2/2"], &["features"], None),
        (&["--views", "3", "--augment", "crop,colour", "--seed", "4"], &["features"], None),
    ];
    let room = sample();
    let call = |flags: &[&'static str], more: &[&'static str]| {
        extract(&room, &[&["data", "--max-skipped", "10"], flags, more].concat())
    };
    for (flags, ..) in cases {
        let name = format!("old{}.features", flags.len());
        let run =
            extract(&room, &[&["data", "--max-skipped", "10", "-o", &name, "--update"], flags].concat());
        let told = run.fine().stderr();
        assert!(told.contains("yet: all images are run\n"), "{told}");
    }
    change(&room);
    for (flags, ends, expected) in cases {
        let stem = format!("old{}", flags.len());
        call(flags, &["-o", "fresh.features", "--force"]).fine();
        let before: Vec<_> = ends.iter().map(|end| keys(&room, &format!("{stem}.{end}"))).collect();
        let name = format!("{stem}.features");
        let run =
            extract(&room, &[&["data", "--max-skipped", "10", "-o", &name, "--update"], flags].concat());
        let told = run.fine().stderr();
        for (end, before) in ends.iter().zip(before) {
            let (updated, fresh) = (format!("{stem}.{end}"), format!("fresh.{end}"));
            assert!(room.bytes(&updated) == room.bytes(&fresh), "{updated}: other bytes");
            let after = keys(&room, &fresh);
            let [kept, new, gone] = [
                after.intersection(&before).count(),
                after.difference(&before).count(),
                before.difference(&after).count(),
            ]
            .map(|count| count as u64);
            assert_eq!(counts(&told, &updated), [kept, new, gone], "{told}");
            assert_eq!(expected.unwrap_or([kept, new, gone]), [kept, new, gone]);
        }
        assert!(told.contains("skipped `val/dots/none.png`: "), "{told}");
        // And once more, with nothing to do.
        let told =
            extract(&room, &[&["data", "--max-skipped", "10", "-o", &name, "--update"], flags].concat());
        assert_eq!(counts(&told.fine().stderr(), &format!("{stem}.{}", ends[0]))[1..], [0, 0]);
    }
    assert!(room.names().iter().all(|name| !name.starts_with('.')), "{:?}", room.names());
}

#[test]
fn parts_are_put_together() {
    let room = room(20);
    extract(&room, &["data", "-o", "whole.features"]).fine();
    for part in ["1", "2", "3"] {
        let name = format!("{part}.features");
        extract(&room, &["data", "-o", &name, "--part", &format!("{part}/3")]).fine();
    }
    let call = ["data", "-o", "x.features", "--reuse", "1.features", "--reuse", "2.features"];
    let told = extract(&room, &call).fine().stderr();
    assert_eq!(counts(&told, "x.features"), [26, 14], "{told}");
    assert!(room.bytes("x.features") == room.bytes("whole.features"));
    let told = extract(&room, &[&call[..], &["--update", "--reuse", "3.features"]].concat()).fine().stderr();
    assert_eq!(counts(&told, "x.features"), [40, 0, 0], "{told}");
    assert!(room.bytes("x.features") == room.bytes("whole.features"));
}

#[test]
fn rows_of_one_tap_serve_where_all_taps_have_them() {
    let room = room(6);
    for tap in ["pooled", "layer3"] {
        extract(&room, &["data", "-o", &format!("{tap}.features"), "--tap", tap]).fine();
    }
    let call =
        ["data", "-o", "x.features", "--tap", "pooled", "--tap", "layer3", "--reuse", "layer3.features"];
    let told = extract(&room, &call).fine().stderr();
    assert_eq!(counts(&told, "x.layer3.features"), [0, 12], "{told}");
    assert!(!told.contains("can be reused"), "{told}");
    let told =
        extract(&room, &[&call[..], &["--reuse", "pooled.features", "--force"]].concat()).fine().stderr();
    assert_eq!(counts(&told, "x.layer3.features"), [12, 0], "{told}");
    assert!(room.bytes("x.layer3.features") == room.bytes("layer3.features"));
}

#[test]
fn nothing_is_reused_that_would_be_other_bits() {
    let room = room(4);
    for (flags, why) in [
        (
            &["--filter", "bicubic"][..],
            "`x.features` has another preprocessing: none of its rows can be reused",
        ),
        (&["--tap", "layer3"], "`x.features` has another tap (pooled): none of its rows can be reused"),
        (&["--dtype", "bf16"], "`x.features` has another dtype (f32): none of its rows can be reused"),
    ] {
        extract(&room, &["data", "-o", "x.features", "--force"]).fine();
        extract(&room, &[&["data", "-o", "y.features", "--force"], flags].concat()).fine();
        let update = [&["data", "-o", "x.features", "--update"], flags].concat();
        let Some((what, _)) = why.split_once(": none").filter(|_| !why.contains("dtype")) else {
            let told = extract(&room, &update).fine().stderr();
            assert_eq!(counts(&told, "x.features"), [0, 8, 8], "{told}");
            assert!(told.contains(&format!("extract: {why}\n")), "{told}");
            assert!(room.bytes("x.features") == room.bytes("y.features"));
            continue;
        };
        // A flag that was forgotten does not cost the rows that are there.
        let before = room.bytes("x.features");
        extract(&room, &update).failed(1, &[what, ", so --update would replace all of its rows"]);
        assert!(room.bytes("x.features") == before);
        let told = extract(
            &room,
            &[&["data", "-o", "z.features", "--force", "--reuse", "x.features"], flags].concat(),
        );
        let told = told.fine().stderr();
        assert!(told.contains(&format!("extract: {why}\n")), "{told}");
        assert!(room.bytes("z.features") == room.bytes("y.features"));
    }
}

#[test]
fn what_is_damaged_is_run_again() {
    let room = room(4);
    extract(&room, &["data", "-o", "x.features"]).fine();
    let fresh = room.bytes("x.features");
    flip(&room.path("x.features/shard-00000.rkyv"));
    let told = extract(&room, &["data", "-o", "x.features", "--update"]).fine().stderr();
    assert_eq!(counts(&told, "x.features"), [0, 8, 8], "{told}");
    assert!(told.contains("`x.features`: `shard-00000.rkyv` is damaged: "), "{told}");
    assert!(room.bytes("x.features") == fresh);

    room.write("x.features/index.json", "{\"schema\": 3}");
    let damaged = room.bytes("x.features");
    let run = extract(&room, &["data", "-o", "x.features", "--update"]);
    run.failed(
        1,
        &["cannot update, --force makes it anew: cannot read `x.features`: its index is malformed"],
    );
    assert!(room.bytes("x.features") == damaged);
    assert_eq!(room.names(), ["data", "x.features"]);
}

#[test]
fn what_cannot_be_updated_or_reused() {
    let room = room(3);
    extract(&room, &["data", "-o", "x.features"]).fine();
    room.write("mine.features/holiday.jpg", "mine");
    let before = room.bytes("");
    let cases: [(&[&str], i32, &str); 6] = [
        (
            &["x.features"],
            1,
            "`x.features` exists; give --update to take over its rows, --force to replace it",
        ),
        (&["mine.features", "--update"], 1, "`mine.features` exists and holds other things"),
        (&["x.features", "--update", "--force"], 2, "cannot be used with"),
        (&["y.features", "--reuse", "gone.features"], 1, "cannot read `gone.features`: No such file"),
        (&["y.features", "--reuse", "mine.features"], 1, "`mine.features` is no features folder"),
        (
            &["x.features", "--update", "--reuse", "./x.features"],
            1,
            "`x.features` is the same file as `./x.features`, which this run reads as well",
        ),
    ];
    for (flags, code, part) in cases {
        let run = extract(&room, &[&["data", "-o"], flags].concat());
        run.failed(code, &[part]);
        assert!(room.bytes("") == before, "{flags:?}");
        assert!(!Path::new(&room.path(".y.features.partial")).exists());
    }
}

#[cfg(unix)]
mod stopped {
    use super::{
        super::interrupted::{room, start, stop_at},
        *,
    };
    use std::{
        thread,
        time::{Duration, Instant},
    };

    /// Shards are full after 1,171 and 2,341 rows; the first is whole when the second is begun.
    const CALL: [&str; 7] = ["data", "-o", "x.features", "--shard-size", "1", "--no-progress", "--update"];
    const SHARD: &str = ".x.features.partial/shard-00001.rkyv";

    #[test]
    fn a_killed_update_goes_on_to_the_same_bytes() {
        let room = room(2400);
        extract(&room, &CALL).fine();
        let old = room.bytes("x.features");
        // Every third file changes, and some are new.
        for n in (0..2700).filter(|n| n % 3 == 0 || *n >= 2400) {
            let name = format!("data/{}/{n:05}.png", ["a", "b"][n % 2]);
            let picture = fs::read(room.path(&format!("some/a/{:03}.png", n % 20))).unwrap();
            room.write(&name, [&picture[..], b"changed", n.to_string().as_bytes()].concat());
        }
        let first = start(&room, &CALL);
        let begun = Instant::now();
        while !room.path(".x.features.partial").exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
            thread::sleep(Duration::from_millis(1));
        }
        extract(&room, &CALL).failed(1, &["`x.features` is being written by another run"]);
        assert!(room.bytes("x.features") == old);
        let first = stop_at(&room, first, SHARD, "KILL");
        assert_eq!(first.status.code(), None);
        assert!(room.bytes("x.features") == old);

        let told = extract(&room, &CALL).fine().stderr();
        let [reused, new, removed] = counts(&told, "x.features")[..] else { panic!("{told}") };
        // 1,600 are as they were; 800 and 300 are not, of which some had been run before the kill.
        assert_eq!((reused + new, removed), (2700, 800), "{told}");
        assert!((1600 + 300..2700).contains(&reused), "{told}");
        assert_eq!(room.names(), ["data", "some", "x.features"]);
        let fresh = ["data", "-o", "y.features", "--shard-size", "1"];
        extract(&room, &fresh).fine();
        assert!(room.bytes("x.features") == room.bytes("y.features"));
    }
}
