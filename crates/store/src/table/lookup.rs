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
    path::Path,
};

/// A column as text.
pub struct Texts(pub(super) StringChunked);

impl Texts {
    /// A row's text without spaces around it; `None` where there is nothing else.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.0.get(row).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// What the table at `path` says in some `columns` of each of the samples `ids`, which its column `path` names: one
/// list (n,) a column, as text.
///
/// Paths become ids by the rule of [`Root`], relative to the folder below which the table has all samples: its own, or
/// another one where `extract` was given `--root`, or a folder that the manifest lies above or beside.
///
/// # Errors
/// Where the table cannot be read, lacks a column, says nothing of a sample, or two things, or has all samples below two
/// folders.
pub fn values_of_columns(
    path: &Path,
    columns: &[String],
    ids: &[&str],
) -> Result<Vec<Vec<String>>, TableError> {
    let wanted: Vec<&str> = columns.iter().map(String::as_str).chain(["path"]).collect();
    let table = Table::open(path, &wanted)?;
    let texts = columns.iter().map(|column| table.needed(column)).collect::<Result<Vec<_>, _>>()?;
    let samples = Samples::of(&table, path)?;
    let rows = samples.rows_of(ids)?;
    columns.iter().zip(&texts).map(|(column, texts)| samples.values(texts, column, ids, &rows)).collect()
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

/// Which row is of which sample.
struct Samples<'a> {
    table: &'a Table,
    path: &'a Path,
    /// By id, or by absolute path where that is not below the manifest's folder: the first row that names it.
    rows: HashMap<String, usize>,
    /// Pairs of rows that name one sample.
    again: Vec<(usize, usize)>,
}

impl Samples<'_> {
    fn of<'a>(table: &'a Table, path: &'a Path) -> Result<Samples<'a>, TableError> {
        let names = table.needed("path")?;
        let root = Root::of_manifest(path);
        let rows = HashMap::with_capacity(table.height());
        let mut samples = Samples { table, path, rows, again: Vec::new() };
        for row in 0..table.height() {
            let Some(name) = names.get(row) else { continue };
            let name = match root.name(name) {
                Named::Id(id) => id,
                Named::Outside(path) => path.to_string_lossy().into_owned(),
            };
            match samples.rows.get(&name) {
                Some(&first) => samples.again.push((first, row)),
                None => drop(samples.rows.insert(name, row)),
            }
        }
        Ok(samples)
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
                return Err(TableError::TwoFolders { path: self.path.to_owned(), first, second });
            }
            (None, _) => {}
        }
        let missing = ids.iter().find(|id| !self.rows.contains_key(**id)).unwrap_or(&first);
        Err(TableError::Sample { path: self.path.to_owned(), id: brief::shortened(missing).into_owned() })
    }

    /// What `texts`, which is `column`, holds in the `rows` of the samples `ids`.
    fn values(
        &self,
        texts: &Texts,
        column: &str,
        ids: &[&str],
        rows: &[usize],
    ) -> Result<Vec<String>, TableError> {
        let apart = self.again.iter().find(|(first, row)| texts.get(*first) != texts.get(*row));
        if let Some((first, row)) = apart {
            return Err(TableError::TwoValues {
                path: self.path.to_owned(),
                column: brief::shortened(column).into_owned(),
                first: self.table.position(*first),
                row: self.table.position(*row),
            });
        }
        let value = |(&id, &row): (&&str, &usize)| {
            texts.get(row).map(str::to_owned).ok_or_else(|| TableError::Empty {
                path: self.path.to_owned(),
                row: self.table.position(row),
                column: brief::shortened(column).into_owned(),
                id: brief::shortened(id).into_owned(),
            })
        };
        ids.iter().zip(rows).map(value).collect()
    }
}

#[cfg(test)]
mod tests;
