//! Folders and manifests that are no data sets.

use super::{Room, extract, open, room};
use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

fn refused(room: &Room, input: &str, parts: &[&str]) {
    let before = room.names();
    extract(room, &[input, "-o", "x.features"]).failed(1, parts);
    assert_eq!(room.names(), before);
}

#[test]
fn folders() {
    let room = Room::new();
    refused(&room, "data", &["`data` does not exist", "expected a folder of images"]);
    fs::create_dir(room.path("data")).unwrap();
    refused(&room, "data", &["`data` holds no images", "expected a folder per class", "found nothing"]);
    fs::create_dir_all(room.path("data/a")).unwrap();
    room.write("data/a/notes.txt", "no image");
    refused(&room, "data", &["`data`", "images"]);
    room.pictures("data", 1, 2);
    refused(&room, "data", &["`data` has one class only, `a`", "at least two"]);
    fs::create_dir(room.path("data/b")).unwrap();
    refused(&room, "data", &["class folder `b` in `data` holds no images", "fill it or remove it"]);
    room.pictures("data", 2, 2);
    fs::copy(room.path("data/a/000.png"), room.path("data/stray.png")).unwrap();
    refused(&room, "data", &["1 image outside any class folder (`stray.png`)"]);
    fs::remove_file(room.path("data/stray.png")).unwrap();
    room.pictures("data/train", 2, 2);
    refused(&room, "data", &["`data` mixes split folders with others", "`train`", "`a`"]);
    room.write("data.txt", "no data set");
    refused(&room, "data.txt", &["`data.txt` is not a data set", ".csv, .jsonl or .parquet"]);
}

#[test]
fn a_class_that_is_not_in_train() {
    let room = Room::new();
    room.pictures("data/train", 2, 2);
    room.pictures("data/test", 3, 2);
    refused(&room, "data", &["class `c` of `data` is in test but not in train"]);
}

#[test]
fn a_manifest_of_one_class_is_enough_for_labels_and_numbers() {
    let room = room(2);
    room.write("one.csv", "path,label\ndata/a/000.png,x\ndata/b/000.png,x\n");
    room.write("late.csv", "path,label,split\ndata/a/000.png,0.5,train\ndata/b/000.png,1.5,test\n");
    for (manifest, expected) in [
        ("one.csv", "`one.csv` has one class only, `x`: a classifier needs at least two; fit-head --target"),
        ("late.csv", "class `1.5` of `late.csv` is in test but not in train: no classifier can be fitted"),
    ] {
        let run = extract(&room, &[manifest, "-o", "x.features", "--force"]).fine();
        assert!(run.stderr().contains(expected), "{}", run.stderr());
        assert_eq!(open(&room, "x.features").len(), 2);
    }
}

#[test]
fn names_that_are_not_utf_8_are_named_skips() {
    let room = room(2);
    let odd = OsStr::from_bytes(b"caf\xe9.png");
    if fs::copy(room.path("data/a/000.png"), room.path("data/a").join(odd)).is_err() {
        println!("skipped: this file system takes UTF-8 only");
        return;
    }
    let run = extract(&room, &["data", "-o", "x.features"]).fine();
    let told = "extract: skipped `a/caf\\xe9.png`: its name is not UTF-8; rename it\n";
    assert!(run.stderr().contains(told), "{}", run.stderr());
    assert_eq!(run.last_line(), "extract: 4 rows of 224 features, 1 skipped → x.features");
    let skipped = open(&room, "x.features").index().skipped.clone();
    assert_eq!((skipped.len(), skipped[0].id.as_str()), (1, "a/caf\\xe9.png"));
    let run = extract(&room, &["data", "-o", "y.features", "--on-error", "fail"]);
    run.failed(1, &["`a/caf\\xe9.png`: its name is not UTF-8; rename it, or leave --on-error fail out"]);
    // Parts name it once.
    for (part, skipped) in [("1/2", 1), ("2/2", 0)] {
        let name = format!("{}.features", part.replace('/', "-"));
        extract(&room, &["data", "-o", &name, "--part", part]).fine();
        assert_eq!(open(&room, &name).index().skipped.len(), skipped);
    }
}

#[test]
fn splits_of_any_spelling_and_what_is_passed_over() {
    let room = Room::new();
    room.pictures("data/Training", 3, 2);
    room.pictures("data/Testing", 3, 1);
    room.write("data/Training/a/.DS_Store", "");
    room.write("data/Training/a/x.heic", "");
    room.write("data/Training/@eaDir/x.jpg", "");
    let run = extract(&room, &["data", "-o", "x.features"]).fine();
    assert_eq!(open(&room, "x.features").column("label").unwrap().words(), ["a", "b", "c"]);
    for line in ["passed over: 1 .heic, 1 @eaDir, 1 hidden", "6 train, 3 test; 3 classes: a 3, b 3, c 3"] {
        assert!(run.stderr().contains(&format!("extract: {line}\n")), "{}", run.stderr());
    }
    fs::create_dir_all(room.path("data/Training/d")).unwrap();
    room.write("data/Training/d/x.HEIC", "");
    refused(&room, "data", &["class folder `d` in `data/Training` holds no images (passed over: 1 .heic)"]);
    std::os::unix::fs::symlink("/nowhere/e", room.path("data/Training/e")).unwrap();
    refused(&room, "data", &["`data/Training/e` is a link that leads nowhere"]);
}

#[test]
fn a_manifest_may_lie_elsewhere() {
    let room = room(2);
    fs::create_dir(room.path("lists")).unwrap();
    let absolute = room.path("data/b/001.png");
    let absolute = absolute.to_str().unwrap();
    room.write("lists/m.csv", format!("path,label\na//000.png,a\n{absolute},b\nb/../b/000.png,b\n"));
    refused(
        &room,
        "lists/m.csv",
        &["row 1 (line 2): `a//000.png` is not a file; paths are relative to the manifest's"],
    );
    let run = extract(&room, &["lists/m.csv", "--root", "data", "-o", "x.features"]).fine();
    assert_eq!(run.last_line(), "extract: 3 rows of 224 features, 0 skipped → x.features");
    let ids: Vec<String> = super::rows(&open(&room, "x.features")).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["a/000.png", "b/000.png", "b/001.png"]);
    let with = |input: &str, root: &str| extract(&room, &[input, "--root", root, "-o", "y.features"]);
    with("data", "data").failed(2, &["--root goes with a manifest or a list of paths; `data` is a folder"]);
    with("lists/m.csv", "none").failed(2, &["--root: `none` is no folder"]);
}

#[test]
fn manifests() {
    let room = room(2);
    let cases: [(&str, &[&str]); 7] = [
        ("file,label\na/000.png,a\n", &["has no column `path`", "found `file`, `label`"]),
        ("path,label\n", &["`data/m.csv` has no rows"]),
        (
            "path,label\na/000.png,a\nb/007.png,b\n",
            &["`data/m.csv`, row 2 (line 3): `b/007.png` is not a file", "relative to the manifest's folder"],
        ),
        (
            "path,label\na/000.png,a\nb/000.png,b\n./b/../a/000.png,b\n",
            &["`data/m.csv`, row 3 (line 4): `a/000.png` is already in row 1 (line 2)"],
        ),
        ("path,label\na/000.png,\nb/000.png,b\n", &["row 1 (line 2): `label` is empty"]),
        (
            "path,label,split\na/000.png,a,half\n",
            &["row 1 (line 2): split `half` is unknown", "train, val or test"],
        ),
        (
            "path,label\n../data.png,a\n",
            &["row 1 (line 2): `../data.png` lies outside the manifest's folder"],
        ),
    ];
    for (text, parts) in cases {
        room.write("data/m.csv", text);
        refused(&room, "data/m.csv", parts);
    }
    refused(&room, "data/none.csv", &["`data/none.csv` does not exist"]);
    room.write("data/m.parquet", "no parquet");
    refused(&room, "data/m.parquet", &["cannot read `data/m.parquet`"]);
    room.write("data/m.csv", b"path,label\na/\xff.png,a\n");
    refused(&room, "data/m.csv", &["`data/m.csv`"]);
}
