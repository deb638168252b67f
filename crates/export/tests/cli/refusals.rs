//! Models that are not written, and why.

use super::{Room, export, head, room};
use harness::{SmallDisk, network};
use head::{Head, HeadKind};
use std::fs;
use store::Digest;

const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/backbone/headstart_tiny.safetensors");

/// Neither an ONNX file nor a folder is written.
fn refused(room: &Room, flags: &[&str], code: i32, parts: &[&str]) {
    let before = room.names();
    for output in ["x.onnx", "model"] {
        export(room, &[&["x.head", "-o", output], flags].concat()).failed(code, parts);
        assert_eq!(room.names(), before);
    }
}

#[test]
fn neighbours_are_no_folder_yet() {
    let room = room(|other| *other = head(HeadKind::Knn));
    let told = ["`x.head` is a head of nearest neighbours", "give --to onnx or bundle, or fit another kind"];
    export(&room, &["x.head", "-o", "model"]).failed(1, &told);
    assert_eq!(room.names(), ["x.head"]);
}

#[test]
fn flags_that_do_not_go_together() {
    let room = room(|_| {});
    for (flags, told) in [
        (&["--images", "photos"][..], "--images goes with --with-preprocessing or --verify-with"),
        (&["--with-preprocessing", "--verify-samples", "5"], "--verify-samples goes with --images"),
        (
            &["--with-preprocessing", "--images", "photos", "--verify-samples", "0"],
            "--verify-samples takes 1 or more, got 0",
        ),
    ] {
        export(&room, &[&["x.head", "-o", "x.onnx"], flags].concat()).failed(2, &[told]);
    }
    for (flags, told) in [
        (&["--with-preprocessing"][..], "--with-preprocessing goes with --to onnx"),
        (&["--dtype", "f16"], "--dtype goes with --to onnx"),
        (&["-w", EMBEDDED, "-w", EMBEDDED], "a folder holds one backbone: give --weights once"),
    ] {
        export(&room, &[&["x.head", "-o", "model"], flags].concat()).failed(2, &[told]);
    }
    let given = ["x.head", "-o", "x.onnx", "--with-preprocessing", "--images", "photos"];
    export(&room, &given).failed(1, &["`photos`"]);
    room.write("photos/a.png", "no picture");
    export(&room, &given).failed(1, &["none of the 1 pictures of --images can be decoded"]);
    assert_eq!(room.names(), ["photos", "x.head"]);
}

#[test]
fn weights_that_no_source_was_computed_with() {
    let room = room(|_| {});
    let mut bytes = fs::read(EMBEDDED).unwrap();
    let end = bytes.len() - 4;
    bytes[end] ^= 1;
    room.write("other.safetensors", &bytes);
    room.write("another.safetensors", &bytes);
    let given = ["x.head", "-o", "x.onnx", "-w", "other.safetensors", "-w"];
    // Nobody needs them: what comes with Headstart fits.
    let told = ["`other.safetensors` is of none of the networks that computed these features; leave it out"];
    for more in ["another.safetensors", EMBEDDED] {
        export(&room, &[&given[..], &[more]].concat()).failed(2, &told);
    }
    let told = ["`other.safetensors` holds other weights than those that computed these features"];
    export(&room, &given[..5]).failed(1, &told);
}

#[test]
fn a_model_that_disagrees_with_the_cache() {
    let room = room(|head| head.probes[800] += 0.5);
    let parts =
        ["differ from the cache's by ", "of the largest; at most 1e-4 passes", "rerun extract and fit-head"];
    refused(&room, &[], 3, &parts);
    refused(&room, &["--tolerance", "0"], 3, &["at most 0e0 passes"]);
    export(&room, &["x.head", "-o", "x.onnx", "--tolerance", "0.9"]).fine();
}

#[test]
fn features_are_held_to_their_precision() {
    let largest =
        head(HeadKind::Linear).probes.iter().fold(0.0_f32, |largest, x| largest.max(x.abs())).max(1.0);
    let made_by = |engine: &str, error: f32| {
        let engine = engine.to_owned();
        room(move |head| {
            head.probes[800] += error * largest;
            network(&mut head.sources[0]).engine = engine;
            // Logits feel one feature as much as it is.
            head.layers[0].weight.iter_mut().for_each(|weight| *weight /= 64.0);
        })
    };
    for (engine, passes, fails, told) in [
        ("cuda-1-bf16-sm90", 2e-2, 7e-2, ["(made in bf16) by ", "at most 5e-2 passes"]),
        ("cpu-3-bf16", 2e-2, 7e-2, ["(made in bf16) by ", "or extract with --precision f32"]),
        ("cuda-9-tf32-sm120", 2e-3, 2e-2, ["(made in tf32) by ", "at most 1e-2 passes"]),
        ("cuda-1-f32-sm90", 5e-5, 2e-4, ["(made in f32) by ", "at most 1e-4 passes"]),
        ("cuda-1-f64-sm90", 5e-5, 2e-4, ["differ from the cache's by ", "at most 1e-4 passes"]),
    ] {
        export(&made_by(engine, passes), &["x.head", "-o", "x.onnx"]).fine();
        refused(&made_by(engine, fails), &[], 3, &told);
    }
    refused(&made_by("cuda-1-bf16-sm90", 2e-2), &["--tolerance", "1e-3"], 3, &["at most 1e-3 passes"]);
}

#[test]
fn other_weights_than_those_of_the_features() {
    let room = room(|_| {});
    let mut bytes = fs::read(EMBEDDED).unwrap();
    room.write("same.safetensors", &bytes);
    export(&room, &["x.head", "-o", "same.onnx", "--weights", "same.safetensors"]).fine();
    // The lowest bit of some weight.
    let end = bytes.len() - 4;
    bytes[end] ^= 1;
    room.write("other.safetensors", &bytes);
    let digest = head(HeadKind::Linear).sources[0].network().unwrap().weights.to_string();
    let told = ["`other.safetensors` holds other weights", "expected digest ", &digest, ", got "];
    refused(&room, &["--weights", "other.safetensors"], 1, &told);
    room.write("short.safetensors", &bytes[..end]);
    refused(
        &room,
        &["--weights", "short.safetensors"],
        1,
        &["`short.safetensors` is not a usable", "cut short"],
    );
    refused(&room, &["--weights", "none.safetensors"], 1, &["cannot read `none.safetensors`"]);
}

#[test]
fn a_backbone_that_is_not_what_it_was() {
    let graph = room(|head| network(&mut head.sources[0]).network = Digest::of(b"another graph"));
    refused(
        &graph,
        &[],
        1,
        &["the graph of headstart_tiny up to `pooled`", "rerun extract with this version"],
    );
    let unknown = room(|head| network(&mut head.sources[0]).backbone = "headstart_tniy".to_owned());
    refused(&unknown, &[], 1, &["`headstart_tniy`, which the zoo does not have; give --weights"]);
    let tap = room(|head| network(&mut head.sources[0]).tap = "layer9".to_owned());
    refused(&tap, &[], 1, &["headstart_tiny has no tap `layer9`"]);
    let outside = room(|head| network(&mut head.sources[0]).backbone = "vgg16".to_owned());
    refused(&outside, &[], 2, &["vgg16 needs --weights, those that extract read"]);
}

#[test]
fn models_of_another_network() {
    let made = room(|_| {});
    export(&made, &["x.head", "-o", "y.onnx"]).fine();
    let model = fs::read(made.path("y.onnx")).unwrap();
    let room = room(|head| network(&mut head.sources[0]).backbone = "onnx".to_owned());
    fs::create_dir(room.path("folder")).unwrap();
    // A model is known by its first bytes, under any name.
    for name in ["y.onnx", "plain", "folder/model.onnx"] {
        room.write(name, &model);
    }
    for weights in ["y.onnx", "plain", "folder"] {
        let told = ["is of another network than the one that computed these features"];
        refused(&room, &["--weights", weights], 1, &told);
    }
    room.write("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:");
    refused(&room, &["--weights", "pointer.onnx"], 1, &["it is a Git LFS pointer; run `git lfs pull`"]);
}

#[test]
fn files_that_are_no_heads() {
    let room = room(|_| {});
    let good = fs::read(room.path("x.head")).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let format_at = good.windows(12).position(|bytes| bytes == br#"\"format\":4"#).unwrap() + 11;
    let mut newer = good.clone();
    newer[format_at] = b'7';
    for (bytes, part) in [
        (&b"no head"[..], "expected a head that fit-head wrote"),
        (b"", "expected a head that fit-head wrote"),
        (&good[..good.len() - 3], "expected a head that fit-head wrote"),
        (&flipped, "it was changed, and does not match its digest"),
        (&newer, "head format 7, this program reads 1 to 4; update Headstart"),
    ] {
        room.write("x.head", bytes);
        refused(&room, &[], 1, &["cannot read `x.head`", part]);
    }
    fs::remove_file(room.path("x.head")).unwrap();
    refused(&room, &[], 1, &["cannot read `x.head`"]);
}

#[test]
fn what_exists_is_replaced_by_force_alone() {
    let room = room(|_| {});
    room.write("x.onnx", "mine");
    room.write("model/holiday.jpg", "mine");
    refused(&room, &[], 1, &["exists", "another name"]);
    let run = export(&room, &["x.head", "-o", "model", "--force"]);
    run.failed(1, &["`model` exists and holds other things", "give another name"]);
    assert_eq!(room.bytes("model").len(), 1);
    let run = export(&room, &["x.head", "-o", "x.onnx", "--force"]);
    run.failed(1, &["`x.onnx` exists and is another text or table, not a model that export wrote"]);
    fs::remove_file(room.path("x.onnx")).unwrap();
    for _ in 0..2 {
        export(&room, &["x.head", "-o", "x.onnx", "--force"]).fine();
    }
    assert!(room.bytes("x.onnx").into_values().next().unwrap().len() > 1000);
    // A model that fails its gate does not cost the good one.
    let before = room.bytes("x.onnx");
    let mut tampered = Head::read(&room.path("x.head")).unwrap();
    tampered.probes[7] += 1.0;
    tampered.write(&room.path("x.head"), true).unwrap();
    export(&room, &["x.head", "-o", "x.onnx", "--force"]).failed(3, &["differ"]);
    assert_eq!(room.bytes("x.onnx"), before);
    assert_eq!(room.names(), ["model", "x.head", "x.onnx"]);
}

#[test]
fn a_full_disk() {
    for free in [0, 65_536] {
        let room = room(|_| {});
        let Some(disk) = SmallDisk::mount(&room, free) else { return };
        for output in ["disk/x.onnx", "disk/model"] {
            let run = export(&room, &["x.head", "-o", output]);
            run.failed(1, &[&format!("cannot write `{output}`"), "No space left on device"]);
            assert_eq!(disk.names(), [""; 0], "{output} with {free} bytes free");
        }
    }
}

#[test]
fn help_states_every_default_and_exit_code() {
    let help = export(&Room::new(), &["--help"]).fine().stdout();
    let flowing = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[default: by OUTPUT's extension: .onnx, .hst, .npy, .parquet, .arrow, .feather, .safetensors, or a safetensors folder where it has none]",
        "[default: those that come with headstart_tiny]",
        "[default: 1e-4; for features that a card made in tf32 or f16, and for --dtype f16, 1e-2; in bf16 5e-2]",
        "[default: all splits]",
        "[default: as many as the machine has cores]",
        "Reads INPUT: a NAME.head",
        "Writes, by --to",
        "Exit codes: 0 success, 1 failed, 2 wrong usage, 3 the model disagrees with the cache, 130 interrupted (nothing is written).",
    ] {
        assert!(flowing.contains(part), "no `{part}` in:\n{help}");
    }
}
