//! Tables between tools and people: a polars frame as Parquet, CSV or JSON, by the file's extension.

use crate::{Ours, Place, PlaceError};
use polars::prelude::*;
use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

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
    /// A sample that is asked for is not there, or has no value.
    #[error("`{path}` has no `{column}` for `{id}`; its column `path` must name every sample as extract did")]
    Sample {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The sample.
        id: String,
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
pub enum Format {
    /// Apache Parquet, zstd-free so that every reader opens it.
    Parquet,
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON array of row objects.
    Json,
}

impl Format {
    /// The format that `path`'s extension names.
    ///
    /// # Errors
    /// Where it is none of `.parquet`, `.csv` and `.json`.
    pub fn of(path: &Path) -> Result<Format, TableError> {
        match extension(path).as_str() {
            "parquet" => Ok(Format::Parquet),
            "csv" => Ok(Format::Csv),
            "json" => Ok(Format::Json),
            _ => Err(TableError::Format { path: path.to_owned(), expected: ".parquet, .csv or .json" }),
        }
    }
}

/// Writes `frame` to `path` in the format of its extension, whole or not at all. The same frame gives the same bytes.
///
/// # Errors
/// Where the extension is unknown, the file exists and `force` is not given, or the disk refuses.
pub fn write(frame: &mut DataFrame, path: &Path, force: bool, ours: Ours) -> Result<(), TableError> {
    let format = Format::of(path)?;
    let place = Place::file(path, force, ours)?;
    write_at(frame, format, &place)?;
    Ok(place.commit()?)
}

/// Writes `frame` at a place that is committed later, together with others.
///
/// # Errors
/// Where the frame cannot be said in `format` or the disk refuses.
pub fn write_at(frame: &mut DataFrame, format: Format, place: &Place) -> Result<(), TableError> {
    let file = File::create(place.temporary()).map_err(|error| place.failed(error))?;
    let mut out = BufWriter::new(file);
    let written = match format {
        Format::Parquet => {
            ParquetWriter::new(&mut out).with_compression(ParquetCompression::Snappy).finish(frame).map(drop)
        }
        Format::Csv => CsvWriter::new(&mut out).finish(frame),
        Format::Json => JsonWriter::new(&mut out).with_json_format(JsonFormat::Json).finish(frame),
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
    let short: String = text.chars().take(80).collect();
    format!(
        "`{short}` begins like a formula: spreadsheets run such cells of a CSV file; open it as text, or write .parquet"
    )
}

/// Reads a CSV or Parquet table. Columns of a CSV file all come as text, so that a label `007` stays `007`.
///
/// # Errors
/// Where the extension is neither, or the file cannot be read as what it names.
pub fn read(path: &Path) -> Result<DataFrame, TableError> {
    let fail = |reason: String| TableError::Read { path: path.to_owned(), reason };
    match extension(path).as_str() {
        "csv" => CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .try_into_reader_with_file_path(Some(path.to_owned()))
            .and_then(CsvReader::finish)
            .map_err(|error| fail(first_line(&error))),
        "parquet" => {
            let file = File::open(path).map_err(|error| fail(error.to_string()))?;
            ParquetReader::new(file).finish().map_err(|error| fail(first_line(&error)))
        }
        _ => Err(TableError::Format { path: path.to_owned(), expected: ".csv or .parquet" }),
    }
}

/// What the table at `path` says in `column` of each of the samples `ids`, which its column `path` names: (n,), as text.
///
/// # Errors
/// Where the table cannot be read, lacks a column, or says nothing of a sample.
pub fn values_of<'a>(
    path: &Path,
    column: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, TableError> {
    values_in(&read(path)?, path, column, ids)
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
    columns.iter().map(|column| values_in(&frame, path, column, ids.iter().copied())).collect()
}

fn values_in<'a>(
    frame: &DataFrame,
    path: &Path,
    column: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, TableError> {
    let rows = pairs_in(frame, path, "path", column)?;
    let known: HashMap<&str, &str> =
        rows.iter().map(|(name, value)| (name.trim_start_matches("./"), value.as_str())).collect();
    ids.map(|id| {
        known.get(id).map(|value| (*value).to_owned()).ok_or_else(|| TableError::Sample {
            path: path.to_owned(),
            column: column.to_owned(),
            id: id.to_owned(),
        })
    })
    .collect()
}

/// The rows of the table at `path` as (`key`, `value`), as text, in order; rows without either are left out.
///
/// # Errors
/// Where the table cannot be read or lacks a column.
pub fn pairs(path: &Path, key: &str, value: &str) -> Result<Vec<(String, String)>, TableError> {
    pairs_in(&read(path)?, path, key, value)
}

fn pairs_in(
    frame: &DataFrame,
    path: &Path,
    key: &str,
    value: &str,
) -> Result<Vec<(String, String)>, TableError> {
    let text = |name: &str| {
        let missing = || TableError::Column {
            path: path.to_owned(),
            column: name.to_owned(),
            got: frame
                .get_column_names()
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let column = frame.column(name).map_err(|_| missing())?.cast(&DataType::String);
        column.map_err(|error| TableError::Read { path: path.to_owned(), reason: first_line(&error) })
    };
    let (keys, values) = (text(key)?, text(value)?);
    let read = |error: PolarsError| TableError::Read { path: path.to_owned(), reason: first_line(&error) };
    let rows = keys.str().map_err(read)?.iter().zip(values.str().map_err(read)?.iter());
    Ok(rows.filter_map(|(key, value)| Some((key?.to_owned(), value?.to_owned()))).collect())
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// polars' messages go on for paragraphs; their first line says what is wrong.
fn first_line(error: &PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ours = Ours::table("a table", &[&["id", "value"]]);

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
        assert!(matches!(Format::of(Path::new("metrics")), Err(TableError::Format { .. })));
    }

    #[test]
    fn values_are_found_by_the_samples_names() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("m.csv");
        std::fs::write(&path, "path,patient\n./a/1.png,7\nb.png,8\nc.png,\n").unwrap();
        let values = |column: &str, ids: &[&str]| values_of(&path, column, ids.iter().copied());
        assert_eq!(values("patient", &["b.png", "a/1.png"]).unwrap(), ["8", "7"]);
        let message = |column, id| values(column, &[id]).unwrap_err().to_string();
        assert!(message("age", "b.png").ends_with("has no column `age`, only `path`, `patient`"));
        for id in ["d.png", "c.png"] {
            assert!(message("patient", id).contains(&format!("has no `patient` for `{id}`")));
        }
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
