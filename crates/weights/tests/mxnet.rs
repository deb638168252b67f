//! MXNet's `.params`, from a writer of our own: what is read, and one line for each way to lie.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_weights::{Tensors, WeightError};

const VERSION_1: u32 = 0xF993_FAC8;
const VERSION_2: u32 = 0xF993_FAC9;
const VERSION_3: u32 = 0xF993_FACA;

fn open(bytes: &[u8]) -> Result<Box<dyn Tensors>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    std::fs::write(&path, bytes).unwrap();
    headstart_weights::open(&path).map_err(|error: WeightError| error.to_string())
}

/// An array on the processor: its version, its sides, the type of its numbers, and their bytes.
fn array(version: u32, sides: &[u64], kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut array = version.to_le_bytes().to_vec();
    if version != VERSION_1 {
        array.extend(0_u32.to_le_bytes());
    }
    array.extend(u32::try_from(sides.len()).unwrap().to_le_bytes());
    array.extend(sides.iter().flat_map(|side| side.to_le_bytes()));
    array.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    array.extend(kind.to_le_bytes());
    array.extend(bytes);
    array
}

fn text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text].concat()
}

/// A file that says to have so many arrays and names.
fn file(said: [u64; 2], arrays: &[Vec<u8>], names: &[&[u8]]) -> Vec<u8> {
    let mut file = [&0x112_u64.to_le_bytes()[..], &[0; 8], &said[0].to_le_bytes()].concat();
    file.extend(arrays.concat());
    file.extend(said[1].to_le_bytes());
    file.extend(names.iter().flat_map(|name| text(name)));
    file
}

fn one(array: Vec<u8>) -> Vec<u8> {
    file([1, 1], &[array], &[b"w"])
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn arrays_of_every_version_and_float_are_read() {
    let values = [0.5_f32, -2.0, 3.0, 1.25, 0.0, -0.25];
    let each = |to: &dyn Fn(f32) -> Vec<u8>| values.iter().flat_map(|x| to(*x)).collect::<Vec<u8>>();
    let arrays = [
        array(VERSION_2, &[2, 3], 0, &floats(&values)),
        array(VERSION_1, &[2, 3], 1, &each(&|x| f64::from(x).to_le_bytes().to_vec())),
        array(VERSION_3, &[2, 3], 2, &each(&|x| half::f16::from_f32(x).to_le_bytes().to_vec())),
        array(VERSION_3, &[2, 3], 12, &each(&|x| half::bf16::from_f32(x).to_le_bytes().to_vec())),
        array(VERSION_3, &[], 0, &floats(&[2.5])),
        array(VERSION_2, &[2], 6, &[0; 16]),
    ];
    let names: [&[u8]; 6] = [b"arg:a.weight", b"aux:a.running_mean", b"half", b"bf", b"scalar", b"whole"];
    let tensors = open(&file([6, 6], &arrays, &names)).unwrap();
    assert_eq!(tensors.names(), ["a.running_mean", "a.weight", "bf", "half", "scalar", "whole"]);
    for name in ["a.weight", "a.running_mean", "half", "bf"] {
        let tensor = tensors.read(name).unwrap().unwrap();
        assert_eq!((tensor.shape, tensor.data), (vec![2, 3], values.to_vec()), "{name}");
    }
    assert_eq!(tensors.read("scalar").unwrap().unwrap().data, [2.5]);
    assert!(matches!(tensors.read("whole"), Err(WeightError::Dtype { got, .. }) if got == "I64"));
    assert!(tensors.read("none").unwrap().is_none());
}

#[test]
fn files_that_lie_are_refused_in_one_line() {
    let good = one(array(VERSION_2, &[2], 0, &[0; 8]));
    open(&good).unwrap();
    let huge = u64::MAX;
    let sparse = [&VERSION_2.to_le_bytes()[..], &1_u32.to_le_bytes(), &[0; 64]].concat();
    let axes = [&VERSION_2.to_le_bytes()[..], &[0; 4], &33_u32.to_le_bytes(), &[0; 400]].concat();
    let unknown = [&VERSION_3.to_le_bytes()[..], &[0; 4], &u32::MAX.to_le_bytes()].concat();
    let plain = || array(VERSION_2, &[2], 0, &[0; 8]);
    let overlong = [&good[..good.len() - 9], &huge.to_le_bytes(), b"w"].concat();
    let said = |arrays, names| file([arrays, names], &[plain()], &[b"w"]);
    for (what, bytes, expected) in [
        ("its first bytes", good[..16].to_vec(), "it ends within an array or a name"),
        ("cut in an array", good[..50].to_vec(), "it ends within an array or a name"),
        ("cut in a name", good[..good.len() - 1].to_vec(), "it ends within an array or a name"),
        ("a count of all", said(huge, 1), "it says that it holds 18446744073709551615 arrays"),
        ("100,000 arrays", said(100_000, 1), "is not a usable MXNet file"),
        ("no arrays but bytes", said(0, 0), "it holds 0 arrays and"),
        ("no names", said(1, 0), "it holds 1 arrays and 0 names"),
        ("names without end", said(1, huge), "it holds 1 arrays and 18446744073709551615 names"),
        ("a name of all bytes", overlong, "has more than 1024 bytes"),
        ("a long name", file([1, 1], &[plain()], &[&[b'a'; 1025]]), "has more than 1024 bytes"),
        ("Latin-1", file([1, 1], &[plain()], &[b"\xE9"]), "is no UTF-8"),
        ("a name twice", file([2, 2], &[plain(), plain()], &[b"arg:w", b"aux:w"]), "`w` is there twice"),
        ("MXNet 0.11", one([&2_u32.to_le_bytes()[..], &[0; 64]].concat()), "by an MXNet before 0.12"),
        ("sparse", one(sparse), "it holds a sparse array"),
        ("33 axes", one(axes), "an array of 33 axes"),
        ("no numbers yet", one(array(VERSION_2, &[], 0, &[])), "an array without numbers"),
        ("no shape yet", one(unknown), "an array without numbers"),
        ("a side of all", one(array(VERSION_2, &[huge], 0, &[0; 8])), "too large"),
        ("a product that overflows", one(array(VERSION_2, &[1 << 32, 1 << 32], 0, &[0; 8])), "too large"),
        ("a negative side", one(array(VERSION_2, &[huge - 1, 2], 0, &[0; 8])), "too large"),
        ("more numbers than bytes", one(array(VERSION_2, &[1 << 40], 0, &[0; 8])), "it ends within"),
        ("a type nobody has", one(array(VERSION_2, &[2], 99, &[0; 8])), "an array of an unknown type, 99"),
    ] {
        let got = open(&bytes).err().unwrap_or_else(|| panic!("{what}: nothing"));
        assert!(got.contains(expected), "{what}: {got}");
        assert!(got.len() < 500 && !got.contains('\n'), "{what}: {got}");
    }
}

#[test]
fn any_changed_byte_is_refused_or_harmless() {
    let good = file(
        [2, 2],
        &[array(VERSION_2, &[2], 0, &[0; 8]), array(VERSION_3, &[1, 1], 2, &[0; 2])],
        &[b"a", b"b"],
    );
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = good.clone();
            changed[at] ^= flip;
            match open(&changed) {
                Ok(file) => file.names().iter().for_each(|name| drop(file.read(name))),
                Err(line) => assert!(line.len() < 500 && !line.contains('\n'), "{at}: {line}"),
            }
        }
        drop(open(&good[..at]));
    }
}
