use crate::{DataSet, DatasetError, Inputs, Split};
use polars::prelude::*;
use polars_io::{parquet::write::KeyValueMetadata, prelude::ParquetWriter};
use std::path::PathBuf;
use tempfile::TempDir;

const OURS: store::Ours = store::Ours::table("a table", &[]);

/// Pictures whose bytes are their names, which are given too unless they are empty.
fn image(names: &[&str]) -> Column {
    let bytes = Series::new("bytes".into(), names.iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
    let paths = names.iter().map(|name| (!name.is_empty()).then_some(*name)).collect::<Vec<_>>();
    let paths = Series::new("path".into(), paths);
    StructChunked::from_series("image".into(), names.len(), [bytes, paths].iter())
        .unwrap()
        .into_series()
        .into()
}

fn text(name: &str, texts: &[&str]) -> Column {
    Series::new(name.into(), texts).into_column()
}

fn write(root: &TempDir, name: &str, columns: Vec<Column>) -> PathBuf {
    let path = root.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut frame = DataFrame::new(columns[0].len(), columns).unwrap();
    let _ = std::fs::remove_file(&path);
    store::table::write(&mut frame, &path, false, OURS).unwrap();
    path
}

fn open(paths: &[PathBuf]) -> Result<DataSet, DatasetError> {
    Inputs { paths, root: None, spool: None, bare: false, texts: None }.open()
}

/// The samples as `id columns split bytes`.
fn listing(set: &DataSet) -> Vec<String> {
    let row = |at: usize| {
        let sample = &set.samples[at];
        let texts: Vec<&str> = set.columns.iter().map(|column| column.text(at)).collect();
        let bytes = String::from_utf8(sample.content.read(99).unwrap()).unwrap();
        format!("{} {} {} {bytes}", sample.id, texts.join("+"), sample.split.map_or("-", Split::name))
    };
    (0..set.samples.len()).map(row).collect()
}

#[test]
fn pictures_are_called_what_the_file_calls_them_if_that_is_one_name_each() {
    let root = tempfile::tempdir().unwrap();
    let path =
        write(&root, "x.parquet", vec![image(&["b/2.png", "./a/1.png"]), text("label", &["dog", "cat"])]);
    assert_eq!(listing(&open(&[path]).unwrap()), ["a/1.png cat - ./a/1.png", "b/2.png dog - b/2.png"]);
    for names in [["1.png", "1.png"], ["1.png", "/etc/1.png"], ["1.png", "../1.png"], ["1.png", ""]] {
        let path = write(&root, "x.parquet", vec![image(&names)]);
        let expected = names.iter().enumerate().map(|(row, name)| format!("x#00000{row}  - {name}"));
        assert_eq!(listing(&open(&[path]).unwrap()), expected.collect::<Vec<_>>());
    }
    let bytes = Series::new("image".into(), ["one", "two"].map(str::as_bytes)).into_column();
    let path = write(&root, "x.parquet", vec![text("path", &["b", "a"]), bytes]);
    assert_eq!(listing(&open(&[path]).unwrap()), ["a  - two", "b  - one"]);
}

#[test]
fn files_are_one_data_set_and_their_names_say_splits() {
    let root = tempfile::tempdir().unwrap();
    let part = |name: &str, picture: &str, more: &str| {
        write(
            &root,
            name,
            vec![
                image(&[picture]),
                text("label", &["x"]),
                text(more, &["m"]),
                Series::new("n".into(), [1i8]).into(),
            ],
        )
    };
    let paths = [
        part("d/train-00000-of-00002.parquet", "1.png", "u"),
        part("d/train-00001-of-00002.parquet", "2.png", "u"),
        part("d/validation-00000-of-00001.parquet", "3.png", "v"),
    ];
    let expected = ["1.png x+m+1+ train 1.png", "2.png x+m+1+ train 2.png", "3.png x++1+m val 3.png"];
    for paths in [paths.to_vec(), vec![root.path().join("d")]] {
        let set = open(&paths).unwrap();
        let names: Vec<&str> = set.columns.iter().map(crate::Column::name).collect();
        assert_eq!(
            (listing(&set), names),
            (expected.map(String::from).to_vec(), vec!["label", "u", "n", "v"])
        );
    }
    for split in ["train", "test"] {
        write(&root, &format!("e/{split}/0000.parquet"), vec![image(&["1.png"]), text("label", &["x"])]);
    }
    let set = open(&[root.path().join("e")]).unwrap();
    assert_eq!(listing(&set), ["test/0000#000000 x test 1.png", "train/0000#000000 x train 1.png"]);
}

#[test]
fn what_is_wrong_is_named() {
    let root = tempfile::tempdir().unwrap();
    let none = Series::new("label".into(), [Some("x"), None]).into_column();
    let cases = [
        (vec![image(&["1", "2"]), none], "`P`, row 2: `label` is empty"),
        (vec![image(&["1", "2"]), text("split", &["train", "half"])], "`P`, row 2: split `half` is unknown"),
        (vec![image(&[])], "`P` has no rows"),
    ];
    for (columns, expected) in cases {
        let path = write(&root, "x.parquet", columns);
        let message =
            open(std::slice::from_ref(&path)).unwrap_err().to_string().replace(path.to_str().unwrap(), "P");
        assert!(message.starts_with(expected), "{message}");
    }
    let labelled = write(&root, "a.parquet", vec![image(&["1"]), text("label", &["x"])]);
    let bare = write(&root, "b.parquet", vec![image(&["2"])]);
    for paths in [[labelled.clone(), bare.clone()], [bare.clone(), labelled.clone()]] {
        let message = open(&paths).unwrap_err().to_string();
        assert!(message.contains("b.parquet` has no column `label`, but others have"), "{message}");
    }
    let message = open(&[bare.clone(), bare]).unwrap_err().to_string();
    assert!(message.contains("twice"), "{message}");
    let table = write(&root, "t.parquet", vec![text("path", &["1"])]);
    let message = open(&[labelled, table]).unwrap_err().to_string();
    assert!(message.contains("t.parquet` has no column of pictures"), "{message}");
}

#[test]
fn numbers_stand_for_the_names_that_the_file_gives_them() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.parquet");
    let put = |numbers: [i64; 2], features: &str| {
        let label = Series::new("label".into(), numbers).into_column();
        let mut frame = DataFrame::new(2, vec![image(&["1", "2"]), label]).unwrap();
        let notes = KeyValueMetadata::from_static(vec![("huggingface".to_owned(), features.to_owned())]);
        let file = std::fs::File::create(&path).unwrap();
        ParquetWriter::new(file).with_key_value_metadata(Some(notes)).finish(&mut frame).unwrap();
        open(std::slice::from_ref(&path)).map(|set| set.labels().unwrap().words().to_vec())
    };
    let features = r#"{"info":{"features":{"label":{"names":["cat","dog"],"_type":"ClassLabel"}}}}"#;
    assert_eq!(put([1, 0], features).unwrap(), ["cat", "dog"]);
    for other in ["", "{", "[]", r#"{"info":{"features":{"label":{"names":[1,2]}}}}"#, &"[".repeat(10_000)] {
        assert_eq!(put([1, 0], other).unwrap(), ["0", "1"]);
    }
    for (wrong, row) in [([0, -1], 2), ([2, 0], 1)] {
        let message = put(wrong, features).unwrap_err().to_string();
        let expected = format!(
            "x.parquet`, row {row}: `label` is {}, which names none of its 2 classes",
            wrong[row - 1]
        );
        assert!(message.contains(&expected), "{message}");
    }
}
