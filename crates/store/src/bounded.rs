//! Files that somebody named: regular ones only, and no longer than what they may be.

use crate::MapError;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// Opens a regular file.
///
/// # Errors
/// Where it cannot be opened, or is a folder, a pipe or a device, which might be read without end.
pub fn open_file(path: &Path) -> Result<File, MapError> {
    open(path).map_err(|source| MapError { path: path.to_owned(), source })
}

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open_file`], and where the file is longer.
pub fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, MapError> {
    read(path, most).map_err(|source| MapError { path: path.to_owned(), source })
}

/// Longer than any honest header of safetensors: names of half a million tensors, or classes.
const MOST_HEADER: u64 = 16 << 20;

/// Whether the JSON that a safetensors file begins with may be parsed, which takes many times its length.
///
/// # Errors
/// Where it is longer than any honest one; what is no safetensors file at all, its reader tells.
pub fn check_header(file: &[u8]) -> Result<(), String> {
    let length = file.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if (MOST_HEADER..=file.len() as u64).contains(&length) {
        return Err(format!("its header takes {length} bytes, {MOST_HEADER} at most are read"));
    }
    Ok(())
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Asked before opening: opening a pipe would wait for ever.
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_long(length, most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // It may grow while it is read.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_long(bytes.len() as u64, most)) } else { Ok(bytes) }
}

/// What is read where `most` bytes were expected, and there are `length`.
pub fn too_long(length: u64, most: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("its {length} bytes are more than the {most} expected"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read_and_no_more_of_them_than_may_be() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap(), b"12345");
        let said = |path: &Path, most| read_file(path, most).unwrap_err().to_string();
        assert!(said(&path, 4).contains("its 5 bytes are more than the 4 expected"));
        assert!(said(root.path(), 9).contains("not a regular file"));
        assert!(open_file(root.path()).is_err());
        #[cfg(unix)]
        for endless in ["/dev/zero", "/dev/null"] {
            let link = root.path().join("link");
            std::os::unix::fs::symlink(endless, &link).unwrap();
            assert!(said(&link, 9).contains("not a regular file"));
            fs::remove_file(link).unwrap();
        }
    }
}
