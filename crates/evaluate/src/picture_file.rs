//! The files of pictures, in `--images`.

use anyhow::Context as _;
use input::MOST_FILE;
use sample::Pictures;

/// The bytes of a sample's picture; nothing where there is none.
///
/// # Errors
/// Where there is one that cannot be read: what it would have shown must not be missing in silence.
pub(crate) fn read(images: &Pictures, id: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let name = || format!("cannot read `{}`", images.path().join(id).display());
    images.read(id, MOST_FILE).with_context(name)
}
