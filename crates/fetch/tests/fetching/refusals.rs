//! Servers that refuse, lie or fail: one line each, and nothing wrong in the cache.

use crate::{
    fetch, fetch_with,
    model::{COMMIT, Model, noise},
    server::{Reply, Server},
};
use harness::Room;
use std::fs;

/// A hub whose first answer to `path` is this, and everything else as it should be.
fn hub(model: Model, method: &'static str, path: &'static str, reply: Reply) -> Server {
    Server::start(move |ask, _| {
        if ask.method == method && ask.path.contains(path) { reply.clone() } else { model.answer(ask) }
    })
}

/// No snapshot, no branch, no blob.
fn assert_nothing(room: &Room) {
    for (path, _) in room.bytes("") {
        let path = path.to_str().unwrap();
        assert!(path.starts_with("hub/.locks/"), "{path}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    for (method, path, reply, token, parts) in [
        ("GET", "/api/", Reply::new(401), "", &["private or gated", "(401)", "/org/net", "set HF_TOKEN"][..]),
        ("GET", "/api/", Reply::new(403), "hf_x", &["closed to your token (403)", "check HF_TOKEN"]),
        ("HEAD", "config.json", Reply::new(401), "", &["accept its licence at http://127.0.0.1:"]),
        (
            "HEAD",
            "config.json",
            Reply::new(403).header("X-Error-Code", "GatedRepo"),
            "hf_x",
            &["accept its licence"],
        ),
        ("GET", "config.json", Reply::new(403), "", &["private or gated"]),
        ("GET", "/api/", Reply::new(404), "", &["has no model `org/net`"]),
        (
            "GET",
            "/api/",
            Reply::new(404).header("X-Error-Code", "RepoNotFound"),
            "",
            &["has no model `org/net`"],
        ),
        ("HEAD", "model.safetensors", Reply::new(404), "", &["hf://org/net has no file `model.safetensors`"]),
        ("GET", "/api/", Reply::new(418), "", &["/api/models/org/net/revision/main", "418"]),
        (
            "GET",
            "/api/",
            Reply::new(200).body("<html>Log in to our hotel</html>"),
            "",
            &["does not answer as the hub does"],
        ),
        ("GET", "/api/", Reply::new(200).body("{}"), "", &["it names no commit"]),
        ("GET", "/api/", Reply::new(200).body(format!(r#"{{"sha": "{COMMIT}"}}"#)), "", &["lists no files"]),
        (
            "GET",
            "/api/",
            Reply::new(200).body(r#"{"sha": "../../../etc", "siblings": []}"#),
            "",
            &["names no commit"],
        ),
        ("HEAD", "config.json", Reply::new(200).body("{}\n"), "", &["gives a file no digest"]),
        (
            "HEAD",
            "config.json",
            Reply::new(200).header("ETag", "\"../../x\""),
            "",
            &["gives a file no digest"],
        ),
        ("HEAD", "config.json", Reply::new(200).header("ETag", "\"\""), "", &["gives a file no digest"]),
        (
            "HEAD",
            "config.json",
            Reply::new(200).header("ETag", "\"a\"").header("X-Repo-Commit", "b"),
            "",
            &["another commit"],
        ),
        ("GET", "/api/", Reply::new(302).header("Location", "/api/"), "", &["more than ten in a row"]),
        (
            "GET",
            "config.json",
            Reply::new(302).header("Location", "file:///etc/passwd"),
            "",
            &["is not followed"],
        ),
        ("HEAD", "config.json", Reply::new(302).header("Location", "http://a b/"), "", &["is not followed"]),
        ("GET", "/api/", Reply::new(429).header("Retry-After", "301"), "", &["(429)", "asks to wait 301 s"]),
    ] {
        let (room, server) = (Room::new(), hub(Model::new(10), method, path, reply));
        fetch_with(&room, &server, &["hf://org/net"], &[("HF_TOKEN", token)]).failed(1, parts);
        assert!(!room.path("hub/models--org--net/refs").exists(), "{parts:?}");
        assert!(
            !room.path("hub/models--org--net/snapshots").exists() || path == "model.safetensors",
            "{parts:?}"
        );
    }
}

#[test]
fn wrong_bytes_are_refused_and_removed() {
    let right = Model::new(10);
    let (digest, large) = ("has the wrong digest: expected ", "has more than its ");
    for (file, bytes, parts) in [
        ("config.json", b"{ \n".to_vec(), &[digest, "run it again"][..]),
        ("model.safetensors", noise(11)[1..].to_vec(), &[digest, "it was removed"]),
        ("config.json", b"{}\n ".to_vec(), &[large]),
        ("model.safetensors", noise(1000), &["has more than its 10 bytes"]),
    ] {
        let room = Room::new();
        let (wrong, model) = (Reply::new(200).body(&bytes), right.clone());
        let server = Server::start(move |ask, nth| {
            let spoilt = ask.method == "GET" && ask.path.ends_with(file) && nth == 0;
            if spoilt { wrong.clone() } else { model.answer(ask) }
        });
        fetch(&room, &server, &["hf://org/net"]).failed(1, &[&[file][..], parts].concat());
        let blob = room.path(&right.blob(file));
        assert!(!blob.exists() && !blob.with_extension("incomplete").exists());
        assert!(!room.path("hub/models--org--net/refs").exists());
        // The server has come to its senses.
        fetch(&room, &server, &["hf://org/net"]).fine();
        assert_eq!(fs::read(blob).unwrap(), right.files[file]);
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../x",
        "/etc/x",
        "",
        "a/../../x",
        "..\\x",
        "C:\\x",
        "a\\b",
        "a\nb",
        "a\u{1b}[2Jb",
        "a\0b",
        "./a",
        "a//b",
        "..",
    ] {
        let room = Room::new();
        let mut model = Model::new(10);
        model.files.insert(name.to_owned(), b"1".to_vec());
        let server = model.serve();
        for include in [&[][..], &["--include", "*"]] {
            let run = fetch(&room, &server, &[&["hf://org/net"], include].concat());
            run.failed(1, &["which is no name of a file", "nothing was downloaded"]);
        }
        assert_eq!(server.gets(), 0);
        assert_nothing(&room);
    }
}

#[test]
fn a_file_that_is_another_ones_folder_is_one_line() {
    let (room, server) = (Room::new(), Model::of(&[("a", b"1"), ("a/b", b"2")]).serve());
    fetch(&room, &server, &["hf://org/net", "--include", "*"]).failed(1, &["cannot write"]);
}

#[test]
fn a_server_that_fails_is_asked_again_but_not_for_ever() {
    let (room, server) = (Room::new(), hub(Model::new(10), "GET", "config.json", Reply::new(503)));
    fetch(&room, &server, &["hf://org/net", "--quiet"]).failed(1, &["cannot serve now (503)"]);
    assert_eq!(server.gets(), 6);
}

#[test]
fn nobody_is_there() {
    let room = Room::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Model::new(10).serve();
    let endpoint = format!("http://{gone}");
    let run = fetch_with(&room, &server, &["hf://org/net"], &[("HF_ENDPOINT", &endpoint)]);
    run.failed(1, &["cannot reach 127.0.0.1:", "check the network"]);
    let run =
        fetch_with(&room, &server, &["hf://org/net"], &[("HF_ENDPOINT", "http://no.such.host.invalid")]);
    run.failed(1, &["cannot reach no.such.host.invalid"]);

    // A hub that is away is no reason to stop, where all is here.
    fetch(&room, &server, &["hf://org/net"]).fine();
    let run = fetch_with(&room, &server, &["hf://org/net"], &[("HF_ENDPOINT", &endpoint)]).fine();
    assert!(
        run.stderr().contains("cannot reach") && run.stderr().contains("is taken from the cache"),
        "{}",
        run.stderr()
    );
    assert!(run.stdout().ends_with(&format!("{COMMIT}\n")));
}
