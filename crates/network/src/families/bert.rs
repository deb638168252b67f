//! BERT (Devlin et al., 2018) and what has its layers: RoBERTa, XLM-R, ELECTRA, MiniLM, DistilBERT, MPNet (Song et al., 2020), and
//! ALBERT (Lan et al., 2019).

use super::{
    Family,
    layers::replaced,
    text::{self, Sentence},
};
use crate::{Activation, Builder, By, Dialect, Distances, Network, NodeId, Stored, TextAttention};

/// Known by their configurations, and not by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[],
    dialects: &[
        Dialect::stored("transformers", bert),
        Dialect::stored("transformers", old_bert),
        Dialect::stored("transformers", distilbert),
        Dialect::stored("transformers", mpnet),
        Dialect::stored("transformers", albert),
    ],
};

/// Sizes of a BERT.
#[derive(Clone, Debug, PartialEq)]
pub struct Bert {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// Rows of the table of places.
    pub places: usize,
    /// The row of a text's first token: RoBERTa begins after its padding, which it passes over.
    pub first_place: usize,
    /// That padding.
    pub padding: Option<u32>,
    /// Of MPNet, which adds a number to scores for how far apart two tokens are: rows of that table, a multiple of four, and from
    /// where on all distances are one.
    pub distances: Option<(usize, usize)>,
    /// Kinds of segments; 0 where it knows none.
    pub segments: usize,
    /// Numbers of the tables, which a dense layer makes d of where they are others.
    pub embedded: usize,
    /// d
    pub width: usize,
    /// Layers.
    pub depth: usize,
    /// Whether all layers have the weights of the first, as ALBERT's. The dense layer behind the tables is always there then.
    pub shared: bool,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers between the two dense layers of a block.
    pub hidden: usize,
    /// Between them.
    pub activation: Activation,
    /// Of layer norms.
    pub eps: f32,
    /// Whether a dense layer and tanh read the first token: the tap `pooled`.
    pub pooler: bool,
}

impl Bert {
    /// Its graph. Taps: `cls`, `mean`, `max`, `last`, `layer:0` (what the tables give) to `layer:K`, whose tokens are averaged,
    /// and `pooled` and `sentence` where there are such.
    pub fn network(&self, name: &str, sentence: Option<&Sentence>) -> Network {
        let mut net = Builder::text();
        let d = self.embedded;
        let words = net.lookup("embeddings.word_embeddings", By::Token, (self.vocabulary, d));
        let by = By::Place { first: self.first_place, padding: self.padding };
        let places = net.lookup("embeddings.position_embeddings", by, (self.places, d));
        let mut x = net.add("embeddings.placed", words, places);
        if self.segments > 0 {
            let kinds = net.lookup("embeddings.token_type_embeddings", By::Segment, (self.segments, d));
            x = net.add("embeddings.sum", x, kinds);
        }
        x = net.layer_norm("embeddings.LayerNorm", x, self.eps);
        if self.embedded != self.width || self.shared {
            x = net.linear("embeddings_project", x, self.width);
        }
        let distances = self.distances.map(|(rows, farthest)| {
            net.distances("encoder.relative_attention_bias.weight", (rows, self.heads), farthest)
        });
        net.tap("layer:0", x);
        let mut first = None;
        for layer in 0..self.depth {
            let at = format!("encoder.layer.{layer}.");
            let next = match first.filter(|_| self.shared) {
                None => self.block(&mut net, &at, x, distances),
                Some(nodes) => net.again(nodes, x, ["encoder.layer.0.", &at]),
            };
            first.get_or_insert((x, next));
            x = next;
            net.tap(&format!("layer:{}", layer + 1), x);
        }
        if self.pooler {
            let first = net.token("pooler.first", x, 0);
            let dense = net.linear("pooler.dense", first, self.width);
            let pooled = net.activation("pooler.activation", dense, Activation::Tanh);
            net.tap("pooled", pooled);
        }
        let vector = text::taps(&mut net, x, sentence);
        net.finish(name, vector)
    }

    fn block(&self, net: &mut Builder, at: &str, x: NodeId, distances: Option<Distances>) -> NodeId {
        let d = self.width;
        let qkv = net.linear(&format!("{at}attention.self.qkv"), x, 3 * d);
        let how = TextAttention { distances, ..TextAttention::new(self.heads) };
        let attended = net.text_attention(&format!("{at}attention.self"), &[qkv], how);
        let dense = net.linear(&format!("{at}attention.output.dense"), attended, d);
        let sum = net.add(&format!("{at}attention.output.sum"), dense, x);
        let x = net.layer_norm(&format!("{at}attention.output.LayerNorm"), sum, self.eps);
        let hidden = net.linear(&format!("{at}intermediate.dense"), x, self.hidden);
        let hidden = net.activation(&format!("{at}intermediate.activation"), hidden, self.activation);
        let dense = net.linear(&format!("{at}output.dense"), hidden, d);
        let sum = net.add(&format!("{at}output.sum"), dense, x);
        net.layer_norm(&format!("{at}output.LayerNorm"), sum, self.eps)
    }
}

/// Where transformers keeps a parameter of BERT, RoBERTa and others.
pub fn bert(param: &str) -> Stored {
    match param.split_once("attention.self.qkv.") {
        Some((at, part)) => {
            rows(["query", "key", "value"].map(|name| format!("{at}attention.self.{name}.{part}")))
        }
        None => Stored::As(param.to_owned()),
    }
}

/// The same of the first checkpoints, which call a norm's numbers as TensorFlow does.
fn old_bert(param: &str) -> Stored {
    let old = |name: &str| {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    };
    match bert(param) {
        Stored::As(name) => Stored::As(old(&name)),
        other => other,
    }
}

/// The same of DistilBERT.
pub fn distilbert(param: &str) -> Stored {
    let Some((layer, rest)) = param.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.'))
    else {
        return Stored::As(param.to_owned());
    };
    let at = format!("transformer.layer.{layer}");
    if let Some(part) = rest.strip_prefix("attention.self.qkv.") {
        return rows(["q_lin", "k_lin", "v_lin"].map(|name| format!("{at}.attention.{name}.{part}")));
    }
    let pairs = [
        ("attention.output.dense.", "attention.out_lin."),
        ("attention.output.LayerNorm.", "sa_layer_norm."),
        ("intermediate.dense.", "ffn.lin1."),
        ("output.dense.", "ffn.lin2."),
        ("output.LayerNorm.", "output_layer_norm."),
    ];
    Stored::As(format!("{at}.{}", replaced(rest, &pairs)))
}

/// The same of MPNet.
pub fn mpnet(param: &str) -> Stored {
    match param.split_once("attention.self.qkv.") {
        Some((at, part)) => rows(["q", "k", "v"].map(|name| format!("{at}attention.attn.{name}.{part}"))),
        None => {
            let pairs = [
                ("attention.output.dense.", "attention.attn.o."),
                ("attention.output.LayerNorm.", "attention.LayerNorm."),
            ];
            Stored::As(replaced(param, &pairs))
        }
    }
}

/// The same of ALBERT.
pub fn albert(param: &str) -> Stored {
    let layer = "encoder.albert_layer_groups.0.albert_layers.0";
    if let Some(part) = param.strip_prefix("encoder.layer.0.attention.self.qkv.") {
        return rows(["query", "key", "value"].map(|name| format!("{layer}.attention.{name}.{part}")));
    }
    let pairs = [
        ("encoder.layer.0.", &format!("{layer}.")[..]),
        (".attention.output.", ".attention."),
        (".intermediate.dense.", ".ffn."),
        (".output.dense.", ".ffn_output."),
        (".output.LayerNorm.", ".full_layer_layer_norm."),
        ("embeddings_project.", "encoder.embedding_hidden_mapping_in."),
        ("pooler.dense.", "pooler."),
    ];
    Stored::As(replaced(param, &pairs))
}

fn rows(names: [String; 3]) -> Stored {
    Stored::Rows(names.map(Stored::As).into())
}
