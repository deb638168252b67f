//! Features of older schemas, written by the releases of their time: two pictures of train and one of val.

use headstart_features::{Features, FeaturesWriter, NewFeatures};
use std::{fs, path::Path};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn every_schema_opens_and_holds_the_same_rows() {
    let newest = Features::open(&fixture("schema-3.features")).unwrap();
    for (name, schema, views) in
        [("schema-1", 1, 1), ("schema-2", 2, 2), ("schema-3", 3, 1), ("schema-3v", 3, 2)]
    {
        let features = Features::open(&fixture(&format!("{name}.features"))).unwrap();
        assert_eq!((features.index().schema, features.len()), (schema, 1 + 2 * views), "{name}");
        assert_eq!(features.columns(), ["label"]);
        let (labels, rows) = (features.column("label").unwrap(), features.samples().collect::<Vec<_>>());
        let told: Vec<(&str, &str)> = rows.iter().map(|&row| (features.id(row), labels.text(row))).collect();
        assert_eq!(told, [("train/a/1.png", "a"), ("train/b/1.png", "b"), ("val/a/1.png", "a")]);
        assert_eq!(features.matrix(&rows), newest.matrix(&[0, 1, 2]), "{name}");
        assert_eq!(features.probes(), newest.probes(), "{name}");
        assert!(features.column("split").is_none());

        // Their rows serve new runs as well.
        let root = tempfile::tempdir().unwrap();
        let source = features.index().source.clone();
        let plan = NewFeatures { columns: Vec::new(), dim: features.dim(), source, shard_bytes: 1 << 20 };
        let writer = FeaturesWriter::create(&root.path().join("x.features"), false, plan).unwrap();
        let mut earlier = writer.earlier();
        let finished = earlier.add(&fixture(&format!("{name}.features"))).unwrap();
        assert_eq!((finished.keys.len(), finished.unusable.len()), (features.len(), 0), "{name}");
        assert_eq!(earlier.get(&features.key(0)), Some(features.matrix(&[0])), "{name}");
    }
}

#[test]
fn each_schema_keeps_its_own_rules() {
    for (name, from, to, expected) in [
        ("schema-1", "\"schema\": 1", "\"schema\": 2", "schema 2 without views"),
        ("schema-2", "\"schema\": 2", "\"schema\": 1", "schema 1 with views"),
        ("schema-1", "\"a\",\n    \"b\"", "\"a\"", "has label 1 of 1 classes"),
        ("schema-1", "\"a\",\n    \"b\"", "\"a\", \"a\"", "it has the class `a` twice"),
        ("schema-1", "\"classes\"", "\"columns\": [\"label\"],\n  \"classes\"", "it has columns and classes"),
        ("schema-3", "\"digest\": \"", "\"tool\": \"", "its index is malformed"),
        ("schema-3", "\"schema\": 3", "\"schema\": 2", "it has a digest, which its schema does not know"),
        ("schema-1", "\"schema\": 1", "\"schema\": 3", "it has no digest"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("x.features");
        fs::create_dir(&folder).unwrap();
        for file in fs::read_dir(fixture(&format!("{name}.features"))).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        Features::open(&folder).unwrap();
        let index = fs::read_to_string(folder.join("index.json")).unwrap();
        assert!(index.contains(from), "{name}: {from}");
        // The last one: a digest is the last of all.
        let at = index.rfind(from).unwrap();
        fs::write(folder.join("index.json"), format!("{}{to}{}", &index[..at], &index[at + from.len()..]))
            .unwrap();
        let message = Features::open(&folder).err().unwrap().to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
}
