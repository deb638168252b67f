//! `T5Config` and `MT5Config`, of which the encoder is built.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, vocabulary},
        transformers::activation,
    },
    Built, Config, without,
};
use crate::BackboneError;
use network::families::t5::T5;
use serde::Deserialize;

/// Tokens of the texts that it was trained on, where the tokenizer says no other number.
const PLACES: usize = 512;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    d_model: Option<usize>,
    d_kv: Option<usize>,
    d_ff: Option<usize>,
    num_layers: Option<usize>,
    num_heads: Option<usize>,
    relative_attention_num_buckets: Option<usize>,
    relative_attention_max_distance: Option<usize>,
    layer_norm_epsilon: Option<f64>,
    feed_forward_proj: Option<String>,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, kind: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let is_mt5 = kind == "mt5";
    let width = said.d_model.unwrap_or(512);
    let (depth, heads) = (
        said.num_layers.unwrap_or(if is_mt5 { 8 } else { 6 }),
        said.num_heads.unwrap_or(if is_mt5 { 6 } else { 8 }),
    );
    let head = said.d_kv.unwrap_or(64);
    let hidden = said.d_ff.unwrap_or(if is_mt5 { 1024 } else { 2048 });
    let known = said.vocab_size.unwrap_or(if is_mt5 { 250_112 } else { 32_128 });
    let distances = said.relative_attention_num_buckets.unwrap_or(32);
    let farthest = said.relative_attention_max_distance.unwrap_or(128);
    sane(config, &[width, head, hidden, distances, farthest])?;
    vocabulary(config, &[known])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    without(
        config,
        &[
            ("relative_attention_num_buckets that is no multiple of 4", !distances.is_multiple_of(4)),
            ("relative_attention_max_distance within a quarter of the buckets", farthest <= distances / 4),
        ],
    )?;
    let said_function =
        said.feed_forward_proj.as_deref().unwrap_or(if is_mt5 { "gated-gelu" } else { "relu" });
    // "gelu" behind a gate is that by tanh.
    let (gated, function) = match said_function.strip_prefix("gated-") {
        Some("gelu") => (true, "gelu_new"),
        Some(function) => (true, function),
        None => (false, said_function),
    };
    let network = T5 {
        vocabulary: known,
        width,
        depth,
        heads,
        head,
        distances,
        farthest,
        hidden,
        activation: activation(config, function)?,
        gated,
        eps: above_zero(config, "layer_norm_epsilon", said.layer_norm_epsilon.unwrap_or(1e-6))?,
    };
    Ok(Built::new(known, PLACES, move |name, sentence| network.network(name, sentence)))
}
