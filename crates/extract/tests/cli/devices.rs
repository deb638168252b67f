//! Where the network runs. What a card makes of it is tested on an emulated one, beside the code.

use super::{extract, open, room};

#[test]
fn devices_that_make_no_sense() {
    let room = room(1);
    let cases: [(&[&str], &str); 7] = [
        (
            &["--device", "gpu"],
            "expected auto, cpu, cuda, or cards by their numbers such as cuda:1 or cuda:0,1",
        ),
        (&["--device", "cuda:"], "expected auto, cpu, cuda"),
        (&["--device", "cuda:0,x"], "expected auto, cpu, cuda"),
        (&["--device", "cuda:1,2,1"], "card 1 is named twice"),
        (&["--precision", "f64"], "expected auto, f32, tf32, bf16 or f16"),
        (
            &["--device", "cpu", "--precision", "tf32"],
            "the CPU runs in f32 or bf16, not in tf32; give one of them, or --device cuda",
        ),
        (&["--device", "cpu", "--batch", "4097"], "--batch takes a number from 1 to 4096, got 4097"),
    ];
    for (flags, part) in cases {
        extract(&room, &[&["data", "-o", "x.features"], flags].concat()).failed(2, &[part]);
    }
    assert_eq!(room.names(), ["data"]);
}

#[test]
fn the_cpu_by_its_name() {
    let room = room(2);
    let flags = |name, flags: &[&'static str]| [&["data", "-o", name], flags].concat();
    extract(&room, &flags("x.features", &[])).fine();
    let run = extract(&room, &flags("y.features", &["--device", "cpu", "--precision", "f32", "-v"])).fine();
    assert_eq!(room.bytes("x.features"), room.bytes("y.features"));
    let told = run.stderr();
    assert!(told.contains("extract: the network runs on the CPU ("), "{told}");
    assert!(told.contains("), 32 images at a time\n"), "{told}");
    let limit = told.lines().find(|line| line.starts_with("extract: limited by ")).unwrap();
    assert!(limit.contains(": the network took ") && limit.contains(", waiting for pictures "), "{limit}");
    let quiet = extract(&room, &flags("z.features", &["--device", "cpu"])).fine();
    assert!(!quiet.stderr().contains("limited by"), "{}", quiet.stderr());
}

#[test]
fn the_cpu_in_bf16() {
    let room = room(4);
    let flags = |name, flags: &[&'static str]| [&["data", "-o", name, "--precision", "bf16"], flags].concat();
    let told = extract(&room, &flags("x.features", &["-v"])).fine().stderr();
    assert!(told.contains(") in bf16, 32 images at a time\n"), "{told}");
    // Whatever the processor has.
    extract(&room, &flags("y.features", &["--isa", "portable", "--batch", "1", "--threads", "1"])).fine();
    assert_eq!(room.bytes("x.features"), room.bytes("y.features"));
    let engine = |name: &str| open(&room, name).index().source.engine().unwrap().to_owned();
    assert_eq!(engine("x.features"), "cpu-3-bf16");
    extract(&room, &["data", "-o", "z.features"]).fine();
    assert_eq!(engine("z.features"), "cpu-2");
    // What is fastest here; plain Rust is slower in 16 bits.
    let auto = |name: &str, flags: &[&str]| {
        extract(&room, &[&["data", "-o", name, "--precision", "auto"], flags].concat()).fine();
        room.bytes(name)
    };
    assert_eq!(auto("w.features", &["--isa", "portable"]), room.bytes("z.features"));
    let fastest = if engine::Isa::best().has_bf16() { "x.features" } else { "z.features" };
    assert_eq!(auto("v.features", &[]), room.bytes(fastest));
    // The features of one precision are not taken for those of another.
    let told = extract(&room, &flags("z.features", &["--update"])).fine().stderr();
    assert!(told.contains("(reused 0, new 8, removed 8)"), "{told}");
    assert_eq!(room.bytes("x.features"), room.bytes("z.features"));
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_build_without_cuda_says_how_to_get_it() {
    let room = room(1);
    let how = "this build has no CUDA; build it with `make cuda` (or --features headstart-extract/cuda)";
    for flags in
        [&["--device", "cuda"][..], &["--device", "cuda:0,1"], &["--device", "cuda", "--isa", "portable"]]
    {
        extract(&room, &[&["data", "-o", "x.features"], flags].concat()).failed(2, &[how]);
    }
    let flags = ["data", "-o", "x.features", "--precision", "f16"];
    extract(&room, &flags).failed(2, &["the CPU runs in f32 or bf16, not in f16"]);
    assert_eq!(room.names(), ["data"]);
    // Nobody looked for a card, and nobody is told that there is none.
    let run = extract(&room, &["data", "-o", "x.features", "--device", "auto"]).fine();
    assert!(!run.stderr().contains("card"), "{}", run.stderr());
}

#[cfg(feature = "cuda")]
#[test]
fn a_build_with_cuda_on_any_machine() {
    let room = room(1);
    let base = ["data", "-o", "x.features"];
    let with = |flags: &[&'static str]| extract(&room, &[&base[..], flags].concat());
    with(&["--device", "cuda:63"]).failed(1, &["cannot use cuda:63: "]);
    with(&["--device", "cuda", "--isa", "portable"]).failed(2, &["--isa goes with the CPU"]);
    assert_eq!(room.names(), ["data"]);
    let told = with(&["--device", "auto"]).fine().stderr();
    let without = told.contains("extract: no card: ") && told.contains("; runs on the CPU\n");
    assert!(without != told.contains("extract: limited by "), "{told}");
    if without {
        let flags = ["--device", "auto", "--precision", "f16", "--force"];
        with(&flags).failed(2, &["the CPU runs in f32 or bf16, not in f16 (no card: "]);
    }
}
