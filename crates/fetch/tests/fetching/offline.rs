//! `--offline` and `HF_HUB_OFFLINE` open no connection.

use crate::{
    command, fetch, fetch_with,
    model::{COMMIT, Model},
    server::Server,
};
use harness::Room;
use std::{fs, path::Path, process::Command};

/// A room with a model in its cache, and a server that has been asked for it.
fn filled() -> (Room, Server) {
    let (room, server) = (Room::new(), Model::new(1000).serve());
    fetch(&room, &server, &["hf://org/net"]).fine();
    (room, server)
}

#[test]
fn what_is_there_is_found_without_a_connection() {
    let (room, server) = filled();
    let asked = server.log().len();
    let expected = format!("{}\n", room.path("hub/models--org--net/snapshots").join(COMMIT).display());
    for source in ["hf://org/net".to_owned(), format!("hf://org/net@{COMMIT}")] {
        assert_eq!(fetch(&room, &server, &[&source, "--offline"]).fine().stdout(), expected);
        for (name, value) in
            [("HF_HUB_OFFLINE", "1"), ("HF_HUB_OFFLINE", "true"), ("TRANSFORMERS_OFFLINE", "YES")]
        {
            assert_eq!(fetch_with(&room, &server, &[&source], &[(name, value)]).fine().stdout(), expected);
        }
    }
    assert_eq!(server.log().len(), asked);
    fetch_with(&room, &server, &["hf://org/net"], &[("HF_HUB_OFFLINE", "0")]).fine();
    assert_eq!(server.log().len(), asked + 1);
}

#[test]
fn what_is_not_there_is_one_line() {
    let (room, server) = filled();
    let asked = server.log().len();
    for (source, parts) in [
        (
            "hf://org/other",
            &["hf://org/other is not in the cache", "run `fetch hf://org/other` without --offline"][..],
        ),
        ("hf://org/net@v1", &["hf://org/net@v1 is not in the cache"]),
        ("torchvision://resnet18", &["torchvision://resnet18 is not in the cache", "resnet18-f37072fd.pth"]),
        ("https://host/f.pth", &["write #sha256=HEX behind it"]),
    ] {
        fetch(&room, &server, &[source, "--offline"]).failed(1, parts);
    }
    fetch(&room, &server, &["hf://org/net", "--offline", "--include", "*.onnx"])
        .failed(1, &["only a part", "`*.onnx`"]);
    // Half a model, and a branch that leads nowhere or to no commit.
    fs::remove_file(room.path(&Model::new(1000).blob("model.safetensors"))).unwrap();
    fetch(&room, &server, &["hf://org/net", "--offline"]).failed(1, &["only a part of it was downloaded"]);
    for text in ["", "main", "../../../../etc", &"f".repeat(40), &"0".repeat(100_000)] {
        room.write("hub/models--org--net/refs/main", text);
        fetch(&room, &server, &["hf://org/net", "--offline"]).failed(1, &["is not in the cache"]);
    }
    assert_eq!(server.log().len(), asked);
}

#[test]
fn a_model_in_shards_is_whole_or_is_not_taken() {
    let index = br#"{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}"#;
    let files =
        [("model.safetensors.index.json", &index[..]), ("1.safetensors", b"1"), ("2.safetensors", b"2")];
    let (room, model) = (Room::new(), Model::of(&files));
    let server = model.clone().serve();
    fetch(&room, &server, &["hf://org/net"]).fine();
    fetch(&room, &server, &["hf://org/net", "--offline"]).fine();
    fs::remove_file(room.path(&model.blob("2.safetensors"))).unwrap();
    fetch(&room, &server, &["hf://org/net", "--offline"])
        .failed(1, &["only a part", "no file `2.safetensors`"]);
}

/// What the system says of it, where strace can ask it.
#[test]
fn no_socket_is_opened() {
    let (room, server) = filled();
    let trace = room.path("trace");
    let strace = ["-f", "-e", "trace=network", "-o", trace.to_str().unwrap(), "--"];
    let run = |arguments: &[&str]| {
        let all = [&strace[..], &[crate::TOOL, "hf://org/net"], arguments].concat();
        let output = command(&room, &server, "strace", &all).output().ok()?;
        output.status.success().then(|| fs::read_to_string(&trace).unwrap())
    };
    let Some(online) = run(&[]) else {
        eprintln!("skipped: no strace here, or none that may trace");
        return;
    };
    // That it would have been seen.
    assert!(online.contains("socket(") && online.contains("connect("), "{online}");
    let offline = run(&["--offline"]).unwrap();
    // Signals come through a pair of connected ends, which lead nowhere.
    let opened: Vec<&str> = offline.lines().filter(|line| line.contains("socket(")).collect();
    assert!(opened.is_empty() && !offline.contains("connect("), "{offline}");
}

/// A namespace without a network, where the system gives one.
#[test]
fn no_network_is_needed() {
    let (room, server) = filled();
    let without = |program: &Path, arguments: &[&str]| {
        let all = [&["-rn", program.to_str().unwrap()], arguments].concat();
        command(&room, &server, "unshare", &all).output().ok()
    };
    let allowed = Command::new("unshare").args(["-rn", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no namespaces here");
        return;
    }
    let tool = Path::new(crate::TOOL);
    let offline = without(tool, &["hf://org/net", "--offline"]).unwrap();
    assert!(offline.status.success(), "{offline:?}");
    // The server is out of reach there.
    let fresh = without(tool, &["hf://org/other"]).unwrap();
    assert_eq!(fresh.status.code(), Some(1), "{fresh:?}");
    assert!(String::from_utf8_lossy(&fresh.stderr).contains("127.0.0.1"), "{fresh:?}");
}
