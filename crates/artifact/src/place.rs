//! Where an output goes: written beside its place, made durable, and renamed, so that it is there whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// An output in the making. Dropped without [`Place::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Place {
    target: PathBuf,
    temporary: PathBuf,
    folder: bool,
    committed: bool,
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
    #[error("`{path}` exists and holds no `{marker}`, so it is not ours to replace; give another name")]
    Foreign {
        /// The output asked for.
        path: PathBuf,
        /// The file by which our folders are known.
        marker: &'static str,
    },
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
    /// Where `target` exists and `force` is not given, or its folder cannot be written to.
    pub fn file(target: &Path, force: bool) -> Result<Place, PlaceError> {
        Place::new(target, force, None)
    }

    /// A place for a folder; [`Place::temporary`] exists and is empty. Only an empty folder, or one that holds
    /// `marker`, is ever replaced: `--force` with the wrong name must not cost anybody their photographs.
    ///
    /// # Errors
    /// As [`Place::file`].
    pub fn folder(target: &Path, force: bool, marker: &'static str) -> Result<Place, PlaceError> {
        Place::new(target, force, Some(marker))
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
    /// Where the disk is full or the rename fails; nothing is left behind then.
    pub fn commit(mut self) -> Result<(), PlaceError> {
        self.publish().map_err(|source| self.failed(source))?;
        self.committed = true;
        Ok(())
    }

    fn new(target: &Path, force: bool, marker: Option<&'static str>) -> Result<Place, PlaceError> {
        let folder = marker.is_some();
        let name = target.file_name().ok_or_else(|| PlaceError::Nameless(target.to_owned()))?;
        // `foo/` names the folder `foo`; the rebuilt path has no trailing slash to trip rename.
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let target = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
        if !parent.is_dir() {
            let parent = parent.to_owned();
            return Err(PlaceError::NoParent { path: target, parent });
        }
        if let Ok(found) = fs::symlink_metadata(&target) {
            if !force {
                return Err(PlaceError::Exists(target));
            }
            if found.is_dir() != folder {
                let kind = |is_folder: bool| if is_folder { "a folder" } else { "a file" };
                return Err(PlaceError::Other {
                    path: target,
                    found: kind(found.is_dir()),
                    expected: kind(folder),
                });
            }
            if let Some(marker) = marker
                && !target.join(marker).exists()
                && fs::read_dir(&target).is_ok_and(|mut entries| entries.next().is_some())
            {
                return Err(PlaceError::Foreign { path: target, marker });
            }
        }
        let place = Place { temporary: beside(&target, "partial"), target, folder, committed: false };
        place.prepare().map_err(|source| place.failed(source))?;
        Ok(place)
    }

    fn prepare(&self) -> io::Result<()> {
        // A run that was killed may have left its half behind; nobody else uses this name.
        remove(&self.temporary)?;
        if self.folder { fs::create_dir(&self.temporary) } else { File::create(&self.temporary).map(drop) }
    }

    fn publish(&self) -> io::Result<()> {
        if self.folder {
            for entry in fs::read_dir(&self.temporary)? {
                sync(&entry?.path())?;
            }
        }
        sync(&self.temporary)?;
        if self.folder && self.target.exists() {
            // A folder cannot be renamed over a full one: move the old one aside first.
            let old = beside(&self.target, "replaced");
            remove(&old)?;
            fs::rename(&self.target, &old)?;
            if let Err(error) = fs::rename(&self.temporary, &self.target) {
                fs::rename(&old, &self.target)?;
                return Err(error);
            }
            remove(&old)?;
        } else {
            fs::rename(&self.temporary, &self.target)?;
        }
        sync(self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.committed {
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
            let make =
                |force| if folder { Place::folder(&target, force, "a") } else { Place::file(&target, force) };
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
    fn a_missing_folder_is_told() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Place::file(&root.path().join("no/x"), true), Err(PlaceError::NoParent { .. })));
    }

    #[test]
    fn force_never_replaces_a_folder_by_a_file() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(Place::file(root.path(), true), Err(PlaceError::Other { .. })));
        fs::write(root.path().join("holiday.jpg"), "").unwrap();
        assert!(matches!(Place::folder(root.path(), true, "index.json"), Err(PlaceError::Foreign { .. })));
        assert_eq!(names(root.path()), ["holiday.jpg"]);
    }
}
