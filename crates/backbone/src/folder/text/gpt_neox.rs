//! `GPTNeoXConfig`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, tokens, vocabulary},
        transformers::activation,
    },
    Built, Config, rotary, without,
};
use crate::BackboneError;
use network::families::gpt_neox::GptNeox;
use serde::Deserialize;

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
    use_parallel_residual: Option<bool>,
    attention_bias: Option<bool>,
    rotary_emb_base: Option<f64>,
    rotary_pct: Option<f64>,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, _: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let width = said.hidden_size.unwrap_or(6144);
    let (depth, heads) = (said.num_hidden_layers.unwrap_or(44), said.num_attention_heads.unwrap_or(64));
    let hidden = said.intermediate_size.unwrap_or(24_576);
    let places = said.max_position_embeddings.unwrap_or(2048);
    let known = said.vocab_size.unwrap_or(50_432);
    sane(config, &[width, hidden])?;
    vocabulary(config, &[known])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    tokens(config, places)?;
    without(config, &[("heads that do not divide the width", !width.is_multiple_of(heads))])?;
    let turns = (said.rotary_emb_base.unwrap_or(1e4), said.rotary_pct.unwrap_or(0.25));
    let network = GptNeox {
        vocabulary: known,
        width,
        depth,
        heads,
        rotary: rotary::read_partly(config, width / heads, None, turns)?,
        hidden,
        activation: activation(config, said.hidden_act.as_deref().unwrap_or("gelu"))?,
        eps: above_zero(config, "layer_norm_eps", said.layer_norm_eps.unwrap_or(1e-5))?,
        attention_bias: said.attention_bias.unwrap_or(true),
        parallel: said.use_parallel_residual.unwrap_or(true),
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}
