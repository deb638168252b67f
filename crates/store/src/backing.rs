//! Read-only memory maps: the one place of this workspace that maps files.

use crate::bounded;
use memmap2::Mmap;
use std::{
    fs::File,
    io,
    ops::{Deref, Range},
    path::{Path, PathBuf},
};

/// What Linux maps around a page by default; a multiple of the page sizes that systems have.
#[cfg(unix)]
const WINDOW: usize = 1 << 16;

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
        MappedFile::of(&bounded::open(path)?)
    }

    /// Maps the whole of an open file.
    pub(crate) fn of(file: &File) -> io::Result<MappedFile> {
        if file.metadata()?.len() == 0 {
            return Ok(MappedFile(None));
        }
        // SAFETY: the map is read-only and private to this value; that the file is not changed meanwhile is the
        // promise stated on the type. The length was taken from the open file, so no page lies beyond its end.
        let map = unsafe { Mmap::map(file)? };
        Ok(MappedFile(Some(map)))
    }

    /// Gives back the memory of `range`, and of what lies around it: when a page is read, the system maps the window of
    /// 64 KiB that it lies in. Whoever reads them again gets them from the file.
    ///
    /// Only a hint: without it the system takes such pages when memory runs short, but until then they count as ours.
    pub fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Some(map) = &self.0 {
            // Windows begin at multiples in memory, not in the file.
            let start = range.start.saturating_sub(WINDOW) / WINDOW * WINDOW;
            let end = range.end.next_multiple_of(WINDOW).min(map.len());
            if start < end {
                // SAFETY: the map is a read-only one of a file, so that released pages come back with the very same
                // bytes; and the range lies within it. A refusal changes nothing.
                let _ = unsafe {
                    map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start)
                };
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(&[])
    }
}
