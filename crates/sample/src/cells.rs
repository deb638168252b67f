//! A data set as Parquet files that hold the bytes of the pictures, as Hugging Face's do.

use crate::{
    Content, DataSet, DatasetError, LABEL,
    rows::{Part, Rows, said},
    shards,
};
use std::{path::Path, sync::Arc};
use store::table::{Cells, Table};

/// # Errors
/// Where a file is damaged, or what it says of its rows is no data set.
pub(crate) fn open(files: Vec<Cells>, name: &Path) -> Result<DataSet, DatasetError> {
    let files: Vec<Arc<Cells>> = files.into_iter().map(Arc::new).collect();
    let paths: Vec<&Path> = files.iter().map(|file| file.path()).collect();
    let by_file = shards::splits(&paths);
    let mut rows = Rows::new(true);
    for (at, (file, name)) in files.iter().zip(shards::names(&paths)).enumerate() {
        let table = Table::open_all(file.path(), &[LABEL, "split"])?;
        let cell = |row| Ok(Content::Cell { of: Arc::clone(file), row });
        rows.take(Part {
            path: file.path(),
            name: &name,
            table: &table,
            contents: (0..file.rows()).map(cell).collect(),
            names: file.names()?.or_else(|| said(&table, "path")),
            split: by_file.as_ref().map(|splits| splits[at]),
            own: &["path", file.column()],
        })?;
    }
    rows.finish(name)
}

#[cfg(test)]
mod tests;
