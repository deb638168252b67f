//! Links, devices and names that only unix has.

use super::*;
use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

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
fn pictures_whose_names_are_not_utf8_are_named_skips() {
    let root = tree(&["a/1.png", "b/1.png"]);
    let put = |name: &[u8]| {
        let path = root.path().join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    };
    for name in [&b"a/caf\xe9.png"[..], b"a/\xff\xfe/2.png", b"a/\xff.txt"] {
        put(name);
    }
    let set = DataSet::open(root.path()).unwrap();
    let skipped: Vec<&str> = set.skipped.iter().map(|skipped| skipped.id.as_str()).collect();
    assert_eq!(skipped, ["a/\\xff\\xfe/2.png", "a/caf\\xe9.png"]);
    assert!(set.skipped.iter().all(|skipped| skipped.reason == "its name is not UTF-8; rename it"));
    assert_eq!((set.samples.len(), set.passed.to_string()), (2, "1 .txt".to_owned()));
    assert_eq!((set.clone().part(0, 2).skipped.len(), set.part(1, 2).skipped.len()), (2, 0));
    let flat = tree(&["1.txt"]);
    std::fs::write(flat.path().join(OsStr::from_bytes(b"\xff.png")), "").unwrap();
    assert!(message(&flat).ends_with("found 1 .txt, 1 not named in UTF-8"), "{}", message(&flat));
    // A class is not lost without an error.
    put(b"fl\xe8che/1.png");
    let expected = "class folder `fl\\xe8che` in `ROOT` holds no images (passed over: 1 not named in UTF-8); fill it or remove it";
    assert_eq!(message(&root), expected);
}

#[test]
fn no_id_is_made_of_a_split_whose_name_is_not_utf8() {
    for splits in [[&b"train_d\xe9"[..], b"test_d\xe9"], [b"train/train\xe9", b"test/test"]] {
        let root = tempfile::tempdir().unwrap();
        for (split, class) in splits.iter().flat_map(|split| ["a", "b"].map(|class| (split, class))) {
            let folder = root.path().join(OsStr::from_bytes(split)).join(class);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("1.png"), "").unwrap();
        }
        let message = message(&root);
        assert!(message.starts_with("class folder `a` in `ROOT/t"), "{message}");
        assert!(message.contains("holds no images (passed over: 1 not named in UTF-8)"), "{message}");
    }
}

#[test]
fn a_link_that_leads_nowhere_may_be_a_class() {
    for link in ["c", "a/more", "a/notes.txt"] {
        let root = tree(&["a/1.png", "b/1.png"]);
        symlink("/nowhere/at/all", root.path().join(link)).unwrap();
        assert_eq!(message(&root), format!("`ROOT/{link}` is a link that leads nowhere; mend or remove it"));
    }
    let root = tree(&["train/a/1.png", "train/b/1.png"]);
    symlink("test", root.path().join("test")).unwrap();
    assert_eq!(message(&root), "`ROOT/test` is a link that leads nowhere; mend or remove it");
}

const DISK: Disk = Disk(Medium::Image);

/// The system's files, of which the n-th call fails.
struct Faulty {
    calls: std::cell::Cell<usize>,
    fails: usize,
    code: i32,
}

impl Faulty {
    fn call<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        let call = self.calls.replace(self.calls.get() + 1);
        if call == self.fails { Err(std::io::Error::from_raw_os_error(self.code)) } else { result }
    }
}

impl Files for Faulty {
    fn entries(&self, folder: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
        self.call(DISK.entries(folder))
    }

    fn kind(&self, path: &Path) -> std::io::Result<files::Kind> {
        self.call(DISK.kind(path))
    }

    fn is_link(&self, path: &Path) -> std::io::Result<bool> {
        self.call(DISK.is_link(path))
    }

    fn real(&self, path: &Path) -> std::io::Result<PathBuf> {
        self.call(DISK.real(path))
    }
}

/// A class of every kind of entry below `root`; gives how many entries a listing accounts for, folders left out.
fn every_kind(root: &TempDir, class: &str) -> u64 {
    let at = |name: &str| root.path().join(class).join(name);
    let files = [
        "1.png",
        "2.JPG",
        "deep/er/3.gif",
        "no extension",
        "notes.txt",
        ".hidden.png",
        "Thumbs.db",
        "empty/",
    ];
    for name in files.iter().chain(&["@eaDir/4.png", ".git/5.png"]) {
        std::fs::create_dir_all(if name.ends_with('/') {
            at(name)
        } else {
            at(name).parent().unwrap().to_owned()
        })
        .unwrap();
        if !name.ends_with('/') {
            std::fs::write(at(name), "").unwrap();
        }
    }
    std::fs::write(at("").join(OsStr::from_bytes(b"caf\xe9.png")), "").unwrap();
    std::fs::write(at("").join(OsStr::from_bytes(b"caf\xe9.txt")), "").unwrap();
    std::fs::create_dir(at("").join(OsStr::from_bytes(b"\xe9"))).unwrap();
    std::fs::write(at("").join(OsStr::from_bytes(b"\xe9/6.png")), "").unwrap();
    symlink("1.png", at("link.png")).unwrap();
    symlink("notes.txt", at("link.txt")).unwrap();
    symlink("deep", at("linked")).unwrap();
    symlink("nowhere.png", at("dangling.png")).unwrap();
    symlink("circle.png", at("circle.png")).unwrap();
    symlink(".", at("self")).unwrap();
    symlink("../..", at("deep/up")).unwrap();
    for name in ["pipe", "pipe.png"] {
        assert!(std::process::Command::new("mkfifo").arg(at(name)).status().unwrap().success());
    }
    std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    // 1.png, 2.JPG, 3.gif twice (`linked`), caf\xe9.png, \xe9/6.png, link.png, dangling.png, circle.png, pipe.png; passed:
    // no extension, notes.txt, .hidden.png, Thumbs.db, @eaDir, .git, caf\xe9.txt, link.txt, self, up twice, pipe, socket.
    10 + 13
}

#[test]
fn every_entry_is_accounted_for_whatever_call_fails() {
    for classes in
        [&["a", "b"][..], &["train/a", "train/b", "test/a"], &["seg_train/a", "seg_train/b", "seg_test/b"]]
    {
        let root = tempfile::tempdir().unwrap();
        let entries: u64 = classes.iter().map(|class| every_kind(&root, class)).sum();
        let add_up = |set: &DataSet| {
            let accounted = (set.samples.len() + set.skipped.len()) as u64 + set.passed.total();
            assert_eq!(accounted, entries, "{:?} {:?} {}", listing(set), set.skipped, set.passed);
        };
        let whole = DataSet::open(root.path()).unwrap();
        add_up(&whole);
        assert_eq!((whole.samples.len(), whole.skipped.len()), (8 * classes.len(), 2 * classes.len()));
        // EIO, EACCES, ENOENT, ELOOP, ENAMETOOLONG, EMFILE.
        for code in [5, 13, 2, 40, 36, 24] {
            let mut errors = 0;
            for fails in 0.. {
                let faulty = Faulty { calls: std::cell::Cell::new(0), fails, code };
                match open_in(&faulty, root.path()) {
                    Ok(set) => {
                        add_up(&set);
                        assert_eq!(set, whole);
                    }
                    Err(error) => {
                        errors += 1;
                        let message = error.to_string();
                        assert!(message.contains(root.path().to_str().unwrap()), "{message}");
                    }
                }
                if faulty.calls.get() <= fails {
                    break;
                }
            }
            assert!(errors > 40 * classes.len(), "{errors} errors");
        }
    }
}
