//! `NomicBertConfig`, as transformers and as Nomic's own code write it, and `GteConfig`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, tokens, vocabulary},
        transformers::activation,
    },
    Built, Config, rotary, without,
};
use crate::BackboneError;
use network::families::nomic::NomicBert;
use serde::Deserialize;

/// Nomic's own files say a number by two names, transformers' and that of its own code, or by the latter alone.
#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    n_embd: Option<usize>,
    num_hidden_layers: Option<usize>,
    n_layer: Option<usize>,
    num_attention_heads: Option<usize>,
    n_head: Option<usize>,
    intermediate_size: Option<usize>,
    n_inner: Option<usize>,
    hidden_act: Option<String>,
    activation_function: Option<String>,
    max_position_embeddings: Option<usize>,
    n_positions: Option<usize>,
    /// Where there is such, queries and keys turn otherwise in texts of more than `max_trained_positions`.
    rotary_scaling_factor: Option<f64>,
    max_trained_positions: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    layer_norm_epsilon: Option<f64>,
    head_dim: Option<usize>,
    rotary_emb_base: Option<f64>,
    rotary_emb_fraction: Option<f64>,
    #[serde(default)]
    rotary_emb_interleaved: bool,
    #[serde(default)]
    prenorm: bool,
    #[serde(default)]
    parallel_block: bool,
    #[serde(default)]
    use_rms_norm: Option<bool>,
    #[serde(default)]
    qkv_proj_bias: bool,
    #[serde(default)]
    mlp_fc1_bias: bool,
    #[serde(default)]
    mlp_fc2_bias: bool,
    moe_every_n_layers: Option<usize>,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, kind: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let is_gte = kind == "gte";
    let width = said.hidden_size.or(said.n_embd).unwrap_or(768);
    let depth = said.num_hidden_layers.or(said.n_layer).unwrap_or(12);
    let heads = said.num_attention_heads.or(said.n_head).unwrap_or(12);
    let hidden = said.intermediate_size.or(said.n_inner).unwrap_or(3072);
    let places =
        said.n_positions.or(said.max_position_embeddings).unwrap_or(if is_gte { 8192 } else { 2048 });
    let trained = said.rotary_scaling_factor.map(|_| said.max_trained_positions.unwrap_or(2048));
    let places = trained.map_or(places, |trained| places.min(trained));
    let known = said.vocab_size.unwrap_or(if is_gte { 250_048 } else { 30_528 });
    let segments = said.type_vocab_size.unwrap_or(if is_gte { 1 } else { 2 });
    sane(config, &[width, hidden])?;
    vocabulary(config, &[known, segments.max(1)])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    tokens(config, places)?;
    without(
        config,
        &[
            ("heads that do not divide the width", !width.is_multiple_of(heads)),
            ("head_dim other than its share of the width", said.head_dim.is_some_and(|d| d != width / heads)),
            ("rotary_emb_fraction other than 1", said.rotary_emb_fraction.is_some_and(|part| part < 1.0)),
            ("rotary_emb_interleaved", said.rotary_emb_interleaved),
            ("prenorm", said.prenorm),
            ("parallel_block", said.parallel_block),
            ("use_rms_norm", said.use_rms_norm == Some(true)),
            ("qkv_proj_bias", said.qkv_proj_bias),
            ("mlp_fc1_bias", said.mlp_fc1_bias),
            ("mlp_fc2_bias", said.mlp_fc2_bias),
            ("moe_every_n_layers", said.moe_every_n_layers.is_some_and(|every| every > 0)),
        ],
    )?;
    let function = match said.hidden_act.as_deref().or(said.activation_function.as_deref()) {
        // Nomic's word for silu behind a gate.
        Some("swiglu") => "silu",
        Some(function) => function,
        None if is_gte => "gelu",
        None => "silu",
    };
    let theta = said.rotary_emb_base.unwrap_or(if is_gte { 160_000.0 } else { 1000.0 });
    let network = NomicBert {
        vocabulary: known,
        segments,
        width,
        depth,
        heads,
        rotary: rotary::read(config, width / heads, None, theta)?,
        hidden,
        activation: activation(config, function)?,
        eps: above_zero(
            config,
            "layer_norm_eps",
            said.layer_norm_eps.or(said.layer_norm_epsilon).unwrap_or(1e-12),
        )?,
        bias: is_gte,
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}
