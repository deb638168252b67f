//! Who downloads a file, so that two runs never write the same bytes.

use crate::{error::FetchError, files};
use cli::Session;
use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

/// Waits until the file at `path` is this run's, makes it where it is missing, and gives it. It is held until it is dropped.
///
/// Python's library locks the same files in the same way, by `flock`. What was moved away while we waited is worth
/// nothing, so each lock is followed by a second look.
///
/// # Errors
/// [`FetchError::Write`].
pub(crate) fn take(path: &Path, name: &str, session: &Session) -> Result<File, FetchError> {
    files::folder_of(path)?;
    let mut told = false;
    loop {
        let file = File::options().create(true).read(true).write(true).truncate(false).open(path);
        let file = file.map_err(|source| files::failed(path, source))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                if !told {
                    session.note(format!("fetch: waiting for another run that downloads `{name}`"));
                    told = true;
                }
                file.lock().map_err(|source| files::failed(path, source))?;
            }
            // A file system without locks is no reason to refuse work: digests tell what two runs have spoilt.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        if lies_at(&file, path).map_err(|source| files::failed(path, source))? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn lies_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match path.metadata() {
        Ok(found) => Ok((own.dev(), own.ino()) == (found.dev(), found.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Windows neither moves nor removes what somebody has open.
#[cfg(not(unix))]
fn lies_at(_: &File, path: &Path) -> io::Result<bool> {
    Ok(path.exists())
}
