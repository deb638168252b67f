//! A data set as a list of paths, as `find` prints it: nothing is said of the samples.

use crate::{
    Content, DataSet, DatasetError, Passed, Skipped,
    data_set::Found,
    manifest::is_file,
    names::{NOT_UTF8, escaped},
};
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};
use store::{ids::Root, table::Position};

/// Longer than any honest list: ten million paths.
const MOST: u64 = 1 << 30;

/// How a list is read.
#[derive(Clone, Copy)]
pub(crate) struct Listing<'a> {
    /// What ids are relative to, and where paths are looked for besides the current folder.
    pub(crate) root: Option<&'a Path>,
    /// Whether only content is wanted: then a path without a file is a sample that cannot be read, one that is there twice is
    /// one sample, and ids are relative to what all paths have in common, where some lie outside the current folder.
    pub(crate) bare: bool,
}

/// Reads paths that end in zero bytes, or else in line ends. They are those that the current folder has, or else `root`;
/// ids are relative to `root`, or to the current folder.
///
/// # Errors
/// A path of no file, or of one that is not below the root; two of one file; no path at all.
pub(crate) fn open(list: impl Read, how: Listing<'_>) -> Result<DataSet, DatasetError> {
    let name = || PathBuf::from("-");
    let mut bytes = Vec::new();
    list.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| DatasetError::Unreadable { path: name(), source })?;
    if bytes.len() as u64 > MOST {
        return Err(DatasetError::LongList { most: MOST });
    }
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    let mut listed = Listed::default();
    for (row, path) in bytes.split(|&byte| byte == end).enumerate() {
        let path = path.strip_suffix(b"\r").filter(|_| end != 0).unwrap_or(path);
        if path.is_empty() {
            continue;
        }
        match std::str::from_utf8(path) {
            Ok(text) => listed.add(row + 1, text, how)?,
            Err(_) => listed.skipped.push(Skipped { id: escaped(path), reason: NOT_UTF8.to_owned() }),
        }
    }
    listed.finish(how)
}

/// What was listed so far.
#[derive(Default)]
struct Listed {
    /// Rows, paths as they are written, and files.
    files: Vec<(usize, String, PathBuf)>,
    skipped: Vec<Skipped>,
    passed: Passed,
}

impl Listed {
    fn add(&mut self, row: usize, text: &str, how: Listing<'_>) -> Result<(), DatasetError> {
        let file = match find(Path::new(text), how.root)? {
            Some(Entry::File(file)) => file,
            Some(Entry::Folder) => {
                self.passed.add("folder");
                return Ok(());
            }
            // Left for the reader to stumble over, which names it.
            None if how.bare => PathBuf::from(text),
            None => {
                let (value, root) = (text.to_owned(), said(how.root));
                let row = Position::of_row(row);
                return Err(DatasetError::MissingFile { manifest: "-".into(), row, value, root });
            }
        };
        self.files.push((row, text.to_owned(), file));
        Ok(())
    }

    fn finish(self, how: Listing<'_>) -> Result<DataSet, DatasetError> {
        let Listed { files, mut skipped, passed } = self;
        if files.is_empty() {
            return Err(DatasetError::EmptyList { passed: passed.total(), skipped: skipped.len() });
        }
        let common = how.root.is_none() && how.bare;
        let common = if common { outside(files.iter().map(|(.., file)| file)) } else { None };
        let root = how.root.or(common.as_deref());
        let base = Root::new(root.unwrap_or(Path::new("")));
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (row, text, file) in files {
            let position = Position::of_row(row);
            let Some(id) = base.below(&absolute(&file)) else {
                let (value, root) = (text, said(how.root));
                return Err(DatasetError::Outside { manifest: "-".into(), row: position, value, root });
            };
            match rows.insert(id.clone(), row) {
                Some(_) if how.bare => continue,
                Some(first) => {
                    let first = Position::of_row(first);
                    return Err(DatasetError::DuplicatePath {
                        manifest: "-".into(),
                        row: position,
                        first,
                        value: id,
                    });
                }
                None => found.push(Found { id, content: Content::File(file), split: None, row: 0 }),
            }
        }
        skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let columns = None::<(&str, fn(usize) -> &'static str)>;
        Ok(DataSet { skipped, passed, ..DataSet::assemble(found, columns) })
    }
}

/// The root in words.
fn said(root: Option<&Path>) -> String {
    root.map_or("the current folder".to_owned(), |root| format!("`{}`", root.display()))
}

/// The folder that all of these lie in, where one lies outside the current folder.
fn outside<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Option<PathBuf> {
    let files: Vec<PathBuf> = files.map(|file| absolute(file)).collect();
    let here = std::env::current_dir().unwrap_or_default();
    if files.iter().all(|file| file.starts_with(&here)) {
        return None;
    }
    let mut common = files.first()?.parent()?.to_owned();
    while !files.iter().all(|file| file.starts_with(&common)) && common.pop() {}
    Some(common)
}

/// Files that were named one by one, and those in folders that were.
///
/// # Errors
/// As [`open`].
pub(crate) fn of_files(files: &[PathBuf], root: Option<&Path>) -> Result<DataSet, DatasetError> {
    let list: Vec<u8> =
        files.iter().flat_map(|file| [file.as_os_str().as_encoded_bytes(), b"\0"].concat()).collect();
    open(&list[..], Listing { root, bare: true })
}

/// What a path leads to.
enum Entry {
    File(PathBuf),
    Folder,
}

/// Where the current folder has it, or else `root`.
fn find(path: &Path, root: Option<&Path>) -> Result<Option<Entry>, DatasetError> {
    for path in std::iter::once(path.to_owned()).chain(root.map(|root| root.join(path))) {
        if is_file(&path)? {
            return Ok(Some(Entry::File(path)));
        }
        if path.is_dir() {
            return Ok(Some(Entry::Folder));
        }
    }
    Ok(None)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with `a.png`, `deep/b.png` and `c d.png`.
    fn folder() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("deep")).unwrap();
        for file in ["a.png", "deep/b.png", "c d.png"] {
            std::fs::write(root.path().join(file), file).unwrap();
        }
        root
    }

    #[test]
    fn paths_are_told_apart_by_lines_or_zero_bytes() {
        let root = folder();
        let at = root.path().to_str().unwrap();
        let lists = [
            format!("{at}/deep/b.png\n{at}/a.png\r\n\n{at}/deep\n{at}/c d.png"),
            format!("{at}/a.png\0{at}//deep/../deep/b.png\0{at}/c d.png\0{at}\0"),
            // As a manifest has them.
            "a.png\nc d.png\ndeep/b.png\ndeep\n".to_owned(),
        ];
        for list in lists {
            let set = open(list.as_bytes(), Listing { root: Some(root.path()), bare: false }).unwrap();
            let ids: Vec<&str> = set.samples.iter().map(|sample| sample.id.as_str()).collect();
            assert_eq!((ids, set.columns.len()), (vec!["a.png", "c d.png", "deep/b.png"], 0), "{list}");
            assert_eq!(set.passed.to_string(), "1 folder");
            for sample in set.samples {
                assert_eq!(sample.content.read(99).unwrap(), sample.id.as_bytes());
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let root = folder();
        let at = root.path().to_str().unwrap();
        let deep = root.path().join("deep");
        let cases = [
            (
                format!("{at}/a.png\n{at}/x.png\n"),
                root.path(),
                "`-`, row 2: `ROOT/x.png` is not a file; paths are",
            ),
            (
                format!("{at}/a.png\n"),
                &deep,
                "`-`, row 1: `ROOT/a.png` lies outside `ROOT/deep`; give the folder",
            ),
            (
                "a.png\n./a.png".to_owned(),
                root.path(),
                "`-`, row 2: `a.png` is already in row 1; each path may",
            ),
            (
                format!("\n{at}\n"),
                root.path(),
                "standard input names no file; expected paths, one a line, or a tar",
            ),
            (
                String::new(),
                root.path(),
                "standard input names no file; expected paths, one a line, or a tar",
            ),
        ];
        for (list, root, expected) in cases {
            let message = open(list.as_bytes(), Listing { root: Some(root), bare: false })
                .unwrap_err()
                .to_string()
                .replace(at, "ROOT");
            assert!(message.starts_with(expected), "{message}");
        }
        let message =
            open(&b"a\0/\xffb.png"[..], Listing { root: None, bare: false }).unwrap_err().to_string();
        assert!(message.contains("`a` is not a file; paths are relative to the current folder"), "{message}");
    }

    #[test]
    fn names_that_are_not_utf_8_are_named_skips() {
        let root = folder();
        let set = open(&b"\xffb.png\na.png\n"[..], Listing { root: Some(root.path()), bare: false }).unwrap();
        assert_eq!((set.samples.len(), set.skipped[0].id.as_str()), (1, "\\xffb.png"));
    }

    #[test]
    fn where_only_content_counts_nothing_is_refused() {
        let root = folder();
        let at = root.path().to_str().unwrap();
        let list = format!("{at}/a.png\n{at}/gone.png\n{at}/deep/b.png\n{at}/a.png\n");
        let set = open(list.as_bytes(), Listing { root: None, bare: true }).unwrap();
        let ids: Vec<&str> = set.samples.iter().map(|sample| sample.id.as_str()).collect();
        // The current folder is another one.
        assert_eq!(ids, ["a.png", "deep/b.png", "gone.png"]);
        assert!(set.samples[2].content.read(9).is_err());
    }
}
