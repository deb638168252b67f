//! `GemmaConfig`, `Gemma2Config` and `Gemma3TextConfig`.

use super::{
    super::{
        limits::{above_zero, heads_of, sane, shallow, tokens, vocabulary},
        transformers::activation,
    },
    Built, Config, rotary, without,
};
use crate::BackboneError;
use network::{Reach, Rotary, families::llama::Llama};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Said {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    /// Of the first Gemma, and of those after it.
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f64>,
    attention_bias: Option<bool>,
    use_bidirectional_attention: Option<bool>,
    query_pre_attn_scalar: Option<f64>,
    sliding_window: Option<usize>,
    sliding_window_pattern: Option<usize>,
    layer_types: Option<Vec<String>>,
    attn_logit_softcapping: Option<f64>,
    rope_local_base_freq: Option<f64>,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, kind: &str) -> Result<Built, BackboneError> {
    let said: Said = config.parse()?;
    let is_first = kind == "gemma";
    let width = said.hidden_size.unwrap_or(if is_first { 3072 } else { 2304 });
    let depth = said.num_hidden_layers.unwrap_or(if is_first { 28 } else { 26 });
    let heads = said.num_attention_heads.unwrap_or(if is_first { 16 } else { 8 });
    let key_heads = said.num_key_value_heads.unwrap_or(if is_first { 16 } else { 4 });
    let hidden = said.intermediate_size.unwrap_or(if is_first { 24_576 } else { 9216 });
    let (head, is_third) = (said.head_dim.unwrap_or(256), kind == "gemma3_text");
    let places = said.max_position_embeddings.unwrap_or(if is_third { 131_072 } else { 8192 });
    let known = said.vocab_size.unwrap_or(if is_third { 262_208 } else { 256_000 });
    sane(config, &[width, hidden, head])?;
    heads_of(config, &[heads, key_heads])?;
    vocabulary(config, &[known])?;
    shallow(config, &[depth])?;
    tokens(config, places)?;
    // Gemma 2 has it unless it says that it has not.
    let caps = kind == "gemma2" && config.value.get("attn_logit_softcapping").is_none();
    let sees_all = said.use_bidirectional_attention == Some(true);
    without(
        config,
        &[
            ("attn_logit_softcapping", caps || said.attn_logit_softcapping.is_some()),
            ("use_bidirectional_attention", sees_all && !is_third),
            ("key-value heads that do not divide the heads", !heads.is_multiple_of(key_heads)),
        ],
    )?;
    let function = if is_first { said.hidden_act.as_deref() } else { said.hidden_activation.as_deref() };
    // The first files of the first Gemma say "gelu" of that by tanh.
    let function = function.filter(|name| !is_first || *name != "gelu").unwrap_or("gelu_pytorch_tanh");
    let scale = above_zero(config, "query_pre_attn_scalar", said.query_pre_attn_scalar.unwrap_or(256.0))?;
    let network = Llama {
        vocabulary: known,
        width,
        heads,
        key_heads,
        head,
        layers: layers(config, &said, (kind, head, depth))?,
        scale: (!is_first).then(|| scale.sqrt().recip()),
        hidden,
        activation: activation(config, function)?,
        eps: above_zero(config, "rms_norm_eps", said.rms_norm_eps.unwrap_or(1e-6))?,
        projection_bias: said.attention_bias == Some(true),
        out_bias: said.attention_bias == Some(true),
        mlp_bias: false,
        head_norms: is_third,
        post_norms: !is_first,
        gemma: true,
    };
    Ok(Built::new(known, places, move |name, sentence| network.network(name, sentence)))
}

/// Of each layer, which tokens a token sees, and how queries and keys are turned.
fn layers(
    config: &Config,
    said: &Said,
    (kind, head, depth): (&str, usize, usize),
) -> Result<Vec<(Reach, Option<Rotary>)>, BackboneError> {
    let is_third = kind == "gemma3_text";
    let theta = if is_third { 1e6 } else { 1e4 };
    let wide = rotary::read(config, head, is_third.then_some("full_attention"), theta)?;
    if kind == "gemma" {
        return Ok(vec![(Reach::BEFORE, Some(wide)); depth]);
    }
    let window = said.sliding_window.unwrap_or(4096);
    if window == 0 {
        return Err(config.unknown("`sliding_window`", "0", "expected a number above zero"));
    }
    // A token is one of its own window. Where it sees both sides, half of it is on either.
    let (all, near) = if said.use_bidirectional_attention == Some(true) {
        (Reach::ALL, Reach { back: Some(window / 2), ahead: Some(window / 2) })
    } else {
        (Reach::BEFORE, Reach { back: Some(window - 1), ..Reach::BEFORE })
    };
    let narrow = if is_third { local(config, said, head)? } else { wide };
    let layer = |sliding| if sliding { (near, Some(narrow)) } else { (all, Some(wide)) };
    match &said.layer_types {
        Some(kinds) => super::layer_types(config, kinds, depth, layer),
        None => {
            let every =
                said.sliding_window_pattern.filter(|_| is_third).unwrap_or(if is_third { 6 } else { 2 });
            Ok((1..=depth).map(|layer_at| layer(every == 0 || !layer_at.is_multiple_of(every))).collect())
        }
    }
}

/// Of layers that see a window: what is said of all does not hold for them.
fn local(config: &Config, said: &Said, head: usize) -> Result<Rotary, BackboneError> {
    let own = config.value.pointer("/rope_parameters/sliding_attention").cloned().unwrap_or_default();
    let own = Config { path: config.path.clone(), value: json!({"rope_parameters": own}) };
    rotary::read(&own, head, None, said.rope_local_base_freq.unwrap_or(1e4))
}
