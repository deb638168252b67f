//! transformers' `config.json` of networks of texts.

use super::{
    Config, Described, EXPORT_IT,
    limits::{above_zero, heads_of, sane, shallow, vocabulary},
    sentence,
    transformers::activation,
};
use crate::BackboneError;
use network::families::bert::Bert;
use serde::Deserialize;
use std::path::Path;

/// The kinds of networks of texts that are built here.
pub(super) const KINDS: [&str; 6] = ["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra"];

/// Of `BertConfig`, `RobertaConfig` and `DistilBertConfig`, which calls the same otherwise.
#[derive(Deserialize)]
struct Encoder {
    #[serde(default = "of::<30_522>")]
    vocab_size: usize,
    #[serde(alias = "dim", default = "of::<768>")]
    hidden_size: usize,
    #[serde(alias = "n_layers", default = "of::<12>")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads", default = "of::<12>")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: Option<usize>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    #[serde(default = "of::<512>")]
    max_position_embeddings: usize,
    #[serde(default = "of::<2>")]
    type_vocab_size: usize,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    embedding_size: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default)]
    sinusoidal_pos_embds: bool,
}

fn of<const N: usize>() -> usize {
    N
}

/// The network of a folder, and how its texts are made tokens.
///
/// # Errors
/// Where its configuration says what is not built, or there is no tokenizer.
pub(super) fn describe(config: Config, folder: &Path, kind: &str) -> Result<Described, BackboneError> {
    let network = encoder(&config, kind)?;
    let places = network.places - network.first_place;
    let sentence::Settings { sentence, recipe } = sentence::settings(folder, places, network.vocabulary)?;
    let default_tap = if sentence.is_some() { "sentence" } else { "mean" }.to_owned();
    let network = network.network(kind, sentence.as_ref());
    Ok(Described { name: kind.to_owned(), network, default_tap, recipe: Some(recipe), config: config.path })
}

fn encoder(config: &Config, kind: &str) -> Result<Bert, BackboneError> {
    let said: Encoder = config.parse()?;
    let is_roberta = ["roberta", "xlm-roberta", "camembert"].contains(&kind);
    let (width, heads) = (said.hidden_size, said.num_attention_heads);
    let hidden = said.intermediate_size.unwrap_or(width.saturating_mul(4));
    // transformers' own defaults.
    let eps = said.layer_norm_eps.unwrap_or(if is_roberta && kind != "roberta" { 1e-5 } else { 1e-12 });
    sane(config, &[width, hidden, said.max_position_embeddings])?;
    vocabulary(config, &[said.vocab_size, said.type_vocab_size.max(1)])?;
    heads_of(config, &[heads])?;
    shallow(config, &[said.num_hidden_layers])?;
    let relative = said.position_embedding_type.as_deref().filter(|kind| *kind != "absolute");
    for (what, is_not_built) in [
        ("position_embedding_type other than absolute", relative.is_some()),
        ("embedding_size other than hidden_size", said.embedding_size.is_some_and(|size| size != width)),
        ("is_decoder", said.is_decoder),
        ("sinusoidal_pos_embds", said.sinusoidal_pos_embds),
        ("heads that do not divide the width", !width.is_multiple_of(heads)),
    ] {
        if is_not_built {
            return Err(config.unknown("the setting", what, EXPORT_IT));
        }
    }
    let first_place = if is_roberta { said.pad_token_id.unwrap_or(1).saturating_add(1) } else { 0 };
    if first_place >= said.max_position_embeddings {
        return Err(config.unknown(
            "`pad_token_id`",
            &(first_place - 1).to_string(),
            "no place is left for a token",
        ));
    }
    Ok(Bert {
        vocabulary: said.vocab_size,
        places: said.max_position_embeddings,
        first_place,
        segments: if kind == "distilbert" { 0 } else { said.type_vocab_size },
        width,
        depth: said.num_hidden_layers,
        heads,
        hidden,
        activation: activation(config, said.hidden_act.as_deref().unwrap_or("gelu"))?,
        eps: above_zero(config, "layer_norm_eps", eps)?,
        pooler: !["distilbert", "electra"].contains(&kind),
    })
}
