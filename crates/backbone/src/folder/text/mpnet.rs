//! `MPNetConfig`: BERT's layers, and a number for how far apart two tokens are.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, vocabulary},
        transformers::activation,
    },
    Built, Config, without,
};
use crate::BackboneError;
use network::families::bert::Bert;
use serde::Deserialize;

/// Whatever the configuration says.
const PADDING: u32 = 1;
/// Tokens farther apart than this are all alike, whatever it says.
const FARTHEST: usize = 128;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    intermediate_size: Option<usize>,
    hidden_act: Option<String>,
    max_position_embeddings: Option<usize>,
    layer_norm_eps: Option<f64>,
    relative_attention_num_buckets: Option<usize>,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, _: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let width = said.hidden_size.unwrap_or(768);
    let (depth, heads) = (said.num_hidden_layers.unwrap_or(12), said.num_attention_heads.unwrap_or(12));
    let hidden = said.intermediate_size.unwrap_or(3072);
    let rows = said.max_position_embeddings.unwrap_or(512);
    let known = said.vocab_size.unwrap_or(30_527);
    let distances = said.relative_attention_num_buckets.unwrap_or(32);
    sane(config, &[width, hidden, rows, distances])?;
    vocabulary(config, &[known])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    let first = PADDING as usize + 1;
    without(
        config,
        &[
            ("heads that do not divide the width", !width.is_multiple_of(heads)),
            // transformers computes with 32, whatever is said.
            ("relative_attention_num_buckets other than 32", distances != 32),
            ("max_position_embeddings below 3", rows <= first),
        ],
    )?;
    let network = Bert {
        vocabulary: known,
        places: rows,
        first_place: first,
        padding: Some(PADDING),
        distances: Some((distances, FARTHEST)),
        segments: 0,
        embedded: width,
        width,
        depth,
        shared: false,
        heads,
        hidden,
        activation: activation(config, said.hidden_act.as_deref().unwrap_or("gelu"))?,
        eps: above_zero(config, "layer_norm_eps", said.layer_norm_eps.unwrap_or(1e-12))?,
        pooler: true,
    };
    Ok(Built::new(known, rows - first, move |name, sentence| network.network(name, sentence)))
}
