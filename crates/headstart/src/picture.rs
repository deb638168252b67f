//! What is classified: a file, or the bytes of one.

use crate::Error;
use input::MOST_FILE;
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// A picture's file, or its bytes: JPEG, PNG, WebP or any other format that is read.
#[derive(Clone, Copy, Debug)]
pub enum Picture<'a> {
    /// A file.
    File(&'a Path),
    /// What a file holds.
    Bytes(&'a [u8]),
}

impl<'a> Picture<'a> {
    /// The bytes of the file.
    pub(crate) fn read(self) -> Result<Cow<'a, [u8]>, Error> {
        match self {
            Picture::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Picture::File(path) => store::read_file(path, MOST_FILE)
                .map(Cow::Owned)
                .map_err(|error| Error::Unreadable { path: error.path, source: error.source }),
        }
    }
}

impl<'a> From<&'a Path> for Picture<'a> {
    fn from(path: &'a Path) -> Picture<'a> {
        Picture::File(path)
    }
}

impl<'a> From<&'a PathBuf> for Picture<'a> {
    fn from(path: &'a PathBuf) -> Picture<'a> {
        Picture::File(path)
    }
}

impl<'a> From<&'a str> for Picture<'a> {
    fn from(path: &'a str) -> Picture<'a> {
        Picture::File(Path::new(path))
    }
}

impl<'a> From<&'a String> for Picture<'a> {
    fn from(path: &'a String) -> Picture<'a> {
        Picture::File(Path::new(path))
    }
}

impl<'a> From<&'a [u8]> for Picture<'a> {
    fn from(bytes: &'a [u8]) -> Picture<'a> {
        Picture::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Picture<'a> {
    fn from(bytes: &'a Vec<u8>) -> Picture<'a> {
        Picture::Bytes(bytes)
    }
}
