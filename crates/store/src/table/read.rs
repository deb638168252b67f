//! Opening tables that people made.

use super::{TableError, Texts, csv, extension, first_line, guard::guarded, json_lines, parquet, sparse};
use crate::{MappedFile, bounded, brief};
use polars::prelude::*;
use polars_io::prelude::{ParquetReader, SerReader as _};
use std::{
    collections::BTreeSet,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Longer than any honest manifest as text: ten million rows. A Parquet file is mapped.
const MOST_TEXT: u64 = 1 << 30;

/// Some columns of a CSV, TSV, JSONL or Parquet table, as text. A number becomes the text that says it.
pub struct Table {
    path: PathBuf,
    names: Vec<String>,
    columns: Vec<(String, Texts)>,
    left_out: Vec<String>,
    height: usize,
    lines: Vec<u32>,
    notes: Vec<(String, String)>,
}

/// Where a row stands: it counts from 1 below the header, rows that hold nothing left out; a text file has lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    row: usize,
    line: Option<u32>,
}

impl Position {
    /// Of the row that counts so much from 1, in what has no lines.
    pub fn of_row(row: usize) -> Position {
        Position { row, line: None }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

impl Table {
    /// Reads those of `columns` that the table at `path` has. Nothing of the others is looked at.
    ///
    /// Names of columns are taken without spaces around them; `table/csv.rs` says what is read as CSV, `table/json_lines.rs`
    /// what as JSONL.
    ///
    /// # Errors
    /// As [`read`], and where one of `columns` holds neither text nor numbers.
    pub fn open(path: &Path, columns: &[&str]) -> Result<Table, TableError> {
        Table::of(path, raw(path, Wanted::Named(columns))?)
    }

    /// Reads all columns that hold text or numbers; those of `needed` must.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn open_all(path: &Path, needed: &[&str]) -> Result<Table, TableError> {
        Table::of(path, raw(path, Wanted::Texts(needed))?)
    }

    fn of(path: &Path, raw: Raw) -> Result<Table, TableError> {
        let Raw { frame, names, left_out, height, lines, notes } = raw;
        let text = |column: &Column| -> PolarsResult<Texts> {
            Ok(Texts(column.cast(&DataType::String)?.str()?.clone()))
        };
        let mut texts = Vec::new();
        for column in frame.columns() {
            let text = text(column).map_err(|error| Wrong::Reason(first_line(&error)).at(path))?;
            texts.push((column.name().to_string(), text));
        }
        Ok(Table { path: path.to_owned(), names, columns: texts, left_out, height, lines, notes })
    }

    /// Those of `columns` that the Parquet file at `path` has, whatever it is called.
    pub(crate) fn of_parquet(path: &Path, columns: &[&str]) -> Result<Table, TableError> {
        let fail = |error: std::io::Error| Wrong::Reason(error.to_string()).at(path);
        let raw = of_parquet(bounded::open(path).map_err(fail)?, Wanted::Named(columns));
        Table::of(path, raw.map_err(|wrong| wrong.at(path))?)
    }

    /// A table of `height` rows that was read already.
    pub(crate) fn of_columns(path: &Path, height: usize, columns: Vec<Column>) -> Result<Table, TableError> {
        let names = distinct(columns.iter().map(|column| column.name().trim().to_owned()).collect());
        let names = names.map_err(|wrong| wrong.at(path))?;
        let frame = guarded(|| {
            let mut frame = DataFrame::new(height, columns)?;
            frame.set_column_names(&names)?;
            Ok(frame)
        });
        let frame = frame.map_err(|reason| Wrong::Reason(reason).at(path))?;
        Table::of(path, Raw { frame, names, height, ..Raw::default() })
    }

    /// A table of these columns, with a text for each of `height` rows.
    pub fn of_texts(path: &Path, height: usize, columns: Vec<(String, Vec<String>)>) -> Table {
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let texts = |(name, texts): (String, Vec<String>)| {
            let chunked =
                StringChunked::from_iter_values(name.as_str().into(), texts.iter().map(String::as_str));
            (name, Texts(chunked))
        };
        let columns = columns.into_iter().map(texts).collect();
        let (path, left_out, lines, notes) = (path.to_owned(), Vec::new(), Vec::new(), Vec::new());
        Table { path, names, columns, left_out, height, lines, notes }
    }

    /// The names of all its columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns that were read, in the table's order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Texts)> {
        self.columns.iter().map(|(name, texts)| (name.as_str(), texts))
    }

    /// The names of columns that hold neither text nor numbers, where all were asked for.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// How many rows it has.
    pub fn height(&self) -> usize {
        self.height
    }

    /// One of the columns that were read.
    pub fn texts(&self, name: &str) -> Option<&Texts> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, texts)| texts)
    }

    /// The same.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn needed(&self, name: &str) -> Result<&Texts, TableError> {
        self.texts(name).ok_or_else(|| TableError::Column {
            path: self.path.clone(),
            column: brief::shortened(name).into_owned(),
            got: brief::few(&self.names),
        })
    }

    /// What a Parquet file says under a key of its own.
    pub fn note(&self, key: &str) -> Option<&str> {
        self.notes.iter().find(|(own, _)| own == key).map(|(_, note)| note.as_str())
    }

    /// Where the row of this index stands.
    pub fn position(&self, index: usize) -> Position {
        Position { row: index + 1, line: self.lines.get(index).copied() }
    }
}

/// Reads a CSV, TSV, JSONL or Parquet table. Columns of all but the last come as text, so that a label `007` stays `007`.
///
/// # Errors
/// Where the extension is none of them, the file cannot be read as what it names, or two columns have one name.
pub fn read(path: &Path) -> Result<DataFrame, TableError> {
    Ok(raw(path, Wanted::AsTheyAre)?.frame)
}

/// A table with those of its columns that were asked for.
#[derive(Default)]
struct Raw {
    frame: DataFrame,
    /// Of all columns.
    names: Vec<String>,
    /// Of columns that hold neither text nor numbers, where all texts were asked for.
    left_out: Vec<String>,
    height: usize,
    /// Of a text file's rows.
    lines: Vec<u32>,
    /// Keys and what a Parquet file says under them.
    notes: Vec<(String, String)>,
}

/// Which columns of a table are read.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// All, of whatever type.
    AsTheyAre,
    /// Those of these that are there, which must be text or numbers.
    Named(&'a [&'a str]),
    /// All that are text or numbers; these must be.
    Texts(&'a [&'a str]),
}

impl Wanted<'_> {
    /// Whether the column of this name is read, if its type allows.
    fn takes(self, name: &str) -> bool {
        match self {
            Wanted::Named(names) => names.contains(&name),
            Wanted::AsTheyAre | Wanted::Texts(_) => true,
        }
    }

    /// Whether it must be text or numbers.
    fn needs(self, name: &str) -> bool {
        match self {
            Wanted::AsTheyAre => false,
            Wanted::Named(names) | Wanted::Texts(names) => names.contains(&name),
        }
    }
}

fn raw(path: &Path, wanted: Wanted<'_>) -> Result<Raw, TableError> {
    let fail = |error: std::io::Error| Wrong::Reason(error.to_string()).at(path);
    match extension(path).as_str() {
        kind @ ("csv" | "tsv") => {
            let bytes = bounded::read(path, MOST_TEXT).map_err(fail)?;
            let separator = (kind == "tsv").then_some(b'\t');
            of_csv(bytes, separator, wanted).map_err(|wrong| wrong.at(path))
        }
        "parquet" => {
            let file = bounded::open(path).map_err(fail)?;
            of_parquet(file, wanted).map_err(|wrong| wrong.at(path))
        }
        "jsonl" | "ndjson" => {
            let bytes = bounded::read(path, MOST_TEXT).map_err(fail)?;
            of_json_lines(bytes, wanted).map_err(|wrong| wrong.at(path))
        }
        _ => Err(TableError::Format { path: path.to_owned(), expected: ".csv, .tsv, .parquet or .jsonl" }),
    }
}

/// Why bytes are no table.
enum Wrong {
    Reason(String),
    Twice(String),
    Kind { column: String, found: String },
}

impl Wrong {
    fn at(self, path: &Path) -> TableError {
        let path = path.to_owned();
        match self {
            Wrong::Reason(reason) => TableError::Read { path, reason },
            Wrong::Twice(column) => TableError::TwoColumns { path, column },
            Wrong::Kind { column, found } => TableError::ColumnType { path, column, found },
        }
    }
}

fn of_csv(bytes: Vec<u8>, separator: Option<u8>, wanted: Wanted<'_>) -> Result<Raw, Wrong> {
    let text = text(bytes).map_err(Wrong::Reason)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let csv = csv::read(text, separator, |name| wanted.takes(name));
    let csv::Csv { names, columns, lines } = csv.map_err(Wrong::Reason)?;
    let names = distinct(names)?;
    let polars = |error: PolarsError| Wrong::Reason(first_line(&error));
    let mut columns: Vec<Column> = columns.into_iter().map(IntoColumn::into_column).collect();
    if !matches!(wanted, Wanted::Named(_)) {
        for (column, name) in columns.iter_mut().zip(&names) {
            column.rename(name.as_str().into());
        }
    }
    let frame = DataFrame::new(lines.len(), columns).map_err(polars)?;
    Ok(Raw { frame, names, height: lines.len(), lines, ..Raw::default() })
}

fn of_json_lines(bytes: Vec<u8>, wanted: Wanted<'_>) -> Result<Raw, Wrong> {
    let text = text(bytes).map_err(Wrong::Reason)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let read = json_lines::read(text, |name| wanted.takes(name)).map_err(Wrong::Reason)?;
    let (mut columns, mut left_out) = (Vec::new(), Vec::new());
    for json_lines::JsonColumn { texts, is_plain } in read.columns {
        let name = texts.name().to_string();
        match is_plain {
            true => columns.push(texts.into_column()),
            false if wanted.needs(&name) => {
                let (column, found) =
                    (brief::shortened(&name).into_owned(), "objects or lists of them".to_owned());
                return Err(Wrong::Kind { column, found });
            }
            false => left_out.push(name),
        }
    }
    let (names, lines) = (read.names, read.lines);
    let frame = DataFrame::new(lines.len(), columns).map_err(|error| Wrong::Reason(first_line(&error)))?;
    Ok(Raw { frame, names, left_out, height: lines.len(), lines, ..Raw::default() })
}

/// UTF-8 without zero bytes.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    // Without a mark, every other byte of plain text is 0.
    if bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(4).any(|&b| b == 0)
    {
        return Err("it is UTF-16, not UTF-8; save it as UTF-8".to_owned());
    }
    let line = |before: &[u8]| csv::line_ends(before) + 1;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        format!("line {line} is not UTF-8; save the file as UTF-8")
    })?;
    match text.find('\0') {
        None => Ok(text),
        Some(at) => {
            Err(format!("line {} holds a zero byte, which no text does", line(&text.as_bytes()[..at])))
        }
    }
}

fn of_parquet(file: File, wanted: Wanted<'_>) -> Result<Raw, Wrong> {
    let map = MappedFile::of(&file).map_err(|error| Wrong::Reason(error.to_string()))?;
    let metadata = parquet::metadata(&map).map_err(Wrong::Reason)?;
    let fields: Vec<String> =
        metadata.schema_descr.fields().iter().map(|field| field.name().to_owned()).collect();
    let height = metadata.num_rows;
    let notes = metadata.key_value_metadata.iter().flatten();
    let notes = notes.filter_map(|note| Some((note.key.clone(), note.value.clone()?))).collect();
    let mut reader = ParquetReader::new(file);
    reader.set_metadata(Arc::new(metadata));
    let names = distinct(fields.iter().map(|name| name.trim().to_owned()).collect())?;
    if let Wanted::AsTheyAre = wanted {
        let mut frame = guarded(|| reader.finish()).map_err(Wrong::Reason)?;
        frame.set_column_names(&names).map_err(|error| Wrong::Reason(first_line(&error)))?;
        return Ok(Raw { frame, names, height, notes, ..Raw::default() });
    }
    let schema = guarded(|| reader.schema()).map_err(Wrong::Reason)?;
    let mut left_out = Vec::new();
    let mut taken = Vec::new();
    for (field, name) in fields.into_iter().zip(&names).filter(|(field, _)| wanted.takes(field.trim())) {
        let dtype = schema.get(&field).map(|field| &field.dtype).filter(|dtype| !is_plain(dtype));
        if let Some(dtype) = dtype {
            if !wanted.needs(field.trim()) {
                left_out.push(name.clone());
                continue;
            }
            let (column, found) = (
                brief::shortened(field.trim()).into_owned(),
                brief::cut(&format!("{dtype:?}"), 60).into_owned(),
            );
            return Err(Wrong::Kind { column, found });
        }
        taken.push((field, name.clone()));
    }
    // What is packed says how many cells it has, not how large they are.
    let cells = height.saturating_mul(taken.len());
    sparse::check(height, taken.len(), cells).map_err(Wrong::Reason)?;
    if taken.is_empty() {
        return Ok(Raw { names, left_out, height, notes, ..Raw::default() });
    }
    let (fields, own): (Vec<String>, Vec<String>) = taken.into_iter().unzip();
    let mut frame = guarded(|| reader.with_columns(Some(fields)).finish()).map_err(Wrong::Reason)?;
    frame.set_column_names(&own).map_err(|error| Wrong::Reason(first_line(&error)))?;
    Ok(Raw { frame, names, left_out, height, notes, ..Raw::default() })
}

/// Whether a column is text or numbers, of a kind that is compiled in.
fn is_plain(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as Type;
    match dtype {
        Type::Dictionary(_, of, _) => is_plain(of),
        Type::Null | Type::Boolean | Type::Float32 | Type::Float64 => true,
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => true,
        Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64 => true,
        Type::Utf8 | Type::LargeUtf8 | Type::Utf8View => true,
        _ => false,
    }
}

/// These names of columns, each once.
fn distinct(mut names: Vec<String>) -> Result<Vec<String>, Wrong> {
    let mut seen = BTreeSet::new();
    for (at, name) in names.iter_mut().enumerate() {
        // Spreadsheets leave columns without a name, or several.
        if name.is_empty() && at > 0 {
            *name = format!("column {}", at + 1);
        }
        if !seen.insert(name.clone()) {
            return Err(Wrong::Twice(brief::shortened(name).into_owned()));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
