//! MPNet (Song et al., 2020): BERT's layers, with numbers added to scores for how far apart two tokens are.

use super::{
    Family,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Distances, Network, NodeId, Stored, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family =
    Family { networks: &[], dialects: &[Dialect::stored("transformers", mpnet)] };

/// Tokens farther apart than this are all alike, whatever a configuration says.
const FARTHEST: usize = 128;

/// Sizes of an MPNet.
#[derive(Clone, Debug, PartialEq)]
pub struct MpNet {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Rows of the table of places: the first token of a text has the one after that of its padding.
    pub places: usize,
    /// The padding token, 1.
    pub padding: u32,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Rows of the table of distances: a multiple of four.
    pub distances: usize,
    /// Numbers between the two dense layers of a block.
    pub hidden: usize,
    /// Between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
}

impl MpNet {
    /// Its graph. Taps as BERT's.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let (mut net, d) = (Builder::text(), self.width);
        let words = net.lookup("embeddings.word_embeddings", By::Token, (self.vocabulary, d));
        let by = By::Place { first: self.padding as usize + 1, padding: Some(self.padding) };
        let places = net.lookup("embeddings.position_embeddings", by, (self.places, d));
        let x = net.add("embeddings.placed", words, places);
        let mut x = net.layer_norm("embeddings.LayerNorm", x, self.eps);
        let table = "encoder.relative_attention_bias.weight";
        let distances = net.distances(table, (self.distances, self.heads), FARTHEST);
        net.tap("layer:0", x);
        for layer in 0..self.depth {
            x = self.block(&mut net, &format!("encoder.layer.{layer}"), x, distances);
            net.tap(&format!("layer:{}", layer + 1), x);
        }
        let first = net.token("pooler.first", x, 0);
        let dense = net.linear("pooler.dense", first, d);
        let pooled = net.activation("pooler.activation", dense, Activation::Tanh);
        net.tap("pooled", pooled);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId, distances: Distances) -> NodeId {
        let d = self.width;
        let qkv = net.linear(&format!("{at}.attention.attn.qkv"), x, 3 * d);
        let how = TextAttention { distances: Some(distances), ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&format!("{at}.attention.attn"), &[qkv], how);
        let dense = net.linear(&format!("{at}.attention.attn.o"), attended, d);
        let sum = net.add(&format!("{at}.attention.sum"), dense, x);
        let x = net.layer_norm(&format!("{at}.attention.LayerNorm"), sum, self.eps);
        let hidden = net.linear(&format!("{at}.intermediate.dense"), x, self.hidden);
        let hidden = net.activation(&format!("{at}.intermediate.activation"), hidden, self.activation);
        let dense = net.linear(&format!("{at}.output.dense"), hidden, d);
        let sum = net.add(&format!("{at}.output.sum"), dense, x);
        net.layer_norm(&format!("{at}.output.LayerNorm"), sum, self.eps)
    }
}

/// Where transformers keeps a parameter.
pub fn mpnet(param: &str) -> Stored {
    match param.split_once("attn.qkv.") {
        Some((at, part)) => {
            Stored::Rows(["q", "k", "v"].map(|name| Stored::As(format!("{at}attn.{name}.{part}"))).into())
        }
        None => Stored::As(param.to_owned()),
    }
}
