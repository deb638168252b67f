//! How a folder's texts become tokens, and a text's tokens one vector: its tokenizer, and what sentence-transformers says.

use super::{super::Config, dense};
use crate::BackboneError;
use input::{
    Recipe,
    text::{Tokenisation, Tokenizer},
};
use network::families::text::{Pooling, Sentence};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use weights::Tensors;

/// What stands beside a network of texts.
pub(super) struct Settings {
    /// As `modules.json` says; `None` where there is none.
    pub(super) sentence: Option<Sentence>,
    /// Weights of the dense layers behind the pooling.
    pub(super) dense: Vec<Box<dyn Tensors>>,
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

/// kind: of the network. places: tokens that it has places for. width: numbers that it gives for a token.
///
/// # Errors
/// Where the tokenizer is missing or another's, or a module is not built.
pub(super) fn settings(
    folder: &Path,
    kind: &str,
    (places, vocabulary, width): (usize, usize, usize),
) -> Result<Settings, BackboneError> {
    let prompt = prompt(folder)?;
    let (sentence, dense) = sentence(folder, width, !prompt.is_empty())?.unzip();
    let tokenizer = super::tokenizer::of(folder, kind)?;
    super::tokenizer::check_rows(&tokenizer, vocabulary, folder)?;
    let said = said(folder, &tokenizer)?;
    let most = said.map_or(places, |said| said.min(places));
    let how = Tokenisation::new(tokenizer, most, prompt);
    let how = how.map_err(|reason| BackboneError::Config { file: folder.to_owned(), reason })?;
    Ok(Settings { sentence, dense: dense.unwrap_or_default(), recipe: Recipe::Text(how) })
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

/// How a sentence's vector is made, and the weights of its dense layers.
type Made = (Sentence, Vec<Box<dyn Tensors>>);

fn sentence(folder: &Path, width: usize, has_prompt: bool) -> Result<Option<Made>, BackboneError> {
    let Some(config) = Config::read(folder, "modules.json")? else { return Ok(None) };
    let modules: Vec<Module> = config.parse()?;
    let kinds = kinds(&modules);
    let ["Transformer", "Pooling", after @ ..] = &kinds[..] else {
        return Err(config.unknown("the modules", &kinds.join(", "), TAKE_A_TAP));
    };
    let normalized = after.last() == Some(&"Normalize");
    let after = &after[..after.len() - usize::from(normalized)];
    if after.iter().any(|kind| *kind != "Dense") {
        return Err(config.unknown("the modules", &kinds.join(", "), TAKE_A_TAP));
    }
    let folders = &modules[1..2 + after.len()];
    if let Some(module) = folders.iter().find(|module| !is_plain(&module.path)) {
        return Err(config.unknown("the path", &module.path, TAKE_A_TAP));
    }
    let pooling = pooling(&config, folder, &folders[0].path, has_prompt)?;
    let (mut dense, mut files, mut width) = (Vec::new(), Vec::new(), width * pooling.len().max(1));
    for module in &folders[1..] {
        let (layer, file) = dense::read(&folder.join(&module.path), width, TAKE_A_TAP)?;
        width = layer.out;
        dense.push(layer);
        files.push(file);
    }
    Ok(Some((Sentence { pooling, dense, normalized }, files)))
}

/// `config`: of the modules, one of which is a pooling at `path`.
fn pooling(
    config: &Config,
    folder: &Path,
    path: &str,
    has_prompt: bool,
) -> Result<Vec<Pooling>, BackboneError> {
    let Some(config) = Config::read(&folder.join(path), "config.json")? else {
        return Err(config.wrong(format!("`{path}/config.json` is missing")));
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
    pooling.collect()
}
