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
    let labels = set.labels().unwrap().codes();
    set.samples.iter().zip(labels).map(|(s, label)| format!("{} {label} {}", s.id, split(s.split))).collect()
}

fn classes(set: &DataSet) -> &[String] {
    set.labels().unwrap().words()
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
    assert_eq!(classes(&set), ["B", "a", "b"]);
    assert_eq!(listing(&set), ["B/x/y.tif 0 -", "a/0.webp 1 -", "b/1.jpeg 2 -", "b/2.PNG 2 -"]);
    assert_eq!(set.passed.to_string(), "2 hidden, 1 .txt, 1 without extension");
    for sample in &set.samples {
        assert_eq!(sample.content.read(1 << 10).unwrap(), sample.id.as_bytes());
    }
}

#[test]
fn images_alone_have_no_labels() {
    let flat: [(&[&str], &[&str]); 3] = [
        (&["2.png", "1.jpg", "README", ".x/3.png"], &["1.jpg -", "2.png -"]),
        (&["train/1.png", "Testing/1.png"], &["Testing/1.png test", "train/1.png train"]),
        (&["train/1.png"], &["train/1.png train"]),
    ];
    for (files, expected) in flat {
        let set = DataSet::open(tree(files).path()).unwrap();
        let split = |split: Option<Split>| split.map_or("-", Split::name);
        let found: Vec<_> =
            set.samples.iter().map(|sample| format!("{} {}", sample.id, split(sample.split))).collect();
        assert_eq!(
            (found, set.columns.len(), set.doubt()),
            (expected.iter().map(ToString::to_string).collect(), 0, None)
        );
    }
    let passed = DataSet::open(tree(flat[0].0).path()).unwrap().passed.to_string();
    assert_eq!(passed, "1 hidden, 1 without extension");
    assert!(
        message(&tree(&["train/1.png", "test/x.heic"])).starts_with("`ROOT/train` holds 1 image outside")
    );
}

#[test]
fn classes_below_splits() {
    let root =
        tree(&["train/a/1.png", "train/b/2.png", "Validation/b/3.png", "test/a/1.png", "test/notes.txt"]);
    let set = DataSet::open(root.path()).unwrap();
    assert_eq!(classes(&set), ["a", "b"]);
    let expected =
        ["Validation/b/3.png 1 val", "test/a/1.png 0 test", "train/a/1.png 0 train", "train/b/2.png 1 train"];
    assert_eq!(listing(&set), expected);
}

#[test]
fn a_class_may_be_called_train_and_a_data_set_may_lack_it() {
    let vehicles = tree(&["bus/1.png", "train/2.png"]);
    assert_eq!(classes(&DataSet::open(vehicles.path()).unwrap()), ["bus", "train"]);
    let held_out = tree(&["test/a/1.png", "test/b/1.png"]);
    assert_eq!(DataSet::open(held_out.path()).unwrap().samples.len(), 2);
}

#[test]
fn splits_are_told_however_they_are_spelt() {
    for (train, val, test) in [
        ("train", "val", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "dev", "TEST"),
        ("train_set", "valid_set", "test_set"),
        ("trainset", "valset", "testset"),
        ("TrainSet", "DevSet", "TestSet"),
        ("train data", "development data", "testing data"),
        ("train-images", "validation-images", "test-images"),
        ("training_set", "valid", "holdout"),
        ("1-train", "2-val", "3-test"),
        ("train2017", "val2017", "test2017"),
        ("seg_train", "seg_val", "seg_test"),
        ("flowers_train", "flowers_valid", "flowers_test"),
        ("trn", "dev", "tst"),
    ] {
        let files: Vec<String> = [train, val, test]
            .iter()
            .flat_map(|split| ["a", "b"].map(|class| format!("{split}/{class}/1.png")))
            .collect();
        let root = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
        let set = DataSet::open(root.path()).unwrap();
        assert_eq!(classes(&set), ["a", "b"], "{train}");
        for (split, folder) in Split::ALL.into_iter().zip([train, val, test]) {
            let own: Vec<&str> =
                set.samples.iter().filter(|s| s.split == Some(split)).map(|s| s.id.as_str()).collect();
            assert_eq!(own, [format!("{folder}/a/1.png"), format!("{folder}/b/1.png")]);
        }
    }
    let within =
        tree(&["seg_train/seg_train/a/1.png", "seg_train/seg_train/b/1.png", "seg_test/seg_test/b/1.png"]);
    let expected = [
        "seg_test/seg_test/b/1.png 1 test",
        "seg_train/seg_train/a/1.png 0 train",
        "seg_train/seg_train/b/1.png 1 train",
    ];
    assert_eq!(listing(&DataSet::open(within.path()).unwrap()), expected);
    let both = tree(&["trainval/a/1.png", "trainval/b/1.png", "test/a/1.png"]);
    let expected = ["test/a/1.png 0 test", "trainval/a/1.png 0 train", "trainval/b/1.png 1 train"];
    assert_eq!(listing(&DataSet::open(both.path()).unwrap()), expected);
    let parts = tree(&["train1/a/1.png", "train-2/a/1.png", "train-2/b/1.png", "test/a/1.png"]);
    let expected = [
        "test/a/1.png 0 test",
        "train-2/a/1.png 0 train",
        "train-2/b/1.png 1 train",
        "train1/a/1.png 0 train",
    ];
    assert_eq!(listing(&DataSet::open(parts.path()).unwrap()), expected);
    // What other programs leave beside splits is no class.
    let beside =
        tree(&["train/a/1.png", "train/b/1.png", "test/a/1.png", "__MACOSX/train/._1.png", "@eaDir/x.jpg"]);
    assert_eq!(DataSet::open(beside.path()).unwrap().samples.len(), 3);
}

#[test]
fn classes_that_are_called_like_splits_or_hold_folders_are_classes() {
    for (files, classes) in [
        (&["steam_train/1.png", "bullet_train/1.png"][..], ["bullet_train", "steam_train"]),
        (&["test_tube/1.png", "flask/1.png"], ["flask", "test_tube"]),
        (&["steam train/a/1.png", "test tube/b/1.png"], ["steam train", "test tube"]),
        (&["train/1.png", "steam_train/1.png"], ["steam_train", "train"]),
        (&["test_tube/a/1.png", "flask/b/1.png"], ["flask", "test_tube"]),
        (&["cat/one/1.png", "cat/two/1.png", "dog/three/1.png"], ["cat", "dog"]),
        (&["cat/images/1.png", "dog/images/1.png"], ["cat", "dog"]),
        (
            &["cat/misc/1.png", "cat/a/1.png", "cat/b/1.png", "dog/misc/1.png", "dog/c/1.png", "dog/d/1.png"],
            ["cat", "dog"],
        ),
        (
            &["cat/a/1.png", "cat/b/1.png", "cat/0.png", "dog/a/1.png", "dog/b/1.png", "dog/0.png"],
            ["cat", "dog"],
        ),
    ] {
        assert_eq!(self::classes(&DataSet::open(tree(files).path()).unwrap()), classes, "{files:?}");
    }
}

#[test]
fn what_systems_leave_is_passed_over_and_counted() {
    let root = tree(&[
        "a/1.png",
        "a/@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg",
        "a/Thumbs.db",
        "b/1.png",
        "b/.ipynb_checkpoints/1-checkpoint.png",
        "b/.DS_Store",
        "b/._1.png",
        "b/desktop.ini",
        "__MACOSX/a/._1.png",
        "$RECYCLE.BIN/1.png",
    ]);
    let set = DataSet::open(root.path()).unwrap();
    assert_eq!(listing(&set), ["a/1.png 0 -", "b/1.png 1 -"]);
    let passed = "3 hidden, 1 $RECYCLE.BIN, 1 @eaDir, 1 Thumbs.db, 1 __MACOSX, 1 desktop.ini";
    assert_eq!(set.passed.to_string(), passed);
}

#[test]
fn what_is_no_class_tree_is_one_clear_line() {
    let empty = |found: &str| {
        let extensions = EXTENSIONS.join(", ");
        format!(
            "`ROOT` holds no images; expected a folder per class with files of {extensions}, found {found}"
        )
    };
    let alike = |first: &str, second: &str, names: &str| {
        format!(
            "`{first}` and `{second}` in `ROOT` hold folders of the same names ({names}); if the inner ones are the classes, \
             call the outer ones train, val and test; if the outer ones are, move the files up into them; or list the \
             samples in a manifest"
        )
    };
    let unclassed = |path: &str, count: &str, first: &str| {
        format!(
            "`{path}` holds {count} outside any class folder (`{first}`); expected a folder per class, or no folders, for \
             images without labels"
        )
    };
    let cases: &[(&[&str], &str)] = &[
        (&[], &empty("nothing")),
        (&["a.txt", ".b"], &empty("1 .txt, 1 hidden")),
        (&["train/"], &empty("1 folder")),
        (&["train/.x", "test/y.heic"], &empty("2 folders, 1 .heic, 1 hidden")),
        (&["a/1.png"], "`ROOT` has one class only, `a`; a classifier needs at least two"),
        (&["a/1.png", "b/1.png", "d.png", "c.png"], &unclassed("ROOT", "2 images", "c.png")),
        (&["a/", "c.png"], &unclassed("ROOT", "1 image", "c.png")),
        (&["train/1.png", "test/1.png", "c.png"], &unclassed("ROOT", "1 image", "c.png")),
        (&["a/1.png", "b/"], "class folder `b` in `ROOT` holds no images; fill it or remove it"),
        (
            &["a/1.png", "b/1.HEIC", "b/2.heic", "b/x/3.txt"],
            "class folder `b` in `ROOT` holds no images (passed over: 2 .heic, 1 .txt); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train/c/1.heic", "test/a/1.png"],
            "class folder `c` in `ROOT/train` holds no images (passed over: 1 .heic); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train/c/", "test/a/1.png"],
            "class folder `c` in `ROOT/train` holds no images; fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "test/a/1.heic", "test/b/1.png"],
            "class folder `a` in `ROOT/test` holds no images (passed over: 1 .heic); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train/c/", "test/c/1.png"],
            "class folder `c` in `ROOT/train` holds no images; fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/"],
            "class folder `b` in `ROOT/test` holds no images; fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "val/x.heic", "val/.DS_Store"],
            "split folder `val` in `ROOT` holds no images (passed over: 1 .heic, 1 hidden); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "val/x.zip", "README.md", "train/README.md"],
            "split folder `val` in `ROOT` holds no images (passed over: 1 .zip); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "val/"],
            "split folder `val` in `ROOT` holds no images; fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "val/a/.DS_Store", "val/b/Thumbs.db"],
            "class folder `a` in `ROOT/val` holds no images (passed over: 1 hidden); fill it or remove it",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train_small/a/1.png", "test/a/1.png"],
            "`ROOT` mixes split folders with others: `test` holds class folders, `train_small` lies beside it; expected only train, val and test on top, or only classes",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train_masks/a/1.png", "test/a/1.png", "test_masks/a/1.png"],
            "`ROOT` mixes split folders with others: `test` holds class folders, `test_masks` lies beside it; expected only train, val and test on top, or only classes",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "val/a/1.png", "test/a/1.png", "test_corrupted/a/1.png"],
            "`ROOT` mixes split folders with others: `test` holds class folders, `test_corrupted` lies beside it; expected only train, val and test on top, or only classes",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "train_images/a/1.png", "test/a/1.png"],
            "`ROOT` has two folders that are called like train, `train` and `train_images`; keep one of them, or move the classes of both into one",
        ),
        (
            &["1_train/a/1.png", "1_train/b/1.png", "2_Train/a/1.png"],
            "`ROOT` has two folders that are called like train, `1_train` and `2_Train`; keep one of them, or move the classes of both into one",
        ),
        (
            &["fold1_train/a/1.png", "fold1_test/a/1.png", "fold2_train/a/1.png", "fold2_test/a/1.png"],
            "`ROOT` has two folders that are called like test, `fold1_test` and `fold2_test`; keep one of them, or move the classes of both into one",
        ),
        (
            &["steam train/old/1.png", "steam train/new/1.png", "test tube/old/1.png", "test tube/new/1.png"],
            &alike("steam train", "test tube", "`new`, `old`"),
        ),
        (
            &["cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png"],
            &alike("cat", "dog", "`left`, `right`"),
        ),
        (
            &["train/images/a/1.png", "train/images/b/1.png", "test/images/a/1.png"],
            "the splits of `ROOT` hold one folder only, `images`; if that holds the classes, move them up into the split",
        ),
        (
            &["train/a/1.png", "test/a/1.png"],
            "`ROOT` has one class only, `a`; a classifier needs at least two",
        ),
        (
            &["first/a/1.png", "first/b/1.png", "second/a/1.png", "second/b/1.png"],
            &alike("first", "second", "`a`, `b`"),
        ),
        (&["p/a/1.png", "p/b/1.png", "q/a/1.png", "r/b/1.png", "r/c/1.png"], &alike("p", "q", "`a`")),
        // Office-31: domains above classes.
        (
            &["amazon/images/a/1.png", "amazon/images/b/1.png", "dslr/images/a/1.png"],
            &alike("amazon", "dslr", "`a`"),
        ),
        (
            &["cat/train/1.png", "cat/test/1.png", "dog/train/1.png"],
            "`cat` in `ROOT` holds split folders; put train, val and test on top and the classes below, or list the samples in a manifest",
        ),
        (
            &["train/a/1.png", "train/b/1.png", "trainval/a/1.png", "test/a/1.png"],
            "`ROOT` has the folders `trainval` and `train`, which overlap; keep one of them",
        ),
        (
            &["images/a/1.png", "images/b/1.png"],
            "`ROOT` holds one folder only; give `ROOT/images` if that holds the classes, or the splits",
        ),
        (
            &["Training/a/1.png", "Training/b/1.png", "Testing/1.png"],
            &unclassed("ROOT/Testing", "1 image", "1.png"),
        ),
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
mod unix;
