//! Files for parsers that take paths.

use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder in memory, where there is such a place and no other was named: a disk would take longer than the parsers.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let named = std::env::var_os("TMPDIR").is_some();
    let root = if memory.is_dir() && !named { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("parsers").tempdir_in(root).unwrap()
}

thread_local! {
    static FOLDER: TempDir = folder();
}

/// Calls `parse` with the path of a file of this name that holds `bytes`.
pub(crate) fn with_file<T>(name: &str, bytes: &[u8], parse: impl FnOnce(&Path) -> T) -> T {
    let path: PathBuf = FOLDER.with(|folder| folder.path().join(name));
    fs::write(&path, bytes).unwrap();
    parse(&path)
}
