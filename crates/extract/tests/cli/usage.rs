//! Wrong calls are exit code 2, before anything is read; help says everything.

use super::{extract, room};
use harness::Room;
use std::{io, process::Command};

#[test]
fn wrong_calls() {
    let room = room(2);
    let base = ["data", "-o", "x.features"];
    let cases: [(&[&str], &str); 16] = [
        (&["--batch", "0"], "--batch takes a number from 1 to 4096, got 0"),
        (&["--batch", "many"], "'many'"),
        (&["--split", "50/60"], "`50/60` adds up to 110, expected 100"),
        (&["--split", "0/50/50"], "leaves nothing to train on"),
        (&["--max-skipped", "200"], "--max-skipped takes per cents from 0 to 100, got 200"),
        (&["--max-skipped", "nan"], "--max-skipped takes per cents from 0 to 100, got NaN"),
        (&["--tap", "layer3", "--tap", "layer3"], "a --tap is given twice"),
        (&["--shard-size", "0"], "--shard-size takes MiB from 1 to 65536, got 0"),
        (&["--threads", "0"], "--threads takes a number from 1 to 1024, got 0"),
        (&["--dtype", "f8"], "f8"),
        (&["--crop", "none"], "crop"),
        (&["--decode", "slow"], "expected exact or fast"),
        (&["--resize", "0x64"], "outside 1 to 8192"),
        (&["--divisor", "0"], "divisor"),
        (&["--on-error", "cry"], "[possible values: skip, fail]"),
        (&["--taps", "gap"], "a similar argument exists: '--tap'"),
    ];
    for (flags, part) in cases {
        extract(&room, &[&base[..], flags].concat()).failed(2, &[part]);
    }
    extract(&room, &["data"]).failed(2, &["--output"]);
    extract(&room, &[]).failed(2, &["INPUT"]);
    for output in ["x", "x.feature", ".features", "x.features/y"] {
        extract(&room, &["data", "-o", output])
            .failed(2, &["-o takes a name that ends in .features", output]);
    }
    assert_eq!(room.names(), ["data"]);
}

#[test]
fn splits_are_not_drawn_where_there_are_some() {
    let room = Room::new();
    room.pictures("data/train", 2, 2);
    let run = extract(&room, &["data", "-o", "x.features", "--split", "80/20"]);
    run.failed(2, &["`data` has splits of its own; leave --split out"]);
    assert_eq!(room.names(), ["data"]);
}

#[test]
fn help_states_every_default() {
    let help = extract(&Room::new(), &["--help"]).fine().stdout();
    let flowing = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "[default: auto, the one that WEIGHTS is of, else headstart_tiny, or with --text-column headstart_words]",
        "[default: the backbone's own]",
        "[default: the preset's]",
        "[default: 80/10/10]",
        "[default: skip]",
        "[default: 1]",
        "[default: f32]",
        "[default: 64]",
        "[default: auto]",
        "[default: f32 on the CPU; on a card f16, or",
        "[default: 32 on the CPU; on a card as many as keep it busy and fit into its memory]",
        "[default: the fastest that the processor has]",
        "[default: as many as the machine has cores]",
        "in per cent",
        "MiB",
        "pixels",
        "Reads INPUT: a folder",
        "Writes NAME.features/",
        "EXIF",
        "Exit codes",
    ] {
        assert!(flowing.contains(part), "no `{part}` in:\n{help}");
    }
}

#[test]
fn the_backbones_are_listed() {
    let run = extract(&Room::new(), &["--list-backbones"]).fine();
    let list = run.stdout();
    assert_eq!(run.stderr(), "");
    assert!(list.starts_with("name "), "{list}");
    let tiny = list.lines().find(|line| line.starts_with("headstart_tiny ")).unwrap();
    for part in [" 64x64 ", " (weights included)", " pooled 224"] {
        assert!(tiny.contains(part), "{tiny}");
    }
    let vgg = list.lines().find(|line| line.starts_with("vgg16 ")).unwrap();
    assert!(vgg.contains(" 138,357,544 ") && vgg.contains("gap 512") && vgg.contains("fc7 4096"), "{vgg}");
    let networks = network::zoo::all().len();
    assert_eq!(list.lines().count(), 1 + networks);
    let words = list.lines().find(|line| line.starts_with("headstart_words ")).unwrap();
    for part in [" 786,432 ", " texts ", " (weights included)", " sentence 96, "] {
        assert!(words.contains(part), "{words}");
    }
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    // Two come along.
    assert!(readme.contains(&format!("one of the other {}:", networks - 2)), "README's number of networks");

    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let columns = words(list.lines().next().unwrap());
    for (name, loads) in [
        ("vgg16", &["torchvision", "timm", "Keras"] as &[&str]),
        ("resnet50", &["torchvision", "timm", "transformers", "gluon"]),
        ("resnext50_32x4d", &["torchvision", "timm"]),
        ("resnet18d", &["timm", "gluon"]),
        ("vit_base_patch32_clip_quickgelu_224", &["timm", "transformers", "open_clip"]),
        ("keras_xception", &["Keras"]),
        ("headstart_tiny", &[]),
    ] {
        let line = list.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        let said = columns.iter().zip(words(line)).filter(|(_, cell)| cell == "yes");
        let mut said: Vec<&str> = said.map(|(column, _)| column.as_str()).collect();
        let mut loads = loads.to_vec();
        said.sort_unstable();
        loads.sort_unstable();
        assert_eq!(said, loads, "{line}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for flag in ["--list-backbones", "--help", "--version"] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = Command::new(super::TOOL).arg(flag).stdout(writer).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "{flag}");
    }
}
