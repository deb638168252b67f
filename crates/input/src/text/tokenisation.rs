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
    /// Tokens that a network reads at a time, those among them that the tokenizer adds. A longer text loses its end, or is read in
    /// windows.
    max_tokens: usize,
    /// Tokens from the beginning of one window to that of the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride: Option<usize>,
    /// What is put before every text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prompt: String,
    /// Of tables of tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bare: Option<Bare>,
    #[serde(skip)]
    opened: Option<Arc<Tokenizer>>,
    /// The token that is left out of bare texts.
    #[serde(skip)]
    unknown: Option<u32>,
}

/// How tables of tokens read a text: without any token that a tokenizer adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bare {
    /// Whether tokens stay that stand for what is not known.
    pub keeps_unknown: bool,
    /// Characters that a text may have for each of its `max_tokens`; those after them are cut off before it is tokenised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters_per_token: Option<usize>,
}

impl PartialEq for Tokenisation {
    fn eq(&self, other: &Tokenisation) -> bool {
        let said =
            |how: &Tokenisation| (how.tokenizer, how.max_tokens, how.stride, how.prompt.clone(), how.bare);
        said(self) == said(other)
    }
}

impl Tokenisation {
    /// By that tokenizer, to `max_tokens` at most, with `prompt` before every text.
    ///
    /// # Errors
    /// Where the tokenizer adds as many tokens as a text may have.
    pub fn new(tokenizer: Tokenizer, max_tokens: usize, prompt: String) -> Result<Tokenisation, String> {
        Tokenisation::of(tokenizer, max_tokens, prompt, None)
    }

    /// The same, of a table of tokens. It has places for any number of them, so `max_tokens` may be said to be endless.
    ///
    /// # Errors
    /// Where it makes no sense.
    pub fn bare(
        tokenizer: Tokenizer,
        max_tokens: usize,
        prompt: String,
        bare: Bare,
    ) -> Result<Tokenisation, String> {
        Tokenisation::of(tokenizer, max_tokens.min(MOST_TOKENS), prompt, Some(bare))
    }

    fn of(
        tokenizer: Tokenizer,
        max_tokens: usize,
        prompt: String,
        bare: Option<Bare>,
    ) -> Result<Tokenisation, String> {
        let digest = tokenizer.digest();
        let stride = None;
        let how =
            Tokenisation { tokenizer: digest, max_tokens, stride, prompt, bare, opened: None, unknown: None };
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
        let added = match self.bare {
            Some(_) => 0,
            None => tokenizer.added(false).max(tokenizer.added(true)),
        };
        if added >= self.max_tokens {
            return Err(format!(
                "{} tokens are too few: the tokenizer adds {added} to every text",
                self.max_tokens
            ));
        }
        if let Some(stride) = self.stride {
            let room = self.max_tokens - tokenizer.added(false);
            if self.bare.is_some() {
                return Err("a table of tokens reads texts of any length; it needs no windows".to_owned());
            }
            if !(1..=room).contains(&stride) {
                return Err(format!("a stride of {stride} tokens; windows have room for {room}"));
            }
        }
        self.unknown = tokenizer.unknown().filter(|_| self.bare.is_some_and(|how| !how.keeps_unknown));
        self.opened = Some(Arc::new(tokenizer));
        // Before anybody relies on it.
        let pair = format!("{}\0{}", PROBES[0], PROBES[1]);
        let pair = Some(pair.as_str()).filter(|_| self.stride.is_none());
        for text in PROBES.into_iter().chain(pair) {
            self.probe(text).map_err(|error| format!("a made-up sentence {error}"))?;
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

    /// The same, and a longer text is read in windows of `max_tokens`: one begins every `stride` tokens, or where the one before
    /// ends. The text's row is the mean of theirs.
    ///
    /// # Errors
    /// Where windows would leave tokens out, or it is of a table of tokens.
    pub fn with_windows(self, stride: Option<usize>) -> Result<Tokenisation, String> {
        let other = self.clone();
        let added = other.tokenizer().map_or(0, |tokenizer| tokenizer.added(false));
        let stride = stride.unwrap_or_else(|| self.max_tokens.saturating_sub(added));
        Tokenisation { stride: Some(stride), ..self }.opened_as(&other)
    }

    /// Tokens from one window of a text to the next; `None` where a longer text loses its end.
    pub fn stride(&self) -> Option<usize> {
        self.stride
    }

    /// Tokens of a prepared text, at most, in all its windows.
    pub(crate) fn most_tokens(&self) -> usize {
        self.stride.map_or(self.max_tokens, |_| MOST_TOKENS)
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

    /// How a table of tokens reads texts; `None` of other networks.
    pub fn as_bare(&self) -> Option<Bare> {
        self.bare
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
        if let Some(bare) = self.bare {
            return self.load_bare(tokenizer, bare, &first, second);
        }
        let (windows, truncated) = match (self.stride, second) {
            (Some(_), Some(_)) => return Err(BadText::WindowsOfPair),
            (Some(stride), None) => {
                let most = MOST_TOKENS / self.max_tokens;
                guarded(|| tokenizer.windows(&first, self.max_tokens, stride, most))?
            }
            (None, _) => {
                let (encoded, truncated) = guarded(|| tokenizer.encode(&first, second, self.max_tokens))?;
                (vec![encoded], truncated)
            }
        };
        let mut bytes = Vec::new();
        for (at, encoded) in windows.iter().enumerate() {
            if encoded.is_empty() {
                return Err(BadText::NoToken);
            }
            if encoded.len() > self.max_tokens {
                return Err(BadText::Tokenizer("the tokenizer adds more tokens than it says".to_owned()));
            }
            let tokens = encoded.get_ids().iter().zip(encoded.get_type_ids());
            let tokens = tokens.map(|(id, kind)| Token::new(*id, *kind == 1)).enumerate();
            let opened = tokens.map(|(i, token)| if at > 0 && i == 0 { token.opening() } else { token });
            bytes.extend(opened.flat_map(Token::bytes));
        }
        Ok((bytes, Noticed { truncated, ..Noticed::default() }))
    }

    /// As model2vec reads a text: what is too long is cut off first, and what is not known is left out last.
    fn load_bare(
        &self,
        tokenizer: &Tokenizer,
        bare: Bare,
        first: &str,
        second: Option<&str>,
    ) -> Result<(Vec<u8>, Noticed), BadText> {
        let most = bare.characters_per_token.map(|each| each.saturating_mul(self.max_tokens));
        let mut truncated = false;
        let mut cut = |text: &'_ str| -> usize {
            // There are at least as many bytes as characters.
            let end = most.filter(|most| text.len() > *most).and_then(|most| text.char_indices().nth(most));
            truncated |= end.is_some();
            end.map_or(text.len(), |(at, _)| at)
        };
        let first = &first[..cut(first)];
        let second = second.map(|second| &second[..cut(second)]);
        let mut ids = guarded(|| tokenizer.encode_bare(first, second))?;
        truncated |= ids.len() > self.max_tokens;
        ids.truncate(self.max_tokens);
        ids.retain(|id| Some(*id) != self.unknown);
        if ids.is_empty() {
            return Err(BadText::NoToken);
        }
        let bytes = ids.into_iter().flat_map(|id| Token::new(id, false).bytes()).collect();
        Ok((bytes, Noticed { truncated, ..Noticed::default() }))
    }

    /// The four made-up sentences, tokenised.
    ///
    /// # Panics
    /// Where the tokenizer is not at hand, or makes nothing of them.
    pub(crate) fn probes(&self) -> Inputs {
        let tokens = |text: &&str| self.probe(text).expect("made-up sentences have tokens");
        Inputs::of(PROBES.iter().map(tokens))
    }

    /// A made-up sentence, tokenised. A table may know no word of English: its first token stands for such a sentence.
    fn probe(&self, text: &str) -> Result<Vec<u8>, BadText> {
        match self.load(text.as_bytes()) {
            Err(BadText::NoToken) if self.bare.is_some() => Ok(Token::new(0, false).bytes().to_vec()),
            loaded => loaded.map(|(tokens, _)| tokens),
        }
    }
}

/// What the library makes of a text. It panics on some tokenizers that make no sense.
fn guarded<T>(encode: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, BadText> {
    catch_unwind(AssertUnwindSafe(encode))
        .map_err(|_| BadText::Tokenizer("the tokenizer contradicts itself".to_owned()))?
        .map_err(|error| BadText::Tokenizer(store::brief::shortened(&error.to_string()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words by spaces, with a token before each text.
    fn tokenizer(model: &str) -> Tokenizer {
        let json = format!(
            r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {{"type": "WhitespaceSplit"}}, "decoder": null,
            "post_processor": {{"type": "BertProcessing", "sep": ["the", 1], "cls": ["the", 1]}}, "model": {model}}}"#
        );
        Tokenizer::of(json.into_bytes()).unwrap()
    }

    const WORDS: &str = r#"{"type": "WordLevel", "vocab": {"[UNK]": 0, "the": 1, "a": 2, "Why": 3, "of": 4, "é": 5}, "unk_token": "[UNK]"}"#;

    fn tokens(how: &Tokenisation, text: &str) -> Result<(Vec<u32>, bool), BadText> {
        let (bytes, noticed) = how.load(text.as_bytes())?;
        let inputs = Inputs::of([bytes]);
        let ids = crate::text::tokens_of(inputs.batch()).0.iter().map(|token| token.id()).collect();
        Ok((ids, noticed.truncated))
    }

    #[test]
    fn a_table_s_texts_are_model2vec_s() {
        let how = |most, bare| Tokenisation::bare(tokenizer(WORDS), most, String::new(), bare).unwrap();
        let plain = Bare { keeps_unknown: false, characters_per_token: None };
        let table = how(4, plain);
        assert_eq!(tokens(&table, "the b a"), Ok((vec![1, 2], false)));
        // What is not known takes a place before it is left out.
        assert_eq!(tokens(&table, "the b a c of"), Ok((vec![1, 2], true)));
        assert_eq!(tokens(&table, "b c"), Err(BadText::NoToken));
        assert_eq!(tokens(&table, ""), Err(BadText::NoToken));
        assert_eq!(tokens(&table, "the\0a of"), Ok((vec![1, 2, 4], false)));
        let keeps = how(4, Bare { keeps_unknown: true, ..plain });
        assert_eq!(tokens(&keeps, "the b a"), Ok((vec![1, 0, 2], false)));
        // Twice four characters, of which `é` is one.
        let cut = how(4, Bare { characters_per_token: Some(2), ..plain });
        assert_eq!(tokens(&cut, "é a the of"), Ok((vec![5, 2, 1], true)));
        assert_eq!(tokens(&cut, "é é é é é"), Ok((vec![5; 4], true)));
        assert_eq!(how(usize::MAX, plain).max_tokens(), MOST_TOKENS);
    }

    #[test]
    fn what_stands_for_the_unknown_is_found_in_every_model() {
        let unigram =
            r#"{"type": "Unigram", "unk_id": 1, "vocab": [["the", -1.0], ["<unk>", -2.0], ["a", -3.0]]}"#;
        let pieces = r###"{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {"the": 0, "a": 1, "[UNK]": 2}}"###;
        let bpe = r#"{"type": "BPE", "vocab": {"a": 0, "the": 1}, "merges": []}"#;
        for (model, expected) in [(WORDS, Some(0)), (unigram, Some(1)), (pieces, Some(2)), (bpe, None)] {
            assert_eq!(tokenizer(model).unknown(), expected, "{model}");
        }
        // Lengths 1, 1, 2, 3, 3 and 5.
        assert_eq!(tokenizer(WORDS).median_length(), 2);
        assert_eq!(tokenizer(unigram).median_length(), 3);
    }

    #[test]
    fn a_long_text_is_read_in_windows() {
        // Of four tokens: one before the text, one behind it.
        let how = Tokenisation::new(tokenizer(WORDS), 4, String::new()).unwrap();
        let read = |how: &Tokenisation, text: &str| {
            let inputs = Inputs::of([how.load(text.as_bytes()).unwrap().0]);
            let (tokens, ends) = crate::text::tokens_of(inputs.batch());
            assert_eq!(crate::text::windows_of(inputs.batch()), [ends.len()]);
            (tokens.iter().map(|token| token.id()).collect::<Vec<_>>(), ends)
        };
        let windows = how.clone().with_windows(None).unwrap();
        assert_eq!(windows.stride(), Some(2));
        assert_eq!(read(&windows, "a Why of"), (vec![1, 2, 3, 1, 1, 3, 4, 1], vec![4, 8]));
        assert_eq!(read(&windows, "a Why"), read(&how, "a Why"));
        assert_eq!(windows.load(b"a\0Why"), Err(BadText::WindowsOfPair));
        // Nothing is lost but what is beyond all bounds.
        assert!(!windows.load("a ".repeat(1000).as_bytes()).unwrap().1.truncated);
        let (bytes, noticed) = windows.load("a ".repeat(MOST_TOKENS).as_bytes()).unwrap();
        assert!(noticed.truncated && bytes.len() <= MOST_TOKENS * 4);

        let wrong = how.clone().with_windows(Some(3)).unwrap_err();
        assert_eq!(wrong, "a stride of 3 tokens; windows have room for 2");
        assert!(how.with_windows(Some(0)).is_err());
        let bare = Bare { keeps_unknown: false, characters_per_token: None };
        let table = Tokenisation::bare(tokenizer(WORDS), 4, String::new(), bare).unwrap();
        assert!(table.with_windows(None).unwrap_err().contains("needs no windows"));
        let json = serde_json::to_value(&windows).unwrap();
        assert_eq!(json["stride"], 2);
    }

    #[test]
    fn a_recipe_without_a_table_is_written_as_ever() {
        let how = Tokenisation::new(tokenizer(WORDS), 8, String::new()).unwrap();
        let json = serde_json::to_value(&how).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["max_tokens", "tokenizer"]);
    }
}
