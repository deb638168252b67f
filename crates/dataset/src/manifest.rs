//! A data set as a table: `path,label[,split]`, in CSV or Parquet. Other columns are left alone.

use crate::{DataSet, DatasetError, data_set::Found};
use artifact::{Split, table};
use polars::prelude::{ChunkedArray, DataFrame, DataType, StringType};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Whether the extension says that this file is a manifest.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("parquet"))
}

pub(crate) fn open(path: &Path) -> Result<DataSet, DatasetError> {
    let frame = table::read(path)?;
    let manifest = Manifest { path, folder: path.parent().unwrap_or(Path::new("")) };
    let column = |name| manifest.column(&frame, name);
    let needed = |name| column(name)?.ok_or_else(|| manifest.missing_column(name, &frame));
    let (paths, labels, splits) = (needed("path")?, needed("label")?, column("split")?);
    if frame.height() == 0 {
        return Err(DatasetError::NoRows(path.to_owned()));
    }
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(frame.height());
    for index in 0..frame.height() {
        let row = index + 1;
        let value = manifest.value(&paths, "path", index)?;
        let class = manifest.value(&labels, "label", index)?.to_owned();
        let split = match &splits {
            Some(splits) => Some(manifest.split(splits, index)?),
            None => None,
        };
        let id = manifest.id(value).ok_or_else(|| {
            let (manifest, value) = (path.to_owned(), value.to_owned());
            DatasetError::Outside { manifest, row, value }
        })?;
        let file = manifest.folder.join(&id);
        if !std::fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return Err(DatasetError::MissingFile {
                manifest: path.to_owned(),
                row,
                value: value.to_owned(),
            });
        }
        if let Some(first) = rows.insert(id.clone(), row) {
            return Err(DatasetError::DuplicatePath { manifest: path.to_owned(), row, first, value: id });
        }
        found.push(Found { id, path: file, class, split });
    }
    Ok(DataSet::assemble(found, BTreeMap::new()))
}

struct Manifest<'a> {
    path: &'a Path,
    folder: &'a Path,
}

impl Manifest<'_> {
    /// The column of that name as text, if there is one. A number becomes the text that says it.
    fn column(&self, frame: &DataFrame, name: &'static str) -> Result<Option<Text>, DatasetError> {
        let Ok(column) = frame.column(name) else { return Ok(None) };
        let wrong = || DatasetError::ColumnType {
            manifest: self.path.to_owned(),
            column: name,
            found: column.dtype().to_string(),
        };
        if column.dtype().is_nested() || matches!(column.dtype(), DataType::Binary) {
            return Err(wrong());
        }
        let text = column.cast(&DataType::String).map_err(|_| wrong())?;
        Ok(Some(text.str().map_err(|_| wrong())?.clone()))
    }

    fn missing_column(&self, column: &'static str, frame: &DataFrame) -> DatasetError {
        let found: Vec<&str> =
            frame.get_column_names().into_iter().map(polars::prelude::PlSmallStr::as_str).collect();
        DatasetError::MissingColumn { manifest: self.path.to_owned(), column, found: found.join(", ") }
    }

    fn value<'t>(&self, text: &'t Text, column: &'static str, index: usize) -> Result<&'t str, DatasetError> {
        let value = text.get(index).map(str::trim).filter(|value| !value.is_empty());
        value.ok_or_else(|| DatasetError::EmptyValue {
            manifest: self.path.to_owned(),
            row: index + 1,
            column,
        })
    }

    fn split(&self, text: &Text, index: usize) -> Result<Split, DatasetError> {
        let value = self.value(text, "split", index)?;
        Split::parse(value).ok_or_else(|| DatasetError::UnknownSplit {
            manifest: self.path.to_owned(),
            row: index + 1,
            value: value.to_owned(),
        })
    }

    /// The path relative to the manifest's folder, without `.` and `..`; `None` where it leads out of it. An absolute
    /// path within the folder is made relative, so that no artefact ever holds an absolute one.
    fn id(&self, value: &str) -> Option<String> {
        let path = Path::new(value);
        let relative = if path.is_absolute() {
            let folder = std::path::absolute(self.folder.join(".")).ok()?;
            let inside = |folder: PathBuf| path.strip_prefix(folder).ok();
            inside(folder).or_else(|| inside(self.folder.join(".").canonicalize().ok()?))?
        } else {
            path
        };
        let mut parts: Vec<&str> = Vec::new();
        for component in relative.components() {
            match component {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()?),
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

type Text = ChunkedArray<StringType>;

#[cfg(test)]
mod tests;
