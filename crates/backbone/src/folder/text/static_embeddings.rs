//! Tables of tokens whose rows are averaged: folders of model2vec's, and sentence-transformers' with a `StaticEmbedding`.

use super::{
    super::{
        Config,
        limits::{sane, vocabulary},
    },
    sentence::{self, Table},
    tokenizer::check_rows,
};
use crate::{Backbone, BackboneError, find::Weights};
use input::{
    Recipe,
    text::{Bare, Tokenisation, Tokenizer},
};
use network::families::static_embeddings::{NAME, StaticEmbeddings};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use weights::{Bound, Tensor};

/// What model2vec calls its kind of model.
const KIND: &str = "model2vec";
/// What model2vec calls a table, and torch's `EmbeddingBag`.
const TABLES: [&str; 2] = ["embeddings", "embedding.weight"];
/// What to do where tokens share rows.
const UNFOLD: &str = "save the model again without vocabulary_quantization";
/// model2vec's own default.
const TOKENS: usize = 512;

/// Of model2vec's `config.json`.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    normalize: bool,
    /// `null`: there is no limit.
    #[serde(default = "usual")]
    max_length: Option<usize>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde asks for the field's type")]
fn usual() -> Option<usize> {
    Some(TOKENS)
}

/// A table as it lies in a folder, and how texts become its tokens.
struct Found {
    folder: PathBuf,
    config: PathBuf,
    normalized: bool,
    /// As many as a text has, without end where none is said.
    max_tokens: usize,
    prompt: String,
    tokenizer: Tokenizer,
    bare: Bare,
}

/// The table of a folder; `None` where it is no folder of a table.
///
/// # Errors
/// Where the table or its tokenizer is missing, tokens share rows, or another module follows than that which divides a vector
/// by its length.
pub(crate) fn open(folder: &Path) -> Result<Option<Backbone>, BackboneError> {
    let found = match Config::read(folder, "config.json")? {
        Some(config) if is_model2vecs(&config) => Some(model2vec(&config, folder)?),
        Some(config) if config.value.get("model_type").is_some() => None,
        _ => sentence_transformers(folder)?,
    };
    found.map(Found::open).transpose()
}

/// Only tables that it has distilled itself bear its name.
fn is_model2vecs(config: &Config) -> bool {
    match config.value.get("model_type") {
        Some(kind) => kind == KIND,
        None => config.value.get("normalize").is_some_and(serde_json::Value::is_boolean),
    }
}

fn model2vec(config: &Config, folder: &Path) -> Result<Found, BackboneError> {
    let said: Said = config.parse()?;
    let tokenizer = Tokenizer::beside(folder)?;
    // It cuts texts by characters before it makes tokens of them.
    let characters_per_token = said.max_length.map(|_| tokenizer.median_length());
    Ok(Found {
        folder: folder.to_owned(),
        config: config.path.clone(),
        normalized: said.normalize,
        max_tokens: said.max_length.unwrap_or(usize::MAX),
        prompt: String::new(),
        tokenizer,
        bare: Bare { keeps_unknown: false, characters_per_token },
    })
}

fn sentence_transformers(folder: &Path) -> Result<Option<Found>, BackboneError> {
    let Some(Table { folder, normalized, prompt, config }) = sentence::table(folder)? else {
        return Ok(None);
    };
    let tokenizer = Tokenizer::beside(&folder)?;
    if tokenizer.loses_starts() {
        return Err(config.unknown("`truncation`", "left", "texts lose their end here"));
    }
    Ok(Some(Found {
        folder,
        config: config.path,
        normalized,
        max_tokens: tokenizer.cuts_at().unwrap_or(usize::MAX),
        prompt,
        tokenizer,
        bare: Bare { keeps_unknown: true, characters_per_token: None },
    }))
}

impl Found {
    fn open(self) -> Result<Backbone, BackboneError> {
        let Found { folder, config, normalized, max_tokens, prompt, tokenizer, bare } = self;
        let (label, table) = table(&folder)?;
        let rows = table.shape[0];
        check_rows(&tokenizer, rows, &folder)?;
        let network = StaticEmbeddings { vocabulary: rows, width: table.shape[1] }.network(NAME, normalized);
        let mut table = Some(table);
        let bound = Bound::from_tensors(network.clone(), &label, |_| table.take())?;
        let how = Tokenisation::bare(tokenizer, max_tokens, prompt, bare);
        let how = how.map_err(|reason| BackboneError::Config { file: folder, reason })?;
        Ok(Backbone {
            name: NAME.to_owned(),
            network,
            default_tap: "sentence".to_owned(),
            recipe: Some(Recipe::Text(how)),
            note: Some(format!("`{}` is of {NAME}", config.display())),
            weights: Weights::Bound(bound, label),
        })
    }
}

/// The table of a folder, and the file that holds it.
fn table(folder: &Path) -> Result<(String, Tensor), BackboneError> {
    let file = weights::open(folder)?;
    let label = file.label().to_owned();
    let config = Config { path: label.clone().into(), value: serde_json::Value::Null };
    if let Some(shared) = ["mapping", "weights"].into_iter().find(|name| file.shape(name).is_some()) {
        return Err(config.unknown("the tensor", shared, UNFOLD));
    }
    let Some(name) = TABLES.into_iter().find(|name| file.shape(name).is_some()) else {
        return Err(config.wrong(format!("it has no tensor `{}`", TABLES.join("` or `"))));
    };
    match file.shape(name) {
        Some(&[rows, width]) => {
            vocabulary(&config, &[rows])?;
            sane(&config, &[width])?;
        }
        other => {
            let got = format!("{:?}", other.unwrap_or_default());
            return Err(config.wrong(format!("the tensor `{name}` should have rows of numbers, got {got}")));
        }
    }
    let table = file.read(name)?;
    table.map(|table| (label, table)).ok_or_else(|| config.wrong(format!("it has no tensor `{name}`")))
}
