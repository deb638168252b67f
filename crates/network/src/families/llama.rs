//! Llama (Touvron et al., 2023) and what has its layers: Mistral, SmolLM, Qwen 2 and 3, and Gemma. Most see what stands before a token
//! alone; places are told by turning queries and keys; heads may share keys and values.
//!
//! Parameters are called as transformers calls them, but for Gemma's that are kept as other numbers.

use super::{
    Family,
    layers::replaced,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Reach, Rotary, Stored, TextAttention, Turn};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[],
    dialects: &[Dialect::stored("GGUF", gguf), Dialect::stored("transformers", gemma)],
};

/// Sizes of a Llama.
#[derive(Clone, Debug, PartialEq)]
pub struct Llama {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// d
    pub width: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub key_heads: usize,
    /// Numbers of a head.
    pub head: usize,
    /// Of each layer, which tokens a token sees, and how queries and keys are turned, where they are.
    pub layers: Vec<(Reach, Option<Rotary>)>,
    /// What scores are multiplied by, where that is not one over the root of a head's numbers.
    pub scale: Option<f32>,
    /// Numbers between the dense layers of a block.
    pub hidden: usize,
    /// Of the gate between them.
    pub activation: Activation,
    /// Of RMS norms.
    pub eps: f32,
    /// Whether queries, keys and values have a bias.
    pub projection_bias: bool,
    /// Whether what attention gives is projected with a bias.
    pub out_bias: bool,
    /// Whether the dense layers of a block have biases.
    pub mlp_bias: bool,
    /// Whether every head of queries and keys is normalised.
    pub head_norms: bool,
    /// Whether what attention and the dense layers give is normalised, before it is added.
    pub post_norms: bool,
    /// Whether it is a Gemma: what the table gives is multiplied by the root of d, and norms are kept as what they differ from 1.
    pub gemma: bool,
}

impl Llama {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the table gives) to `layer:K`, whose tokens are averaged, the
    /// last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let table = if self.gemma { TABLE } else { "embed_tokens" };
        let mut x = net.lookup(table, By::Token, (self.vocabulary, self.width));
        for (layer, how) in self.layers.iter().enumerate() {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, &format!("layers.{layer}"), x, *how);
        }
        let x = self.norm(&mut net, "norm", x, self.width);
        net.tap(&format!("layer:{}", self.layers.len()), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(
        &self,
        net: &mut Builder,
        at: &str,
        x: NodeId,
        (reach, rotary): (Reach, Option<Rotary>),
    ) -> NodeId {
        let d = self.width;
        let normed = self.norm(net, &format!("{at}.input_layernorm"), x, d);
        let (wide, narrow) = (self.heads * self.head, self.key_heads * self.head);
        let at_attention = format!("{at}.self_attn");
        let mut turned = |part: &str, width: usize| {
            let name = format!("{at_attention}.{part}");
            let mut x = net.linear_of(&format!("{name}_proj"), normed, width, self.projection_bias);
            if self.head_norms {
                x = self.norm(net, &format!("{name}_norm"), x, self.head);
            }
            rotary.map_or(x, |rotary| net.rotary(&format!("{name}_turned"), x, rotary))
        };
        let (q, k) = (turned("q", wide), turned("k", narrow));
        let v = net.linear_of(&format!("{at_attention}.v_proj"), normed, narrow, self.projection_bias);
        let (key_heads, scale) = (self.key_heads, self.scale);
        let how = TextAttention { key_heads, reach, scale, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&at_attention, &[q, k, v], how);
        let out = net.linear_of(&format!("{at_attention}.o_proj"), attended, d, self.out_bias);
        let (before, out) = if self.post_norms {
            let out = self.norm(net, &format!("{at}.post_attention_layernorm"), out, d);
            ("pre_feedforward_layernorm", out)
        } else {
            ("post_attention_layernorm", out)
        };
        let x = net.add(&format!("{at}.attended"), out, x);
        let normed = self.norm(net, &format!("{at}.{before}"), x, d);
        let gate = net.linear_of(&format!("{at}.mlp.gate_proj"), normed, self.hidden, self.mlp_bias);
        let gate = net.activation(&format!("{at}.mlp.activation"), gate, self.activation);
        let up = net.linear_of(&format!("{at}.mlp.up_proj"), normed, self.hidden, self.mlp_bias);
        let hidden = net.multiply(&format!("{at}.mlp.gated"), gate, up);
        let mut out = net.linear_of(&format!("{at}.mlp.down_proj"), hidden, d, self.mlp_bias);
        if self.post_norms {
            out = self.norm(net, &format!("{at}.post_feedforward_layernorm"), out, d);
        }
        net.add(&format!("{at}.sum"), out, x)
    }

    fn norm(&self, net: &mut Builder, name: &str, x: NodeId, d: usize) -> NodeId {
        let kept = if self.gemma { NORM } else { "" };
        net.rms_norm(&format!("{name}{kept}"), x, d, self.eps)
    }
}

/// What Gemma's table is called here: `embed_tokens` is another, which it is made of.
const TABLE: &str = "embed_tokens.scaled";
/// What stands behind the names of Gemma's norms here, for the same reason.
const NORM: &str = ".raised";

/// Where transformers keeps a parameter of Gemma.
pub fn gemma(param: &str) -> Stored {
    if param.strip_prefix(TABLE) == Some(".weight") {
        return Stored::Turned("embed_tokens.weight".to_owned(), Turn::OverRoot);
    }
    match param.strip_suffix(".weight").and_then(|name| name.strip_suffix(NORM)) {
        Some(name) => Stored::Turned(format!("{name}.weight"), Turn::OneLess),
        None => Stored::As(param.to_owned()),
    }
}

/// Where llama.cpp's files keep a parameter.
pub fn gguf(param: &str) -> Stored {
    if param == "norm.weight" {
        return Stored::As("output_norm.weight".to_owned());
    }
    let names = [
        ("embed_tokens.", "token_embd."),
        ("layers.", "blk."),
        (".input_layernorm.", ".attn_norm."),
        (".post_attention_layernorm.", ".ffn_norm."),
        (".self_attn.q_proj.", ".attn_q."),
        (".self_attn.k_proj.", ".attn_k."),
        (".self_attn.v_proj.", ".attn_v."),
        (".self_attn.o_proj.", ".attn_output."),
        (".self_attn.q_norm.", ".attn_q_norm."),
        (".self_attn.k_norm.", ".attn_k_norm."),
        (".mlp.gate_proj.", ".ffn_gate."),
        (".mlp.up_proj.", ".ffn_up."),
        (".mlp.down_proj.", ".ffn_down."),
    ];
    Stored::As(replaced(param, &names))
}
