//! The format's promises: every row survives, the same rows give the same bytes, every corruption is told.

mod given;
mod views;

use super::*;
use crate::{FeatureSet, NetworkSource, Selection};
use input::{Augment, Views, image::Preprocessing};
use proptest::prelude::*;
use sample::{Skipped, Split};
use std::{fs, path::Path};
use store::{Digest, Dtype, PlaceError};

const CLASSES: [&str; 2] = ["cat", "dog"];

pub(super) fn plan(dim: usize, dtype: Dtype, shard_bytes: usize) -> NewFeatures {
    let source = NetworkSource {
        backbone: "resnet18".into(),
        tap: "pooled".into(),
        shape: [].into(),
        network: Digest::of(b"network"),
        weights: Digest::of(b"weights"),
        recipe: Preprocessing::imagenet().into(),
        dtype,
        engine: "reference-1".into(),
    }
    .into();
    NewFeatures { columns: vec!["label".into()], dim, source, shard_bytes }
}

pub(super) fn lineage() -> Lineage {
    Lineage { dataset: Digest::of(b"dataset"), tool: "extract 0.1.0".into() }
}

pub(super) fn value(row: usize, column: usize) -> f32 {
    (row * 31 + column) as f32 / 8.0
}

fn write(path: &Path, rows: usize, plan: NewFeatures) -> Result<Index, FeaturesError> {
    let dim = plan.dim;
    let mut writer = FeaturesWriter::create(path, true, plan)?;
    for row in 0..rows {
        let values: Vec<f32> = (0..dim).map(|column| value(row, column)).collect();
        let id = format!("cat/{row:04}.png");
        let key = Digest::of(id.as_bytes());
        let split = Split::ALL[row % 3];
        writer.push(Row { id: &id, texts: &[CLASSES[row % 2]], split, key, values: &values })?;
    }
    let probes: Vec<f32> = (0..4 * dim).map(|i| i as f32).collect();
    writer.finish(&probes, lineage(), vec![Skipped { id: "dog/x.jpg".into(), reason: "truncated".into() }])
}

pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect();
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn rows_survive_whatever_the_shards(rows in 0usize..40, dim in 1usize..70, shard in 1usize..4000, half: bool) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.features");
        let dtype = if half { Dtype::BF16 } else { Dtype::F32 };
        write(&path, rows, plan(dim, dtype, shard)).unwrap();
        let features = Features::open(&path).unwrap();
        prop_assert_eq!((features.len(), features.dim()), (rows, dim));
        let mut out = vec![0.0; dim];
        for row in 0..rows {
            features.copy_row(row, &mut out);
            for (column, &got) in out.iter().enumerate() {
                let expected = value(row, column);
                let tolerance = if half { expected / 128.0 } else { 0.0 };
                prop_assert!((got - expected).abs() <= tolerance);
            }
            prop_assert_eq!(features.id(row), format!("cat/{row:04}.png"));
            prop_assert_eq!(features.text(row, "label"), CLASSES[row % 2]);
            prop_assert_eq!(features.split(row), Split::ALL[row % 3]);
            prop_assert_eq!(features.key(row), Digest::of(features.id(row).as_bytes()));
        }
        prop_assert_eq!(features.probes()[dim], dim as f32);
        prop_assert_eq!(features.rows_of(Split::Train).len(), rows.div_ceil(3));
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a.features", "b.features"].map(|name| root.path().join(name));
    for path in [&a, &b] {
        write(path, 25, plan(17, Dtype::F32, 500)).unwrap();
    }
    assert!(files(&a).len() > 3);
    assert_eq!(files(&a), files(&b));
}

#[test]
fn the_format_is_what_it_was() {
    // Golden digests: a change here is a change of the format, and needs a new version number.
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write(&path, 5, plan(3, Dtype::F32, 1 << 20)).unwrap();
    let digests: Vec<_> =
        files(&path).iter().map(|(n, b)| format!("{n} {}", &Digest::of(b).to_string()[..16])).collect();
    assert_eq!(
        digests,
        ["index.json e104fcd665950aa3", "probes.rkyv 06fd27b5d2682ab7", "shard-00000.rkyv 3f730ce3210871ad"]
    );
}

#[test]
fn features_are_aligned_to_cache_lines() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write(&path, 5, plan(16, Dtype::F32, 1 << 20)).unwrap();
    let features = Features::open(&path).unwrap();
    assert_eq!(features.row_bytes(0).as_ptr() as usize % 64, 0);
}

#[test]
fn the_writer_refuses_rows_that_are_wrong() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    let key = Digest::of(b"");
    let good = Row { id: "b", texts: &["dog"], split: Split::Val, key, values: &[1.0, 2.0] };
    for (row, expected) in [
        (Row { id: "a", ..good }, "comes after `b`"),
        (Row { id: "b", ..good }, "comes after `b`"),
        (Row { id: "c", values: &[1.0], ..good }, "has 1 values, expected 2"),
        (Row { id: "c", texts: &[], ..good }, "has 0 texts, expected 1"),
    ] {
        let mut writer = FeaturesWriter::create(&path, false, plan(2, Dtype::F32, 1 << 20)).unwrap();
        writer.push(good).unwrap();
        let message = writer.push(row).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "a failed writer leaves nothing");
}

#[test]
fn what_a_dtype_cannot_hold_is_told() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    for (dtype, value, expected) in
        [(Dtype::F16, 1e6, "more than f16 holds"), (Dtype::F32, f32::NAN, "has the value NaN")]
    {
        let mut writer = FeaturesWriter::create(&path, false, plan(2, dtype, 100)).unwrap();
        let row =
            Row { id: "a", texts: &["cat"], split: Split::Val, key: Digest::of(b""), values: &[1.0, value] };
        let message = writer.push(row).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn force_spares_folders_that_hold_anything_else() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write(&path, 2, plan(2, Dtype::F32, 100)).unwrap();
    fs::write(path.join("photo.jpg"), "").unwrap();
    let again = FeaturesWriter::create(&path, true, plan(2, Dtype::F32, 100));
    assert!(matches!(again, Err(FeaturesError::Place(PlaceError::Foreign(_)))));
    assert!(path.join("photo.jpg").exists());
}

#[test]
fn what_exists_is_only_replaced_by_force() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write(&path, 2, plan(2, Dtype::F32, 100)).unwrap();
    let again = FeaturesWriter::create(&path, false, plan(2, Dtype::F32, 100));
    assert!(matches!(again, Err(FeaturesError::Place(PlaceError::Exists(_)))));
    assert_eq!(Features::open(&path).unwrap().len(), 2);
}

/// Damages a fresh artefact and gives the message of opening it.
fn opened_after(damage: impl FnOnce(&Path)) -> String {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write(&path, 9, plan(5, Dtype::F32, 60)).unwrap();
    damage(&path);
    let message = Features::open(&path).err().expect("damage is noticed").to_string();
    assert!(!message.contains('\n') && message.contains("x.features"), "{message}");
    message
}

pub(super) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// As a forger does, who puts the digest right as well.
pub(super) fn edit_index(folder: &Path, from: &str, to: &str) {
    change_index(folder, from, to);
    edit(&folder.join(INDEX), |bytes| {
        if let Some(at) = index::digest_at(bytes) {
            store::seal::seal(bytes, at);
        }
    });
}

fn change_index(folder: &Path, from: &str, to: &str) {
    edit(&folder.join(INDEX), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *bytes = text.replacen(from, to, 1).into_bytes();
    });
}

#[test]
fn every_edit_of_the_index_is_told() {
    let damaged = "its index is malformed (it was changed, and does not match its digest)";
    for (from, to) in [
        // Whatever could be believed: a column by another name, another reason, another digest.
        ("\"label\"", "\"labels\""),
        ("truncated", "truncatéd"),
        ("extract 0.1.0", "extract 0.1.1"),
        ("\"engine\": \"reference-1\"", "\"engine\": \"reference-2\""),
        // What changes nothing but bytes.
        ("\"rows\": 9", "\"rows\":  9"),
        ("\"schema\": 4,\n  \"rows\": 9", "\"rows\": 9,\n  \"schema\": 4"),
        ("\"label\"", "\"l\\u0061bel\""),
        ("\"\n}\n", "\"\n}"),
        ("\"\n}\n", "\"\n}\n\n"),
    ] {
        let message = opened_after(|folder| change_index(folder, from, to));
        assert!(message.contains(damaged), "{from}: {message}");
    }
    for (damage, expected) in [
        (1, "it has a digest, which its schema does not know"),
        (2, "duplicate field"),
        (6, "AAA…); rerun extract"),
        (3, "expected value"),
        (4, "trailing characters"),
        (5, damaged),
    ] {
        let message = opened_after(|folder| match damage {
            1 => change_index(folder, "\"schema\": 4", "\"schema\": 1"),
            2 => change_index(folder, "\"rows\": 9", "\"rows\": 9, \"rows\": 9"),
            3 => edit(&folder.join(INDEX), |bytes| drop(bytes.splice(0..0, *b"\xef\xbb\xbf"))),
            6 => change_index(folder, "\"rows\": 9", &format!("\"rows\": \"{}\"", "A".repeat(100_000))),
            4 => edit(&folder.join(INDEX), |bytes| bytes.push(b'x')),
            _ => edit(&folder.join(INDEX), |bytes| {
                let at = index::digest_at(bytes).unwrap();
                bytes[at..at + 64].make_ascii_uppercase();
            }),
        });
        assert!(message.contains(expected), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn an_index_without_end_is_told() {
    let message = opened_after(|folder| {
        fs::remove_file(folder.join(INDEX)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join(INDEX)).unwrap();
    });
    assert!(message.contains("not a regular file"), "{message}");
}

#[test]
fn every_corruption_is_told() {
    let shard = |folder: &Path| folder.join("shard-00001.rkyv");
    type Damage = Box<dyn FnOnce(&Path)>;
    let cases: Vec<(&str, Damage)> = vec![
        ("is no features folder", Box::new(|f| fs::remove_file(f.join(INDEX)).unwrap())),
        ("its index is malformed", Box::new(|f| fs::write(f.join(INDEX), "{").unwrap())),
        ("schema 5 is newer", Box::new(|f| edit_index(f, "\"schema\": 4", "\"schema\": 5"))),
        ("schema 0 is older", Box::new(|f| edit_index(f, "\"schema\": 4", "\"schema\": 0"))),
        (
            "which is no file of this folder",
            Box::new(|f| edit_index(f, "\"shard-00001.rkyv\"", "\"../shard\"")),
        ),
        ("9 rows in its shards, index says 8", Box::new(|f| edit_index(f, "\"rows\": 9", "\"rows\": 8"))),
        ("splits count", Box::new(|f| edit_index(f, "\"train\": 3", "\"train\": 2"))),
        ("unknown field", Box::new(|f| edit_index(f, "\"schema\": 4", "\"schema\": 4, \"more\": 1"))),
        ("rows of width 0, index says", Box::new(|f| edit_index(f, "\"dim\": 5", "\"dim\": 0"))),
        (
            "rows of width 4611686018427387904",
            Box::new(|f| edit_index(f, "\"dim\": 5", "\"dim\": 4611686018427387904")),
        ),
        (
            "preprocessing cannot be used",
            Box::new(|f| edit_index(f, "\"shorter_side\": 256", "\"shorter_side\": 0")),
        ),
        ("has the column `label` twice", Box::new(|f| edit_index(f, "\"label\"", "\"label\", \"label\""))),
        (
            "not all shards have its index's columns",
            Box::new(|f| edit_index(f, "\"label\"", "\"label\", \"age\"")),
        ),
        (
            "it has classes and columns",
            Box::new(|f| edit_index(f, "\"splits\"", "\"classes\": [\"a\"], \"splits\"")),
        ),
        ("it has no classes", Box::new(|f| edit_index(f, "\"schema\": 4", "\"schema\": 3"))),
        ("rows of width 5, index says 6", Box::new(|f| edit_index(f, "\"dim\": 5", "\"dim\": 6"))),
        ("cannot be opened", Box::new(move |f| fs::remove_file(shard(f)).unwrap())),
        ("bytes, index says", Box::new(move |f| edit(&shard(f), |b| b.truncate(b.len() - 1)))),
        ("bytes, index says", Box::new(move |f| edit(&shard(f), Vec::clear))),
        ("does not begin as a shard", Box::new(move |f| edit(&shard(f), |b| b[0] ^= 1))),
        ("has format 4, newer than", Box::new(move |f| edit(&shard(f), |b| b[8] = 4))),
        ("holds a malformed archive", Box::new(move |f| edit(&shard(f), |b| b[8] = 2))),
        ("flags 0x3", Box::new(move |f| edit(&shard(f), |b| b[12] = 3))),
        ("is damaged", Box::new(move |f| edit(&shard(f), |b| b[70] ^= 4))),
        ("is damaged", Box::new(move |f| edit(&shard(f), |b| b[30] ^= 1))),
        ("`probes.rkyv` is damaged", Box::new(|f| edit(&f.join("probes.rkyv"), |b| b[70] ^= 4))),
    ];
    for (expected, damage) in cases {
        let message = opened_after(damage);
        assert!(message.contains(expected), "expected {expected:?} in {message:?}");
    }
}

#[test]
fn ids_that_lead_out_of_their_folder_are_refused_whoever_wrote_them() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    let key = Digest::of(b"");
    let row = |id| Row { id, texts: &["dog"], split: Split::Val, key, values: &[1.0, 2.0] };
    for id in ["../secret/x.png", "/etc/x.png", "a//b.png", "a/./b.png", "a/../b.png", ""] {
        // Ours never do.
        let mut writer = FeaturesWriter::create(&path, true, plan(2, Dtype::F32, 1 << 20)).unwrap();
        let message = writer.push(row(id)).unwrap_err().to_string();
        assert!(message.contains("is no sample's id"), "{message}");
        drop(writer);
        // Nor is what anybody else wrote taken, all digests being right.
        let mut writer = FeaturesWriter::create(&path, true, plan(2, Dtype::F32, 1 << 20)).unwrap();
        writer.push(row("b/c.png")).unwrap();
        let mut index = writer.finish(&[0.5; 8], lineage(), Vec::new()).unwrap();
        Features::open(&path).unwrap();
        let mut columns = shard::ShardColumns::new(2, Dtype::F32, 1);
        let bytes: Vec<u8> = [1.0f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        columns.push(id, Split::Val, None, &key, &["dog"], &bytes);
        index.shards = vec![columns.write(&path, shard::name(0)).unwrap()];
        fs::write(path.join(INDEX), index.seal()).unwrap();
        let message = Features::open(&path).err().unwrap().to_string();
        assert!(message.contains("is no sample's id"), "{message}");
    }
}
