//! Tables between tools and people: a polars frame as Parquet, CSV or JSON, by the file's extension.

mod cells;
mod columns;
mod csv;
mod guard;
mod json_lines;
mod lookup;
mod parquet;
mod read;
pub mod sparse;
mod stream;

use crate::{Ours, Place, PlaceError, brief};
use polars::prelude::*;
use polars_io::prelude::{
    CsvWriter, JsonFormat, JsonWriter, ParquetCompression, ParquetWriter, SerWriter as _,
};
use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

pub use cells::Cells;
pub(crate) use columns::columns;
pub(crate) use guard::guarded;
pub use json_lines::{Cell, object};
pub use lookup::{SampleTable, Texts, pairs};
pub(crate) use parquet::metadata;
pub use read::{Position, Table, read};
pub use stream::TableStream;

/// A table that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// An extension that says nothing of the format.
    #[error("cannot tell the format of `{path}`: expected {expected}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The extensions that would do.
        expected: &'static str,
    },
    /// The file is not what its extension says, or cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A column that is asked for is not there.
    #[error("`{path}` has no column `{column}`, only {got}")]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Those it has.
        got: String,
    },
    /// Two columns of one name.
    #[error("`{path}` has two columns `{column}`; rename one of them")]
    TwoColumns {
        /// The file.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// A column of lists, structs, bytes or times.
    #[error("column `{column}` of `{path}` holds {found}; expected text or numbers, convert it to text")]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type it has.
        found: String,
    },
    /// A sample that is asked for is not there.
    #[error("`{path}` has no row for `{id}`; its column `path` must name every sample, as extract did")]
    Sample {
        /// The file.
        path: PathBuf,
        /// The sample.
        id: String,
    },
    /// A sample that is asked for has no value.
    #[error("`{path}`, {row}: `{column}` of `{id}` is empty")]
    Empty {
        /// The file.
        path: PathBuf,
        /// The row.
        row: Position,
        /// The column.
        column: String,
        /// The sample.
        id: String,
    },
    /// A sample has two values.
    #[error("`{path}`, {first} and {row} name one sample, with different `{column}`; remove one of them")]
    TwoValues {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The earlier row.
        first: Position,
        /// The later row.
        row: Position,
    },
    /// Features do not know in which of two folders their samples lie.
    #[error(
        "`{path}` has rows for all samples below {first} and below {second}; keep the rows of one of them"
    )]
    TwoFolders {
        /// The file.
        path: PathBuf,
        /// A folder, in words.
        first: String,
        /// Another.
        second: String,
    },
    /// The table could not be written.
    #[error("cannot write `{path}`: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Its place could not be made or taken.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// A format that tables come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Apache Parquet, zstd-free so that every reader opens it.
    Parquet,
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON array of row objects.
    Json,
}

impl TableFormat {
    /// The format that `path`'s extension names.
    ///
    /// # Errors
    /// Where it is none of `.parquet`, `.csv` and `.json`.
    pub fn of(path: &Path) -> Result<TableFormat, TableError> {
        match extension(path).as_str() {
            "parquet" => Ok(TableFormat::Parquet),
            "csv" => Ok(TableFormat::Csv),
            "json" => Ok(TableFormat::Json),
            _ => Err(TableError::Format { path: path.to_owned(), expected: ".parquet, .csv or .json" }),
        }
    }
}

/// Writes `frame` to `path` in the format of its extension, whole or not at all. The same frame gives the same bytes.
///
/// # Errors
/// Where the extension is unknown, the file exists and `force` is not given, or the disk refuses.
pub fn write(frame: &mut DataFrame, path: &Path, force: bool, ours: Ours) -> Result<(), TableError> {
    let format = TableFormat::of(path)?;
    let place = Place::file(path, force, ours)?;
    write_at(frame, format, &place)?;
    Ok(place.commit()?)
}

/// Writes `frame` at a place that is committed later, together with others.
///
/// # Errors
/// Where the frame cannot be said in `format` or the disk refuses.
pub fn write_at(frame: &mut DataFrame, format: TableFormat, place: &Place) -> Result<(), TableError> {
    let mut out = BufWriter::new(place.open()?);
    let written = match format {
        TableFormat::Parquet => {
            ParquetWriter::new(&mut out).with_compression(ParquetCompression::Snappy).finish(frame).map(drop)
        }
        TableFormat::Csv => CsvWriter::new(&mut out).finish(frame),
        TableFormat::Json => JsonWriter::new(&mut out).with_json_format(JsonFormat::Json).finish(frame),
    };
    written
        .map_err(|error| TableError::Write { path: place.target().to_owned(), reason: first_line(&error) })?;
    Ok(out.flush().map_err(|error| place.failed(error))?)
}

/// The first of the texts that a spreadsheet takes for a formula where it meets it as a cell of a CSV file. Such cells are
/// written as they are: ids and labels must be the same when they are read back.
pub fn formula<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A number says what it is.
    texts.find(|text| text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err())
}

/// What to tell whoever gets a CSV file with such a [`formula`].
pub fn formula_warning(text: &str) -> String {
    let short = brief::cut(text, 80);
    format!(
        "`{short}` begins like a formula: spreadsheets run such cells of a CSV file; open it as text, or write .parquet"
    )
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// polars' messages go on for paragraphs, and quote what they read: the start of their first line says what is wrong.
fn first_line(error: &PolarsError) -> String {
    brief::cut(error.to_string().lines().next().unwrap_or_default(), 200).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ours =
        Ours::table("a table", &[crate::Columns { first: &["id", "value"], more: &["class"] }]);

    fn frame() -> DataFrame {
        df!("id" => ["a", "b"], "value" => [0.1, f64::MIN_POSITIVE], "class" => [Some("007"), None]).unwrap()
    }

    #[test]
    fn tables_survive_every_format_they_can_be_read_in() {
        let root = tempfile::tempdir().unwrap();
        let parquet = root.path().join("t.parquet");
        write(&mut frame(), &parquet, false, OURS).unwrap();
        assert!(read(&parquet).unwrap().equals_missing(&frame()));
        let csv = root.path().join("t.CSV");
        write(&mut frame(), &csv, false, OURS).unwrap();
        let back = read(&csv).unwrap();
        assert_eq!(back.column("class").unwrap().str().unwrap().get(0), Some("007"));
        assert_eq!(back.column("value").unwrap().str().unwrap().get(0), Some("0.1"));
        write(&mut frame(), &root.path().join("t.json"), false, OURS).unwrap();
    }

    #[test]
    fn texts_that_spreadsheets_run_are_told() {
        for text in ["=cmd|' /C calc'!A0", "+1+1", "-A1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(formula(["a=b", text].into_iter()), Some(text));
        }
        assert_eq!(formula(["a=b", "1-2", "", "'=1", "-1", "+1e3"].into_iter()), None);
        assert!(formula_warning(&"=".repeat(5000)).chars().count() < 300);
    }

    #[test]
    fn wrong_tables_are_one_line() {
        let root = tempfile::tempdir().unwrap();
        let not_parquet = root.path().join("x.parquet");
        std::fs::write(&not_parquet, "hello").unwrap();
        for path in [not_parquet, root.path().join("missing.csv"), root.path().join("x.txt")] {
            let message = read(&path).unwrap_err().to_string();
            assert!(!message.contains('\n') && message.contains(path.to_str().unwrap()), "{message}");
        }
        assert!(matches!(TableFormat::of(Path::new("metrics")), Err(TableError::Format { .. })));
    }

    #[test]
    fn the_same_frame_gives_the_same_bytes() {
        let root = tempfile::tempdir().unwrap();
        for extension in ["parquet", "csv", "json"] {
            let path = root.path().join("t").with_extension(extension);
            let bytes = |force| {
                write(&mut frame(), &path, force, OURS).unwrap();
                std::fs::read(&path).unwrap()
            };
            assert_eq!(bytes(false), bytes(true));
        }
    }
}
