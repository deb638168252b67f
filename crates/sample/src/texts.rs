//! A data set of texts: a folder of them, tables with a column of them, or the lines of standard input.

use crate::{
    Content, DataSet, DatasetError, Inputs, LABEL, Medium, PackedError, Passed, Skipped, Split, TextError,
    data_set::Found,
    folder,
    rows::{Part, Rows, numbers, said},
    shards,
};
use std::{
    ffi::OsStr,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};
use store::table::{Table, Texts};

/// Longer than any honest input of lines.
const MOST: u64 = 1 << 30;
/// The extensions of tables, and the format that each is of.
const TABLES: [(&str, &str); 5] =
    [("csv", "csv"), ("tsv", "tsv"), ("jsonl", "jsonl"), ("ndjson", "jsonl"), ("parquet", "parquet")];
/// Columns that hold the texts where none is named: the first that is there does.
const COLUMNS: [&str; 2] = ["text", "sentence"];
/// Columns that name rows: the first that is there does.
const NAMING: [&str; 2] = ["id", "path"];
/// Between the texts of a pair.
const BETWEEN: &str = "\0";
/// Why a row or a line is left out.
const NO_TEXT: &str = "no text";
const HOLDS_NUL: &str = "its text holds the character U+0000, which stands between the texts of a pair";
const NOT_UTF8: &str = "it is not UTF-8";

/// The columns of a table that hold texts.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextColumns<'a> {
    /// The column of the texts. Without it, `text` is taken, or else `sentence`.
    pub first: Option<&'a str>,
    /// The column of the second texts, where each sample is a pair.
    pub second: Option<&'a str>,
}

/// Lists the texts that a command line names.
///
/// # Errors
/// Where that is no data set of texts.
pub(crate) fn open(inputs: &Inputs<'_>, columns: TextColumns<'_>) -> Result<DataSet, DatasetError> {
    let name = Inputs::name(inputs.paths);
    // A flag that would do nothing is a mistake.
    let no_table = || match (columns.first, columns.second) {
        (None, None) => Ok(()),
        _ => Err(TextError::NoTable(name.clone())),
    };
    if inputs.bare
        && let Some(set) = inputs.one_by_one(Medium::Text, |folder| tables_in(folder).is_some())?
    {
        no_table()?;
        return Ok(set);
    }
    let no_root = || match inputs.root {
        None => Ok(()),
        Some(_) => Err(PackedError::RootOfShards(name.clone())),
    };
    if Inputs::are_piped(inputs.paths) {
        no_table()?;
        no_root()?;
        return lines(io::stdin().lock(), &name);
    }
    let mut paths = inputs.expanded()?;
    let mut is_folder = false;
    if let [path] = &paths[..] {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => match tables_in(path) {
                Some(tables) => (paths, is_folder) = (tables, true),
                None => {
                    no_table()?;
                    let open = if inputs.bare { folder::open_any } else { folder::open };
                    return open(path, Medium::Text);
                }
            },
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(TextError::Missing(path.clone()).into());
            }
            Err(source) => return Err(DatasetError::Unreadable { path: path.clone(), source }),
        }
    }
    if let Some(path) = paths.iter().find(|path| format(path).is_none()) {
        return Err(TextError::NotTexts(path.clone()).into());
    }
    no_root()?;
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    // One file that is called `train.csv` may be all there is.
    let splits = if is_folder || paths.len() > 1 { shards::splits(&paths) } else { None };
    let mut rows = Rows::new(!inputs.bare);
    let mut first = columns.first.map(str::to_owned);
    for (at, (path, name)) in paths.iter().zip(shards::names(&paths)).enumerate() {
        let split = splits.as_ref().map(|splits| splits[at]);
        let found = take(&mut rows, path, &name, split, TextColumns { first: first.as_deref(), ..columns })?;
        // All tables have theirs in the same column.
        first = found.or(first);
    }
    rows.finish(&name)
}

/// Takes the rows of a table, and gives the column of its texts; none where it has no rows.
fn take(
    rows: &mut Rows,
    path: &Path,
    name: &str,
    split: Option<Split>,
    columns: TextColumns<'_>,
) -> Result<Option<String>, DatasetError> {
    let wanted = columns.first.map_or(COLUMNS.to_vec(), |first| vec![first]);
    let table = Table::open_all(path, &[&wanted[..], columns.second.as_slice(), &[LABEL, "split"]].concat())?;
    // Without rows, JSON has no columns.
    if table.height() == 0 && table.names().is_empty() {
        return Ok(None);
    }
    let missing = |column: &str| {
        let (path, found) = (path.to_owned(), table.names().to_vec());
        TextError::NoColumn { path, column: format!("`{column}`"), found }
    };
    let first = wanted.iter().copied().find(|column| table.texts(column).is_some());
    let first = first.ok_or_else(|| missing(&wanted.join("` or `")))?;
    let own: Vec<&str> = [first].into_iter().chain(columns.second).collect();
    let texts = own.iter().map(|column| table.texts(column).ok_or_else(|| missing(column)));
    let texts: Vec<&Texts> = texts.collect::<Result<_, _>>()?;
    rows.take(Part {
        path,
        name,
        table: &table,
        contents: (0..table.height()).map(|row| content(&texts, row)).collect(),
        names: NAMING.iter().find_map(|column| said(&table, column)),
        split,
        own: &[&own[..], &NAMING].concat(),
    })?;
    Ok(Some(first.to_owned()))
}

/// The text of a row, or two with U+0000 between them.
fn content(columns: &[&Texts], row: usize) -> Result<Content, &'static str> {
    let texts: Vec<&str> =
        columns.iter().map(|texts| texts.whole(row)).collect::<Option<_>>().ok_or(NO_TEXT)?;
    match texts.iter().any(|text| text.contains(BETWEEN)) {
        true => Err(HOLDS_NUL),
        false => Ok(Content::Text(texts.join(BETWEEN).into())),
    }
}

/// The format of a table by its name.
fn format(path: &Path) -> Option<&'static str> {
    let extension = path.extension().and_then(OsStr::to_str)?;
    let known = TABLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    known.map(|(_, format)| *format)
}

/// The tables in a folder that holds some, and no texts in files of their own.
fn tables_in(folder: &Path) -> Option<Vec<PathBuf>> {
    let tables = shards::within(folder, format, |_| false)?;
    let are_splits = || shards::splits(&tables.iter().map(PathBuf::as_path).collect::<Vec<_>>()).is_some();
    // Beside `train.csv`, `readme.txt` is no sample.
    let are_alone = || shards::within(folder, format, |name| Medium::Text.is_named(name)).is_some();
    (are_splits() || are_alone()).then_some(tables)
}

/// Reads texts, one a line. Ids are numbers of lines.
fn lines(input: impl Read, name: &Path) -> Result<DataSet, DatasetError> {
    let mut bytes = Vec::new();
    let unreadable = |source| DatasetError::Unreadable { path: name.to_owned(), source };
    input.take(MOST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(TextError::LongInput { most: MOST }.into());
    }
    if store::is_gzip(&bytes) || store::tar::is_tar(&bytes) {
        return Err(TextError::PackedLines.into());
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let count = lines.clone().count();
    let (mut found, mut skipped, mut passed) = (Vec::new(), Vec::new(), Passed::default());
    for (line, id) in lines.zip(numbers("-", count)) {
        match std::str::from_utf8(line) {
            Ok("") => passed.add("empty line"),
            Ok(text) if text.contains(BETWEEN) => skipped.push(Skipped { id, reason: HOLDS_NUL.to_owned() }),
            Ok(text) => found.push(Found { id, content: Content::Text(text.into()), split: None, row: 0 }),
            Err(_) => skipped.push(Skipped { id, reason: NOT_UTF8.to_owned() }),
        }
    }
    if found.is_empty() {
        return Err(TextError::NoLines { skipped: skipped.len() }.into());
    }
    let columns = None::<(&str, fn(usize) -> &'static str)>;
    Ok(DataSet { skipped, passed, ..DataSet::assemble(found, columns) })
}

#[cfg(test)]
mod tests;
