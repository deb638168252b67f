//! Files that each hold many samples: where they lie, and what their names say.

use crate::{
    Split,
    folder::{Spelt, spelling},
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
};

/// The files of some `kind` in a folder that holds some, and no samples by themselves. They lie on top, in its folder `data`,
/// or in folders of splits in either. All are of one kind.
pub(crate) fn within<K: PartialEq>(
    folder: &Path,
    kind: impl Fn(&Path) -> Option<K>,
    is_sample: impl Fn(&OsStr) -> bool,
) -> Option<Vec<PathBuf>> {
    let (mut shards, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).ok()? {
            let entry = entry.ok()?;
            let (path, name) = (entry.path(), entry.file_name());
            // Where Hugging Face's data sets have theirs.
            let is_data = || name == "data";
            let is_split = || name.to_str().and_then(spelling).is_some_and(|said| said.is_exact());
            match path.is_dir() {
                _ if name.as_encoded_bytes().starts_with(b".") => {}
                true if next == *folder && (is_split() || is_data()) => folders.push(path),
                true if next == folder.join("data") && is_split() => folders.push(path),
                false if !is_sample(&name) => shards.extend(kind(&path).map(|_| path)),
                _ => return None,
            }
        }
    }
    shards.sort();
    let first = kind(shards.first()?);
    shards.iter().all(|shard| kind(shard) == first).then_some(shards)
}

/// The splits that all of these files are named after, as `train-00000-of-00002.parquet` is: each by its own name, or by
/// its folder's where those tell them apart.
pub(crate) fn splits(paths: &[&Path]) -> Option<Vec<Split>> {
    let own = |path: &&Path| spelling(stem(path)).map(|said| said.split);
    let above = |path: &&Path| {
        let folder = path.parent()?.file_name()?.to_str()?;
        spelling(folder).filter(Spelt::is_exact).map(|said| said.split)
    };
    let all = |of: &dyn Fn(&&Path) -> Option<Split>| paths.iter().map(of).collect::<Option<Vec<Split>>>();
    all(&own).or_else(|| all(&above).filter(|splits| splits.iter().any(|split| *split != splits[0])))
}

/// A file's name up to its first dot.
pub(crate) fn stem(path: &Path) -> &str {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// A name for each file, of which no two are alike: its stem, with as many folders before it as that takes.
pub(crate) fn names(paths: &[&Path]) -> Vec<String> {
    let parts: Vec<Vec<&str>> = paths
        .iter()
        .map(|path| {
            let parent = path.parent().unwrap_or(Path::new(""));
            let folders = parent.components().filter_map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            });
            folders.chain([stem(path)]).collect()
        })
        .collect();
    let most = parts.iter().map(Vec::len).max().unwrap_or(0);
    let named = |count: usize| -> Vec<String> {
        parts.iter().map(|parts| parts[parts.len().saturating_sub(count)..].join("/")).collect()
    };
    let differ = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (1..=most).map(named).find(differ).unwrap_or_else(|| named(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_splits_where_all_do() {
        let said = |paths: &[&str]| {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            splits(&paths).map(|splits| splits.iter().map(|split| split.name()).collect::<Vec<_>>().join(" "))
        };
        for (paths, expected) in [
            (&["train-00000-of-00002.parquet", "x/validation-00000-of-00001.parquet"][..], Some("train val")),
            (&["d/test-00000-of-00001.parquet"], Some("test")),
            (&["imagenet-train-0001.tar", "imagenet-val-0001.tar.gz"], Some("train val")),
            (&["d/train/0000.parquet", "d/test/0000.parquet"], Some("train test")),
            // A folder may be called so for other reasons.
            (&["test/a.tar", "test/b.tar"], None),
            (&["train-0.tar", "rest-0.tar"], None),
            (&["trainval-0.parquet"], Some("train")),
        ] {
            assert_eq!(said(paths).as_deref(), expected, "{paths:?}");
        }
    }

    #[test]
    fn no_two_names_are_alike() {
        let named = |paths: &[&str]| names(&paths.iter().map(Path::new).collect::<Vec<_>>());
        assert_eq!(named(&["d/a.b.parquet", "d/c.parquet"]), ["a", "c"]);
        assert_eq!(named(&["d/train/0.parquet", "../d/test/0.parquet"]), ["train/0", "test/0"]);
        assert_eq!(named(&["a/x/0.tar", "b/x/0.tar"]), ["a/x/0", "b/x/0"]);
    }
}
