//! What listing asks of the file system: all of it, so that a test can let any call fail.

use super::entries::Medium;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    /// A file, or something like one: a pipe, a device.
    Other,
}

/// A file system to look at.
pub(crate) trait Files {
    /// The names in a folder, in any order.
    fn entries(&self, folder: &Path) -> io::Result<Vec<OsString>>;
    /// What a path leads to, links followed.
    fn kind(&self, path: &Path) -> io::Result<Kind>;
    /// Whether a path is itself a link.
    fn is_link(&self, path: &Path) -> io::Result<bool>;
    /// A path without links.
    fn real(&self, path: &Path) -> io::Result<PathBuf>;
    /// What its samples are.
    fn medium(&self) -> Medium {
        Medium::Image
    }
}

/// The system's, and what its samples are.
pub(crate) struct Disk(pub(super) Medium);

impl Files for Disk {
    fn entries(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(if fs::metadata(path)?.is_dir() { Kind::Folder } else { Kind::Other })
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::symlink_metadata(path)?.is_symlink())
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn medium(&self) -> Medium {
        self.0
    }
}
