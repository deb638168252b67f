//! README's section `Use it` runs as it is printed.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, program};
use std::{env, fs, path::Path};

/// The shell commands of a section: its first block.
fn commands(section: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n## {section}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn use_it_runs_as_printed() {
    let room = Room::new();
    room.pictures("photos", 3, 12);
    room.tool("extract", &["photos", "-o", "flowers.features", "-q"]).fine();
    room.tool("fit-head", &["flowers.features", "-o", "flowers.head", "-q"]).fine();
    let folder = program("headstart").parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", env::var("PATH").unwrap());
    let commands = commands("Use it");
    let run = room.call_with("/bin/sh", &["-euc", &commands], &[("PATH", &path)]).fine();
    assert_eq!(run.stdout().lines().count(), 2, "{}", run.stdout());
    assert!(run.stdout().lines().all(|line| line.contains("\"top\":[{\"class\":")), "{}", run.stdout());
    let predictions = fs::read_to_string(room.path("predictions.csv")).unwrap();
    assert_eq!(predictions.lines().count(), 1 + 36);
    assert!(room.path("flowers.hst").is_file() && room.path("flowers.onnx").is_file());
}
