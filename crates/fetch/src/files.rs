//! Files that take their places whole and stay there.

use crate::error::FetchError;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

/// Moves a file that is whole to its place, so that it is there after a power cut.
///
/// # Errors
/// [`FetchError::Write`].
pub(crate) fn settle(from: &Path, to: &Path) -> Result<(), FetchError> {
    let settled = File::open(from).and_then(|file| file.sync_all()).and_then(|()| fs::rename(from, to));
    settled.and_then(|()| sync_folder(to)).map_err(|source| failed(to, source))
}

/// Writes a small file beside its place and moves it there.
///
/// # Errors
/// [`FetchError::Write`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    folder_of(path)?;
    let beside = with_suffix(path, &format!(".{}.tmp", process::id()));
    let written = File::create(&beside).and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| failed(path, source))?;
    settle(&beside, path)
}

/// Makes a name in a folder for what lies at `to`, seen from that folder. What has the name and leads nowhere goes.
///
/// # Errors
/// [`FetchError::Write`].
pub(crate) fn link(to: &Path, from: &Path) -> Result<(), FetchError> {
    folder_of(from)?;
    if from.exists() {
        return Ok(());
    }
    // It may lead nowhere.
    let _ = fs::remove_file(from);
    match symlink(to, from) {
        // Another run was faster.
        Err(_) if from.exists() => Ok(()),
        linked => linked.and_then(|()| sync_folder(from)).map_err(|source| failed(from, source)),
    }
}

/// Makes the folder that a file lies in.
///
/// # Errors
/// [`FetchError::Write`].
pub(crate) fn folder_of(path: &Path) -> Result<(), FetchError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))
}

/// The same name with something behind it.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// What the disk said.
pub(crate) fn failed(path: &Path, source: io::Error) -> FetchError {
    FetchError::Write { path: path.to_owned(), source }
}

#[cfg(unix)]
fn symlink(to: &Path, from: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, from)
}

/// Links are for administrators there: as in Python the bytes are there twice.
#[cfg(not(unix))]
fn symlink(to: &Path, from: &Path) -> io::Result<()> {
    let folder = from.parent().unwrap_or(Path::new("."));
    fs::copy(folder.join(to), from).map(drop)
}

#[cfg(unix)]
fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
