//! Pictures that have features all the same, and of which something is said: clipped grey, damaged JPEGs.

use super::{extract, open, rows};
use harness::Room;
use input::{Recipe, image::Grey16};

/// Two classes of two 8×8 pictures, whose grey levels are multiplied by `by`, as PGM of 16 bits.
fn grey(room: &Room, folder: &str, by: u16) {
    for (class, from) in [("a", 1u16), ("b", 40)] {
        std::fs::create_dir_all(room.path(&format!("{folder}/{class}"))).unwrap();
        for number in 0..2 {
            let levels = (0..64).flat_map(|i| ((from + i * (number + 1)) * by).to_be_bytes());
            let file: Vec<u8> = b"P5 8 8 65535\n".iter().copied().chain(levels).collect();
            room.write(&format!("{folder}/{class}/{number}.pgm"), file);
        }
    }
}

#[test]
fn clipped_grey_is_counted_and_scale_keeps_it() {
    let room = Room::new();
    grey(&room, "narrow", 1);
    grey(&room, "wide", 256);
    let run = |data: &str, out: &str, more: &[&str]| {
        extract(&room, &[&[data, "-o", out, "--max-skipped", "0"], more].concat()).fine()
    };
    let quiet = run("narrow", "narrow.features", &[]);
    assert!(!quiet.stderr().contains("grey levels"), "{}", quiet.stderr());
    let said = run("wide", "clipped.features", &[]);
    let line = "extract: 4 images with 16-bit grey levels above 255, which became white; \
                --grey16 scale keeps the high byte: `a/0.pgm`, `a/1.pgm`, `b/0.pgm` and 1 more";
    assert!(said.stderr().contains(line), "{}", said.stderr());
    let scaled = run("wide", "scaled.features", &["--grey16", "scale"]);
    assert!(!scaled.stderr().contains("grey levels"), "{}", scaled.stderr());

    let [narrow, clipped, scaled] =
        ["narrow.features", "clipped.features", "scaled.features"].map(|name| open(&room, name));
    let Recipe::Image(how) = &scaled.index().source.network().unwrap().recipe else { panic!("of pictures") };
    assert_eq!(how.grey16, Grey16::Scale);
    // Levels times 256, of which the high byte is kept, are the levels.
    let same = |a, b| rows(a).iter().zip(rows(b)).all(|(a, b)| a.1 == b.1);
    assert!(same(&narrow, &scaled) && !same(&narrow, &clipped));
    assert!((0..4).all(|row| clipped.key(row) != scaled.key(row)));
}

#[test]
fn damaged_jpegs_are_counted_and_named() {
    let room = Room::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../input/tests/fixtures");
    let whole = std::fs::read(format!("{fixtures}/jpeg-progressive-4-2-0")).unwrap();
    // An end-of-image marker in the last scan's data.
    let mut damaged = whole.clone();
    let scan = damaged.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    damaged.truncate(scan + 12);
    damaged.extend([0xFF, 0xD9]);
    for class in ["a", "b"] {
        std::fs::create_dir_all(room.path(&format!("data/{class}"))).unwrap();
        room.write(&format!("data/{class}/whole.jpg"), &whole);
    }
    let sound = extract(&room, &["data", "-o", "sound.features"]).fine();
    assert!(!sound.stderr().contains("damaged"), "{}", sound.stderr());
    room.write("data/b/damaged.jpg", &damaged);
    let said = extract(&room, &["data", "-o", "damaged.features"]).fine();
    let line = "extract: 1 image with damaged JPEG data, of which other decoders may make other pixels: `b/damaged.jpg`";
    assert!(said.stderr().contains(line), "{}", said.stderr());
    assert_eq!(open(&room, "damaged.features").len(), 3);
}
