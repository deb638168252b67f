//! The files of pictures, below `--images`.

use std::io::ErrorKind;
use std::path::Path;

use input::MOST_FILE;
use store::read_file;

/// The bytes of a sample's picture; nothing where there is none.
///
/// # Errors
/// Where there is one that cannot be read: what it would have shown must not be missing in silence.
pub(crate) fn read(images: &Path, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
    match read_file(&images.join(id), MOST_FILE) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
