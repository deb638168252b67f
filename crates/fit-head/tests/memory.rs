//! Memory does not grow with rows: features that are larger than memory can be fitted on.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

use features::{FeaturesWriter, Lineage, NetworkSource, NewFeatures, Row};
use harness::Room;
use input::{PROBES, image::Preprocessing};
use sample::Split;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use store::{Digest, Dtype};

const DIM: usize = 1024;
/// So many that both fits are work enough to look at the curvature first (`Curvature::of` in crates/head).
const CLASSES: usize = 16;
const MIB: usize = 1 << 20;

/// Both matrices are larger than what may stay in memory for being small (256 MiB, `SMALL` in
/// crates/features/src/index.rs). What is left is a shard, which opening reads whole, and what a fit needs for some
/// blocks of rows; the labels of 200,000 rows are 2 MiB.
#[test]
fn peak_memory_does_not_grow_with_rows() {
    let rows = 300 * MIB / (DIM * 4);
    let [once, thrice] = [rows, 3 * rows].map(|rows| {
        let room = Room::new();
        write(&room.path("x.features"), rows);
        fit(&room)
    });
    println!("peak memory: {} MiB with 300 MiB of features, {} MiB with 900", once / MIB, thrice / MIB);
    assert!(once.abs_diff(thrice) * 10 <= once, "{once} bytes became {thrice} with three times the rows");
    assert!(thrice < 150 * MIB, "{thrice} bytes");
}

/// Fits on `x.features` for three iterations; gives the largest resident size, in bytes.
fn fit(room: &Room) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fit-head"))
        .args(["x.features", "-o", "x.head", "--l2", "100", "--no-calibrate", "--max-iterations", "3"])
        .args(["--threads", "2"])
        .current_dir(room.path(""))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The system keeps the maximum until the program ends, so that only the very last moment is not seen.
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        peak = peak_of(&fs::read_to_string(&status).unwrap_or_default()).unwrap_or(peak);
        sleep(Duration::from_millis(2));
    };
    assert!(code.success(), "{code}");
    assert!(room.path("x.head").is_file() && peak > 0);
    peak
}

/// The line `VmHWM: 1234 kB`, in bytes.
fn peak_of(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

/// Writes `rows` train rows of noise, each about its class's mean.
fn write(path: &Path, rows: usize) {
    let source = NetworkSource {
        backbone: "resnet18".into(),
        tap: "pooled".into(),
        shape: [].into(),
        network: Digest::of(b"network"),
        weights: Digest::of(b"weights"),
        recipe: Preprocessing::imagenet().into(),
        dtype: Dtype::F32,
        engine: "reference-1".into(),
    }
    .into();
    // The size of shard that extract writes by default.
    let plan = NewFeatures { columns: vec!["label".into()], dim: DIM, source, shard_bytes: 64 * MIB };
    let mut writer = FeaturesWriter::create(path, false, plan).unwrap();
    let mut values = vec![0.0; DIM];
    // Knuth's MMIX generator.
    let mut state = 1u64;
    for at in 0..rows {
        let label = at % CLASSES;
        for (column, value) in values.iter_mut().enumerate() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            *value = noise + if column % CLASSES == label { 0.1 } else { 0.0 };
        }
        let (id, key) = (format!("{at:08}"), Digest::of(&at.to_le_bytes()));
        writer
            .push(Row { id: &id, texts: &[&label.to_string()], split: Split::Train, key, values: &values })
            .unwrap();
    }
    let lineage = Lineage { dataset: Digest::of(b"dataset"), tool: "extract 0.1.0".into() };
    writer.finish(&vec![0.0; PROBES * DIM], lineage, Vec::new()).unwrap();
}
