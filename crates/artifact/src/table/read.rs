//! Opening tables that people made.

use super::{TableError, extension, first_line};
use crate::brief;
use polars::prelude::*;
use std::{
    fs,
    fs::File,
    io::{Cursor, Read as _},
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Reads a CSV or Parquet table. Columns of a CSV file all come as text, so that a label `007` stays `007`.
///
/// Names of columns are taken without spaces around them. In a CSV file, lines end as Unix, Windows or old Macs end them;
/// columns are separated by commas, or by semicolons or tabs where the header has no comma; rows that hold nothing are
/// left out, and not counted.
///
/// # Errors
/// Where the extension is neither, the file cannot be read as what it names, or two columns have one name.
pub fn read(path: &Path) -> Result<DataFrame, TableError> {
    let is_csv = match extension(path).as_str() {
        "csv" => true,
        "parquet" => false,
        _ => return Err(TableError::Format { path: path.to_owned(), expected: ".csv or .parquet" }),
    };
    let fail = |reason: String| TableError::Read { path: path.to_owned(), reason };
    // A pipe would be waited for, and a device read without end.
    if !fs::metadata(path).map_err(|error| fail(error.to_string()))?.is_file() {
        return Err(fail("it is not a regular file".to_owned()));
    }
    let mut file = File::open(path).map_err(|error| fail(error.to_string()))?;
    if is_csv {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| fail(error.to_string()))?;
        csv(bytes).map_err(|wrong| wrong.at(path))
    } else {
        let frame = guarded(|| ParquetReader::new(file).finish()).map_err(fail)?;
        let names = frame.get_column_names().into_iter().map(|name| name.trim().to_owned()).collect();
        named(frame, names).map_err(|wrong| wrong.at(path))
    }
}

/// Why bytes are no table.
enum Wrong {
    Reason(String),
    Twice(String),
}

impl Wrong {
    fn at(self, path: &Path) -> TableError {
        let path = path.to_owned();
        match self {
            Wrong::Reason(reason) => TableError::Read { path, reason },
            Wrong::Twice(column) => TableError::TwoColumns { path, column },
        }
    }
}

fn csv(mut bytes: Vec<u8>) -> Result<DataFrame, Wrong> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    // Without a mark, every other byte of plain text is 0.
    if bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.iter().take(4).any(|&b| b == 0)
    {
        return Err(Wrong::Reason("it is UTF-16, not UTF-8; save it as UTF-8".to_owned()));
    }
    let line = |at: usize| bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    if let Err(error) = std::str::from_utf8(&bytes) {
        let line = line(error.valid_up_to());
        return Err(Wrong::Reason(format!("line {line} is not UTF-8; save the file as UTF-8")));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(Wrong::Reason(format!("line {} holds a zero byte, which no text does", line(at))));
    }
    if !bytes.contains(&b'\n') {
        // Old Macs'.
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != b'\t').count();
    bytes.drain(..blank);
    if bytes.is_empty() {
        return Err(Wrong::Reason("it is empty".to_owned()));
    }
    let header = record(&bytes);
    let separator =
        [b',', b';', b'\t'].into_iter().find(|separator| header.contains(separator)).unwrap_or(b',');
    let names = names(header, separator);
    let options = CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .map_parse_options(|options| options.with_separator(separator));
    let frame = guarded(|| options.into_reader_with_file_handle(Cursor::new(&bytes[..])).finish());
    let frame = frame.map_err(Wrong::Reason)?;
    without_blank_rows(named(frame, names)?).map_err(|error| Wrong::Reason(first_line(&error)))
}

/// The first line, whose end is not within quotes.
pub(super) fn record(bytes: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = bytes.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b'\n' && !quoted
    });
    &bytes[..end.unwrap_or(bytes.len())]
}

/// A header's names, without quotes and spaces around them.
pub(super) fn names(header: &[u8], separator: u8) -> Vec<String> {
    let mut quoted = false;
    let fields = header.split(|&byte| {
        quoted ^= byte == b'"';
        byte == separator && !quoted
    });
    fields
        .map(|field| {
            let text = String::from_utf8_lossy(field);
            let text = text.trim();
            let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            bare.map_or_else(|| text.to_owned(), |bare| bare.replace("\"\"", "\"").trim().to_owned())
        })
        .collect()
}

/// The frame with these names of columns, if there is one for each.
fn named(mut frame: DataFrame, names: Vec<String>) -> Result<DataFrame, Wrong> {
    let mut names = names;
    if names.len() != frame.width() {
        // A header that polars splits otherwise.
        names = frame.get_column_names().into_iter().map(|name| name.trim().to_owned()).collect();
    }
    let mut seen = std::collections::BTreeSet::new();
    for (at, name) in names.iter_mut().enumerate() {
        // Spreadsheets leave columns without a name, or several.
        if name.is_empty() && at > 0 {
            *name = format!("column {}", at + 1);
        }
        if !seen.insert(name.clone()) {
            return Err(Wrong::Twice(brief::shortened(name).into_owned()));
        }
    }
    frame.set_column_names(&names).map_err(|error| Wrong::Reason(first_line(&error)))?;
    Ok(frame)
}

/// Without the rows of which every cell is empty.
fn without_blank_rows(frame: DataFrame) -> PolarsResult<DataFrame> {
    let mut holds = vec![false; frame.height()];
    for column in frame.columns() {
        for (holds, cell) in holds.iter_mut().zip(column.str()?.iter()) {
            *holds |= cell.is_some_and(|cell| !cell.trim().is_empty());
        }
    }
    if holds.iter().all(|&holds| holds) {
        return Ok(frame);
    }
    frame.filter(&BooleanChunked::from_slice("holds".into(), &holds))
}

/// Runs one of polars' readers, which panic on some damaged files: that is a damaged file, and no fault of the program.
pub(super) fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    type Hook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync>;
    // The hook is the whole program's, and polars panics on threads of its own: for as long as it reads, nobody tells.
    static ONE: Mutex<()> = Mutex::new(());
    struct Silence(Option<Hook>);
    impl Drop for Silence {
        fn drop(&mut self) {
            if let Some(hook) = self.0.take() {
                panic::set_hook(hook);
            }
        }
    }
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let silence = Silence(Some(panic::take_hook()));
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    drop(silence);
    match result {
        Ok(read) => read.map_err(|error| first_line(&error)),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

#[cfg(test)]
mod tests;
