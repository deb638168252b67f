//! The format's promises: every row survives, the same rows give the same bytes, every corruption is told.

use super::*;
use crate::{FeatureSet, Selection, Source};
use input::{Augment, Views, image::Preprocessing};
use proptest::prelude::*;
use sample::{Skipped, Split};
use std::{fs, path::Path};
use store::{Digest, Dtype, PlaceError};

const CLASSES: [&str; 2] = ["cat", "dog"];

pub(super) fn plan(dim: usize, dtype: Dtype, shard_bytes: usize) -> NewFeatures {
    let source = Source {
        backbone: "resnet18".into(),
        tap: "pooled".into(),
        network: Digest::of(b"network"),
        weights: Digest::of(b"weights"),
        recipe: Preprocessing::imagenet().into(),
        dtype,
        engine: "reference-1".into(),
    };
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

/// Ten samples, those of train in three views, whose values tell row and view.
fn write_views(path: &Path, shard_bytes: usize) -> Index {
    let views = Views::new(3, [Augment::Flip], 7);
    let writer = FeaturesWriter::create(path, true, plan(4, Dtype::F32, shard_bytes)).unwrap();
    let mut writer = writer.with_views(views.clone());
    for sample in 0..10 {
        let split = Split::ALL[sample % 3];
        for view in 0..views.of(split) {
            let (id, values) = (format!("{sample:02}.png"), [sample as f32, view as f32, 0.5, 0.25]);
            let key = Digest::of(format!("{id} {view}").as_bytes());
            let row = Row { id: &id, texts: &[CLASSES[sample % 2]], split, key, values: &values };
            writer.push_view(view, row).unwrap();
        }
    }
    writer.finish(&[1.0; 16], lineage(), Vec::new()).unwrap()
}

#[test]
fn views_survive_and_are_kept_from_whoever_does_not_ask() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    for shard_bytes in [1 << 20, 40] {
        let index = write_views(&path, shard_bytes);
        assert_eq!((index.schema, index.rows), (SCHEMA_VERSION, 18));
        assert_eq!(index.splits[&Split::Train], 12);
        let features = Features::open(&path).unwrap();
        assert_eq!(features.index(), &index);
        assert_eq!(features.len(), 18);
        let samples: Vec<usize> = features.samples().collect();
        assert_eq!(samples.len(), 10);
        assert!(samples.iter().all(|&row| features.view(row) == 0));
        assert_eq!(features.rows_of(Split::Train).len(), 4);
        for row in 0..features.len() {
            let sample: usize = features.id(row)[..2].parse().unwrap();
            assert_eq!(features.matrix(&[row])[..2], [sample as f32, features.view(row) as f32]);
        }
        let values = |rows: &Selection<'_>| {
            let mut values = vec![0.0; rows.len() * 4];
            rows.read(0, &mut values);
            values.chunks_exact(4).map(|row| (row[0], row[1])).collect::<Vec<_>>()
        };
        let features = FeatureSet::open(&[&path]).unwrap();
        assert_eq!((features.len(), features.samples().count(), features.view(1)), (18, 10, 1));
        let train = Selection::split(&features, Split::Train);
        assert_eq!(values(&train), [(0.0, 0.0), (3.0, 0.0), (6.0, 0.0), (9.0, 0.0)]);
        assert_eq!(Selection::of(&features, |_| true).len(), 10);
        let seen = Selection::with_views(&features, |row| features.split(row) == Split::Train);
        assert_eq!(seen.views(), [0, 1, 2].repeat(4));
        assert_eq!(values(&seen)[4], (3.0, 1.0));
    }
}

#[test]
fn the_format_with_views_is_what_it_was() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    write_views(&path, 1 << 20);
    let digests: Vec<_> =
        files(&path).iter().map(|(n, b)| format!("{n} {}", &Digest::of(b).to_string()[..16])).collect();
    assert_eq!(
        digests,
        ["index.json 4bde863b00d19d0b", "probes.rkyv 07373cbeea288bfa", "shard-00000.rkyv 1258925a7e23ffa1"]
    );
}

#[test]
fn views_come_in_turn() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    let row = |id, split| Row { id, texts: &["cat"], split, key: Digest::of(b""), values: &[1.0] };
    for (views, then, expected) in [
        (&[0][..], (1, "b", Split::Train), "`b` has view 1 out of turn, of 2 in train"),
        (&[0], (0, "b", Split::Train), "`b` comes before all 2 views of `a` have come"),
        (&[0, 1], (2, "a", Split::Train), "`a` has view 2 out of turn, of 2 in train"),
        (&[0, 1], (0, "a", Split::Train), "`a` comes after `a`; ids must rise strictly"),
        (&[], (1, "a", Split::Train), "`a` has view 1 out of turn, of 2 in train"),
        (&[0], (1, "a", Split::Val), "`a` has view 1 out of turn, of 1 in val"),
    ] {
        let writer = FeaturesWriter::create(&path, false, plan(1, Dtype::F32, 100)).unwrap();
        let mut writer = writer.with_views(Views::new(2, [Augment::Crop], 0));
        views.iter().for_each(|&view| writer.push_view(view, row("a", Split::Train)).unwrap());
        let message = writer.push_view(then.0, row(then.1, then.2)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let mut writer = FeaturesWriter::create(&path, false, plan(1, Dtype::F32, 100)).unwrap();
    assert!(writer.push_view(1, row("a", Split::Train)).is_err());
}

#[test]
fn views_that_contradict_the_index_are_told() {
    for (from, to, expected) in [
        ("\"count\": 3", "\"count\": 4", "`01.png` is out of order"),
        ("\"count\": 3", "\"count\": 2", "`00.png` is out of order"),
        ("\"count\": 3", "\"count\": 1", "it has 1 views of a picture, expected 2 to 1000"),
        ("\"flip\"", "\"flip\", \"flip\"", "augmentations are none, or out of order"),
        ("\"flip\"", "\"hue\"", "unknown variant"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.features");
        write_views(&path, 1 << 20);
        edit_index(&path, from, to);
        let message = Features::open(&path).err().expect("it is noticed").to_string();
        assert!(message.contains(expected), "expected {expected:?} in {message:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_flipped_bit_goes_unnoticed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        opened_after(|folder| edit(&folder.join("shard-00000.rkyv"), |bytes| {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }));
    }

    #[test]
    fn no_flipped_bit_of_the_index_goes_unnoticed(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        opened_after(|folder| edit(&folder.join(INDEX), |bytes| {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }));
    }

    #[test]
    fn a_number_that_is_none_is_told(row in 1usize..9) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.features");
        let index = write(&path, 9, plan(5, Dtype::F32, 1 << 20)).unwrap();
        edit(&path.join("shard-00000.rkyv"), |bytes| {
            let old = value(row, 2).to_le_bytes();
            let at = bytes.windows(4).position(|window| window == old).unwrap();
            bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            let digest = Digest::of(&bytes[64..]);
            bytes[24..56].copy_from_slice(digest.as_bytes());
            edit_index(&path, &index.shards[0].digest.to_string(), &digest.to_string());
        });
        let message = Features::open(&path).err().unwrap().to_string();
        prop_assert!(message.contains(&format!("`cat/{row:04}.png` has the value NaN in column 2")), "{}", message);
    }

    #[test]
    fn an_archive_with_a_forged_digest_never_panics(at in any::<prop::sample::Index>(), byte: u8) {
        // A well-formed digest over a malformed archive: only checked access stands between it and us.
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.features");
        let index = write(&path, 9, plan(5, Dtype::F32, 60)).unwrap();
        let file = path.join("shard-00000.rkyv");
        edit(&file, |bytes| {
            let at = 64 + at.index(bytes.len() - 64);
            bytes[at] = byte;
            let digest = Digest::of(&bytes[64..]);
            bytes[24..56].copy_from_slice(digest.as_bytes());
            edit_index(&path, &index.shards[0].digest.to_string(), &digest.to_string());
        });
        if let Ok(features) = Features::open(&path) {
            for row in 0..features.len() {
                features.id(row);
                features.matrix(&[row]);
            }
        }
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
