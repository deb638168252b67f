//! Connections that end too early, and servers that are busy: the file comes, each byte of it once.

use crate::{
    command, fetch,
    model::{Model, noise},
    server::{Reply, Server},
};
use harness::Room;
use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

const SIZE: usize = 300_000;

fn weights() -> String {
    Model::new(SIZE).blob("model.safetensors")
}

/// Ranges that were asked for of the weights.
fn ranges(server: &Server) -> Vec<String> {
    let gets =
        server.log().into_iter().filter(|ask| ask.method == "GET" && ask.path.ends_with(".safetensors"));
    gets.map(|ask| ask.headers.get("range").cloned().unwrap_or_default()).collect()
}

fn assert_whole(room: &Room) {
    assert_eq!(fs::read(room.path(&weights())).unwrap(), noise(SIZE));
    assert!(!room.path(&format!("{}.incomplete", weights())).exists());
}

/// A hub that gives the weights by `answer`, of which it is told how often they were asked for.
fn hub(answer: impl Fn(&crate::server::Ask, usize) -> Reply + Send + Sync + 'static) -> Server {
    let model = Model::new(SIZE);
    Server::start(move |ask, nth| match ask.method == "GET" && ask.path.ends_with(".safetensors") {
        true => answer(ask, nth),
        false => model.answer(ask),
    })
}

#[test]
fn a_connection_that_breaks_off_is_resumed() {
    let (room, server) = (
        Room::new(),
        hub(|ask, nth| {
            let reply = Reply::file(ask, &noise(SIZE));
            if nth < 3 { reply.cut(70_000) } else { reply }
        }),
    );
    let run = fetch(&room, &server, &["hf://org/net", "--verbose"]).fine();
    assert!(run.stderr().contains("broke off after 70000 bytes"), "{}", run.stderr());
    assert_eq!(ranges(&server), ["", "bytes=70000-", "bytes=140000-", "bytes=210000-"]);
    assert_whole(&room);
}

#[test]
fn one_that_always_breaks_off_is_given_up_and_goes_on_in_the_next_run() {
    let (room, server) = (
        Room::new(),
        hub(|ask, nth| match nth {
            0..=5 => Reply::file(ask, &noise(SIZE)).cut(10_000),
            _ => Reply::file(ask, &noise(SIZE)),
        }),
    );
    fetch(&room, &server, &["hf://org/net", "--quiet"])
        .failed(1, &["`model.safetensors` broke off after 60000 bytes", "run it again to go on"]);
    assert!(!room.path("hub/models--org--net/refs").exists());
    fetch(&room, &server, &["hf://org/net"]).fine();
    assert_eq!(ranges(&server).last().unwrap(), "bytes=60000-");
    assert_whole(&room);
}

#[test]
fn servers_that_know_no_ranges_are_asked_for_all() {
    for lie in [200, 206, 416] {
        let (room, server) = (
            Room::new(),
            hub(move |ask, nth| match (nth, lie) {
                (0, _) => Reply::file(ask, &noise(SIZE)).cut(1000),
                (1, 206) => Reply::new(206).header("Content-Range", "bytes 0-9/300000").body(noise(10)),
                (1, 416) => Reply::new(416),
                _ => Reply::new(200).body(noise(SIZE)),
            }),
        );
        fetch(&room, &server, &["hf://org/net"]).fine();
        let expected: &[&str] = if lie == 200 { &["", "bytes=1000-"] } else { &["", "bytes=1000-", ""] };
        assert_eq!(ranges(&server), expected);
        assert_whole(&room);
    }
}

#[test]
fn busy_servers_are_waited_for() {
    let model = Model::new(SIZE);
    let (room, server) = (
        Room::new(),
        Server::start(move |ask, nth| match (nth, ask.method.as_str()) {
            (0, _) if ask.path.starts_with("/api/") => Reply::new(429).header("Retry-After", "2"),
            (0, "HEAD") => Reply::new(500),
            (0 | 1, "GET") if ask.path.ends_with(".safetensors") => Reply::new(502),
            _ => model.answer(ask),
        }),
    );
    let begun = Instant::now();
    let run = fetch(&room, &server, &["hf://org/net"]).fine();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(run.stderr().contains("(429); it asks to wait 2 s; trying again in 2 s"), "{}", run.stderr());
    assert_whole(&room);
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with() {
    let (room, server) = (Room::new(), Model::new(SIZE).serve());
    room.write(&format!("{}.incomplete", weights()), &noise(SIZE)[..200_000]);
    fetch(&room, &server, &["hf://org/net"]).fine();
    assert_eq!(ranges(&server), ["bytes=200000-"]);
    assert_whole(&room);

    // All of it, or more than all.
    for (left, expected) in [(noise(SIZE), vec![]), (noise(SIZE + 1), vec![""])] {
        let (room, server) = (Room::new(), Model::new(SIZE).serve());
        room.write(&format!("{}.incomplete", weights()), left);
        fetch(&room, &server, &["hf://org/net"]).fine();
        assert_eq!(ranges(&server), expected);
        assert_whole(&room);
    }

    // Damage is found, and gone.
    let room = Room::new();
    room.write(&format!("{}.incomplete", weights()), [0; 1000]);
    fetch(&room, &server, &["hf://org/net"]).failed(1, &["wrong digest"]);
    fetch(&room, &server, &["hf://org/net"]).fine();
    assert_whole(&room);
}

#[test]
fn a_signal_ends_it_soon_and_the_next_run_goes_on() {
    let (room, server) = (
        Room::new(),
        hub(|ask, nth| {
            let reply = Reply::file(ask, &noise(SIZE));
            if nth == 0 { reply.slowly(1000) } else { reply }
        }),
    );
    let mut command = command(&room, &server, crate::TOOL, &["hf://org/net"]);
    let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let incomplete = room.path(&format!("{}.incomplete", weights()));
    let begun = Instant::now();
    while fs::metadata(&incomplete).map_or(0, |found| found.len()) < 20_000 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    let kill = format!("kill -INT {}", running.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let asked = Instant::now();
    let output = running.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_millis(1500), "{:?}", asked.elapsed());
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(130), "fetch: interrupted\n")
    );
    let left = fs::metadata(&incomplete).unwrap().len();
    fetch(&room, &server, &["hf://org/net"]).fine();
    assert_eq!(ranges(&server)[1..], [format!("bytes={left}-")]);
    assert_whole(&room);
}
