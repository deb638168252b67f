//! A folder of its own for each test, in which programs run.

use crate::{Made, Run, features, pictures};
use assert_cmd::Command;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// Nothing here takes seconds; whatever takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// A fresh folder, removed in the end.
pub struct Room(TempDir);

impl Room {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "every new room is another one")]
    pub fn new() -> Room {
        Room(tempfile::tempdir().unwrap())
    }

    /// The path of something in it; of itself for an empty name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a program in it.
    pub fn call(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Run {
        self.call_with(program, arguments, &[])
    }

    /// Runs a program in it with some variables of the environment set.
    pub fn call_with(
        &self,
        program: impl AsRef<Path>,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Run {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(self.0.path())
            .timeout(PATIENCE);
        Run::new(program, command.output().unwrap())
    }

    /// Runs a program in it that is given some bytes on standard input.
    pub fn call_piped(&self, program: impl AsRef<Path>, arguments: &[&str], input: &[u8]) -> Run {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path()).timeout(PATIENCE).write_stdin(input);
        Run::new(program, command.output().unwrap())
    }

    /// Runs one of our programs, found by its name; see [`program`].
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Run {
        self.call(program(name), arguments)
    }

    /// Names in the folder, hidden ones too, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The bytes of the file `name`, or of every file below the folder `name`, by path.
    pub fn bytes(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut left = vec![self.path(name)];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                let relative = path.strip_prefix(self.path(name)).unwrap().to_owned();
                found.insert(relative, fs::read(&path).unwrap());
            }
        }
        found
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes `name`, a features folder.
    pub fn features(&self, name: &str, made: &Made) {
        features::write(&self.path(name), made);
    }

    /// Writes `name`, a folder of class folders `a`, `b` … with `each` PNG pictures in every one.
    pub fn pictures(&self, name: &str, classes: usize, each: usize) {
        pictures::write(&self.path(name), classes, each);
    }
}

/// One of our programs, which lie in the folder above the one that cargo puts tests in.
///
/// # Panics
/// Where it has not been built.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "`{}` is missing; run `cargo build --release` before the tests",
        program.display()
    );
    program
}

/// Flips one bit in the middle of a file.
pub fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}
