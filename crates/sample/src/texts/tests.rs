use super::*;
use crate::Column;
use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, Series, df};
use polars_io::{parquet::write::KeyValueMetadata, prelude::ParquetWriter};
use tempfile::TempDir;

const DEFAULT: TextColumns<'static> = TextColumns { first: None, second: None };

/// A folder with these files and what they hold.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Opens these paths of the folder, or the folder.
fn open_in(
    root: &TempDir,
    names: &[&str],
    columns: TextColumns<'_>,
    bare: bool,
) -> Result<DataSet, DatasetError> {
    let paths = match names {
        [] => vec![root.path().to_owned()],
        names => names.iter().map(|name| root.path().join(name)).collect(),
    };
    Inputs { paths: &paths, root: None, spool: None, bare, texts: Some(columns) }.open()
}

/// The samples as `id text columns split`, U+0000 as `/`, then what was skipped.
fn listing(set: &DataSet) -> Vec<String> {
    let row = |at: usize| {
        let sample = &set.samples[at];
        let texts: Vec<&str> = set.columns.iter().map(|column| column.text(at)).collect();
        let text = String::from_utf8(sample.content.read(99).unwrap()).unwrap().replace('\0', "/");
        format!("{} {text} {} {}", sample.id, texts.join("+"), sample.split.map_or("-", Split::name))
    };
    let skipped = set.skipped.iter().map(|skipped| format!("{}: {}", skipped.id, skipped.reason));
    (0..set.samples.len()).map(row).chain(skipped).collect()
}

/// What one file of this name lists, or the message with its path as `T`.
fn table(name: &str, text: &str, columns: TextColumns<'_>) -> Result<Vec<String>, String> {
    let root = folder(&[(name, text)]);
    let path = root.path().join(name);
    open_in(&root, &[name], columns, false)
        .map(|set| listing(&set))
        .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "T"))
}

fn parquet(root: &TempDir, name: &str, mut frame: DataFrame, features: &str) {
    let notes = KeyValueMetadata::from_static(vec![("huggingface".to_owned(), features.to_owned())]);
    let file = fs::File::create(root.path().join(name)).unwrap();
    ParquetWriter::new(file).with_key_value_metadata(Some(notes)).finish(&mut frame).unwrap();
}

#[test]
fn a_folder_of_texts_has_the_classes_and_splits_that_one_of_pictures_has() {
    let root = folder(&[
        ("train/pos/1.txt", "good"),
        ("train/neg/deep/2.TXT", "bad"),
        ("test/pos/1.txt", ""),
        ("test/pos/1.png", "x"),
        ("test/neg/.hidden.txt", ""),
        ("test/neg/3.txt", "worse"),
        ("README.md", ""),
    ]);
    let set = open_in(&root, &[], DEFAULT, false).unwrap();
    let expected = [
        "test/neg/3.txt worse neg test",
        "test/pos/1.txt  pos test",
        "train/neg/deep/2.TXT bad neg train",
        "train/pos/1.txt good pos train",
    ];
    assert_eq!(
        (listing(&set), set.passed.to_string().as_str()),
        (expected.map(String::from).to_vec(), "1 .md, 1 .png, 1 hidden")
    );
    assert_eq!(set.samples[0].content, Content::File(root.path().join("test/neg/3.txt")));
    // A table beside texts is no data set of its own.
    let flat = folder(&[("a.txt", "a"), ("b.txt", "b"), ("labels.csv", "text\nx\n")]);
    let set = open_in(&flat, &[], DEFAULT, false).unwrap();
    assert_eq!((listing(&set), set.passed.of(".csv")), (vec!["a.txt a  -".into(), "b.txt b  -".into()], 1));
    for (files, expected) in [
        (
            &[("a/1.txt", ""), ("2.txt", "")][..],
            "`ROOT` holds 1 text outside any class folder (`2.txt`); expected a folder per class, or no folders, for texts without labels",
        ),
        (
            &[("a/1.txt", ""), ("b/1.png", "")],
            "class folder `b` in `ROOT` holds no texts (passed over: 1 .png); fill it or remove it",
        ),
        (
            &[("train/a/1.txt", ""), ("train/b/1.txt", ""), ("test/1.md", "")],
            "split folder `test` in `ROOT` holds no texts (passed over: 1 .md); fill it or remove it",
        ),
        (
            &[("1.png", "")],
            "`ROOT` holds no texts; expected a folder per class with files of txt, found 1 .png",
        ),
    ] {
        let root = folder(files);
        let message = open_in(&root, &[], DEFAULT, false).unwrap_err().to_string();
        assert_eq!(message.replace(root.path().to_str().unwrap(), "ROOT"), expected, "{files:?}");
    }
}

#[test]
fn where_only_content_counts_texts_may_lie_anywhere() {
    let root = folder(&[("a/1.txt", "one"), ("2.txt", "two"), ("t.csv", "text,label\nx,\n")]);
    let bare = |names: &[&str]| open_in(&root, names, DEFAULT, true).map(|set| set.samples.len());
    assert_eq!((bare(&[]).unwrap(), bare(&["2.txt"]).unwrap(), bare(&["2.txt", "a"]).unwrap()), (2, 1, 2));
    assert_eq!(bare(&["t.csv"]).unwrap(), 1);
    let message = bare(&["a/none.txt"]).unwrap_err().to_string();
    assert!(message.contains("a/none.txt` does not exist; expected a folder of .txt files"), "{message}");
    let none = folder(&[("x.png", "")]);
    let message = open_in(&none, &[], DEFAULT, true).unwrap_err().to_string();
    assert!(
        message.ends_with("holds no texts with the names of txt, found 1 .png; name a folder that does"),
        "{message}"
    );
}

#[test]
fn each_row_of_a_table_is_a_text() {
    let expected = ["t#000000  a, b  x train", "t#000001 c y val"];
    let named = TextColumns { first: Some("review"), second: None };
    for (name, text, columns) in [
        ("t.csv", "text,label,split\n\" a, b \",x,train\nc,y,dev\n", DEFAULT),
        ("t.tsv", "label\tsentence\tsplit\nx\t a, b \ttrain\ny\tc\tdev\n", DEFAULT),
        ("t.TSV", "label\treview\tsplit\nx\t\" a, b \"\ttrain\ny\tc\tdev\n", named),
        (
            "t.jsonl",
            "{\"text\":\" a, b \",\"label\":\"x\",\"split\":\"train\"}\n\n{\"label\":\"y\",\"text\":\"c\",\"split\":\"dev\"}\n",
            DEFAULT,
        ),
        (
            "t.ndjson",
            "{\"review\":\" a, b \",\"label\":\"x\",\"split\":\"train\"}\n{\"label\":\"y\",\"review\":\"c\",\"split\":\"dev\"}\n",
            named,
        ),
    ] {
        assert_eq!(table(name, text, columns).unwrap(), expected, "{name}");
    }
    // A tab alone separates, whatever the header holds.
    assert_eq!(table("t.tsv", "text\ta,b\nx, y\t1\n", DEFAULT).unwrap(), ["t#000000 x, y 1 -"]);
    // The others say something of the samples.
    assert_eq!(table("t.csv", "sentence,text,n\ns,t,1\n", DEFAULT).unwrap(), ["t#000000 t s+1 -"]);
}

#[test]
fn what_is_no_text_is_left_out_with_its_reason() {
    let text = "text,label\na,x\n,\nb,y\n\"\",z\n";
    let expected = ["t#000000 a x -", "t#000001 b y -", "t#000002: no text"];
    assert_eq!(table("t.csv", text, DEFAULT).unwrap(), expected);
    let lines = [
        r#"{"text":"","label":"x"}"#,
        r#"{"text":null}"#,
        r#"{"text":"a\u0000b","label":"x"}"#,
        r#"{"label":"x"}"#,
        r#"{"text":"ü","label":"y"}"#,
    ];
    let expected = [
        "t#000000  x -",
        "t#000004 ü y -",
        "t#000001: no text",
        "t#000002: its text holds the character U+0000, which stands between the texts of a pair",
        "t#000003: no text",
    ];
    let mut found = table("t.jsonl", &lines.join("\n"), DEFAULT).unwrap();
    assert_eq!(found.split_off(2), [expected[2], expected[3], expected[4]]);
    assert_eq!(found, expected[..2]);
    let message = table("t.jsonl", "{\"text\":null}\n{\"x\":1}\n", DEFAULT).unwrap_err();
    assert_eq!(message, "`T` has no row that is a text; all 2 are left out, the first because: no text");
}

#[test]
fn two_columns_make_pairs() {
    let pair = TextColumns { first: None, second: Some("other") };
    let text = "{\"text\":\"a\",\"other\":\"b\",\"n\":1}\n{\"text\":\"a\"}\n{\"text\":\"\",\"other\":\"\"}\n{\"text\":\"a\",\"other\":\"\\u0000\"}\n";
    let found = table("t.jsonl", text, pair).unwrap();
    assert_eq!(found[..3], ["t#000000 a/b 1 -", "t#000002 /  -", "t#000001: no text"]);
    assert!(found.len() == 4 && found[3].starts_with("t#000003: its text holds"), "{found:?}");
    let named = TextColumns { first: Some("q"), second: Some("other") };
    assert_eq!(table("t.csv", "other,q\nb,a\n", named).unwrap(), ["t#000000 a/b  -"]);
    let message = table("t.csv", "text\na\n", pair).unwrap_err();
    let expected =
        "`T` has no column `other`; found `text`; say which column holds the texts by --text-column";
    assert_eq!(message, expected);
}

#[test]
fn rows_are_called_what_the_table_calls_them_if_that_is_one_name_each() {
    for (text, ids) in [
        ("id,path,text\n10,p,a\n9,q,b\n", ["10", "9"]),
        ("path,text\nb/1,a\n./a/2,b\n", ["a/2", "b/1"]),
        ("id,text\n1,a\n1,b\n", ["t#000000", "t#000001"]),
        ("id,text\n1,a\n,b\n", ["t#000000", "t#000001"]),
        ("id,text\n../1,a\n2,b\n", ["t#000000", "t#000001"]),
    ] {
        let root = folder(&[("t.csv", text)]);
        let set = open_in(&root, &["t.csv"], DEFAULT, false).unwrap();
        let found: Vec<&str> = set.samples.iter().map(|sample| sample.id.as_str()).collect();
        assert_eq!((found, set.columns.len()), (ids.to_vec(), 0), "{text}");
    }
}

#[test]
fn several_tables_are_one_data_set_and_their_names_say_splits() {
    let files = [
        ("train.csv", "id,text,label\n1,a,x\n2,b,y\n"),
        ("dev.csv", "id,text,label\n3,c,x\n"),
        ("test.csv", "id,text,label,more\n4,d,y,m\n"),
        ("readme.txt", "No sample."),
    ];
    let root = folder(&files);
    let expected = ["1 a x+ train", "2 b y+ train", "3 c x+ val", "4 d y+m test"];
    for names in [&[][..], &["train.csv", "dev.csv", "test.csv"], &["{train,dev,test}.csv"]] {
        assert_eq!(listing(&open_in(&root, names, DEFAULT, false).unwrap()), expected, "{names:?}");
    }
    // One alone may be all there is, and each may count from 1.
    assert_eq!(listing(&open_in(&root, &["dev.csv"], DEFAULT, false).unwrap()), ["3 c x -"]);
    let root = folder(&[
        ("data/train-0.jsonl", "{\"id\":1,\"text\":\"a\"}"),
        ("data/test-0.jsonl", "{\"id\":1,\"text\":\"b\"}"),
    ]);
    let expected = ["test-0#000000 b  test", "train-0#000000 a  train"];
    assert_eq!(listing(&open_in(&root, &[], DEFAULT, false).unwrap()), expected);
    let root = folder(&[("a.csv", "text,label\na,x\n"), ("b.tsv", "text\nb\n"), ("c.jsonl", "")]);
    let all = open_in(&root, &["a.csv", "b.tsv", "c.jsonl"], DEFAULT, true).unwrap();
    assert_eq!(listing(&all), ["a#000000 a x -", "b#000000 b  -"]);
    let message = open_in(&root, &["a.csv", "b.tsv"], DEFAULT, false).unwrap_err().to_string();
    assert!(message.contains("b.tsv` has no column `label`, but others have"), "{message}");
    let root = folder(&[("a.csv", "sentence\na\n"), ("b.csv", "text\nb\n")]);
    let message = open_in(&root, &["a.csv", "b.csv"], DEFAULT, false).unwrap_err().to_string();
    assert!(message.contains("b.csv` has no column `sentence`; found `text`"), "{message}");
}

#[test]
fn parquet_says_what_numbers_stand_for_and_what_has_no_value() {
    let root = tempfile::tempdir().unwrap();
    let bytes = Series::new("image".into(), ["p", "q", "r"].map(str::as_bytes)).into_column();
    let mut frame = df!("text" => [Some("a"), None, Some("")], "label" => [1i64, 0, -1]).unwrap();
    frame.with_column(bytes).unwrap();
    let features = r#"{"info":{"features":{"label":{"names":["neg","pos"]}}}}"#;
    parquet(&root, "t.parquet", frame, features);
    let open = |bare| open_in(&root, &["t.parquet"], DEFAULT, bare);
    let message = open(false).unwrap_err().to_string();
    assert!(message.contains("row 3: `label` is -1, which names none of its 2 classes"), "{message}");
    let set = open(true).unwrap();
    assert_eq!(listing(&set), ["t#000000 a pos -", "t#000002  -1 -", "t#000001: no text"]);
    assert_eq!(
        (set.left_out, set.columns.iter().map(Column::name).collect::<Vec<_>>()),
        (vec!["image".to_owned()], vec!["label"])
    );
}

#[test]
fn lines_of_standard_input_are_texts() {
    let open = |bytes: &[u8]| lines(bytes, Path::new("-"));
    let set = open(b"\xef\xbb\xbfone\r\n\n  two\n\xff\na\0b\nthree").unwrap();
    let expected = [
        "-#000000 one  -",
        "-#000002   two  -",
        "-#000005 three  -",
        "-#000003: it is not UTF-8",
        "-#000004: its text holds the character U+0000, which stands between the texts of a pair",
    ];
    assert_eq!(
        (listing(&set), set.passed.to_string()),
        (expected.map(String::from).to_vec(), "1 empty line".into())
    );
    let message = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
    assert_eq!(message(b"\n\n"), "standard input holds no text; expected texts, one a line");
    assert!(message(b"\xff\n").ends_with("; 1 are not UTF-8, or hold zero bytes"));
    assert_eq!(message(b"\x1f\x8b..."), "standard input is packed; expected texts, one a line");
    let paths = [PathBuf::from("-")];
    let named = TextColumns { first: Some("text"), second: None };
    let inputs = Inputs { paths: &paths, root: None, spool: None, bare: false, texts: Some(named) };
    let message = inputs.open().unwrap_err().to_string();
    assert_eq!(message, "`-` is no table; --text-column goes with .csv, .tsv, .jsonl or .parquet tables");
    let inputs = Inputs { root: Some(Path::new("x")), texts: Some(DEFAULT), ..inputs };
    assert!(inputs.open().unwrap_err().to_string().starts_with("`-` has names of its own; --root goes with"));
}

#[test]
fn what_is_no_data_set_of_texts_is_one_clear_line() {
    let named = TextColumns { first: Some("review"), second: None };
    let hint = "say which column holds the texts by --text-column";
    for (name, text, columns, expected) in [
        ("t.csv", "path,label\na,x\n", DEFAULT, format!("`T` has no column `text` or `sentence`; found `path`, `label`; {hint}")),
        ("t.csv", "text\na\n", named, format!("`T` has no column `review`; found `text`; {hint}")),
        ("t.jsonl", "{}\n", DEFAULT, format!("`T` has no column `text` or `sentence`; found no column; {hint}")),
        ("t.csv", "text,label\n", DEFAULT, "`T` has no rows; expected one per sample".to_owned()),
        ("t.jsonl", "\n", DEFAULT, "`T` has no rows; expected one per sample".to_owned()),
        ("t.csv", "text,label\na,x\nb,\n", DEFAULT, "`T`, row 2 (line 3): `label` is empty".to_owned()),
        ("t.csv", "text,split\na,half\n", DEFAULT, "`T`, row 1 (line 2): split `half` is unknown; expected train, val or test".to_owned()),
        ("t.jsonl", "{\"text\":{}}\n", DEFAULT, "column `text` of `T` holds objects or lists of them; expected text or numbers, convert it to text".to_owned()),
        ("t.csv", "", DEFAULT, "cannot read `T`: it is empty".to_owned()),
        ("t.tar", "", DEFAULT, "`T` holds no texts by its name: expected a folder of .txt files, or .csv, .tsv, .jsonl or .parquet tables".to_owned()),
    ] {
        assert_eq!(table(name, text, columns).unwrap_err(), expected, "{text:?}");
    }
    let root = folder(&[("a.csv", "text\na\n"), ("b.txt", "b")]);
    let message = |names: &[&str], columns| open_in(&root, names, columns, false).unwrap_err().to_string();
    assert!(message(&["a.csv", "b.txt"], DEFAULT).contains("b.txt` holds no texts by its name"));
    assert!(message(&["a.csv", "a.csv"], DEFAULT).contains("a.csv` holds `a#000000` twice"));
    assert!(message(&["none"], DEFAULT).contains("none` does not exist"));
    assert!(message(&[], named).contains("is no table; --text-column goes with"));
}

#[test]
fn no_more_of_a_text_is_read_than_may_be() {
    let text = Content::Text("12345".into());
    assert_eq!(text.read(5).unwrap(), b"12345");
    assert_eq!(text.read(4).unwrap_err().to_string(), "its 5 bytes are more than the 4 expected");
}
