//! Texts: from UTF-8 to the tokens that a network looks up.
//!
//! A text that holds one NUL is a pair: what stands before it, and what stands after.
//!
//! **Invariant:** what leaves this room are numbers of tokens, without padding: each text has as many as it has.

mod assembled;
mod characters;
mod sentencepiece;
mod token;
mod tokenisation;
mod tokenizer;
mod windows;

pub use assembled::{ByteLevel, Split, WordPiece};
pub use sentencepiece::{Added, SentencePiece, Spelling};
pub use token::{Token, tokens_of, windows_of};
pub use tokenisation::{Bare, Tokenisation};
pub use tokenizer::{Tokenizer, TokenizerError};

/// Bytes of a text, at most: all of it is in memory as tokens before its end is cut off.
pub const MOST_TEXT: usize = 1 << 20;

/// A text that has no features, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Its bytes are no characters.
    #[error("is no UTF-8 text")]
    NotUtf8,
    /// It takes too long.
    #[error("has more than {} MiB", MOST_TEXT >> 20)]
    TooLong,
    /// Characters that no text has: it may be UTF-16.
    #[error("holds NUL characters; convert it to UTF-8")]
    Nul,
    /// Nothing is left of it to look up.
    #[error("has no token that the network knows")]
    NoToken,
    /// The tokenizer stumbles.
    #[error("cannot be tokenised: {0}")]
    Tokenizer(String),
    /// It is a pair, and is to be read in windows.
    #[error("is a pair of texts, and windows are of one text")]
    WindowsOfPair,
    /// It is asked what only pictures are asked.
    #[error("is a text, and no picture")]
    NoPicture,
}

/// Made-up sentences, whose features every artefact of texts holds.
pub const PROBES: [&str; crate::PROBES] = [
    "The parcel arrived on Tuesday, two days late, but nothing in it was broken.",
    "Why was I charged twice for the same ticket?",
    "A slow film with a good ending; I would not watch it again, though my sister might.",
    "7.5 mg of it, dissolved in water, did not change the colour of the paper.",
];
