//! NumPy's `.npy` (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use super::{mapped::Mapped, number::Number};
use crate::{MappedFile, brief};
use std::path::Path;

/// Longer than any header of an array without fields.
const MOST_HEADER: usize = 1 << 16;
/// Magic, version 1.0 and length.
const PREFIX: usize = 10;

/// What the header says.
struct Header {
    /// As in `<f4`.
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
    /// Where the data begins.
    end: usize,
}

/// The matrix of an `.npy` file.
pub(super) fn open(map: MappedFile) -> Result<Mapped, String> {
    let header = read(&map)?;
    let shape = match header.shape[..] {
        [rows, dim] => (rows, dim),
        [length] => {
            return Err(format!(
                "it holds {length} numbers in a row; expected rows and columns, as of X.reshape(n, -1)"
            ));
        }
        _ => {
            let shape = &header.shape;
            return Err(format!(
                "it has the shape {shape:?}; expected two sides, as of X.reshape(len(X), -1)"
            ));
        }
    };
    let (number, big_endian) = number(&header.descr)?;
    let end = map.len();
    Ok(Mapped::new(map, header.end..end, number, shape)?.laid(big_endian, header.fortran))
}

/// The texts of a vector, (n,): strings, or numbers as text.
///
/// # Errors
/// Where the file at `path` is no such vector.
pub fn texts(path: &Path) -> Result<Vec<String>, super::MatrixError> {
    let map = MappedFile::open(path)?;
    let of = |map: &MappedFile| -> Result<Vec<String>, String> {
        let header = read(map)?;
        let ([n] | [n, 1]) = header.shape[..] else {
            return Err(format!(
                "it has the shape {:?}; expected one text or number for each row",
                header.shape
            ));
        };
        let (order, kind) = header.descr.split_at_checked(1).unwrap_or_default();
        let size = match kind.split_at_checked(1) {
            Some(("U", length)) => length.parse().ok().and_then(|length: usize| length.checked_mul(4)),
            Some(("S", length)) => length.parse().ok(),
            _ => Some(number(&header.descr)?.0.size()),
        };
        let size = size.filter(|size| *size > 0).ok_or_else(|| format!("it holds texts of `{kind}`"))?;
        let data = &map[header.end..];
        if Some(data.len()) != n.checked_mul(size) {
            return Err(format!(
                "its header says {n} values of {size} bytes; {} bytes are there",
                data.len()
            ));
        }
        let each = data.chunks_exact(size);
        match &kind[..1] {
            "U" => each.map(|bytes| unicode(bytes, order == ">")).collect(),
            "S" => each.map(latin).collect(),
            _ => numbers(&header.descr, data),
        }
    };
    of(&map).map_err(|reason| super::MatrixError::Malformed { path: path.to_owned(), reason })
}

/// Magic, version 1.0, length, and a Python dictionary padded with spaces so that the data is aligned to 64 bytes: of an
/// (`rows`, `dim`) matrix of f32, what `numpy.save` writes.
pub fn header(rows: usize, dim: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}");
    let length = (PREFIX + dictionary.len() + 1).next_multiple_of(64) - PREFIX;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((length as u16).to_le_bytes());
    header.extend(dictionary.as_bytes());
    header.resize(PREFIX + length - 1, b' ');
    header.push(b'\n');
    header
}

fn read(bytes: &[u8]) -> Result<Header, String> {
    let damaged = || "its header is damaged".to_owned();
    let Some([b'\x93', b'N', b'U', b'M', b'P', b'Y', major, _]) = bytes.first_chunk::<8>() else {
        return Err("it is no .npy file".to_owned());
    };
    let rest = &bytes[8..];
    let (length, start) = match major {
        1 => (rest.first_chunk::<2>().map(|length| usize::from(u16::from_le_bytes(*length))), 10),
        2 | 3 => (rest.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize), 12),
        _ => return Err(format!("it is of version {major} of .npy, 3 at most is read")),
    };
    let length = length.filter(|length| *length <= MOST_HEADER).ok_or_else(damaged)?;
    let text = bytes.get(start..start + length).ok_or_else(damaged)?;
    let text = std::str::from_utf8(text).map_err(|_| damaged())?;
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut parser = Parser(text.trim());
    parser.token("{")?;
    while !parser.takes("}") {
        let key = parser.text()?;
        parser.token(":")?;
        match key {
            "descr" => descr = Some(parser.text()?.to_owned()),
            "fortran_order" => fortran = Some(parser.truth()?),
            "shape" => shape = Some(parser.shape()?),
            other => return Err(format!("its header has the field `{}`", brief::shortened(other))),
        }
        if !parser.takes(",") {
            parser.token("}")?;
            break;
        }
    }
    match (descr, fortran, shape) {
        (Some(descr), Some(fortran), Some(shape)) if parser.0.is_empty() => {
            Ok(Header { descr, fortran, shape, end: start + length })
        }
        _ => Err(damaged()),
    }
}

/// What is left of a header.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    fn takes(&mut self, token: &str) -> bool {
        let rest = self.0.strip_prefix(token).map(str::trim_start);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err("its header is damaged".to_owned()) }
    }

    /// A text between quotes.
    fn text(&mut self) -> Result<&'a str, String> {
        if self.0.starts_with('[') {
            return Err("its numbers have names and types of their own; expected one type for all".to_owned());
        }
        let quote = self.0.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let found = quote.and_then(|quote| self.0[1..].split_once(quote));
        let (text, rest) = found.ok_or_else(|| "its header is damaged".to_owned())?;
        self.0 = rest.trim_start();
        Ok(text)
    }

    fn truth(&mut self) -> Result<bool, String> {
        if self.takes("True") {
            return Ok(true);
        }
        self.token("False").map(|()| false)
    }

    /// `(850, 256)`, `(5,)`, `()`
    fn shape(&mut self) -> Result<Vec<usize>, String> {
        self.token("(")?;
        let mut sides = Vec::new();
        while !self.takes(")") {
            let digits = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
            let (side, rest) = self.0.split_at(digits);
            sides.push(side.parse().map_err(|_| "its header is damaged".to_owned())?);
            // Python 2 wrote `850L`.
            self.0 = rest.trim_start_matches('L').trim_start();
            if sides.len() > 32 || !(self.takes(",") || self.0.starts_with(')')) {
                return Err("its header is damaged".to_owned());
            }
        }
        Ok(sides)
    }
}

/// The type that a `descr` such as `<f4` names, and whether its bytes begin with the most significant.
fn number(descr: &str) -> Result<(Number, bool), String> {
    let (order, kind) = descr.split_at_checked(1).unwrap_or_default();
    let number = match kind {
        "f2" => Number::F16,
        "f4" => Number::F32,
        "f8" => Number::F64,
        "b1" => Number::Bool,
        "i1" => Number::I8,
        "i2" => Number::I16,
        "i4" => Number::I32,
        "i8" => Number::I64,
        "u1" => Number::U8,
        "u2" => Number::U16,
        "u4" => Number::U32,
        "u8" => Number::U64,
        "O" => {
            return Err(
                "it holds Python objects, which are never loaded; save an array of numbers".to_owned()
            );
        }
        _ => {
            let descr = brief::shortened(descr);
            return Err(format!(
                "it holds values of the type `{descr}`; expected numbers, as of X.astype(\"f4\")"
            ));
        }
    };
    match order {
        "<" | "|" | "=" => Ok((number, false)),
        ">" => Ok((number, true)),
        _ => Err("its header is damaged".to_owned()),
    }
}

/// UTF-32 that ends with zeros.
fn unicode(bytes: &[u8], big_endian: bool) -> Result<String, String> {
    let (words, _) = bytes.as_chunks::<4>();
    let words = words
        .iter()
        .map(|&word| if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) });
    let text: Option<String> = words.map(char::from_u32).collect();
    text.map(|text| text.trim_end_matches('\0').to_owned())
        .ok_or_else(|| "it holds texts that are none".to_owned())
}

/// Bytes that end with zeros.
fn latin(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it holds texts that are not UTF-8".to_owned())?;
    Ok(text.trim_end_matches('\0').to_owned())
}

/// Numbers as Rust says them, whole ones in full.
fn numbers(descr: &str, data: &[u8]) -> Result<Vec<String>, String> {
    let (number, big_endian) = number(descr)?;
    macro_rules! texts {
        ($size:literal, $of:ty) => {
            data.as_chunks::<$size>()
                .0
                .iter()
                .map(
                    |&bytes| {
                        if big_endian { <$of>::from_be_bytes(bytes) } else { <$of>::from_le_bytes(bytes) }
                    },
                )
                .map(|value| value.to_string())
                .collect()
        };
    }
    Ok(match number {
        Number::F64 => texts!(8, f64),
        Number::I64 => texts!(8, i64),
        Number::U64 => texts!(8, u64),
        Number::I32 => texts!(4, i32),
        Number::U32 => texts!(4, u32),
        Number::Bool => data.iter().map(|&byte| (byte != 0).to_string()).collect(),
        // All of these are f32s.
        small => {
            let mut values = Vec::new();
            small.extend(data, big_endian, &mut values);
            values.iter().map(ToString::to_string).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn the_header_is_what_numpy_writes() {
        // numpy 2: the bytes of numpy.save of a (850, 256) float32 array up to its data.
        let header = header(850, 256);
        assert_eq!(header.len(), 128);
        assert_eq!(&header[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(
            header[10..].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (850, 256), }   ")
        );
        assert_eq!(header.last(), Some(&b'\n'));
    }
}
