//! A data set as a tar, or as several: of a folder tree, or as WebDataset has them.
//!
//! A tree in a tar has the samples that the folder would have had. In a WebDataset, files of one name but for their endings
//! are one sample: a picture, `.cls`, its label, and `.json`, other columns.

mod members;
mod pictures;
mod sidecars;
mod tree;

use crate::{
    DataSet, DatasetError, Medium, Split,
    data_set::Found,
    folder::{self, Spelt, spelling},
};
use members::Archive;
use pictures::Pictures;
use sidecars::Sidecars;
use std::{collections::BTreeMap, path::Path};
use tree::Tree;

pub(crate) use members::Shard;

/// `name` is what messages call all of them.
///
/// # Errors
/// Where one is no tar, holds a name twice, or their pictures are no data set.
pub(crate) fn open(shards: &[Shard], name: &Path) -> Result<DataSet, DatasetError> {
    let archive = Archive::read(shards)?;
    let pictures = Pictures::of(&archive);
    let sidecars = Sidecars::read(&archive, &pictures.first)?;
    let tree = if sidecars.say_labels() { None } else { Some(tree(&archive, name)?) };
    let (mut set, entries) = match tree {
        // Without classes there may be other columns.
        Some((set, entries)) if set.labels().is_some() || sidecars.are_empty() => (set, entries),
        _ => webdataset(&archive, pictures, &sidecars, name)?,
    };
    if let Some(splits) = archive.splits().filter(|_| set.samples.iter().all(|sample| sample.split.is_none()))
    {
        let of = entries.iter().map(|&at| splits[archive.entry(at).shard]);
        set.samples.iter_mut().zip(of).for_each(|(sample, split)| sample.split = Some(split));
    }
    set.skipped.extend(archive.skipped());
    set.skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(set)
}

/// Every picture in tars, however they are sorted: nothing is said of them.
///
/// # Errors
/// Where one is no tar, or holds a name twice.
pub(crate) fn open_any(shards: &[Shard], name: &Path) -> Result<DataSet, DatasetError> {
    let archive = Archive::read(shards)?;
    let tree = Tree::new(&archive, name)?;
    let mut set = folder::open_any_in(&tree, &tree.root(name))?;
    for sample in &mut set.samples {
        sample.content = archive.content(tree.entry(&sample.content));
    }
    set.skipped.extend(archive.skipped());
    set.skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(set)
}

/// As a folder with these files would have been; and the entry of each sample.
fn tree(archive: &Archive<'_>, name: &Path) -> Result<(DataSet, Vec<usize>), DatasetError> {
    Tree::refuse_outer(archive)?;
    let tree = Tree::new(archive, name)?;
    let mut set = folder::open_in(&tree, &tree.root(name))?;
    let entries: Vec<usize> = set.samples.iter().map(|sample| tree.entry(&sample.content)).collect();
    set.samples.iter_mut().zip(&entries).for_each(|(sample, &at)| sample.content = archive.content(at));
    Ok((set, entries))
}

/// One picture of each key, and what the files beside it say; and the entry of each sample.
fn webdataset(
    archive: &Archive<'_>,
    pictures: Pictures,
    sidecars: &Sidecars<'_>,
    name: &Path,
) -> Result<(DataSet, Vec<usize>), DatasetError> {
    let Pictures { first: pictures, passed, two } = pictures;
    if let Some((first, second)) = two {
        let second = store::brief::shortened(archive.entry(second).name);
        let reason =
            format!("is of one sample with `{second}`; keep one of them, or rename one up to its first dot");
        return Err(archive.wrong(first, reason));
    }
    if pictures.is_empty() {
        let found = if passed.is_empty() { "nothing".to_owned() } else { passed.to_string() };
        return Err(DatasetError::Empty { path: name.to_owned(), medium: Medium::Image, found });
    }
    let named = |at: usize| (archive.entry(at).name.to_owned(), at);
    let mut ids: BTreeMap<String, usize> = pictures.iter().map(|&at| named(at)).collect();
    if ids.len() < pictures.len() {
        // Shards that count from 0 each.
        let shards = archive.shard_names();
        let named =
            |at: usize| (format!("{}/{}", shards[archive.entry(at).shard], archive.entry(at).name), at);
        ids = BTreeMap::new();
        for (id, at) in pictures.iter().map(|&at| named(at)) {
            if let Some(first) = ids.insert(id, at) {
                return Err(archive.twice(first, at));
            }
        }
    }
    let entries: Vec<usize> = ids.values().copied().collect();
    let said = sidecars.of(&entries, name)?;
    // The folders on top, where all are splits.
    let split = |&at: &usize| {
        let (folder, _) = archive.entry(at).name.split_once('/')?;
        spelling(folder).filter(Spelt::is_exact).map(|said| said.split)
    };
    let splits: Option<Vec<Split>> = said.splits.or_else(|| entries.iter().map(split).collect());
    let found = ids.into_iter().enumerate().map(|(row, (id, at))| {
        let split = splits.as_ref().map(|splits| splits[row]);
        Found { id, content: archive.content(at), split, row }
    });
    let columns = said.columns.iter().map(|column| (column.name(), move |row| column.text(row)));
    let set = DataSet::assemble(found.collect(), columns);
    Ok((DataSet { passed, left_out: said.left_out, ..set }, entries))
}

#[cfg(test)]
mod tests;
