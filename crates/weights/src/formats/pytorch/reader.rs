//! The bytes of a pickle, one after the other.

use super::{limits, values::Span};

/// What is left of a pickle. Each method fails where the pickle ends before what it reads.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// bytes: at most [`limits::PICKLE`] of them.
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let found = self.bytes[self.at..].first_chunk().copied();
        self.at += N;
        found.ok_or_else(|| self.cut())
    }

    pub(super) fn short_length(&mut self) -> Result<usize, String> {
        self.byte().map(usize::from)
    }

    pub(super) fn length(&mut self) -> Result<usize, String> {
        let length = self.array().map(u32::from_le_bytes)?;
        usize::try_from(length).map_err(|_| self.cut())
    }

    pub(super) fn long_length(&mut self) -> Result<usize, String> {
        let length = self.array().map(u64::from_le_bytes)?;
        usize::try_from(length).map_err(|_| self.cut())
    }

    /// The next bytes, which must be there.
    pub(super) fn remaining(&self, length: usize) -> Result<&'a [u8], String> {
        self.bytes[self.at..].get(..length).ok_or_else(|| self.cut())
    }

    pub(super) fn span(&mut self, length: usize) -> Result<Span, String> {
        self.remaining(length)?;
        // A pickle is short enough for 32 bits.
        let [start, length_32] = [self.at, length].map(u32::try_from);
        self.at += length;
        Ok(Span { start: start.map_err(|_| self.cut())?, length: length_32.map_err(|_| self.cut())? })
    }

    /// Up to a newline.
    pub(super) fn line(&mut self) -> Result<Span, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.cut())?;
        let span = self.span(length)?;
        self.at += 1;
        Ok(span)
    }

    fn cut(&self) -> String {
        if self.bytes.len() == limits::PICKLE {
            return format!("its pickle is longer than {} bytes", limits::PICKLE);
        }
        "its pickle ends in the middle of a step".to_owned()
    }
}
