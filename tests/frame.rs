//! What all programs do alike, whatever they do: signals, pipes, limits of the system, and the lines that they print.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use harness::{Made, Room, program};
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The contract says a second; machines that test may be busy.
const SOON: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(60);
/// An MLP that nobody waits for.
const SLOW_FIT: [&str; 8] =
    ["x.features", "-o", "y.head", "--head", "mlp:64", "--epochs", "1000000", "--quiet"];

/// A room with features and a head.
fn room() -> Room {
    let room = Room::new();
    room.features("x.features", &Made { rows: [200, 40, 40], ..Made::default() });
    room.tool("fit-head", &["x.features", "-o", "x.head", "--quiet"]).fine();
    room
}

fn start(room: &Room, name: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program(name));
    command.args(arguments).current_dir(room.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until something is there.
fn await_name(room: &Room, running: &mut Child, name: &str) {
    let begun = Instant::now();
    while !room.path(name).exists() {
        assert!(begun.elapsed() < LONG, "no `{name}` in a minute");
        assert!(running.try_wait().unwrap().is_none(), "it ended before there was `{name}`");
        thread::sleep(Duration::from_millis(1));
    }
}

fn send(running: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", running.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Sends a signal and waits for the end, which comes soon.
fn stop(running: Child, signal: &str) -> Output {
    send(&running, signal);
    let asked = Instant::now();
    let output = running.wait_with_output().unwrap();
    assert!(asked.elapsed() < SOON, "it took {:?}; {output:?}", asked.elapsed());
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_signal_ends_a_run_which_leaves_nothing() {
    let room = room();
    let before = room.names();
    let fit = [&SLOW_FIT[..], &["--table", "t.csv"]].concat();
    let evaluate = [
        "x.features",
        "x.head",
        "-o",
        "m.csv",
        "--predictions",
        "p.parquet",
        "--report",
        "r.html",
        "--suspects",
        "s.csv",
    ];
    for signal in ["INT", "TERM", "HUP"] {
        for (name, arguments, partial) in
            [("fit-head", &fit[..], ".t.csv.partial"), ("evaluate", &evaluate[..], ".r.html.partial")]
        {
            let mut running = start(&room, name, arguments);
            await_name(&room, &mut running, partial);
            thread::sleep(Duration::from_millis(30));
            let output = stop(running, signal);
            assert_eq!(output.status.code(), Some(130), "{name}, SIG{signal}: {output:?}");
            assert_eq!(stderr(&output), format!("{name}: interrupted\n"));
            assert_eq!(room.names(), before, "{name}, SIG{signal}");
        }
    }
}

#[test]
fn a_signal_finds_all_outputs_in_place_or_none() {
    let room = Room::new();
    room.pictures("data", 2, 12);
    room.tool("extract", &["data", "-o", "x.features", "--split", "80/10/10", "--quiet"]).fine();
    room.tool("fit-head", &["x.features", "-o", "x.head", "--quiet"]).fine();
    let before = room.names();
    let mut interrupted = 0;
    for attempt in 0..12 {
        let outputs: &[&str] = [&["y.model"][..], &["y.csv", "y.npy"]][attempt % 2];
        let mut running = match attempt % 2 {
            0 => start(&room, "export", &["x.head", "-o", "y.model", "--to", "safetensors"]),
            _ => start(&room, "export", &["x.features", "-o", "y.npy", "--rows", "y.csv"]),
        };
        // Some are stopped before anything is written, some after.
        if attempt % 4 < 2 {
            thread::sleep(Duration::from_millis(attempt as u64));
        } else {
            while !room.path(&format!(".{}.partial", outputs[0])).exists()
                && running.try_wait().unwrap().is_none()
            {}
        }
        let output = stop(running, "TERM");
        let left: Vec<String> = room.names().into_iter().filter(|name| !before.contains(name)).collect();
        match (output.status.code(), output.status.signal()) {
            (Some(130), _) => assert!(left.is_empty(), "{left:?}"),
            (Some(0), _) => assert_eq!(left, outputs),
            // Before its first line of code the system ends it.
            (None, Some(_)) => assert!(left.is_empty() && attempt % 4 < 2, "{left:?}"),
            other => panic!("{other:?}: {output:?}"),
        }
        interrupted += usize::from(output.status.code() == Some(130));
        for name in left {
            let path = room.path(&name);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
    }
    assert!(interrupted > 0);
}

#[test]
fn keep_best_writes_a_head_that_says_so() {
    let room = room();
    let mut running =
        start(&room, "fit-head", &[&SLOW_FIT[..], &["--keep-best", "--table", "t.csv"]].concat());
    await_name(&room, &mut running, ".t.csv.partial");
    thread::sleep(Duration::from_millis(100));
    let output = stop(running, "TERM");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    // With --quiet too.
    let told = stderr(&output);
    assert!(
        told.starts_with("fit-head: interrupted, the best so far is kept: ") && told.ends_with(" → y.head\n")
    );
    let head = fs::read(room.path("y.head")).unwrap();
    let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(r#"\"interrupted\":true"#);
    assert!(says(&head) && !says(&fs::read(room.path("x.head")).unwrap()));
    assert_eq!(room.names(), ["t.csv", "x.features", "x.head", "y.head"]);
    room.tool("evaluate", &["x.features", "y.head", "-o", "m.csv"]).fine();
}

#[test]
fn a_curve_that_was_not_finished_is_named() {
    let room = Room::new();
    room.features("x.features", &Made { rows: [3000, 40, 40], ..Made::default() });
    let call = ["x.features", "-o", "y.head", "--keep-best", "--curve", "c.csv", "--quiet"];
    let mut running = start(&room, "fit-head", &call);
    await_name(&room, &mut running, ".c.csv.partial");
    let output = stop(running, "TERM");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told = stderr(&output);
    assert!(told.ends_with(", `c.csv` is not written → y.head\n"), "{told}");
    assert_eq!(room.names(), ["x.features", "y.head"]);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let room = room();
    let before = room.names();
    // One epoch takes many seconds.
    let slow = ["x.features", "-o", "y.head", "--head", "mlp:60000", "--batch-size", "1", "--keep-best"];
    let mut running = start(&room, "fit-head", &[&slow[..], &["--table", "t.csv"]].concat());
    await_name(&room, &mut running, ".t.csv.partial");
    thread::sleep(Duration::from_millis(500));
    send(&running, "TERM");
    thread::sleep(Duration::from_millis(1000));
    assert!(running.try_wait().unwrap().is_none(), "it was asked, and may finish its epoch");
    let output = stop(running, "INT");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(130), "fit-head: interrupted\n"));
    assert_eq!(room.names(), before);
}

#[test]
fn extract_does_not_wait_for_a_long_batch() {
    let room = Room::new();
    room.pictures("some", 1, 20);
    for n in 0..6000 {
        let picture = fs::read(room.path(&format!("some/a/{:03}.png", n % 20))).unwrap();
        room.write(
            &format!("data/{}/{n:05}.png", ["a", "b"][n % 2]),
            [picture, n.to_string().into_bytes()].concat(),
        );
    }
    let call = [
        "data",
        "-o",
        "x.features",
        "--shard-size",
        "1",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--batch",
        "3000",
    ];
    let mut running = start(&room, "extract", &call);
    await_name(&room, &mut running, ".x.features.partial/shard-00001.rkyv");
    // The second batch is under way; fast processors end it within the time that it is given.
    let output = stop(running, "TERM");
    let line = |done: &str| {
        format!("extract: interrupted after {done} of 6,000 images; run the same command again to go on\n")
    };
    let told = stderr(&output);
    let done = ["3,000", "6,000"].into_iter().find(|done| told == line(done));
    let done = done.unwrap_or_else(|| panic!("{output:?}"));
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(room.names(), [".x.features.partial", "data", "some"]);
    let told = room.tool("extract", &call).fine().stderr();
    assert!(told.contains(&format!(" ({done} reused), ")), "{told}");
    assert_eq!(room.names(), ["data", "some", "x.features"]);
}

#[test]
fn nohup_holds() {
    let room = room();
    let fit = format!(
        "trap '' HUP; exec {} x.features -o y.head --head mlp:16 --epochs 20",
        program("fit-head").display()
    );
    let mut command = Command::new("sh");
    let running =
        command.args(["-c", &fit]).current_dir(room.path("")).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(100));
    send(&running, "HUP");
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(room.path("y.head").exists());
}

#[test]
fn a_file_that_may_not_grow_is_an_error_like_any_other() {
    let room = room();
    let evaluate = program("evaluate");
    let evaluate =
        format!("ulimit -f 1; exec {} x.features x.head -o m.csv --report r.html", evaluate.display());
    let mut command = Command::new("sh");
    let output = command.args(["-c", &evaluate]).current_dir(room.path("")).output().unwrap();
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(told.starts_with("evaluate: cannot write `") && told.contains("File too large"), "{told}");
    assert_eq!(room.names(), ["x.features", "x.head"]);
}

#[test]
fn a_reader_that_has_gone_takes_nothing_with_it() {
    let room = room();
    let bad = ["--head", "mlp:2", "--epochs", "1", "--learning-rate", "1e-9", "--quiet"];
    room.tool("fit-head", &[&["x.features", "-o", "bad.head"], &bad[..]].concat()).fine();
    let call = ["x.features", "bad.head", "-o", "m.csv", "--baseline", "x.head", "--report", "r.html"];
    let expected = room.tool("evaluate", &call);
    expected_gate(expected.code(), &room);
    let mut running = start(&room, "evaluate", &[&call[..], &["--force"]].concat());
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    // The gate too.
    assert_eq!(output.status.code(), Some(expected.code()), "{output:?}");
    assert_eq!(stderr(&output), expected.stderr());
    // Whoever cannot be told for another reason hears of it.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut help = Command::new(program("extract"));
    let output = help.arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("extract: cannot write to stdout: "), "{output:?}");
}

fn expected_gate(code: i32, room: &Room) {
    assert_eq!(code, 3);
    for name in ["m.csv", "r.html"] {
        fs::remove_file(room.path(name)).unwrap();
    }
}

/// What may not reach a terminal.
fn is_raw(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn names_reach_the_terminal_as_text() {
    let room = Room::new();
    let classes = vec!["da\u{1b}[2Jisy", "ro\nses", "tu\u{202e}lips\u{9b}", "漢é"];
    room.features("x.features", &Made { classes, ..Made::default() });
    room.tool("fit-head", &["x.features", "-o", "x.head"]).fine();
    let evaluated = room.tool("evaluate", &["x.features", "x.head", "-o", "m.csv"]).fine();
    let printed = evaluated.stdout();
    assert!(!printed.contains(is_raw), "{printed}");
    for part in ["  da\\u{1b}[2Jisy ", "  ro\\nses ", "  tu\\u{202e}lips\\u{9b} ", "  漢é "] {
        assert!(printed.contains(part), "no `{part}` in: {printed}");
    }
    let name = "no\u{1b}[2J\nnever\u{202e}\r";
    let shown = "no\\u{1b}[2J\\nnever\\u{202e}\\r";
    room.write(&format!("data/a/{name}.jpg"), "no picture");
    room.write(&format!("data/b/{name}.jpg"), "no picture");
    let calls: [(&str, &[&str]); 11] = [
        ("extract", &["data", "-o", "y.features"]),
        ("extract", &[name, "-o", "y.features"]),
        ("extract", &["data", "-o", "y.features", "--tap", name]),
        ("fit-head", &[name, "-o", "y.head"]),
        ("fit-head", &["x.features", "-o", "y.head", "--head", name]),
        ("evaluate", &["x.features", name, "-o", "m2.csv"]),
        ("predict", &[name, "data"]),
        ("predict", &["x.head", "x.features", "-o", name]),
        ("export", &[name, "-o", "y.onnx"]),
        ("fetch", &[name]),
        ("headstart", &[name]),
    ];
    for (tool, arguments) in calls {
        let run = room.tool(tool, arguments);
        let told = run.stderr();
        assert!(
            run.code() != 0 && told.contains(shown) && !told.contains(is_raw),
            "{tool} {arguments:?}: {told}"
        );
    }
    let flag = format!("--{name}\nUsage:");
    room.tool("export", &["x.head", &flag]).failed(2, &[shown, "\\nUsage:"]);
}

#[test]
fn no_message_is_long() {
    let room = room();
    let long = "漢x".repeat(5_000);
    let flag = format!("--{long}");
    for tool in ["extract", "fit-head", "evaluate", "predict", "export", "fetch", "headstart"] {
        for arguments in [vec![long.as_str()], vec![&long, &long, "-o", &long], vec![flag.as_str()]] {
            let run = room.tool(tool, &arguments);
            let told = run.stderr();
            assert!(run.code() != 0 && told.lines().count() == 1, "{tool}: {told}");
            assert!(told.trim_end().chars().count() <= 500, "{tool}: {}", told.chars().count());
        }
    }
}

#[test]
fn threads_of_the_environment_are_bounded_as_those_of_the_flag() {
    let room = room();
    let fit = |arguments: &[&str], value: &str| {
        let call = [&["x.features", "-o", "y.head", "--force"], arguments].concat();
        room.call_with(program("fit-head"), &call, &[("RAYON_NUM_THREADS", value)])
    };
    for value in ["5000", "many", "-1", "1.5", "99999999999999999999999"] {
        fit(&[], value).failed(2, &["RAYON_NUM_THREADS takes a number from 1 to 1024", value]);
        fit(&["--threads", "2"], value).fine();
    }
    fit(&["--threads", "5000"], "").failed(2, &["--threads takes a number from 1 to 1024, got 5000"]);
    for value in ["", "0", "3"] {
        assert!(!fit(&[], value).fine().stderr().contains("THREADS"));
    }
    for run in [fit(&[], "1024"), fit(&["--threads", "1024"], "")] {
        let told = run.fine().stderr();
        let cores = thread::available_parallelism().unwrap().get();
        assert!(cores >= 256 || told.contains(&format!("1,024: this machine has {cores} cores")), "{told}");
    }
}
