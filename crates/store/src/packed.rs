//! Files that hold many others one after the other: read a run of bytes at a time.

use crate::bounded;
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// A file of many runs of bytes.
#[derive(Debug)]
pub struct Packed {
    path: PathBuf,
    /// Without one it is opened for each run: there may be more of its like than a process may have open.
    file: Option<Mutex<File>>,
}

/// By what they are called.
impl PartialEq for Packed {
    fn eq(&self, other: &Packed) -> bool {
        self.path == other.path
    }
}

impl Eq for Packed {}

impl Packed {
    /// The file at `path`.
    pub fn at(path: &Path) -> Packed {
        Packed { path: path.to_owned(), file: None }
    }

    /// A file that has no name any more; `path` is what it is called in messages.
    pub fn unnamed(file: File, path: &Path) -> Packed {
        Packed { path: path.to_owned(), file: Some(Mutex::new(file)) }
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of `range`, of which there may be `most`.
    ///
    /// # Errors
    /// Where the file cannot be read, or ends before the range does, or the range is longer.
    pub fn read(&self, range: Range<u64>, most: u64) -> io::Result<Vec<u8>> {
        let length = range.end.saturating_sub(range.start);
        if length > most {
            return Err(bounded::too_long(length, most));
        }
        match &self.file {
            None => read(&bounded::open(&self.path)?, range.start, length),
            Some(file) => read(&file.lock().unwrap_or_else(PoisonError::into_inner), range.start, length),
        }
    }
}

fn read(mut file: &File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    // Not all at once: a length that a header claims is believed as far as there are bytes.
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file that it lies in ends before it does"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_and_no_more_than_may_be() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x");
        std::fs::write(&path, "0123456789").unwrap();
        for packed in [Packed::at(&path), Packed::unnamed(File::open(&path).unwrap(), &path)] {
            assert_eq!(packed.read(2..5, 3).unwrap(), b"234");
            assert_eq!(packed.read(0..1, 3).unwrap(), b"0");
            assert_eq!(packed.read(10..10, 3).unwrap(), b"");
            assert!(
                packed.read(0..4, 3).unwrap_err().to_string().contains("its 4 bytes are more than the 3")
            );
            for beyond in [8..11, 20..21, u64::MAX - 1..u64::MAX] {
                assert!(packed.read(beyond, 3).is_err());
            }
        }
    }
}
