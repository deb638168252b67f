//! Help, and calls that name nothing.

use crate::{fetch, fetch_with, model::Model};
use harness::Room;

#[test]
fn help_names_every_source() {
    let (room, server) = (Room::new(), Model::new(10).serve());
    let help = fetch(&room, &server, &["--help"]).fine().stdout();
    for part in ["hf://", "torchvision://", "https://", "HF_HOME", "TORCH_HOME", "--offline", "Exit codes"] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn what_names_nothing_is_wrong_usage() {
    let (room, server) = (Room::new(), Model::new(10).serve());
    for (arguments, parts) in [
        (&["org/net"][..], &["`org/net`", "hf://ORG/NAME"][..]),
        (&["hf://org/net/config.json"], &["--include"]),
        (&["hf://org/../net"], &["hf://ORG/NAME"]),
        (&["hf://org/net@../x"], &["revision"]),
        (&["torchvision://resnet5"], &["did you mean `resnet50`?"]),
        (&["https://host/f#md5=1"], &["sha256="]),
        (&["http://host/f"], &["needs #sha256=HEX"]),
        (&["https://host/f", "--include", "*"], &["--include goes with hf://"]),
        (&["hf://org/net", "--include", "a["], &["--include `a[`"]),
        (&[], &["SOURCE"]),
        // A first one that is right is not begun.
        (&["hf://org/net", "hf://"], &["hf://ORG/NAME"]),
    ] {
        fetch(&room, &server, arguments).failed(2, parts);
    }
    fetch_with(&room, &server, &["hf://org/net"], &[("HF_TOKEN", "a\nb")])
        .failed(2, &["HF_TOKEN holds no token"]);
    fetch_with(&room, &server, &["hf://org/net"], &[("HF_ENDPOINT", "hub.co")])
        .failed(2, &["HF_ENDPOINT is `hub.co`"]);
    assert_eq!((server.log().len(), room.names().len()), (0, 0));
}
