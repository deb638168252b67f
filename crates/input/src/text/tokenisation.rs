//! How texts become tokens.

use super::{BadText, MOST_TEXT, PROBES, Token, Tokenizer};
use crate::{Inputs, Noticed, image::PreprocessingError};
use serde::{Deserialize, Serialize};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use store::Digest;

/// Tokens of a text, beyond what any network has places for.
const MOST_TOKENS: usize = 1 << 17;

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
    pub fn opened_with(mut self, tokenizer: Tokenizer) -> Result<Tokenisation, String> {
        if tokenizer.digest() != self.tokenizer {
            return Err(format!(
                "the tokenizer is another: {} instead of {}",
                tokenizer.digest(),
                self.tokenizer
            ));
        }
        let added = tokenizer.added(false).max(tokenizer.added(true));
        if added >= self.max_tokens {
            return Err(format!(
                "{} tokens are too few: the tokenizer adds {added} to every text",
                self.max_tokens
            ));
        }
        self.opened = Some(Arc::new(tokenizer));
        // Before anybody relies on it.
        let pair = format!("{}\0{}", PROBES[0], PROBES[1]);
        for text in PROBES.into_iter().chain([pair.as_str()]) {
            self.load(text.as_bytes()).map_err(|error| format!("a made-up sentence {error}"))?;
        }
        Ok(self)
    }

    /// The same, with the tokenizer that another has at hand.
    ///
    /// # Errors
    /// Where that is another tokenizer, or it has none.
    pub fn opened_as(self, other: &Tokenisation) -> Result<Tokenisation, String> {
        let tokenizer = other.tokenizer().ok_or("there is no tokenizer")?;
        self.opened_with(tokenizer.clone())
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// As [`Tokenisation::new`].
    pub fn with_max_tokens(self, max_tokens: usize) -> Result<Tokenisation, String> {
        let other = self.clone();
        Tokenisation { max_tokens, ..self }.opened_as(&other)
    }

    /// Whether a text may have as many tokens as it says.
    pub(crate) fn check(&self) -> Result<(), PreprocessingError> {
        if (1..=MOST_TOKENS).contains(&self.max_tokens) {
            return Ok(());
        }
        Err(PreprocessingError::MaxTokens { got: self.max_tokens, most: MOST_TOKENS })
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
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (first, second) = match text.split_once('\0') {
            Some((_, second)) if second.contains('\0') => return Err(BadText::Nul),
            Some((first, second)) => (first, Some(second)),
            None => (text, None),
        };
        let tokenizer = self.opened.as_ref().expect("texts are loaded by a tokenizer that is at hand");
        let first = format!("{}{first}", self.prompt);
        // The library panics on some tokenizers that make no sense.
        let encoded = catch_unwind(AssertUnwindSafe(|| tokenizer.encode(&first, second, self.max_tokens)))
            .map_err(|_| BadText::Tokenizer("the tokenizer contradicts itself".to_owned()))?;
        let (encoded, truncated) = encoded
            .map_err(|error| BadText::Tokenizer(store::brief::shortened(&error.to_string()).into_owned()))?;
        if encoded.is_empty() {
            return Err(BadText::NoToken);
        }
        if encoded.len() > self.max_tokens {
            return Err(BadText::Tokenizer("the tokenizer adds more tokens than it says".to_owned()));
        }
        let tokens = encoded.get_ids().iter().zip(encoded.get_type_ids());
        let bytes = tokens.flat_map(|(id, kind)| Token::new(*id, *kind == 1).bytes()).collect();
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
