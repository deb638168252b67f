//! The files in tars as a file system, which is looked at as a folder is.

use super::members::{Archive, is_hidden};
use crate::{
    Content, DatasetError, PackedError,
    folder::{Files, Kind, has_image_extension, spelling},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};

pub(super) struct Tree {
    /// Of each folder, its files and folders.
    folders: BTreeMap<PathBuf, BTreeSet<OsString>>,
    /// The entry of each file.
    files: BTreeMap<PathBuf, usize>,
}

/// Of one tar.
struct Tops<'a> {
    /// One of its files.
    entry: usize,
    /// On top, where pictures are below.
    folders: BTreeSet<&'a str>,
    /// Those within them, where no picture lies higher.
    inner: Option<BTreeSet<&'a str>>,
}

impl Tree {
    /// `root` is the path of the folder that all lies in.
    pub(super) fn new(archive: &Archive<'_>, root: &Path) -> Result<Tree, DatasetError> {
        let mut tree = Tree { folders: BTreeMap::new(), files: BTreeMap::new() };
        tree.folders.insert(root.to_owned(), BTreeSet::new());
        for folder in archive.folders() {
            let path = root.join(folder);
            tree.link(&path, root);
            tree.folders.entry(path).or_default();
        }
        for (at, entry) in archive.entries().enumerate() {
            let path = root.join(entry.name);
            tree.link(&path, root);
            if let Some(first) = tree.files.insert(path, at) {
                return Err(archive.twice(first, at));
            }
        }
        match tree.files.iter().find(|(path, _)| tree.folders.contains_key(*path)) {
            Some((_, &at)) => Err(archive.wrong(at, "is a file and a folder".to_owned())),
            None => Ok(tree),
        }
    }

    /// Enters a path into the folder above it, and that into the one above.
    fn link(&mut self, mut path: &Path, root: &Path) {
        while let (true, Some(above), Some(name)) = (path != root, path.parent(), path.file_name()) {
            if !self.folders.entry(above.to_owned()).or_default().insert(name.to_owned()) {
                break;
            }
            path = above;
        }
    }

    /// The folder that holds all others, and is no split: `tar c photos` puts `photos/` before every name.
    pub(super) fn root(&self, root: &Path) -> PathBuf {
        let mut path = root.to_owned();
        while let Some(names) = self.folders.get(&path) {
            let mut visible = names.iter().filter(|name| !name.as_encoded_bytes().starts_with(b"."));
            let (Some(only), None) = (visible.next(), visible.next()) else { break };
            let inner = path.join(only);
            let is_split = only.to_str().and_then(spelling).is_some_and(|said| said.is_exact());
            if is_split || !self.folders.contains_key(&inner) {
                break;
            }
            path = inner;
        }
        path
    }

    /// Refuses tars of which one has a folder around the classes of another: that is a class only by mistake.
    pub(super) fn refuse_outer(archive: &Archive<'_>) -> Result<(), DatasetError> {
        let mut shards: BTreeMap<usize, Tops<'_>> = BTreeMap::new();
        for (at, entry) in archive.entries().enumerate() {
            let is_picture = has_image_extension(OsStr::new(entry.name)) && !is_hidden(entry.name);
            let Some((top, below)) = entry.name.split_once('/').filter(|_| is_picture) else { continue };
            let new = || Tops { entry: at, folders: BTreeSet::new(), inner: Some(BTreeSet::new()) };
            let tops = shards.entry(entry.shard).or_insert_with(new);
            tops.folders.insert(top);
            match (below.split_once('/'), &mut tops.inner) {
                (Some((folder, _)), Some(inner)) => {
                    inner.insert(folder);
                }
                (None, inner) => *inner = None,
                (Some(_), None) => {}
            }
        }
        for Tops { entry, folders, inner } in shards.values() {
            let (Some(outer), 1, Some(inner)) = (folders.first(), folders.len(), inner) else { continue };
            let is_without =
                |other: &&Tops<'_>| !other.folders.contains(outer) && !inner.is_disjoint(&other.folders);
            if let Some(other) = shards.values().find(is_without) {
                let (path, other) = (archive.path(*entry), archive.path(other.entry));
                return Err(PackedError::OuterFolder { path, folder: (*outer).to_owned(), other }.into());
            }
        }
        Ok(())
    }

    /// The entry of what was listed here.
    ///
    /// # Panics
    /// Where it was not.
    pub(super) fn entry(&self, content: &Content) -> usize {
        match content {
            Content::File(path) => self.files[path],
            _ => unreachable!("a folder lists files"),
        }
    }
}

impl Files for Tree {
    fn entries(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let names = self.folders.get(folder).ok_or(io::ErrorKind::NotADirectory)?;
        Ok(names.iter().cloned().collect())
    }

    fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(if self.folders.contains_key(path) { Kind::Folder } else { Kind::Other })
    }

    fn is_link(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
}
