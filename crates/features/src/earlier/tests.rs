//! Whatever stops a run, and however often: what it wrote in full is used, nothing else is, and nobody can tell afterwards.

use super::*;
use crate::{
    FeaturesError, FeaturesWriter, Index, Row,
    tests::{edit, edit_index, files, lineage, plan, value},
};
use sample::Split;
use std::ops::Range;
use store::PlaceError;

const DIM: usize = 5;
/// Three rows of f32 a shard.
const SHARD: usize = 3 * DIM * 4;
const ROWS: usize = 20;

struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Room {
        Room(tempfile::tempdir().unwrap())
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("x.features")
    }

    fn names(&self) -> Vec<String> {
        entries(self.0.path()).iter().map(|path| path.file_name().unwrap().to_str().unwrap().into()).collect()
    }

    fn partial(&self) -> PathBuf {
        self.0.path().join(".x.features.partial")
    }

    fn begin(&self, dtype: Dtype) -> FeaturesWriter {
        FeaturesWriter::create(&self.target(), false, plan(DIM, dtype, SHARD)).unwrap()
    }

    /// A run that is told to stop after these rows.
    fn stopped(&self, dtype: Dtype, rows: Range<usize>) {
        let mut writer = self.begin(dtype);
        let kept = rows.len() as u64;
        push(&mut writer, rows, None);
        assert_eq!(writer.suspend().unwrap(), kept);
    }

    /// What a run leaves that is killed now: what was gathered is lost, and nobody tidies up.
    fn kill(&self, writer: FeaturesWriter) {
        let out_of_reach = self.0.path().join("aside");
        fs::rename(self.partial(), &out_of_reach).unwrap();
        drop(writer);
        fs::rename(out_of_reach, self.partial()).unwrap();
    }

    /// What the next run finds.
    fn found(&self, dtype: Dtype) -> Vec<usize> {
        let writer = self.begin(dtype);
        let earlier = writer.earlier();
        let found: Vec<_> = (0..ROWS).filter(|&row| earlier.get(&key(row)).is_some()).collect();
        assert_eq!((found.len(), found.is_empty()), (earlier.len(), earlier.is_empty()));
        found
    }
}

fn key(row: usize) -> Digest {
    Digest::of(&row.to_le_bytes())
}

/// Pushes rows, which are taken from `earlier` where it has them; gives how many were.
fn push(writer: &mut FeaturesWriter, rows: Range<usize>, earlier: Option<&Earlier>) -> usize {
    let mut reused = 0;
    for row in rows {
        let old = earlier.and_then(|earlier| earlier.get(&key(row)));
        reused += usize::from(old.is_some());
        let values = old.unwrap_or_else(|| (0..DIM).map(|column| value(row, column) + 0.1).collect());
        let (id, split) = (format!("{row:04}.png"), Split::ALL[row % 3]);
        writer.push(Row { id: &id, texts: &["cat"], split, key: key(row), values: &values }).unwrap();
    }
    reused
}

fn finish(writer: FeaturesWriter) -> Result<Index, FeaturesError> {
    writer.finish(&[1.0; 4 * DIM], lineage(), Vec::new())
}

/// The files of a run that nothing stopped.
fn undisturbed(dtype: Dtype) -> Vec<(String, Vec<u8>)> {
    let room = Room::new();
    let mut writer = room.begin(dtype);
    push(&mut writer, 0..ROWS, None);
    finish(writer).unwrap();
    files(&room.target())
}

#[test]
fn a_resumed_run_leaves_what_an_undisturbed_one_leaves() {
    for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
        let room = Room::new();
        room.stopped(dtype, 0..11);
        assert_eq!(room.names(), [".x.features.partial"]);
        let mut writer = room.begin(dtype);
        let earlier = writer.earlier();
        assert_eq!(push(&mut writer, 0..ROWS, Some(&earlier)), 11, "{dtype}");
        finish(writer).unwrap();
        assert_eq!(room.names(), ["x.features"]);
        assert!(files(&room.target()) == undisturbed(dtype), "{dtype}");
    }
}

#[test]
fn a_killed_run_leaves_its_whole_shards() {
    let room = Room::new();
    let mut writer = room.begin(Dtype::F32);
    push(&mut writer, 0..11, None);
    room.kill(writer);
    assert_eq!(room.found(Dtype::F32), (0..9).collect::<Vec<_>>());
}

#[test]
fn rows_of_every_stopped_run_are_found_and_kept_once() {
    let room = Room::new();
    room.stopped(Dtype::F32, 0..14);
    // Stopped sooner than the run before it, then killed, then stopped before its first row.
    for stop in [4, 7, 0] {
        let mut writer = room.begin(Dtype::F32);
        let earlier = writer.earlier();
        assert_eq!(push(&mut writer, 0..stop, Some(&earlier)), stop);
        if stop == 7 {
            room.kill(writer);
        } else {
            writer.suspend().unwrap();
        }
    }
    // Two runs over other parts of the rows.
    room.stopped(Dtype::F32, 16..18);
    assert_eq!(room.found(Dtype::F32), (0..14).chain(16..18).collect::<Vec<_>>());
    let kept = entries(&room.0.path().join(".x.features.earlier"));
    let shards: usize = kept.iter().map(|run| entries(run).len()).sum();
    assert_eq!((kept.len(), shards), (2, 6), "14 rows in 5 shards, two in one");
}

#[test]
fn a_run_that_fails_loses_nothing_that_it_found() {
    let room = Room::new();
    room.stopped(Dtype::F32, 0..11);
    let mut writer = room.begin(Dtype::F32);
    push(&mut writer, 0..2, None);
    drop(writer);
    assert_eq!(room.names(), [".x.features.earlier"]);
    assert_eq!(room.found(Dtype::F32).len(), 11);
    drop(room.begin(Dtype::F32));
    // Its own rows stay as well, shard by whole shard.
    let failed = Room::new();
    let mut writer = failed.begin(Dtype::F32);
    push(&mut writer, 0..8, None);
    drop(writer);
    assert_eq!(failed.names(), [".x.features.partial"]);
    assert_eq!(failed.found(Dtype::F32), (0..6).collect::<Vec<_>>());
    let fresh = Room::new();
    fresh.begin(Dtype::F32).suspend().unwrap();
    assert!(fresh.names().is_empty(), "nothing is left by a run that wrote nothing");
}

#[test]
fn what_cannot_be_used_is_passed_over() {
    let shard = |room: &Room| room.partial().join("shard-00001.rkyv");
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 8] = [
        ("cut short", |bytes| bytes.truncate(bytes.len() - 1)),
        ("cut to its prefix", |bytes| bytes.truncate(64)),
        ("cut within its prefix", |bytes| bytes.truncate(30)),
        ("empty", Vec::clear),
        ("grown", |bytes| bytes.push(0)),
        ("a value changed", |bytes| bytes[70] ^= 4),
        ("its digest changed", |bytes| bytes[30] ^= 1),
        ("of a later format", |bytes| bytes[8] = 9),
    ];
    let others: Vec<_> = (0..3).chain(6..11).collect();
    for (what, damage) in damages {
        let room = Room::new();
        room.stopped(Dtype::F32, 0..11);
        edit(&shard(&room), damage);
        assert_eq!(room.found(Dtype::F32), others, "{what}");
    }
    for (what, replace) in
        [("missing", (|_| {}) as fn(&Path)), ("a folder", |path| fs::create_dir(path).unwrap())]
    {
        let room = Room::new();
        room.stopped(Dtype::F32, 0..11);
        fs::remove_file(shard(&room)).unwrap();
        replace(&shard(&room));
        assert_eq!(room.found(Dtype::F32), others, "{what}");
    }
    // Not a folder at all.
    let room = Room::new();
    fs::write(room.partial(), "").unwrap();
    fs::create_dir_all(room.0.path().join(".x.features.earlier/0")).unwrap();
    fs::write(room.0.path().join(".x.features.earlier/1"), "").unwrap();
    assert!(room.found(Dtype::F32).is_empty());
}

#[test]
fn rows_of_another_width_or_type_are_not_used_and_not_lost() {
    let room = Room::new();
    room.stopped(Dtype::F32, 0..11);
    for dtype in [Dtype::F16, Dtype::BF16] {
        assert!(room.found(dtype).is_empty());
    }
    let wider = FeaturesWriter::create(&room.target(), false, plan(DIM + 1, Dtype::F32, SHARD)).unwrap();
    assert!(wider.earlier().is_empty());
    drop(wider);
    assert_eq!(room.found(Dtype::F32).len(), 11);
}

#[test]
fn a_row_is_found_by_its_content_and_nothing_else() {
    let room = Room::new();
    room.stopped(Dtype::F32, 0..11);
    let writer = room.begin(Dtype::F32);
    let earlier = writer.earlier();
    // As of a changed picture, or of another network.
    assert_eq!(earlier.get(&Digest::of(b"changed")), None);
    let expected: Vec<f32> = (0..DIM).map(|column| value(7, column) + 0.1).collect();
    assert_eq!(earlier.get(&key(7)), Some(expected));
}

#[test]
fn a_running_run_is_left_alone() {
    let room = Room::new();
    let mut writer = room.begin(Dtype::F32);
    push(&mut writer, 0..7, None);
    let second = FeaturesWriter::create(&room.target(), true, plan(DIM, Dtype::F32, SHARD));
    assert!(matches!(second, Err(FeaturesError::Place(PlaceError::Busy(_)))));
    push(&mut writer, 7..ROWS, None);
    finish(writer).unwrap();
    assert!(files(&room.target()) == undisturbed(Dtype::F32));
    assert_eq!(room.names(), ["x.features"]);
}

#[test]
fn finished_folders_give_their_rows() {
    let (finished, other) = (Room::new(), Room::new());
    let mut writer = finished.begin(Dtype::F32);
    assert!(writer.replaces().is_none());
    push(&mut writer, 0..ROWS, None);
    finish(writer).unwrap();
    // The second of seven shards, of three rows each, is damaged.
    edit(&finished.target().join("shard-00001.rkyv"), |bytes| bytes[100] ^= 1);
    let mut writer = other.begin(Dtype::F32);
    let mut earlier = writer.earlier();
    let added = earlier.add(&finished.target()).unwrap();
    assert_eq!((added.keys.len(), earlier.len()), (ROWS - 3, ROWS - 3));
    assert!(added.keys.iter().copied().eq((0..3).chain(6..ROWS).map(key)));
    assert!(matches!(&added.unusable[..], [(name, ShardError::Digest)] if name == "shard-00001.rkyv"));
    assert_eq!(push(&mut writer, 0..ROWS, Some(&earlier)), ROWS - 3);
    finish(writer).unwrap();
    assert!(files(&other.target()) == undisturbed(Dtype::F32));
    // Nothing was changed there.
    assert!(finished.target().join("shard-00001.rkyv").exists());
    // Rows of another dtype are none of these.
    let mut earlier = Room::new().begin(Dtype::F16).earlier();
    let added = earlier.add(&finished.target()).unwrap();
    assert_eq!((added.keys.len(), added.unusable.len(), earlier.len()), (0, 0, 0));
}

#[test]
fn what_is_no_finished_folder_gives_no_rows() {
    let room = Room::new();
    let mut earlier = Room::new().begin(Dtype::F32).earlier();
    assert!(matches!(earlier.add(&room.target()), Err(FeaturesError::Missing { .. })));
    fs::create_dir(room.target()).unwrap();
    assert!(matches!(earlier.add(&room.target()), Err(FeaturesError::NotFeatures(_))));
    fs::remove_dir(room.target()).unwrap();
    let mut writer = room.begin(Dtype::F32);
    push(&mut writer, 0..ROWS, None);
    finish(writer).unwrap();
    edit_index(&room.target(), "shard-00000.rkyv", "../shard-00000.rkyv");
    let error = earlier.add(&room.target()).err().unwrap().to_string();
    assert!(error.contains("which is no file of this folder"), "{error}");
    assert!(earlier.is_empty());
}
