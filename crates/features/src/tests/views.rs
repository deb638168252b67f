//! Augmented views.

use super::*;

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
