//! The promise that everything else stands on, on real photographs: a row is a function of the file's content alone.

#![expect(clippy::print_stdout, reason = "a test says what it skipped, and what it ran")]

use super::{Room, extract, open};
use features::Features;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};
use store::Digest;

/// Something of `../shared`, where this checkout has it.
fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no `{}`", path.display());
    None
}

/// The first `each` photographs of every class, by id.
fn photographs(each: usize) -> Option<BTreeMap<String, Vec<u8>>> {
    let folder = shared("data/flowers/train")?;
    let sorted = |folder: PathBuf| {
        let names: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names
    };
    let ids = sorted(folder.clone()).into_iter().flat_map(|class| {
        let names = sorted(folder.join(&class)).into_iter().take(each);
        names.map(move |name| format!("{class}/{name}")).collect::<Vec<_>>()
    });
    Some(ids.map(|id| (id.clone(), fs::read(folder.join(id)).unwrap())).collect())
}

/// A room that has them in `data`.
fn room(photographs: &BTreeMap<String, Vec<u8>>) -> Room {
    let room = Room::new();
    for (id, bytes) in photographs {
        room.write(&format!("data/{id}"), bytes);
    }
    room
}

/// Runs `flags` in every way that must not show, and holds the whole folder against the first.
fn every_way_gives_the_same_bytes(room: &Room, flags: &[&str]) {
    let run = |out: &str, way: &[&str]| {
        extract(room, &[&["data", "-o", out, "--force"], flags, way].concat()).fine();
    };
    run("whole.features", &["--batch", "1", "--threads", "1"]);
    let whole = room.bytes("whole.features");
    // What the processor lacks is left out; plain Rust runs everywhere.
    let sets = engine::Isa::available().into_iter().map(|isa| format!("{isa:?}").to_lowercase());
    let sets: Vec<String> = sets.collect();
    assert!(sets.iter().any(|isa| isa == "portable"), "{sets:?}");
    println!("{} with {}", flags.join(" "), sets.join(", "));
    let settings = [
        ["--batch", "1", "--threads", "2"],
        ["--batch", "7", "--threads", "1"],
        ["--batch", "7", "--threads", "2"],
        ["--batch", "64", "--threads", "1"],
        ["--batch", "64", "--threads", "2"],
    ];
    let isas = sets.iter().map(|isa| vec!["--isa", isa.as_str()]);
    for way in settings.map(Vec::from).into_iter().chain(isas) {
        run("other.features", &way);
        assert!(room.bytes("other.features") == whole, "{flags:?} {way:?}");
    }
}

/// Content key and stored bytes of every row, by id.
fn rows(features: &Features) -> BTreeMap<String, (Digest, Vec<u8>)> {
    let row = |row| (features.id(row).to_owned(), (features.key(row), features.row_bytes(row).to_vec()));
    (0..features.len()).map(row).collect()
}

#[test]
fn features_of_photographs_depend_on_the_photograph_alone() {
    let Some(photographs) = photographs(40) else { return };
    assert_eq!(photographs.len(), 200);
    let room = room(&photographs);
    every_way_gives_the_same_bytes(&room, &[]);
    let whole = rows(&open(&room, "whole.features"));
    assert!(whole.keys().eq(photographs.keys()));
    let values: BTreeSet<&[u8]> = whole.values().map(|(_, values)| values.as_slice()).collect();
    let contents: BTreeSet<&Vec<u8>> = photographs.values().collect();
    assert_eq!(values.len(), contents.len(), "other photographs have other features");

    // The same files in the order of a manifest: every 67th, which has no factor in common with 200.
    let ids: Vec<&String> = photographs.keys().collect();
    let shuffled = (0..200).map(|i| ids[(i * 67 + 13) % 200]);
    let lines: String = shuffled.map(|id| format!("{id},{}\n", id.split_once('/').unwrap().0)).collect();
    room.write("data/shuffled.csv", format!("path,label\n{lines}"));
    extract(&room, &["data/shuffled.csv", "-o", "shuffled.features", "--batch", "7"]).fine();
    assert!(room.bytes("shuffled.features") == room.bytes("whole.features"), "a manifest in another order");
    fs::remove_file(room.path("data/shuffled.csv")).unwrap();

    // Two parts, which have all rows between them.
    let mut together = BTreeMap::new();
    for part in ["1/2", "2/2"] {
        extract(&room, &["data", "-o", "part.features", "--part", part, "--force"]).fine();
        let part = rows(&open(&room, "part.features"));
        assert_eq!(part.len(), 100);
        together.extend(part);
    }
    assert!(together == whole, "parts");

    // The same contents under names that sort the other way round, as classes and within them.
    let mut renamed = BTreeMap::new();
    for (at, (id, bytes)) in photographs.iter().rev().enumerate() {
        let other = format!("class{}/{at:03}.jpg", at / 40);
        room.write(&format!("renamed/{other}"), bytes);
        renamed.insert(other, whole[id].clone());
    }
    extract(&room, &["renamed", "-o", "renamed.features"]).fine();
    assert!(rows(&open(&room, "renamed.features")) == renamed, "other names");
}

/// Fewer photographs, since plain Rust without fused multiply-adds takes two thirds of a second for each.
#[test]
fn so_do_those_of_a_network_with_trained_weights() {
    let (Some(photographs), Some(weights)) =
        (photographs(7), shared("weights/mobilenet_v2.features.safetensors"))
    else {
        return;
    };
    let weights = weights.to_str().unwrap();
    let flags = ["--backbone", "mobilenet_v2", "--tap", "pooled", "--weights", weights];
    every_way_gives_the_same_bytes(&room(&photographs), &flags);
}
