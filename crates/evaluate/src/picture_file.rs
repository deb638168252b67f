//! The files of pictures, below `--images`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;

/// The bytes of a sample's picture; nothing where there is none.
///
/// # Errors
/// Where there is one that cannot be read: what it would have shown must not be missing in silence.
pub(crate) fn read(images: &Path, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let path = images.join(id);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}
