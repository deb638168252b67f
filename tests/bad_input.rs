//! What goes wrong between tools, or in all of them alike: one line, the right exit code, nothing left behind.

use features::Features;
use harness::{Made, Room, SmallDisk, flip, program};
use head::{Head, HeadKind};
use std::{
    fs, io,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A room with `data`, and `x.features` and `x.head` made of it.
fn room() -> Room {
    let room = Room::new();
    for (split, each) in [("train", 4), ("test", 2)] {
        room.pictures(&format!("data/{split}"), 3, each);
    }
    room.tool("extract", &["data", "-o", "x.features"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head"]).fine();
    room
}

const MADE: [&str; 3] = ["data", "x.features", "x.head"];

/// Every tool on what the one before it made, with its output `to` some folder.
fn calls(to: &str) -> [(&'static str, Vec<String>); 6] {
    let call = |tool, inputs: &[&str], output: &str| {
        let words = inputs.iter().map(|word| (*word).to_owned());
        (tool, words.chain(["-o".to_owned(), format!("{to}{output}")]).collect())
    };
    [
        call("extract", &["data"], "y.features"),
        call("fit-head", &["x.features"], "y.head"),
        call("evaluate", &["x.features", "x.head"], "y.parquet"),
        call("export", &["x.head"], "y.onnx"),
        call("export", &["x.head"], "model"),
        call("export", &["x.features"], "y.npy"),
    ]
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn a_full_disk() {
    for free in [0, 4096] {
        let room = room();
        let Some(disk) = SmallDisk::mount(&room, free) else { return };
        for (tool, arguments) in calls("disk/") {
            // What is written must be larger than what is left; and a fit's progress is not at stake here.
            let more = match tool {
                "evaluate" => &["--predictions", "disk/p.json", "--quiet"][..],
                _ => &["--quiet"],
            };
            let run = room.tool(tool, &[&words(&arguments), more].concat());
            run.failed(1, &["cannot write `disk/", "No space left on device"]);
            assert_eq!(disk.names(), [""; 0], "{tool} with {free} bytes free");
        }
    }
}

#[test]
fn a_folder_that_takes_no_files() {
    let room = room();
    for (tool, arguments) in calls("gone/") {
        room.tool(tool, &words(&arguments)).failed(1, &["cannot write `gone/"]);
    }
    assert_eq!(room.names(), MADE);
}

#[test]
fn features_that_are_no_more_what_was_written() {
    let room = room();
    let shard = room.path("x.features/shard-00000.rkyv");
    let index = room.path("x.features/index.json");
    let (whole, text) = (fs::read(&shard).unwrap(), fs::read_to_string(&index).unwrap());
    let refused = |parts: &[&str]| {
        for (tool, arguments) in calls("").iter().filter(|(_, arguments)| arguments[0] == "x.features") {
            room.tool(tool, &words(arguments)).failed(1, &[&["cannot read `x.features`"], parts].concat());
            assert_eq!(room.names(), MADE, "{tool}");
        }
    };
    flip(&shard);
    refused(&["`shard-00000.rkyv` is damaged", "rerun extract"]);
    fs::write(&shard, &whole[..whole.len() - 100]).unwrap();
    refused(&["`shard-00000.rkyv` is ", " bytes, index says ", "rerun extract"]);
    let mut newer = whole.clone();
    newer[8] = 9;
    fs::write(&shard, newer).unwrap();
    refused(&["`shard-00000.rkyv` has format 9, newer than this program's 3"]);
    fs::remove_file(&shard).unwrap();
    refused(&["`shard-00000.rkyv` cannot be opened", "rerun extract"]);
    fs::write(&shard, &whole).unwrap();
    fs::write(&index, text.replacen("\"schema\": 4", "\"schema\": 9", 1)).unwrap();
    refused(&["schema 9 is newer than this program's 4", "update Headstart"]);
    fs::write(&index, text).unwrap();
    flip(&room.path("x.features/probes.rkyv"));
    refused(&["`probes.rkyv` is damaged"]);
}

#[test]
fn heads_of_other_features() {
    let room = room();
    let refused = |head: &str, parts: &[&str]| {
        room.tool("evaluate", &["x.features", head, "-o", "m.csv"]).failed(1, parts);
        fs::remove_file(room.path(head)).unwrap();
    };
    let evaluate = |head: &str, parts: &[&str]| {
        refused(head, &[&[&format!("head `{head}` does not belong to `x.features`")[..]], parts].concat());
    };
    let fitted = |pictures: (usize, usize), flags: &[&str]| {
        room.pictures("more/train", pictures.0, pictures.1);
        room.tool("extract", &[&["more", "-o", "y.features", "--force"], flags].concat()).fine();
        room.tool("fit-head", &["y.features", "-o", "y.head"]).fine();
        fs::remove_dir_all(room.path("more")).unwrap();
        fs::remove_dir_all(room.path("y.features")).unwrap();
    };
    fitted((2, 3), &[]);
    // Of the three classes that the features have.
    let left_out = |head: &str, note: &str| {
        let said = room.tool("evaluate", &["x.features", head, "-o", "m.csv"]).fine().stderr();
        assert!(said.lines().any(|line| line == note), "{said}");
        fs::remove_file(room.path(head)).unwrap();
        fs::remove_file(room.path("m.csv")).unwrap();
    };
    left_out("y.head", "evaluate: 2 rows of classes that the head does not know are left out: `c` 2");
    fitted((3, 3), &["--tap", "layer3"]);
    evaluate("y.head", &["tap differs, expected `layer3`, got `pooled`"]);
    fitted((3, 3), &["--filter", "bicubic"]);
    evaluate("y.head", &["preprocessing differs", "rerun extract as for the head's features"]);

    let mut head = Head::read(&room.path("x.head")).unwrap();
    head.classes[1] = "z".to_owned();
    head.write(&room.path("y.head"), false).unwrap();
    left_out("y.head", "evaluate: 2 rows of classes that the head does not know are left out: `b` 2");
    let mut head = Head::read(&room.path("x.head")).unwrap();
    let outputs = head.classes.len();
    head.layers[0].inputs = 3;
    head.layers[0].weight.truncate(3 * outputs);
    head.probes.truncate(12);
    head.write(&room.path("y.head"), false).unwrap();
    evaluate("y.head", &["width differs, expected 3, got 224"]);
    assert_eq!(room.names(), MADE);
}

#[test]
fn each_tool_refuses_what_another_one_wrote() {
    let room = room();
    let cases: [(&str, &[&str], &str); 7] = [
        ("fit-head", &["data", "-o", "y.head"], "`data`"),
        ("fit-head", &["x.head", "-o", "y.head"], "cannot read `x.head`"),
        ("evaluate", &["x.head", "x.features", "-o", "m.csv"], "cannot read `x.head`"),
        ("evaluate", &["x.features", "x.features", "-o", "m.csv"], "cannot read `x.features`"),
        ("export", &["x.features/shard-00000.rkyv", "-o", "y.onnx"], "expected a head that fit-head wrote"),
        ("export", &["data", "-o", "y.npy"], "expected a folder that extract wrote"),
        ("extract", &["x.head", "-o", "y.features"], "`x.head` is not a data set"),
    ];
    for (tool, arguments, part) in cases {
        room.tool(tool, arguments).failed(1, &[part]);
        assert_eq!(room.names(), MADE, "{tool}");
    }
}

#[test]
fn the_wrong_program_of_a_head() {
    // An MLP's file that calls itself linear would be half a head.
    let room = room();
    room.tool("fit-head", &["x.features", "-o", "mlp.head", "--head", "mlp:4"]).fine();
    let head = Head::read(&room.path("mlp.head")).unwrap();
    assert_eq!((head.kind, head.layers.len()), (HeadKind::Mlp, 2));
    let mut bytes = fs::read(room.path("mlp.head")).unwrap();
    let at = bytes.windows(17).position(|window| window == br#"\"kind\":\"mlp\","#).unwrap();
    let name = at + 11;
    bytes[name..name + 3].copy_from_slice(b"mpl");
    room.write("mlp.head", bytes);
    let run = room.tool("evaluate", &["x.features", "mlp.head", "-o", "m.csv"]);
    run.failed(1, &["cannot read `mlp.head`", "expected a head that fit-head wrote"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let room = room();
    let cases: [(&str, &[&str]); 3] = [
        ("evaluate", &["x.features", "x.head", "-o", "m.csv"]),
        ("extract", &["--list-backbones"]),
        ("fit-head", &["--help"]),
    ];
    for (tool, arguments) in cases {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(program(tool));
        let output = command.args(arguments).current_dir(room.path("")).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("error"));
    }
    assert!(room.path("m.csv").is_file());
    // Nor is one of what it tells its user: the work is done, and a failure is still one.
    let cases: [(&str, &[&str], i32); 3] = [
        ("extract", &["data", "-o", "y.features"], 0),
        ("fit-head", &["x.features", "-o", "y.head"], 0),
        ("extract", &["gone", "-o", "z.features"], 1),
    ];
    for (tool, arguments, code) in cases {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(program(tool));
        let status = command.args(arguments).current_dir(room.path("")).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(code), "{tool}");
    }
    assert_eq!(room.names(), ["data", "m.csv", "x.features", "x.head", "y.features", "y.head"]);
    let piped = format!("{} --list-backbones | head -1", program("extract").display());
    let output = Command::new("sh").args(["-c", &piped]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    assert!(output.stderr.is_empty());
}

#[test]
fn a_killed_fit_leaves_nothing_at_its_place() {
    let room = Room::new();
    room.features("x.features", &Made { dim: 400, rows: [400, 0, 0], ..Made::default() });
    let arguments =
        ["x.features", "-o", "x.head", "--table", "t.csv", "--head", "mlp:512", "--epochs", "100000"];
    let mut running = Command::new(program("fit-head"))
        .args(arguments)
        .current_dir(room.path(""))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !room.path(".t.csv.partial").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was begun");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(100));
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(!room.path("x.head").exists() && !room.path("t.csv").exists());
    room.tool("fit-head", &["x.features", "-o", "x.head", "--table", "t.csv"]).fine();
    assert_eq!(room.names(), ["t.csv", "x.features", "x.head"]);
    assert_eq!(Features::open(&room.path("x.features")).unwrap().len(), 1200);
}
