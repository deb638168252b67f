//! What networks of texts share: the taps at their end, and how a sentence's one vector is made of them.

use crate::{Activation, Builder, NodeId};

/// Which tokens a text's vector is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The first, which BERT calls `[CLS]`.
    Cls,
    /// The mean of all.
    Mean,
    /// The largest of each channel over all.
    Max,
    /// The last, which has seen all others where each sees those before it.
    Last,
}

impl Pooling {
    /// The tap that it is read at.
    pub fn tap(self) -> &'static str {
        match self {
            Pooling::Cls => "cls",
            Pooling::Mean => "mean",
            Pooling::Max => "max",
            Pooling::Last => "last",
        }
    }

    fn build(self, net: &mut Builder, x: NodeId) -> NodeId {
        match self {
            Pooling::Cls => net.token("cls", x, 0),
            Pooling::Mean => net.global_average_pool("mean", x),
            Pooling::Max => net.global_max_pool("max", x),
            Pooling::Last => net.last_token("last", x),
        }
    }
}

/// A dense layer behind the pooling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Numbers that it gives.
    pub out: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// What comes after it, where something does.
    pub activation: Option<Activation>,
}

impl Dense {
    /// What the parameters of the layer at that place are called: `sentence.dense.0.weight`.
    pub fn name(at: usize) -> String {
        format!("sentence.dense.{at}")
    }

    fn build(self, net: &mut Builder, at: usize, x: NodeId) -> NodeId {
        let name = Dense::name(at);
        let x = net.linear_of(&name, x, self.out, self.bias);
        match self.activation {
            Some(function) => net.activation(&format!("{name}.activation"), x, function),
            None => x,
        }
    }
}

/// How a sentence's vector is made, as sentence-transformers' `modules.json` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    /// One after the other, where there are several.
    pub pooling: Vec<Pooling>,
    /// One behind the other.
    pub dense: Vec<Dense>,
    /// Whether it is divided by its length.
    pub normalized: bool,
}

/// The taps `cls`, `mean`, `max`, `last`, and `sentence` where it is known how that is made. Gives what is read by default.
pub(super) fn taps(net: &mut Builder, tokens: NodeId, sentence: Option<&Sentence>) -> NodeId {
    taps_of(net, tokens, &[Pooling::Cls, Pooling::Mean, Pooling::Max, Pooling::Last], sentence)
}

/// The same of some poolings, the mean among them.
pub(super) fn taps_of(
    net: &mut Builder,
    tokens: NodeId,
    poolings: &[Pooling],
    sentence: Option<&Sentence>,
) -> NodeId {
    let tapped = poolings.iter().map(|pooling| {
        let node = pooling.build(net, tokens);
        net.tap(pooling.tap(), node);
        (*pooling, node)
    });
    let nodes: Vec<(Pooling, NodeId)> = tapped.collect();
    let node = |wanted: Pooling| nodes.iter().find(|(pooling, _)| *pooling == wanted).map(|(_, node)| *node);
    let mean = node(Pooling::Mean).expect("the mean is among them");
    let Some(Sentence { pooling, dense, normalized }) = sentence else { return mean };
    let parts: Vec<NodeId> = pooling.iter().filter_map(|pooling| node(*pooling)).collect();
    let mut vector = match parts[..] {
        [] => mean,
        [one] => one,
        _ => net.concat("sentence.pooled", &parts),
    };
    for (at, dense) in dense.iter().enumerate() {
        vector = dense.build(net, at, vector);
    }
    if *normalized {
        vector = net.normalize("sentence.normalized", vector);
    }
    net.tap("sentence", vector);
    vector
}
