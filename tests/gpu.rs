//! Real photographs through the programs on a card, against the processor. Where there is no card, or no `../shared` (or
//! the folder that HEADSTART_SHARED names), it says 'skipped'. `make gpu-check` runs it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it skipped, and what it measured"
)]

use features::Features;
use harness::Room;
use std::{env, path::PathBuf};

/// The least cosine between a row from a card and the processor's, and by how many points the shares of the 250 test
/// photographs that heads get right may differ: by none of them in f32, by one (0.4) where numbers are rounded.
const COSINES: [(&str, f64, f64); 4] =
    [("f32", 0.9999, 0.3), ("tf32", 0.9999, 0.5), ("f16", 0.9999, 0.5), ("bf16", 0.999, 0.5)];

fn shared(name: &str) -> Option<String> {
    let folder = env::var_os("HEADSTART_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path.to_str().unwrap().to_owned());
    }
    println!("skipped: no `{}`", path.display());
    None
}

struct Photographs {
    room: Room,
    data: String,
    weights: String,
}

impl Photographs {
    /// `None`, saying 'skipped', where something is missing.
    fn new() -> Option<Photographs> {
        let (data, weights) = (shared("data/flowers")?, shared("weights/mobilenet_v2.features.safetensors")?);
        let photographs = Photographs { room: Room::new(), data, weights };
        let probe = photographs.room.call(
            harness::program("extract"),
            &photographs.arguments("probe.features", &["--device", "cuda", "--part", "1/400"]),
        );
        if probe.code() != 0 {
            let told = probe.stderr();
            let without = told.contains("no CUDA") && env::var_os("HEADSTART_HAS_CUDA").is_none();
            assert!(told.contains("no card") || told.contains("no NVIDIA driver") || without, "{told}");
            println!("skipped: {}", told.trim());
            return None;
        }
        Some(photographs)
    }

    fn arguments<'a>(&'a self, out: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
        let base = [&*self.data, "-o", out, "--backbone", "mobilenet_v2", "--weights", &*self.weights];
        [&base, flags].concat()
    }

    fn extract(&self, out: &str, flags: &[&str]) -> Features {
        let run = self.room.call(harness::program("extract"), &self.arguments(out, flags)).fine();
        let told = run.stderr();
        told.lines().filter(|line| line.contains("limited by")).for_each(|line| println!("{out}: {line}"));
        Features::open(&self.room.path(out)).unwrap()
    }

    /// Of a linear head, over the test photographs, in per cent.
    fn accuracy(&self, features: &str) -> f64 {
        let room = &self.room;
        room.tool("fit-head", &[features, "-o", "x.head", "--l2", "1", "--force"]).fine();
        let arguments = [features, "x.head", "-o", "x.csv", "--split", "test", "--force"];
        room.tool("evaluate", &arguments).fine();
        let metrics = std::fs::read_to_string(room.path("x.csv")).unwrap();
        let line = metrics.lines().find(|line| line.starts_with("test,overall,accuracy,")).unwrap();
        line.split(',').nth(4).unwrap().parse::<f64>().unwrap() * 100.0
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn photographs_have_the_processors_features_and_accuracy() {
    let Some(photographs) = Photographs::new() else { return };
    let cpu = photographs.extract("cpu.features", &["--device", "cpu"]);
    let expected = photographs.accuracy("cpu.features");
    println!("the processor: {} rows, {expected:.1} % right", cpu.len());
    for (precision, least, points) in COSINES {
        let name = format!("{precision}.features");
        let cuda = photographs.extract(&name, &["--device", "cuda", "--precision", precision]);
        assert_eq!(cuda.len(), cpu.len());
        let lowest = (0..cpu.len())
            .map(|row| {
                assert_eq!(cuda.id(row), cpu.id(row));
                cosine(&cuda.matrix(&[row]), &cpu.matrix(&[row]))
            })
            .fold(1.0, f64::min);
        let accuracy = photographs.accuracy(&name);
        println!("{precision}: least cosine {lowest:.6}, {accuracy:.1} % right");
        assert!(lowest >= least, "{precision}: a row's cosine is {lowest}");
        assert!(
            (accuracy - expected).abs() <= points,
            "{precision}: {accuracy:.1} % right, the processor's {expected:.1} %"
        );
    }
}

#[test]
fn photographs_have_the_same_bytes_in_any_batch_and_twice() {
    let Some(photographs) = Photographs::new() else { return };
    for (precision, ..) in COSINES {
        let run = |out: &str, batch: &str| {
            let flags = ["--device", "cuda", "--precision", precision, "--batch", batch, "--force"];
            photographs.extract(out, &flags);
            photographs.room.bytes(out)
        };
        let whole = run("x.features", "256");
        for batch in ["256", "32", "7"] {
            assert!(run("y.features", batch) == whole, "{precision}: other bytes in batches of {batch}");
        }
        println!("{precision}: the same bytes in batches of 256, twice, 32 and 7");
    }
}
