//! Rows of tables that hold the samples themselves, in one file or in several, as one data set.

use crate::{Content, DataSet, DatasetError, LABEL, PackedError, Skipped, Split, TextError, data_set::Found};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};
use store::{
    ids::of_name,
    table::{Table, Texts},
};

/// The key below which Hugging Face's writers say what columns are.
const FEATURES: &str = "huggingface";
/// Longer than what they say of ten thousand classes.
const MOST_FEATURES: usize = 16 << 20;
/// Digits of a row's number in an id, at least: ids are sorted as texts.
const DIGITS: usize = 6;

/// Rows of all files so far.
pub(crate) struct Rows {
    /// Whether more than content is wanted, so that labels may not be empty, and their numbers must name classes.
    labelled: bool,
    /// Of each row, or why it is left out.
    contents: Vec<Result<Content, &'static str>>,
    /// What files call their rows, where all are ids.
    names: Option<Vec<String>>,
    /// File and row.
    numbers: Vec<String>,
    splits: Vec<Option<Split>>,
    columns: Vec<(String, Vec<String>)>,
    left_out: BTreeSet<String>,
    /// Each file, and the row behind its last.
    files: Vec<(PathBuf, usize)>,
}

/// The rows of one file.
pub(crate) struct Part<'a> {
    pub(crate) path: &'a Path,
    /// What ids of numbered rows begin with.
    pub(crate) name: &'a str,
    pub(crate) table: &'a Table,
    /// Of each row, or why it is left out.
    pub(crate) contents: Vec<Result<Content, &'static str>>,
    /// What the file calls each row.
    pub(crate) names: Option<Vec<Option<String>>>,
    /// The split that the file is, where it does not say that of its rows.
    pub(crate) split: Option<Split>,
    /// Columns of contents and names: they say nothing of samples besides.
    pub(crate) own: &'a [&'a str],
}

/// An id for each of `count` rows of the file of this name.
pub(crate) fn numbers(name: &str, count: usize) -> impl Iterator<Item = String> {
    let width = DIGITS.max(count.to_string().len());
    (0..count).map(move |row| format!("{name}#{row:0width$}"))
}

/// What a column says of each row.
pub(crate) fn said(table: &Table, column: &str) -> Option<Vec<Option<String>>> {
    let texts = table.texts(column)?;
    Some((0..table.height()).map(|row| texts.get(row).map(str::to_owned)).collect())
}

impl Rows {
    pub(crate) fn new(labelled: bool) -> Rows {
        let (contents, numbers, splits, columns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (names, left_out, files) = (Some(Vec::new()), BTreeSet::new(), Vec::new());
        Rows { labelled, contents, names, numbers, splits, columns, left_out, files }
    }

    /// # Errors
    /// Where a split or a label is missing or unknown.
    pub(crate) fn take(&mut self, part: Part<'_>) -> Result<(), DatasetError> {
        let Part { path, name, table, contents, names, split, own } = part;
        let (before, count) = (self.contents.len(), contents.len());
        self.numbers.extend(numbers(name, count));
        let ids = names
            .and_then(|names| names.iter().map(|name| of_name(name.as_deref()?)).collect::<Option<Vec<_>>>());
        self.names = self.names.take().zip(ids).map(|(names, ids)| [names, ids].concat());
        let splits = table.texts("split");
        for (row, content) in contents.iter().enumerate() {
            self.splits.push(match splits {
                // Nothing is asked of what is left out.
                Some(texts) => {
                    content.as_ref().ok().map(|_| split_of(path, table, texts, row)).transpose()?
                }
                None => split,
            });
        }
        let classes = classes(table);
        let is_said = |name: &str| name != "split" && !own.contains(&name);
        for (column, texts) in table.columns().filter(|(name, _)| is_said(name)) {
            let place = self.columns.iter().position(|(own, _)| own == column).unwrap_or_else(|| {
                self.columns.push((column.to_owned(), vec![String::new(); before]));
                self.columns.len() - 1
            });
            for (row, content) in contents.iter().enumerate() {
                let is_asked = self.labelled && content.is_ok();
                let mut text = texts.get(row).unwrap_or_default();
                if let Some(names) = classes.get(column).filter(|_| !text.is_empty()) {
                    text = match text.parse().ok().and_then(|at: usize| names.get(at)) {
                        Some(name) => name,
                        None if !is_asked => text,
                        None => {
                            return Err(PackedError::ClassNumber {
                                path: path.to_owned(),
                                row: table.position(row),
                                column: column.to_owned(),
                                value: text.to_owned(),
                                classes: names.len(),
                            }
                            .into());
                        }
                    };
                }
                if text.is_empty() && column == LABEL && is_asked {
                    let (manifest, row) = (path.to_owned(), table.position(row));
                    return Err(DatasetError::EmptyValue { manifest, row, column: LABEL });
                }
                self.columns[place].1.push(text.to_owned());
            }
        }
        self.columns.iter_mut().for_each(|(_, texts)| texts.resize(before + count, String::new()));
        self.left_out.extend(table.left_out().iter().filter(|name| !own.contains(&name.as_str())).cloned());
        self.contents.extend(contents);
        self.files.push((path.to_owned(), self.contents.len()));
        Ok(())
    }

    /// The data set of all files, which messages call `name`. Rows that have no names of their own are numbered.
    ///
    /// # Errors
    /// Where there is no row that is a sample, a file has no labels but others have, or one is there twice.
    pub(crate) fn finish(self, name: &Path) -> Result<DataSet, DatasetError> {
        if self.contents.is_empty() {
            return Err(DatasetError::NoRows(name.to_owned()));
        }
        let labels = self.columns.iter().find(|(column, _)| self.labelled && column == LABEL);
        let is_unlabelled = |(row, text): (usize, &String)| text.is_empty() && self.contents[row].is_ok();
        if let Some(row) = labels.and_then(|(_, texts)| texts.iter().enumerate().position(is_unlabelled)) {
            // Within a file an empty one was told.
            return Err(PackedError::NoLabels(file_of(&self.files, row)).into());
        }
        let mut seen = HashSet::new();
        let are_unique = |names: &Vec<String>| names.iter().all(|name| seen.insert(name.clone()));
        let ids = self.names.filter(are_unique).unwrap_or(self.numbers);
        let mut seen = HashSet::new();
        if let Some(row) = ids.iter().position(|id| !seen.insert(id)) {
            let (path, name) = (file_of(&self.files, row), ids[row].clone());
            return Err(PackedError::MemberTwice { path, name }.into());
        }
        let (mut found, mut skipped, mut first, rows) = (Vec::new(), Vec::new(), None, ids.len());
        for (row, ((id, content), split)) in ids.into_iter().zip(self.contents).zip(self.splits).enumerate() {
            match content {
                Ok(content) => found.push(Found { id, content, split, row }),
                Err(reason) => {
                    first.get_or_insert(reason);
                    skipped.push(Skipped { id, reason: reason.to_owned() });
                }
            }
        }
        if let (true, Some(reason)) = (found.is_empty(), first) {
            return Err(TextError::AllLeftOut { path: name.to_owned(), rows, reason }.into());
        }
        skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let columns =
            self.columns.iter().map(|(name, texts)| (name.as_str(), move |row: usize| texts[row].as_str()));
        let left_out = self.left_out.into_iter().collect();
        Ok(DataSet { skipped, left_out, ..DataSet::assemble(found, columns) })
    }
}

fn file_of(files: &[(PathBuf, usize)], row: usize) -> PathBuf {
    files.iter().find(|(_, end)| row < *end).map(|(path, _)| path.clone()).unwrap_or_default()
}

fn split_of(path: &Path, table: &Table, texts: &Texts, row: usize) -> Result<Split, DatasetError> {
    let (manifest, position) = (path.to_owned(), table.position(row));
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
fn classes(table: &Table) -> BTreeMap<String, Vec<String>> {
    let note = table.note(FEATURES).filter(|note| note.len() <= MOST_FEATURES);
    let said = note.and_then(|note| serde_json::from_str::<Value>(note).ok());
    let features = said.as_ref().and_then(|said| said["info"]["features"].as_object());
    let names = |feature: &Value| -> Option<Vec<String>> {
        feature["names"].as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let features = features.into_iter().flatten();
    features.filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}
