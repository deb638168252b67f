//! One token, and a batch of them.

use crate::Batch;
use bytemuck::{Pod, Zeroable};
use std::ops::Range;

/// A token of a text: its number, whether it is of the second text of a pair, and whether another window of its text begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Token(u32);

/// Set in tokens of the second text of a pair. No vocabulary has so many tokens.
const SECOND: u32 = 1 << 31;
/// Set in the first token of every window of a text but the first. No vocabulary has so many tokens, either.
const OPENS: u32 = 1 << 30;

impl Token {
    /// `id`: its number, below 2³⁰.
    pub fn new(id: u32, is_second: bool) -> Token {
        let id = id & !(SECOND | OPENS);
        Token(if is_second { id | SECOND } else { id })
    }

    /// The same, as the first of another window of its text.
    pub(super) fn opening(self) -> Token {
        Token(self.0 | OPENS)
    }

    /// Its number.
    pub fn id(self) -> u32 {
        self.0 & !(SECOND | OPENS)
    }

    /// Whether it is of the second text of a pair.
    pub fn is_second(self) -> bool {
        self.0 & SECOND != 0
    }

    fn opens(self) -> bool {
        self.0 & OPENS != 0
    }

    /// As batches hold it: four bytes, little-endian.
    pub fn bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }
}

/// The tokens of a batch of texts, and where each text's end; of a text in several windows, where each of these ends.
pub fn tokens_of(batch: Batch<'_>) -> (Vec<Token>, Vec<usize>) {
    let tokens = all(batch);
    let ends = spans(batch).flat_map(|span| {
        let inner = (span.start + 1..span.end).filter(|at| tokens[*at].opens());
        inner.chain([span.end]).collect::<Vec<_>>()
    });
    let ends = ends.collect();
    (tokens, ends)
}

/// Windows of each text of a batch.
pub fn windows_of(batch: Batch<'_>) -> Vec<usize> {
    let tokens = all(batch);
    let inner = |span: Range<usize>| tokens[span].iter().skip(1).filter(|token| token.opens()).count();
    spans(batch).map(|span| 1 + inner(span)).collect()
}

fn all(batch: Batch<'_>) -> Vec<Token> {
    let tokens = batch.bytes().as_chunks::<4>().0.iter();
    tokens.map(|bytes| Token(u32::from_le_bytes(*bytes))).collect()
}

/// The tokens of each text.
fn spans(batch: Batch<'_>) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(&0).chain(batch.ends());
    starts.zip(batch.ends()).map(|(start, end)| start / 4..end / 4)
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
        assert_eq!(windows_of(inputs.batch()), [1, 1]);
    }

    #[test]
    fn windows_end_where_others_begin() {
        let token = |id| Token::new(id, false);
        let bytes = |tokens: &[Token]| tokens.iter().flat_map(|token| token.bytes()).collect::<Vec<_>>();
        let texts =
            [vec![token(5), token(6).opening(), token(7), token(8).opening()], vec![], vec![token(9)]];
        let inputs = Inputs::of(texts.iter().map(|text| bytes(text)));
        let (tokens, ends) = tokens_of(inputs.batch());
        assert_eq!(ends, [1, 3, 4, 4, 5]);
        assert_eq!(tokens.iter().map(|token| token.id()).collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
        assert_eq!(windows_of(inputs.batch()), [3, 1, 1]);
    }
}
