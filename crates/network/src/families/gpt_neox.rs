//! GPT-NeoX (Black et al., 2022) and Pythia: every token sees those before it; a part of each head turns; attention and the dense
//! layers may read the same.
//!
//! Parameters are called as transformers calls them, but for queries, keys and values, which it keeps in one tensor.

use super::{
    Family,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Network, NodeId, Reach, Rotary, Stored, TextAttention, Turn};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family =
    Family { networks: &[], dialects: &[Dialect::stored("transformers", gpt_neox)] };

/// Sizes of a GPT-NeoX.
#[derive(Clone, Debug, PartialEq)]
pub struct GptNeox {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// How queries and keys are turned; its depth is that of a head.
    pub rotary: Rotary,
    /// Numbers between the two dense layers of a block.
    pub hidden: usize,
    /// Between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
    /// Whether attention has biases.
    pub attention_bias: bool,
    /// Whether the dense layers of a block read what attention reads, and not its sum with what attention gives.
    pub parallel: bool,
}

impl GptNeox {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the table gives) to `layer:K`, whose tokens are averaged, the
    /// last of them normalised, and `sentence` where there is such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let mut x = net.lookup("embed_in", By::Token, (self.vocabulary, self.width));
        for layer in 0..self.depth {
            net.tap(&format!("layer:{layer}"), x);
            x = self.block(&mut net, &format!("layers.{layer}"), x);
        }
        let x = net.layer_norm("final_layer_norm", x, self.eps);
        net.tap(&format!("layer:{}", self.depth), x);
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let d = self.width;
        let normed = net.layer_norm(&format!("{at}.input_layernorm"), x, self.eps);
        // How many heads there are says how the three are kept.
        let heads = format!("{at}.attention.{PARTS}.{}", self.heads);
        let [q, k, v] =
            [0, 1, 2].map(|part| net.linear_of(&format!("{heads}.{part}"), normed, d, self.attention_bias));
        let [q, k] = [("q", q), ("k", k)]
            .map(|(part, x)| net.rotary(&format!("{at}.attention.{part}_turned"), x, self.rotary));
        let how = TextAttention { reach: Reach::BEFORE, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&format!("{at}.attention"), &[q, k, v], how);
        let out = net.linear_of(&format!("{at}.attention.dense"), attended, d, self.attention_bias);
        let sum = net.add(&format!("{at}.attended"), out, x);
        let read = if self.parallel { x } else { sum };
        let normed = net.layer_norm(&format!("{at}.post_attention_layernorm"), read, self.eps);
        let hidden = net.linear(&format!("{at}.mlp.dense_h_to_4h"), normed, self.hidden);
        let hidden = net.activation(&format!("{at}.mlp.activation"), hidden, self.activation);
        let out = net.linear(&format!("{at}.mlp.dense_4h_to_h"), hidden, d);
        net.add(&format!("{at}.sum"), out, sum)
    }
}

/// What stands before the number of heads, and then that of the part: `layers.0.attention.query_key_value.8.0.weight`.
const PARTS: &str = "query_key_value";

/// Where transformers keeps a parameter.
pub fn gpt_neox(param: &str) -> Stored {
    let whole = || Stored::As(param.to_owned());
    let Some((at, rest)) = param.split_once(&format!("{PARTS}.")) else { return whole() };
    let [heads, part, kind] = rest.split('.').collect::<Vec<_>>()[..] else { return whole() };
    match (heads.parse(), part.parse()) {
        (Ok(heads @ 1..), Ok(part @ ..3)) => {
            Stored::Turned(format!("{at}{PARTS}.{kind}"), Turn::OfHeads { heads, part })
        }
        _ => whole(),
    }
}
