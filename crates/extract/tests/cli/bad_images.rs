//! Files that are no pictures: left out and named, up to a point.

use super::{Room, extract, open, room};
use harness::{chunk, picture, png_header};
use std::{fs, path::Path, process::Command};

/// A way in which a file can be bad.
struct Bad {
    name: &'static str,
    make: fn(&Path),
    reason: &'static str,
}

const BAD: [Bad; 10] = [
    Bad {
        name: "a text.jpg",
        make: |path| fs::write(path, "I am no picture.\n").unwrap(),
        reason: "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL",
    },
    Bad {
        name: "a truncated.jpg",
        make: |path| {
            let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/../input/tests/fixtures/jpeg-4-2-0");
            let bytes = fs::read(whole).unwrap();
            fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
        },
        reason: "truncated JPEG",
    },
    Bad {
        name: "a truncated.png",
        make: |path| {
            picture(0, 1).save(path).unwrap();
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        reason: "truncated PNG",
    },
    Bad {
        name: "a bomb.png",
        make: |path| fs::write(path, png_header(50_000, 50_000)).unwrap(),
        reason: "the PNG header says 50000×50000 pixels, more than the limit of 178956970",
    },
    Bad { name: "zero wide.png", make: |path| fs::write(path, png_header(0, 7)).unwrap(), reason: "PNG" },
    Bad {
        name: "a flipped byte.png",
        make: |path| {
            picture(0, 1).save(path).unwrap();
            harness::flip(path);
        },
        reason: "corrupt PNG",
    },
    Bad { name: "empty.gif", make: |path| fs::write(path, "").unwrap(), reason: "the file is empty" },
    Bad {
        name: "dangling.webp",
        make: |path| std::os::unix::fs::symlink("nowhere.webp", path).unwrap(),
        reason: "cannot be read: No such file",
    },
    // Opened, it would be waited for until somebody writes.
    Bad {
        name: "pipe.tif",
        make: |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        reason: "not a regular file",
    },
    // Read, it would take the memory that there is.
    Bad {
        name: "endless.jpg",
        make: |path| fs::File::create(path).unwrap().set_len((1 << 30) + 1).unwrap(),
        reason: "its 1073741825 bytes are more than the 1073741824 expected",
    },
];

#[test]
fn each_is_one_line_and_leaves_nothing() {
    for Bad { name, make, reason } in BAD {
        let room = room(4);
        make(&room.path("data/a").join(name));
        let run = extract(&room, &["data", "-o", "x.features"]);
        let share = "1 of 9 samples cannot be used, more than --max-skipped 1 per cent allows";
        run.failed(1, &[share, &format!("the first is `a/{name}`: "), reason]);
        let run = extract(&room, &["data", "-o", "x.features", "--on-error", "fail", "--max-skipped", "100"]);
        run.failed(1, &[&format!("`a/{name}` "), reason, "mend or remove it"]);
        assert_eq!(room.names(), ["data"], "{name}");
    }
}

#[test]
fn what_may_be_skipped_is_counted_and_named() {
    let room = room(3);
    for Bad { name, make, .. } in BAD {
        make(&room.path("data/b").join(name));
    }
    for n in 0..3 {
        room.write(&format!("data/b/more {n}.jpg"), "no picture");
    }
    let run = extract(&room, &["data", "-o", "x.features", "--max-skipped", "70"]).fine();
    assert_eq!(run.stdout(), "");
    assert_eq!(run.last_line(), "extract: 6 rows of 224 features, 13 skipped → x.features");
    let told = run.stderr().lines().filter(|line| line.starts_with("extract: skipped `b/")).count();
    assert_eq!(told, 10, "{}", run.stderr());
    assert!(run.stderr().contains("\nextract: skipped 3 more, named in index.json\n"), "{}", run.stderr());

    let features = open(&room, "x.features");
    assert_eq!(features.len(), 6);
    let skipped = &features.index().skipped;
    assert_eq!(skipped.len(), 13);
    assert!(skipped.is_sorted_by_key(|skipped| &skipped.id));
    for Bad { name, reason, .. } in BAD {
        let found = skipped.iter().find(|skipped| skipped.id == format!("b/{name}")).unwrap();
        assert!(found.reason.contains(reason) && !found.reason.contains('\n'), "{found:?}");
    }
    // 13 of 19 are more than two thirds.
    let run = extract(&room, &["data", "-o", "y.features", "--max-skipped", "66"]);
    run.failed(1, &["13 of 19 samples", "--max-skipped 66 per cent"]);
}

#[test]
fn no_picture_at_all() {
    let room = Room::new();
    for name in ["a/1.jpg", "a/2.png", "b/1.gif"] {
        room.write(&format!("data/{name}"), "no picture");
    }
    let run = extract(&room, &["data", "-o", "x.features", "--max-skipped", "100"]);
    run.failed(1, &["none of 3 samples can be used"]);
    assert_eq!(room.names(), ["data"]);
}

#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let room = room(4);
    let path = room.path("data/a/000.png");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        println!("skipped: root may read everything");
        return;
    }
    let run = extract(&room, &["data", "-o", "x.features"]);
    run.failed(1, &["the first is `a/000.png`: cannot be read: Permission denied"]);
    fs::set_permissions(room.path("data/b"), fs::Permissions::from_mode(0o000)).unwrap();
    extract(&room, &["data", "-o", "x.features"]).failed(1, &["cannot read `data/b`"]);
    fs::set_permissions(room.path("data/b"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(room.names(), ["data"]);
}

#[test]
fn a_chunk_that_no_png_has() {
    // Unknown critical chunks are refused, not passed over.
    let room = room(4);
    let mut bytes = png_header(8, 8);
    bytes.splice(33..33, chunk(b"HUGE", &[0; 1000]));
    room.write("data/a/huge.png", bytes);
    extract(&room, &["data", "-o", "x.features"]).failed(1, &["`a/huge.png`: ", "PNG"]);
}
