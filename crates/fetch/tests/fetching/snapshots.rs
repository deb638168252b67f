//! Models in the hub's cache, file by file as Python's library leaves them.

use crate::{
    fetch, fetch_with,
    model::{COMMIT, Model, sha256},
    server::{Reply, Server},
};
use harness::{Room, SmallDisk};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

const SNAPSHOT: &str = "hub/models--org--net/snapshots/0123456789abcdef0123456789abcdef01234567";

/// Names below the snapshot, and what they lead to.
fn links(room: &Room) -> BTreeMap<String, String> {
    let root = room.path(SNAPSHOT);
    let link = |path: &Path| {
        (
            path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
            fs::read_link(path).unwrap().to_str().unwrap().to_owned(),
        )
    };
    let (mut found, mut left) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(path) = left.pop() {
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.extend([link(&path)]);
        }
    }
    found
}

#[test]
fn a_model_is_laid_out_as_python_does() {
    let (room, model) = (Room::new(), Model::new(100_000));
    let server = model.clone().serve();
    let run = fetch(&room, &server, &["hf://org/net"]).fine();
    assert_eq!(run.stdout(), format!("{}\n", room.path(SNAPSHOT).display()));
    assert_eq!(run.stderr(), "fetch: hf://org/net at 0123456789ab: 2 files, 100,003 bytes downloaded\n");
    let (config, weights) = (model.blob("config.json"), model.blob("model.safetensors"));
    let up = |blob: &str| blob.replace("hub/models--org--net", "../..");
    let expected = [("config.json", up(&config)), ("model.safetensors", up(&weights))];
    assert_eq!(links(&room), expected.map(|(name, link)| (name.to_owned(), link)).into());
    for (name, blob) in [("config.json", &config), ("model.safetensors", &weights)] {
        assert_eq!(fs::read(room.path(SNAPSHOT).join(name)).unwrap(), model.files[name]);
        assert_eq!(fs::read(room.path(blob)).unwrap(), model.files[name]);
    }
    assert_eq!(fs::read_to_string(room.path("hub/models--org--net/refs/main")).unwrap(), COMMIT);
    assert_eq!(fs::read_dir(room.path("hub/models--org--net/blobs")).unwrap().count(), 2);

    let before = room.bytes("hub/models--org--net");
    let asked = server.log().len();
    let again = fetch(&room, &server, &["hf://org/net"]).fine();
    assert_eq!(again.stdout(), run.stdout());
    assert!(again.stderr().contains("2 files, all there already"), "{}", again.stderr());
    assert_eq!(server.lines()[asked..], ["GET /api/models/org/net/revision/main?blobs=true"]);
    assert_eq!(room.bytes("hub/models--org--net"), before);
    assert_eq!(fetch(&room, &server, &["hf://org/net", "--quiet"]).fine().stderr(), "");
}

#[test]
fn folders_and_names_that_addresses_cannot_hold() {
    let (room, model) = (Room::new(), Model::of(&[("a b/c/ü%.bin", b"1"), ("d.txt", b"2")]));
    let (files, room) = (model.files.clone(), room);
    let server = Server::start(move |ask, _| {
        let mut ask = ask.clone();
        ask.path = ask.path.replace("a%20b/c/%C3%BC%25.bin", "a b/c/ü%.bin");
        model.answer(&ask)
    });
    fetch(&room, &server, &["hf://org/net", "--include", "*.bin"]).fine();
    let link = format!("../../../../blobs/{}", sha256(&files["a b/c/ü%.bin"]));
    assert_eq!(links(&room), BTreeMap::from([("a b/c/ü%.bin".to_owned(), link)]));
    assert_eq!(fs::read(room.path(SNAPSHOT).join("a b/c/ü%.bin")).unwrap(), b"1");
    fetch(&room, &server, &["hf://org/net"]).failed(1, &["no weights", "`d.txt`", "--include"]);
    fetch(&room, &server, &["hf://org/net", "--include", "*.h5"]).failed(1, &["no file `*.h5`", "`d.txt`"]);
}

#[test]
fn revisions_are_kept_by_name() {
    let (room, server) = (Room::new(), Model::new(10).serve());
    for (revision, file) in [("v1", Some("refs/v1")), ("refs/pr/1", Some("refs/refs/pr/1")), (COMMIT, None)] {
        let run = fetch(&room, &server, &[&format!("hf://org/net@{revision}")]).fine();
        assert_eq!(run.stdout(), format!("{}\n", room.path(SNAPSHOT).display()));
        if let Some(file) = file {
            let kept = room.path("hub/models--org--net").join(file);
            assert_eq!(fs::read_to_string(kept).unwrap(), COMMIT);
        }
    }
    let refs = room.bytes("hub/models--org--net/refs");
    assert_eq!(refs.len(), 2, "{refs:?}");
    let unknown = fetch(&room, &server, &["hf://org/net@v2"]);
    unknown.failed(1, &["`org/net` with revision `v2`"]);
}

#[test]
fn shards_are_found_by_their_index() {
    let index =
        br#"{"metadata": {"total_size": 2}, "weight_map": {"a": "x-2.safetensors", "b": "x-1.safetensors"}}"#;
    let model = Model::of(&[
        ("model.safetensors.index.json", index),
        ("x-1.safetensors", b"1"),
        ("x-2.safetensors", b"22"),
        ("x-3.safetensors", b"333"),
        ("pytorch_model.bin", b"4444"),
    ]);
    let (room, server) = (Room::new(), model.serve());
    let run = fetch(&room, &server, &["hf://org/net"]).fine();
    assert!(run.stderr().contains(": 3 files, "), "{}", run.stderr());
    let names: Vec<String> = links(&room).into_keys().collect();
    assert_eq!(names, ["model.safetensors.index.json", "x-1.safetensors", "x-2.safetensors"]);
}

#[test]
fn the_token_is_for_the_hub_alone() {
    let (room, mut model) = (Room::new(), Model::new(5000));
    let weights = model.files["model.safetensors"].clone();
    let cdn = Server::start(move |ask, _| Reply::file(ask, &weights));
    model.cdn = Some(cdn.address());
    let moved = model.clone();
    let server = Server::start(move |ask, _| match ask.path.strip_prefix("/old/org/net/") {
        Some(rest) => Reply::new(307).header("Location", &format!("/org/net/{rest}")),
        // Renamed models send elsewhere, on the same server.
        None if ask.path.starts_with("/org/net/")
            && ask.path.ends_with("config.json")
            && !ask.path.contains("moved") =>
        {
            Reply::new(307).header("Location", "/moved/config.json")
        }
        None if ask.path == "/moved/config.json" => {
            let mut asked = ask.clone();
            asked.path = format!("/org/net/resolve/{COMMIT}/config.json");
            moved.answer(&asked)
        }
        None => moved.answer(ask),
    });
    room.write("token", "hf_file\n");
    fetch(&room, &server, &["hf://org/net"]).fine();
    let told = |asks: &[crate::server::Ask]| -> Vec<Option<String>> {
        asks.iter().map(|ask| ask.headers.get("authorization").cloned()).collect()
    };
    let (hub, away) = (told(&server.log()), told(&cdn.log()));
    assert!(hub.len() > 4 && hub.iter().all(|told| told.as_deref() == Some("Bearer hf_file")), "{hub:?}");
    assert_eq!(away, [None]);
    assert!(server.lines().contains(&"GET /moved/config.json".to_owned()));

    let other = Room::new();
    other.write("token", "hf_file\n");
    let asked = server.log().len();
    fetch_with(&other, &server, &["hf://org/net"], &[("HF_TOKEN", "hf_variable")]).fine();
    assert!(told(&server.log()[asked..]).iter().all(|told| told.as_deref() == Some("Bearer hf_variable")));
    assert_eq!(told(&cdn.log()), [None, None]);
}

#[test]
fn mirrors_may_state_no_digest() {
    let (room, model) = (Room::new(), Model::new(1000));
    let server = Server::start(move |ask, _| match ask.path.ends_with("config.json") {
        true => Reply::file(ask, b"{}\n").header("ETag", "\"v1-of.it\""),
        false => model.answer(ask),
    });
    let run = fetch(&room, &server, &["hf://org/net"]).fine();
    let told = "fetch: hf://org/net states no digest of `config.json`, so none is checked\n";
    assert!(run.stderr().starts_with(told), "{}", run.stderr());
    assert_eq!(links(&room)["config.json"], "../../blobs/v1-of.it");
}

#[test]
fn a_full_disk_is_one_line_and_loses_nothing() {
    let (room, server) = (Room::new(), Model::new(500_000).serve());
    let Some(disk) = SmallDisk::mount(&room, 300_000) else { return };
    let cache = room.path("disk/hub");
    let cache = ("HF_HUB_CACHE", cache.to_str().unwrap());
    fetch_with(&room, &server, &["hf://org/net"], &[cache]).failed(1, &["cannot write", "No space left"]);
    assert!(!room.path("disk/hub/models--org--net/refs").exists());
    fs::remove_file(room.path("disk/filling")).unwrap();
    fetch_with(&room, &server, &["hf://org/net"], &[cache]).fine();
    let ranges: Vec<_> = server.lines().into_iter().filter(|line| line.contains("bytes=")).collect();
    assert_eq!(ranges.len(), 1, "{ranges:?}");
    drop(disk);
}

#[test]
fn a_cache_that_cannot_be_written_serves_what_it_has() {
    let (room, server) = (Room::new(), Model::new(1000).serve());
    let run = fetch(&room, &server, &["hf://org/net"]).fine();
    let lock = |mode: u32| {
        let folders = [
            "hub",
            "hub/models--org--net",
            "hub/models--org--net/refs",
            "hub/models--org--net/blobs",
            SNAPSHOT,
        ];
        for folder in folders {
            fs::set_permissions(room.path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    lock(0o555);
    let again = fetch(&room, &server, &["hf://org/net"]);
    lock(0o755);
    assert_eq!(again.fine().stdout(), run.stdout());
}

#[test]
fn a_branch_moves_on_once_its_files_are_there() {
    let (room, model) = (Room::new(), Model::new(10));
    let next = COMMIT.replace("01", "ff");
    let server = Server::start(move |ask, nth| {
        let mut ask = ask.clone();
        match (ask.path.contains("/revision/"), nth) {
            (true, 0) => return model.list(true),
            (true, 1) => {
                return Reply::new(200).body(format!(
                    r#"{{"sha": "{next}", "siblings": [{{"rfilename": "model.safetensors"}}]}}"#
                ));
            }
            _ => {}
        }
        if ask.path.contains(&next) {
            return Reply::new(403);
        }
        ask.path = ask.path.replace(&next, COMMIT);
        model.answer(&ask)
    });
    fetch(&room, &server, &["hf://org/net"]).fine();
    fetch(&room, &server, &["hf://org/net"]).failed(1, &["private or gated"]);
    assert_eq!(fs::read_to_string(room.path("hub/models--org--net/refs/main")).unwrap(), COMMIT);
    // What was there before is still there, without the hub.
    fetch(&room, &server, &["hf://org/net", "--offline"]).fine();
}
