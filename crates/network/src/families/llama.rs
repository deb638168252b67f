//! Llama (Touvron et al., 2023) and what has its layers: Mistral, SmolLM, and Qwen 2 and 3. Every token sees those before it; places are
//! told by turning queries and keys; heads may share keys and values.
//!
//! Parameters are called as transformers calls them.

use super::{
    Family,
    layers::replaced,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Reach, Rotary, Stored, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family = Family { networks: &[], dialects: &[Dialect::stored("GGUF", gguf)] };

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
    /// How queries and keys are turned; its depth is that of a head.
    pub rotary: Rotary,
    /// Of each layer, which tokens a token sees.
    pub layers: Vec<Reach>,
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
}

impl Llama {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the table gives) to `layer:K`, whose tokens are averaged, the
    /// last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let mut x = net.lookup("embed_tokens", By::Token, (self.vocabulary, self.width));
        for (layer, reach) in self.layers.iter().enumerate() {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, &format!("layers.{layer}"), x, *reach);
        }
        let x = net.rms_norm("norm", x, self.width, self.eps);
        net.tap(&format!("layer:{}", self.layers.len()), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId, reach: Reach) -> NodeId {
        let (d, depth) = (self.width, self.rotary.depth);
        let normed = net.rms_norm(&format!("{at}.input_layernorm"), x, d, self.eps);
        let (wide, narrow) = (self.heads * depth, self.key_heads * depth);
        let at_attention = format!("{at}.self_attn");
        let mut turned = |part: &str, width: usize| {
            let name = format!("{at_attention}.{part}");
            let x = dense(net, &format!("{name}_proj"), normed, width, self.projection_bias);
            let x =
                if self.head_norms { net.rms_norm(&format!("{name}_norm"), x, depth, self.eps) } else { x };
            net.rotary(&format!("{name}_turned"), x, self.rotary)
        };
        let (q, k) = (turned("q", wide), turned("k", narrow));
        let v = dense(net, &format!("{at_attention}.v_proj"), normed, narrow, self.projection_bias);
        let how = TextAttention { key_heads: self.key_heads, reach, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&at_attention, &[q, k, v], how);
        let out = dense(net, &format!("{at_attention}.o_proj"), attended, d, self.out_bias);
        let x = net.add(&format!("{at}.attended"), out, x);
        let normed = net.rms_norm(&format!("{at}.post_attention_layernorm"), x, d, self.eps);
        let gate = dense(net, &format!("{at}.mlp.gate_proj"), normed, self.hidden, self.mlp_bias);
        let gate = net.activation(&format!("{at}.mlp.activation"), gate, self.activation);
        let up = dense(net, &format!("{at}.mlp.up_proj"), normed, self.hidden, self.mlp_bias);
        let hidden = net.multiply(&format!("{at}.mlp.gated"), gate, up);
        let out = dense(net, &format!("{at}.mlp.down_proj"), hidden, d, self.mlp_bias);
        net.add(&format!("{at}.sum"), out, x)
    }
}

fn dense(net: &mut Builder, name: &str, x: NodeId, out: usize, bias: bool) -> NodeId {
    if bias { net.linear(name, x, out) } else { net.linear_without_bias(name, x, out) }
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
