//! A data set as a table, in CSV, JSONL or Parquet: `path`, if it likes `split`, and whatever else is said of its samples.

use crate::{Content, DataSet, DatasetError, LABEL, Split, data_set::Found};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};
use store::{
    ids::{Named, Root},
    table::{Table, Texts},
};

/// The extensions of manifests.
const TABLES: [&str; 4] = ["csv", "jsonl", "ndjson", "parquet"];

/// Whether the extension says that this file is a manifest.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| TABLES.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// `root` is the folder that paths are relative to; without it, the manifest's own is.
/// `labelled`: whether more than content is wanted, so that labels may not be empty, and files must be there.
pub(crate) fn open(path: &Path, root: Option<&Path>, labelled: bool) -> Result<DataSet, DatasetError> {
    let table = Table::open_all(path, &["path", LABEL, "split"])?;
    let manifest = Manifest {
        labelled,
        path,
        table: &table,
        folder: root.or(path.parent()).unwrap_or(Path::new("")),
        root: root.map_or_else(|| Root::of_manifest(path), Root::new),
        named: root
            .map_or_else(|| "the manifest's folder".to_owned(), |root| format!("`{}`", root.display())),
    };
    let missing = || DatasetError::MissingColumn { manifest: path.to_owned(), found: table.names().to_vec() };
    // Without rows, JSON has no columns.
    if table.height() == 0 && (table.names().is_empty() || table.texts("path").is_some()) {
        return Err(DatasetError::NoRows(path.to_owned()));
    }
    let (paths, splits) = (table.texts("path").ok_or_else(missing)?, table.texts("split"));
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(table.height());
    for index in 0..table.height() {
        let (id, file) = manifest.file(paths, index)?;
        if let Some(labels) = table.texts(LABEL).filter(|_| labelled) {
            manifest.value(labels, LABEL, index)?;
        }
        let split = splits.map(|splits| manifest.split(splits, index)).transpose()?;
        if let Some(first) = rows.insert(id.clone(), index) {
            let (row, first) = (table.position(index), table.position(first));
            return Err(DatasetError::DuplicatePath { manifest: path.to_owned(), row, first, value: id });
        }
        found.push(Found { id, content: Content::File(file), split, row: index });
    }
    let said = table.columns().filter(|(name, _)| !["path", "split"].contains(name));
    let columns = said.map(|(name, texts)| (name, move |row| texts.get(row).unwrap_or_default()));
    Ok(DataSet { left_out: table.left_out().to_vec(), ..DataSet::assemble(found, columns) })
}

struct Manifest<'a> {
    /// Whether only a file that is there is a sample; else one that is not is left for the reader to stumble over.
    labelled: bool,
    path: &'a Path,
    table: &'a Table,
    /// What paths are relative to, as it was given.
    folder: &'a Path,
    root: Root,
    /// The same in words.
    named: String,
}

impl Manifest<'_> {
    fn value<'t>(
        &self,
        texts: &'t Texts,
        column: &'static str,
        index: usize,
    ) -> Result<&'t str, DatasetError> {
        texts.get(index).ok_or_else(|| DatasetError::EmptyValue {
            manifest: self.path.to_owned(),
            row: self.table.position(index),
            column,
        })
    }

    fn split(&self, texts: &Texts, index: usize) -> Result<Split, DatasetError> {
        let value = self.value(texts, "split", index)?;
        Split::parse(value).ok_or_else(|| DatasetError::UnknownSplit {
            manifest: self.path.to_owned(),
            row: self.table.position(index),
            value: value.to_owned(),
        })
    }

    /// A sample's id, and its file, which is there.
    fn file(&self, paths: &Texts, index: usize) -> Result<(String, PathBuf), DatasetError> {
        let value = self.value(paths, "path", index)?;
        let (manifest, row, root) =
            (|| self.path.to_owned(), self.table.position(index), || self.named.clone());
        let Named::Id(id) = self.root.name(value) else {
            let value = value.to_owned();
            return Err(DatasetError::Outside { manifest: manifest(), row, value, root: root() });
        };
        let file = self.folder.join(&id);
        if is_file(&file)? || !self.labelled {
            return Ok((id, file));
        }
        Err(DatasetError::MissingFile { manifest: manifest(), row, value: value.to_owned(), root: root() })
    }
}

/// Whether there is a file.
///
/// # Errors
/// Where there is something that cannot be looked at: it is not missing.
pub(crate) fn is_file(path: &Path) -> Result<bool, DatasetError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(source) if is_absence(source.kind()) => Ok(false),
        Err(source) => Err(DatasetError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Whether there can be no file of such a name.
fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
    )
}

#[cfg(test)]
mod tests;
