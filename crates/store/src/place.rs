//! Where an output goes: written beside its place, made durable, and renamed, so that it is there whole or not at all.

mod claim;
mod distinct;
#[expect(unsafe_code, reason = "renameat2 has no safe wrapper")]
mod exchange;
mod held;

#[cfg(test)]
mod tests;

use crate::{Ours, ours::describe};
use exchange::exchange;
use held::Held;
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

pub use distinct::distinct;
pub use held::withdraw;

/// An output in the making. Dropped without [`Place::commit`], it leaves nothing behind but what it found; a run that is
/// killed leaves `.NAME.partial`, which the next run of the same output removes, or moves to `.NAME.earlier` where it can
/// be resumed.
#[derive(Debug)]
pub struct Place {
    target: PathBuf,
    temporary: PathBuf,
    /// Held open and locked, so that two runs never write at the same place.
    lock: Option<File>,
    kind: Kind,
    force: bool,
    /// Whether what stopped runs left is kept until the output is there.
    resumes: bool,
    /// Whether what was written is left where it is.
    settled: bool,
    /// Whether the output is in its place, and the temporary one no longer this run's.
    published: bool,
}

/// What is being written, and so what may be replaced by it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// With what tells our own files from other people's.
    File(Ours),
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
    /// `--force` would replace a file that this program does not write.
    #[error("`{path}` exists and is {found}, not {expected}, so it is not replaced; give another name")]
    ForeignFile {
        /// The output asked for.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// What would be replaced.
        expected: &'static str,
    },
    /// An output is what the run reads, or another of its outputs.
    #[error("`{path}` is the same file as `{other}`, which this run {how} as well; give another name")]
    Same {
        /// The output asked for.
        path: PathBuf,
        /// The other name of it.
        other: PathBuf,
        /// What the run does with that.
        how: &'static str,
    },
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
    /// A place for one file, which is to be written by [`Place::open`]. Only an empty file, or one that `ours`
    /// knows, is ever replaced.
    ///
    /// # Errors
    /// Where `target` exists and `force` is not given, its folder cannot be written to, or another run is writing it.
    pub fn file(target: &Path, force: bool, ours: Ours) -> Result<Place, PlaceError> {
        Place::new(target, force, Kind::File(ours), false)
    }

    /// A place for a folder; [`Place::temporary`] exists and is empty. Only an empty folder, or one that `ours` knows
    /// for one of ours and nothing else, is ever replaced: `--force` with the wrong name must not cost anybody their
    /// photographs.
    ///
    /// # Errors
    /// As [`Place::file`].
    pub fn folder(target: &Path, force: bool, ours: fn(&Path) -> bool) -> Result<Place, PlaceError> {
        Place::new(target, force, Kind::Folder(ours), false)
    }

    /// As [`Place::folder`], but what stopped runs of this output left lies in [`Place::earlier`] until the output is
    /// committed. A run that fails leaves it there.
    ///
    /// # Errors
    /// As [`Place::file`].
    pub fn resumable(target: &Path, force: bool, ours: fn(&Path) -> bool) -> Result<Place, PlaceError> {
        Place::new(target, force, Kind::Folder(ours), true)
    }

    /// Where to write.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// The temporary file of a [`Place::file`], to be written from its beginning. It has been there since the place was
    /// taken, and none is made anew: what a signal has withdrawn stays away.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn open(&self) -> Result<File, PlaceError> {
        let opened = File::options().write(true).truncate(true).open(&self.temporary);
        opened.map_err(|source| self.failed(source))
    }

    /// A folder with one folder for each stopped run of a [`Place::resumable`], or nothing. It is this run's to sweep.
    pub fn earlier(&self) -> PathBuf {
        beside(&self.target, "earlier")
    }

    /// Where the output will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the names of what was written so far in [`Place::temporary`] survive a power cut.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        sync(&self.temporary)
    }

    /// An error of this output, for a writer that met one.
    pub fn failed(&self, source: io::Error) -> PlaceError {
        PlaceError::Write { path: self.target.clone(), source }
    }

    /// Makes what was written durable and moves it into place.
    ///
    /// # Errors
    /// Where the disk is full, something has come to lie at the target meanwhile, or the rename fails; or where the output
    /// is in its place, but the disk does not say that it will stay there.
    pub fn commit(mut self) -> Result<(), PlaceError> {
        self.check()?;
        self.publish().map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                PlaceError::Exists(self.target.clone())
            }
            _ => self.failed(source),
        })?;
        if self.resumes {
            // The output is there, whatever becomes of this.
            let _ = claim::remove_runs(&self.earlier());
        }
        Ok(())
    }

    /// From here on a run that fails leaves what it has written, for the next run of a [`Place::resumable`].
    pub fn keep(&mut self) {
        self.settled = true;
    }

    /// Ends without an output: what was written stays at [`Place::temporary`], for the next run of a
    /// [`Place::resumable`].
    pub fn leave(mut self) {
        self.keep();
    }

    fn new(target: &Path, force: bool, kind: Kind, resumes: bool) -> Result<Place, PlaceError> {
        let name = target.file_name().ok_or_else(|| PlaceError::Nameless(target.to_owned()))?;
        // `foo/` names the folder `foo`; the rebuilt path has no trailing slash to trip rename.
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let target = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
        if !parent.is_dir() {
            let parent = parent.to_owned();
            return Err(PlaceError::NoParent { path: target, parent });
        }
        let temporary = beside(&target, "partial");
        let mut place =
            Place { temporary, target, lock: None, kind, force, resumes, settled: false, published: false };
        place.check()?;
        {
            let held = Held::open();
            place.lock = Some(place.claim()?);
            held.add(&place.temporary, resumes);
        }
        // Under the lock: what looks like a killed run's may be a running one's, between its renames.
        place.restore().map_err(|source| place.failed(source))?;
        place.check()?;
        Ok(place)
    }

    /// Whether the target may be written: nothing is there, or `--force` and something of ours.
    fn check(&self) -> Result<(), PlaceError> {
        let path = || self.target.clone();
        let found = match fs::metadata(&self.target).or_else(|_| fs::symlink_metadata(&self.target)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found.map_err(|source| self.failed(source))?,
        };
        if !self.force {
            return Err(PlaceError::Exists(path()));
        }
        match (self.kind, found.is_dir()) {
            (Kind::File(ours), false) if ours.is(&self.target) => Ok(()),
            (Kind::File(ours), false) => Err(PlaceError::ForeignFile {
                path: path(),
                found: describe(&self.target),
                expected: ours.what,
            }),
            (Kind::File(_), true) => {
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

    /// Mends what a run left that was killed between the two renames of [`Place::publish`].
    fn restore(&self) -> io::Result<()> {
        let old = beside(&self.target, "replaced");
        if !old.exists() {
            return Ok(());
        }
        if self.target.exists() { remove(&old) } else { fs::rename(&old, &self.target) }
    }

    fn publish(&mut self) -> io::Result<()> {
        if let Kind::Folder(_) = self.kind {
            for entry in fs::read_dir(&self.temporary)? {
                sync(&entry?.path())?;
            }
        }
        if let (Kind::File(_), true, Ok(old)) = (self.kind, self.force, fs::metadata(&self.target)) {
            // Who may read it stays the same, where the file system lets us.
            let _ = fs::set_permissions(&self.temporary, old.permissions());
        }
        sync(&self.temporary)?;
        let held = Held::open();
        match self.kind {
            Kind::File(_) if !self.force => self.publish_new()?,
            Kind::Folder(_) if self.force && self.target.exists() => {
                self.replace_folder()?;
            }
            // A folder is never renamed over a full one, so what came meanwhile stays.
            _ => fs::rename(&self.temporary, &self.target)?,
        }
        // What has the temporary's name from here on is another run's.
        held.forget(&self.temporary);
        self.published = true;
        drop(held);
        sync(self.parent())
    }

    /// A folder cannot be renamed over a full one: the two change places, and where they cannot, the old one is moved
    /// aside first.
    fn replace_folder(&self) -> io::Result<()> {
        // Locked as long as it has the temporary's name, so that no other run takes it for what a killed one left.
        let old = File::open(&self.target);
        let _lock = old.as_ref().map(File::try_lock);
        if exchange(&self.temporary, &self.target).is_ok() {
            sync(self.parent())?;
            // The next run of this output removes what stays.
            let _ = remove(&self.temporary);
            return Ok(());
        }
        let aside = beside(&self.target, "replaced");
        fs::rename(&self.target, &aside)?;
        if let Err(error) = fs::rename(&self.temporary, &self.target) {
            fs::rename(&aside, &self.target)?;
            return Err(error);
        }
        let _ = remove(&aside);
        Ok(())
    }

    fn parent(&self) -> &Path {
        self.target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
        if self.published || self.lock.is_none() {
            return;
        }
        if !self.settled {
            // Nothing better can be done about a failure here; the next run removes what stayed.
            let _ = remove(&self.temporary);
        }
        Held::open().forget(&self.temporary);
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
