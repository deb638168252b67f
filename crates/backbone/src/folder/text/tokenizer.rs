//! A folder's tokenizer: its `tokenizer.json`, or what older folders have in its place.

use super::{super::Config, sentencepiece};
use crate::BackboneError;
use input::text::{ByteLevel, Split, Tokenizer, TokenizerError, WordPiece};
use std::path::Path;
use store::read_file;

/// Bytes of a vocabulary, or of pairs.
const MOST: u64 = 64 << 20;

/// kind: of the network beside it.
///
/// # Errors
/// Where there is none, or its files are damaged.
pub(super) fn of(folder: &Path, kind: &str) -> Result<Tokenizer, BackboneError> {
    match Tokenizer::beside(folder) {
        Err(TokenizerError::Missing(_)) => {}
        tokenizer => return Ok(tokenizer?),
    }
    let broken = |name: &str, reason: String| TokenizerError::Broken { file: folder.join(name), reason };
    let lines = |name: &str| -> Result<Option<Vec<String>>, BackboneError> {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(None);
        }
        let text = String::from_utf8(read_file(&path, MOST)?);
        let text = text.map_err(|_| broken(name, "it is no UTF-8".to_owned()))?;
        Ok(Some(text.lines().map(str::to_owned).collect()))
    };
    if let Some(tokens) = lines("vocab.txt")? {
        let config = Config::read(folder, "tokenizer_config.json")?;
        let flag = |key: &str| config.as_ref().and_then(|config| config.value.get(key)?.as_bool());
        let parts = WordPiece {
            tokens,
            lowers: flag("do_lower_case").unwrap_or(true),
            strips_accents: flag("strip_accents"),
            splits_chinese: flag("tokenize_chinese_chars").unwrap_or(true),
        };
        return Ok(parts.tokenizer().map_err(|reason| broken("vocab.txt", reason))?);
    }
    match (Config::read(folder, "vocab.json")?, lines("merges.txt")?) {
        (Some(vocab), Some(merges)) => {
            let parts = joined(by_number(&vocab)?, merges);
            Ok(parts.tokenizer().map_err(|reason| broken("vocab.json", reason))?)
        }
        _ => {
            sentencepiece::of(folder, kind)?.ok_or_else(|| TokenizerError::Missing(folder.to_owned()).into())
        }
    }
}

/// Refuses a tokenizer that knows more tokens than the network has rows for. `place`: where both lie.
pub(super) fn check_rows(tokenizer: &Tokenizer, rows: usize, place: &Path) -> Result<(), BackboneError> {
    match tokenizer.vocabulary() {
        tokens if tokens > rows => {
            Err(BackboneError::OtherTokenizer { folder: place.to_owned(), tokens, rows })
        }
        _ => Ok(()),
    }
}

/// Tokens by the numbers that a file gives them, each of which is there once.
fn by_number(vocab: &Config) -> Result<Vec<String>, BackboneError> {
    let broken = || vocab.wrong("its tokens are not numbered from 0 on".to_owned());
    let entries = vocab.value.as_object().ok_or_else(broken)?;
    let mut tokens = vec![None; entries.len()];
    for (token, number) in entries {
        let place = number.as_u64().and_then(|number| tokens.get_mut(usize::try_from(number).ok()?));
        *place.ok_or_else(broken)? = Some(token.clone());
    }
    tokens.into_iter().collect::<Option<_>>().ok_or_else(broken)
}

/// RoBERTa's tokenizer where its tokens are there, GPT-2's elsewhere.
fn joined(tokens: Vec<String>, merges: Vec<String>) -> ByteLevel {
    let number = |name: &str| tokens.iter().position(|token| token == name);
    let (first, last) = match (number("<s>"), number("</s>")) {
        (Some(first), Some(last)) => (Some(first), Some(last)),
        _ => (None, None),
    };
    let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"];
    let mut added: Vec<(usize, bool)> =
        special.iter().filter_map(|name| Some((number(name)?, true))).collect();
    added.sort_unstable();
    let is_pair = |line: &String| !line.starts_with("#version") && !line.is_empty();
    let merges = merges.into_iter().filter(is_pair).collect();
    ByteLevel { added, first, between: last, last, tokens, merges, split: Split::Gpt2 }
}
