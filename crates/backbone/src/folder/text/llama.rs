//! `LlamaConfig`, `MistralConfig`, `SmolLM3Config`, `Qwen2Config` and `Qwen3Config`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, tokens, vocabulary},
        transformers::activation,
    },
    Built, Config, rotary, without,
};
use crate::BackboneError;
use network::{Reach, families::llama::Llama};
use serde::Deserialize;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f64>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    /// `null` says that there is none, which is not the same as saying nothing.
    #[serde(default = "unsaid")]
    sliding_window: Option<usize>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    /// Of SmolLM3: 0 of a layer whose queries and keys do not turn.
    no_rope_layers: Option<Vec<usize>>,
    no_rope_layer_interval: Option<usize>,
}

/// What all of transformers' defaults are.
#[expect(clippy::unnecessary_wraps, reason = "serde asks for the field's type")]
fn unsaid() -> Option<usize> {
    Some(4096)
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, kind: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let (is_mistral, is_qwen, is_qwen3) = (kind == "mistral", kind.starts_with("qwen"), kind == "qwen3");
    let is_smol = kind == "smollm3";
    let width = said.hidden_size.unwrap_or(if is_smol { 2048 } else { 4096 });
    let depth = said.num_hidden_layers.unwrap_or(if is_smol { 36 } else { 32 });
    let heads = said.num_attention_heads.unwrap_or(if is_smol { 16 } else { 32 });
    let hidden = said.intermediate_size.unwrap_or(match kind {
        "mistral" => 14_336,
        "llama" | "smollm3" => 11_008,
        _ => 22_016,
    });
    heads_of(config, &[heads])?;
    let key_heads = said.num_key_value_heads.unwrap_or(match kind {
        "mistral" => heads.min(8),
        "smollm3" => heads.min(4),
        _ => heads,
    });
    let of_head = said.head_dim.unwrap_or(if is_qwen3 { 128 } else { width / heads });
    let places = said.max_position_embeddings.unwrap_or(match kind {
        "llama" => 2048,
        "mistral" => 131_072,
        _ => 32_768,
    });
    let known = said.vocab_size.unwrap_or(match kind {
        "smollm3" => 128_256,
        _ if is_qwen => 151_936,
        _ => 32_000,
    });
    sane(config, &[width, hidden, of_head])?;
    heads_of(config, &[key_heads])?;
    vocabulary(config, &[known])?;
    shallow(config, &[depth])?;
    tokens(config, places)?;
    without(
        config,
        &[
            ("key-value heads that do not divide the heads", !heads.is_multiple_of(key_heads)),
            ("use_sliding_window", is_smol && said.use_sliding_window),
        ],
    )?;
    let rotary = rotary::read(config, of_head, None, if is_smol { 2e6 } else { 1e4 })?;
    let reaches = layers(config, &said, (is_mistral, is_qwen), depth)?;
    let turns = if is_smol { turning(config, &said, depth)? } else { vec![true; depth] };
    let network = Llama {
        vocabulary: known,
        width,
        heads,
        key_heads,
        head: of_head,
        layers: reaches
            .into_iter()
            .zip(turns)
            .map(|(reach, turns)| (reach, turns.then_some(rotary)))
            .collect(),
        scale: None,
        hidden,
        activation: activation(config, said.hidden_act.as_deref().unwrap_or("silu"))?,
        eps: above_zero(config, "rms_norm_eps", said.rms_norm_eps.unwrap_or(1e-6))?,
        projection_bias: said.attention_bias || kind == "qwen2",
        out_bias: said.attention_bias && kind != "qwen2",
        mlp_bias: said.mlp_bias && (kind == "llama" || is_smol),
        head_norms: is_qwen3,
        post_norms: false,
        gemma: false,
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}

/// Which tokens a token sees in each layer: all before it, or those of a window that ends with it.
fn layers(
    config: &Config,
    said: &Said,
    (is_mistral, is_qwen): (bool, bool),
    depth: usize,
) -> Result<Vec<Reach>, BackboneError> {
    let window = said.sliding_window.filter(|_| is_mistral || said.use_sliding_window && is_qwen);
    let Some(window) = window else { return Ok(vec![Reach::BEFORE; depth]) };
    if window == 0 {
        return Err(config.unknown("`sliding_window`", "0", "expected a number above zero"));
    }
    // A token is one of its own window.
    let narrow = Reach { back: Some(window - 1), ..Reach::BEFORE };
    if is_mistral {
        return Ok(vec![narrow; depth]);
    }
    let Some(kinds) = &said.layer_types else {
        let first = said.max_window_layers.unwrap_or(28);
        return Ok((0..depth).map(|layer| if layer >= first { narrow } else { Reach::BEFORE }).collect());
    };
    super::layer_types(config, kinds, depth, |sliding| if sliding { narrow } else { Reach::BEFORE })
}

/// Whether queries and keys turn, of each layer of a SmolLM3.
fn turning(config: &Config, said: &Said, depth: usize) -> Result<Vec<bool>, BackboneError> {
    match &said.no_rope_layers {
        Some(flags) if flags.len() < depth => {
            Err(config.wrong(format!("`no_rope_layers` has {} entries for {depth} layers", flags.len())))
        }
        Some(flags) => Ok(flags[..depth].iter().map(|flag| *flag != 0).collect()),
        None => {
            let every = said.no_rope_layer_interval.unwrap_or(4);
            Ok((1..=depth).map(|layer| every == 0 || !layer.is_multiple_of(every)).collect())
        }
    }
}
