//! How a file that one of our tools wrote is told from other people's, before `--force` may replace it.

use crate::input;
use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// What of a file's beginning is looked at.
const BEGINNING: u64 = 1 << 16;
/// The longest end of a Parquet file that is looked at: where its columns' names stand.
const MOST_FOOTER: u64 = 16 << 20;

/// A kind of file that a program writes.
#[derive(Clone, Copy, Debug)]
pub struct Ours {
    /// What it is, such as "a head".
    pub what: &'static str,
    /// How it begins, if it always begins in one of these ways.
    pub begins: &'static [&'static [u8]],
    /// The first columns of tables of this kind; a name that ends with `:` stands for all that begin so.
    pub columns: &'static [&'static [&'static str]],
}

impl Ours {
    /// A table with any of these first columns.
    pub const fn table(what: &'static str, columns: &'static [&'static [&'static str]]) -> Ours {
        Ours { what, begins: &[], columns }
    }

    /// A file that always begins so; one that begins with a length and then JSON, in that JSON.
    pub const fn file(what: &'static str, begins: &'static [&'static [u8]]) -> Ours {
        Ours { what, begins, columns: &[] }
    }

    /// Whether the file at `path` is of this kind, or holds nothing that could be lost.
    pub(crate) fn is(&self, path: &Path) -> bool {
        let Some(beginning) = beginning(path) else { return false };
        let begins =
            self.begins.iter().any(|how| beginning.starts_with(how) || after_length(&beginning, how));
        begins || beginning.is_empty() || self.is_table(path, &beginning)
    }

    fn is_table(&self, path: &Path, beginning: &[u8]) -> bool {
        if self.columns.is_empty() {
            return false;
        }
        if beginning.starts_with(b"PAR1") {
            let footer = footer(path).unwrap_or_default();
            return self
                .columns
                .iter()
                .any(|names| in_order(&footer, names.iter().map(|name| (*name).to_owned())));
        }
        if beginning.starts_with(b"[") {
            let keys = |names: &&[&str]| {
                let first = format!("[{{\"{}", names[0]);
                let quoted = names.iter().map(|name| format!("\"{name}"));
                beginning.starts_with(first.as_bytes()) && in_order(beginning, quoted)
            };
            return beginning == b"[]" || self.columns.iter().any(keys);
        }
        let line = beginning.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let cells: Vec<&[u8]> = line.split(|&byte| byte == b',').collect();
        self.columns.iter().any(|names| {
            names.len() <= cells.len() && names.iter().zip(&cells).all(|(name, cell)| same(name, cell))
        })
    }
}

/// safetensors begin with eight bytes of length.
fn after_length(beginning: &[u8], how: &[u8]) -> bool {
    how.starts_with(b"{") && beginning.get(8..).is_some_and(|rest| rest.starts_with(how))
}

fn same(name: &str, cell: &[u8]) -> bool {
    let cell = cell.strip_suffix(b"\r").unwrap_or(cell);
    if name.ends_with(':') { cell.starts_with(name.as_bytes()) } else { cell == name.as_bytes() }
}

/// Whether all names are there, one after the other.
fn in_order(mut bytes: &[u8], names: impl Iterator<Item = String>) -> bool {
    names.into_iter().all(|name| {
        let at = bytes.windows(name.len()).position(|window| window == name.as_bytes());
        at.inspect(|&at| bytes = &bytes[at + name.len()..]).is_some()
    })
}

fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    input::open(path).ok()?.take(BEGINNING).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The end of a Parquet file: its description, four bytes of length, `PAR1`.
fn footer(path: &Path) -> Option<Vec<u8>> {
    let mut file = input::open(path).ok()?;
    let mut end = [0; 8];
    file.seek(SeekFrom::End(-8)).ok()?;
    file.read_exact(&mut end).ok()?;
    let length = u64::from(u32::from_le_bytes(*end.first_chunk()?));
    if &end[4..] != b"PAR1" || length > MOST_FOOTER {
        return None;
    }
    file.seek(SeekFrom::End(-8 - i64::try_from(length).ok()?)).ok()?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What a file is, as far as its beginning tells, for the line that refuses to replace it.
pub(crate) fn describe(path: &Path) -> &'static str {
    let Some(beginning) = beginning(path) else { return "no regular file that can be read" };
    let known: [(&[u8], &str); 9] = [
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG", "a PNG picture"),
        (b"GIF8", "a GIF picture"),
        (b"RIFF", "a WebP picture"),
        (b"PAR1", "another Parquet table"),
        (b"PK\x03\x04", "an archive"),
        (b"\x93NUMPY", "another NumPy array"),
        (b"<!doctype", "another page"),
        (b"HSFEATS\n", "a shard of features"),
    ];
    match known.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        Some((_, what)) => what,
        None if after_length(&beginning, b"{\"__metadata__\":{\"headstart\"") => "a head",
        None if beginning.get(8..).is_some_and(|rest| rest.starts_with(b"{\"")) => "a file of weights",
        None if beginning.contains(&0) => "another binary file",
        None => "another text or table",
    }
}
