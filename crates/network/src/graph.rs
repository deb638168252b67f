//! The graph itself: nodes, parameters, taps, outputs.

use crate::{Op, Pair, Window, check::Unchecked};
use serde::{Deserialize, Serialize};
use store::Digest;

/// A network: what is computed from what, without any weights.
///
/// Nodes stand in an order in which they can be run. Parameters bear torchvision's names, nodes torchvision's module
/// paths; where only timm has the network, timm's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Network {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) params: Vec<Param>,
    pub(crate) outputs: Vec<NodeId>,
    pub(crate) taps: Vec<Tap>,
    /// Modules that are no node of their own, such as `features` or `layer2.0.downsample`: where they end.
    pub(crate) modules: Vec<Tap>,
}

/// Which node: its place in [`Network::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub(crate) usize);

/// Which parameter: its place in [`Network::params`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParamId(pub(crate) usize);

impl NodeId {
    /// The place in [`Network::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

impl ParamId {
    /// The place in [`Network::params`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One step of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique; torchvision's module path where it has one.
    pub name: String,
    /// What is done.
    #[serde(flatten)]
    pub op: Op,
    /// The nodes that are read, all of them earlier ones.
    pub inputs: Vec<NodeId>,
}

/// A tensor that a network needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// torchvision's name.
    pub name: String,
    /// Row-major.
    pub shape: Vec<usize>,
}

impl Param {
    /// How many numbers; as many as can be counted, where there would be more. Those of a [`Network`] can be counted.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |product, side| product.saturating_mul(*side))
    }

    /// Whether there is no number at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A name for a place where features are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tap {
    /// `pooled`, `gap`, `fc7`, `layer3` …
    pub name: String,
    /// Where it is.
    pub node: NodeId,
}

impl Network {
    /// What the zoo calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every step, in an order in which they can be run.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Every parameter, in the order in which the steps read them.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// What the network gives: the taps asked of [`Network::for_taps`], in that order; else the classifier's logits.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// The named taps. Any node's name works as a tap, too.
    pub fn taps(&self) -> &[Tap] {
        &self.taps
    }

    /// The node of that id.
    ///
    /// # Panics
    /// Where the id belongs to another network.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The parameter of that id.
    ///
    /// # Panics
    /// Where the id belongs to another network.
    pub fn param(&self, id: ParamId) -> &Param {
        &self.params[id.0]
    }

    /// Whether it reads texts, and no pictures.
    pub fn reads_texts(&self) -> bool {
        self.nodes.iter().any(|node| node.op == Op::Text)
    }

    /// The windows of a convolution or a pool; `None` of any other node.
    pub fn window(&self, node: &Node) -> Option<Window> {
        match node.op {
            Op::Conv { weight, stride, padding, dilation, .. } => {
                let &[_, _, y, x] = self.params.get(weight.0)?.shape.as_slice() else { return None };
                Some(Window { kernel: Pair { y, x }, stride, padding, dilation })
            }
            Op::MaxPool(pool) | Op::AveragePool(pool) => Some(pool.window()),
            _ => None,
        }
    }

    /// The id of the parameter of that name.
    pub fn param_named(&self, name: &str) -> Option<ParamId> {
        self.params.iter().position(|param| param.name == name).map(ParamId)
    }

    /// How many numbers were trained: all parameters but the running statistics of batch norms.
    pub fn parameter_count(&self) -> usize {
        let trained =
            |param: &&Param| !param.name.ends_with("running_mean") && !param.name.ends_with("running_var");
        self.params.iter().filter(trained).map(Param::len).sum()
    }

    /// Identifies what is computed: nodes, parameters and outputs. What the network or its taps are called is left out.
    pub fn fingerprint(&self) -> Digest {
        #[derive(Serialize)]
        struct Computed<'a> {
            nodes: &'a [Node],
            params: &'a [Param],
            outputs: &'a [NodeId],
        }
        Digest::of_json(&Computed { nodes: &self.nodes, params: &self.params, outputs: &self.outputs })
    }
}

/// The number that is written as this one is: 0.001, and not what is next to it in f32. For configurations of others.
pub fn as_written(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
