//! HDF5 files that lie: one line each, and no more memory than the file is worth.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

/// Where the superblock of a file of Keras 1 says things (HDF5 File Format Specification 3.0, section II.A).
const VERSION: usize = 8;
const OFFSET_SIZE: usize = 13;
const ROOT: usize = 64;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What opening the file and reading all of its tensors says first.
fn complaint(path: &Path) -> Option<String> {
    let file = match headstart_weights::open(path) {
        Ok(file) => file,
        Err(error) => return Some(error.to_string()),
    };
    let names = file.names();
    names.into_iter().find_map(|name| file.read(name).err()).map(|error| error.to_string())
}

fn complaint_of(bytes: &[u8]) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    complaint(file.path())
}

/// Where a signature stands for the n-th time.
fn find(bytes: &[u8], signature: &[u8], nth: usize) -> usize {
    bytes.windows(signature.len()).enumerate().filter(|(_, window)| *window == signature).nth(nth).unwrap().0
}

#[test]
fn files_that_lie_are_refused_in_one_line() {
    let good = std::fs::read(fixture("keras1.h5")).unwrap();
    assert_eq!(complaint_of(&good), None);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        complaint_of(&changed)
    };
    let number = |value: usize| (value as u64).to_le_bytes();
    let (tree, heap, symbols) = (find(&good, b"TREE", 0), find(&good, b"HEAP", 0), find(&good, b"SNOD", 0));
    for (what, got, expected) in [
        ("cut short", complaint_of(&good[..good.len() - 300]), "it is damaged or was cut short"),
        ("only its signature", complaint_of(&good[..8]), "is not a usable HDF5 file"),
        ("version", with(VERSION, &[9]), "version 9"),
        ("size of offsets", with(OFFSET_SIZE, &[16]), "size of offsets: 16"),
        ("a root outside", with(ROOT, &number(1 << 40)), "is not a usable HDF5 file"),
        ("a root in the superblock", with(ROOT, &number(0)), "is not a usable HDF5 file"),
        ("a tree that is its own child", with(tree + 32, &number(tree)), "is not a usable HDF5 file"),
        ("a tree of many entries", with(tree + 6, &[255, 255]), "is not a usable HDF5 file"),
        ("a tree of great depth", with(tree + 5, &[200]), "is not a usable HDF5 file"),
        ("a heap larger than the file", with(heap + 8, &number(1 << 50)), "is not a usable HDF5 file"),
        ("a heap elsewhere", with(heap + 24, &number(usize::MAX)), "is not a usable HDF5 file"),
        ("many symbols", with(symbols + 6, &[255, 255]), "is not a usable HDF5 file"),
        ("a name outside the heap", with(symbols + 8, &number(1 << 20)), "is not a usable HDF5 file"),
        ("an object outside", with(symbols + 16, &number(1 << 33)), "is not a usable HDF5 file"),
        ("a group within itself", complaint(&fixture("circle.h5")), "a group lies within itself"),
        ("groups in groups", complaint(&fixture("deep.h5")), "nested more than 32 deep"),
        ("more numbers than bytes", complaint(&fixture("vast.h5")), "is not a usable HDF5 file"),
        ("a tree deep in itself", deep_tree(&good, tree), "is not a usable HDF5 file"),
        ("names of a whole heap each", long_names(&good), "a name has more than 1024 bytes"),
        ("links by hash", complaint(&fixture("dense.h5")), "a fractal heap, which Keras does not write"),
        (
            "no names of layers",
            complaint(&fixture("unnamed.weights.h5")),
            "it does not say what its layers are called",
        ),
        ("numbers in another file", complaint(&fixture("outside.h5")), "is not a usable HDF5 file"),
    ] {
        let got = got.unwrap_or_else(|| panic!("{what}: nothing"));
        assert!(got.contains(expected), "{what}: {got}");
        assert!(got.len() < 500 && !got.contains('\n'), "{what}: {got}");
    }
}

/// A tree that says it has a level below, which is itself.
fn deep_tree(good: &[u8], tree: usize) -> Option<String> {
    let mut changed = good.to_vec();
    changed[tree + 5] = 1;
    changed[tree + 32..tree + 40].copy_from_slice(&(tree as u64).to_le_bytes());
    complaint_of(&changed)
}

/// Six thousand links, each of which bears the same name of 256 KiB: 1.5 GB of names from a file of 500 kB.
fn long_names(good: &[u8]) -> Option<String> {
    let (tree, heap, symbols) = (find(good, b"TREE", 0), find(good, b"HEAP", 0), find(good, b"SNOD", 0));
    let object = good[symbols + 16..symbols + 24].to_vec();
    let number = |value: usize| (value as u64).to_le_bytes();
    let mut bytes = good.to_vec();
    let names = bytes.len();
    bytes.extend(vec![b'a'; 256 << 10]);
    bytes.extend([0; 8]);
    let node = bytes.len();
    bytes.extend(b"SNOD\x01\0");
    bytes.extend(6000_u16.to_le_bytes());
    for _ in 0..6000 {
        bytes.extend(number(0));
        bytes.extend(&object);
        bytes.extend([0; 24]);
    }
    let end = bytes.len();
    for (at, value) in [(40, end), (heap + 8, node - names), (heap + 24, names), (tree + 32, node)] {
        bytes[at..at + 8].copy_from_slice(&number(value));
    }
    complaint_of(&bytes)
}

#[test]
fn archives_without_weights_are_named() {
    let good = std::fs::read(fixture("stored.keras")).unwrap();
    let entry = find(&good, b"model.weights.h5", 0);
    let directory = find(&good, b"model.weights.h5", 1);
    let mut changed = good.clone();
    changed[entry] = b'n';
    changed[directory] = b'n';
    let got = complaint_of(&changed).unwrap();
    assert!(got.contains("it is a zip archive without"), "{got}");
    assert!(complaint_of(&good[..good.len() / 2]).unwrap().contains("cut short"));
    // What is stored is not copied, and must still be HDF5.
    let mut changed = good.clone();
    changed[find(&good, b"\x89HDF", 0)] = 0;
    let got = complaint_of(&changed).unwrap();
    assert!(got.contains("is not a usable HDF5 file"), "{got}");
}

#[test]
fn links_lead_nowhere_else() {
    let file = headstart_weights::open(&fixture("outside.h5")).unwrap();
    assert_eq!(file.names(), ["raw", "x"]);
    assert!(file.read("raw").is_err());
    assert_eq!(file.read("x").unwrap().unwrap().data, [2.0]);
}

#[test]
fn any_changed_byte_is_refused_or_harmless() {
    for name in ["keras1.h5", "latest.h5", "packed.h5"] {
        let good = std::fs::read(fixture(name)).unwrap();
        // Runs of zeros are room that nothing uses.
        let used =
            (0..good.len()).filter(|at| good[at.saturating_sub(8)..=*at].iter().any(|byte| *byte != 0));
        for (turn, at) in used.step_by(11).enumerate() {
            let mut changed = good.clone();
            changed[at] ^= [0x01, 0x80, 0xFF][turn % 3];
            if let Some(line) = complaint_of(&changed) {
                assert!(line.len() < 500 && !line.contains('\n'), "{name} at {at}: {line}");
            }
        }
    }
}
