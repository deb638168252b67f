//! How a folder's texts become tokens, and a text's tokens one vector: its tokenizer, and what sentence-transformers says.

use super::Config;
use crate::BackboneError;
use input::{
    Recipe,
    text::{Tokenisation, Tokenizer},
};
use network::families::text::{Pooling, Sentence};
use serde::Deserialize;
use std::path::Path;

/// What stands beside a network of texts.
pub(super) struct Settings {
    /// As `modules.json` says; `None` where there is none.
    pub(super) sentence: Option<Sentence>,
    pub(super) recipe: Recipe,
}

/// What to do with what is not built.
const TAKE_A_TAP: &str = "remove modules.json from a copy of the folder, and read a tap such as mean";

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Of `1_Pooling/config.json`.
#[derive(Deserialize)]
struct Pool {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
    #[serde(default = "yes")]
    include_prompt: bool,
}

fn yes() -> bool {
    true
}

/// places: tokens that the network has places for.
///
/// # Errors
/// Where the tokenizer is missing or another's, or a module is not built.
pub(super) fn settings(folder: &Path, places: usize, vocabulary: usize) -> Result<Settings, BackboneError> {
    let prompt = prompt(folder)?;
    let sentence = sentence(folder, !prompt.is_empty())?;
    let tokenizer = Tokenizer::beside(folder)?;
    if tokenizer.vocabulary() > vocabulary {
        return Err(BackboneError::OtherTokenizer {
            folder: folder.to_owned(),
            tokens: tokenizer.vocabulary(),
            rows: vocabulary,
        });
    }
    let most = max_tokens(folder)?.map_or(places, |said| said.min(places));
    let how = Tokenisation::new(tokenizer, most, prompt);
    let how = how.map_err(|reason| BackboneError::Config { file: folder.to_owned(), reason })?;
    Ok(Settings { sentence, recipe: Recipe::Text(how) })
}

/// Tokens that a text has at most, where that is said: by sentence-transformers, or else by the tokenizer's configuration.
fn max_tokens(folder: &Path) -> Result<Option<usize>, BackboneError> {
    for (file, key) in
        [("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")]
    {
        let Some(config) = Config::read(folder, file)? else { continue };
        if config.value.get("do_lower_case") == Some(&true.into()) && key == "max_seq_length" {
            return Err(config.unknown("`do_lower_case`", "true", TAKE_A_TAP));
        }
        // Who knows no limit says 10³⁰.
        let said = config.value.get(key).and_then(serde_json::Value::as_u64);
        if let Some(said) = said.and_then(|said| usize::try_from(said).ok()).filter(|said| *said > 0) {
            return Ok(Some(said));
        }
    }
    Ok(None)
}

/// What is put before every text unless somebody says otherwise.
fn prompt(folder: &Path) -> Result<String, BackboneError> {
    let Some(config) = Config::read(folder, "config_sentence_transformers.json")? else {
        return Ok(String::new());
    };
    let Some(name) = config.text("default_prompt_name") else { return Ok(String::new()) };
    let found = config.value.get("prompts").and_then(|prompts| prompts.get(name)?.as_str());
    found
        .map(str::to_owned)
        .ok_or_else(|| config.wrong(format!("`prompts` has no `{}`", store::brief::shortened(name))))
}

fn sentence(folder: &Path, has_prompt: bool) -> Result<Option<Sentence>, BackboneError> {
    let Some(config) = Config::read(folder, "modules.json")? else { return Ok(None) };
    let modules: Vec<Module> = config.parse()?;
    let kinds: Vec<&str> =
        modules.iter().map(|module| module.kind.rsplit('.').next().unwrap_or_default()).collect();
    let (pool, normalized) = match kinds[..] {
        ["Transformer", "Pooling"] => (&modules[1], false),
        ["Transformer", "Pooling", "Normalize"] => (&modules[1], true),
        _ => return Err(config.unknown("the modules", &kinds.join(", "), TAKE_A_TAP)),
    };
    // A name of one folder, and not of one elsewhere.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if pool.path.is_empty() || !pool.path.chars().all(is_plain) {
        return Err(config.unknown("the path", &pool.path, TAKE_A_TAP));
    }
    let Some(config) = Config::read(&folder.join(&pool.path), "config.json")? else {
        return Err(config.wrong(format!("`{}/config.json` is missing", pool.path)));
    };
    let said: Pool = config.parse()?;
    for (what, is_not_built) in [
        ("pooling_mode_mean_sqrt_len_tokens", said.pooling_mode_mean_sqrt_len_tokens),
        ("pooling_mode_weightedmean_tokens", said.pooling_mode_weightedmean_tokens),
        ("include_prompt false", has_prompt && !said.include_prompt),
    ] {
        if is_not_built {
            return Err(config.unknown("the setting", what, TAKE_A_TAP));
        }
    }
    // One after the other, in this order.
    let pooling = [
        (said.pooling_mode_cls_token, Pooling::Cls),
        (said.pooling_mode_max_tokens, Pooling::Max),
        (said.pooling_mode_mean_tokens, Pooling::Mean),
        (said.pooling_mode_lasttoken, Pooling::Last),
    ];
    let pooling: Vec<Pooling> =
        pooling.into_iter().filter(|(is, _)| *is).map(|(_, pooling)| pooling).collect();
    match pooling[..] {
        [] => Err(config.wrong("it says no `pooling_mode_…`".to_owned())),
        _ => Ok(Some(Sentence { pooling, normalized })),
    }
}
