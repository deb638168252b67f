//! One token, and a batch of them.

use crate::Batch;
use bytemuck::{Pod, Zeroable};

/// A token of a text: its number, and whether it is of the second text of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Token(u32);

/// Set in tokens of the second text of a pair. No vocabulary has so many tokens.
const SECOND: u32 = 1 << 31;

impl Token {
    /// `id`: its number, below 2³¹.
    pub fn new(id: u32, is_second: bool) -> Token {
        Token(if is_second { id | SECOND } else { id & !SECOND })
    }

    /// Its number.
    pub fn id(self) -> u32 {
        self.0 & !SECOND
    }

    /// Whether it is of the second text of a pair.
    pub fn is_second(self) -> bool {
        self.0 & SECOND != 0
    }

    /// As batches hold it: four bytes, little-endian.
    pub fn bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }
}

/// The tokens of a batch of texts, and where each text's end.
pub fn tokens_of(batch: Batch<'_>) -> (Vec<Token>, Vec<usize>) {
    let tokens = batch.bytes().as_chunks::<4>().0.iter().map(|bytes| Token(u32::from_le_bytes(*bytes)));
    (tokens.collect(), batch.ends().iter().map(|end| end / 4).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inputs;

    #[test]
    fn tokens_come_back_from_a_batch() {
        let text = |ids: &[(u32, bool)]| -> Vec<u8> {
            ids.iter().flat_map(|(id, second)| Token::new(*id, *second).bytes()).collect()
        };
        let inputs = Inputs::of([text(&[(7, false), (1 << 20, true)]), text(&[(0, false)])]);
        let (tokens, ends) = tokens_of(inputs.batch());
        assert_eq!(ends, [2, 3]);
        let said: Vec<(u32, bool)> = tokens.iter().map(|token| (token.id(), token.is_second())).collect();
        assert_eq!(said, [(7, false), (1 << 20, true), (0, false)]);
    }
}
