//! Why something is not a data set of texts.

use std::path::PathBuf;
use store::brief::few;

/// Each message names the place, says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// Neither a folder nor a file.
    #[error(
        "`{0}` does not exist; expected a folder of .txt files, or .csv, .tsv, .jsonl or .parquet tables of texts"
    )]
    Missing(PathBuf),
    /// Something of another kind.
    #[error(
        "`{0}` holds no texts by its name: expected a folder of .txt files, or .csv, .tsv, .jsonl or .parquet tables"
    )]
    NotTexts(PathBuf),
    /// A tar on standard input.
    #[error("standard input is packed; expected texts, one a line")]
    PackedLines,
    /// Columns of what has none.
    #[error("`{0}` is no table; --text-column goes with .csv, .tsv, .jsonl or .parquet tables")]
    NoTable(PathBuf),
    /// A table without the column that it needs.
    #[error(
        "`{path}` has no column {column}; found {}; say which column holds the texts by --text-column",
        if found.is_empty() { "no column".to_owned() } else { few(found) }
    )]
    NoColumn {
        /// The table.
        path: PathBuf,
        /// The column, or those that would do, in words.
        column: String,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// All rows were left out.
    #[error("`{path}` has no row that is a text; all {rows} are left out, the first because: {reason}")]
    AllLeftOut {
        /// The table, or several.
        path: PathBuf,
        /// How many rows there are.
        rows: usize,
        /// Why the first is left out.
        reason: &'static str,
    },
    /// Standard input without a line that is a text.
    #[error(
        "standard input holds no text; expected texts, one a line{}",
        if *skipped == 0 { String::new() } else { format!("; {skipped} are not UTF-8, or hold zero bytes") }
    )]
    NoLines {
        /// Lines that are none.
        skipped: usize,
    },
    /// Standard input that does not end.
    #[error("standard input has more than {most} bytes; give the texts as a table, or in parts")]
    LongInput {
        /// Bytes that it may have.
        most: u64,
    },
}
