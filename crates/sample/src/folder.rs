//! A data set as a folder tree: classes are folders, with or without splits on top. Pictures or texts alone have no classes.
//!
//! **Invariant:** every entry of the tree is a sample, a folder that is walked, a named skip, a counted entry that is
//! passed over, or an error. The tests add up, and let each call to the file system fail in turn.

mod entries;
mod files;
mod layout;

use crate::{
    Content, DataSet, DatasetError, Doubt, LABEL, Passed, Skipped, Split, data_set::Found, error::counted,
    names::NOT_UTF8,
};
use entries::{Folder, Name, unreadable};
use files::Disk;
use layout::Layout;
use std::path::{Path, PathBuf};

pub(crate) use entries::has_image_extension;
pub use entries::{EXTENSIONS, Medium};
pub(crate) use files::{Files, Kind};
pub(crate) use layout::{Spelt, spelling};

/// What an error about missing samples calls those.
const UNNAMED: &str = "not named in UTF-8";

pub(crate) fn open(root: &Path, medium: Medium) -> Result<DataSet, DatasetError> {
    open_in(&Disk(medium), root)
}

/// Every sample in a folder and below, however they are sorted: nothing is said of them.
pub(crate) fn open_any(root: &Path, medium: Medium) -> Result<DataSet, DatasetError> {
    open_any_in(&Disk(medium), root)
}

/// As [`open_any`], of any file system.
pub(crate) fn open_any_in(files: &dyn Files, root: &Path) -> Result<DataSet, DatasetError> {
    let mut tree = Tree { is_labelled: false, ..Tree::new(files, root) };
    let below = Below { class: "", split: None, is_named: true };
    let mut passed = Passed::default();
    tree.take_samples(root, "", &below, &mut Vec::new(), &mut passed)?;
    tree.passed = passed;
    tree.finish(&Folder::list(files, root)?).map_err(|error| match error {
        DatasetError::Empty { path, medium, found } => DatasetError::NoSamples { path, medium, found },
        error => error,
    })
}

/// As [`open`], of any file system.
pub(crate) fn open_in(files: &dyn Files, root: &Path) -> Result<DataSet, DatasetError> {
    let mut tree = Tree::new(files, root);
    let top = Folder::list(files, root)?;
    match layout::of(files, root, &top)? {
        Layout::Classes => {
            let above =
                Above { path: root.to_owned(), id: String::new(), split: None, is_named: true, folder: top };
            tree.is_labelled = !above.folder.holds_samples_only();
            tree.take_within(&above)?;
            tree.finish(&above.folder)
        }
        Layout::Splits(splits) => {
            tree.refuse_unclassed(&top, root)?;
            tree.is_labelled = !tree.are_flat(&top)?;
            for (name, split) in top.folders.iter().zip(splits) {
                tree.take_split(name, split)?;
            }
            tree.finish(&top)
        }
    }
}

/// What has been gathered so far.
struct Tree<'a> {
    files: &'a dyn Files,
    root: &'a Path,
    found: Vec<Found>,
    /// The class of each, in the order in which they were found.
    labels: Vec<String>,
    /// Whether there are classes.
    is_labelled: bool,
    skipped: Vec<Skipped>,
    passed: Passed,
    /// Class folders that are the only ones of the data set, or of a split.
    only: Vec<PathBuf>,
    /// The first split without a sample.
    empty: Option<DatasetError>,
}

/// The folder above classes: the data set, or one of its splits.
struct Above {
    path: PathBuf,
    id: String,
    split: Option<Split>,
    /// Whether ids can be made of the names so far.
    is_named: bool,
    folder: Folder,
}

/// A folder within a class.
struct Below<'a> {
    class: &'a str,
    split: Option<Split>,
    /// Whether ids can be made of the names so far.
    is_named: bool,
}

impl<'a> Tree<'a> {
    fn new(files: &'a dyn Files, root: &'a Path) -> Tree<'a> {
        Tree {
            files,
            root,
            found: Vec::new(),
            labels: Vec::new(),
            is_labelled: true,
            skipped: Vec::new(),
            passed: Passed::default(),
            only: Vec::new(),
            empty: None,
        }
    }

    /// Takes a split's folder, or the one of the same split that is all it holds: `seg_train/seg_train`.
    fn take_split(&mut self, name: &Name, split: Split) -> Result<(), DatasetError> {
        let path = self.root.join(&name.raw);
        let folder = Folder::list(self.files, &path)?;
        let id = name.text.clone();
        let mut above = Above { path, id, split: Some(split), is_named: name.is_utf8(), folder };
        let before = (self.found.len(), std::mem::take(&mut self.passed));
        while let ([], [only]) = (&above.folder.samples[..], &above.folder.folders[..])
            && layout::spelling(&only.text).is_some_and(|spelt| spelt.split == split)
        {
            let path = above.path.join(&only.raw);
            let folder = Folder::list(self.files, &path)?;
            if !folder.holds_folders_only() {
                break;
            }
            self.passed.merge(&above.folder.passed);
            let (id, is_named) = (join(&above.id, &only.text), above.is_named && only.is_utf8());
            above = Above { path, id, is_named, folder, ..above };
        }
        self.take_within(&above)?;
        if self.found.len() == before.0 && self.empty.is_none() {
            let (path, split) = (self.root.to_owned(), name.text.clone());
            self.empty = Some(DatasetError::EmptySplit {
                path,
                medium: self.files.medium(),
                split,
                passed: instead(&self.passed),
            });
        }
        self.passed.merge(&before.1);
        Ok(())
    }

    /// Whether every folder in `top` holds samples and no folders.
    fn are_flat(&self, top: &Folder) -> Result<bool, DatasetError> {
        for name in &top.folders {
            if !Folder::list(self.files, &self.root.join(&name.raw))?.holds_samples_only() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes what is within `above`: classes, or samples where there are none.
    fn take_within(&mut self, above: &Above) -> Result<(), DatasetError> {
        if self.is_labelled {
            return self.take_classes(above);
        }
        let below = Below { class: "", split: above.split, is_named: above.is_named };
        let (mut passed, before, unnamed) = (Passed::default(), self.found.len(), self.skipped.len());
        self.take_samples(&above.path, &above.id, &below, &mut Vec::new(), &mut passed)?;
        if self.found.len() == before {
            (unnamed..self.skipped.len()).for_each(|_| passed.add(UNNAMED));
        }
        self.passed.merge(&passed);
        Ok(())
    }

    /// Takes every folder within `above` for a class.
    fn take_classes(&mut self, above: &Above) -> Result<(), DatasetError> {
        let Above { path, split, .. } = above;
        self.refuse_unclassed(&above.folder, path)?;
        let here = self.real(path)?;
        if let [only] = &above.folder.folders[..] {
            self.only.push(path.join(&only.raw));
        }
        for class in &above.folder.folders {
            let (before, unnamed) = (self.found.len(), self.skipped.len());
            let below =
                Below { class: &class.text, split: *split, is_named: above.is_named && class.is_utf8() };
            let mut passed = Passed::default();
            let id = join(&above.id, &class.text);
            self.take_samples(&path.join(&class.raw), &id, &below, &mut vec![here.clone()], &mut passed)?;
            if self.found.len() == before {
                (unnamed..self.skipped.len()).for_each(|_| passed.add(UNNAMED));
                let (path, class) = (path.clone(), class.text.clone());
                let medium = self.files.medium();
                return Err(DatasetError::EmptyClass { path, medium, class, passed: instead(&passed) });
            }
            self.passed.merge(&passed);
        }
        Ok(())
    }

    /// Takes the samples in `path` and below; `above` holds the folders we came through, so that links in a circle end.
    fn take_samples(
        &mut self,
        path: &Path,
        id: &str,
        below: &Below<'_>,
        above: &mut Vec<PathBuf>,
        passed: &mut Passed,
    ) -> Result<(), DatasetError> {
        let here = self.real(path)?;
        if above.contains(&here) {
            passed.add("linked in a circle");
            return Ok(());
        }
        let folder = Folder::list(self.files, path)?;
        passed.merge(&folder.passed);
        for name in folder.samples {
            let id = join(id, &name.text);
            if below.is_named && name.is_utf8() {
                let (content, row) = (Content::File(path.join(&name.raw)), self.found.len());
                self.labels.push(below.class.to_owned());
                self.found.push(Found { id, content, split: below.split, row });
            } else {
                self.skipped.push(Skipped { id, reason: NOT_UTF8.to_owned() });
            }
        }
        above.push(here);
        for name in folder.folders {
            let below = Below { is_named: below.is_named && name.is_utf8(), ..*below };
            self.take_samples(&path.join(&name.raw), &join(id, &name.text), &below, above, passed)?;
        }
        above.pop();
        Ok(())
    }

    /// Samples beside class folders have no label: that is a mistake, not something to pass over.
    fn refuse_unclassed(&mut self, folder: &Folder, path: &Path) -> Result<(), DatasetError> {
        self.passed.merge(&folder.passed);
        match folder.samples.first() {
            None => Ok(()),
            Some(first) => Err(DatasetError::Unclassed {
                path: path.to_owned(),
                medium: self.files.medium(),
                count: folder.samples.len(),
                first: first.text.clone(),
            }),
        }
    }

    /// The data set, if classifiers can be fitted on it: folders are classes, and where one is missing something is amiss.
    fn finish(self, top: &Folder) -> Result<DataSet, DatasetError> {
        let path = self.root.to_owned();
        if self.found.is_empty() {
            let folders = (!top.folders.is_empty()).then(|| counted(top.folders.len(), "folder"));
            let passed = (!self.passed.is_empty()).then(|| self.passed.to_string());
            let found: Vec<String> = folders.into_iter().chain(passed).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            return Err(DatasetError::Empty { path, medium: self.files.medium(), found });
        }
        if let Some(empty) = self.empty {
            return Err(empty);
        }
        let label = |row: usize| self.labels[row].as_str();
        let set = DataSet::assemble(self.found, self.is_labelled.then_some((LABEL, label)));
        let mut skipped = self.skipped;
        skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let set = DataSet { skipped, passed: self.passed, ..set };
        match set.doubt() {
            None => Ok(set),
            Some(Doubt::NotInTrain { class, split }) => Err(DatasetError::NotInTrain { path, class, split }),
            // Of one class, each folder above it holds that one only.
            Some(Doubt::OneClass { class }) => {
                for inner in self.only {
                    if Folder::list(self.files, &inner)?.holds_folders_only() {
                        return Err(match inner.parent() == Some(self.root) {
                            true => DatasetError::Wrapped { path, inner },
                            false => DatasetError::WrappedSplits { path, inner: class },
                        });
                    }
                }
                Err(DatasetError::OneClass { path, class })
            }
        }
    }

    fn real(&self, path: &Path) -> Result<PathBuf, DatasetError> {
        self.files.real(path).map_err(|source| unreadable(path, source))
    }
}

/// What an error says of entries that were there, and were no samples.
fn instead(passed: &Passed) -> String {
    if passed.is_empty() { String::new() } else { format!(" (passed over: {passed})") }
}

fn join(id: &str, name: &str) -> String {
    if id.is_empty() { name.to_owned() } else { format!("{id}/{name}") }
}

#[cfg(test)]
mod tests;
