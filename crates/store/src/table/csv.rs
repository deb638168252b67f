//! CSV as people write it, strictly: what could be read in two ways is refused, with its line.
//!
//! Columns are separated by commas, or by semicolons or tabs where the header has no comma. In TSV they are separated by tabs.
//! Lines end as Unix, Windows or old Macs end them. A cell that begins with `"`, spaces apart, ends with the next `"` that is not doubled; anywhere else a
//! `"` is a letter, as for pandas. Lines that hold nothing but separators are left out. Short rows end in empty cells.

use super::sparse;
use polars::prelude::*;
use std::borrow::Cow;

/// Some columns of a CSV file, as text.
pub(super) struct Csv {
    /// Of all columns, without spaces around them.
    pub(super) names: Vec<String>,
    /// The columns that were asked for; an empty cell is null.
    pub(super) columns: Vec<StringChunked>,
    /// The line that each row begins in, from 1.
    pub(super) lines: Vec<u32>,
}

/// The columns of `text` that `is_wanted` by their names. Without a `separator` the header tells which it is.
///
/// # Errors
/// The reason why it is no table.
pub(super) fn read(
    text: &str,
    separator: Option<u8>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Csv, String> {
    let separator = separator.unwrap_or_else(|| self::separator(text));
    let mut cursor = Cursor::new(text, separator);
    let mut cells = Vec::new();
    let Some(header) = cursor.row(&mut cells)? else { return Err("it is empty".to_owned()) };
    let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
    let wanted = names.iter().enumerate().filter(|(_, name)| is_wanted(name));
    let mut columns: Vec<(usize, StringChunkedBuilder)> =
        wanted.map(|(at, name)| (at, StringChunkedBuilder::new(name.as_str().into(), 0))).collect();
    let (mut lines, mut said) = (Vec::new(), 0);
    while let Some(line) = cursor.row(&mut cells)? {
        if cells.iter().skip(names.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "line {line} has {} cells, but the header in line {header} has {}; put a cell that holds `{}` between \
                 quotes, and nothing above the header",
                cells.len(),
                names.len(),
                if separator == b'\t' { "\\t".to_owned() } else { char::from(separator).to_string() },
            ));
        }
        for (at, column) in &mut columns {
            column.append_option(cells.get(*at).filter(|cell| !cell.is_empty()));
        }
        lines.push(line);
        said += cells.len();
        sparse::check(lines.len(), names.len(), said)?;
    }
    let columns = columns.into_iter().map(|(_, column)| column.finish()).collect();
    Ok(Csv { names, columns, lines })
}

/// The names of all columns; none where it is no table.
pub(super) fn header(text: &str) -> Option<Vec<String>> {
    let mut cursor = Cursor::new(text, separator(text));
    let mut cells = Vec::new();
    cursor.row(&mut cells).ok()??;
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// The one that the first line with anything in it has.
fn separator(text: &str) -> u8 {
    let header = text.trim_start_matches([' ', '\n', '\r']).split(['\n', '\r']).next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|&sign| header.contains(char::from(sign))).unwrap_or(b',')
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// From 1.
    line: u32,
    /// What lines end with: whether that is `\r` alone.
    ends: Option<bool>,
    separator: u8,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str, separator: u8) -> Cursor<'a> {
        Cursor { text, at: 0, line: 1, ends: None, separator }
    }

    /// The next row that holds anything, and the line it begins in.
    fn row(&mut self, cells: &mut Vec<Cow<'a, str>>) -> Result<Option<u32>, String> {
        while self.at < self.text.len() {
            let line = self.line;
            cells.clear();
            loop {
                cells.push(self.cell()?);
                if self.peek() != Some(self.separator) {
                    break;
                }
                self.at += 1;
            }
            self.end_line()?;
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte != self.separator && (byte == b' ' || byte == b'\t')) {
            self.at += 1;
        }
    }

    /// A cell; what stands after it is a separator, the end of the line, or that of the text.
    fn cell(&mut self) -> Result<Cow<'a, str>, String> {
        let start = self.at;
        self.skip_spaces();
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let rest = &self.text.as_bytes()[start..];
        let end = rest.iter().position(|&byte| byte == self.separator || byte == b'\n' || byte == b'\r');
        self.at = start + end.unwrap_or(rest.len());
        Ok(Cow::Borrowed(&self.text[start..self.at]))
    }

    fn quoted(&mut self) -> Result<Cow<'a, str>, String> {
        let line = self.line;
        let start = self.at + 1;
        let mut end = start;
        let mut doubled = false;
        loop {
            let found = self.text[end..].find('"').ok_or_else(|| {
                format!(
                    "line {line} has a quote that opens a cell, and none closes it; close it or remove it"
                )
            })?;
            end += found;
            if !self.text[end + 1..].starts_with('"') {
                break;
            }
            doubled = true;
            end += 2;
        }
        let inner = &self.text[start..end];
        self.line += line_ends(inner.as_bytes());
        self.at = end + 1;
        self.skip_spaces();
        match self.peek() {
            Some(byte) if byte != self.separator && byte != b'\n' && byte != b'\r' => Err(format!(
                "line {line} has a cell between quotes that goes on behind them; write quotes within a cell twice"
            )),
            _ if doubled => Ok(Cow::Owned(inner.replace("\"\"", "\""))),
            _ => Ok(Cow::Borrowed(inner)),
        }
    }

    /// Goes to the next line.
    fn end_line(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at..];
        let bare = rest.starts_with('\r') && !rest.starts_with("\r\n");
        let length = if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) };
        if length > 0 && *self.ends.get_or_insert(bare) != bare {
            return Err(format!(
                "line {} ends in another way than those before: line ends are mixed (\\r and \\n); save it with one \
                 kind",
                self.line
            ));
        }
        self.at += length;
        self.line += 1;
        Ok(())
    }
}

/// How many lines end in a text of these bytes, in whatever way.
pub(super) fn line_ends(bytes: &[u8]) -> u32 {
    let ends = |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    (0..bytes.len()).filter(ends).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and cells of all rows, or the reason.
    fn rows(text: &str) -> Result<Vec<String>, String> {
        let csv = read(text, None, |_| true)?;
        let row = |row: usize| {
            let cells = csv.columns.iter().map(|cells| cells.get(row).unwrap_or("-"));
            format!("{} {}", csv.lines[row], cells.collect::<Vec<_>>().join("|"))
        };
        Ok((0..csv.lines.len()).map(row).collect())
    }

    #[test]
    fn rows_know_their_lines() {
        for (text, expected) in [
            ("a,b\n1,2\n3,4", &["2 1|2", "3 3|4"][..]),
            ("\n \na,b\n\n1,2\n,\n3\n", &["5 1|2", "7 3|-"]),
            ("a,b\r\n1,\"x\r\ny\"\r\n3,4\r\n", &["2 1|x\r\ny", "4 3|4"]),
            ("a,b\r1,\"x\ry\"\r3,4\r", &["2 1|x\ry", "4 3|4"]),
            ("a,b\n1,\"x\r\ny\rz\"\n3,4\n", &["2 1|x\r\ny\rz", "5 3|4"]),
            ("a,b\r\n1,2\n3,4\r\n", &["2 1|2", "3 3|4"]),
            ("a,b\n1,2,\n3,4, ,\n", &["2 1|2", "3 3|4"]),
        ] {
            assert_eq!(rows(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_are_signs_at_the_beginning_of_a_cell_alone() {
        for (cell, expected) in [
            ("5\" disc", "5\" disc"),
            (" \"x\"", "x"),
            ("\"x, y\" ", "x, y"),
            ("\"\"\"x\"\"\"", "\"x\""),
            ("x \"y\"", "x \"y\""),
            ("\"\"", "-"),
        ] {
            assert_eq!(rows(&format!("a,b\n1,{cell}\n")).unwrap(), [format!("2 1|{expected}")]);
        }
        assert_eq!(rows("a\tb\n1\t\"x\ty\"\n\t 2\n").unwrap(), ["2 1|x\ty", "3 -| 2"]);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, expected) in [
            (
                "a,b\n1,2\n3,4,5\n",
                "line 3 has 3 cells, but the header in line 1 has 2; put a cell that holds `,`",
            ),
            ("# mine\na,b\n1,2\n", "line 2 has 2 cells, but the header in line 1 has 1; "),
            (
                "a\tb\n1\t2\t3\n",
                "line 2 has 3 cells, but the header in line 1 has 2; put a cell that holds `\\t`",
            ),
            ("a,b\n\"1,2\n3,4\n", "line 2 has a quote that opens a cell, and none closes it"),
            ("a,b\n\"1,2\n3,\"4\n", "line 2 has a cell between quotes that goes on behind them"),
            ("a,b\n1,\"x\" y\n", "line 2 has a cell between quotes that goes on behind them"),
            ("a,b\r1,2\n3,4\n", "line 2 ends in another way than those before: line ends are mixed"),
            ("a,b\n1,x\ry\n", "line 2 ends in another way than those before: line ends are mixed"),
            ("\n \n", "it is empty"),
        ] {
            let reason = rows(text).unwrap_err();
            assert!(reason.starts_with(expected), "{reason}");
        }
    }
}
