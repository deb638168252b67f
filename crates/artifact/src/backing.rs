//! Read-only memory maps: the one place of this workspace that maps files.

use memmap2::Mmap;
use std::{
    fs::{self, File},
    io,
    ops::Deref,
    path::{Path, PathBuf},
};

/// A file's bytes, mapped read-only.
///
/// **Who promises that the file does not change:** artefacts are written beside their place and renamed, never
/// rewritten, so a map keeps showing the bytes that were checked. Somebody who truncates an artefact in place while a
/// tool reads it gets that tool killed by SIGBUS, as with every program that maps files.
#[derive(Debug)]
pub struct MappedFile(Option<Mmap>);

/// A file that could not be mapped.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}")]
pub struct MapError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl MappedFile {
    /// Maps the whole file. An empty file maps to no bytes.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no regular file, or cannot be mapped.
    pub fn open(path: &Path) -> Result<MappedFile, MapError> {
        Self::map(path).map_err(|source| MapError { path: path.to_owned(), source })
    }

    fn map(path: &Path) -> io::Result<MappedFile> {
        // Asked before opening: opening a pipe would wait for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(MappedFile(None));
        }
        // SAFETY: the map is read-only and private to this value; that the file is not changed meanwhile is the
        // promise stated on the type. The length was taken from the open file, so no page lies beyond its end.
        let map = unsafe { Mmap::map(&file)? };
        Ok(MappedFile(Some(map)))
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(&[])
    }
}
