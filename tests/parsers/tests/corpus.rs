//! Every input that fuzzing began with or found, and what is one byte or cut away from it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use parsers::PARSERS;
use std::{fs, path::Path};

fn inputs(parser: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(parser);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn every_parser_stands_what_fuzzing_found() {
    for (name, parse) in PARSERS {
        let inputs = inputs(name);
        assert!(inputs.iter().any(|(file, _)| file.starts_with("seed-")), "{name} has no seed");
        for (_, bytes) in inputs {
            // A panic names the assertion; the file is the last one in the test's output.
            parse(&bytes);
        }
    }
}

#[test]
fn every_parser_stands_seeds_that_are_cut_or_changed() {
    for (name, parse) in PARSERS {
        for (_, bytes) in inputs(name).iter().filter(|(file, _)| file.starts_with("seed-")) {
            // Some thirty places a seed: fuzzing tries them all.
            for at in (0..bytes.len()).step_by(bytes.len() / 30 + 1) {
                parse(&bytes[..at]);
                for flip in [0x01, 0x80, 0xFF] {
                    let mut changed = bytes.clone();
                    changed[at] ^= flip;
                    parse(&changed);
                }
            }
        }
    }
}
