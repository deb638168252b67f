use super::*;
use tempfile::TempDir;

/// A folder with these files, each holding its own name; a name that ends in `/` is a folder.
fn tree(files: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        std::fs::create_dir_all(if file.ends_with('/') { &path } else { path.parent().unwrap() }).unwrap();
        if !file.ends_with('/') {
            std::fs::write(&path, file).unwrap();
        }
    }
    root
}

/// The samples as `id label split`.
fn listing(set: &DataSet) -> Vec<String> {
    let split = |split: Option<Split>| split.map_or("-".to_owned(), |split| split.to_string());
    set.samples.iter().map(|s| format!("{} {} {}", s.id, s.label, split(s.split))).collect()
}

/// The error's message, with the root's path written `ROOT`.
fn message(root: &TempDir) -> String {
    let error = DataSet::open(root.path()).unwrap_err().to_string();
    error.replace(root.path().to_str().unwrap(), "ROOT")
}

#[test]
fn classes_without_splits() {
    let root = tree(&[
        "b/2.PNG",
        "b/1.jpeg",
        "B/x/y.tif",
        "a/notes.txt",
        "a/0.webp",
        ".git/c.png",
        "a/.d.png",
        "README",
    ]);
    let set = DataSet::open(root.path()).unwrap();
    assert_eq!(set.classes, ["B", "a", "b"]);
    assert_eq!(listing(&set), ["B/x/y.tif 0 -", "a/0.webp 1 -", "b/1.jpeg 2 -", "b/2.PNG 2 -"]);
    assert_eq!(set.ignored, [("none".to_owned(), 1), ("txt".to_owned(), 1)].into());
    for sample in &set.samples {
        assert_eq!(std::fs::read_to_string(&sample.path).unwrap(), sample.id);
    }
}

#[test]
fn classes_below_splits() {
    let root = tree(&["train/a/1.png", "train/b/2.png", "Validation/b/3.png", "test/a/1.png", "test/b/"]);
    let set = DataSet::open(root.path()).unwrap();
    assert_eq!(set.classes, ["a", "b"]);
    let expected =
        ["Validation/b/3.png 1 val", "test/a/1.png 0 test", "train/a/1.png 0 train", "train/b/2.png 1 train"];
    assert_eq!(listing(&set), expected);
}

#[test]
fn a_class_may_be_called_train_and_a_data_set_may_lack_it() {
    let vehicles = tree(&["bus/1.png", "train/2.png"]);
    assert_eq!(DataSet::open(vehicles.path()).unwrap().classes, ["bus", "train"]);
    let held_out = tree(&["test/a/1.png", "test/b/1.png"]);
    assert_eq!(DataSet::open(held_out.path()).unwrap().samples.len(), 2);
}

#[test]
fn what_is_no_class_tree_is_one_clear_line() {
    let extensions = EXTENSIONS.join(", ");
    let cases: &[(&[&str], &str)] = &[
        (
            &[],
            &format!(
                "`ROOT` holds no images; expected a folder per class with files of {extensions}, found nothing"
            ),
        ),
        (
            &["a.txt"],
            &format!(
                "`ROOT` holds no images; expected a folder per class with files of {extensions}, found 0 folders and 1 other files"
            ),
        ),
        (
            &["train/"],
            &format!(
                "`ROOT` holds no images; expected a folder per class with files of {extensions}, found 1 folders and 0 other files"
            ),
        ),
        (&["a/1.png"], "`ROOT` has one class only, `a`; a classifier needs at least two"),
        (
            &["2.png", "1.png"],
            "`ROOT` holds 2 images outside any class folder (`1.png`); expected a folder per class",
        ),
        (
            &["a/1.png", "b/1.png", "c.png"],
            "`ROOT` holds 1 images outside any class folder (`c.png`); expected a folder per class",
        ),
        (
            &["train/1.png"],
            "`ROOT/train` holds 1 images outside any class folder (`1.png`); expected a folder per class",
        ),
        (&["a/1.png", "b/"], "class folder `b` in `ROOT` holds no images; fill it or remove it"),
        (
            &["train/a/1.png", "train/b/1.png", "test/c/1.png"],
            "class `c` of `ROOT` is in test but not in train; add it there or remove it",
        ),
        (
            &["train/a/1.png", "labels/x.png"],
            "`ROOT` mixes split folders with others: `train` holds class folders, `labels` lies beside it; expected only train, val and test on top, or only classes",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(message(&tree(files)), *expected, "{files:?}");
    }
}

#[test]
fn what_is_no_folder_is_one_clear_line() {
    let root = tree(&["x.zip"]);
    assert!(matches!(DataSet::open(&root.path().join("none")), Err(DatasetError::Missing(_))));
    assert!(matches!(DataSet::open(&root.path().join("x.zip")), Err(DatasetError::NotADataSet(_))));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let root = tree(&["a/1.png", "b/1.png"]);
        let elsewhere = tree(&["far/2.png"]);
        symlink(elsewhere.path().join("far"), root.path().join("a/near")).unwrap();
        symlink(root.path().join("a"), root.path().join("a/self")).unwrap();
        symlink(root.path(), root.path().join("b/up")).unwrap();
        symlink("nowhere.png", root.path().join("b/broken.png")).unwrap();
        let set = DataSet::open(root.path()).unwrap();
        assert_eq!(listing(&set), ["a/1.png 0 -", "a/near/2.png 0 -", "b/1.png 1 -", "b/broken.png 1 -"]);
    }

    #[test]
    fn names_that_are_not_utf8_are_refused_unless_ignored_anyway() {
        let root = tree(&["a/1.png", "b/1.png"]);
        std::fs::write(root.path().join(OsStr::from_bytes(b"a/\xff.txt")), "").unwrap();
        assert_eq!(DataSet::open(root.path()).unwrap().ignored, [("txt".to_owned(), 1)].into());
        std::fs::write(root.path().join(OsStr::from_bytes(b"a/\xff.png")), "").unwrap();
        assert_eq!(message(&root), "the name of `ROOT/a/\u{fffd}.png` is not valid UTF-8; rename it");
    }
}
