//! How a folder's texts become tokens, and a text's tokens one vector: its tokenizer, and what sentence-transformers says.

use super::super::Config;
use crate::BackboneError;
use input::{
    Recipe,
    text::{Tokenisation, Tokenizer},
};
use network::families::text::{Pooling, Sentence};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What stands beside a network of texts.
pub(super) struct Settings {
    /// As `modules.json` says; `None` where there is none.
    pub(super) sentence: Option<Sentence>,
    pub(super) recipe: Recipe,
}

/// What to do with what is not built.
const TAKE_A_TAP: &str = "remove modules.json from a copy of the folder, and read a tap such as mean";

/// What to do where a tokenizer's files disagree.
const SAVE_IT: &str =
    "its tokenizer.json does otherwise; save the tokenizer again with transformers' save_pretrained";

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Of `1_Pooling/config.json`: flags, or one or several names since version 5.
#[derive(Deserialize)]
struct Pool {
    pooling_mode: Option<Modes>,
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

#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

impl Pool {
    /// By their names, in the order in which they are put one after the other.
    fn modes(&self) -> Vec<&str> {
        match &self.pooling_mode {
            Some(Modes::One(name)) => vec![name],
            Some(Modes::Several(names)) => names.iter().map(String::as_str).collect(),
            None => {
                let flags = [
                    (self.pooling_mode_cls_token, "cls"),
                    (self.pooling_mode_max_tokens, "max"),
                    (self.pooling_mode_mean_tokens, "mean"),
                    (self.pooling_mode_mean_sqrt_len_tokens, "mean_sqrt_len_tokens"),
                    (self.pooling_mode_weightedmean_tokens, "weightedmean"),
                    (self.pooling_mode_lasttoken, "lasttoken"),
                ];
                let modes: Vec<&str> =
                    flags.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
                if modes.is_empty() { vec!["mean"] } else { modes }
            }
        }
    }
}

fn yes() -> bool {
    true
}

/// The names under which sentence-transformers has looked for its own settings, in its order.
const SETTINGS: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// places: tokens that the network has places for.
///
/// # Errors
/// Where the tokenizer is missing or another's, or a module is not built.
pub(super) fn settings(folder: &Path, places: usize, vocabulary: usize) -> Result<Settings, BackboneError> {
    let prompt = prompt(folder)?;
    let sentence = sentence(folder, !prompt.is_empty())?;
    let tokenizer = super::tokenizer::of(folder)?;
    super::tokenizer::check_rows(&tokenizer, vocabulary, folder)?;
    let said = said(folder, &tokenizer)?;
    let most = said.map_or(places, |said| said.min(places));
    let how = Tokenisation::new(tokenizer, most, prompt);
    let how = how.map_err(|reason| BackboneError::Config { file: folder.to_owned(), reason })?;
    Ok(Settings { sentence, recipe: Recipe::Text(how) })
}

/// Tokens that a text has at most, where that is said: by sentence-transformers, or else by the tokenizer's configuration.
///
/// # Errors
/// Where either says something else of the tokenizer than its own file does.
fn said(folder: &Path, tokenizer: &Tokenizer) -> Result<Option<usize>, BackboneError> {
    let number = |config: &Config, key: &str| {
        // Who knows no limit says 10³⁰.
        let said = config.value.get(key).and_then(serde_json::Value::as_u64);
        said.and_then(|said| usize::try_from(said).ok()).filter(|said| *said > 0)
    };
    let lowers = |config: &Config| config.value.get("do_lower_case").and_then(serde_json::Value::as_bool);
    let own = match Config::read(folder, "tokenizer_config.json")? {
        Some(config) => {
            if lowers(&config).is_some_and(|said| said != tokenizer.lowers()) {
                let said = !tokenizer.lowers();
                return Err(config.unknown("`do_lower_case`", &said.to_string(), SAVE_IT));
            }
            if let Some(side) = config.text("truncation_side").filter(|side| *side != "right") {
                return Err(config.unknown("`truncation_side`", side, "texts lose their end here"));
            }
            number(&config, "model_max_length")
        }
        None => None,
    };
    for name in SETTINGS {
        let Some(config) = Config::read(folder, name)? else { continue };
        // It makes letters small before the tokenizer does.
        if lowers(&config) == Some(true) && !tokenizer.lowers() {
            return Err(config.unknown("`do_lower_case`", "true", SAVE_IT));
        }
        return Ok(number(&config, "max_seq_length").or(own));
    }
    Ok(own)
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

/// A table of tokens, as `modules.json` says where it lies.
pub(super) struct Table {
    pub(super) folder: PathBuf,
    pub(super) normalized: bool,
    pub(super) prompt: String,
    /// `modules.json`.
    pub(super) config: Config,
}

/// `None` where the first module is no table.
///
/// # Errors
/// Where another module follows than that which divides a vector by its length.
pub(super) fn table(folder: &Path) -> Result<Option<Table>, BackboneError> {
    let Some(config) = Config::read(folder, "modules.json")? else { return Ok(None) };
    let modules: Vec<Module> = config.parse()?;
    let kinds = kinds(&modules);
    let normalized = match kinds[..] {
        ["StaticEmbedding"] => false,
        ["StaticEmbedding", "Normalize"] => true,
        ["StaticEmbedding", ..] => {
            return Err(config.unknown("the modules", &kinds.join(", "), "only Normalize may follow"));
        }
        _ => return Ok(None),
    };
    let path = modules[0].path.as_str();
    if !matches!(path, "" | ".") && !is_plain(path) {
        return Err(config.unknown("the path", path, "expected a folder beside it"));
    }
    Ok(Some(Table { folder: folder.join(path), normalized, prompt: prompt(folder)?, config }))
}

fn kinds(modules: &[Module]) -> Vec<&str> {
    modules.iter().map(|module| module.kind.rsplit('.').next().unwrap_or_default()).collect()
}

/// Whether a path is a name of one folder, and not of one elsewhere.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn sentence(folder: &Path, has_prompt: bool) -> Result<Option<Sentence>, BackboneError> {
    let Some(config) = Config::read(folder, "modules.json")? else { return Ok(None) };
    let modules: Vec<Module> = config.parse()?;
    let kinds = kinds(&modules);
    let (pool, normalized) = match kinds[..] {
        ["Transformer", "Pooling"] => (&modules[1], false),
        ["Transformer", "Pooling", "Normalize"] => (&modules[1], true),
        _ => return Err(config.unknown("the modules", &kinds.join(", "), TAKE_A_TAP)),
    };
    if !is_plain(&pool.path) {
        return Err(config.unknown("the path", &pool.path, TAKE_A_TAP));
    }
    let Some(config) = Config::read(&folder.join(&pool.path), "config.json")? else {
        return Err(config.wrong(format!("`{}/config.json` is missing", pool.path)));
    };
    let said: Pool = config.parse()?;
    if has_prompt && !said.include_prompt {
        return Err(config.unknown("the setting", "include_prompt false", TAKE_A_TAP));
    }
    let pooling = said.modes().into_iter().map(|mode| match mode {
        "cls" => Ok(Pooling::Cls),
        "max" => Ok(Pooling::Max),
        "mean" => Ok(Pooling::Mean),
        "lasttoken" => Ok(Pooling::Last),
        other => Err(config.unknown("the pooling", other, TAKE_A_TAP)),
    });
    Ok(Some(Sentence { pooling: pooling.collect::<Result<_, _>>()?, normalized }))
}
