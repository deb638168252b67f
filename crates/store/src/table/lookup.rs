//! What a table says of samples, which its column `path` names.

use super::{Table, TableError};
use crate::{
    brief,
    ids::{Named, Root},
};
use polars::prelude::*;
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

/// A column as text.
pub struct Texts(pub(super) StringChunked);

impl Texts {
    /// A row's text without spaces around it; `None` where there is nothing else.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.0.get(row).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A row's text to the letter, which may be empty; `None` where the cell has no value.
    pub fn whole(&self, row: usize) -> Option<&str> {
        self.0.get(row)
    }
}

/// A table that says something of samples, which its column `path` names, or `id` as in tables of ours.
///
/// Paths become ids by the rule of [`Root`], relative to the folder below which the table has all samples: its own, or
/// another one where `extract` was given `--root`, or a folder that the manifest lies above or beside.
pub struct SampleTable {
    path: PathBuf,
    table: Table,
    /// By id, or by absolute path where that is not below the table's folder: the first row that names it.
    rows: HashMap<String, usize>,
    /// Pairs of rows that name one sample.
    again: Vec<(usize, usize)>,
}

impl SampleTable {
    /// Reads those of `columns` that the table at `path` has.
    ///
    /// # Errors
    /// Where the table cannot be read, or has neither a column `path` nor `id`, or none of `columns`.
    pub fn open(path: &Path, columns: &[&str]) -> Result<SampleTable, TableError> {
        let table = Table::open(path, &[columns, &["path", "id"]].concat())?;
        if !columns.iter().any(|column| table.texts(column).is_some()) {
            let wanted = columns.iter().map(|column| brief::shortened(column)).collect::<Vec<_>>();
            return Err(TableError::Column {
                path: path.to_owned(),
                column: wanted.join("`, `"),
                got: brief::few(table.names()),
            });
        }
        // Tables of ours call them ids.
        let names = table.needed("path").or_else(|error| table.texts("id").ok_or(error))?;
        let root = Root::of_manifest(path);
        let (mut rows, mut again) = (HashMap::with_capacity(table.height()), Vec::new());
        for row in 0..table.height() {
            let Some(name) = names.get(row) else { continue };
            let name = match root.name(name) {
                Named::Id(id) => id,
                Named::Outside(path) => path.to_string_lossy().into_owned(),
            };
            match rows.get(&name) {
                Some(&first) => again.push((first, row)),
                None => drop(rows.insert(name, row)),
            }
        }
        Ok(SampleTable { path: path.to_owned(), table, rows, again })
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all its columns.
    pub fn names(&self) -> &[String] {
        self.table.names()
    }

    /// Whether a column is among those that were read.
    pub fn has(&self, column: &str) -> bool {
        self.table.texts(column).is_some()
    }

    /// What one of the columns says of each of the samples `ids`, as text: (n,).
    ///
    /// # Errors
    /// Where it is not there, says nothing of a sample, or two things, or the table has all samples below two folders.
    pub fn values(&self, column: &str, ids: &[&str]) -> Result<Vec<String>, TableError> {
        let texts = self.table.needed(column)?;
        let rows = self.rows_of(ids)?;
        if let Some((first, row)) =
            self.again.iter().find(|(first, row)| texts.get(*first) != texts.get(*row))
        {
            return Err(TableError::TwoValues {
                path: self.path.clone(),
                column: brief::shortened(column).into_owned(),
                first: self.table.position(*first),
                row: self.table.position(*row),
            });
        }
        let value = |(&id, &row): (&&str, &usize)| {
            texts.get(row).map(str::to_owned).ok_or_else(|| TableError::Empty {
                path: self.path.clone(),
                row: self.table.position(row),
                column: brief::shortened(column).into_owned(),
                id: brief::shortened(id).into_owned(),
            })
        };
        ids.iter().zip(&rows).map(value).collect()
    }

    /// The row of each sample.
    fn rows_of(&self, ids: &[&str]) -> Result<Vec<usize>, TableError> {
        let below = |folder: &str| -> Option<Vec<usize>> {
            let name =
                |id| if folder.is_empty() { Cow::Borrowed(id) } else { Cow::Owned(format!("{folder}{id}")) };
            ids.iter().map(|&id| self.rows.get(name(id).as_ref()).copied()).collect()
        };
        let Some(&first) = ids.first() else { return Ok(Vec::new()) };
        let folders: BTreeSet<&str> = self
            .rows
            .keys()
            .filter_map(|name| name.strip_suffix(first))
            .filter(|folder| folder.is_empty() || folder.ends_with('/'))
            .collect();
        let mut found = folders.into_iter().filter_map(|folder| Some((folder, below(folder)?)));
        match (found.next(), found.next()) {
            (Some((_, rows)), None) => return Ok(rows),
            (Some((first, _)), Some((second, _))) => {
                let named = |folder: &str| match folder {
                    "" => "its own folder".to_owned(),
                    folder => format!("`{}`", brief::shortened(folder.trim_end_matches('/'))),
                };
                let (first, second) = (named(first), named(second));
                return Err(TableError::TwoFolders { path: self.path.clone(), first, second });
            }
            (None, _) => {}
        }
        let missing = ids.iter().find(|id| !self.rows.contains_key(**id)).unwrap_or(&first);
        Err(TableError::Sample { path: self.path.clone(), id: brief::shortened(missing).into_owned() })
    }
}

/// The rows of the table at `path` as (`key`, `value`), as text, in order; rows without either are left out.
///
/// # Errors
/// Where the table cannot be read or lacks a column.
pub fn pairs(path: &Path, key: &str, value: &str) -> Result<Vec<(String, String)>, TableError> {
    let table = Table::open(path, &[key, value])?;
    let (keys, values) = (table.needed(key)?, table.needed(value)?);
    let pair = |row| Some((keys.get(row)?.to_owned(), values.get(row)?.to_owned()));
    Ok((0..table.height()).filter_map(pair).collect())
}

#[cfg(test)]
mod tests;
