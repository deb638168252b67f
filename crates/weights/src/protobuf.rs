//! Protocol buffers, field by field, without a schema and without a copy: what is long stays a range of the file.

use std::ops::Range;

/// A message that ends inside a field, or is no message at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is cut short, or is no protocol buffer")]
pub struct Broken;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// A varint.
    Number(u64),
    /// Four bytes.
    Fixed32([u8; 4]),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A text, bytes, a message or packed numbers: where they lie in the file.
    Bytes(Range<usize>),
}

/// The fields of the message that lies at a range of a file: each with its number, in the file's order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    file: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// The fields of the message at `range`, which the file holds.
    pub fn of(file: &'a [u8], range: Range<usize>) -> Fields<'a> {
        let end = range.end.min(file.len());
        Fields { file, at: range.start.min(end), end }
    }

    fn field(&mut self) -> Result<(u32, Wire), Broken> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0).ok_or(Broken)?;
        let wire = match key & 7 {
            0 => Wire::Number(self.varint()?),
            1 => Wire::Fixed64(self.fixed()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(self.fixed()?),
            _ => return Err(Broken),
        };
        Ok((number, wire))
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let (value, length) = varint(&self.file[self.at..self.end]).ok_or(Broken)?;
        self.at += length;
        Ok(value)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let range = self.take(N)?;
        self.file[range].try_into().map_err(|_| Broken)
    }

    fn take(&mut self, length: usize) -> Result<Range<usize>, Broken> {
        let start = self.at;
        self.at = start.checked_add(length).filter(|end| *end <= self.end).ok_or(Broken)?;
        Ok(start..self.at)
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<(u32, Wire), Broken>;

    /// Nothing comes after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.end;
        }
        Some(field)
    }
}

/// The varint that `bytes` begin with, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7F);
        // The tenth byte has room for one bit.
        if at == 9 && part > 1 {
            return None;
        }
        value |= part << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// The text at a range of a file.
///
/// # Errors
/// Where it is no UTF-8.
pub fn text(file: &[u8], range: Range<usize>) -> Result<&str, Broken> {
    std::str::from_utf8(file.get(range).ok_or(Broken)?).map_err(|_| Broken)
}

/// Appends what a field of whole numbers holds, packed or not; the numbers of a message are at most `most` then.
///
/// # Errors
/// Where it is no such field, or there are more.
pub fn numbers(file: &[u8], wire: Wire, most: usize, to: &mut Vec<i64>) -> Result<(), Broken> {
    let mut push = |value: u64| {
        if to.len() >= most {
            return Err(Broken);
        }
        to.push(value.cast_signed());
        Ok(())
    };
    match wire {
        Wire::Number(value) => push(value),
        Wire::Bytes(range) => {
            let mut rest = file.get(range).ok_or(Broken)?;
            while !rest.is_empty() {
                let (value, length) = varint(rest).ok_or(Broken)?;
                push(value)?;
                rest = &rest[length..];
            }
            Ok(())
        }
        _ => Err(Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_stand() {
        let file = [0x08, 0x96, 0x01, 0x12, 0x02, b'a', b'b', 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let fields: Vec<(u32, Wire)> = Fields::of(&file, 0..file.len()).map(Result::unwrap).collect();
        let expected = [
            (1, Wire::Number(150)),
            (2, Wire::Bytes(5..7)),
            (3, Wire::Fixed32([1, 2, 3, 4])),
            (4, Wire::Fixed64([1, 2, 3, 4, 5, 6, 7, 8])),
        ];
        assert_eq!(fields, expected);
        assert_eq!(text(&file, 5..7), Ok("ab"));
    }

    #[test]
    fn what_is_broken_is_an_error_and_then_nothing() {
        let endless = [0xFF; 11];
        let longer = [0x12, 0x7F, 0];
        let group = [0x0B];
        let zero = [0x00, 0x00];
        let most = [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        for file in [&endless[..], &longer, &group, &zero, &most, &[0x1D, 1, 2]] {
            let fields: Vec<_> = Fields::of(file, 0..file.len()).collect();
            assert_eq!(fields, [Err(Broken)], "{file:?}");
        }
    }

    #[test]
    fn whole_numbers_are_packed_or_not() {
        let file = [1, 0x96, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        let mut got = Vec::new();
        numbers(&file, Wire::Bytes(0..13), 4, &mut got).unwrap();
        numbers(&file, Wire::Number(7), 4, &mut got).unwrap();
        assert_eq!(got, [1, 150, -1, 7]);
        assert_eq!(numbers(&file, Wire::Number(7), 4, &mut got), Err(Broken));
    }
}
