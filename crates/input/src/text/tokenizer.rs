//! A tokenizer as it lies beside a network's weights.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use store::{Digest, contained, read_file};
use tokenizers::{
    Encoding, ModelWrapper, NormalizedString, Normalizer as _, PostProcessor as _, TruncationDirection,
    TruncationParams, TruncationStrategy, utils::truncation::truncate_encodings,
};

/// Bytes of a tokenizer's file: the largest that are known have 35 MiB.
const MOST: u64 = 256 << 20;
/// The file of the tokenizers library.
const FILE: &str = "tokenizer.json";

/// What makes tokens of texts: the tokenizers library's, without its padding and truncation.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    pub(super) library: tokenizers::Tokenizer,
    digest: Digest,
    bytes: Vec<u8>,
    cuts: Option<TruncationParams>,
}

/// A tokenizer that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// There is no file of one.
    #[error("`{0}` has no tokenizer.json; save it there with the tokenizer's save_pretrained")]
    Missing(PathBuf),
    /// Its file cannot be read.
    #[error(transparent)]
    Read(#[from] store::MapError),
    /// The file holds no tokenizer.
    #[error("`{file}` is no tokenizer: {reason}")]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Tokenizer {
    /// That of a folder as on the Hugging Face hub.
    ///
    /// # Errors
    /// Where there is none, or its file is damaged.
    pub fn beside(folder: &Path) -> Result<Tokenizer, TokenizerError> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(TokenizerError::Missing(folder.to_owned()));
        }
        let bytes = read_file(&file, MOST)?;
        Tokenizer::of(bytes).map_err(|reason| TokenizerError::Broken { file, reason })
    }

    /// That of a file's bytes.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of(bytes: Vec<u8>) -> Result<Tokenizer, String> {
        // The library panics on some that are damaged.
        let mut library = contained(|| tokenizers::Tokenizer::from_bytes(&bytes))
            .ok_or("it contradicts itself")?
            .map_err(|error| store::brief::shortened(&error.to_string()).into_owned())?;
        if let ModelWrapper::BPE(bpe) = library.get_model()
            && bpe.dropout.is_some_and(|share| share > 0.0)
        {
            return Err("its `dropout` makes tokens at random; set it to null".to_owned());
        }
        let cuts = library.get_truncation().cloned();
        library.with_padding(None);
        library.with_truncation(None).map_err(|error| error.to_string())?;
        Ok(Tokenizer { library, digest: Digest::of(&bytes), bytes, cuts })
    }

    /// Whether capital letters are made small.
    pub fn lowers(&self) -> bool {
        let lowered = || {
            let mut text = NormalizedString::from("A");
            self.library.get_normalizer()?.normalize(&mut text).ok()?;
            Some(text.get().contains('a'))
        };
        // The library panics on tables of characters that make no sense.
        contained(lowered).flatten() == Some(true)
    }

    /// Of its file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its file, as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Tokens that it adds to a text, or to a pair.
    pub(super) fn added(&self, pair: bool) -> usize {
        self.library.get_post_processor().map_or(0, |processor| processor.added_tokens(pair))
    }

    /// The tokens of a text, or of a pair, `most` of them at most, and whether some were left out.
    ///
    /// What is too much is cut here, and not by the library: it would keep all parts of both texts, and combine each with each.
    pub(super) fn encode(
        &self,
        first: &str,
        second: Option<&str>,
        most: usize,
    ) -> tokenizers::Result<(Encoding, bool)> {
        let plain = |text: &str| self.library.encode_fast(text, false);
        let (first, second) = (plain(first)?, second.map(plain).transpose()?);
        let params = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: most.saturating_sub(self.added(second.is_some())),
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        let count =
            |first: &Encoding, second: Option<&Encoding>| first.len() + second.map_or(0, Encoding::len);
        let before = count(&first, second.as_ref());
        let (mut first, mut second) = truncate_encodings(first, second, &params)?;
        let truncated = count(&first, second.as_ref()) < before;
        first.take_overflowing();
        second.iter_mut().for_each(|second| drop(second.take_overflowing()));
        Ok((self.library.post_process(first, second, true)?, truncated))
    }

    /// The tokens of a text alone, or of both texts of a pair one after the other, without any that are added.
    pub(super) fn encode_bare(&self, first: &str, second: Option<&str>) -> tokenizers::Result<Vec<u32>> {
        let mut ids = Vec::new();
        for text in [Some(first), second].into_iter().flatten() {
            ids.extend_from_slice(self.library.encode_fast(text, false)?.get_ids());
        }
        Ok(ids)
    }

    /// The token that stands for what is not known, where there is one.
    pub(super) fn unknown(&self) -> Option<u32> {
        #[derive(Deserialize)]
        struct File {
            model: Unigram,
        }
        #[derive(Deserialize)]
        struct Unigram {
            unk_id: Option<u32>,
        }
        let name = match self.library.get_model() {
            ModelWrapper::BPE(bpe) => bpe.unk_token.as_deref(),
            ModelWrapper::WordPiece(pieces) => Some(pieces.unk_token.as_str()),
            ModelWrapper::WordLevel(words) => Some(words.unk_token.as_str()),
            // The library keeps it to itself.
            ModelWrapper::Unigram(_) => {
                return serde_json::from_slice::<File>(&self.bytes).ok()?.model.unk_id;
            }
        };
        self.library.token_to_id(name?)
    }

    /// Characters of its middle token, in order of length, rounded down.
    pub fn median_length(&self) -> usize {
        let mut lengths: Vec<usize> =
            self.library.get_vocab(true).keys().map(|token| token.chars().count()).collect();
        lengths.sort_unstable();
        match lengths.len() {
            0 => 0,
            n if n % 2 == 1 => lengths[n / 2],
            n => usize::midpoint(lengths[n / 2 - 1], lengths[n / 2]),
        }
    }

    /// Tokens that its own file says a text has at most, where it does. They are not cut off here.
    pub fn cuts_at(&self) -> Option<usize> {
        self.cuts.as_ref().map(|how| how.max_length)
    }

    /// Whether, by its own file, it is the start of a text that is cut off.
    pub fn loses_starts(&self) -> bool {
        self.cuts.as_ref().is_some_and(|how| how.direction == TruncationDirection::Left)
    }

    /// One more than the largest number of a token.
    pub fn vocabulary(&self) -> usize {
        self.library.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
    }
}
