//! The one rule by which a sample is named: its id is its path below the folder of the data set.
//!
//! An id is relative, `/`-separated, and has no `.`, no `..` and no empty part, so that a folder joined with it never
//! leads out of that folder. Whatever reads a path from a manifest makes it an id here, and nowhere else.

use std::path::{Component, Path, PathBuf};

/// Whether `id` is spelt as ids are: below any folder that it is joined with, and in one way only.
pub fn is_id(id: &str) -> bool {
    let parts = id.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
    // What else leads away is the system's affair, such as `C:` on Windows.
    parts && Path::new(id).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The id that a name in an archive is, without `.` and empty parts; `None` where it is absolute, has `..` in it, or names
/// nothing.
pub fn of_name(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    Some(parts.join("/")).filter(|id| !name.starts_with('/') && is_id(id))
}

/// The folder that a manifest's paths lie in: its own, or another one that it is told.
#[derive(Clone, Debug)]
pub struct Root {
    /// Absolute, without `.` and `..`.
    folder: PathBuf,
    /// Where that is a link, what it leads to.
    real: Option<PathBuf>,
}

/// What a path in a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The sample of this id.
    Id(String),
    /// Something that is not below the root, as an absolute path.
    Outside(PathBuf),
}

impl Root {
    /// The root of the paths in `manifest`, where nothing else is said.
    pub fn of_manifest(manifest: &Path) -> Root {
        Root::new(manifest.parent().unwrap_or(Path::new("")))
    }

    /// The root `folder`.
    pub fn new(folder: &Path) -> Root {
        let here = folder.join(".");
        let folder = lexical(&std::path::absolute(&here).unwrap_or_else(|_| here.clone()));
        let real = here.canonicalize().ok().filter(|real| *real != folder);
        Root { folder, real }
    }

    /// What `path` names. Spaces around it, `//`, `.` and `..` play no part, and an absolute path may name what a
    /// relative one does. A path of Windows, which has `\` and no `/`, is read as with `/`.
    pub fn name(&self, path: &str) -> Named {
        let path = path.trim();
        let path = if path.contains('/') { path.to_owned() } else { path.replace('\\', "/") };
        let absolute = lexical(&self.folder.join(path));
        self.below(&absolute).map_or(Named::Outside(absolute), Named::Id)
    }

    /// The id of the file at an absolute path, to the letter; `None` where that is not below the root.
    pub fn below(&self, absolute: &Path) -> Option<String> {
        let absolute = lexical(absolute);
        let below = |folder: &PathBuf| absolute.strip_prefix(folder).ok().and_then(joined);
        below(&self.folder).or_else(|| self.real.as_ref().and_then(below))
    }
}

/// The parts of a relative path between `/`; `None` of no part, or where one is not UTF-8.
fn joined(relative: &Path) -> Option<String> {
    let parts: Vec<&str> = relative.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Without `.` and `..`: an absolute path's spelling, whatever links there are.
fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spelt_in_one_way() {
        for id in ["a", "a/b.png", "a b/ü.png", ".hidden/x", "a/...", "-", " a/b"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/./b", "../a", "a/../b", "a/..", "a\0b"] {
            assert!(!is_id(id), "{id:?}");
        }
    }

    #[test]
    fn names_in_archives_are_ids_unless_they_lead_out() {
        for (name, expected) in
            [("a/1.png", "a/1.png"), ("./a//./1.png", "a/1.png"), ("a/", "a"), ("..a", "..a")]
        {
            assert_eq!(of_name(name).as_deref(), Some(expected));
        }
        for name in ["", ".", "./", "/", "/a", "../a", "a/../b", "a/..", "a\0b"] {
            assert_eq!(of_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_path_has_one_id_however_it_is_spelt() {
        let root = Root::new(Path::new("/data/set"));
        let spellings = [
            "a/1.png",
            "./a/1.png",
            " a/1.png\t",
            "a//1.png",
            "b/../a/1.png",
            "/data/set/a/1.png",
            "/data//x/../set/./a/1.png",
            "../set/a/1.png",
            "a\\1.png",
            ".\\a\\1.png",
        ];
        for path in spellings {
            assert_eq!(root.name(path), Named::Id("a/1.png".into()), "{path}");
        }
        // On Linux `\` may be part of a name.
        assert_eq!(root.name("a/b\\1.png"), Named::Id("a/b\\1.png".into()));
        for (path, expected) in
            [("../1.png", "/data/1.png"), ("/etc/x", "/etc/x"), ("a/..", "/data/set"), ("", "/data/set")]
        {
            assert_eq!(root.name(path), Named::Outside(expected.into()), "{path}");
        }
        assert!(matches!(root.name("../../../../.."), Named::Outside(_)));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_may_be_named_by_a_link() {
        let at = tempfile::tempdir().unwrap();
        let real = at.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = at.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        for folder in [&real, &link] {
            let path = real.join("a.png");
            assert_eq!(
                Root::new(&link).name(path.to_str().unwrap()),
                Named::Id("a.png".into()),
                "{folder:?}"
            );
        }
        let manifest = Root::of_manifest(&link.join("m.csv"));
        assert_eq!(manifest.name(link.join("a.png").to_str().unwrap()), Named::Id("a.png".into()));
    }
}
