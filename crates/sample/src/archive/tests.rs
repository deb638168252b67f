use crate::{DataSet, DatasetError, Inputs, Split};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

/// A tar with these files.
fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        // Past the crate's own checks: others write names as they like.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A folder with tars of these names and files.
fn shards(tars: &[(&str, &[(&str, &str)])]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, files) in tars {
        std::fs::write(root.path().join(name), tar(files)).unwrap();
    }
    root
}

fn open(root: &TempDir, pattern: &str) -> Result<DataSet, DatasetError> {
    let paths = [root.path().join(pattern)];
    Inputs { paths: &paths, root: None, spool: Some(root.path()), bare: false, texts: None }.open()
}

/// A data set, and the folder that its tar lies in.
struct Kept {
    set: DataSet,
    _root: TempDir,
}

impl std::ops::Deref for Kept {
    type Target = DataSet;

    fn deref(&self) -> &DataSet {
        &self.set
    }
}

fn of(files: &[(&str, &str)]) -> Kept {
    let root = shards(&[("x.tar", files)]);
    Kept { set: open(&root, "x.tar").unwrap(), _root: root }
}

/// The samples as `id columns split`; their bytes are those that begin with `of `.
fn listing(set: &DataSet) -> Vec<String> {
    let row = |at: usize| {
        let sample = &set.samples[at];
        assert!(sample.content.read(99).unwrap().starts_with(b"of "), "{}", sample.id);
        let texts: Vec<&str> = set.columns.iter().map(|column| column.text(at)).collect();
        format!("{} {} {}", sample.id, texts.join("+"), sample.split.map_or("-", Split::name))
    };
    (0..set.samples.len()).map(row).collect()
}

fn names(set: &DataSet) -> Vec<&str> {
    set.columns.iter().map(crate::Column::name).collect()
}

#[test]
fn a_tree_has_the_samples_that_the_folder_would_have_had() {
    let expected = ["a/1.jpg a -", "a/x/2.png a -", "b/3.v2.jpg b -"];
    let files = [
        ("b/3.v2.jpg", "of b"),
        ("a/1.jpg", "of a"),
        ("a/1.txt", "notes"),
        ("a/x/2.png", "of x"),
        ("a/.h/4.png", ""),
    ];
    let within: Vec<(String, &str)> =
        files.iter().map(|(name, text)| (format!("photos/{name}"), *text)).collect();
    let within: Vec<(&str, &str)> = within.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let dotted: Vec<(String, &str)> = files.iter().map(|(name, text)| (format!("./{name}"), *text)).collect();
    let dotted: Vec<(&str, &str)> = dotted.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    for files in [&files[..], &within, &dotted] {
        let root = shards(&[("x.tar", files)]);
        let set = open(&root, "x.tar").unwrap();
        assert_eq!((listing(&set), names(&set)), (expected.map(String::from).to_vec(), vec!["label"]));
        assert_eq!(set.passed.to_string(), "1 .txt, 1 hidden");
    }
    let splits = [("train/a/1.jpg", "of"), ("train/b/1.jpg", "of b"), ("Testing/a/1.jpg", "of ")];
    let splits = splits.map(|(name, _)| (name, "of "));
    let set = of(&splits);
    assert_eq!(listing(&set), ["Testing/a/1.jpg a test", "train/a/1.jpg a train", "train/b/1.jpg b train"]);
    let flat = of(&[("2.jpg", "of "), ("1.jpg", "of ")]);
    assert_eq!((listing(&flat), flat.columns.len()), (vec!["1.jpg  -".to_owned(), "2.jpg  -".to_owned()], 0));
}

#[test]
fn files_of_one_key_are_a_sample() {
    let one: &[(&str, &str)] = &[
        ("x/1.jpg", "of 1"),
        ("x/1.cls", "7\n"),
        ("x/1.json", r#"{"age": 3, "tags": ["u", "v"], "box": {"x": 1}}"#),
        ("x/1.seg.png", "mask"),
        ("x/2.png", "depth"),
        ("x/2.JPEG", "of 2"),
        ("x/2.cls", "0"),
        ("x/2.txt", "two"),
        ("x/9.cls", "9"),
        ("readme.md", ""),
    ];
    let root = shards(&[("x.tar", one)]);
    let set = open(&root, "x.tar").unwrap();
    assert_eq!(listing(&set), ["x/1.jpg 7+3+u|v+ -", "x/2.JPEG 0+++two -"]);
    assert_eq!(
        (names(&set), &set.left_out[..]),
        (vec!["label", "age", "tags", "txt"], &["box".to_owned()][..])
    );
    assert_eq!(set.passed.to_string(), "1 .cls, 1 .md, 1 .png, 1 .seg.png");
    // A label of its own in the JSON, and splits.
    let both: &[(&str, &str)] = &[
        ("1.jpg", "of "),
        ("1.cls", "0"),
        ("1.json", r#"{"label": "cat", "split": "val"}"#),
        ("2.jpg", "of "),
        ("2.cls", "1"),
        ("2.json", r#"{"split": "train", "label": "dog"}"#),
    ];
    let set = of(both);
    assert_eq!(
        (listing(&set), names(&set)),
        (vec!["1.jpg cat+0 val".into(), "2.jpg dog+1 train".into()], vec!["label", "cls"])
    );
    // Texts alone, and nothing beside.
    let set = of(&[("1.jpg", "of "), ("1.txt", " cat\n"), ("2.jpg", "of "), ("2.txt", "dog")]);
    assert_eq!(listing(&set), ["1.jpg cat -", "2.jpg dog -"]);
    let folders: &[(&str, &str)] =
        &[("train/1.jpg", "of "), ("train/1.cls", "a"), ("val/1.jpg", "of "), ("val/1.cls", "b")];
    assert_eq!(listing(&of(folders)), ["train/1.jpg a train", "val/1.jpg b val"]);
}

#[test]
fn a_folder_around_the_classes_of_one_tar_is_refused() {
    let bare: &[(&str, &str)] = &[("cat/1.jpg", "of "), ("dog/2.jpg", "of ")];
    let around: &[(&str, &str)] = &[("photos/cat/3.jpg", "of "), ("photos/dog/4.jpg", "of ")];
    let root = shards(&[("a.tar", around), ("b.tar", bare)]);
    let message = open(&root, "").unwrap_err().to_string();
    assert!(message.contains("a.tar` has a folder `photos` around its classes, `"), "{message}");
    assert!(message.ends_with("b.tar` has none; pack both alike"), "{message}");
    // All alike, or a class a tar, whose folders have names of their own.
    let root = shards(&[("a.tar", around), ("b.tar", &[("photos/cat/1.jpg", "of ")])]);
    assert_eq!(listing(&open(&root, "").unwrap()), ["cat/1.jpg cat -", "cat/3.jpg cat -", "dog/4.jpg dog -"]);
    let root = shards(&[("a.tar", &[("cat/x/1.jpg", "of ")]), ("b.tar", &[("dog/x/1.jpg", "of ")])]);
    assert_eq!(listing(&open(&root, "").unwrap()), ["cat/x/1.jpg cat -", "dog/x/1.jpg dog -"]);
}

#[test]
fn a_name_may_say_more_before_its_extension() {
    let files = |ending: &'static str| {
        let files = ["1", "2"].map(|key| [(format!("{key}.{ending}"), "of "), (format!("{key}.cls"), key)]);
        files.concat()
    };
    let image = files("image.JPG");
    let image: Vec<(&str, &str)> = image.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert_eq!(listing(&of(&image)), ["1.image.JPG 1 -", "2.image.JPG 2 -"]);
    // Of two encodings the first; what is called as the label goes before.
    let more = [&image[..], &[("1.image.png", "no"), ("2.jpg", "of ")]].concat();
    let set = of(&more);
    assert_eq!(listing(&set), ["1.image.JPG 1 -", "2.jpg 2 -"]);
    assert_eq!(set.passed.to_string(), "1 .image.jpg, 1 .image.png");
    let mut both = files("left.jpg");
    both.push(("2.right.jpg".to_owned(), "of "));
    let both: Vec<(&str, &str)> = both.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let root = shards(&[("x.tar", &both)]);
    let message = open(&root, "x.tar").unwrap_err().to_string();
    assert!(message.contains("`2.left.jpg` in `"), "{message}");
    assert!(
        message.ends_with(
            "is of one sample with `2.right.jpg`; keep one of them, or rename one up to its first dot"
        ),
        "{message}"
    );
    // In folders that are classes, nothing is said of keys.
    assert_eq!(listing(&of(&[("a/1.left.jpg", "of "), ("b/1.right.jpg", "of ")])).len(), 2);
}

#[test]
fn keys_of_one_file_are_no_columns_of_empty_cells() {
    let keys: Vec<String> = (0..990).map(|key| format!("\"k{key}\":1")).collect();
    let json = format!("{{{}}}", keys.join(","));
    let names: Vec<String> = (0..18_000).map(|at| format!("{at}.jpg")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "of ")).collect();
    files.push(("7.json", &json));
    let few = listing(&of(&files[17_000..]));
    assert_eq!(few.len(), 1_000);
    files.extend([("7.cls", "x")]);
    let root = shards(&[("x.tar", &files)]);
    let message = open(&root, "x.tar").unwrap_err().to_string();
    assert!(message.contains("most of its cells are empty: 991 columns"), "{message}");
}

#[test]
fn shards_are_one_data_set() {
    let of = |key: &'static str, label: &'static str| -> Vec<(String, &str)> {
        vec![(format!("{key}.jpg"), "of "), (format!("{key}.cls"), label)]
    };
    let write = |root: &Path, name: &str, files: &[(String, &str)]| {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        std::fs::write(root.join(name), tar(&files)).unwrap();
    };
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "s-09.tar", &of("b", "1"));
    write(root.path(), "s-10.tar", &of("a", "0"));
    for pattern in ["s-{09..10}.tar", "s-{10,09}.tar", ""] {
        assert_eq!(listing(&open(&root, pattern).unwrap()), ["a.jpg 0 -", "b.jpg 1 -"], "{pattern}");
    }
    let message = open(&root, "s-{09..11}.tar").unwrap_err().to_string();
    assert!(message.contains("s-11.tar` does not exist"), "{message}");
    // Splits by name, and shards that count from 0 each.
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "set-train-0.tar", &of("0", "x"));
    write(root.path(), "set-val-0.tar", &of("0", "y"));
    let set = open(&root, "set-{train,val}-0.tar").unwrap();
    assert_eq!(listing(&set), ["set-train-0/0.jpg x train", "set-val-0/0.jpg y val"]);
    let twice = [root.path().join("set-val-0.tar"), root.path().join("set-val-0.tar")];
    let message = Inputs { paths: &twice, root: None, spool: None, bare: false, texts: None }
        .open()
        .unwrap_err()
        .to_string();
    assert!(message.contains("set-val-0.tar` holds `0.jpg` twice; keep one of them"), "{message}");
    let other = [root.path().join("set-val-0.tar"), PathBuf::from("x.csv")];
    let message = Inputs { paths: &other, root: None, spool: None, bare: false, texts: None }
        .open()
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("`x.csv` is no .tar or .parquet like the others; several inputs"),
        "{message}"
    );
}

#[test]
fn what_gzip_packed_is_kept_unpacked_without_a_name() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&tar(&[("a/1.jpg", "of a"), ("b/2.jpg", "of b")])).unwrap();
    let packed = packed.finish().unwrap();
    let root = tempfile::tempdir().unwrap();
    for name in ["x.tar.gz", "x.tgz", "x.tar"] {
        std::fs::write(root.path().join(name), &packed).unwrap();
        assert_eq!(listing(&open(&root, name).unwrap()), ["a/1.jpg a -", "b/2.jpg b -"]);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
        std::fs::remove_file(root.path().join(name)).unwrap();
    }
}

#[test]
fn names_that_lead_out_and_links_are_named_skips() {
    let mut tar = Builder::new(tar(&[
        ("a/1.jpg", "of "),
        ("b/2.jpg", "of "),
        ("/etc/3.jpg", "x"),
        ("a/../../4.jpg", "x"),
        ("../5.txt", ""),
    ]));
    let whole = tar.get_ref().len();
    tar.get_mut().truncate(whole - 1024);
    for (kind, name, to) in [
        (EntryType::Link, "b/link.jpg", "./a/1.jpg"),
        (EntryType::Link, "b/none.jpg", "/etc/passwd"),
        (EntryType::Symlink, "b/soft.jpg", "../a/1.jpg"),
        (EntryType::Fifo, "b/pipe.jpg", ""),
        (EntryType::Symlink, "b/soft.txt", "../a/1.jpg"),
    ] {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
        header.set_path(name).unwrap();
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("x.tar"), tar.into_inner().unwrap()).unwrap();
    let set = open(&root, "x.tar").unwrap();
    assert_eq!(listing(&set), ["a/1.jpg a -", "b/2.jpg b -", "b/link.jpg b -"]);
    let skipped: Vec<String> =
        set.skipped.iter().map(|skipped| format!("{}: {}", skipped.id, skipped.reason)).collect();
    let expected = [
        "/etc/3.jpg: its name is absolute, or has `..` in it; rename it",
        "a/../../4.jpg: its name is absolute, or has `..` in it; rename it",
        "b/none.jpg: it is a link to no file that stands before it in the tar",
        "b/pipe.jpg: it is no file",
        "b/soft.jpg: it is a symbolic link",
    ];
    assert_eq!((skipped, set.passed.to_string().as_str()), (expected.map(String::from).to_vec(), "1 .txt"));
}

#[test]
fn what_is_wrong_is_named() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "`T` holds no images; expected a folder per class"),
        (
            &[("a/1.jpg", ""), ("b/1.txt", "")],
            "class folder `b` in `T` holds no images (passed over: 1 .txt)",
        ),
        (
            &[("a/1.jpg", ""), ("b/1.jpg", ""), ("c.jpg", "")],
            "`T` holds 1 image outside any class folder (`c.jpg`)",
        ),
        (&[("a/1.jpg", ""), ("b/1.jpg", ""), ("a/1.jpg", "")], "`T` holds `a/1.jpg` twice; keep one of them"),
        (&[("a", ""), ("a/1.jpg", "")], "`a` in `T` is a file and a folder"),
        (
            &[("1.jpg", ""), ("1.cls", "x"), ("2.jpg", "")],
            "`2.jpg` in `T` has no label, but others have; give it a .cls",
        ),
        (
            &[("1.jpg", ""), ("1.cls", "x"), ("1.json", "[1]")],
            "`1.json` in `T` cannot be read: invalid type: sequence",
        ),
        (
            &[("1.jpg", ""), ("1.json", r#"{"a":1,"a":2}"#)],
            "`1.json` in `T` cannot be read: it has the key `a` twice",
        ),
        (
            &[("1.jpg", ""), ("1.json", r#"{"label":"x","split":"half"}"#)],
            "`1.jpg` in `T` has the split `half`; expected train, val or test",
        ),
        (&[("1.cls", "x")], "`T` holds no images; expected a folder per class"),
    ];
    for (files, expected) in cases {
        let root = shards(&[("x.tar", files)]);
        let message = open(&root, "x.tar").unwrap_err().to_string();
        let message = message.replace(root.path().join("x.tar").to_str().unwrap(), "T");
        assert!(message.starts_with(expected), "{message}");
    }
    let root = shards(&[("x.tar", &[("a/1.jpg", "of "), ("b/1.jpg", "of ")])]);
    std::fs::write(root.path().join("x.tar"), &std::fs::read(root.path().join("x.tar")).unwrap()[..1024])
        .unwrap();
    let message = open(&root, "x.tar").unwrap_err().to_string();
    assert!(message.ends_with("x.tar`: it has no end; it was not written or copied in full"), "{message}");
}
