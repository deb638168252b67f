//! Where an output goes: written beside its place, made durable, and renamed, so that it is there whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// An output in the making. Dropped without [`Place::commit`], it leaves nothing behind; a run that is killed leaves
/// `.NAME.partial`, which the next run of the same output removes.
#[derive(Debug)]
pub struct Place {
    target: PathBuf,
    temporary: PathBuf,
    /// Held open and locked, so that two runs never write at the same place.
    lock: Option<File>,
    kind: Kind,
    force: bool,
    committed: bool,
}

/// What is being written, and so what may be replaced by it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    File,
    /// With the test that tells our own folders from other people's.
    Folder(fn(&Path) -> bool),
}

/// An output that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Something is there already.
    #[error("`{0}` exists; give another name, or --force to replace it")]
    Exists(PathBuf),
    /// `--force` would replace something that is not of our making.
    #[error("`{path}` exists and is {found}, not {expected}; give another name")]
    Other {
        /// The output asked for.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// What would be replaced.
        expected: &'static str,
    },
    /// `--force` would delete a folder that no tool of ours wrote.
    #[error(
        "`{0}` exists and holds other things than this program writes, so it is not replaced; give another name"
    )]
    Foreign(PathBuf),
    /// Two runs, or two outputs of one run, have the same name.
    #[error("`{0}` is being written by another run or as another output; wait for it, or give another name")]
    Busy(PathBuf),
    /// The folder that it should lie in is not there.
    #[error("cannot write `{path}`: the folder `{parent}` does not exist; create it first")]
    NoParent {
        /// The output asked for.
        path: PathBuf,
        /// The folder.
        parent: PathBuf,
    },
    /// A name that names no file.
    #[error("`{0}` does not name an output")]
    Nameless(PathBuf),
    /// The system refused.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The output asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Place {
    /// A place for one file, which is to be written at [`Place::temporary`].
    ///
    /// # Errors
    /// Where `target` exists and `force` is not given, its folder cannot be written to, or another run is writing it.
    pub fn file(target: &Path, force: bool) -> Result<Place, PlaceError> {
        Place::new(target, force, Kind::File)
    }

    /// A place for a folder; [`Place::temporary`] exists and is empty. Only an empty folder, or one that `ours` knows
    /// for one of ours and nothing else, is ever replaced: `--force` with the wrong name must not cost anybody their
    /// photographs.
    ///
    /// # Errors
    /// As [`Place::file`].
    pub fn folder(target: &Path, force: bool, ours: fn(&Path) -> bool) -> Result<Place, PlaceError> {
        Place::new(target, force, Kind::Folder(ours))
    }

    /// Where to write.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where the output will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// An error of this output, for a writer that met one.
    pub fn failed(&self, source: io::Error) -> PlaceError {
        PlaceError::Write { path: self.target.clone(), source }
    }

    /// Makes what was written durable and moves it into place.
    ///
    /// # Errors
    /// Where the disk is full, something has come to lie at the target meanwhile, or the rename fails; nothing is left
    /// behind then.
    pub fn commit(mut self) -> Result<(), PlaceError> {
        self.check()?;
        self.publish().map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                PlaceError::Exists(self.target.clone())
            }
            _ => self.failed(source),
        })?;
        self.committed = true;
        Ok(())
    }

    fn new(target: &Path, force: bool, kind: Kind) -> Result<Place, PlaceError> {
        let name = target.file_name().ok_or_else(|| PlaceError::Nameless(target.to_owned()))?;
        // `foo/` names the folder `foo`; the rebuilt path has no trailing slash to trip rename.
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let target = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
        if !parent.is_dir() {
            let parent = parent.to_owned();
            return Err(PlaceError::NoParent { path: target, parent });
        }
        let temporary = beside(&target, "partial");
        let mut place = Place { temporary, target, lock: None, kind, force, committed: false };
        place.restore().map_err(|source| place.failed(source))?;
        place.check()?;
        place.claim()?;
        Ok(place)
    }

    /// Whether the target may be written: nothing is there, or `--force` and something of ours.
    fn check(&self) -> Result<(), PlaceError> {
        let path = || self.target.clone();
        let Ok(found) = fs::metadata(&self.target).or_else(|_| fs::symlink_metadata(&self.target)) else {
            return Ok(());
        };
        if !self.force {
            return Err(PlaceError::Exists(path()));
        }
        match (self.kind, found.is_dir()) {
            (Kind::File, false) => Ok(()),
            (Kind::File, true) => {
                Err(PlaceError::Other { path: path(), found: "a folder", expected: "a file" })
            }
            (Kind::Folder(_), false) => {
                Err(PlaceError::Other { path: path(), found: "a file", expected: "a folder" })
            }
            (Kind::Folder(ours), true) => {
                let empty = fs::read_dir(&self.target).is_ok_and(|mut entries| entries.next().is_none());
                if empty || ours(&self.target) { Ok(()) } else { Err(PlaceError::Foreign(path())) }
            }
        }
    }

    /// Takes the temporary place, after a killed run if need be, and locks it.
    fn claim(&mut self) -> Result<(), PlaceError> {
        let stale = File::open(&self.temporary);
        if stale.is_ok_and(|stale| matches!(stale.try_lock(), Err(TryLockError::WouldBlock))) {
            return Err(PlaceError::Busy(self.target.clone()));
        }
        let made = self.make().map_err(|source| self.failed(source))?;
        // A file system without locks is no reason to refuse work.
        if matches!(made.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(PlaceError::Busy(self.target.clone()));
        }
        self.lock = Some(made);
        Ok(())
    }

    fn make(&self) -> io::Result<File> {
        remove(&self.temporary)?;
        match self.kind {
            Kind::File => File::create_new(&self.temporary),
            Kind::Folder(_) => {
                fs::create_dir(&self.temporary)?;
                File::open(&self.temporary)
            }
        }
    }

    /// Mends what a run left that was killed between the two renames of [`Place::publish`].
    fn restore(&self) -> io::Result<()> {
        let old = beside(&self.target, "replaced");
        if !old.exists() {
            return Ok(());
        }
        if self.target.exists() { remove(&old) } else { fs::rename(&old, &self.target) }
    }

    fn publish(&self) -> io::Result<()> {
        if let Kind::Folder(_) = self.kind {
            for entry in fs::read_dir(&self.temporary)? {
                sync(&entry?.path())?;
            }
        }
        sync(&self.temporary)?;
        match self.kind {
            Kind::File if !self.force => self.publish_new()?,
            Kind::Folder(_) if self.force && self.target.exists() => {
                // A folder cannot be renamed over a full one: move the old one aside first.
                let old = beside(&self.target, "replaced");
                fs::rename(&self.target, &old)?;
                if let Err(error) = fs::rename(&self.temporary, &self.target) {
                    fs::rename(&old, &self.target)?;
                    return Err(error);
                }
                remove(&old)?;
            }
            // A folder is never renamed over a full one, so what came meanwhile stays.
            _ => fs::rename(&self.temporary, &self.target)?,
        }
        sync(self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }

    /// Unlike a rename, a link never replaces what came meanwhile.
    fn publish_new(&self) -> io::Result<()> {
        match fs::hard_link(&self.temporary, &self.target) {
            Ok(()) => remove(&self.temporary),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // No hard links on this file system.
            Err(_) => fs::rename(&self.temporary, &self.target),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Without the lock the temporary belongs to another run.
        if !self.committed && self.lock.is_some() {
            // Nothing better can be done about a failure here; the next run removes what stayed.
            let _ = remove(&self.temporary);
        }
    }
}

/// `.NAME.partial` beside `NAME`: on the same file system, and hidden from globs.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    target.with_file_name(name)
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_output_is_there_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        for folder in [false, true] {
            let make = |force| {
                if folder { Place::folder(&target, force, |_| true) } else { Place::file(&target, force) }
            };
            drop(make(false).unwrap());
            assert!(names(root.path()).is_empty(), "a dropped place leaves nothing");

            let write = |place: &Place, text: &str| {
                let path = if folder { place.temporary().join("a") } else { place.temporary().to_owned() };
                fs::write(path, text).unwrap();
            };
            let place = make(false).unwrap();
            write(&place, "one");
            place.commit().unwrap();
            assert_eq!(names(root.path()), ["out"]);

            assert!(matches!(make(false), Err(PlaceError::Exists(_))));
            let place = make(true).unwrap();
            write(&place, "two");
            place.commit().unwrap();
            assert_eq!(names(root.path()), ["out"]);
            let read = if folder { target.join("a") } else { target.clone() };
            assert_eq!(fs::read_to_string(read).unwrap(), "two");
            remove(&target).unwrap();
        }
    }

    #[test]
    fn two_runs_never_share_a_place_and_a_killed_one_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        for folder in [false, true] {
            let make =
                || if folder { Place::folder(&target, true, |_| true) } else { Place::file(&target, true) };
            let first = make().unwrap();
            assert!(matches!(make(), Err(PlaceError::Busy(_))));
            assert!(first.temporary().exists(), "the second run leaves the first alone");
            drop(first);
            // As a killed run leaves it: there, but not locked.
            fs::create_dir(beside(&target, "partial")).unwrap();
            fs::write(beside(&target, "partial").join("half"), "").unwrap();
            drop(make().unwrap());
            assert!(names(root.path()).is_empty());
        }
    }

    #[test]
    fn what_comes_meanwhile_is_not_replaced_without_force() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let place = Place::folder(&target, false, |_| true).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("diary"), "precious").unwrap();
        assert!(matches!(place.commit(), Err(PlaceError::Exists(_))));
        let place = Place::file(&root.path().join("file"), false).unwrap();
        fs::write(root.path().join("file"), "precious").unwrap();
        assert!(matches!(place.commit(), Err(PlaceError::Exists(_))));
        assert_eq!(names(root.path()), ["file", "out"]);
        assert_eq!(names(&target), ["diary"]);
    }

    #[test]
    fn a_run_killed_between_its_renames_loses_nothing() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(beside(&target, "replaced")).unwrap();
        fs::write(beside(&target, "replaced").join("old"), "").unwrap();
        assert!(matches!(Place::folder(&target, false, |_| true), Err(PlaceError::Exists(_))));
        assert_eq!(names(&target), ["old"]);
    }

    #[test]
    fn a_missing_folder_is_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Place::file(&root.path().join("no/x"), true), Err(PlaceError::NoParent { .. })));
    }

    #[test]
    fn force_never_replaces_a_folder_by_a_file() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Place::file(root.path(), true), Err(PlaceError::Other { .. })));
        fs::write(root.path().join("holiday.jpg"), "").unwrap();
        assert!(matches!(Place::folder(root.path(), true, |_| false), Err(PlaceError::Foreign(_))));
        assert_eq!(names(root.path()), ["holiday.jpg"]);
    }
}
