//! `ModernBertConfig`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, tokens, vocabulary},
        transformers::activation,
    },
    Built, Config, rotary, without,
};
use crate::BackboneError;
use network::{Reach, families::modernbert::ModernBert};
use serde::Deserialize;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    hidden_activation: Option<String>,
    max_position_embeddings: Option<usize>,
    norm_eps: Option<f64>,
    global_attn_every_n_layers: Option<usize>,
    local_attention: Option<usize>,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    layer_types: Option<Vec<String>>,
    #[serde(default)]
    norm_bias: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, _: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let width = said.hidden_size.unwrap_or(768);
    let (depth, heads) = (said.num_hidden_layers.unwrap_or(22), said.num_attention_heads.unwrap_or(12));
    let hidden = said.intermediate_size.unwrap_or(1152);
    let places = said.max_position_embeddings.unwrap_or(8192);
    let known = said.vocab_size.unwrap_or(50_368);
    let every = said.global_attn_every_n_layers.unwrap_or(3);
    sane(config, &[width, hidden, every])?;
    vocabulary(config, &[known])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    tokens(config, places)?;
    without(
        config,
        &[
            ("norm_bias", said.norm_bias),
            ("attention_bias", said.attention_bias),
            ("mlp_bias", said.mlp_bias),
            ("heads that do not divide the width", !width.is_multiple_of(heads)),
        ],
    )?;
    let theta = |layers: &str, own: Option<f64>, default: f64| {
        rotary::read(config, width / heads, Some(layers), own.unwrap_or(default))
    };
    let wide = (Reach::ALL, theta("full_attention", said.global_rope_theta, 160_000.0)?);
    // Half of it on either side.
    let side = said.local_attention.unwrap_or(128) / 2;
    let near = Reach { back: Some(side), ahead: Some(side) };
    let narrow = (near, theta("sliding_attention", said.local_rope_theta, 10_000.0)?);
    let layers = match &said.layer_types {
        None => (0..depth).map(|layer| if layer.is_multiple_of(every) { wide } else { narrow }).collect(),
        Some(kinds) => {
            super::layer_types(config, kinds, depth, |sliding| if sliding { narrow } else { wide })?
        }
    };
    let network = ModernBert {
        vocabulary: known,
        width,
        heads,
        layers,
        hidden,
        activation: activation(config, said.hidden_activation.as_deref().unwrap_or("gelu"))?,
        eps: above_zero(config, "norm_eps", said.norm_eps.unwrap_or(1e-5))?,
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}
