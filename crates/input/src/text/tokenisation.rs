//! How texts become tokens.

use super::{BadText, MOST_TEXT, PROBES, Token, Tokenizer};
use crate::{Inputs, Noticed};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Digest;
use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

/// How texts become a network's input. The tokenizer is named by its digest; who has its file says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenisation {
    /// Of the tokenizer's file.
    tokenizer: Digest,
    /// Tokens of a text at most, those among them that the tokenizer adds. A longer text loses its end.
    max_tokens: usize,
    /// What is put before every text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prompt: String,
    #[serde(skip)]
    opened: Option<Arc<Tokenizer>>,
}

impl PartialEq for Tokenisation {
    fn eq(&self, other: &Tokenisation) -> bool {
        let said = |how: &Tokenisation| (how.tokenizer, how.max_tokens, how.prompt.clone());
        said(self) == said(other)
    }
}

impl Tokenisation {
    /// By that tokenizer, to `max_tokens` at most, with `prompt` before every text.
    ///
    /// # Errors
    /// Where the tokenizer adds as many tokens as a text may have.
    pub fn new(tokenizer: Tokenizer, max_tokens: usize, prompt: String) -> Result<Tokenisation, String> {
        let digest = tokenizer.digest();
        let how = Tokenisation { tokenizer: digest, max_tokens, prompt, opened: None };
        how.opened_with(tokenizer)
    }

    /// The same, with the tokenizer at hand.
    ///
    /// # Errors
    /// Where it is another, or adds as many tokens as a text may have.
    pub fn opened_with(mut self, mut tokenizer: Tokenizer) -> Result<Tokenisation, String> {
        if tokenizer.digest() != self.tokenizer {
            return Err(format!(
                "the tokenizer is another: {} instead of {}",
                tokenizer.digest(),
                self.tokenizer
            ));
        }
        let truncation = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: self.max_tokens,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        let added = {
            use tokenizers::PostProcessor as _;
            tokenizer.library.get_post_processor().map_or(0, |processor| processor.added_tokens(true))
        };
        if added >= self.max_tokens {
            return Err(format!(
                "{} tokens are too few: the tokenizer adds {added} to every pair",
                self.max_tokens
            ));
        }
        tokenizer.library.with_truncation(Some(truncation)).map_err(|error| error.to_string())?;
        self.opened = Some(Arc::new(tokenizer));
        Ok(self)
    }

    /// The same, with the tokenizer that another has at hand.
    ///
    /// # Errors
    /// Where that is another tokenizer, or it has none.
    pub fn opened_as(self, other: &Tokenisation) -> Result<Tokenisation, String> {
        let tokenizer = other.tokenizer().ok_or("there is no tokenizer")?;
        self.opened_with(Tokenizer::of(tokenizer.bytes().to_vec())?)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`Tokenisation::new`].
    pub fn with_max_tokens(self, max_tokens: usize) -> Result<Tokenisation, String> {
        let other = self.clone();
        Tokenisation { max_tokens, ..self }.opened_as(&other)
    }

    /// Tokens of a text at most.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The tokenizer, where it is at hand.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.opened.as_deref()
    }

    /// A text's tokens, as batches hold them, and whether it lost its end.
    ///
    /// # Errors
    /// Where it has none.
    ///
    /// # Panics
    /// Where the tokenizer is not at hand.
    pub(crate) fn load(&self, text: &[u8]) -> Result<(Vec<u8>, Noticed), BadText> {
        if text.len() > MOST_TEXT {
            return Err(BadText::TooLong);
        }
        let text = std::str::from_utf8(text).map_err(|_| BadText::NotUtf8)?;
        let library = &self.opened.as_ref().expect("texts are loaded by a tokenizer that is at hand").library;
        let prompted = |text: &str| format!("{}{text}", self.prompt);
        let encoded = match text.split_once('\0') {
            Some((first, second)) => library.encode_fast((prompted(first), second.to_owned()), true),
            None => library.encode_fast(prompted(text), true),
        };
        let encoded = encoded
            .map_err(|error| BadText::Tokenizer(store::brief::shortened(&error.to_string()).into_owned()))?;
        if encoded.is_empty() {
            return Err(BadText::NoToken);
        }
        let tokens = encoded.get_ids().iter().zip(encoded.get_type_ids());
        let bytes = tokens.flat_map(|(id, kind)| Token::new(*id, *kind == 1).bytes()).collect();
        let truncated = !encoded.get_overflowing().is_empty();
        Ok((bytes, Noticed { truncated, ..Noticed::default() }))
    }

    /// The four made-up sentences, tokenised.
    ///
    /// # Panics
    /// Where the tokenizer is not at hand, or makes nothing of them.
    pub(crate) fn probes(&self) -> Inputs {
        let tokens = |text: &&str| self.load(text.as_bytes()).expect("made-up sentences have tokens").0;
        Inputs::of(PROBES.iter().map(tokens))
    }
}
