//! The names of a table's columns, without its rows.

use super::{csv, guard::guarded};
use crate::bounded;
use polars_io::prelude::{ParquetReader, SerReader as _};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::{
    fmt,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

/// Longer than any header that we write: names of a hundred thousand classes.
const MOST_HEADER: u64 = 16 << 20;

/// The names of the columns of a CSV, Parquet, Arrow or JSON table (an array of objects), by its content; `None` where it is none
/// of them. A JSON array without rows has no columns.
pub(crate) fn columns(path: &Path) -> Option<Vec<String>> {
    let file = bounded::open(path).ok()?;
    let mut file = BufReader::new(file);
    let begin = file.fill_buf().ok()?;
    if begin == b"[]" {
        return Some(Vec::new());
    }
    if begin.starts_with(b"PAR1") {
        let mut reader = ParquetReader::new(bounded::open(path).ok()?);
        let schema = guarded(|| reader.schema()).ok()?;
        return Some(schema.iter_names().map(ToString::to_string).collect());
    }
    if begin.starts_with(b"ARROW1") {
        return crate::matrix::arrow_names(path);
    }
    if begin.starts_with(b"[") {
        file.consume(1);
        let objects = serde_json::Deserializer::from_reader(file.take(MOST_HEADER)).into_iter::<Keys>();
        return objects.into_iter().next()?.ok().map(|Keys(keys)| keys).filter(|keys| !keys.is_empty());
    }
    let mut beginning = Vec::new();
    file.take(MOST_HEADER).read_to_end(&mut beginning).ok()?;
    csv::header(&String::from_utf8_lossy(&beginning))
}

/// An object's keys, in their order.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Ours, Place,
        table::{TableFormat, write_at},
    };
    use polars::prelude::df;

    #[test]
    fn every_format_tells_its_columns_and_nothing_of_its_rows() {
        let root = tempfile::tempdir().unwrap();
        for format in [TableFormat::Csv, TableFormat::Json, TableFormat::Parquet] {
            let place = Place::file(&root.path().join("t"), true, Ours::table("t", &[])).unwrap();
            let mut frame = df!("l2,\n\"x\"" => [1.5, 2.5], "name" => ["vol2", "l2"]).unwrap();
            write_at(&mut frame, format, &place).unwrap();
            assert_eq!(columns(place.temporary()).unwrap(), ["l2,\n\"x\"", "name"], "{format:?}");
        }
        for (text, expected) in [
            ("[]", Some(vec![])),
            ("[1]", None),
            ("[{},1]", None),
            ("PAR1xx", None),
            ("a;b", Some(vec!["a", "b"])),
        ] {
            let path = root.path().join("u");
            std::fs::write(&path, text).unwrap();
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(columns(&path), expected, "{text}");
        }
    }
}
