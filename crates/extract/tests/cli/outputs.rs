//! An output is there whole or not at all, and nothing is replaced unasked.

use super::{TOOL, extract, open, room};
use harness::SmallDisk;
use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[test]
fn what_exists_is_replaced_by_force_alone() {
    let room = room(3);
    extract(&room, &["data", "-o", "x.features"]).fine();
    let first = room.bytes("x.features");
    let again = ["data", "-o", "x.features", "--dtype", "f16"];
    extract(&room, &again).failed(1, &["`x.features` exists", "--force"]);
    assert_eq!(room.bytes("x.features"), first);
    extract(&room, &[&again[..], &["--force"]].concat()).fine();
    assert_ne!(room.bytes("x.features"), first);
    assert_eq!(open(&room, "x.features").len(), 6);
    assert_eq!(room.names(), ["data", "x.features"]);
}

#[test]
fn force_never_costs_anybody_their_own_files() {
    let room = room(3);
    room.write("mine.features/holiday.jpg", "mine");
    room.write("note.features", "mine");
    for (output, part) in [
        ("mine.features", "holds other things than this program writes"),
        ("note.features", "is a file, not a folder"),
    ] {
        let before = room.bytes(output);
        let run = extract(&room, &["data", "-o", output, "--force"]);
        run.failed(1, &[&format!("`{output}` exists"), part, "give another name"]);
        assert_eq!(room.bytes(output), before);
    }
    let run = extract(&room, &["data", "-o", "gone/x.features"]);
    run.failed(1, &["cannot write `gone/x.features`"]);
    assert_eq!(room.names(), ["data", "mine.features", "note.features"]);
}

#[test]
fn several_taps_come_all_or_none() {
    let room = room(2);
    room.write("x.pooled.features/index.json", "mine");
    let run = extract(&room, &["data", "-o", "x.features", "--tap", "layer1", "--tap", "pooled"]);
    run.failed(1, &["`x.pooled.features` exists"]);
    assert_eq!(room.names(), ["data", "x.pooled.features"]);
}

#[test]
fn a_full_disk() {
    for free in [0, 8192, 32_768] {
        let room = room(24);
        let Some(disk) = SmallDisk::mount(&room, free) else { return };
        let base = ["data", "-o", "disk/x.features"];
        extract(&room, &base).failed(1, &["cannot write `disk/x.features`: No space left on device"]);
        assert_eq!(disk.names(), [""; 0], "{free} bytes free");
        let run = extract(&room, &[&base[..], &["--tap", "layer1", "--tap", "pooled"]].concat());
        run.failed(1, &["cannot write `disk/x.", "No space left on device"]);
        assert_eq!(disk.names(), [""; 0], "{free} bytes free: one tap had room, and came alone");
    }
}

#[test]
fn a_run_that_was_killed_leaves_nothing_at_its_place() {
    let room = room(2);
    // Many names of one file: enough work for seconds.
    for n in 0..2000 {
        fs::hard_link(room.path("data/a/000.png"), room.path(&format!("data/a/x{n:04}.png"))).unwrap();
    }
    let mut running = Command::new(TOOL)
        .args(["data", "-o", "x.features", "--threads", "1"])
        .current_dir(room.path(""))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !room.path(".x.features.partial").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was begun");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(150));
    assert!(running.try_wait().unwrap().is_none(), "it was done before it could be killed");
    // SIGKILL: nothing of the program runs after it.
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(room.names(), [".x.features.partial", "data"]);

    for n in 0..2000 {
        fs::remove_file(room.path(&format!("data/a/x{n:04}.png"))).unwrap();
    }
    extract(&room, &["data", "-o", "x.features"]).fine();
    assert_eq!(open(&room, "x.features").len(), 4);
    assert_eq!(room.names(), ["data", "x.features"]);
}
