//! A data set as a folder tree: classes are folders, with or without splits on top.
//!
//! **Invariant:** every entry of the tree is a sample, a folder that is walked, a named skip, a counted entry that is
//! passed over, or an error. The tests add up, and let each call to the file system fail in turn.

mod entries;
mod files;
mod layout;

use crate::{DataSet, DatasetError, Doubt, Passed, data_set::Found};
use artifact::{Skipped, Split};
use entries::{Folder, Name, unreadable};
use files::{Disk, Files};
use layout::Layout;
use std::path::{Path, PathBuf};

pub use entries::EXTENSIONS;
pub(crate) use entries::is_system;

/// Why a picture is left out that no id can be made of.
const NOT_UTF8: &str = "its name is not UTF-8; rename it";

pub(crate) fn open(root: &Path) -> Result<DataSet, DatasetError> {
    open_in(&Disk, root)
}

fn open_in(files: &dyn Files, root: &Path) -> Result<DataSet, DatasetError> {
    let mut tree = Tree {
        files,
        root,
        found: Vec::new(),
        skipped: Vec::new(),
        passed: Passed::default(),
        empty: Vec::new(),
    };
    let top = Folder::list(files, root)?;
    match layout::of(files, root, &top)? {
        Layout::Classes => tree.take_classes(&top, root, "", None)?,
        Layout::Splits(splits) => {
            tree.refuse_unclassed(&top, root)?;
            for (name, split) in top.folders.iter().zip(splits) {
                tree.take_split(name, split)?;
            }
        }
    }
    tree.finish(&top)
}

/// What has been gathered so far.
struct Tree<'a> {
    files: &'a dyn Files,
    root: &'a Path,
    found: Vec<Found>,
    skipped: Vec<Skipped>,
    passed: Passed,
    /// Class folders of splits with nothing in them, and where they lie.
    empty: Vec<(String, PathBuf)>,
}

/// A folder within a class.
struct Below<'a> {
    class: &'a str,
    split: Option<Split>,
    /// Whether ids can be made of the names so far.
    is_named: bool,
}

impl Tree<'_> {
    /// Takes a split's folder, or the one of the same split that is all it holds: `seg_train/seg_train`.
    fn take_split(&mut self, name: &Name, split: Split) -> Result<(), DatasetError> {
        let (mut path, mut id) = (self.root.join(&name.raw), name.text.clone());
        let mut folder = Folder::list(self.files, &path)?;
        while let ([], [only]) = (&folder.images[..], &folder.folders[..])
            && layout::spelling(&only.text).is_some_and(|spelt| spelt.split == split)
        {
            let below = path.join(&only.raw);
            let inner = Folder::list(self.files, &below)?;
            if !inner.holds_folders_only() {
                break;
            }
            self.passed.merge(&folder.passed);
            (path, id, folder) = (below, join(&id, &only.text), inner);
        }
        self.take_classes(&folder, &path, &id, Some(split))
    }

    /// Takes every folder within `folder`, which lies at `path` and has the id `at`, for a class.
    fn take_classes(
        &mut self,
        folder: &Folder,
        path: &Path,
        at: &str,
        split: Option<Split>,
    ) -> Result<(), DatasetError> {
        self.refuse_unclassed(folder, path)?;
        let here = self.real(path)?;
        for class in &folder.folders {
            let (before, unnamed) = (self.found.len(), self.skipped.len());
            let below = Below { class: &class.text, split, is_named: class.is_utf8() };
            let mut passed = Passed::default();
            let inner = path.join(&class.raw);
            self.take_images(&inner, &join(at, &class.text), &below, &mut vec![here.clone()], &mut passed)?;
            if self.found.len() == before {
                (unnamed..self.skipped.len()).for_each(|_| passed.add("with names that are not UTF-8"));
                // In a split, a folder without anything says no more than a missing one.
                if split.is_none() || passed.is_visible() {
                    return Err(empty_class(path, &class.text, &passed));
                }
                self.empty.push((class.text.clone(), path.to_owned()));
            }
            self.passed.merge(&passed);
        }
        Ok(())
    }

    /// Takes the images in `path` and below; `above` holds the folders we came through, so that links in a circle end.
    fn take_images(
        &mut self,
        path: &Path,
        id: &str,
        below: &Below<'_>,
        above: &mut Vec<PathBuf>,
        passed: &mut Passed,
    ) -> Result<(), DatasetError> {
        let here = self.real(path)?;
        if above.contains(&here) {
            passed.add("links in circles");
            return Ok(());
        }
        let folder = Folder::list(self.files, path)?;
        passed.merge(&folder.passed);
        for name in folder.images {
            let id = join(id, &name.text);
            if below.is_named && name.is_utf8() {
                let (class, path) = (below.class.to_owned(), path.join(&name.raw));
                self.found.push(Found { id, path, class, split: below.split });
            } else {
                self.skipped.push(Skipped { id, reason: NOT_UTF8.to_owned() });
            }
        }
        above.push(here);
        for name in folder.folders {
            let below = Below { is_named: below.is_named && name.is_utf8(), ..*below };
            self.take_images(&path.join(&name.raw), &join(id, &name.text), &below, above, passed)?;
        }
        above.pop();
        Ok(())
    }

    /// Images that lie above the class folders have no label: that is a mistake, not something to pass over.
    fn refuse_unclassed(&mut self, folder: &Folder, path: &Path) -> Result<(), DatasetError> {
        self.passed.merge(&folder.passed);
        match folder.images.first() {
            None => Ok(()),
            Some(first) => Err(DatasetError::Unclassed {
                path: path.to_owned(),
                count: folder.images.len(),
                first: first.text.clone(),
            }),
        }
    }

    /// The data set, if classifiers can be fitted on it: folders are classes, and where one is missing something is amiss.
    fn finish(self, top: &Folder) -> Result<DataSet, DatasetError> {
        let path = self.root.to_owned();
        let is_found = |class: &str| self.found.iter().any(|found| found.class == class);
        if let Some((class, folder)) = self.empty.iter().find(|(class, _)| !is_found(class)) {
            return Err(empty_class(folder, class, &Passed::default()));
        }
        if self.found.is_empty() {
            let folders = (!top.folders.is_empty()).then(|| format!("{} folders", top.folders.len()));
            let passed = (!self.passed.is_empty()).then(|| self.passed.to_string());
            let found: Vec<String> = folders.into_iter().chain(passed).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            return Err(DatasetError::Empty { path, found });
        }
        let set = DataSet::assemble(self.found, self.skipped, self.passed);
        match (set.doubt(), &top.folders[..]) {
            (None, _) => Ok(set),
            (Some(Doubt::OneClass { .. }), [only])
                if Folder::list(self.files, &path.join(&only.raw))?.holds_folders_only() =>
            {
                Err(DatasetError::Wrapped { inner: path.join(&only.raw), path })
            }
            (Some(Doubt::OneClass { class }), _) => Err(DatasetError::OneClass { path, class }),
            (Some(Doubt::NotInTrain { class, split }), _) => {
                Err(DatasetError::NotInTrain { path, class, split })
            }
        }
    }

    fn real(&self, path: &Path) -> Result<PathBuf, DatasetError> {
        self.files.real(path).map_err(|source| unreadable(path, source))
    }
}

fn empty_class(path: &Path, class: &str, passed: &Passed) -> DatasetError {
    let passed = if passed.is_empty() { String::new() } else { format!(" (passed over: {passed})") };
    DatasetError::EmptyClass { path: path.to_owned(), class: class.to_owned(), passed }
}

fn join(id: &str, name: &str) -> String {
    if id.is_empty() { name.to_owned() } else { format!("{id}/{name}") }
}

#[cfg(test)]
mod tests;
