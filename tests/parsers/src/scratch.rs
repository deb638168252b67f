//! Files for parsers that take paths.

use std::{
    fs,
    path::{Path, PathBuf},
};
use store::Digest;
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

/// How many digits a digest has.
const DIGITS: usize = 64;

/// Makes the digest whose digits begin at `at` the digest of the whole file, its own digits taken for zeros.
pub(crate) fn seal(bytes: &mut [u8], at: usize) -> Option<()> {
    let end = at.checked_add(DIGITS)?;
    bytes.get_mut(at..end)?.fill(b'0');
    let digits = Digest::of(bytes).to_string();
    bytes[at..end].copy_from_slice(digits.as_bytes());
    Some(())
}
