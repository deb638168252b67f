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

/// Reads paths that end in zero bytes, or else in line ends. They are those that the current folder has, or else `root`;
/// ids are relative to `root`, or to the current folder.
///
/// # Errors
/// A path of no file, or of one that is not below the root; two of one file; no path at all.
pub(crate) fn open(list: impl Read, root: Option<&Path>) -> Result<DataSet, DatasetError> {
    let name = || PathBuf::from("-");
    let mut bytes = Vec::new();
    list.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| DatasetError::Unreadable { path: name(), source })?;
    if bytes.len() as u64 > MOST {
        return Err(DatasetError::LongList { most: MOST });
    }
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    let base = Root::new(root.unwrap_or(Path::new("")));
    let said = root.map_or("the current folder".to_owned(), |root| format!("`{}`", root.display()));
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let (mut found, mut skipped, mut passed) = (Vec::new(), Vec::new(), Passed::default());
    for (row, path) in bytes.split(|&byte| byte == end).enumerate() {
        let path = path.strip_suffix(b"\r").filter(|_| end != 0).unwrap_or(path);
        if path.is_empty() {
            continue;
        }
        let position = Position::of_row(row + 1);
        let Ok(text) = std::str::from_utf8(path) else {
            skipped.push(Skipped { id: escaped(path), reason: NOT_UTF8.to_owned() });
            continue;
        };
        let file = match find(Path::new(text), root)? {
            Some(Entry::File(file)) => file,
            Some(Entry::Folder) => {
                passed.add("folder");
                continue;
            }
            None => {
                let (value, root) = (text.to_owned(), said.clone());
                return Err(DatasetError::MissingFile { manifest: name(), row: position, value, root });
            }
        };
        let Some(id) = base.below(&absolute(&file)) else {
            let (value, root) = (text.to_owned(), said.clone());
            return Err(DatasetError::Outside { manifest: name(), row: position, value, root });
        };
        if let Some(first) = rows.insert(id.clone(), row + 1) {
            let first = Position::of_row(first);
            return Err(DatasetError::DuplicatePath { manifest: name(), row: position, first, value: id });
        }
        found.push(Found { id, content: Content::File(file), split: None, row: 0 });
    }
    if found.is_empty() {
        return Err(DatasetError::EmptyList { passed: passed.total(), skipped: skipped.len() });
    }
    skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let columns = None::<(&str, fn(usize) -> &'static str)>;
    Ok(DataSet { skipped, passed, ..DataSet::assemble(found, columns) })
}

/// Files that were named one by one. Ids are relative to `root`, or to the current folder, or, where one of them lies elsewhere,
/// to the folder that all of them lie in.
///
/// # Errors
/// As [`open`].
pub(crate) fn of_files(paths: &[PathBuf], root: Option<&Path>) -> Result<DataSet, DatasetError> {
    let files: Vec<PathBuf> = paths.iter().map(|path| absolute(path)).collect();
    let here = std::env::current_dir().unwrap_or_default();
    let mut common = files[0].parent().unwrap_or(Path::new("")).to_owned();
    while !files.iter().all(|file| file.starts_with(&common)) && common.pop() {}
    let is_elsewhere = files.iter().any(|file| !file.starts_with(&here));
    let list: Vec<u8> =
        files.iter().flat_map(|file| [file.as_os_str().as_encoded_bytes(), b"\0"].concat()).collect();
    open(&list[..], root.or(is_elsewhere.then_some(&*common)))
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
            let set = open(list.as_bytes(), Some(root.path())).unwrap();
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
            let message = open(list.as_bytes(), Some(root)).unwrap_err().to_string().replace(at, "ROOT");
            assert!(message.starts_with(expected), "{message}");
        }
        let message = open(&b"a\0/\xffb.png"[..], None).unwrap_err().to_string();
        assert!(message.contains("`a` is not a file; paths are relative to the current folder"), "{message}");
    }

    #[test]
    fn names_that_are_not_utf_8_are_named_skips() {
        let root = folder();
        let set = open(&b"\xffb.png\na.png\n"[..], Some(root.path())).unwrap();
        assert_eq!((set.samples.len(), set.skipped[0].id.as_str()), (1, "\\xffb.png"));
    }
}
