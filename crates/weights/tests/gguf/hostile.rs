//! Files that lie: one line each, and neither time nor memory.

use crate::{
    open,
    writer::{ARRAY, Gguf, TEXT, UINT32, array, text},
};
use std::time::{Duration, Instant};

/// What opening and reading everything says first.
fn complaint(bytes: &[u8]) -> Option<String> {
    match open(bytes) {
        Err(line) => Some(line),
        Ok(file) => {
            file.names().into_iter().find_map(|name| file.read(name).err()).map(|error| error.to_string())
        }
    }
}

fn good() -> Gguf {
    Gguf::new().entry("general.architecture", TEXT, &text("vit")).tensor("w", 0, &[2, 4], &[0; 32]).tensor(
        "q",
        8,
        &[2, 32],
        &[0; 68],
    )
}

fn with(change: impl FnOnce(&mut Gguf)) -> Vec<u8> {
    let mut file = good();
    change(&mut file);
    file.bytes()
}

/// One tensor that is listed so, and 64 bytes for it.
fn listed(name: &[u8], sides: &[u64], kind: u32, offset: u64) -> Vec<u8> {
    let mut bytes = Gguf::new().listed(name, sides, kind, offset).bytes();
    bytes.extend([0; 64]);
    bytes
}

fn entry(kind: u32, value: &[u8]) -> Vec<u8> {
    good().entry("k", kind, value).bytes()
}

fn aligned(kind: u32, value: u32) -> Vec<u8> {
    good().entry("general.alignment", kind, &value.to_le_bytes()).bytes()
}

/// Arrays within arrays.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(array(UINT32, 0, &[]), |inner, _| array(ARRAY, 1, &inner))
}

const CUT: &str = "its header goes on beyond the file's end";
const BEYOND: &str = "lies beyond the file's end; the file may be cut short";

/// What the lie is, the file, and what is said of it.
fn table() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (w, huge) = (&text("w")[..], u64::MAX);
    let long = |length: u64| [&length.to_le_bytes()[..], b"w"].concat();
    let twice = good().tensor("w", 0, &[1], &[0; 4]).bytes();
    let shared = good().listed(&text("again"), &[8], 0, 0).bytes();
    let within = good().listed(&text("again"), &[1], 0, 32).bytes();
    let alignments = good().entry("general.alignment", UINT32, &[32, 0, 0, 0]);
    let two = alignments.entry("general.alignment", UINT32, &[64, 0, 0, 0]).bytes();
    let cut = |bytes: &[u8], at: usize| bytes[..at].to_vec();
    let all = good().bytes();
    vec![
        ("its first bytes alone", b"GGUF".to_vec(), CUT),
        ("half a header", cut(&all, 40), CUT),
        ("no data", cut(&all, all.len() - 120), BEYOND),
        ("version 1", with(|file| file.version = 1), "it is of version 1; convert the model anew"),
        ("version 0", with(|file| file.version = 0), "it is of version 0"),
        ("version 99", with(|file| file.version = 99), "it is of version 99; versions 2 and 3 are read"),
        ("big-endian", with(|file| file.version = 3_u32.swap_bytes()), "it is big-endian; turn it with"),
        (
            "more tensors than anybody",
            with(|file| file.said[1] = Some(huge)),
            "holds 18446744073709551615 tensors",
        ),
        ("100,000 tensors", with(|file| file.said[1] = Some(100_000)), "is not a usable GGUF file"),
        ("more metadata than there are", with(|file| file.said[0] = Some(huge)), "is not a usable GGUF file"),
        ("fewer metadata", with(|file| file.said[0] = Some(0)), "is not a usable GGUF file"),
        ("a name of all bytes", listed(&long(huge), &[1], 0, 0), CUT),
        ("a name that overflows", listed(&long(huge - 8), &[1], 0, 0), CUT),
        ("a name beyond the end", listed(&long(1 << 40), &[1], 0, 0), CUT),
        ("a long name", listed(&text(&"w".repeat(1025)), &[1], 0, 0), "has more than 1024 bytes"),
        ("a name in Latin-1", listed(&[1, 0, 0, 0, 0, 0, 0, 0, 0xE9], &[1], 0, 0), "is no UTF-8"),
        ("a name twice", twice, "the tensor `w` is there twice"),
        ("five axes", listed(w, &[1; 5], 0, 0), "has 5 axes; GGUF has at most 4"),
        ("a side of all numbers", listed(w, &[huge], 0, 0), "is too large"),
        ("a product that overflows", listed(w, &[1 << 32, 1 << 32], 0, 0), "is too large"),
        ("a product that wraps to 4", listed(w, &[(1 << 62) + 1, 4], 0, 0), "is too large"),
        ("more numbers than bytes", listed(w, &[1 << 40], 0, 0), BEYOND),
        ("blocks beyond the end", listed(w, &[32, 1 << 30], 8, 0), BEYOND),
        (
            "rows of half a block",
            listed(w, &[16, 2], 8, 0),
            "rows of 16 numbers, which are no whole blocks of Q8_0",
        ),
        ("a scalar of blocks", listed(w, &[], 12, 0), "no whole blocks of Q4_K"),
        ("an offset beyond the end", listed(w, &[1], 0, 1 << 40), BEYOND),
        ("an offset that overflows", listed(w, &[1], 0, huge - 31), BEYOND),
        ("an offset between", listed(w, &[1], 0, 4), "begins at 4, which is no multiple of the alignment 32"),
        ("bytes of two tensors", shared, "the tensors `again` and `w` share bytes"),
        ("bytes within another", within, "the tensors `again` and `q` share bytes"),
        ("alignment 0", aligned(UINT32, 0), "its alignment is 0; expected a power of two from 8"),
        ("alignment 1", aligned(UINT32, 1), "its alignment is 1; expected a power of two"),
        ("alignment 48", aligned(UINT32, 48), "its alignment is 48; expected a power of two"),
        ("alignment of 2 GiB", aligned(UINT32, 1 << 31), "no multiple of the alignment 2147483648"),
        ("alignment as a float", aligned(6, 32), "`general.alignment` is no u32"),
        ("alignment twice", two, "`general.alignment` is no u32, or is there twice"),
        ("metadata of no type", entry(13, &[]), "metadata of an unknown type, 13"),
        ("a text of all bytes", entry(TEXT, &huge.to_le_bytes()), CUT),
        ("an array of all bytes", entry(ARRAY, &array(0, huge, &[])), CUT),
        ("an array that overflows", entry(ARRAY, &array(12, (1 << 61) + 1, &[0; 8])), CUT),
        (
            "an array of texts without end",
            entry(ARRAY, &array(TEXT, huge, &[0; 64])),
            "is not a usable GGUF file",
        ),
        ("an array of no type", entry(ARRAY, &array(99, 1, &[0; 8])), "metadata of an unknown type, 99"),
        ("arrays in arrays", entry(ARRAY, &nested(9)), "its arrays are nested more than 8 deep"),
        ("arrays in arrays in arrays", entry(ARRAY, &nested(2000)), "its arrays are nested more than 8 deep"),
        ("GGML", b"lmgg\x01\0\0\0rest".to_vec(), "a GGML file from before GGUF; convert the model anew"),
        ("GGJT", b"tjgg\x03\0\0\0rest".to_vec(), "a GGML file from before GGUF; convert the model anew"),
    ]
}

#[test]
fn files_that_lie_are_refused_in_one_line() {
    assert_eq!(complaint(&good().bytes()), None);
    assert_eq!(complaint(&entry(ARRAY, &nested(7))), None);
    for (what, bytes, expected) in table() {
        let start = Instant::now();
        let got = complaint(&bytes).unwrap_or_else(|| panic!("{what}: nothing"));
        assert!(start.elapsed() < Duration::from_secs(2), "{what} took {:?}", start.elapsed());
        assert!(got.contains(expected), "{what}: {got}");
        assert!(got.len() < 500 && !got.contains('\n'), "{what}: {got}");
    }
}

/// A million empty arrays.
#[test]
fn a_header_of_many_small_parts_takes_little_time() {
    let pairs = [0; 12].repeat(1 << 20);
    let start = Instant::now();
    let arrays = array(ARRAY, 1 << 20, &pairs);
    assert_eq!(complaint(&entry(ARRAY, &arrays)), None);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn any_changed_byte_is_refused_or_harmless() {
    let all = good().bytes();
    for at in 0..all.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut changed = all.clone();
            changed[at] ^= flip;
            if let Some(line) = complaint(&changed) {
                assert!(line.len() < 500 && !line.contains('\n'), "{at}: {line}");
            }
        }
        let _ = complaint(&all[..at]);
    }
}
