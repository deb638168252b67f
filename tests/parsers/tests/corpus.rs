//! Every input that fuzzing began with or found, and what is one byte or cut away from it.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use parsers::PARSERS;
use std::{fs, panic::catch_unwind, path::Path};

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

/// Of these inputs the names of those that a parser did not stand.
fn fatal(parse: fn(&[u8]), inputs: &[(String, Vec<u8>)]) -> Vec<String> {
    let stood = |bytes: &[u8]| catch_unwind(|| parse(bytes)).is_ok();
    inputs.iter().filter(|(_, bytes)| !stood(bytes)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn every_parser_stands_what_fuzzing_found() {
    for (name, parse) in PARSERS {
        let inputs = inputs(name);
        assert!(inputs.iter().any(|(file, _)| file.starts_with("seed-")), "{name} has no seed");
        assert_eq!(fatal(parse, &inputs), [""; 0], "fuzz/corpus/{name}");
    }
}

#[test]
fn every_parser_stands_seeds_that_are_cut_or_changed() {
    for (name, parse) in PARSERS {
        for (file, bytes) in inputs(name).iter().filter(|(file, _)| file.starts_with("seed-")) {
            // Some thirty places a seed: fuzzing tries them all.
            let places = (0..bytes.len()).step_by(bytes.len() / 30 + 1);
            let damaged: Vec<_> = places
                .flat_map(|at| {
                    let cut = (format!("{file} up to {at}"), bytes[..at].to_vec());
                    let flips = [0x01, 0x80, 0xFF].map(|flip| {
                        let mut changed = bytes.clone();
                        changed[at] ^= flip;
                        (format!("{file} with {at} flipped by {flip}"), changed)
                    });
                    std::iter::once(cut).chain(flips)
                })
                .collect();
            assert_eq!(fatal(parse, &damaged), [""; 0], "{name}");
        }
    }
}
