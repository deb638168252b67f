//! Bytes of a file as the crate `hdf5-reader` gets them, so that a file that lies costs no more than its size allows.
//!
//! The crate checks offsets and lengths, and finds circles. What it does not bound is sharing: thousands of headers, or names,
//! that are the same bytes of a small file. Here bytes are counted whenever they are read, and long names are refused.

use hdf5_reader::{BytesStorage, Storage, StorageBuffer, error::Error};
use std::{
    collections::HashSet,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use store::MappedFile;

/// Bytes that may be read at a time, whatever the file's size, and for each of its bytes. Keras' own files need a tenth.
const LEAST: u64 = 4 << 20;
const TIMES: u64 = 2;
/// What a read costs besides.
const EACH: u64 = 64;
/// Bytes of a name, or of a path.
pub(super) const MOST_NAME: usize = 1024;

/// Where the bytes of an HDF5 file are.
pub(super) enum Bytes {
    Mapped(MappedFile, Range<usize>),
    Unpacked(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(file, range) => &file[range.clone()],
            Bytes::Unpacked(bytes) => bytes,
        }
    }
}

/// The bytes, and how many may still be read.
pub(super) struct Guard {
    bytes: BytesStorage,
    left: AtomicU64,
    /// Where local heaps say that their names are: offset and length.
    names: Mutex<HashSet<(u64, u64)>>,
}

impl Guard {
    pub(super) fn new(bytes: Bytes) -> Guard {
        let bytes = BytesStorage::from_owner(bytes);
        let guard = Guard { bytes, left: AtomicU64::new(0), names: Mutex::default() };
        guard.allow();
        guard
    }

    /// Lets as many bytes be read as one step of work may need.
    pub(super) fn allow(&self) {
        self.left.store(self.bytes.len().saturating_mul(TIMES).saturating_add(LEAST), Relaxed);
    }

    /// Refuses names without end where a local heap keeps its names, and remembers where that is.
    fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        // A panic elsewhere leaves the set whole.
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match bytes {
            // The prefix of a local heap: signature, version, length of the names, a free block, and where names are.
            [b'H', b'E', b'A', b'P', _, _, _, _, rest @ ..] if rest.len() >= 24 => {
                let number =
                    |at: usize| rest[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                names.insert((number(16), number(0)));
            }
            [b'F', b'R', b'H', b'P', ..] => {
                let what = "a fractal heap, which Keras does not write; save the weights again with Keras";
                return Err(Error::UnsupportedEncoding(what.to_owned()));
            }
            _ => {}
        }
        if names.contains(&(offset, bytes.len() as u64))
            && bytes.split(|byte| *byte == 0).any(|name| name.len() > MOST_NAME)
        {
            return Err(Error::ResourceLimit(format!("a name has more than {MOST_NAME} bytes")));
        }
        Ok(())
    }
}

impl Storage for Guard {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_range(&self, offset: u64, len: usize) -> Result<StorageBuffer, Error> {
        let buffer = self.bytes.read_range(offset, len)?;
        let cost = (len as u64).saturating_add(EACH);
        let spent = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(cost));
        if spent.is_err() {
            return Err(Error::ResourceLimit("the same bytes would be read again and again".to_owned()));
        }
        self.check(offset, buffer.as_ref())?;
        Ok(buffer)
    }
}
