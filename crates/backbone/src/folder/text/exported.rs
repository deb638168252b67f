//! Folders of texts that our own `export` writes for transformers, with a class of ours in them: `model_type` `headstart`. What
//! they say of the network stands under `network`, as its own folder said it.

use super::{
    super::{Config, Described},
    Built, Kind, gguf, sentence,
};
use crate::BackboneError;
use network::{
    Activation,
    families::text::{Dense, Pooling, Sentence},
};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Their `model_type`.
pub const KIND: &str = "headstart";

/// Of their `config.json`.
#[derive(Deserialize)]
struct Said {
    network: Value,
    features: Vec<Feature>,
}

/// What the head reads at one tap.
#[derive(Deserialize)]
struct Feature {
    tap: String,
    pooling: Vec<String>,
    /// Of each layer its inputs and outputs, whether it has a bias, and what comes after it.
    dense: Vec<(usize, usize, bool, Option<Activation>)>,
    normalized: bool,
}

/// # Errors
/// Where the network is of a kind that is not built, or as for its own folder.
pub(in crate::folder) fn describe(config: Config, folder: &Path) -> Result<Described, BackboneError> {
    let Said { network, features } = config.parse()?;
    let own = Config { path: config.path, value: network };
    let said = own.text("model_type").unwrap_or_default();
    let Some(Kind(kind, read)) = Kind::named(said) else {
        return Err(own.unknown("`model_type` of `network`", said, super::OTHERS));
    };
    let sentence = features.into_iter().find(|feature| feature.tap == "sentence");
    let sentence = sentence.map(|feature| feature.sentence(&own)).transpose()?;
    let Built { vocabulary, places, build } = read(&own, kind)?;
    let width = build(kind, None).widths(1, 1)?.into_iter().sum();
    let sentence::Settings { dense, recipe, .. } =
        sentence::settings(folder, kind, (places, vocabulary, width))?;
    Ok(Described {
        name: kind.to_owned(),
        network: build(kind, sentence.as_ref()),
        default_tap: if sentence.is_some() { "sentence" } else { "mean" }.to_owned(),
        recipe: Some(recipe),
        dense,
        config: own.path,
    })
}

impl Feature {
    fn sentence(self, config: &Config) -> Result<Sentence, BackboneError> {
        let known = [Pooling::Cls, Pooling::Mean, Pooling::Max, Pooling::Last];
        let pooling = self.pooling.iter().map(|name| {
            let found = known.into_iter().find(|pooling| pooling.tap() == name);
            found.ok_or_else(|| config.unknown("the pooling", name, super::OTHERS))
        });
        let dense = self.dense.into_iter().map(|(_, out, bias, activation)| Dense { out, bias, activation });
        Ok(Sentence {
            pooling: pooling.collect::<Result<_, _>>()?,
            dense: dense.collect(),
            normalized: self.normalized,
        })
    }
}

/// What transformers' `config.json` says of a network of texts, or would say of a GGUF file's; `None` where nothing does.
///
/// # Errors
/// Where that is no JSON, or the file is damaged.
pub fn config_of_texts(path: &Path) -> Result<Option<Value>, BackboneError> {
    if path.is_file() {
        return gguf::config(path);
    }
    let Some(config) = Config::read(path, "config.json")? else {
        return gguf::config(&weights::file_of(path)?);
    };
    Ok(Some(match config.text("model_type") {
        Some(KIND) => config.parse::<Said>()?.network,
        _ => config.value,
    }))
}
