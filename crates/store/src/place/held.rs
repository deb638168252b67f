//! The temporary places that this process holds: what must not stay where a signal ends it.
//!
//! **Invariant:** places are taken, and outputs put there, while the gate is open. Whoever has closed it decides what stays.

use super::remove;
use std::{
    fs, mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError},
    thread,
    time::{Duration, Instant},
};

static GATE: RwLock<()> = RwLock::new(());
static PLACES: Mutex<Vec<Temporary>> = Mutex::new(Vec::new());

/// A rename takes far less; a file system that hangs must not keep a process from ending.
const PATIENCE: Duration = Duration::from_millis(300);
/// A folder that is still being written to may fill again while it is emptied.
const TRIES: usize = 5;

#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    /// Whether what was written there is left for the next run.
    resumes: bool,
}

/// Keeps the gate open. While it lives, no other may be asked for by the same thread.
pub(super) struct Held(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>);

impl Held {
    /// Waits for ever where the process ends.
    pub(super) fn open() -> Held {
        Held(GATE.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a place that this process has just taken.
    pub(super) fn add(&self, path: &Path, resumes: bool) {
        places().push(Temporary { path: path.to_owned(), resumes });
    }

    /// What has this name from here on is another run's.
    pub(super) fn forget(&self, path: &Path) {
        places().retain(|held| held.path != path);
    }
}

/// Removes the temporary places of all outputs that are not there yet; for a process that ends now. What a next run would
/// take up stays. From here on no output takes its place: whoever tries waits for the end.
pub fn withdraw() {
    let Some(closed) = close_in_time() else { return };
    for Temporary { path, resumes } in places().iter() {
        if *resumes {
            // Goes where it is empty.
            let _ = fs::remove_dir(path);
        } else {
            // The next run of this output removes what stays.
            let _ = (0..TRIES).find(|_| remove(path).is_ok());
        }
    }
    mem::forget(closed);
}

fn places() -> MutexGuard<'static, Vec<Temporary>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn close_in_time() -> Option<RwLockWriteGuard<'static, ()>> {
    let begun = Instant::now();
    loop {
        match GATE.try_write() {
            Ok(closed) => return Some(closed),
            Err(TryLockError::Poisoned(closed)) => return Some(closed.into_inner()),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}
