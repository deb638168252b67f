//! A tokenizer as it lies beside a network's weights.

use std::path::{Path, PathBuf};
use store::{Digest, read_file};

/// Bytes of a tokenizer's file: the largest that are known have 35 MiB.
const MOST: u64 = 256 << 20;
/// The file of the tokenizers library.
const FILE: &str = "tokenizer.json";

/// What makes tokens of texts: the tokenizers library's, without its padding and truncation.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) library: tokenizers::Tokenizer,
    digest: Digest,
    bytes: Vec<u8>,
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
        let mut library = tokenizers::Tokenizer::from_bytes(&bytes)
            .map_err(|error| store::brief::shortened(&error.to_string()).into_owned())?;
        library.with_padding(None);
        library.with_truncation(None).map_err(|error| error.to_string())?;
        Ok(Tokenizer { library, digest: Digest::of(&bytes), bytes })
    }

    /// Of its file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its file, as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One more than the largest number of a token.
    pub fn vocabulary(&self) -> usize {
        self.library.get_vocab(true).values().max().map_or(0, |last| *last as usize + 1)
    }
}
