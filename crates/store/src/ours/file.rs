//! How a file that one of our tools wrote is told from other people's, before `--force` may replace it.

use crate::{bounded, table::columns};
use std::{io::Read, path::Path};

/// What of a file's beginning is looked at.
const BEGINNING: u64 = 1 << 16;

/// A kind of file that a program writes.
#[derive(Clone, Copy, Debug)]
pub struct Ours {
    /// What it is, such as "a head".
    pub what: &'static str,
    /// How it begins, if it always begins in one of these ways.
    pub begins: &'static [&'static [u8]],
    /// The columns of its tables.
    pub columns: &'static [Columns],
}

/// The columns of one kind of table. A name that ends with `:` stands for all that begin so, `*` for all.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Those that it begins with.
    pub first: &'static [&'static str],
    /// Those that may follow; no others do.
    pub more: &'static [&'static str],
}

impl Ours {
    /// A table with any of these lists of columns.
    pub const fn table(what: &'static str, columns: &'static [Columns]) -> Ours {
        Ours { what, begins: &[], columns }
    }

    /// A file that always begins so; one that begins with a length and then JSON, in that JSON.
    pub const fn file(what: &'static str, begins: &'static [&'static [u8]]) -> Ours {
        Ours { what, begins, columns: &[] }
    }

    /// Whether the file at `path` is of this kind, or holds nothing that could be lost.
    pub fn is(&self, path: &Path) -> bool {
        let Some(beginning) = beginning(path) else { return false };
        let begins =
            self.begins.iter().any(|how| beginning.starts_with(how) || after_length(&beginning, how));
        begins || beginning.is_empty() || self.is_table(path)
    }

    fn is_table(&self, path: &Path) -> bool {
        let Some(found) = (!self.columns.is_empty()).then(|| columns(path)).flatten() else { return false };
        found.is_empty() || self.columns.iter().any(|columns| columns.are(&found))
    }
}

impl Columns {
    fn are(&self, found: &[String]) -> bool {
        let Some((first, more)) = found.split_at_checked(self.first.len()) else { return false };
        self.first.iter().zip(first).all(|(name, found)| same(name, found))
            && more.iter().all(|found| self.more.iter().any(|name| same(name, found)))
    }
}

/// safetensors begin with eight bytes of length.
fn after_length(beginning: &[u8], how: &[u8]) -> bool {
    how.starts_with(b"{") && beginning.get(8..).is_some_and(|rest| rest.starts_with(how))
}

fn same(name: &str, found: &str) -> bool {
    name == "*" || if name.ends_with(':') { found.starts_with(name) } else { found == name }
}

fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bounded::open(path).ok()?.take(BEGINNING).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What a file is, as far as its beginning tells, for the line that refuses to replace it.
pub(crate) fn describe(path: &Path) -> &'static str {
    let Some(beginning) = beginning(path) else { return "no regular file that can be read" };
    let known: [(&[u8], &str); 10] = [
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG", "a PNG picture"),
        (b"GIF8", "a GIF picture"),
        (b"RIFF", "a WebP picture"),
        (b"PAR1", "another Parquet table"),
        (b"ARROW1", "another Arrow table"),
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
