use super::*;
use std::{fs, path::PathBuf};

/// A file of this name and content.
fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(name);
    fs::write(&path, content).unwrap();
    (root, path)
}

/// Names of columns, then rows, cells between `|`.
fn cells(frame: &DataFrame) -> Vec<String> {
    let columns: Vec<_> = frame.columns().iter().map(|column| column.str().unwrap()).collect();
    let row = |row| columns.iter().map(|column| column.get(row).unwrap_or("-")).collect::<Vec<_>>().join("|");
    let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
    [names.join("|")].into_iter().chain((0..frame.height()).map(row)).collect()
}

#[test]
fn csv_files_of_every_make_hold_the_same_table() {
    let expected = ["path|label", "a.png|cat", "b.png|dog, big"];
    for text in [
        "path,label\na.png,cat\nb.png,\"dog, big\"\n",
        "path,label\na.png,cat\nb.png,\"dog, big\"",
        "path,label\r\na.png,cat\r\nb.png,\"dog, big\"\r\n",
        "path,label\ra.png,cat\rb.png,\"dog, big\"\r",
        "\u{feff}path,label\na.png,cat\nb.png,\"dog, big\"\n",
        "path, label\na.png,cat\nb.png,\"dog, big\"\n",
        "\"path\" ,\"label\"\na.png,cat\nb.png,\"dog, big\"\n",
        "path;label\na.png;cat\nb.png;dog, big\n",
        "path\tlabel\na.png\tcat\nb.png\tdog, big\n",
        "\n\npath,label\n\na.png,cat\n\n\nb.png,\"dog, big\"\n\n",
        "path,label\na.png,cat\n,\nb.png,\"dog, big\"\n , \n,\n",
        "path,label\r\n\r\na.png,cat\r\n\r\nb.png,\"dog, big\"\r\n\r\n",
    ] {
        let (_root, path) = file("m.csv", text.as_bytes());
        assert_eq!(cells(&read(&path).unwrap()), expected, "{text:?}");
    }
    let (_root, path) = file("m.csv", b"path,,\na.png,,\n");
    assert_eq!(cells(&read(&path).unwrap()), ["path|column 2|column 3", "a.png|-|-"]);
}

#[test]
fn what_is_no_table_is_one_short_line() {
    let utf16: Vec<u8> = "path,label\na.png,cat\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &utf16].concat();
    let long = format!("path,label\n{}\n", "a,".repeat(100_000));
    let cases: [(&str, &[u8], &str); 12] = [
        ("m.csv", b"", "it is empty"),
        ("m.csv", b"\n\n", "it is empty"),
        ("m.csv", &utf16, "it is UTF-16, not UTF-8"),
        ("m.csv", &marked, "it is UTF-16, not UTF-8"),
        ("m.csv", b"path,label\na.png,cat\nb.png,\xe9\n", "line 3 is not UTF-8"),
        ("m.csv", b"path,label\na.png,c\0t\n", "line 2 holds a zero byte"),
        ("m.csv", b"path,label,label\na,b,c\n", "two columns `label`"),
        ("m.csv", b"path,label, label\na,b,c\n", "two columns `label`"),
        ("m.csv", long.as_bytes(), "line 2 has 100001 cells, but the header in line 1 has 2"),
        ("m.csv", b"# mine\npath,label\na,b\n", "line 2 has 2 cells, but the header in line 1 has 1"),
        ("m.csv", b"path,label\na,\"b\nc,d\n", "line 2 has a quote that opens a cell, and none closes it"),
        ("m.parquet", b"hello", "cannot read"),
    ];
    for (name, content, part) in cases {
        let (_root, path) = file(name, content);
        let message = read(&path).unwrap_err().to_string();
        assert!(message.contains(part) && !message.contains('\n'), "{part}: {message}");
        assert!(message.chars().count() < 400, "{message}");
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("m.csv")).unwrap();
    let message = read(&root.path().join("m.csv")).unwrap_err().to_string();
    assert!(message.ends_with("not a regular file"), "{message}");
    assert!(matches!(read(&root.path().join("m.txt")), Err(TableError::Format { .. })));
}

#[test]
fn tabs_alone_separate_what_is_called_tsv() {
    let (_root, path) = file("m.TSV", b"path\tlabel, or none\na.png\t\"x\ty\"\n b, c.png\t\n");
    assert_eq!(cells(&read(&path).unwrap()), ["path|label, or none", "a.png|x\ty", " b, c.png|-"]);
    let (_root, path) = file("m.tsv", b"a,b\n1,2,3\n");
    assert_eq!(cells(&read(&path).unwrap()), ["a,b", "1,2,3"]);
}

#[test]
fn an_empty_text_is_told_from_none_where_the_format_does() {
    let (_root, path) = file("m.jsonl", b"{\"a\":\"\"}\n{\"a\":null}\n{}\n{\"a\":\" x \"}\n{\"a\":[]}\n");
    let table = Table::open(&path, &["a"]).unwrap();
    let texts = table.needed("a").unwrap();
    assert_eq!([0, 1, 2, 3, 4].map(|row| texts.whole(row)), [Some(""), None, None, Some(" x "), None]);
    assert_eq!([0, 1, 2, 3, 4].map(|row| texts.get(row)), [None, None, None, Some("x"), None]);
}

#[test]
fn nothing_is_read_but_the_columns_asked_for() {
    let (_root, path) = file("m.csv", b"path, label,note\na.png, \"cat\",x\n\nb.png,5\" disc,\n");
    let table = Table::open(&path, &["label", "split"]).unwrap();
    assert_eq!((table.names(), table.height()), (&["path", "label", "note"].map(str::to_owned)[..], 2));
    let labels = table.needed("label").unwrap();
    assert_eq!([0, 1].map(|row| labels.get(row)), [Some("cat"), Some("5\" disc")]);
    assert!(table.texts("path").is_none() && table.texts("split").is_none());
    assert_eq!(table.position(1).to_string(), "row 2 (line 4)");
}

#[test]
fn small_integers_are_text_and_other_kinds_a_line_where_they_are_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.parquet");
    let mut frame = df!(
        "path" => ["a.png", "b.png"],
        " i8 " => Series::new("".into(), [-1i8, 2]),
        "u8" => Series::new("".into(), [1u8, 2]),
        "i16" => Series::new("".into(), [-1i16, 2]),
        "u16" => Series::new("".into(), [1u16, 2]),
        "bytes" => Series::new("".into(), [b"x", b"y"].map(|bytes| &bytes[..])),
    )
    .unwrap();
    super::super::write(&mut frame, &path, false, crate::Ours::table("a table", &[])).unwrap();
    let table = Table::open(&path, &["u16", "i8", "path"]).unwrap();
    for (name, expected) in [("path", "a.png"), ("u16", "1"), ("i8", "-1")] {
        assert_eq!(table.texts(name).unwrap().get(0), Some(expected));
    }
    assert_eq!((table.height(), table.position(0).to_string().as_str()), (2, "row 1"));
    assert_eq!(Table::open(&path, &["none"]).unwrap().height(), 2);
    let message = Table::open(&path, &["bytes"]).err().unwrap().to_string();
    assert!(
        message.starts_with("column `bytes` of `") && message.ends_with("convert it to text"),
        "{message}"
    );
}

/// Files of pyarrow's, with kinds of columns that polars is not compiled for.
#[test]
fn other_columns_may_be_of_any_kind() {
    let at = |name: &str| Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name);
    let table = Table::open(&at("kinds.parquet"), &["path", "label", "kind"]).unwrap();
    for (name, expected) in [("path", ["a.png", "b.png"]), ("label", ["1", "2"]), ("kind", ["x", "y"])] {
        assert_eq!([0, 1].map(|row| table.texts(name).unwrap().get(row).unwrap()), expected);
    }
    for name in ["day", "at", "time", "span", "half", "price", "fixed", "parts"] {
        let message = Table::open(&at("kinds.parquet"), &["path", name]).err().unwrap().to_string();
        assert!(message.starts_with(&format!("column `{name}` of `")), "{message}");
        assert!(message.ends_with("expected text or numbers, convert it to text"), "{message}");
    }
    let message = Table::open(&at("twice.parquet"), &["path"]).err().unwrap().to_string();
    assert!(message.ends_with("has two columns `label`; rename one of them"), "{message}");
}

#[test]
fn json_lines_are_a_table_too() {
    let text = "\u{feff}{\"path\":\"a.png\",\"label\":\"cat\",\"box\":{\"x\":1}}\n\n{\"label\":7,\"path\":\"b.png\"}\n";
    for name in ["m.jsonl", "m.NDJSON"] {
        let (_root, path) = file(name, text.as_bytes());
        assert_eq!(cells(&read(&path).unwrap()), ["path|label", "a.png|cat", "b.png|7"]);
        let table = Table::open_all(&path, &["path"]).unwrap();
        assert_eq!(table.left_out(), ["box"]);
        assert_eq!(table.position(1).to_string(), "row 2 (line 3)");
        let message = Table::open(&path, &["box"]).err().unwrap().to_string();
        assert!(message.contains("holds objects or lists of them; expected text or numbers"), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_too_long_for_a_table_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.csv");
    fs::File::create(&path).unwrap().set_len(MOST_TEXT + 1).unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(message.ends_with("its 1073741825 bytes are more than the 1073741824 expected"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let root = tempfile::tempdir().unwrap();
    for name in ["m.csv", "m.parquet"] {
        let path = root.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(read(&path).unwrap_err().to_string().ends_with("not a regular file"));
    }
}

#[test]
fn no_flipped_byte_of_a_parquet_file_panics() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("m.parquet");
    let names: Vec<String> = (0..40).map(|n| format!("some/folder/{n}.png")).collect();
    let labels: Vec<String> = (0..40).map(|n| format!("class {}", n % 3)).collect();
    let mut frame = df!("path" => names, "label" => labels).unwrap();
    super::super::write(&mut frame, &path, false, crate::Ours::table("a table", &[])).unwrap();
    let good = fs::read(&path).unwrap();
    let (mut refused, mut panicked) = (0, 0);
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        if let Err(error) = read(&path) {
            let message = error.to_string();
            assert!(!message.contains('\n') && message.chars().count() < 500, "{message}");
            refused += 1;
            panicked += u32::from(message.ends_with("it is damaged"));
        }
    }
    assert!(refused > 50 && panicked > 0, "{refused} refused, {panicked} of them panicked");
}
