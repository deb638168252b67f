//! A data set as Parquet files that hold the bytes of the pictures, as Hugging Face's do.

use crate::{Content, DataSet, DatasetError, LABEL, PackedError, Split, data_set::Found, shards};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use store::{
    ids::of_name,
    table::{Cells, Table, Texts},
};

/// The key below which Hugging Face's writers say what columns are.
const FEATURES: &str = "huggingface";
/// Longer than what they say of ten thousand classes.
const MOST_FEATURES: usize = 16 << 20;
/// Digits of a row's number in an id, at least: ids are sorted as texts.
const DIGITS: usize = 6;

/// Rows of all files so far.
#[derive(Default)]
struct Rows {
    contents: Vec<Content>,
    /// What files call their pictures, where all are ids.
    names: Option<Vec<String>>,
    /// File and row.
    numbers: Vec<String>,
    splits: Vec<Option<Split>>,
    columns: Vec<(String, Vec<String>)>,
    left_out: BTreeSet<String>,
}

/// # Errors
/// Where a file is damaged, or what it says of its rows is no data set.
pub(crate) fn open(files: Vec<Cells>, name: &Path) -> Result<DataSet, DatasetError> {
    let files: Vec<Arc<Cells>> = files.into_iter().map(Arc::new).collect();
    let paths: Vec<&Path> = files.iter().map(|file| file.path()).collect();
    let by_file = shards::splits(&paths);
    let mut rows = Rows { names: Some(Vec::new()), ..Rows::default() };
    for (at, (file, name)) in files.iter().zip(shards::names(&paths)).enumerate() {
        rows.take(file, &name, by_file.as_ref().map(|splits| splits[at]))?;
    }
    if rows.contents.is_empty() {
        return Err(DatasetError::NoRows(name.to_owned()));
    }
    let labels = rows.columns.iter().find(|(column, _)| column == LABEL);
    if let Some(row) = labels.and_then(|(_, texts)| texts.iter().position(String::is_empty)) {
        // Within a file an empty one was told.
        return Err(PackedError::NoLabels(path_of(&rows.contents[row])).into());
    }
    let mut seen = HashSet::new();
    let are_unique = |names: &Vec<String>| names.iter().all(|name| seen.insert(name.clone()));
    let ids = rows.names.filter(are_unique).unwrap_or(rows.numbers);
    let mut seen = HashSet::new();
    if let Some(row) = ids.iter().position(|id| !seen.insert(id)) {
        let (path, name) = (path_of(&rows.contents[row]), ids[row].clone());
        return Err(PackedError::MemberTwice { path, name }.into());
    }
    let found = ids.into_iter().zip(rows.contents).zip(rows.splits).enumerate();
    let found = found.map(|(row, ((id, content), split))| Found { id, content, split, row }).collect();
    let columns =
        rows.columns.iter().map(|(name, texts)| (name.as_str(), move |row: usize| texts[row].as_str()));
    let left_out = rows.left_out.into_iter().collect();
    Ok(DataSet { left_out, ..DataSet::assemble(found, columns) })
}

impl Rows {
    fn take(&mut self, file: &Arc<Cells>, name: &str, split: Option<Split>) -> Result<(), DatasetError> {
        let table = Table::open_all(file.path(), &[LABEL, "split"])?;
        let (before, count) = (self.contents.len(), file.rows());
        self.contents.extend((0..count).map(|row| Content::Cell { of: Arc::clone(file), row }));
        let width = DIGITS.max(count.to_string().len());
        self.numbers.extend((0..count).map(|row| format!("{name}#{row:0width$}")));
        let own = match file.names()? {
            Some(names) => Some(names),
            None => table
                .texts("path")
                .map(|texts| (0..count).map(|row| texts.get(row).map(str::to_owned)).collect()),
        };
        let ids = own
            .and_then(|names| names.iter().map(|name| of_name(name.as_deref()?)).collect::<Option<Vec<_>>>());
        self.names = self.names.take().zip(ids).map(|(names, ids)| [names, ids].concat());
        match table.texts("split") {
            Some(texts) => {
                for row in 0..count {
                    self.splits.push(Some(said(file, &table, texts, row)?));
                }
            }
            None => self.splits.extend((0..count).map(|_| split)),
        }
        let classes = classes(file);
        for (column, texts) in table.columns().filter(|(name, _)| !["path", "split"].contains(name)) {
            let place = self.columns.iter().position(|(own, _)| own == column).unwrap_or_else(|| {
                self.columns.push((column.to_owned(), vec![String::new(); before]));
                self.columns.len() - 1
            });
            for row in 0..count {
                let text = texts.get(row).unwrap_or_default();
                let text = match classes.get(column).filter(|_| !text.is_empty()) {
                    None => text.to_owned(),
                    Some(names) => {
                        text.parse().ok().and_then(|at: usize| names.get(at)).cloned().ok_or_else(|| {
                            PackedError::ClassNumber {
                                path: file.path().to_owned(),
                                row: table.position(row),
                                column: column.to_owned(),
                                value: text.to_owned(),
                                classes: names.len(),
                            }
                        })?
                    }
                };
                if text.is_empty() && column == LABEL {
                    let (manifest, row) = (file.path().to_owned(), table.position(row));
                    return Err(DatasetError::EmptyValue { manifest, row, column: LABEL });
                }
                self.columns[place].1.push(text);
            }
        }
        self.columns.iter_mut().for_each(|(_, texts)| texts.resize(before + count, String::new()));
        self.left_out.extend(table.left_out().iter().filter(|name| *name != file.column()).cloned());
        Ok(())
    }
}

fn path_of(content: &Content) -> PathBuf {
    match content {
        Content::Cell { of, .. } => of.path().to_owned(),
        _ => unreachable!("all are cells"),
    }
}

fn said(file: &Cells, table: &Table, texts: &Texts, row: usize) -> Result<Split, DatasetError> {
    let (manifest, position) = (file.path().to_owned(), table.position(row));
    match texts.get(row) {
        None => Err(DatasetError::EmptyValue { manifest, row: position, column: "split" }),
        Some(text) => Split::parse(text).ok_or_else(|| DatasetError::UnknownSplit {
            manifest,
            row: position,
            value: text.to_owned(),
        }),
    }
}

/// The names that numbers in a column stand for.
fn classes(file: &Cells) -> BTreeMap<String, Vec<String>> {
    let note = file.note(FEATURES).filter(|note| note.len() <= MOST_FEATURES);
    let said = note.and_then(|note| serde_json::from_str::<Value>(note).ok());
    let features = said.as_ref().and_then(|said| said["info"]["features"].as_object());
    let names = |feature: &Value| -> Option<Vec<String>> {
        feature["names"].as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let features = features.into_iter().flatten();
    features.filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}

#[cfg(test)]
mod tests;
