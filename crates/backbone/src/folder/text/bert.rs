//! `BertConfig`, and those of networks that have its layers.

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

/// Of `BertConfig`, `RobertaConfig` and others.
#[derive(Deserialize)]
struct Encoder {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    intermediate_size: Option<usize>,
    hidden_act: Option<String>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    embedding_size: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
    /// Of ALBERT, as the next.
    num_hidden_groups: Option<usize>,
    inner_group_num: Option<usize>,
}

/// Of `DistilBertConfig`, which calls the same otherwise.
#[derive(Deserialize)]
struct Distilled {
    vocab_size: Option<usize>,
    dim: Option<usize>,
    n_layers: Option<usize>,
    n_heads: Option<usize>,
    hidden_dim: Option<usize>,
    activation: Option<String>,
    max_position_embeddings: Option<usize>,
    #[serde(default)]
    sinusoidal_pos_embds: bool,
}

/// What is not said is transformers' own default.
pub(super) fn read(config: &Config, kind: &str) -> Result<Built, BackboneError> {
    let network = encoder(config, kind)?;
    let (vocabulary, places) = (network.vocabulary, network.places - network.first_place);
    Ok(Built::new(vocabulary, places, move |name, sentence| network.network(name, sentence)))
}

fn encoder(config: &Config, kind: &str) -> Result<Bert, BackboneError> {
    let (said, sinusoidal) = match kind {
        "distilbert" => {
            let said: Distilled = config.parse()?;
            let own = Encoder {
                vocab_size: said.vocab_size,
                hidden_size: said.dim,
                num_hidden_layers: said.n_layers.or(Some(6)),
                num_attention_heads: said.n_heads,
                intermediate_size: said.hidden_dim,
                hidden_act: said.activation,
                max_position_embeddings: said.max_position_embeddings,
                type_vocab_size: Some(0),
                layer_norm_eps: None,
                pad_token_id: None,
                position_embedding_type: None,
                embedding_size: None,
                is_decoder: false,
                num_hidden_groups: None,
                inner_group_num: None,
            };
            (own, said.sinusoidal_pos_embds)
        }
        _ => (config.parse()?, false),
    };
    let is_roberta = ["roberta", "xlm-roberta", "camembert"].contains(&kind);
    let (is_electra, is_albert) = (kind == "electra", kind == "albert");
    // What transformers says where nothing is said: of ELECTRA, of ALBERT, and of others.
    let default = |electra, albert, others| match kind {
        "electra" => electra,
        "albert" => albert,
        _ => others,
    };
    let width = said.hidden_size.unwrap_or(default(256, 4096, 768));
    let heads = said.num_attention_heads.unwrap_or(default(4, 64, 12));
    let hidden = said.intermediate_size.unwrap_or(default(1024, 16_384, 3072));
    let depth = said.num_hidden_layers.unwrap_or(12);
    let places = said.max_position_embeddings.unwrap_or(512);
    let tokens = said.vocab_size.unwrap_or(if is_roberta { 50_265 } else { default(30_522, 30_000, 30_522) });
    let segments = said.type_vocab_size.unwrap_or(2);
    let embedded = said.embedding_size.unwrap_or(default(128, 128, width));
    sane(config, &[width, hidden, places, embedded])?;
    vocabulary(config, &[tokens, segments.max(1)])?;
    heads_of(config, &[heads])?;
    shallow(config, &[depth])?;
    let relative = said.position_embedding_type.as_deref().filter(|kind| *kind != "absolute");
    let settings = [
        ("position_embedding_type other than absolute", relative.is_some()),
        ("embedding_size other than hidden_size", embedded != width && !is_electra && !is_albert),
        ("num_hidden_groups other than 1", said.num_hidden_groups.unwrap_or(1) != 1),
        ("inner_group_num other than 1", said.inner_group_num.unwrap_or(1) != 1),
        ("is_decoder", said.is_decoder),
        ("sinusoidal_pos_embds", sinusoidal),
        ("heads that do not divide the width", !width.is_multiple_of(heads)),
    ];
    without(config, &settings)?;
    let padding = said.pad_token_id.unwrap_or(1);
    let first_place = if is_roberta { padding.saturating_add(1) } else { 0 };
    if first_place >= places {
        return Err(config.unknown("`pad_token_id`", &padding.to_string(), "no place is left for a token"));
    }
    Ok(Bert {
        vocabulary: tokens,
        places,
        first_place,
        padding: u32::try_from(padding).ok().filter(|_| is_roberta),
        distances: None,
        segments,
        embedded,
        width,
        depth,
        shared: is_albert,
        heads,
        hidden,
        activation: activation(
            config,
            said.hidden_act.as_deref().unwrap_or(if is_albert { "gelu_new" } else { "gelu" }),
        )?,
        eps: above_zero(config, "layer_norm_eps", said.layer_norm_eps.unwrap_or(1e-12))?,
        pooler: !is_electra && kind != "distilbert",
    })
}
