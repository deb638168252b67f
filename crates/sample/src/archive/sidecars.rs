//! What the files beside a picture say of it: `.cls`, `.json` and `.txt` of the same name.

use super::members::{Archive, key};
use crate::{Column, DatasetError, LABEL, PackedError, Split};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};
use store::table::{Cell, object, sparse};

/// Longer than any honest label or description.
const MOST: u64 = 1 << 20;
/// Different keys of all `.json` files.
const MOST_COLUMNS: usize = 1_000;

/// Of what is read.
pub(super) const ENDINGS: [&str; 3] = ["cls", "json", "txt"];

/// What was found beside pictures.
pub(super) struct Sidecars<'a> {
    archive: &'a Archive<'a>,
    /// Texts of the `.cls` and cells of the `.json` files, by the entry of the picture.
    labels: HashMap<usize, String>,
    cells: HashMap<usize, Vec<(String, Cell)>>,
    /// Whether a `.json` says the label.
    json_labels: bool,
    /// Whether there is any `.txt`.
    texts: bool,
}

/// What is said of some pictures.
pub(super) struct Said {
    /// Of the pictures in their order.
    pub(super) columns: Vec<Column>,
    /// Keys that hold neither text nor numbers.
    pub(super) left_out: Vec<String>,
    pub(super) splits: Option<Vec<Split>>,
}

impl<'a> Sidecars<'a> {
    /// Of the pictures at `entries`.
    pub(super) fn read(archive: &'a Archive<'a>, entries: &[usize]) -> Result<Sidecars<'a>, DatasetError> {
        let mut sidecars = Sidecars {
            archive,
            labels: HashMap::new(),
            cells: HashMap::new(),
            json_labels: false,
            texts: false,
        };
        for &at in entries {
            let entry = archive.entry(at);
            let Some((key, _)) = key(entry.name) else { continue };
            sidecars.texts |= archive.find(entry.shard, format!("{key}.txt")).is_some();
            if let Some(cls) = archive.find(entry.shard, format!("{key}.cls")) {
                sidecars.labels.insert(at, sidecars.text(cls)?);
            }
            if let Some(json) = archive.find(entry.shard, format!("{key}.json")) {
                let cells = object(&sidecars.text(json)?)
                    .map_err(|reason| archive.wrong(json, format!("cannot be read: {reason}")))?;
                sidecars.json_labels |= cells.iter().any(|(key, _)| key.trim() == LABEL);
                sidecars.cells.insert(at, cells);
            }
        }
        Ok(sidecars)
    }

    /// Whether the files beside pictures say what they are, and not their folders.
    pub(super) fn say_labels(&self) -> bool {
        self.json_labels || !self.labels.is_empty()
    }

    /// Whether there are none.
    pub(super) fn are_empty(&self) -> bool {
        self.labels.is_empty() && self.cells.is_empty() && !self.texts
    }

    /// Of the pictures at `entries`: labels first, then what else is said, in the order in which it is met.
    ///
    /// # Errors
    /// Where some have no label but others do, or a file is no text.
    pub(super) fn of(&self, entries: &[usize], name: &Path) -> Result<Said, DatasetError> {
        let mut gathered =
            Gathered { said: 0, names: Vec::new(), columns: BTreeMap::new(), left_out: BTreeSet::new() };
        // Where a `.json` says the label, `.cls` is a column of its own, and `.txt` where either does.
        let cls = if self.json_labels { "cls" } else { LABEL };
        let txt = if self.say_labels() { "txt" } else { LABEL };
        for (row, &at) in entries.iter().enumerate() {
            if let Some(text) = self.labels.get(&at) {
                gathered.put(row, cls, text.clone());
            }
            for (name, cell) in self.cells.get(&at).into_iter().flatten() {
                match cell {
                    Cell::Text(text) | Cell::List(text) => {
                        gathered.put(row, name.trim(), text.trim().to_owned());
                    }
                    Cell::Null => {}
                    Cell::Other => drop(gathered.left_out.insert(name.trim().to_owned())),
                }
                if gathered.names.len() > MOST_COLUMNS {
                    let reason = format!("its `.json` files have more than {MOST_COLUMNS} different keys");
                    return Err(PackedError::Tar { path: self.archive.path(at), reason }.into());
                }
            }
            let entry = self.archive.entry(at);
            let beside =
                key(entry.name).and_then(|(key, _)| self.archive.find(entry.shard, format!("{key}.txt")));
            if let Some(beside) = beside {
                gathered.put(row, txt, self.text(beside)?);
            }
        }
        gathered.finish(self, entries, name)
    }

    /// The text of a file, without spaces around it.
    fn text(&self, at: usize) -> Result<String, DatasetError> {
        let wrong = |reason: String| self.archive.wrong(at, reason);
        let bytes =
            self.archive.content(at).read(MOST).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned()))?;
        Ok(text.trim_start_matches('\u{feff}').trim().to_owned())
    }
}

/// Columns in the making.
struct Gathered {
    /// Texts of all columns.
    said: usize,
    /// In the order in which they were met.
    names: Vec<String>,
    /// By row, where anything is said.
    columns: BTreeMap<String, BTreeMap<usize, String>>,
    left_out: BTreeSet<String>,
}

/// What a column says of a row.
fn text(texts: &BTreeMap<usize, String>, row: usize) -> &str {
    texts.get(&row).map_or("", String::as_str)
}

impl Gathered {
    fn put(&mut self, row: usize, name: &str, text: String) {
        if !self.columns.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.columns.entry(name.to_owned()).or_default().insert(row, text);
        self.said += 1;
    }

    fn finish(
        mut self,
        sidecars: &Sidecars<'_>,
        entries: &[usize],
        name: &Path,
    ) -> Result<Said, DatasetError> {
        for left_out in &self.left_out {
            self.columns.remove(left_out);
        }
        let rows = entries.len();
        sparse::check(rows, self.columns.len(), self.said)
            .map_err(|reason| PackedError::Tar { path: name.to_owned(), reason })?;
        let first = |texts| (0..rows).find(|&row| text(texts, row).is_empty());
        if let Some(row) = self.columns.get(LABEL).and_then(first) {
            let id = sidecars.archive.entry(entries[row]).name.to_owned();
            return Err(PackedError::NoLabel { path: name.to_owned(), id }.into());
        }
        // As a manifest's.
        let splits = self.columns.remove("split").map(|texts| {
            let split = |(row, &at): (usize, &usize)| {
                let text = text(&texts, row);
                Split::parse(text).ok_or_else(|| {
                    let told = store::brief::shortened(text);
                    let reason = format!(
                        "has the split `{told}`; expected train, val or test, of all pictures or of none"
                    );
                    sidecars.archive.wrong(at, reason)
                })
            };
            entries.iter().enumerate().map(split).collect::<Result<Vec<_>, _>>()
        });
        let splits = splits.transpose()?;
        self.names.sort_by_key(|name| name != LABEL);
        let columns = self.names.iter().filter_map(|name| {
            let texts = self.columns.get(name)?;
            Some(Column::new(name, (0..rows).map(|row| text(texts, row))))
        });
        let columns = columns.collect();
        Ok(Said { columns, left_out: self.left_out.into_iter().collect(), splits })
    }
}
