//! Writes what fuzzing begins with: `cargo run --release -p headstart-parsers --example seeds -- fuzz/corpus`.
//!
//! All of it is made here, or is a fixture of other tests.
#![expect(clippy::unwrap_used, reason = "whoever runs it can read a panic")]

#[path = "seeds/artefacts.rs"]
mod artefacts;
#[path = "seeds/checkpoints.rs"]
mod checkpoints;
#[path = "seeds/data.rs"]
mod data;
#[path = "seeds/imports.rs"]
mod imports;
#[path = "seeds/matrices.rs"]
mod matrices;
#[path = "seeds/models.rs"]
mod models;
#[path = "../../../crates/onnx/tests/common/file.rs"]
mod onnx_file;

use std::{env, fs, path::Path};

/// Larger fixtures only slow a fuzzer down.
const SMALL: u64 = 4_000;
/// HDF5 needs some room.
const SMALL_HDF5: u64 = 14_000;

fn main() {
    let root = env::args().nth(1).unwrap();
    let write = |parser: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(&root).join(parser);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("seed-{name}")), bytes).unwrap();
    };
    pictures(&write);
    manifests(&write);
    hdf5(&write);
    artefacts::write(&write);
    data::write(&write);
    matrices::write(&write);
    models::write(&write);
    checkpoints::write(&write);
    imports::write(&write);
}

fn pictures(write: &dyn Fn(&str, &str, &[u8])) {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/input/tests/fixtures");
    for entry in fs::read_dir(fixtures).unwrap().map(Result::unwrap) {
        let (name, bytes) = (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        if bytes.len() as u64 > SMALL {
            continue;
        }
        write("picture", &name, &bytes);
        if name.starts_with("jpeg") {
            for how in 0..4_u8 {
                write("jpeg", &format!("{name}-{how}"), &[&[how], &bytes[..]].concat());
            }
        }
    }
}

fn hdf5(write: &dyn Fn(&str, &str, &[u8])) {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/weights/tests/fixtures");
    for entry in fs::read_dir(fixtures).unwrap().map(Result::unwrap) {
        let (name, bytes) = (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap());
        if bytes.len() as u64 <= SMALL_HDF5 {
            write("hdf5", &name, &bytes);
        }
    }
}

fn manifests(write: &dyn Fn(&str, &str, &[u8])) {
    let plain = "path,label,split\na/1.png,a,train\nb/2.png,b,test\nb/3.png,b,val\n";
    write("manifest", "plain", plain.as_bytes());
    write("manifest", "crlf", plain.replace('\n', "\r\n").as_bytes());
    write("manifest", "mark", format!("\u{feff}{plain}").as_bytes());
    write("manifest", "quoted", b"path,label\n\"a,\"\"1\"\".png\",a\n\"b\n2.png\",b\n");
    write("manifest", "spaces", b"path, label\n a.png , a\n\nb.png,b\n");
    write("manifest", "paths", b"path,label\n/a.png,a\n../b.png,b\nc//d/../e.png,c\n");
}
