//! `--decode`: what it changes, and what it must not.

use super::{extract, open, rows};
use harness::{Room, picture};
use input::{Recipe, image::Decode};

/// Two JPEGs of 27×41 and two PNGs as small, two a class.
fn room() -> Room {
    let room = Room::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../input/tests/fixtures");
    for (class, (fixture, name)) in [("a", ("jpeg-exif", "0.jpg")), ("b", ("jpeg-xmp", "0.jpg"))] {
        std::fs::create_dir_all(room.path(&format!("data/{class}"))).unwrap();
        room.write(&format!("data/{class}/{name}"), std::fs::read(format!("{fixtures}/{fixture}")).unwrap());
        picture(usize::from(class == "b"), 1).save(room.path(&format!("data/{class}/1.png"))).unwrap();
    }
    room
}

#[test]
fn fast_changes_large_jpegs_alone_and_says_so() {
    let room = room();
    // The JPEGs shrink to less than a half.
    let flags = ["data", "--resize", "13x13", "--crop", "none", "--tap", "layer2", "-o"];
    let run = |out: &str, more: &[&str]| {
        extract(&room, &[&flags[..], &[out], more].concat()).fine();
        room.bytes(out)
    };
    let exact = run("exact.features", &[]);
    assert_eq!(exact, run("default.features", &["--decode", "exact"]));
    let fast = run("fast.features", &["--decode", "fast"]);
    assert_eq!(fast, run("alone.features", &["--decode", "fast", "--threads", "1", "--batch", "1"]));

    let [exact, fast] = ["exact.features", "fast.features"].map(|name| open(&room, name));
    let [Recipe::Image(slow), Recipe::Image(quick)] =
        [&exact, &fast].map(|it| &it.index().source.network().unwrap().recipe)
    else {
        panic!("of pictures")
    };
    assert_eq!((slow.decode, quick.decode), (Decode::Exact, Decode::Fast));
    for (exact, fast) in rows(&exact).iter().zip(rows(&fast)) {
        assert_eq!(*exact != fast, exact.0.ends_with(".jpg"), "{}", exact.0);
    }
    // No row of one can be taken for a row of the other, even where their values are the same.
    assert!((0..4).all(|row| exact.key(row) != fast.key(row)));
}

#[test]
fn fast_is_exact_where_nothing_shrinks_enough() {
    let room = room();
    let flags = ["data", "--resize", "20", "--crop", "20", "--tap", "layer2", "-o"];
    extract(&room, &[&flags[..], &["exact.features"]].concat()).fine();
    extract(&room, &[&flags[..], &["fast.features", "--decode", "fast"]].concat()).fine();
    assert_eq!(rows(&open(&room, "exact.features")), rows(&open(&room, "fast.features")));
}
