//! JSON Lines: an object a line, whose keys are columns.
//!
//! Texts, numbers and truth values are cells. A list of them is a cell of its texts with `|` between them, as labels are
//! listed in CSV. A column with anything else in it is no text: objects, lists in lists.

use super::sparse;
use crate::brief;
use polars::prelude::*;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{collections::HashMap, fmt};

/// A key a line would make a table of a few lines without end.
const MOST_COLUMNS: usize = 1_000;

/// What stands between the texts of a list.
const BETWEEN: &str = "|";

/// Columns as text.
pub(super) struct JsonLines {
    /// Of all columns, as their first lines have them, without spaces around them.
    pub(super) names: Vec<String>,
    /// The columns that were asked for; what is null, an empty list or not there is null.
    pub(super) columns: Vec<JsonColumn>,
    /// The line of each row, from 1.
    pub(super) lines: Vec<u32>,
}

pub(super) struct JsonColumn {
    pub(super) texts: StringChunked,
    /// Whether all of it is text.
    pub(super) is_plain: bool,
}

struct Growing {
    texts: StringChunkedBuilder,
    /// Rows that it has.
    rows: usize,
    is_plain: bool,
}

/// The columns of `text` that `is_wanted` by their names.
///
/// # Errors
/// The reason why it is no table.
pub(super) fn read(text: &str, is_wanted: impl Fn(&str) -> bool) -> Result<JsonLines, String> {
    let (mut names, mut places) = (Vec::new(), HashMap::new());
    // In the order of `names`, those that are wanted.
    let mut columns: Vec<Option<Growing>> = Vec::new();
    let (mut lines, mut said) = (Vec::new(), 0);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = at + 1;
        let Object(cells) = serde_json::from_str(line).map_err(|error| wrong(number, &error))?;
        said += cells.len();
        for (key, cell) in cells {
            let name = key.trim();
            let place = match places.get(name) {
                Some(&place) => place,
                None if names.len() == MOST_COLUMNS => {
                    return Err(format!(
                        "line {number} has one more key than the {MOST_COLUMNS} before it; that many columns at most are read"
                    ));
                }
                None => {
                    places.insert(name.to_owned(), names.len());
                    names.push(name.to_owned());
                    let texts = || StringChunkedBuilder::new(name.into(), 0);
                    columns.push(is_wanted(name).then(|| Growing {
                        texts: texts(),
                        rows: 0,
                        is_plain: true,
                    }));
                    names.len() - 1
                }
            };
            let Some(column) = &mut columns[place] else { continue };
            if column.rows > lines.len() {
                let key = brief::shortened(name);
                return Err(format!("line {number} has the key `{key}` twice; keep one of them"));
            }
            column.fill(lines.len());
            column.is_plain &= !matches!(cell, Cell::Other);
            column.texts.append_option(match &cell {
                Cell::Text(text) => Some(text),
                Cell::List(text) => Some(text).filter(|text| !text.is_empty()),
                Cell::Null | Cell::Other => None,
            });
            column.rows += 1;
        }
        lines.push(number as u32);
        sparse::check(lines.len(), names.len(), said)?;
    }
    let columns = columns.into_iter().flatten().map(|mut column| {
        column.fill(lines.len());
        JsonColumn { texts: column.texts.finish(), is_plain: column.is_plain }
    });
    Ok(JsonLines { columns: columns.collect(), names, lines })
}

/// The keys of one object, in their order, and what they say. Each is there once.
///
/// # Errors
/// The reason why it is none.
pub fn object(text: &str) -> Result<Vec<(String, Cell)>, String> {
    let Object(cells) = serde_json::from_str(text)
        .map_err(|error| format!("{}; expected a JSON object", brief::cut(&error.to_string(), 120)))?;
    let mut seen = std::collections::BTreeSet::new();
    match cells.iter().find(|(key, _)| !seen.insert(key.trim())) {
        Some((key, _)) => {
            Err(format!("it has the key `{}` twice; keep one of them", brief::shortened(key.trim())))
        }
        None => Ok(cells),
    }
}

/// What serde says of a line, with its place in the file.
fn wrong(line: usize, error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.rsplit_once(" at line 1 ").map_or(&told[..], |(what, _)| what);
    let column = error.column();
    let place = if column > 0 { format!(", column {column}") } else { String::new() };
    format!("line {line}{place}: {}; expected a JSON object a line", brief::cut(what, 120))
}

impl Growing {
    /// Rows that say nothing.
    fn fill(&mut self, rows: usize) {
        for _ in self.rows..rows {
            self.texts.append_null();
        }
        self.rows = self.rows.max(rows);
    }
}

/// An object's keys and values, in their order.
struct Object(Vec<(String, Cell)>);

/// What a key of an object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A text, a number or a truth value.
    Text(String),
    /// The texts of a list.
    List(String),
    /// What no text says.
    Other,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut cells = Vec::new();
                while let Some(cell) = map.next_entry()? {
                    cells.push(cell);
                }
                Ok(Object(cells))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Cell;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
                Ok(serde_json::Number::from_f64(value)
                    .map_or(Cell::Null, |value| Cell::Text(value.to_string())))
            }

            fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Cell, E> {
                Ok(Cell::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
                let (mut texts, mut is_plain) = (Vec::new(), true);
                while let Some(cell) = list.next_element()? {
                    match cell {
                        Cell::Text(text) if text.contains(BETWEEN) => {
                            return Err(A::Error::custom(
                                "a text of a list holds `|`, which stands between the texts of a list",
                            ));
                        }
                        Cell::Text(text) => texts.push(text),
                        Cell::Null | Cell::List(_) | Cell::Other => is_plain = false,
                    }
                }
                Ok(if is_plain { Cell::List(texts.join(BETWEEN)) } else { Cell::Other })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Other)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, then lines and cells of all rows, or the reason.
    fn rows(text: &str) -> Result<Vec<String>, String> {
        let read = read(text, |_| true)?;
        let row = |row: usize| {
            let cells = read.columns.iter().map(|column| column.texts.get(row).unwrap_or("-"));
            format!("{} {}", read.lines[row], cells.collect::<Vec<_>>().join(","))
        };
        let names = read.names.iter().zip(&read.columns);
        let names = names.map(|(name, column)| format!("{name}{}", if column.is_plain { "" } else { "!" }));
        Ok(std::iter::once(names.collect::<Vec<_>>().join(","))
            .chain((0..read.lines.len()).map(row))
            .collect())
    }

    #[test]
    fn keys_are_columns_and_lines_rows() {
        for (text, expected) in [
            ("{\"path\":\"a\"}\n\n{\"path\":\"b\",\"age\":7}\n", &["path,age", "1 a,-", "3 b,7"][..]),
            ("{\"x\":1.50,\" y \":true}\r\n{\"y\":null,\"x\":-2}\r\n", &["x,y", "1 1.5,true", "2 -2,-"]),
            ("{\"l\":[\"cat\",\"dog\"]}\n{\"l\":[]}\n{\"l\":[1,2]}", &["l", "1 cat|dog", "2 -", "3 1|2"]),
            ("{\"o\":{\"a\":[1]}}\n{\"o\":\"x\"}\n{\"n\":[[1]]}", &["o!,n!", "1 -,-", "2 x,-", "3 -,-"]),
            ("{\"t\":\"a\\nb\\u00fc\"}", &["t", "1 a\nbü"]),
            ("{}\n{}", &["", "1 ", "2 "]),
        ] {
            assert_eq!(rows(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let many: String = (0..=MOST_COLUMNS).map(|n| format!("{{\"k{n}\":1}}\n")).collect();
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        let wide: Vec<String> = (0..MOST_COLUMNS).map(|n| format!("\"k{n}\":1")).collect();
        let wide = format!("{{{}}}\n{}", wide.join(","), "{\"k0\":1}\n".repeat(17_500));
        for (text, expected) in [
            (
                "{}\n[1]\n",
                "line 2, column 0: invalid type: sequence, expected an object; expected a JSON object a line",
            ),
            ("{\"a\":1}\n{\"a\":1", "line 2, column 6: EOF while parsing an object"),
            ("{\"a\":1} x", "line 1, column 9: trailing characters"),
            ("\n{\"a\":1,\"a \":2}", "line 2 has the key `a` twice"),
            ("{\"l\":[\"a|b\"]}", "line 1, column 12: a text of a list holds `|`"),
            (&wide, "most of its cells are empty: "),
            (&many, "line 1001 has one more key than the 1000 before it"),
            (&deep, "line 1, column 132: recursion limit exceeded"),
        ] {
            let reason = rows(text).unwrap_err();
            assert!(reason.starts_with(&expected.replace(", column 0", "")), "{reason}");
            assert!(reason.chars().count() < 300, "{reason}");
        }
    }
}
