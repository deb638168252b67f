//! Takes an output's temporary place, so that two runs never write there, and deals with what a stopped run left.
//!
//! **Invariant:** the place is only ever changed, moved or removed by whoever holds the lock on what lies there *now*: a
//! lock on something that was moved away since is worth nothing, so each is followed by a second look.

use super::{Kind, Place, PlaceError, remove, sync};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Each try but the last is lost to another run's step forward, so a few are plenty.
const TRIES: usize = 100;

impl Place {
    /// Gives the lock on a temporary place that is empty.
    pub(super) fn claim(&self) -> Result<File, PlaceError> {
        for _ in 0..TRIES {
            let made = self.make().map_err(|source| self.failed(source))?;
            let lock = self.lock().inspect_err(|error| {
                if made && !matches!(error, PlaceError::Busy(_)) {
                    self.unmake();
                }
            });
            let Some(lock) = lock? else { continue };
            if self.is_empty() {
                return Ok(lock);
            }
            self.clear().map_err(|source| self.failed(source))?;
        }
        Err(PlaceError::Busy(self.target.clone()))
    }

    /// Makes the place where nothing lies there; says whether it did.
    fn make(&self) -> io::Result<bool> {
        let made = match self.kind {
            Kind::File(_) => File::create_new(&self.temporary).map(drop),
            Kind::Folder(_) => fs::create_dir(&self.temporary),
        };
        match made {
            // So that shards are found again after a power cut, not only after a kill.
            Ok(()) if self.resumes => sync(self.parent()).map(|()| true).inspect_err(|_| self.unmake()),
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes what was just made and could not be locked, as long as nobody has written there.
    fn unmake(&self) {
        if self.is_empty() {
            let _ = match self.kind {
                Kind::File(_) => fs::remove_file(&self.temporary),
                Kind::Folder(_) => fs::remove_dir(&self.temporary),
            };
        }
    }

    /// Locks what lies at the place; `None` where something else lies there by then.
    fn lock(&self) -> Result<Option<File>, PlaceError> {
        let lock = match File::open(&self.temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|source| self.failed(source))?,
        };
        // A file system without locks is no reason to refuse work.
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(PlaceError::Busy(self.target.clone()));
        }
        Ok(lies_at(&lock, &self.temporary).then_some(lock))
    }

    /// Whether nothing was written yet.
    fn is_empty(&self) -> bool {
        fs::symlink_metadata(&self.temporary).is_ok_and(|found| match self.kind {
            Kind::File(_) => found.is_file() && found.len() == 0,
            Kind::Folder(_) => {
                let nothing = || fs::read_dir(&self.temporary).is_ok_and(|mut all| all.next().is_none());
                found.is_dir() && nothing()
            }
        })
    }

    /// Makes room: a stopped run's folder is moved aside where it can be resumed, anything else removed.
    fn clear(&self) -> io::Result<()> {
        let folder = fs::symlink_metadata(&self.temporary).is_ok_and(|found| found.is_dir());
        if !(self.resumes && folder) {
            return remove(&self.temporary);
        }
        let earlier = self.earlier();
        fs::create_dir_all(&earlier)?;
        let moved = next_in(&earlier).and_then(|next| fs::rename(&self.temporary, next));
        if moved.is_err() {
            // Refused where other runs' rows lie there.
            let _ = fs::remove_dir(&earlier);
        }
        moved
    }
}

/// `folder/N`, with a number beyond all that are there.
fn next_in(folder: &Path) -> io::Result<PathBuf> {
    let mut next = 0u64;
    for entry in fs::read_dir(folder)? {
        next = next.max(run_number(&entry?).map_or(0, |number| number.saturating_add(1)));
    }
    Ok(folder.join(next.to_string()))
}

/// Removes what stopped runs left in a folder of theirs, and the folder, unless it holds anything else.
pub(super) fn remove_runs(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if run_number(&entry).is_some() && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// Which stopped run an entry of their folder is; `None` for anything else.
fn run_number(entry: &fs::DirEntry) -> Option<u64> {
    entry.file_name().to_str()?.parse().ok()
}

/// Whether what was opened is what the path names now.
#[cfg(unix)]
fn lies_at(opened: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (opened.metadata(), fs::metadata(path)) {
        (Ok(opened), Ok(found)) => (opened.dev(), opened.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// Windows neither moves nor removes what somebody has open.
#[cfg(not(unix))]
fn lies_at(_: &File, path: &Path) -> bool {
    path.exists()
}
