//! Huffman tables, laid out so that one look-up gives a symbol together with the bits that follow it.

use super::bits::Bits;

/// Bits that are looked up at once.
const LOOK: u32 = 10;

/// What [`Coefficients`] has for a place in the zigzag: nothing more in this block.
pub(super) const END: u32 = 64;

/// A canonical code: how many codes there are of each length, and their symbols.
#[derive(Clone)]
pub(super) struct Code {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Code {
    /// `None` where libjpeg, too, refuses the code: more codes than their lengths have room for.
    pub(super) fn new(counts: [u8; 16], symbols: &[u8]) -> Option<Code> {
        let mut next = 0u32;
        let mut total = 0;
        for (count, length) in counts.iter().zip(1..) {
            next += u32::from(*count);
            // No code is all ones.
            if *count > 0 && next >= 1 << length {
                return None;
            }
            total += usize::from(*count);
            next <<= 1;
        }
        (total == symbols.len()).then(|| Code { counts, symbols: symbols.to_vec() })
    }

    /// (code, its length, its symbol).
    fn iter(&self) -> impl Iterator<Item = (u32, u32, u8)> {
        let lengths = self.counts.iter().zip(1u32..);
        let lengths = lengths.flat_map(|(count, length)| std::iter::repeat_n(length, usize::from(*count)));
        let (mut code, mut before) = (0u32, 1u32);
        lengths.zip(&self.symbols).map(move |(length, symbol)| {
            code <<= length - before;
            before = length;
            code += 1;
            (code - 1, length, *symbol)
        })
    }

    /// Whether all symbols are below `limit`.
    pub(super) fn is_below(&self, limit: u8) -> bool {
        self.symbols.iter().all(|symbol| *symbol < limit)
    }
}

/// Codes of more than [`LOOK`] bits.
#[derive(Clone)]
struct Long {
    /// Per length: the first 16-bit string beyond its codes, the lowest of its codes, and its first symbol's place.
    lengths: [(u32, u32, usize); 17],
    symbols: Vec<u8>,
}

impl Long {
    fn new(code: &Code) -> Long {
        let mut lengths = [(0, 0, 0); 17];
        for (place, (bits, length, _)) in code.iter().enumerate() {
            let (end, first, from) = &mut lengths[length as usize];
            if *end == 0 {
                (*first, *from) = (bits, place);
            }
            *end = (bits + 1) << (16 - length);
        }
        Long { lengths, symbols: code.symbols.clone() }
    }

    /// The next symbol's code, which is longer than [`LOOK`]; `None` where there is no such code.
    #[cold]
    fn read(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek(16);
        for length in LOOK + 1..=16 {
            let (end, first, from) = self.lengths[length as usize];
            if next < end {
                bits.skip(length);
                return self.symbols.get(from + ((next >> (16 - length)) - first) as usize).copied();
            }
        }
        None
    }
}

/// A table of DC differences.
#[derive(Clone)]
pub(super) struct Differences {
    /// length | size << 8; 0 where the code is longer.
    look: Box<[u16; 1 << LOOK]>,
    long: Long,
}

impl Differences {
    pub(super) fn new(code: &Code) -> Differences {
        let mut look = Box::new([0; 1 << LOOK]);
        for (bits, length, symbol) in code.iter().take_while(|(_, length, _)| *length <= LOOK) {
            let from = (bits << (LOOK - length)) as usize;
            look[from..from + (1 << (LOOK - length))].fill((length | u32::from(symbol) << 8) as u16);
        }
        Differences { look, long: Long::new(code) }
    }

    /// The next difference; `None` where the data are corrupt.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Option<i32> {
        bits.refill();
        let entry = u32::from(self.look[bits.peek(LOOK) as usize]);
        let size = if entry != 0 {
            bits.skip(entry & 0xFF);
            entry >> 8
        } else {
            u32::from(self.long.read(bits)?)
        };
        Some(if size == 0 { 0 } else { extend(bits.take(size), size) })
    }
}

/// A table of AC coefficients.
#[derive(Clone)]
pub(super) struct Coefficients {
    /// Value << 16 | how far it is in the zigzag << 8 | bits of both, where code and value are short enough together;
    /// else symbol << 8 | [`CODE_ONLY`] | bits of the code; 0 where that alone is too long.
    look: Box<[u32; 1 << LOOK]>,
    long: Long,
}

const CODE_ONLY: u32 = 0x80;

impl Coefficients {
    pub(super) fn new(code: &Code) -> Coefficients {
        let mut look = Box::new([0; 1 << LOOK]);
        for (bits, length, symbol) in code.iter().take_while(|(_, length, _)| *length <= LOOK) {
            let from = (bits << (LOOK - length)) as usize;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            for (rest, entry) in look[from..from + (1 << (LOOK - length))].iter_mut().enumerate() {
                let whole = length + size;
                *entry = match (size, run) {
                    (0, 15) => 16 << 8 | length,
                    (0, _) => END << 8 | length,
                    _ if whole <= LOOK => {
                        let value = extend(rest as u32 >> (LOOK - whole), size);
                        (value as u32) << 16 | (run + 1) << 8 | whole
                    }
                    _ => u32::from(symbol) << 8 | CODE_ONLY | length,
                };
            }
        }
        Coefficients { look, long: Long::new(code) }
    }

    /// The next coefficient and how far it lies from the one before in the zigzag. A value of 0 stands for no
    /// coefficient: sixteen zeros, or [`END`]. `None` where the data are corrupt.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits<'_>) -> Option<(i32, u32)> {
        bits.refill_if_low();
        let entry = self.look[bits.peek(LOOK) as usize];
        if entry != 0 && entry & CODE_ONLY == 0 {
            bits.skip(entry & 0xFF);
            return Some((entry as i32 >> 16, entry >> 8 & 0xFF));
        }
        let symbol = if entry != 0 {
            bits.skip(entry & 0x7F);
            entry >> 8
        } else {
            u32::from(self.long.read(bits)?)
        };
        Some(match (symbol & 15, symbol >> 4) {
            (0, 15) => (0, 16),
            (0, _) => (0, END),
            (size, run) => (extend(bits.take(size), size), run + 1),
        })
    }
}

/// The value of `size` bits: those that begin with 0 are negative (T.81, figure F.12).
#[inline(always)]
fn extend(bits: u32, size: u32) -> i32 {
    let value = bits as i32;
    if bits >> (size - 1) == 0 { value - (1 << size) + 1 } else { value }
}
