//! What a table says of samples, which its column `path` names.

use super::{TableError, first_line, read};
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
pub struct Texts(StringChunked);

impl Texts {
    /// A row's text without spaces around it; `None` where there is nothing else.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.0.get(row).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// The column `name` of the table that was read from `path`, if there is one. A number becomes the text that says it.
///
/// # Errors
/// A column of lists, structs or bytes.
pub fn texts(frame: &DataFrame, path: &Path, name: &str) -> Result<Option<Texts>, TableError> {
    let Ok(column) = frame.column(name) else { return Ok(None) };
    let dtype = column.dtype();
    if dtype.is_nested() || matches!(dtype, DataType::Binary) {
        return Err(TableError::ColumnType {
            path: path.to_owned(),
            column: brief::shortened(name).into_owned(),
            found: brief::shortened(&dtype.to_string()).into_owned(),
        });
    }
    let read = |error: PolarsError| TableError::Read { path: path.to_owned(), reason: first_line(&error) };
    let text = column.cast(&DataType::String).map_err(read)?;
    Ok(Some(Texts(text.str().map_err(read)?.clone())))
}

/// What the table at `path` says in `column` of each of the samples `ids`, which its column `path` names: (n,), as text.
///
/// Paths become ids by the rule of [`Root`]. Where not all samples are found so, but all are below one other folder, that
/// is the one which is meant: `extract --root`, or a manifest that lies above or beside a data set of folders.
///
/// # Errors
/// Where the table cannot be read, lacks a column, says nothing of a sample, or two things.
pub fn values_of<'a>(
    path: &Path,
    column: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, TableError> {
    let ids: Vec<&str> = ids.collect();
    let mut values = values_of_columns(path, std::slice::from_ref(&column.to_owned()), &ids)?;
    Ok(values.remove(0))
}

/// The same of several columns of one table, one list a column.
///
/// # Errors
/// As [`values_of`].
pub fn values_of_columns(
    path: &Path,
    columns: &[String],
    ids: &[&str],
) -> Result<Vec<Vec<String>>, TableError> {
    let frame = read(path)?;
    let texts = columns.iter().map(|column| needed(&frame, path, column)).collect::<Result<Vec<_>, _>>()?;
    let samples = Samples::of(&frame, path)?;
    let rows = samples.rows_of(ids)?;
    columns.iter().zip(&texts).map(|(column, texts)| samples.values(texts, column, ids, &rows)).collect()
}

/// The rows of the table at `path` as (`key`, `value`), as text, in order; rows without either are left out.
///
/// # Errors
/// Where the table cannot be read or lacks a column.
pub fn pairs(path: &Path, key: &str, value: &str) -> Result<Vec<(String, String)>, TableError> {
    let frame = read(path)?;
    let (keys, values) = (needed(&frame, path, key)?, needed(&frame, path, value)?);
    let pair = |row| Some((keys.get(row)?.to_owned(), values.get(row)?.to_owned()));
    Ok((0..frame.height()).filter_map(pair).collect())
}

fn needed(frame: &DataFrame, path: &Path, name: &str) -> Result<Texts, TableError> {
    texts(frame, path, name)?.ok_or_else(|| TableError::Column {
        path: path.to_owned(),
        column: brief::shortened(name).into_owned(),
        got: brief::few(&frame.get_column_names()),
    })
}

/// Which row is of which sample.
struct Samples<'a> {
    path: &'a Path,
    /// By id, or by absolute path where that is not below the manifest's folder: the first row that names it.
    rows: HashMap<String, usize>,
    /// Pairs of rows that name one sample.
    again: Vec<(usize, usize)>,
}

impl Samples<'_> {
    fn of<'a>(frame: &DataFrame, path: &'a Path) -> Result<Samples<'a>, TableError> {
        let names = needed(frame, path, "path")?;
        let root = Root::of_manifest(path);
        let mut samples = Samples { path, rows: HashMap::with_capacity(frame.height()), again: Vec::new() };
        for row in 0..frame.height() {
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
        if let Some(rows) = below("") {
            return Ok(rows);
        }
        // Not empty: of no sample all are found.
        let first = ids[0];
        let folders: BTreeSet<&str> = self
            .rows
            .keys()
            .filter_map(|name| name.strip_suffix(first))
            .filter(|folder| folder.ends_with('/'))
            .collect();
        let mut found = folders.into_iter().filter_map(below);
        if let (Some(rows), None) = (found.next(), found.next()) {
            return Ok(rows);
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
                first: first + 1,
                row: row + 1,
            });
        }
        let value = |(&id, &row): (&&str, &usize)| {
            texts.get(row).map(str::to_owned).ok_or_else(|| TableError::Empty {
                path: self.path.to_owned(),
                row: row + 1,
                column: brief::shortened(column).into_owned(),
                id: brief::shortened(id).into_owned(),
            })
        };
        ids.iter().zip(rows).map(value).collect()
    }
}

#[cfg(test)]
mod tests;
