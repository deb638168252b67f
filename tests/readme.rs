//! README's sections `Use it` and `Your texts` run as they are printed.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, Run, program};
use std::{env, fs, path::Path};

/// The shell commands of a section: its first block.
fn commands(section: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n## {section}\n")).unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// Runs a section in a room, with our programs on the path.
fn run(room: &Room, section: &str) -> Run {
    let folder = program("headstart").parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", env::var("PATH").unwrap());
    room.call_with("/bin/sh", &["-euc", &commands(section)], &[("PATH", &path)]).fine()
}

#[test]
fn your_texts_run_as_printed() {
    let room = Room::new();
    room.tool("make-sample", &["reviews.csv", "--texts", "-q"]).fine();
    let said = run(&room, "Your texts").stdout();
    let accuracy =
        said.lines().find_map(|line| line.trim().strip_prefix("accuracy")?.split_whitespace().next());
    // Of sentences with words that no train sentence has.
    assert!(accuracy.unwrap().parse::<f64>().unwrap() > 0.7, "{said}");
    assert!(said.lines().last().unwrap().starts_with(r#"{"id":"-#000000","predicted":"positive""#), "{said}");
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/sentiment.sh");
    let folder = program("headstart").parent().unwrap().display().to_string();
    room.call_with(&pipeline, &["reviews.csv", "out", "--quiet"], &[("BIN", &folder)]).fine();
    let predictions = fs::read_to_string(room.path("out/predictions.csv")).unwrap();
    assert_eq!(predictions.lines().count(), 1 + 800);
    assert!(room.path("out/report.html").is_file() && room.path("out/texts.hst").is_file());
}

#[test]
fn use_it_runs_as_printed() {
    let room = Room::new();
    room.pictures("photos", 3, 12);
    room.tool("extract", &["photos", "-o", "flowers.features", "-q"]).fine();
    room.tool("fit-head", &["flowers.features", "-o", "flowers.head", "-q"]).fine();
    let run = run(&room, "Use it");
    assert_eq!(run.stdout().lines().count(), 2, "{}", run.stdout());
    assert!(run.stdout().lines().all(|line| line.contains("\"top\":[{\"class\":")), "{}", run.stdout());
    let predictions = fs::read_to_string(room.path("predictions.csv")).unwrap();
    assert_eq!(predictions.lines().count(), 1 + 36);
    assert!(room.path("flowers.hst").is_file() && room.path("flowers.onnx").is_file());
}
