//! NomicBERT (Nussbaum et al., 2024) and GTE (Zhang et al., 2024): BERT with turned queries and keys, and gated dense layers.
//!
//! Parameters are called as transformers calls them.

use super::{
    Family,
    layers::replaced,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Rotary, Stored, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[],
    dialects: &[Dialect::stored("Nomic", nomic), Dialect::stored("Alibaba-NLP", gte)],
};

/// Sizes of such a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NomicBert {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Kinds of segments; 0 where it knows none.
    pub segments: usize,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// How queries and keys are turned; its depth is that of a head.
    pub rotary: Rotary,
    /// Numbers between the dense layers of a block.
    pub hidden: usize,
    /// Of the gate between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
    /// Whether dense layers have biases, as GTE's, but for the first two of a block.
    pub bias: bool,
}

impl NomicBert {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the tables give, normalised) to `layer:K`, whose tokens are
    /// averaged, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let d = self.width;
        let mut x = net.lookup("embeddings.word_embeddings", By::Token, (self.vocabulary, d));
        if self.segments > 0 {
            let kinds = net.lookup("embeddings.token_type_embeddings", By::Segment, (self.segments, d));
            x = net.add("embeddings.sum", x, kinds);
        }
        x = net.layer_norm("embeddings.LayerNorm", x, self.eps);
        net.tap("layer:0", x);
        for layer in 0..self.depth {
            x = self.block(&mut net, &format!("layers.{layer}"), x);
            net.tap(&format!("layer:{}", layer + 1), x);
        }
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let d = self.width;
        let at_attention = format!("{at}.self_attn");
        let [q, k, v] = ["q", "k", "v"]
            .map(|part| net.linear_of(&format!("{at_attention}.{part}_proj"), x, d, self.bias));
        let [q, k] = [("q", q), ("k", k)]
            .map(|(part, x)| net.rotary(&format!("{at_attention}.{part}_turned"), x, self.rotary));
        let attended = net.text_attention(&at_attention, &[q, k, v], TextAttention::new(self.heads));
        let out = net.linear_of(&format!("{at_attention}.o_proj"), attended, d, self.bias);
        let sum = net.add(&format!("{at}.attended"), out, x);
        let x = net.layer_norm(&format!("{at}.post_attention_layernorm"), sum, self.eps);
        let [gate, up] = ["gate", "up"]
            .map(|part| net.linear_without_bias(&format!("{at}.mlp.{part}_proj"), x, self.hidden));
        let gate = net.activation(&format!("{at}.mlp.activation"), gate, self.activation);
        let hidden = net.multiply(&format!("{at}.mlp.gated"), gate, up);
        let out = net.linear_of(&format!("{at}.mlp.down_proj"), hidden, d, self.bias);
        let sum = net.add(&format!("{at}.sum"), out, x);
        net.layer_norm(&format!("{at}.post_mlp_layernorm"), sum, self.eps)
    }
}

/// Where Nomic's own files keep a parameter.
pub fn nomic(param: &str) -> Stored {
    let parts = [(".self_attn.q_proj.", 0), (".self_attn.k_proj.", 1), (".self_attn.v_proj.", 2)];
    let names = [
        ("embeddings.LayerNorm.", "emb_ln."),
        ("layers.", "encoder.layers."),
        (".self_attn.o_proj.", ".attn.out_proj."),
        (".mlp.up_proj.", ".mlp.fc11."),
        (".mlp.gate_proj.", ".mlp.fc12."),
        (".mlp.down_proj.", ".mlp.fc2."),
        (".post_attention_layernorm.", ".norm1."),
        (".post_mlp_layernorm.", ".norm2."),
    ];
    joined(replaced(param, &names), &parts.map(|(ours, part)| (ours, ".attn.Wqkv.", part, 3)))
}

/// Where Alibaba's own files keep a parameter of GTE.
pub fn gte(param: &str) -> Stored {
    let parts = [
        (".self_attn.q_proj.", ".attention.qkv_proj.", 0, 3),
        (".self_attn.k_proj.", ".attention.qkv_proj.", 1, 3),
        (".self_attn.v_proj.", ".attention.qkv_proj.", 2, 3),
        (".mlp.up_proj.", ".mlp.up_gate_proj.", 0, 2),
        (".mlp.gate_proj.", ".mlp.up_gate_proj.", 1, 2),
    ];
    let names = [
        ("layers.", "encoder.layer."),
        (".self_attn.o_proj.", ".attention.o_proj."),
        (".post_attention_layernorm.", ".attn_ln."),
        (".post_mlp_layernorm.", ".mlp_ln."),
    ];
    joined(replaced(param, &names), &parts)
}

/// The part of a tensor where a name has one of ours, by their name, which of the parts it is, and of how many.
fn joined(name: String, parts: &[(&str, &str, usize, usize)]) -> Stored {
    match parts.iter().find(|(ours, ..)| name.contains(ours)) {
        Some(&(ours, theirs, part, of)) => {
            Stored::Part { name: name.replace(ours, theirs), parts: part..part + 1, of }
        }
        None => Stored::As(name),
    }
}
