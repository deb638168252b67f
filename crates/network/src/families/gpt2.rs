//! GPT-2 (Radford et al., 2019): every token sees those before it, and places are told by a table.

use super::{
    Family,
    layers::replaced,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Reach, Stored, TextAttention, Turn};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family =
    Family { networks: &[], dialects: &[Dialect::stored("transformers", gpt2)] };

/// Sizes of a GPT-2.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpt2 {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Rows of the table of places.
    pub places: usize,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers between the two dense layers of a block.
    pub hidden: usize,
    /// Between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
}

impl Gpt2 {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the tables give) to `layer:K`, whose tokens are averaged,
    /// the last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let words = net.lookup("wte", By::Token, (self.vocabulary, self.width));
        let places = net.lookup("wpe", By::Place { first: 0, padding: None }, (self.places, self.width));
        let mut x = net.add("placed", words, places);
        for layer in 0..self.depth {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, &format!("h.{layer}"), x);
        }
        let x = net.layer_norm("ln_f", x, self.eps);
        net.tap(&format!("layer:{}", self.depth), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let d = self.width;
        let normed = net.layer_norm(&format!("{at}.ln_1"), x, self.eps);
        let qkv = net.linear(&format!("{at}.attn.qkv"), normed, 3 * d);
        let how = TextAttention { reach: Reach::BEFORE, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&format!("{at}.attn"), &[qkv], how);
        let out = net.linear(&format!("{at}.attn.out"), attended, d);
        let x = net.add(&format!("{at}.attended"), out, x);
        let normed = net.layer_norm(&format!("{at}.ln_2"), x, self.eps);
        let hidden = net.linear(&format!("{at}.mlp.up"), normed, self.hidden);
        let hidden = net.activation(&format!("{at}.mlp.activation"), hidden, self.activation);
        let out = net.linear(&format!("{at}.mlp.down"), hidden, d);
        net.add(&format!("{at}.sum"), out, x)
    }
}

/// Where transformers keeps a parameter: weights are (in, out) there.
pub fn gpt2(param: &str) -> Stored {
    let names = [
        (".attn.qkv.", ".attn.c_attn."),
        (".attn.out.", ".attn.c_proj."),
        (".mlp.up.", ".mlp.c_fc."),
        (".mlp.down.", ".mlp.c_proj."),
    ];
    match replaced(param, &names) {
        name if name != param && name.ends_with(".weight") => Stored::Turned(name, Turn::Dense),
        name => Stored::As(name),
    }
}
