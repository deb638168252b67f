//! Why a folder or a manifest is not a data set.

use artifact::{Split, table::TableError};
use std::{io, path::PathBuf};

/// Each message names the place, says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Neither a folder nor a file.
    #[error("`{0}` does not exist; expected a folder of images or a .csv or .parquet manifest")]
    Missing(PathBuf),
    /// A file of another kind.
    #[error("`{0}` is not a data set: expected a folder of images or a .csv or .parquet manifest")]
    NotADataSet(PathBuf),
    /// The operating system said no.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
    /// A name that no id can be made of.
    #[error("the name of `{0}` is not valid UTF-8; rename it")]
    NotUtf8(PathBuf),
    /// Not one image.
    #[error("`{path}` holds no images; expected a folder per class with files of {}, found {found}", crate::EXTENSIONS.join(", "))]
    Empty {
        /// The data set.
        path: PathBuf,
        /// What was there instead, in words.
        found: String,
    },
    /// Images outside every class folder.
    #[error(
        "`{path}` holds {count} images outside any class folder (`{first}`); expected a folder per class"
    )]
    Unclassed {
        /// The data set, or one of its splits.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them by name.
        first: String,
    },
    /// Split folders and other folders side by side.
    #[error(
        "`{path}` mixes split folders with others: `{split}` holds class folders, `{other}` lies beside it; \
         expected only train, val and test on top, or only classes"
    )]
    Mixed {
        /// The data set.
        path: PathBuf,
        /// A split folder.
        split: String,
        /// A folder that is none.
        other: String,
    },
    /// A class without a single image.
    #[error("class folder `{class}` in `{path}` holds no images; fill it or remove it")]
    EmptyClass {
        /// The data set.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// Nothing to tell apart.
    #[error("`{path}` has one class only, `{class}`; a classifier needs at least two")]
    OneClass {
        /// The data set.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A class that a head could not learn.
    #[error("class `{class}` of `{path}` is in {split} but not in train; add it there or remove it")]
    NotInTrain {
        /// The data set.
        path: PathBuf,
        /// The class.
        class: String,
        /// Where it was found.
        split: Split,
    },
    /// The manifest itself cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A manifest without a column that it needs.
    #[error("`{manifest}` has no column `{column}`; expected path,label[,split], found {found}")]
    MissingColumn {
        /// The manifest.
        manifest: PathBuf,
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// A column of lists, structs or bytes.
    #[error("column `{column}` of `{manifest}` holds {found}; expected text or numbers")]
    ColumnType {
        /// The manifest.
        manifest: PathBuf,
        /// The column.
        column: &'static str,
        /// The type it has.
        found: String,
    },
    /// No rows.
    #[error("`{0}` has no rows; expected one per image")]
    NoRows(PathBuf),
    /// A hole in the manifest.
    #[error("`{manifest}`, row {row}: `{column}` is empty")]
    EmptyValue {
        /// The manifest.
        manifest: PathBuf,
        /// The row, where 1 is the first below the header.
        row: usize,
        /// The column.
        column: &'static str,
    },
    /// A split that we do not know.
    #[error("`{manifest}`, row {row}: split `{value}` is unknown; expected train, val or test")]
    UnknownSplit {
        /// The manifest.
        manifest: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What it says.
        value: String,
    },
    /// A path that leads out of the manifest's folder.
    #[error(
        "`{manifest}`, row {row}: `{value}` lies outside the manifest's folder; move the manifest above its images"
    )]
    Outside {
        /// The manifest.
        manifest: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What it says.
        value: String,
    },
    /// A path at which there is no file.
    #[error("`{manifest}`, row {row}: `{value}` is not a file; paths are relative to the manifest's folder")]
    MissingFile {
        /// The manifest.
        manifest: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What it says.
        value: String,
    },
    /// The same file twice.
    #[error("`{manifest}`, row {row}: `{value}` is already in row {first}; each path may be there once")]
    DuplicatePath {
        /// The manifest.
        manifest: PathBuf,
        /// The later row, from 1.
        row: usize,
        /// The earlier row.
        first: usize,
        /// The path, relative to the manifest's folder.
        value: String,
    },
}
