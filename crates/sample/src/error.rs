//! Why something is not a data set.

mod packed;
mod texts;

pub use packed::PackedError;
pub use texts::TextError;

use crate::{Medium, Split};
use std::{
    io,
    path::{Path, PathBuf},
};
use store::{
    brief::{few, shortened},
    matrix::MatrixError,
    table::{Position, TableError},
};

/// Each message names the place, says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Neither a folder nor a file.
    #[error(
        "`{0}` does not exist; expected a folder of images, a .csv, .jsonl or .parquet manifest, or .tar or .parquet shards"
    )]
    Missing(PathBuf),
    /// A file of another kind.
    #[error(
        "`{0}` is not a data set: expected a folder of images, a .csv, .jsonl or .parquet manifest, or .tar or .parquet shards"
    )]
    NotADataSet(PathBuf),
    /// Where pictures were expected, neither one nor anything that holds some.
    #[error(
        "`{0}` is no picture by its name, and no regular file that holds some: expected pictures, a folder of them, a .csv, .jsonl or .parquet manifest, or .tar or .parquet shards"
    )]
    NotAPicture(PathBuf),
    /// Where samples were expected in folders of any shape, not one.
    #[error(
        "`{path}` holds no {medium}s with the names of {}, found {found}; name a folder {}that does",
        medium.extensions().join(", "),
        or_tar(*medium)
    )]
    NoSamples {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        medium: Medium,
        /// What was there instead, in words.
        found: String,
    },
    /// The operating system said no.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
    /// A link that may stand for anything, a class on a disk that is not mounted among them.
    #[error("`{0}` is a link that leads nowhere; mend or remove it")]
    LeadsNowhere(PathBuf),
    /// Not one sample.
    #[error(
        "`{path}` holds no {medium}s; expected a folder per class with files of {}, found {found}",
        medium.extensions().join(", ")
    )]
    Empty {
        /// The data set.
        path: PathBuf,
        /// What was looked for.
        medium: Medium,
        /// What was there instead, in words.
        found: String,
    },
    /// Samples beside class folders.
    #[error(
        "`{path}` holds {} outside any class folder (`{}`); expected a folder per class, or no folders, for {medium}s \
         without labels",
        counted(*count, &medium.to_string()),
        shortened(first)
    )]
    Unclassed {
        /// The data set, or one of its splits.
        path: PathBuf,
        /// What they are.
        medium: Medium,
        /// How many.
        count: usize,
        /// The first of them by name.
        first: String,
    },
    /// Split folders and other folders side by side.
    #[error(
        "`{path}` mixes split folders with others: `{}` holds class folders, `{}` lies beside it; \
         expected only train, val and test on top, or only classes",
        shortened(split),
        shortened(other)
    )]
    Mixed {
        /// The data set.
        path: PathBuf,
        /// A split folder.
        split: String,
        /// A folder that is none.
        other: String,
    },
    /// Two folders with the same pictures.
    #[error(
        "`{path}` has the folders `{}` and `{}`, which overlap; keep one of them",
        shortened(both),
        shortened(other)
    )]
    Overlap {
        /// The data set.
        path: PathBuf,
        /// The one that is train and val.
        both: String,
        /// The other.
        other: String,
    },
    /// Two folders that may be one split, of which one may be anything.
    #[error(
        "`{path}` has two folders that are called like {split}, `{}` and `{}`; keep one of them, or move the classes of \
         both into one",
        shortened(first),
        shortened(second)
    )]
    SplitTwice {
        /// The data set.
        path: PathBuf,
        /// The split.
        split: Split,
        /// A folder.
        first: String,
        /// Another.
        second: String,
    },
    /// A split without a single sample.
    #[error(
        "split folder `{}` in `{path}` holds no {medium}s{passed}; fill it or remove it",
        shortened(split)
    )]
    EmptySplit {
        /// The data set.
        path: PathBuf,
        /// What was looked for.
        medium: Medium,
        /// The folder.
        split: String,
        /// What was there instead, in words: ` (passed over: 2 .heic)`, or nothing.
        passed: String,
    },
    /// Folders that may be splits, or domains, or people.
    #[error(
        "`{}` and `{}` in `{path}` hold folders of the same names ({names}); if the inner ones are the classes, call \
         the outer ones train, val and test; if the outer ones are, move the files up into them; or list the \
         samples in a manifest",
        shortened(first),
        shortened(second)
    )]
    Alike {
        /// The data set.
        path: PathBuf,
        /// A folder.
        first: String,
        /// Another.
        second: String,
        /// What both hold, in words.
        names: String,
    },
    /// Splits within classes.
    #[error(
        "`{}` in `{path}` holds split folders; put train, val and test on top and the classes below, or list the samples \
         in a manifest",
        shortened(class)
    )]
    SplitsBelow {
        /// The data set.
        path: PathBuf,
        /// A folder that holds some.
        class: String,
    },
    /// One folder that holds folders: the data set is likely further down.
    #[error("`{path}` holds one folder only; give `{inner}` if that holds the classes, or the splits")]
    Wrapped {
        /// The data set.
        path: PathBuf,
        /// The folder in it.
        inner: PathBuf,
    },
    /// The same in each split.
    #[error(
        "the splits of `{path}` hold one folder only, `{}`; if that holds the classes, move them up into the split",
        shortened(inner)
    )]
    WrappedSplits {
        /// The data set.
        path: PathBuf,
        /// The folder in its splits.
        inner: String,
    },
    /// A class without a single sample.
    #[error(
        "class folder `{}` in `{path}` holds no {medium}s{passed}; fill it or remove it",
        shortened(class)
    )]
    EmptyClass {
        /// The data set, or one of its splits.
        path: PathBuf,
        /// What was looked for.
        medium: Medium,
        /// The class.
        class: String,
        /// What was there instead, in words: ` (passed over: 2 .heic)`, or nothing.
        passed: String,
    },
    /// Nothing to tell apart.
    #[error("`{path}` has one class only, `{}`; a classifier needs at least two", shortened(class))]
    OneClass {
        /// The data set.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A class that a head could not learn.
    #[error(
        "class `{}` of `{path}` is in {split} but not in train; add it there or remove it",
        shortened(class)
    )]
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
    /// A manifest without the column that it needs.
    #[error(
        "`{manifest}` has no column `path`, which names each sample's file{}; found {}{}",
        or_image(manifest),
        if found.is_empty() { "no column".to_owned() } else { few(found) },
        or_texts(found)
    )]
    MissingColumn {
        /// The manifest.
        manifest: PathBuf,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// The labels themselves cannot be read.
    #[error(transparent)]
    Labels(#[from] MatrixError),
    /// Rows without ids, and other many labels.
    #[error(
        "`{labels}` has {got} rows, the matrix has {expected}; expected one for each, in the same order, or a column `id` in \
         both"
    )]
    RowCount {
        /// The labels.
        labels: PathBuf,
        /// How many.
        got: usize,
        /// How many rows the matrix has.
        expected: usize,
    },
    /// Nothing is said of a row.
    #[error("`{labels}` has no row for `{}`, which `{matrix}` has", shortened(id))]
    Unlabelled {
        /// The labels.
        labels: PathBuf,
        /// The matrix.
        matrix: PathBuf,
        /// The row's id.
        id: String,
    },
    /// What no sample can be called.
    #[error(
        "`{manifest}`, {row}: `{}` is no id of a sample, which is a path below the table's folder; change it, or leave `{column}` \
         out",
        shortened(value)
    )]
    NoId {
        /// The table.
        manifest: PathBuf,
        /// The row.
        row: Position,
        /// The column.
        column: &'static str,
        /// What it says.
        value: String,
    },
    /// No rows.
    #[error("`{0}` has no rows; expected one per sample")]
    NoRows(PathBuf),
    /// A list without a path of a file.
    #[error(
        "standard input names no file; expected paths, one a line, or a tar{}",
        beside(*passed, *skipped)
    )]
    EmptyList {
        /// Folders that it names.
        passed: u64,
        /// Names that are not UTF-8.
        skipped: usize,
    },
    /// A list that is none.
    #[error("standard input has more than {most} bytes without being a tar; expected paths, one a line")]
    LongList {
        /// Bytes that a list may have.
        most: u64,
    },
    /// Of tars and Parquet files.
    #[error(transparent)]
    Packed(#[from] PackedError),
    /// Of texts.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A hole in the manifest.
    #[error("`{manifest}`, {row}: `{column}` is empty")]
    EmptyValue {
        /// The manifest.
        manifest: PathBuf,
        /// The row.
        row: Position,
        /// The column.
        column: &'static str,
    },
    /// A split that we do not know.
    #[error("`{manifest}`, {row}: split `{}` is unknown; expected train, val or test", shortened(value))]
    UnknownSplit {
        /// The manifest.
        manifest: PathBuf,
        /// The row.
        row: Position,
        /// What it says.
        value: String,
    },
    /// A path that leads out of the folder that paths are relative to.
    #[error(
        "`{manifest}`, {row}: `{}` lies outside {root}; give the folder above all images by --root, and paths relative to it",
        shortened(value)
    )]
    Outside {
        /// The manifest.
        manifest: PathBuf,
        /// The row.
        row: Position,
        /// What it says.
        value: String,
        /// The folder, in words.
        root: String,
    },
    /// A path at which there is no file.
    #[error(
        "`{manifest}`, {row}: `{}` is not a file; paths are relative to {root}{}",
        shortened(value),
        backslashes(value)
    )]
    MissingFile {
        /// The manifest.
        manifest: PathBuf,
        /// The row.
        row: Position,
        /// What it says.
        value: String,
        /// The folder, in words.
        root: String,
    },
    /// The same file twice.
    #[error("`{manifest}`, {row}: `{}` is already in {first}; each path may be there once", shortened(value))]
    DuplicatePath {
        /// The manifest.
        manifest: PathBuf,
        /// The later row.
        row: Position,
        /// The earlier row.
        first: Position,
        /// The path, relative to the manifest's folder.
        value: String,
    },
}

/// `1 image`, `2 images`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// What else may hold such samples, before `that does`.
fn or_tar(medium: Medium) -> &'static str {
    match medium {
        Medium::Image => "or a .tar ",
        Medium::Text => "",
    }
}

/// What a list names instead.
fn beside(folders: u64, unnamed: usize) -> String {
    match (folders, unnamed) {
        (0, 0) => String::new(),
        (folders, 0) => format!("; found {}", counted(folders as usize, "folder")),
        (_, unnamed) => format!("; found {} that are not UTF-8", counted(unnamed, "name")),
    }
}

/// A hint for paths of Windows.
fn backslashes(value: &str) -> &'static str {
    if value.contains('\\') { ", with `/` between folders" } else { "" }
}

/// What to do where a table may hold texts, and no pictures.
fn or_texts(found: &[String]) -> String {
    let texts = ["text", "sentence"].into_iter().find(|name| found.iter().any(|found| found == name));
    texts.map_or_else(String::new, |name| format!("; texts are read by extract --text-column {name}"))
}

/// What would do as well in a file that may hold bytes.
fn or_image(manifest: &Path) -> &'static str {
    let is_parquet = manifest.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    if is_parquet { ", nor a column `image` of their bytes" } else { "" }
}
