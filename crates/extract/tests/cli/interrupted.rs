//! A run that was stopped goes on where it was, and nobody can tell afterwards.
#![cfg(unix)]

use super::{Room, TOOL, extract};
use std::{
    fs,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Two taps, whose shards are full after 1,171 and 2,341 rows.
const CALL: [&str; 10] =
    ["data", "-o", "x.features", "--tap", "pooled", "--tap", "layer3", "--shard-size", "1", "--no-progress"];

/// A room with `count` files: few pictures, but each with some bytes of its own after its end.
pub(super) fn room(count: usize) -> Room {
    let room = Room::new();
    room.pictures("some", 1, 20);
    let some: Vec<Vec<u8>> =
        (0..20).map(|n| fs::read(room.path(&format!("some/a/{n:03}.png"))).unwrap()).collect();
    for n in 0..count {
        let name = format!("data/{}/{n:05}.png", ["a", "b"][n % 2]);
        room.write(&name, [&some[n % 20][..], n.to_string().as_bytes()].concat());
    }
    room
}

/// Starts it, slowly.
pub(super) fn start(room: &Room, arguments: &[&str]) -> Child {
    Command::new(TOOL)
        .args(arguments)
        .args(["--threads", "1", "--device", "cpu"])
        .current_dir(room.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends a signal as soon as something is there, and waits for the end.
pub(super) fn stop_at(room: &Room, mut running: Child, name: &str, signal: &str) -> Output {
    let begun = Instant::now();
    while !room.path(name).exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no `{name}` in a minute");
        assert!(running.try_wait().unwrap().is_none(), "it was done before it could be stopped");
        thread::sleep(Duration::from_millis(1));
    }
    let kill = format!("kill -{signal} {}", running.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    running.wait_with_output().unwrap()
}

/// How many images were done when it was interrupted.
pub(super) fn interrupted(output: &Output) -> usize {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    let counts = told
        .strip_prefix("extract: interrupted after ")
        .and_then(|rest| rest.strip_suffix(" images; run the same command again to go on\n"));
    let (done, _) = counts.and_then(|counts| counts.split_once(" of ")).expect(&told);
    done.replace(',', "").parse().expect(&told)
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let room = room(4000);
    let first = stop_at(&room, start(&room, &CALL), ".x.pooled.features.partial/shard-00000.rkyv", "INT");
    let done = interrupted(&first);
    assert!((1171..4000).contains(&done), "{done}");
    assert_eq!(room.names(), [".x.layer3.features.partial", ".x.pooled.features.partial", "data", "some"]);

    // The next one is killed, when it has got further. Meanwhile one file was changed, and one has gone.
    room.write("data/a/00100.png", fs::read(room.path("some/a/003.png")).unwrap());
    fs::remove_file(room.path("data/b/00001.png")).unwrap();
    let second = stop_at(&room, start(&room, &CALL), ".x.pooled.features.partial/shard-00001.rkyv", "KILL");
    assert_eq!(second.status.code(), None);

    let third = extract(&room, &CALL).fine().stderr();
    assert_eq!(room.names(), ["data", "some", "x.layer3.features", "x.pooled.features"]);
    let told = |tap: &str, width: usize| {
        let line = third.lines().find(|line| line.ends_with(&format!(" → x.{tap}.features"))).expect(&third);
        let begin = format!("extract: 3,999 rows of {width} features (");
        let reused = line.strip_prefix(&begin).and_then(|rest| rest.split_once(" reused), 0 skipped"));
        reused.expect(line).0.replace(',', "").parse::<usize>().unwrap()
    };
    let reused = told("pooled", 224);
    assert_eq!(reused, told("layer3", 112));
    assert!(reused >= done - 2, "{reused} of {done}");

    let mut undisturbed = CALL;
    undisturbed[2] = "y.features";
    assert!(!extract(&room, &undisturbed).fine().stderr().contains("reused"));
    for tap in ["pooled", "layer3"] {
        let [x, y] = ["x", "y"].map(|name| room.bytes(&format!("{name}.{tap}.features")));
        assert!(x == y, "{tap}: other bytes");
    }
}

#[test]
fn nothing_is_reused_that_would_be_other_bits() {
    // Rows of other numbers, and then rows that look alike but would have other values.
    for other in [["--dtype", "f16"], ["--filter", "bicubic"]] {
        let room = room(1600);
        let call = ["data", "-o", "x.features", "--shard-size", "1"];
        let first = stop_at(&room, start(&room, &call), ".x.features.partial/shard-00000.rkyv", "TERM");
        assert!((1171..1600).contains(&interrupted(&first)));
        let run = extract(&room, &[&call[..], &other].concat()).fine();
        assert!(!run.stderr().contains("reused"), "{other:?}: {}", run.stderr());
        assert_eq!(room.names(), ["data", "some", "x.features"]);
    }
}

#[test]
fn what_stops_headstart_stops_extract() {
    let room = room(4000);
    let mut call = vec!["extract"];
    call.extend(CALL);
    let wrapped = Command::new(harness::program("headstart"))
        .args(call)
        .args(["--threads", "1", "--device", "cpu"])
        .current_dir(room.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first = stop_at(&room, wrapped, ".x.pooled.features.partial/shard-00000.rkyv", "TERM");
    // Nobody is left who writes.
    assert!(interrupted(&first) < 4000);
    assert!(extract(&room, &[&CALL[..], &["--part", "1/400"]].concat()).code() == 0);
}
