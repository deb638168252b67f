//! ModernBERT (Warner et al., 2024): BERT with turned queries and keys, gated layers, and most layers seeing neighbours alone.

use super::{
    Family,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Reach, Rotary, Stored, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family =
    Family { networks: &[], dialects: &[Dialect::stored("transformers", modernbert)] };

/// Sizes of a ModernBERT.
#[derive(Clone, Debug, PartialEq)]
pub struct ModernBert {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// d
    pub width: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Of each layer, which tokens a token sees, and how queries and keys are turned.
    pub layers: Vec<(Reach, Rotary)>,
    /// Numbers between the dense layers of a block.
    pub hidden: usize,
    /// Of the gate between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
}

impl ModernBert {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the table gives, normalised) to `layer:K`, whose tokens are
    /// averaged, the last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let words = net.lookup("embeddings.tok_embeddings", By::Token, (self.vocabulary, self.width));
        let mut x = net.layer_norm("embeddings.norm", words, self.eps);
        for layer in 0..self.layers.len() {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, layer, x);
        }
        let x = net.layer_norm("final_norm", x, self.eps);
        net.tap(&format!("layer:{}", self.layers.len()), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, layer: usize, x: NodeId) -> NodeId {
        let (d, at, (reach, rotary)) = (self.width, format!("layers.{layer}"), self.layers[layer]);
        // What the table gives was normalised just before.
        let normed = if layer == 0 { x } else { net.layer_norm(&format!("{at}.attn_norm"), x, self.eps) };
        let [q, k, v] =
            ["q", "k", "v"].map(|part| net.linear_without_bias(&format!("{at}.attn.{part}"), normed, d));
        let [q, k] =
            [("q", q), ("k", k)].map(|(part, x)| net.rotary(&format!("{at}.attn.{part}_turned"), x, rotary));
        let how = TextAttention { reach, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&format!("{at}.attn"), &[q, k, v], how);
        let out = net.linear_without_bias(&format!("{at}.attn.Wo"), attended, d);
        let x = net.add(&format!("{at}.attended"), out, x);
        let normed = net.layer_norm(&format!("{at}.mlp_norm"), x, self.eps);
        let [shown, gate] = ["shown", "gate"]
            .map(|part| net.linear_without_bias(&format!("{at}.mlp.{part}"), normed, self.hidden));
        let shown = net.activation(&format!("{at}.mlp.activation"), shown, self.activation);
        let hidden = net.multiply(&format!("{at}.mlp.gated"), shown, gate);
        let out = net.linear_without_bias(&format!("{at}.mlp.Wo"), hidden, d);
        net.add(&format!("{at}.sum"), out, x)
    }
}

/// Where transformers keeps a parameter. Norms have no bias there.
pub fn modernbert(param: &str) -> Stored {
    let parts = [
        (".attn.q.weight", ".attn.Wqkv.weight", 0, 3),
        (".attn.k.weight", ".attn.Wqkv.weight", 1, 3),
        (".attn.v.weight", ".attn.Wqkv.weight", 2, 3),
        (".mlp.shown.weight", ".mlp.Wi.weight", 0, 2),
        (".mlp.gate.weight", ".mlp.Wi.weight", 1, 2),
    ];
    for (ours, theirs, part, of) in parts {
        if let Some(at) = param.strip_suffix(ours) {
            return Stored::Part { name: format!("{at}{theirs}"), parts: part..part + 1, of };
        }
    }
    if param.ends_with("norm.bias") { Stored::Always(0.0) } else { Stored::As(param.to_owned()) }
}
