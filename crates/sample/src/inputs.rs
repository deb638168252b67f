//! What a command line names as a data set, and who reads it.

use crate::{DataSet, DatasetError, folder, list, manifest};
use std::{fs, io, path::Path};

/// A data set as it was named.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// A folder, a manifest, or `-` for standard input.
    pub path: &'a Path,
    /// What a manifest's or a list's paths, and ids with them, are relative to, if not what they are by themselves.
    pub root: Option<&'a Path>,
}

impl Inputs<'_> {
    /// Whether the data set comes on standard input.
    pub fn are_piped(path: &Path) -> bool {
        path == Path::new("-")
    }

    /// Lists it.
    pub(crate) fn open(&self) -> Result<DataSet, DatasetError> {
        let &Inputs { path, root } = self;
        if Inputs::are_piped(path) {
            return list::open(io::stdin().lock(), root);
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folder::open(path),
            Ok(_) if manifest::is_manifest(path) => manifest::open(path, root),
            Ok(_) => Err(DatasetError::NotADataSet(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DatasetError::Missing(path.to_owned()))
            }
            Err(source) => Err(DatasetError::Unreadable { path: path.to_owned(), source }),
        }
    }
}
