//! `headstart STAGE` is the stage, to the byte and to the exit code; and says what is wrong in one line.

use harness::{Room, program};

const TOOL: &str = env!("CARGO_BIN_EXE_headstart");

/// One line that begins with the tool's name.
fn failed(run: &harness::Run, code: i32, tool: &str, part: &str) {
    let told = run.stderr();
    assert_eq!((run.code(), told.lines().count()), (code, 1), "{told}");
    assert!(told.starts_with(tool) && told.contains(part), "{told}");
}

#[test]
fn a_stage_is_the_program_of_its_name() {
    let room = Room::new();
    for stage in ["extract", "fit-head", "evaluate", "predict", "export", "fetch"] {
        let (own, whole) = (room.tool(stage, &["--help"]).fine(), room.call(TOOL, &[stage, "--help"]).fine());
        assert_eq!(own.stdout(), whole.stdout());
        let (own, whole) = (room.tool(stage, &["--no-such"]), room.call(TOOL, &[stage, "--no-such"]));
        assert_eq!((own.code(), own.stderr()), (2, whole.stderr()));
        assert_eq!(whole.code(), 2);
    }
}

#[test]
fn one_file_is_enough() {
    let room = Room::new();
    // As it is installed: with nothing beside it.
    std::fs::create_dir(room.path("bin")).unwrap();
    let alone = room.path("bin/headstart");
    std::fs::copy(program("headstart"), &alone).unwrap();
    room.pictures("photos", 2, 12);
    room.call(&alone, &["extract", "photos", "-o", "p.features", "-q"]).fine();
    room.call(&alone, &["fit-head", "p.features", "-o", "p.head", "-q"]).fine();
    room.call(&alone, &["export", "p.head", "-o", "p.hst", "-q"]).fine();
    let run = room.call(&alone, &["predict", "p.hst", "photos"]).fine();
    assert_eq!(run.stdout().lines().count(), 24);
    // A download is the stage `fetch`'s, wherever that is.
    let run = room.call(
        &alone,
        &["extract", "photos", "-o", "q.features", "--offline", "--weights", "torchvision://resnet18"],
    );
    assert_eq!(run.code(), 1);
    assert!(!run.stderr().contains("needs the program fetch"), "{}", run.stderr());
}

#[test]
fn what_cannot_be_run_is_one_line() {
    let room = Room::new();
    room.call(TOOL, &["extarct"]).failed(2, &["unknown stage `extarct`; known are extract, fit-head"]);
    let help = room.call(TOOL, &[]).fine().stdout();
    assert!(help.contains("fit-head") && help.contains("predict"), "{help}");
}

#[test]
fn whatever_is_ours_can_be_looked_at() {
    let room = Room::new();
    room.pictures("photos", 2, 12);
    let run = |arguments: &[&str]| room.call(TOOL, arguments).fine();
    run(&["extract", "photos", "-o", "x.features", "-q"]);
    run(&["fit-head", "x.features", "-o", "x.head", "-q", "--novelty-at", "0.9"]);
    for output in ["x.hst", "x.onnx", "x.model"] {
        run(&[
            "export",
            "x.head",
            "-o",
            output,
            "-q",
            "--to",
            match output {
                "x.hst" => "bundle",
                "x.onnx" => "onnx",
                _ => "safetensors",
            },
        ]);
    }
    run(&["evaluate", "x.features", "x.head", "-o", "m.csv", "-q"]);
    room.write("w.safetensors", std::fs::read(room.path("x.model/model.safetensors")).unwrap());
    for (file, parts) in [
        ("x.features", &["kind: features", "rows: 24", "backbone: headstart_tiny", "digest: "][..]),
        ("x.head", &["kind: head", "outputs: a, b", "novelty_threshold: "]),
        ("x.hst", &["kind: bundle", "networks 1:", "name: headstart_tiny", "outputs: a, b"]),
        ("x.onnx", &["kind: ONNX model of export", "headstart.classes: a, b"]),
        ("x.model", &["kind: model folder", "classes: a, b"]),
        ("w.safetensors", &["kind: weights", "tensors: "]),
        ("m.csv", &["kind: table", "columns: split, scope, metric"]),
    ] {
        let text = run(&["inspect", file]).stdout();
        for part in parts {
            assert!(text.contains(part), "{file}: no `{part}` in {text}");
        }
        let json = run(&["inspect", file, "--json"]).stdout();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(text.starts_with(&format!("kind: {}", value["kind"].as_str().unwrap())));
    }
    room.write("x.hst", &std::fs::read(room.path("x.hst")).unwrap()[..9000]);
    for (file, part) in [
        ("photos", "`photos` is a folder without index.json or config.json"),
        ("missing", "missing"),
        ("x.hst", "cannot read `x.hst`"),
    ] {
        failed(&room.call(TOOL, &["inspect", file]), 1, "inspect: ", part);
    }
}

#[test]
fn completions_and_pages_are_made_from_the_command_lines() {
    let room = Room::new();
    for (shell, part) in
        [("bash", "complete -F"), ("zsh", "#compdef headstart"), ("fish", "complete -c headstart")]
    {
        let text = room.call(TOOL, &["completions", shell]).fine().stdout();
        assert!(text.contains(part) && text.contains("novelty-at") && text.contains("top"), "{shell}");
    }
    failed(&room.call(TOOL, &["completions", "tcsh"]), 2, "completions: ", "tcsh");
    let page = room.call(TOOL, &["man", "predict"]).fine().stdout();
    assert!(page.contains(".TH headstart-predict 1") && page.contains("\\-\\-probabilities"), "{page}");
    assert!(room.call(TOOL, &["man"]).fine().stdout().contains("fit\\-head"));
    failed(&room.call(TOOL, &["man", "prdict"]), 2, "man: ", "unknown stage `prdict`");
}

#[test]
fn the_doctor_finds_this_machine_well() {
    let text = Room::new().call(TOOL, &["doctor"]).fine().stdout();
    assert!(text.contains("portable: the same bits") && !text.contains("OTHER"), "{text}");
}
