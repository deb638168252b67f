//! Rows that no network computed.

use super::*;
use crate::GivenSource;

fn given(rows: &str) -> NewFeatures {
    let source = GivenSource { rows: rows.into(), dtype: Dtype::F32 }.into();
    NewFeatures { columns: vec!["label".into()], dim: 3, source, shard_bytes: 60 }
}

/// Nine rows called `rows`.
fn finish(path: &Path, rows: &str) {
    let mut writer = FeaturesWriter::create(path, false, given(rows)).unwrap();
    for row in 0..9 {
        let (id, key) = (format!("row-{row}"), Digest::of(&[row]));
        let values: Vec<f32> = (0..3).map(|column| value(row.into(), column)).collect();
        writer.push(Row { id: &id, texts: &["cat"], split: Split::Train, key, values: &values }).unwrap();
    }
    writer.finish(&[], lineage(), Vec::new()).unwrap();
}

#[test]
fn rows_without_a_network_have_no_probes() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.features");
    finish(&path, "clip");
    let names: Vec<String> = files(&path).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["index.json", "shard-00000.rkyv", "shard-00001.rkyv"]);
    let features = Features::open(&path).unwrap();
    assert_eq!((features.len(), features.dim(), features.probes()), (9, 3, vec![]));
    assert_eq!(features.index().source, given("clip").source);
    let text = fs::read_to_string(path.join("index.json")).unwrap();
    let flat: String = text.split_whitespace().collect();
    assert!(flat.contains(r#""source":{"rows":"clip","dtype":"f32"}"#) && !text.contains("probes"), "{text}");

    // Beside others of the same samples nothing is known of the probes either.
    let other = root.path().join("y.features");
    finish(&other, "dino");
    let set = FeatureSet::open(&[&path, &other]).unwrap();
    assert_eq!((set.probes(), set.is_of(0, b"whatever"), set.dim()), (vec![], true, 6));

    // A row is what it is in all of them.
    assert_eq!(set.of(&[0]).key(3), features.key(3));
    assert!(set.key(3) != features.key(3) && set.key(3) != set.key(4));
    assert_eq!(set.key(3), FeatureSet::open(&[&path, &other]).unwrap().key(3));

    let (even, odd) = Selection::split(&set, Split::Train).divide(|at| at % 2 == 0);
    let rows = |part: &Selection<'_>| (0..part.views().len()).map(|at| part.row(at)).collect::<Vec<_>>();
    assert_eq!((rows(&even), rows(&odd)), (vec![0, 2, 4, 6, 8], vec![1, 3, 5, 7]));
}

#[test]
fn names_tell_rows_apart() {
    let [clip, dino] = ["clip", "dino"].map(|rows| given(rows).source);
    assert_eq!(clip.difference(&clip.clone()), None);
    let network = plan(3, Dtype::F32, 100).source;
    for (own, other, expected) in [
        (&clip, &dino, ("name of its rows", "clip", "dino")),
        (&clip, &network, ("source", "rows clip", "resnet18 (tap pooled)")),
        (&network, &clip, ("source", "resnet18 (tap pooled)", "rows clip")),
    ] {
        let found = own.difference(other).unwrap();
        assert_eq!((found.what, &*found.expected, &*found.got), expected);
    }
}

#[test]
fn a_source_is_one_thing_or_the_other() {
    let read = |json: &str| serde_json::from_str::<Source>(json);
    assert_eq!(read(r#"{"rows": "clip", "dtype": "f32"}"#).unwrap(), given("clip").source);
    let network = serde_json::to_string(&plan(3, Dtype::F32, 100).source).unwrap();
    assert_eq!(read(&network).unwrap(), plan(3, Dtype::F32, 100).source);
    for (json, expected) in [
        (r#"{"dtype": "f32"}"#.to_owned(), "missing field `backbone`"),
        (r#"{"rows": "x"}"#.to_owned(), "missing field `dtype`"),
        (r#"{"rows": "x", "dtype": "f32", "tap": "y"}"#.to_owned(), "and of a network at once"),
        (network.replace("\"tap\"", "\"tip\""), "unknown field `tip`"),
        (network.replacen('{', "{\"rows\": \"x\", ", 1), "and of a network at once"),
    ] {
        let message = read(&json).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn probes_are_there_where_a_network_is() {
    let root = tempfile::tempdir().unwrap();
    let [given, network] = ["given", "network"].map(|name| root.path().join(name));
    finish(&given, "clip");
    write(&network, 9, plan(3, Dtype::F32, 100)).unwrap();
    // Each index with the other's source, sealed anew.
    let [mut without, mut with] = [&given, &network].map(|path| Index::read(path).unwrap().0);
    std::mem::swap(&mut without.source, &mut with.source);
    for (path, mut index, expected) in
        [(&given, without, "0 probes, expected 4"), (&network, with, "4 probes, expected 0")]
    {
        fs::write(path.join("index.json"), index.seal()).unwrap();
        let message = Features::open(path).err().unwrap().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
