//! Several runs at once.

use crate::{
    command, fetch,
    model::{Model, noise},
    server::{Reply, Server},
};
use harness::Room;
use std::{
    fs::{self, File},
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

const SIZE: usize = 200_000;

/// Several runs of the same sources, of which each waits for another's files.
fn together(room: &Room, server: &Server, arguments: &[&str], n: usize) -> Vec<Output> {
    let runs: Vec<_> = (0..n)
        .map(|_| {
            let mut command = command(room, server, crate::TOOL, arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    runs.into_iter().map(|run| run.wait_with_output().unwrap()).collect()
}

#[test]
fn a_file_is_downloaded_by_one_of_them() {
    let (room, model) = (Room::new(), Model::new(SIZE));
    let served = model.clone();
    let server = Server::start(move |ask, _| served.answer(ask).slowly(5000));
    let runs = together(&room, &server, &["hf://org/net"], 3);
    for run in &runs {
        assert!(run.status.success(), "{run:?}");
        assert_eq!(run.stdout, runs[0].stdout);
    }
    let waited = |run: &Output| {
        String::from_utf8_lossy(&run.stderr).contains("waiting for another run that downloads")
    };
    assert!(runs.iter().any(waited), "{runs:?}");
    assert_eq!(server.gets(), 2, "{:?}", server.lines());
    assert_eq!(fs::read(room.path(&model.blob("model.safetensors"))).unwrap(), noise(SIZE));
}

#[test]
fn files_by_digest_too() {
    let (room, server) = (Room::new(), Server::start(|ask, _| Reply::file(ask, &noise(SIZE)).slowly(5000)));
    let source = format!("{}/f.bin#sha256={}", server.address(), crate::model::sha256(&noise(SIZE)));
    let runs = together(&room, &server, &[&source], 3);
    assert!(runs.iter().all(|run| run.status.success() && run.stdout == runs[0].stdout), "{runs:?}");
    assert_eq!(server.gets(), 1);
    let kept = room.bytes("headstart");
    assert_eq!(kept.into_values().collect::<Vec<_>>(), [noise(SIZE)]);
}

/// Python's library holds this lock while it downloads.
#[test]
fn somebody_elses_lock_is_waited_for() {
    let (room, model) = (Room::new(), Model::new(10));
    let server = model.clone().serve();
    let digest = model.blob("config.json").rsplit('/').next().unwrap().to_owned();
    let lock = File::create(room.write(&format!("hub/.locks/models--org--net/{digest}.lock"), "")).unwrap();
    lock.lock().unwrap();
    let mut command = command(&room, &server, crate::TOOL, &["hf://org/net"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !server.lines().iter().any(|line| line.starts_with("HEAD ")) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    assert!(running.try_wait().unwrap().is_none());
    assert_eq!(server.gets(), 0);
    // The other one has put the file there.
    room.write(&model.blob("config.json"), "{}\n");
    lock.unlock().unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        server
            .lines()
            .iter()
            .filter(|line| line.starts_with("GET ") && line.ends_with("config.json"))
            .count(),
        0
    );
    fetch(&room, &server, &["hf://org/net", "--offline"]).fine();
}
