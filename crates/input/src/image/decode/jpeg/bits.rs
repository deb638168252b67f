//! A scan's compressed data, bit by bit.

/// Bytes of zeros after the data: as many as a whole MCU could read beyond them, so that running out need only be looked
/// for once an MCU (at most 10 blocks of 64 symbols of 32 bits).
const MARGIN: usize = 10 * 64 * 4 + 8;

/// The data of a scan without what is put between them: stuffed zeros and restart markers.
pub(super) struct Segments {
    bytes: Vec<u8>,
    /// Where each run between two restarts ends.
    ends: Vec<usize>,
}

impl Segments {
    /// Of what follows a scan's header. `None` unless the next marker but restarts, which must be in order, is the end of
    /// the image.
    pub(super) fn new(data: &[u8]) -> Option<Segments> {
        let mut bytes = Vec::with_capacity(data.len() + MARGIN);
        let mut ends = Vec::new();
        let mut at = 0;
        loop {
            while let Some(word) = data.get(at..at + 8)
                && !word.contains(&0xFF)
            {
                bytes.extend_from_slice(word);
                at += 8;
            }
            match (*data.get(at)?, data.get(at + 1)) {
                (0xFF, Some(0)) => {
                    bytes.push(0xFF);
                    at += 2;
                }
                (0xFF, Some(marker @ 0xD0..=0xD7)) => {
                    if usize::from(marker & 7) != ends.len() & 7 {
                        return None;
                    }
                    ends.push(bytes.len());
                    at += 2;
                }
                (0xFF, Some(0xD9)) => break,
                (0xFF, _) => return None,
                (byte, _) => {
                    bytes.push(byte);
                    at += 1;
                }
            }
        }
        ends.push(bytes.len());
        bytes.resize(bytes.len() + MARGIN, 0);
        Some(Segments { bytes, ends })
    }

    /// How many runs there are: one more than restarts.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Run `i`.
    pub(super) fn bits(&self, i: usize) -> Bits<'_> {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        Bits { bytes: &self.bytes, at: from, end: self.ends[i], buffer: 0, count: 0 }
    }
}

/// Reads from the highest bit of the first byte on.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not in the buffer, whole.
    at: usize,
    end: usize,
    /// The next bits, from the top.
    buffer: u64,
    /// How many of them count.
    count: u32,
}

impl Bits<'_> {
    /// Makes sure of 56 bits in the buffer (Giesen's variant 4: no branch).
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[self.at..self.at + 8]);
        self.buffer |= u64::from_be_bytes(word) >> self.count;
        self.at += (63 - self.count as usize) >> 3;
        self.count |= 56;
    }

    /// Makes sure of 32 bits, which is more than any code takes with its value.
    #[inline(always)]
    pub(super) fn refill_if_low(&mut self) {
        if self.count < 32 {
            self.refill();
        }
    }

    /// The next `n` bits, 1 to 32, which are in the buffer.
    #[inline(always)]
    pub(super) fn peek(&self, n: u32) -> u32 {
        (self.buffer >> (64 - n)) as u32
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.buffer <<= n;
        self.count -= n;
    }

    #[inline(always)]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let bits = self.peek(n);
        self.skip(n);
        bits
    }

    /// Whether a whole byte or more was not read: libjpeg warns of such data.
    pub(super) fn left_over(&self) -> bool {
        self.at * 8 - self.count as usize + 8 <= self.end * 8
    }

    /// Whether more bits were read than there are.
    #[inline(always)]
    pub(super) fn overrun(&self) -> bool {
        self.at * 8 - self.count as usize > self.end * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_and_restarts_are_taken_out() {
        let segments = Segments::new(b"\x12\xff\0\x34\xff\xd0abcdefghij\xff\xd1\xff\xd9rest").unwrap();
        assert_eq!(segments.ends, [3, 13, 13]);
        let mut bits = segments.bits(0);
        bits.refill();
        assert_eq!((bits.take(4), bits.take(12), bits.overrun()), (1, 0x2FF, false));
        assert_eq!((bits.take(8), bits.overrun()), (0x34, false));
        bits.skip(1);
        assert!(bits.overrun());
        let mut bits = segments.bits(1);
        for byte in b"abcdefghij" {
            bits.refill();
            assert_eq!(bits.take(8), u32::from(*byte));
        }
        assert!(!bits.overrun());
    }

    #[test]
    fn whatever_else_is_between_the_data_is_refused() {
        for data in [&b"abc"[..], b"ab\xff", b"\xff\xd1\xff\xd9", b"a\xff\xff\0\xff\xd9", b"\xff\xda\xff\xd9"]
        {
            assert!(Segments::new(data).is_none(), "{data:?}");
        }
    }
}
