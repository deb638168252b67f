//! What may be asked about, in what forms answers come, and what is wrong.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::Room;
use serde_json::Value;
use std::{fs, sync::OnceLock};

const TOOL: &str = env!("CARGO_BIN_EXE_predict");

/// A room with `photos`, `x.features`, `x.head` and `x.hst`; every test here makes its own things beside them.
fn room() -> Room {
    static MADE: OnceLock<Room> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let room = Room::new();
        room.pictures("photos", 2, 12);
        let run = |tool: &str, arguments: &[&str]| room.tool(tool, arguments).fine();
        run("extract", &["photos", "-o", "x.features", "-q"]);
        run("fit-head", &["x.features", "-o", "x.head", "-q"]);
        run("export", &["x.head", "-o", "x.hst", "-q"]);
        room
    });
    let room = Room::new();
    room.pictures("photos", 2, 12);
    for name in ["x.head", "x.hst"] {
        fs::copy(made.path(name), room.path(name)).unwrap();
    }
    fs::create_dir(room.path("x.features")).unwrap();
    for (name, bytes) in made.bytes("x.features") {
        room.write(&format!("x.features/{}", name.display()), bytes);
    }
    room
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["id"].as_str().unwrap()).collect()
}

#[test]
fn folders_of_any_shape_lists_tars_and_pictures_one_by_one() {
    let room = room();
    fs::create_dir_all(room.path("any/deep/er")).unwrap();
    for (from, to) in
        [("a/000.png", "any/0.png"), ("b/000.png", "any/deep/1.png"), ("a/001.png", "any/deep/er/2.PNG")]
    {
        fs::copy(room.path("photos").join(from), room.path(to)).unwrap();
    }
    room.write("any/notes.txt", "no picture");
    let expected = ["0.png", "deep/1.png", "deep/er/2.PNG"];
    let run = room.call(TOOL, &["x.hst", "any"]).fine();
    let folder = lines(&run.stdout());
    assert_eq!(ids(&folder), expected);
    assert_eq!(run.last_line(), "predict: 3 predicted, 0 without prediction");

    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", room.path("any")).unwrap();
    let tar = tar.into_inner().unwrap();
    room.write("any.tar", &tar);
    assert_eq!(lines(&room.call(TOOL, &["x.hst", "any.tar"]).fine().stdout()), folder);
    assert_eq!(lines(&room.call_piped(TOOL, &["x.hst", "-"], &tar).fine().stdout()), folder);

    let list = b"any/0.png\nany/deep/1.png\nany/deep/er/2.PNG\n";
    let listed = lines(&room.call_piped(TOOL, &["x.hst", "-", "--root", "any"], list).fine().stdout());
    assert_eq!(listed, folder);
    let named = ["x.hst", "any/deep/er/2.PNG", "any/0.png", "any/deep/1.png"];
    let one_by_one = lines(&room.call(TOOL, &named).fine().stdout());
    assert_eq!(ids(&one_by_one), ["any/0.png", "any/deep/1.png", "any/deep/er/2.PNG"]);
    // Elsewhere: ids are relative to what the pictures have in common.
    let other = Room::new();
    let (model, first) = (room.path("x.hst"), room.path("any/0.png"));
    let second = room.path("any/deep/1.png");
    let [model, first, second] = [&model, &first, &second].map(|path| path.to_str().unwrap());
    let elsewhere = lines(&other.call(TOOL, &[model, first, second]).fine().stdout());
    assert_eq!(elsewhere, folder[..2]);
    // Folders and pictures together.
    let mixed = lines(&room.call(TOOL, &["x.hst", "any/deep", "any/0.png"]).fine().stdout());
    assert_eq!(mixed, one_by_one);
    // Labels that are not there yet.
    room.write("new.csv", "path,label\nany/0.png,\nany/deep/1.png,b\n");
    assert_eq!(ids(&lines(&room.call(TOOL, &["x.head", "new.csv"]).fine().stdout())).len(), 2);
}

#[test]
fn what_cannot_be_used_has_a_row_that_says_why() {
    let room = room();
    let before = lines(&room.call(TOOL, &["x.hst", "photos"]).fine().stdout());
    room.write("photos/a/0055.png", "no picture");
    let run = room.call(TOOL, &["x.hst", "photos"]).fine();
    let all = lines(&run.stdout());
    let (bad, good): (Vec<_>, Vec<_>) = all.into_iter().partition(|line| line.get("error").is_some());
    assert_eq!(good, before);
    assert_eq!(ids(&bad), ["a/0055.png"]);
    assert!(bad[0].get("predicted").is_none());
    let told: Vec<String> = run.stderr().lines().map(str::to_owned).collect();
    assert!(told[0].starts_with("predict: no prediction: `a/0055.png`: "), "{told:?}");
    assert_eq!(told[1], "predict: 24 predicted, 1 without prediction");
    let stop = room.call(TOOL, &["x.hst", "photos", "-o", "p.csv", "--on-error", "fail"]);
    stop.failed(1, &["`a/0055.png`: "]);
    assert!(!room.path("p.csv").exists());
    // As a table, all but the reason is empty.
    room.call(TOOL, &["x.hst", "photos", "-o", "p.csv", "--top", "2", "--probabilities", "-q"]).fine();
    let csv = fs::read_to_string(room.path("p.csv")).unwrap();
    let header = "id,predicted,confidence,top1,top1_probability,top2,top2_probability,probability:a,probability:b,error";
    assert_eq!(csv.lines().next(), Some(header));
    let row = csv.lines().find(|line| line.starts_with("a/0055")).unwrap();
    assert!(row.starts_with("a/0055.png,,,,,,,,,") && row.len() > 20, "{row}");
    // A file that is gone is one of them.
    let list = b"photos/a/000.png\nphotos/a/gone.png\nphotos/a/000.png\n";
    let listed = lines(&room.call_piped(TOOL, &["x.hst", "-"], list).fine().stdout());
    assert_eq!(ids(&listed), ["photos/a/000.png", "photos/a/gone.png"]);
    assert!(listed[1]["error"].as_str().unwrap().starts_with("cannot be read: "));
    // Where nothing can be used, nothing is written.
    room.write("bad/1.png", "no picture");
    room.write("bad/2.png", "no picture");
    let nothing = room.call(TOOL, &["x.hst", "bad", "-o", "b.csv"]);
    nothing.failed(1, &["there is no prediction of any sample: `1.png`: ", ", and 1 more"]);
    assert!(!room.path("b.csv").exists());
    // Features know what was skipped when they were made.
    room.tool("extract", &["photos", "-o", "y.features", "--max-skipped", "50", "-q"]).fine();
    let of_features = lines(&room.call(TOOL, &["x.head", "y.features"]).fine().stdout());
    assert_eq!(ids(&of_features).last(), Some(&"a/0055.png"));
    assert_eq!(of_features.len(), 25);
}

#[test]
fn more_is_said_where_that_is_asked_for() {
    let room = room();
    let all =
        room.call(TOOL, &["x.hst", "photos/a/003.png", "--top", "9", "--probabilities"]).fine().stdout();
    let line = &lines(&all)[0];
    let top = line["top"].as_array().unwrap();
    assert_eq!((top.len(), &top[0]["class"]), (2, &line["predicted"]));
    assert_eq!(top[0]["probability"], line["confidence"]);
    assert_eq!(line["probabilities"].as_object().unwrap().len(), 2);
    let keys = ["{\"id\":", ",\"predicted\":", ",\"confidence\":", ",\"top\":", ",\"probabilities\":"];
    let at: Vec<usize> = keys.iter().map(|key| all.find(key).unwrap()).collect();
    assert!(at.is_sorted(), "{all}");
    room.call(TOOL, &["x.hst", "photos", "-o", "p.jsonl", "-q"]).fine();
    let written = fs::read_to_string(room.path("p.jsonl")).unwrap();
    assert_eq!(written, room.call(TOOL, &["x.hst", "photos"]).fine().stdout());
}

/// Rows are written some at a time, of which the first may all be bad.
#[test]
fn a_table_may_begin_with_bad_rows() {
    let room = room();
    for n in 0..20_000 {
        std::os::unix::fs::symlink("none", room.path(&format!("photos/0{n:05}.png"))).unwrap();
    }
    room.call(TOOL, &["x.hst", "photos", "-o", "p.parquet", "--probabilities", "-q"]).fine();
    let table = store::table::read(&room.path("p.parquet")).unwrap();
    assert_eq!(table.height(), 20_024);
    assert_eq!(table.column("probabilities").unwrap().null_count(), 20_000);
}

#[test]
fn what_is_wrong_is_one_line() {
    let room = room();
    room.write("cut.hst", &fs::read(room.path("x.hst")).unwrap()[..5000]);
    room.write("none.hst", "nothing of ours");
    room.write("there.csv", "somebody's\n1\n");
    room.tool("extract", &["photos", "-o", "other.features", "--resize", "40", "--crop", "32", "-q"]).fine();
    let weights = "w.safetensors";
    room.write(weights, "no weights");
    for (arguments, code, parts) in [
        (&["x.hst"][..], 2, &["INPUT"][..]),
        (&["x.hst", "photos", "-o", "p.txt"], 2, &["`p.txt`: expected .parquet, .csv or .jsonl, or -"]),
        (&["x.hst", "photos", "--top", "0"], 2, &["--top takes a number from 1 on"]),
        (&["x.features", "photos"], 2, &["`x.features` is features; expected a .head or .hst first"]),
        (&["photos", "x.features"], 2, &["`photos` is a folder; expected a .head or .hst first"]),
        (&["x.hst", "x.features", "--weights", weights], 2, &["--weights goes with samples"]),
        (&["x.hst", "x.features", "--root", "photos"], 2, &["--root goes with samples"]),
        (&["x.hst", "x.features", "photos"], 2, &["`x.features` is features, and others are not"]),
        (&["x.hst", "photos", "--root", "."], 2, &["--root goes with a manifest or a list of paths"]),
        (&["x.hst", "x.hst"], 1, &["`x.hst` is no picture by its name"]),
        (&["x.hst", "photos", "--weights", weights], 2, &["`x.hst` is a bundle, which holds its weights"]),
        (&["x.head", "photos", "--weights", weights], 1, &["w.safetensors"]),
        (&["cut.hst", "photos"], 1, &["cannot read `cut.hst`", "expected a bundle"]),
        (&["none.hst", "photos"], 1, &["cannot read `none.hst`", "expected a head"]),
        (&["missing.hst", "photos"], 1, &["missing.hst"]),
        (&["x.hst", "nowhere"], 1, &["nowhere"]),
        (&["x.hst", "other.features"], 1, &["does not belong to", "preprocessing differs"]),
        (&["x.hst", "photos", "-o", "there.csv"], 1, &["`there.csv` exists"]),
        (&["x.hst", "photos", "-o", "there.csv", "--force"], 1, &["not a table of predict"]),
    ] {
        room.call(TOOL, arguments).failed(code, parts);
    }
    assert_eq!(fs::read_to_string(room.path("there.csv")).unwrap(), "somebody's\n1\n");
    // What it wrote itself it replaces.
    for name in ["p.csv", "p.parquet", "p.jsonl"] {
        for _ in 0..2 {
            room.call(TOOL, &["x.hst", "photos", "-o", name, "--force", "-q"]).fine();
        }
    }
}

#[test]
fn a_head_that_other_numbers_were_fitted_on_is_refused() {
    let room = room();
    let mut head = head::Head::read(&room.path("x.head")).unwrap();
    head.probes.iter_mut().for_each(|value| *value *= 1.01);
    head.write(&room.path("other.head"), false).unwrap();
    let parts = ["does not give the features that the head was fitted on", "rerun extract and fit-head"];
    room.call(TOOL, &["other.head", "photos"]).failed(3, &parts);
    // Nothing is said of features, for which no network runs.
    room.call(TOOL, &["other.head", "x.features"]).fine();
}

#[test]
fn what_was_noticed_of_pictures_is_told() {
    let room = room();
    let bright = image::ImageBuffer::from_pixel(70, 70, image::Luma([40_000_u16]));
    image::DynamicImage::ImageLuma16(bright).save(room.path("photos/a/999.png")).unwrap();
    let run = room.call(TOOL, &["x.hst", "photos"]).fine();
    assert_eq!(run.stdout().lines().count(), 25);
    let told = "predict: 1 image with 16-bit grey levels above 255, which became white";
    assert!(run.stderr().contains(told), "{}", run.stderr());
}
