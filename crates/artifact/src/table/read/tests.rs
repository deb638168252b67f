use super::*;
use std::path::PathBuf;

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
    let cases: [(&str, &[u8], &str); 10] = [
        ("m.csv", b"", "it is empty"),
        ("m.csv", b"\n\n", "it is empty"),
        ("m.csv", &utf16, "it is UTF-16, not UTF-8"),
        ("m.csv", &marked, "it is UTF-16, not UTF-8"),
        ("m.csv", b"path,label\na.png,cat\nb.png,\xe9\n", "line 3 is not UTF-8"),
        ("m.csv", b"path,label\na.png,c\0t\n", "line 2 holds a zero byte"),
        ("m.csv", b"path,label,label\na,b,c\n", "two columns `label`"),
        ("m.csv", b"path,label, label\na,b,c\n", "two columns `label`"),
        ("m.csv", long.as_bytes(), "cannot read"),
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
    assert!(message.ends_with("it is not a regular file"), "{message}");
    assert!(matches!(read(&root.path().join("m.tsv")), Err(TableError::Format { .. })));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let root = tempfile::tempdir().unwrap();
    for name in ["m.csv", "m.parquet"] {
        let path = root.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(read(&path).unwrap_err().to_string().ends_with("it is not a regular file"));
    }
}

#[test]
fn a_panic_of_polars_is_a_damaged_table_and_the_hook_is_as_it_was() {
    static TOLD: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let told = || TOLD.load(std::sync::atomic::Ordering::SeqCst);
    panic::set_hook(Box::new(|_| {
        TOLD.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }));
    let reason = guarded::<DataFrame>(|| panic!("index out of bounds")).unwrap_err();
    assert_eq!((reason.as_str(), told()), ("it is damaged", 0));
    let _ = panic::catch_unwind(|| panic!("elsewhere"));
    assert_eq!(told(), 1);
    let _ = panic::take_hook();
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
