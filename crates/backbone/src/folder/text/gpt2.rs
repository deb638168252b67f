//! `GPT2Config`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, vocabulary},
        transformers::activation,
    },
    Built, Config, without,
};
use crate::BackboneError;
use network::families::gpt2::Gpt2;
use serde::Deserialize;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    n_positions: Option<usize>,
    n_embd: Option<usize>,
    n_layer: Option<usize>,
    n_head: Option<usize>,
    n_inner: Option<usize>,
    activation_function: Option<String>,
    layer_norm_epsilon: Option<f64>,
    scale_attn_weights: Option<bool>,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, _: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let width = said.n_embd.unwrap_or(768);
    let (depth, heads) = (said.n_layer.unwrap_or(12), said.n_head.unwrap_or(12));
    let places = said.n_positions.unwrap_or(1024);
    let known = said.vocab_size.unwrap_or(50_257);
    let hidden = said.n_inner.unwrap_or_else(|| width.saturating_mul(4));
    sane(config, &[width, hidden, places])?;
    vocabulary(config, &[known])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    without(
        config,
        &[
            ("scale_attn_weights false", said.scale_attn_weights == Some(false)),
            ("scale_attn_by_inverse_layer_idx", said.scale_attn_by_inverse_layer_idx),
            ("add_cross_attention", said.add_cross_attention),
            ("heads that do not divide the width", !width.is_multiple_of(heads)),
        ],
    )?;
    let network = Gpt2 {
        vocabulary: known,
        places,
        width,
        depth,
        heads,
        hidden,
        activation: activation(config, said.activation_function.as_deref().unwrap_or("gelu_new"))?,
        eps: above_zero(config, "layer_norm_epsilon", said.layer_norm_epsilon.unwrap_or(1e-5))?,
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}
