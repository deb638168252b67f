//! Files anywhere, and torchvision's.

use crate::{
    fetch, fetch_with,
    model::{noise, sha256},
    server::{Reply, Server},
};
use harness::Room;
use std::fs;

const SIZE: usize = 50_000;

#[test]
fn a_file_with_a_digest_is_downloaded_once() {
    let (room, server) = (
        Room::new(),
        Server::start(|ask, nth| match (ask.path.as_str(), nth) {
            ("/latest?x=1", _) => Reply::new(302).header("Location", "files/net.pth"),
            ("/files/net.pth", 0) => Reply::file(ask, &noise(SIZE)).cut(100),
            ("/files/net.pth", _) => Reply::file(ask, &noise(SIZE)),
            _ => Reply::new(404),
        }),
    );
    let (base, digest) = (server.address(), sha256(&noise(SIZE)));
    let source = format!("{base}/files/net.pth#sha256={}", digest.to_uppercase());
    let run = fetch(&room, &server, &[&source]).fine();
    let path = room.path("headstart/sha256").join(format!("{digest}.pth"));
    assert_eq!((run.stdout(), run.stderr()), (format!("{}\n", path.display()), String::new()));
    assert_eq!(fs::read(&path).unwrap(), noise(SIZE));
    assert_eq!(server.lines(), ["GET /files/net.pth", "GET /files/net.pth bytes=100-"]);
    for more in [&[][..], &["--offline"]] {
        assert_eq!(fetch(&room, &server, &[&[source.as_str()], more].concat()).fine().stdout(), run.stdout());
    }
    assert_eq!(server.log().len(), 2);
    // No token goes where the hub is not, and the hub is elsewhere here.
    let (elsewhere, redirected) =
        (("HF_ENDPOINT", "http://127.0.0.1:1"), format!("{base}/latest?x=1#sha256={digest}"));
    fetch_with(&room, &server, &[&redirected], &[elsewhere, ("HF_TOKEN", "hf_x")]).fine();
    assert!(server.log().iter().all(|ask| !ask.headers.contains_key("authorization")));

    let wrong = format!("{base}/files/net.pth#sha256={}", "0".repeat(64));
    fetch(&room, &server, &[&wrong])
        .failed(1, &["`net.pth` has the wrong digest", &digest, "it was removed"]);
    let missing = format!("{base}/no?Signature=secret#sha256={digest}");
    let run = fetch(&room, &server, &[&missing.replace(&digest, &"1".repeat(64))]);
    run.failed(1, &["/no cannot be downloaded: the server answers 404"]);
    assert!(!run.stderr().contains("secret"));
    // By both names of the digest, and nothing of what failed.
    assert_eq!(room.bytes("headstart").into_values().collect::<Vec<_>>(), [noise(SIZE), noise(SIZE)]);
}

#[test]
fn a_file_without_a_digest_is_told_its_digest() {
    let (room, server) = (
        Room::new(),
        Server::start(|ask, nth| match nth {
            0 => Reply::file(ask, &noise(SIZE)).header("ETag", "\"v1\"").cut(1000),
            // It has changed: so it comes from the beginning.
            1 => Reply::new(200).body(noise(SIZE + 1)).header("ETag", "\"v2\""),
            _ => Reply::new(200).body(noise(SIZE)),
        }),
    );
    let source = format!("{}/net.pth", server.address());
    let run = fetch(&room, &server, &[&source]).fine();
    let digest = sha256(&noise(SIZE + 1));
    assert!(run.stderr().contains(&format!("write #sha256={digest} behind it")), "{}", run.stderr());
    assert!(run.stdout().ends_with(&format!("/headstart/sha256/{digest}.pth\n")));
    let ask = &server.log()[1];
    assert_eq!((ask.headers["range"].as_str(), ask.headers["if-range"].as_str()), ("bytes=1000-", "\"v1\""));
    // Again, since it may have changed; and the digest makes it one that is there.
    let asked = server.log().len();
    fetch(&room, &server, &[&format!("{source}#sha256={digest}")]).fine();
    assert_eq!(server.log().len(), asked);
    let run = fetch(&room, &server, &[&source]).fine();
    assert!(run.stdout().contains(&sha256(&noise(SIZE))));
}

#[test]
fn torchvisions_files_lie_where_torch_looks() {
    // Digits that these bytes have in common with a file of torchvision's, found by trying.
    let bytes = "headstart 8879608";
    let (network, file) = ("regnet_x_1_6gf@IMAGENET1K_V2", "regnet_x_1_6gf-a12f2b72.pth");
    let (room, server) = (Room::new(), Server::start(move |ask, _| Reply::file(ask, bytes.as_bytes())));
    let source = format!("torchvision://{network}");
    let run = fetch(&room, &server, &[&source]).fine();
    let path = room.path("torch/hub/checkpoints").join(file);
    assert_eq!(run.stdout(), format!("{}\n", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
    assert_eq!(server.lines(), [format!("GET /models/{file}")]);
    for more in [&[][..], &["--offline"]] {
        assert_eq!(fetch(&room, &server, &[&[source.as_str()], more].concat()).fine().stdout(), run.stdout());
    }
    assert_eq!(server.log().len(), 1);

    fetch(&room, &server, &["torchvision://resnet50"])
        .failed(1, &["`resnet50-0676ba61.pth` has the wrong digest: expected 0676ba61"]);
    let second = fetch(&room, &server, &["torchvision://resnet50@IMAGENET1K_V2"]);
    second.failed(1, &["expected 11ad3fa6"]);
    assert_eq!(room.bytes("torch").len(), 1);

    let home = room.path("elsewhere");
    fs::create_dir_all(home.join("hub/checkpoints")).unwrap();
    fs::copy(&path, home.join("hub/checkpoints/vgg16-397923af.pth")).unwrap();
    let run = fetch_with(&room, &server, &["torchvision://vgg16"], &[("TORCH_HOME", home.to_str().unwrap())])
        .fine();
    assert_eq!(run.stdout(), format!("{}\n", home.join("hub/checkpoints/vgg16-397923af.pth").display()));
}
