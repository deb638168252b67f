//! The library says what the program says, and its example runs.

use harness::Room;
use headstart::{Classifier, Error, Picture};
use std::{fs, path::PathBuf, process::Command};

/// A room with `photos` and `x.hst`, whose head rejects and knows what is novel.
fn room() -> Room {
    let room = Room::new();
    room.pictures("photos", 2, 12);
    let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments).fine();
    run("extract", &["photos", "-o", "x.features", "-q"]);
    let flags = ["--reject-at", "0.9", "--novelty-at", "0.9", "-q"];
    run("fit-head", &[&["x.features", "-o", "x.head"], &flags[..]].concat());
    run("export", &["x.head", "-o", "x.hst", "-q"]);
    room
}

#[test]
fn the_library_says_what_the_program_says() {
    let room = room();
    let said = room.tool("predict", &["x.hst", "photos", "--probabilities"]).fine().stdout();
    let classifier = Classifier::open(room.path("x.hst")).unwrap();
    assert_eq!(classifier.names(), ["a", "b"]);
    let mut paths: Vec<PathBuf> = Vec::new();
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let path = room.path("photos").join(line["id"].as_str().unwrap());
        let prediction = classifier.predict(&path).unwrap();
        assert_eq!(prediction.class(), line["predicted"].as_str());
        assert_eq!(prediction.confidence(), line["confidence"].as_f64());
        assert_eq!(prediction.is_rejected(), line["rejected"].as_bool());
        assert_eq!(prediction.is_novel(), line["novel"].as_bool());
        assert_eq!(prediction.distance(), line["distance"].as_f64());
        let each = [&line["probabilities"]["a"], &line["probabilities"]["b"]];
        assert_eq!(prediction.probabilities(), each.map(|p| p.as_f64().unwrap()));
        let first = (prediction.class().unwrap(), prediction.confidence().unwrap());
        assert_eq!(prediction.top(1), [first]);
        assert_eq!(classifier.predict(&fs::read(&path).unwrap()).unwrap(), prediction);
        paths.push(path);
    }
    assert_eq!(paths.len(), 24);
    // Together, from several threads.
    let alone: Vec<_> = paths.iter().map(|path| classifier.predict(path).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let together = classifier.predict_all(&paths).into_iter().map(Result::unwrap);
                assert!(together.eq(alone.iter().cloned()));
            });
        }
    });
}

#[test]
fn bad_pictures_are_told_and_lose_nothing() {
    let room = room();
    let classifier = Classifier::open(room.path("x.hst")).unwrap();
    let (good, missing) = (room.path("photos/a/000.png"), room.path("missing.png"));
    let pictures =
        [Picture::File(&good), Picture::Bytes(b"no picture"), Picture::File(&missing), Picture::File(&good)];
    let said = classifier.predict_all(pictures);
    assert_eq!(said[0].as_ref().unwrap(), said[3].as_ref().unwrap());
    assert!(matches!(said[1], Err(Error::Bad(_))) && matches!(said[2], Err(Error::Unreadable { .. })));
    assert!(classifier.predict_all([] as [&str; 0]).is_empty());
    assert_eq!(said.len(), 4);
    let error = Classifier::open(&good).err().unwrap().to_string();
    assert!(error.contains("expected a head"), "{error}");
}

#[test]
fn the_example_runs() {
    let room = room();
    let example = std::env::current_exe().unwrap();
    let example = example.parent().and_then(|deps| deps.parent()).unwrap().join("examples/classify");
    let run = |arguments: &[&str]| {
        let output = Command::new(&example).args(arguments).current_dir(room.path("")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = run(&["x.hst", "photos/a/000.png", "missing.png"]);
    assert_eq!((code, text.lines().count()), (Some(0), 2));
    assert!(
        text.starts_with("photos/a/000.png: a (") && text.contains("missing.png: `missing.png` cannot"),
        "{text}"
    );
    assert_eq!(run(&["missing.hst"]).0, Some(1));
}
