//! Shards and indexes of features.

use crate::scratch;
use features::{Earlier, Features, FeaturesWriter, Lineage, NewFeatures, Row};
use input::PROBES;
use sample::Split;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::Digest;
use tempfile::TempDir;

/// d of every shard here.
const DIM: usize = 3;

/// A shard's archive, whose first byte says whether it has views; its prefix, with the digest, is made for it. It is read
/// as one that a stopped run left, so that no index has to fit it.
pub fn shard(bytes: &[u8]) {
    let Some((&viewed, archive)) = bytes.split_first() else { return };
    // 64 bytes: magic, version, flags, length, digest, zeros.
    let mut file = b"HSFEATS\n".to_vec();
    file.extend((1 + u32::from(viewed & 1)).to_le_bytes());
    file.extend(0b111_u32.to_le_bytes());
    file.extend((archive.len() as u64).to_le_bytes());
    file.extend(Digest::of(archive).as_bytes());
    file.resize(64, 0);
    file.extend(archive);
    STOPPED.with(|stopped| {
        let run = stopped.earlier.join("0");
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("shard-00000.rkyv"), &file).unwrap();
        let earlier: Earlier = stopped.writer.earlier();
        // Rows are found by their keys: those of the seeds.
        for row in 0..6_u8 {
            if let Some(values) = earlier.get(&Digest::of(&[row])) {
                assert_eq!(values.len(), DIM);
                assert!(values.iter().all(|value| value.is_finite()));
            }
        }
    });
}

/// An `index.json`, as it is and with its digest mended, beside the shards that a good one vouches for.
pub fn index(bytes: &[u8]) {
    read(bytes);
    let mut forged = bytes.to_vec();
    let digits = bytes.strip_suffix(END).and_then(|before| before.len().checked_sub(64));
    if digits.and_then(|at| scratch::seal(&mut forged, at)).is_some() {
        read(&forged);
    }
}

/// What follows the digits of an index's digest, where it has one.
const END: &[u8] = b"\"\n}\n";

fn read(bytes: &[u8]) {
    GOOD.with(|folder| {
        let folder = folder.path().join("good.features");
        fs::write(folder.join("index.json"), bytes).unwrap();
        match Features::open(&folder) {
            Ok(features) => {
                assert_eq!(features.len() as u64, features.index().rows);
                for row in 0..features.len() {
                    features.columns().iter().for_each(|column| drop(features.text(row, column).to_owned()));
                    assert_eq!(features.row_bytes(row).len(), features.dim() * features.index().dtype.size());
                    assert!(!features.id(row).is_empty());
                }
            }
            Err(error) => drop(error.to_string()),
        }
    });
}

struct Stopped {
    writer: FeaturesWriter,
    earlier: PathBuf,
    _folder: TempDir,
}

thread_local! {
    static STOPPED: Stopped = {
        let folder = scratch::folder();
        let writer = FeaturesWriter::create(&folder.path().join("x.features"), false, plan()).unwrap();
        Stopped { writer, earlier: folder.path().join(".x.features.earlier"), _folder: folder }
    };
    static GOOD: TempDir = {
        let folder = scratch::folder();
        write(&folder.path().join("good.features"));
        folder
    };
}

fn plan() -> NewFeatures {
    NewFeatures { columns: vec!["label".into()], dim: DIM, source: crate::source(), shard_bytes: 48 }
}

/// Six rows in two shards.
pub(crate) fn write(path: &Path) {
    let mut writer = FeaturesWriter::create(path, false, plan()).unwrap();
    for row in 0..6_u8 {
        let id = format!("{row}.png");
        let values = [f32::from(row), 0.5, -1.0];
        let split = Split::ALL[usize::from(row) % 3];
        let key = Digest::of(&[row]);
        writer
            .push(Row { id: &id, texts: &[["a", "b"][usize::from(row % 2)]], split, key, values: &values })
            .unwrap();
    }
    let lineage = Lineage { dataset: Digest::of(b"dataset"), tool: "extract 0.1.0".into() };
    writer.finish(&[0.25; PROBES * DIM], lineage, Vec::new()).unwrap();
}
