//! transformers' `config.json` of networks of texts, and what stands beside it.

mod bert;
pub(super) mod dense;
pub(crate) mod exported;
mod gemma;
pub(super) mod gguf;
mod gpt2;
mod gpt_neox;
mod llama;
mod modernbert;
mod mpnet;
mod nomic;
mod rotary;
mod sentence;
mod sentencepiece;
pub(crate) mod static_embeddings;
mod t5;
mod tokenizer;

use super::{Config, Described};
use crate::BackboneError;
use network::{Network, families::text::Sentence};
use std::path::Path;

/// What to do with what is not built.
const OTHERS: &str = "networks of texts are built without that so far; take another";

/// A network of texts, but for how a sentence's vector is made.
struct Built {
    /// Tokens that it knows.
    vocabulary: usize,
    /// Tokens that a text may have.
    places: usize,
    build: Box<Build>,
}

/// From a name, and how a sentence's vector is made.
type Build = dyn Fn(&str, Option<&Sentence>) -> Network;

impl Built {
    fn new(
        vocabulary: usize,
        places: usize,
        build: impl Fn(&str, Option<&Sentence>) -> Network + 'static,
    ) -> Built {
        Built { vocabulary, places, build: Box::new(build) }
    }
}

/// A kind of networks of texts: what it is called, and who reads its configurations.
#[derive(Clone, Copy)]
pub(super) struct Kind(&'static str, fn(&Config, &str) -> Result<Built, BackboneError>);

const KINDS: [Kind; 23] = [
    Kind("bert", bert::read),
    Kind("roberta", bert::read),
    Kind("xlm-roberta", bert::read),
    Kind("camembert", bert::read),
    Kind("distilbert", bert::read),
    Kind("electra", bert::read),
    Kind("albert", bert::read),
    Kind("mpnet", mpnet::read),
    Kind("modernbert", modernbert::read),
    Kind("nomic_bert", nomic::read),
    Kind("gte", nomic::read),
    Kind("t5", t5::read),
    Kind("mt5", t5::read),
    Kind("gpt2", gpt2::read),
    Kind("gpt_neox", gpt_neox::read),
    Kind("llama", llama::read),
    Kind("mistral", llama::read),
    Kind("smollm3", llama::read),
    Kind("qwen2", llama::read),
    Kind("qwen3", llama::read),
    Kind("gemma", gemma::read),
    Kind("gemma2", gemma::read),
    Kind("gemma3_text", gemma::read),
];

impl Kind {
    /// `None` where no networks of texts are called so.
    pub(super) fn named(name: &str) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.0 == name)
    }

    /// What all are called, for messages.
    pub(super) fn all() -> String {
        KINDS.map(|kind| kind.0).join(", ") + ", model2vec"
    }
}

/// The network of a folder, and how its texts are made tokens.
///
/// # Errors
/// Where its configuration says what is not built, or there is no tokenizer.
pub(super) fn describe(
    config: Config,
    folder: &Path,
    Kind(kind, read): Kind,
) -> Result<Described, BackboneError> {
    let Built { vocabulary, places, build } = read(&config, kind)?;
    // Of the mean of its tokens, whatever else it may come to give.
    let width = build(kind, None).widths(1, 1)?.into_iter().sum();
    let sentence::Settings { sentence, dense, recipe } =
        sentence::settings(folder, kind, (places, vocabulary, width))?;
    let default_tap = if sentence.is_some() { "sentence" } else { "mean" }.to_owned();
    Ok(Described {
        name: kind.to_owned(),
        network: build(kind, sentence.as_ref()),
        default_tap,
        recipe: Some(recipe),
        dense,
        config: config.path,
    })
}

/// Refuses the first of these settings that is there.
fn without(config: &Config, settings: &[(&str, bool)]) -> Result<(), BackboneError> {
    match settings.iter().find(|(_, is_there)| *is_there) {
        Some((what, _)) => Err(config.unknown("the setting", what, OTHERS)),
        None => Ok(()),
    }
}

/// What each layer is, by transformers' names of those that see everything and of those that see a window alone.
fn layer_types<T>(
    config: &Config,
    kinds: &[String],
    depth: usize,
    layer: impl Fn(bool) -> T,
) -> Result<Vec<T>, BackboneError> {
    if kinds.len() != depth {
        return Err(config.wrong(format!("`layer_types` has {} entries for {depth} layers", kinds.len())));
    }
    let of = |kind: &String| match kind.as_str() {
        "full_attention" => Ok(layer(false)),
        "sliding_attention" => Ok(layer(true)),
        other => Err(config.unknown("the layer type", other, OTHERS)),
    };
    kinds.iter().map(of).collect()
}
