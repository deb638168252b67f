//! Where a campaign works: inputs, an older output of every job, and a folder that is set anew for every case.

use crate::{
    Job,
    run::{Ending, Setting, run},
};
use harness::{picture, program, write_formula};
use network::zoo;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Files by their paths below a folder.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A folder with the inputs of all jobs.
pub struct Shop {
    root: TempDir,
    /// Whether the programs use as many threads as there are cores, so that calls come in any order.
    threads: Option<usize>,
}

impl Shop {
    /// Makes the inputs: three classes of three pictures in each of two splits, features, heads.
    #[expect(clippy::new_without_default, reason = "every new shop is another one")]
    pub fn new() -> Shop {
        let root = tempfile::Builder::new().prefix("chaos").tempdir_in(fast()).unwrap();
        let shop = Shop { root, threads: Some(1) };
        for folder in ["in", "work", "notes"] {
            fs::create_dir(shop.path(folder)).unwrap();
        }
        for (split, from) in [("train", 0), ("test", 5)] {
            for (class, name) in ["a", "b", "c"].iter().enumerate() {
                let folder = shop.path("in/small").join(split).join(name);
                fs::create_dir_all(&folder).unwrap();
                for n in from..from + 3 {
                    picture(class, n).save(folder.join(format!("{n}.png"))).unwrap();
                }
            }
        }
        // A small network that torchvision and timm build too.
        let theirs = zoo::find("mobilenet_v3_small").unwrap().network();
        let params = theirs.params().iter().map(|param| (param.name.as_str(), &param.shape[..]));
        write_formula(&shop.path("in/theirs.safetensors"), params);
        for (tool, arguments) in [
            ("extract", &["../in/small", "-o", "../in/small.features"][..]),
            ("extract", &["../in/small", "-o", "../in/older.features", "--dtype", "f16"]),
            ("fit-head", &["../in/small.features", "-o", "../in/small.head", "--l2", "1"]),
            ("fit-head", &["../in/older.features", "-o", "../in/older.head", "--l2", "100"]),
            ("export", &["../in/small.head", "-o", "../in/small.hst"]),
            (
                "extract",
                &[
                    "../in/small",
                    "-o",
                    "../in/theirs.features",
                    "--weights",
                    "../in/theirs.safetensors",
                    "--tap",
                    "classifier.2",
                    "--resize",
                    "32",
                    "--crop",
                    "32",
                ],
            ),
            ("fit-head", &["../in/theirs.features", "-o", "../in/theirs.head", "--l2", "1"]),
            ("fit-head", &["../in/theirs.features", "-o", "../in/theirs-older.head", "--l2", "100"]),
        ] {
            shop.must(tool, arguments);
        }
        shop
    }

    /// The same with as many threads as there are cores.
    pub fn with_all_threads(mut self) -> Shop {
        self.threads = None;
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The folder that programs run in.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn run(&self, tool: &str, arguments: &[&str], setting: &Setting) -> Ending {
        let threads = self.threads.map(|threads| threads.to_string());
        let mut all = arguments.to_vec();
        all.push("--quiet");
        if let Some(threads) = &threads {
            all.extend(["--threads", threads]);
        }
        if ["extract", "predict"].contains(&tool) {
            all.extend(["--device", "cpu"]);
        }
        run(&find(tool), &all, &self.work(), &self.path("notes"), setting)
    }

    /// An undisturbed run that has to succeed.
    pub(crate) fn must(&self, tool: &str, arguments: &[&str]) -> Ending {
        let ending = self.run(tool, arguments, &Setting::default());
        assert_eq!(ending.code(), Some(0), "{tool} {arguments:?}: {}", ending.told());
        ending
    }

    /// Runs a job without a disturbance, in an empty folder; gives what it left, and how it ended.
    pub(crate) fn undisturbed(&self, job: &Job, arguments: &[&str]) -> (Tree, Ending) {
        self.clear();
        let ending = self.must(job.program, arguments);
        let left = tree(&self.work());
        for output in job.outputs {
            assert!(left.keys().any(|path| path.starts_with(output)), "{} leaves no {output}", job.name);
        }
        (left, ending)
    }

    /// Writes a file that no program sees.
    pub(crate) fn note(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("notes").join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Empties the folder that programs run in.
    pub(crate) fn clear(&self) {
        fs::remove_dir_all(self.work()).unwrap();
        fs::create_dir(self.work()).unwrap();
    }

    /// Makes it hold what a tree says.
    pub(crate) fn restore(&self, wanted: &Tree) {
        self.clear();
        write(&self.work(), wanted);
    }
}

/// Writes files and the folders above them.
pub(crate) fn write(folder: &Path, files: &Tree) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Every file below a folder; an empty folder below it as a file called `.`.
pub(crate) fn tree(folder: &Path) -> Tree {
    let mut found = Tree::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let name = path.strip_prefix(folder).unwrap().to_owned();
        if path.is_dir() {
            let entries: Vec<PathBuf> =
                fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            if entries.is_empty() && !name.as_os_str().is_empty() {
                found.insert(name.join("(empty)"), Vec::new());
            }
            left.extend(entries);
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

/// In memory where there is such a place: `fsync` on a disk is most of a run's time.
fn fast() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// One of our programs: beside this one, or where tests find it.
fn find(tool: &str) -> PathBuf {
    let beside = std::env::current_exe().unwrap().with_file_name(tool);
    if beside.is_file() { beside } else { program(tool) }
}
