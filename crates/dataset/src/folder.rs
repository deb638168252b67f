//! A data set as a folder tree: classes are folders, with or without splits on top.

use crate::{DataSet, DatasetError, Doubt, data_set::Found};
use artifact::Split;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The extensions, in any case, of the files that are taken for images. Other files are ignored, and counted.
pub const EXTENSIONS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pbm", "pnm"];

pub(crate) fn open(root: &Path) -> Result<DataSet, DatasetError> {
    let mut tree = Tree { root, found: Vec::new(), ignored: BTreeMap::new() };
    let top = Folder::list(root)?;
    match top.layout(root)? {
        Layout::Classes => tree.take_classes(&top, &[], None)?,
        Layout::Splits => {
            tree.refuse_unclassed(&top, root)?;
            for name in &top.folders {
                let split_path = root.join(name);
                let folder = Folder::list(&split_path)?;
                tree.take_classes(&folder, &[name], Split::parse(name))?;
            }
        }
    }
    if tree.found.is_empty() {
        let found = match (top.folders.len(), tree.ignored.values().sum::<u64>()) {
            (0, 0) => "nothing".to_owned(),
            (folders, files) => format!("{folders} folders and {files} other files"),
        };
        return Err(DatasetError::Empty { path: root.to_owned(), found });
    }
    let set = DataSet::assemble(tree.found, tree.ignored);
    // Folders are classes: where a classifier cannot be fitted on them, something is amiss.
    let path = root.to_owned();
    match set.doubt() {
        None => Ok(set),
        Some(Doubt::OneClass { class }) => Err(DatasetError::OneClass { path, class }),
        Some(Doubt::NotInTrain { class, split }) => Err(DatasetError::NotInTrain { path, class, split }),
    }
}

enum Layout {
    Classes,
    Splits,
}

/// One folder's visible entries, sorted by name.
#[derive(Default)]
struct Folder {
    folders: Vec<String>,
    images: Vec<String>,
    /// Counts by extension.
    ignored: BTreeMap<String, u64>,
}

impl Folder {
    fn list(path: &Path) -> Result<Folder, DatasetError> {
        let unreadable = |source| DatasetError::Unreadable { path: path.to_owned(), source };
        let mut folder = Folder::default();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // Links are followed; one that leads nowhere is left for the reader to stumble over, with its own reason.
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            if !is_folder && !has_image_extension(&name) {
                *folder.ignored.entry(extension(&name)).or_default() += 1;
                continue;
            }
            let name = name.into_string().map_err(|_| DatasetError::NotUtf8(entry.path()))?;
            if is_folder { &mut folder.folders } else { &mut folder.images }.push(name);
        }
        folder.folders.sort_unstable();
        folder.images.sort_unstable();
        Ok(folder)
    }

    /// Whether the folders here, the root, are splits or classes.
    fn layout(&self, root: &Path) -> Result<Layout, DatasetError> {
        let is_split = |name: &&String| Split::parse(name).is_some();
        let Some(split) = self.folders.iter().find(is_split) else { return Ok(Layout::Classes) };
        let Some(other) = self.folders.iter().find(|name| !is_split(name)) else { return Ok(Layout::Splits) };
        // Among buses and trams, `train` is a class: then it holds images, and no folders.
        for name in self.folders.iter().filter(is_split) {
            if !Folder::list(&root.join(name))?.folders.is_empty() {
                let (split, other) = (split.clone(), other.clone());
                return Err(DatasetError::Mixed { path: root.to_owned(), split, other });
            }
        }
        Ok(Layout::Classes)
    }
}

/// What has been gathered so far.
struct Tree<'a> {
    root: &'a Path,
    found: Vec<Found>,
    ignored: BTreeMap<String, u64>,
}

impl Tree<'_> {
    /// Takes every folder within `folder`, which lies at `at` under the root, for a class.
    fn take_classes(
        &mut self,
        folder: &Folder,
        at: &[&str],
        split: Option<Split>,
    ) -> Result<(), DatasetError> {
        let path: PathBuf = self.root.iter().chain(at.iter().map(OsStr::new)).collect();
        self.refuse_unclassed(folder, &path)?;
        for class in &folder.folders {
            let before = self.found.len();
            let id = at.iter().chain([&class.as_str()]).fold(String::new(), |id, part| join(&id, part));
            let within = canonical(&path)?;
            self.take_images(&path.join(class), &id, class, split, &mut vec![within])?;
            // A split may lack a class, and an empty folder says no more than a missing one; a class may not.
            if self.found.len() == before && split.is_none() {
                return Err(DatasetError::EmptyClass { path, class: class.clone() });
            }
        }
        Ok(())
    }

    /// Takes the images in `path` and below; `above` holds the folders we came through, so that links in a circle end.
    fn take_images(
        &mut self,
        path: &Path,
        id: &str,
        class: &str,
        split: Option<Split>,
        above: &mut Vec<PathBuf>,
    ) -> Result<(), DatasetError> {
        let here = canonical(path)?;
        if above.contains(&here) {
            return Ok(());
        }
        let folder = Folder::list(path)?;
        self.ignore(&folder);
        for name in folder.images {
            let (id, path) = (join(id, &name), path.join(&name));
            self.found.push(Found { id, path, class: class.to_owned(), split });
        }
        above.push(here);
        for name in folder.folders {
            self.take_images(&path.join(&name), &join(id, &name), class, split, above)?;
        }
        above.pop();
        Ok(())
    }

    fn ignore(&mut self, folder: &Folder) {
        for (kind, count) in &folder.ignored {
            *self.ignored.entry(kind.clone()).or_default() += count;
        }
    }

    /// Images that lie above the class folders have no label: that is a mistake, not something to pass over.
    fn refuse_unclassed(&mut self, folder: &Folder, path: &Path) -> Result<(), DatasetError> {
        self.ignore(folder);
        match folder.images.first() {
            None => Ok(()),
            Some(first) => Err(DatasetError::Unclassed {
                path: path.to_owned(),
                count: folder.images.len(),
                first: first.clone(),
            }),
        }
    }
}

fn canonical(path: &Path) -> Result<PathBuf, DatasetError> {
    path.canonicalize().map_err(|source| DatasetError::Unreadable { path: path.to_owned(), source })
}

fn join(id: &str, name: &str) -> String {
    if id.is_empty() { name.to_owned() } else { format!("{id}/{name}") }
}

/// In lower case; `none` for a name without.
fn extension(name: &OsStr) -> String {
    let extension = Path::new(name).extension();
    extension.map_or_else(|| "none".to_owned(), |extension| extension.to_string_lossy().to_lowercase())
}

fn has_image_extension(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests;
