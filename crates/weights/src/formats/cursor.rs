//! A place in a file, from which little-endian numbers are read.

pub(super) struct Cursor<'a> {
    pub(super) file: &'a [u8],
    pub(super) at: usize,
    /// What is said of a file that ends too early.
    pub(super) cut_short: &'static str,
}

impl<'a> Cursor<'a> {
    pub(super) fn u32(&mut self) -> Result<u32, String> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| self.cut_short.to_owned())
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| self.cut_short.to_owned())
    }

    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let taken = end.and_then(|end| self.file.get(self.at..end)).ok_or(self.cut_short)?;
        self.at += taken.len();
        Ok(taken)
    }
}
