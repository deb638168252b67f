//! Where the bytes of a sample are.

use std::{io, ops::Range, path::PathBuf, sync::Arc};
use store::{Packed, read_file, table::Cells, too_long};

/// What a sample is: bytes, wherever they lie. Nothing says yet that they can be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of its own.
    File(PathBuf),
    /// A run of bytes in a file that holds many.
    Part {
        /// The file.
        of: Arc<Packed>,
        /// Where they begin and end.
        range: Range<u64>,
    },
    /// A cell of a table.
    Cell {
        /// The column that it is in.
        of: Arc<Cells>,
        /// The row, from 0.
        row: usize,
    },
    /// A text that is there already. U+0000 stands between the two texts of a pair.
    Text(Arc<str>),
}

impl Content {
    /// Its bytes, of which there may be `most`.
    ///
    /// # Errors
    /// Where they cannot be read, or there are more.
    pub fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        match self {
            Content::File(path) => read_file(path, most).map_err(|error| error.source),
            Content::Part { of, range } => of.read(range.clone(), most),
            Content::Cell { of, row } => of.read(*row, most),
            Content::Text(text) if text.len() as u64 > most => Err(too_long(text.len() as u64, most)),
            Content::Text(text) => Ok(text.as_bytes().to_vec()),
        }
    }
}
