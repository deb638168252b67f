//! The hub's cache, as its Python library lays it out.
//!
//! `models--ORG--NAME/` has `blobs/`, with a file for each digest; `snapshots/COMMIT/`, whose files are links to blobs; and
//! `refs/`, where each branch and tag has the commit that it was seen at. Locks lie in `.locks/models--ORG--NAME/`.

use crate::{error::FetchError, files, hub::listing::is_commit, names, source::HubSource};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Real models have some dozen files.
const MOST_FILES: usize = 100_000;
const DEEPEST: usize = 16;

/// What the cache has, or will have, of one model.
pub(crate) struct Cache {
    model: PathBuf,
    locks: PathBuf,
}

impl Cache {
    pub(crate) fn new(root: &Path, source: &HubSource) -> Cache {
        let folder = format!("models--{}", source.model.replace('/', "--"));
        Cache { model: root.join(&folder), locks: root.join(".locks").join(&folder) }
    }

    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.model.join("snapshots").join(commit)
    }

    /// A file of a snapshot, by its name in the model.
    pub(crate) fn file(&self, commit: &str, name: &str) -> PathBuf {
        self.snapshot(commit).join(name)
    }

    /// Where the bytes of a version lie; `None` where the version cannot be a name.
    pub(crate) fn blob(&self, etag: &str) -> Option<PathBuf> {
        let plain = names::is_plain(etag) && etag.is_ascii() && !etag.starts_with('.') && etag.len() <= 200;
        plain.then(|| self.model.join("blobs").join(etag))
    }

    /// What whoever downloads that version locks.
    pub(crate) fn lock(&self, etag: &str) -> PathBuf {
        self.locks.join(format!("{etag}.lock"))
    }

    /// Gives the bytes of a version a name in a snapshot.
    ///
    /// # Errors
    /// [`FetchError::Write`].
    pub(crate) fn link(&self, commit: &str, name: &str, etag: &str) -> Result<(), FetchError> {
        // From the file up to the model: its folders, the commit, `snapshots`.
        let up = "../".repeat(name.split('/').count() + 1);
        files::link(&Path::new(&up).join("blobs").join(etag), &self.file(commit, name))
    }

    /// The commit that a branch or tag was last seen at.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        let path = self.model.join("refs").join(revision);
        // 40 digits, and a line end at most.
        let short = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() < 64);
        let text = short.then(|| fs::read_to_string(&path).ok()).flatten()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Remembers that commit, where the revision is not the commit itself.
    ///
    /// # Errors
    /// [`FetchError::Write`].
    pub(crate) fn remember(&self, revision: &str, commit: &str) -> Result<(), FetchError> {
        if revision == commit || self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        files::write(&self.model.join("refs").join(revision), commit.as_bytes())
    }

    /// Names of all files that a snapshot has.
    ///
    /// # Errors
    /// Where it is not there or cannot be read.
    pub(crate) fn names(&self, commit: &str) -> io::Result<Vec<String>> {
        let root = self.snapshot(commit);
        let (mut found, mut left) = (Vec::new(), vec![(String::new(), 0)]);
        while let Some((folder, depth)) = left.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if found.len() + left.len() >= MOST_FILES {
                    return Err(io::Error::other("the snapshot has too many files"));
                }
                if entry.file_type()?.is_dir() {
                    if depth < DEEPEST {
                        left.push((name, depth + 1));
                    }
                } else if entry.path().is_file() {
                    // Not a link that leads nowhere.
                    found.push(name);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}
