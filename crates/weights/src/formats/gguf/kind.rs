//! How GGUF stores numbers.

use crate::numbers::Number;
use candle_core::{CpuStorage, quantized::GgmlDType};
use std::borrow::Cow;

/// What a tensor is stored as: the type's number in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(u32);

/// How a type is read.
#[derive(Clone, Copy)]
enum Stored {
    Plain(Number),
    /// In blocks that share a scale.
    Blocks(GgmlDType),
    /// Whole numbers.
    Whole,
    /// Blocks that candle does not know.
    Unread,
}

/// `enum ggml_type` of ggml.h: number, name, and how it is read. What is not listed was never written to files.
const TYPES: [(u32, &str, Stored); 34] = [
    (0, "F32", Stored::Plain(Number::F32)),
    (1, "F16", Stored::Plain(Number::F16)),
    (2, "Q4_0", Stored::Blocks(GgmlDType::Q4_0)),
    (3, "Q4_1", Stored::Blocks(GgmlDType::Q4_1)),
    (4, "Q4_2", Stored::Unread),
    (5, "Q4_3", Stored::Unread),
    (6, "Q5_0", Stored::Blocks(GgmlDType::Q5_0)),
    (7, "Q5_1", Stored::Blocks(GgmlDType::Q5_1)),
    (8, "Q8_0", Stored::Blocks(GgmlDType::Q8_0)),
    (9, "Q8_1", Stored::Unread),
    (10, "Q2_K", Stored::Blocks(GgmlDType::Q2K)),
    (11, "Q3_K", Stored::Blocks(GgmlDType::Q3K)),
    (12, "Q4_K", Stored::Blocks(GgmlDType::Q4K)),
    (13, "Q5_K", Stored::Blocks(GgmlDType::Q5K)),
    (14, "Q6_K", Stored::Blocks(GgmlDType::Q6K)),
    (15, "Q8_K", Stored::Unread),
    (16, "IQ2_XXS", Stored::Unread),
    (17, "IQ2_XS", Stored::Unread),
    (18, "IQ3_XXS", Stored::Unread),
    (19, "IQ1_S", Stored::Unread),
    (20, "IQ4_NL", Stored::Unread),
    (21, "IQ3_S", Stored::Unread),
    (22, "IQ2_S", Stored::Unread),
    (23, "IQ4_XS", Stored::Unread),
    (24, "I8", Stored::Whole),
    (25, "I16", Stored::Whole),
    (26, "I32", Stored::Whole),
    (27, "I64", Stored::Whole),
    (28, "F64", Stored::Plain(Number::F64)),
    (29, "IQ1_M", Stored::Unread),
    (30, "BF16", Stored::Plain(Number::BF16)),
    (34, "TQ1_0", Stored::Unread),
    (35, "TQ2_0", Stored::Unread),
    (39, "MXFP4", Stored::Unread),
];

/// Why numbers cannot be had.
pub(super) enum NotRead {
    /// They are whole numbers of that dtype.
    Whole(String),
    /// They are stored in a way that is not read.
    Unread(String),
}

impl Kind {
    pub(super) fn new(number: u32) -> Kind {
        Kind(number)
    }

    fn name(self) -> String {
        let known = TYPES.iter().find(|(number, ..)| *number == self.0);
        known.map_or_else(|| format!("GGML's type {}", self.0), |(_, name, _)| (*name).to_owned())
    }

    fn stored(self) -> Stored {
        TYPES.iter().find(|(number, ..)| *number == self.0).map_or(Stored::Unread, |(.., stored)| *stored)
    }

    /// The bytes of `count` numbers whose rows have `row` each; none where the kind is not read.
    ///
    /// # Errors
    /// Where a row is no whole number of blocks, or the bytes cannot be counted.
    pub(super) fn bytes(self, count: usize, row: usize) -> Result<Option<usize>, String> {
        let (each, size) = match self.stored() {
            Stored::Plain(number) => (1, number.size()),
            Stored::Blocks(blocks) => (blocks.block_size(), blocks.type_size()),
            Stored::Whole | Stored::Unread => return Ok(None),
        };
        if !row.is_multiple_of(each) {
            let name = self.name();
            return Err(format!("has rows of {row} numbers, which are no whole blocks of {name}"));
        }
        (count / each).checked_mul(size).map(Some).ok_or_else(|| "is too large".to_owned())
    }

    /// The `count` numbers that are stored in so many [`Kind::bytes`], which begin at an even address.
    ///
    /// # Errors
    /// Where the kind is not read.
    pub(super) fn widen(self, bytes: &[u8], count: usize) -> Result<Vec<f32>, NotRead> {
        match self.stored() {
            Stored::Plain(number) => Ok(number.widen(bytes)),
            // Of none there is no address.
            Stored::Blocks(_) if count == 0 => Ok(Vec::new()),
            Stored::Blocks(blocks) => match blocks.from_data(Cow::Borrowed(bytes)).dequantize(count) {
                Ok(CpuStorage::F32(numbers)) => Ok(numbers),
                _ => Err(NotRead::Unread(self.name())),
            },
            Stored::Whole => Err(NotRead::Whole(self.name())),
            Stored::Unread => Err(NotRead::Unread(self.name())),
        }
    }

    /// Those that are read, for people.
    pub(super) fn read() -> String {
        let is_read = |stored: &Stored| matches!(stored, Stored::Plain(_) | Stored::Blocks(_));
        let names: Vec<&str> =
            TYPES.iter().filter(|(.., stored)| is_read(stored)).map(|(_, name, _)| *name).collect();
        names.join(", ")
    }
}
