//! The files in tars, by names that are ids.

use crate::{
    Content, DatasetError, PackedError, Skipped, Split,
    folder::has_image_extension,
    names::{NOT_UTF8, escaped},
    shards,
};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::File,
    io::BufReader,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{
    Packed,
    ids::of_name,
    tar::{Member, MemberKind, members},
};

/// Why pictures are left out.
const LEADS_OUT: &str = "its name is absolute, or has `..` in it; rename it";
const NO_FILE: &str = "it is a link to no file that stands before it in the tar";

/// One tar.
pub(crate) struct Shard {
    pub(crate) packed: Arc<Packed>,
    /// The same, to look through.
    pub(crate) file: File,
}

/// All files of some tars.
pub(super) struct Archive<'a> {
    shards: &'a [Shard],
    entries: Vec<(usize, String, Range<u64>)>,
    /// Of the entries, those of one shard by name.
    by_name: HashMap<(usize, String), usize>,
    folders: Vec<String>,
    skipped: Vec<Skipped>,
}

/// A file.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// A sample's id.
    pub(super) name: &'a str,
    pub(super) shard: usize,
}

impl<'a> Archive<'a> {
    pub(super) fn read(shards: &'a [Shard]) -> Result<Archive<'a>, DatasetError> {
        let (entries, by_name) = (Vec::new(), HashMap::new());
        let mut archive = Archive { shards, entries, by_name, folders: Vec::new(), skipped: Vec::new() };
        for (at, shard) in shards.iter().enumerate() {
            let mut twice = None;
            let each = |member| twice = archive.take(at, member).or(twice.take());
            members(BufReader::with_capacity(4096, &shard.file), each).map_err(|error| PackedError::Tar {
                path: shard.packed.path().to_owned(),
                reason: error.to_string(),
            })?;
            if let Some(name) = twice {
                return Err(PackedError::MemberTwice { path: shard.packed.path().to_owned(), name }.into());
            }
        }
        Ok(archive)
    }

    /// Takes a member; gives its name where there was one already.
    fn take(&mut self, shard: usize, Member { name, kind }: Member) -> Option<String> {
        let is_picture = has_image_extension(OsStr::new(String::from_utf8_lossy(&name).as_ref()));
        let own = match id(&name) {
            Ok(id) => id,
            Err(reason) => {
                if is_picture {
                    self.skip(&name, reason);
                }
                return None;
            }
        };
        let range = match kind {
            MemberKind::Folder => {
                self.folders.push(own);
                return None;
            }
            MemberKind::File(range) => range,
            MemberKind::HardLink(to) => {
                let to = id(&to).ok().and_then(|to| self.by_name.get(&(shard, to)));
                match to {
                    Some(&at) => self.entries[at].2.clone(),
                    None if is_picture => {
                        self.skip(&name, NO_FILE);
                        return None;
                    }
                    None => 0..0,
                }
            }
            MemberKind::Other(reason) if is_picture => {
                self.skip(&name, reason);
                return None;
            }
            MemberKind::Other(_) => 0..0,
        };
        let before = self.by_name.insert((shard, own.clone()), self.entries.len());
        self.entries.push((shard, own.clone(), range));
        before.map(|_| own)
    }

    fn skip(&mut self, name: &[u8], reason: &str) {
        self.skipped.push(Skipped { id: escaped(name), reason: reason.to_owned() });
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.iter().map(|(shard, name, _)| Entry { name, shard: *shard })
    }

    pub(super) fn entry(&self, at: usize) -> Entry<'_> {
        let (shard, name, _) = &self.entries[at];
        Entry { name, shard: *shard }
    }

    /// The file of this name in a shard.
    pub(super) fn find(&self, shard: usize, name: String) -> Option<usize> {
        self.by_name.get(&(shard, name)).copied()
    }

    /// Folders that are members of their own.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    pub(super) fn skipped(&self) -> impl Iterator<Item = Skipped> {
        self.skipped.iter().cloned()
    }

    pub(super) fn content(&self, at: usize) -> Content {
        let (shard, _, range) = &self.entries[at];
        Content::Part { of: Arc::clone(&self.shards[*shard].packed), range: range.clone() }
    }

    /// The splits that the shards' names say, if all do.
    pub(super) fn splits(&self) -> Option<Vec<Split>> {
        shards::splits(&self.paths())
    }

    /// A name for each shard.
    pub(super) fn shard_names(&self) -> Vec<String> {
        shards::names(&self.paths())
    }

    fn paths(&self) -> Vec<&Path> {
        self.shards.iter().map(|shard| shard.packed.path()).collect()
    }

    /// The shard that a file is in.
    pub(super) fn path(&self, at: usize) -> PathBuf {
        self.shards[self.entries[at].0].packed.path().to_owned()
    }

    /// The error of two files of one name, in two shards or in one.
    pub(super) fn twice(&self, first: usize, second: usize) -> DatasetError {
        let (path, other, name) = (self.path(first), self.path(second), self.entries[first].1.clone());
        if path == other {
            return PackedError::MemberTwice { path, name }.into();
        }
        PackedError::MemberInTwo { path, other, name }.into()
    }

    /// An error about a file.
    pub(super) fn wrong(&self, at: usize, reason: String) -> DatasetError {
        PackedError::Member { path: self.path(at), name: self.entries[at].1.clone(), reason }.into()
    }
}

/// A name as an id.
fn id(name: &[u8]) -> Result<String, &'static str> {
    of_name(std::str::from_utf8(name).map_err(|_| NOT_UTF8)?).ok_or(LEADS_OUT)
}

/// What WebDataset calls a sample, and what it calls one of its files: `a/1` and `seg.png` of `a/1.seg.png`.
pub(super) fn key(name: &str) -> Option<(&str, &str)> {
    let folder = name.rfind('/').map_or(0, |at| at + 1);
    let dot = folder + name[folder..].find('.').filter(|&at| at > 0)?;
    Some((&name[..dot], &name[dot + 1..]))
}

/// Whether a file, or a folder that it is in, is hidden.
pub(super) fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.'))
}
