//! The encoder of T5 (Raffel et al., 2019): places are told by how far apart two tokens are, and by nothing else.
//!
//! Parameters are called as transformers calls them.

use super::{
    Family,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Distances, Network, NodeId, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family = Family { networks: &[], dialects: &[] };

/// Sizes of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct T5 {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers of a head.
    pub head: usize,
    /// Rows of the table of distances: a multiple of four.
    pub distances: usize,
    /// Tokens farther apart than this are all alike.
    pub farthest: usize,
    /// Numbers between the dense layers of a block.
    pub hidden: usize,
    /// Between them.
    pub activation: Activation,
    /// Whether a second layer multiplies what the first gives.
    pub gated: bool,
    /// Of RMS norms.
    pub eps: f32,
}

impl T5 {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the table gives) to `layer:K`, whose tokens are averaged, the
    /// last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let mut x = net.lookup("shared", By::Token, (self.vocabulary, self.width));
        let table = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
        let distances = net.distances(table, (self.distances, self.heads), self.farthest);
        for layer in 0..self.depth {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, &format!("encoder.block.{layer}"), x, distances);
        }
        let x = net.rms_norm("encoder.final_layer_norm", x, self.width, self.eps);
        net.tap(&format!("layer:{}", self.depth), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId, distances: Distances) -> NodeId {
        let normed = net.rms_norm(&format!("{at}.layer.0.layer_norm"), x, self.width, self.eps);
        let attention = format!("{at}.layer.0.SelfAttention");
        let wide = self.heads * self.head;
        let qkv =
            ["q", "k", "v"].map(|part| net.linear_without_bias(&format!("{attention}.{part}"), normed, wide));
        // Scores are products as they are.
        let how =
            TextAttention { scale: Some(1.0), distances: Some(distances), ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&attention, &qkv, how);
        let out = net.linear_without_bias(&format!("{attention}.o"), attended, self.width);
        let x = net.add(&format!("{at}.attended"), out, x);
        let normed = net.rms_norm(&format!("{at}.layer.1.layer_norm"), x, self.width, self.eps);
        let dense = format!("{at}.layer.1.DenseReluDense");
        let first = if self.gated { "wi_0" } else { "wi" };
        let hidden = net.linear_without_bias(&format!("{dense}.{first}"), normed, self.hidden);
        let mut hidden = net.activation(&format!("{dense}.activation"), hidden, self.activation);
        if self.gated {
            let gate = net.linear_without_bias(&format!("{dense}.wi_1"), normed, self.hidden);
            hidden = net.multiply(&format!("{dense}.gated"), hidden, gate);
        }
        let out = net.linear_without_bias(&format!("{dense}.wo"), hidden, self.width);
        net.add(&format!("{at}.sum"), out, x)
    }
}
