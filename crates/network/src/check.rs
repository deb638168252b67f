//! What makes a graph well-formed, wherever it comes from: a file, or a builder.

use crate::{Axis, By, Network, NetworkError, Node, NodeId, Op, Param, Tap, Window};
use serde::Deserialize;
use std::collections::HashSet;

/// What a file says before anybody has looked at it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unchecked {
    name: String,
    nodes: Vec<Node>,
    params: Vec<Param>,
    outputs: Vec<NodeId>,
    taps: Vec<Tap>,
    modules: Vec<Tap>,
}

impl TryFrom<Unchecked> for Network {
    type Error = NetworkError;

    fn try_from(read: Unchecked) -> Result<Network, NetworkError> {
        let Unchecked { name, nodes, params, outputs, taps, modules } = read;
        let network = Network { name, nodes, params, outputs, taps, modules };
        network.check().map(|()| network)
    }
}

impl Network {
    /// Checks the type's invariant: ids point at something, nodes read earlier ones, operations make sense on their own.
    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        self.check_params()?;
        for (at, node) in self.nodes.iter().enumerate() {
            let fail = |reason| self.malformed(&node.name, reason);
            if node.inputs.iter().any(|input| input.0 >= at) {
                return Err(fail("reads a later node"));
            }
            let arity_fits = match node.op {
                Op::Input { .. } | Op::Text | Op::Given { .. } | Op::Constant { .. } => {
                    node.inputs.is_empty()
                }
                Op::Add | Op::Multiply | Op::Gate => node.inputs.len() == 2,
                Op::Attention { .. } => [1, 2].contains(&node.inputs.len()),
                Op::TextAttention(_) => [1, 3].contains(&node.inputs.len()),
                Op::Concat => !node.inputs.is_empty(),
                _ => node.inputs.len() == 1,
            };
            if !arity_fits {
                return Err(fail("reads a wrong number of nodes"));
            }
            // Of one kind of content.
            let is_input = |op: &Op| matches!(op, Op::Text | Op::Input { .. });
            if is_input(&node.op) && self.nodes[..at].iter().any(|other| is_input(&other.op)) {
                return Err(fail("is a second input"));
            }
            // Numbers of tokens are no amounts: they are looked up, and nothing else.
            let is_text = |input: &NodeId| self.nodes[input.0].op == Op::Text;
            if node.inputs.iter().any(is_text) != matches!(node.op, Op::Lookup { .. }) {
                return Err(fail("reads the numbers of tokens, or looks up something else"));
            }
            if node.op.params().iter().any(|param| param.0 >= self.params.len()) {
                return Err(fail("needs a parameter that is not there"));
            }
            let weight_fits = match node.op {
                Op::Conv { weight, .. } => {
                    matches!(*self.params[weight.0].shape, [_, _, 1..=usize::MAX, 1..=usize::MAX])
                }
                Op::Linear { weight: param, .. } | Op::Lookup { table: param, .. } => {
                    self.params[param.0].shape.len() == 2
                }
                _ => true,
            };
            if !weight_fits {
                return Err(fail("has a weight of a wrong rank, or an empty kernel"));
            }
            let axes = self.window(node).map(Window::axes);
            let numbers_fit = match node.op {
                // Here and below: far more than any network has, and no product of a few of them overflows.
                Op::Conv { groups, .. } => {
                    let fits = |axis: &Axis| {
                        [axis.stride, axis.dilation].iter().all(|step| (1..1 << 16).contains(step))
                            && axis.before.max(axis.after) < 1 << 16
                            && axis.extent() < 1 << 14
                    };
                    groups > 0 && axes.is_some_and(|axes| axes.iter().all(fits))
                }
                Op::MaxPool(pool) | Op::AveragePool(pool) => {
                    let fits = |axis: &Axis| {
                        [axis.stride, axis.kernel].iter().all(|side| (1..1 << 16).contains(side))
                            && axis.before.max(axis.after) < axis.kernel
                    };
                    let counts = pool.count_include_pad && !matches!(node.op, Op::AveragePool(_));
                    !counts && axes.is_some_and(|axes| axes.iter().all(fits))
                }
                Op::Activation { function } => function.is_well_formed(),
                Op::Channels { start, end } => start < end,
                Op::Shuffle { groups } => groups > 0,
                Op::AdaptiveAveragePool { height, width } => {
                    (1..1 << 16).contains(&height) && (1..1 << 16).contains(&width)
                }
                Op::BatchNorm { eps, .. }
                | Op::LayerNorm { eps, .. }
                | Op::RmsNorm { eps, .. }
                | Op::ResponseNorm { eps, .. } => eps > 0.0 && eps.is_finite(),
                Op::Rotary(rotary) => rotary.is_well_formed(),
                Op::TextAttention(how) => how.is_well_formed(),
                Op::Attention { heads, .. } => (1..1 << 10).contains(&heads),
                Op::WindowAttention { heads, window, shift, .. } => {
                    (1..1 << 10).contains(&heads) && (1..1 << 6).contains(&window) && shift < window
                }
                Op::Tokens { grid, .. } => grid.0 > 0 && grid.1 > 0,
                Op::Lookup { by: By::Place { first, padding }, .. } => {
                    first < 1 << 20 && (padding.is_none() || first > 0)
                }
                _ => true,
            };
            if !numbers_fit {
                return Err(fail("has a size that makes no sense"));
            }
        }
        let ends = self.outputs.iter().chain(self.taps.iter().chain(&self.modules).map(|tap| &tap.node));
        match ends.copied().find(|end| end.0 >= self.nodes.len()) {
            Some(_) => Err(self.malformed("outputs", "point at a node that is not there")),
            None => Ok(()),
        }
    }

    /// Refuses parameters whose bytes, all of them together, cannot be counted, and two of one name.
    fn check_params(&self) -> Result<(), NetworkError> {
        let (mut total, mut names) = (0_usize, HashSet::new());
        for param in &self.params {
            if !names.insert(param.name.as_str()) {
                return Err(self.malformed(&param.name, "is the name of two parameters"));
            }
            let bytes = param.shape.iter().try_fold(size_of::<f32>(), |bytes, side| bytes.checked_mul(*side));
            total = bytes
                .and_then(|bytes| total.checked_add(bytes))
                .filter(|total| isize::try_from(*total).is_ok())
                .ok_or_else(|| self.malformed(&param.name, "has more numbers than memory can hold"))?;
        }
        Ok(())
    }

    /// `what` is a node or a parameter.
    pub(crate) fn malformed(&self, what: &str, reason: &'static str) -> NetworkError {
        NetworkError::Malformed { network: self.name.clone(), node: what.to_owned(), reason }
    }
}
