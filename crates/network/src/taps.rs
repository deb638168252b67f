//! Finding taps by name, and cutting a network down to what its taps need.
//!
//! A tap is a name, and perhaps how a map or tokens become a vector: `layer3`, `layer3:max`, `layer3:mean+max`.

use crate::{Network, NetworkError, Node, NodeId, Op, Param, ParamId, Shape, Tap, error::nearest};

/// What stands behind a name and a colon, and what a map or tokens become then, one after the other.
const POOLS: [(&str, &[Pooled]); 4] = [
    ("mean", &[Pooled::Mean]),
    ("max", &[Pooled::Max]),
    ("mean+max", &[Pooled::Mean, Pooled::Max]),
    ("flat", &[Pooled::Flat]),
];

/// What becomes of a map, or of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pooled {
    /// The mean over all places.
    Mean,
    /// The largest over all places.
    Max,
    /// All numbers of a map, channel by channel, or of tokens, one after the other.
    Flat,
}

/// The name of a node, and how what it gives becomes a vector: what stands behind the last colon, where that says so.
fn said(tap: &str) -> Option<(&str, (&'static str, &'static [Pooled]))> {
    let (name, said) = tap.rsplit_once(':')?;
    Some((name, POOLS.into_iter().find(|(known, _)| *known == said)?))
}

/// The name of a tap without what says how a map or tokens become a vector: `layer3` of `layer3:max`.
pub fn without_pooling(tap: &str) -> &str {
    said(tap).map_or(tap, |(name, _)| name)
}

/// A tap that was found.
struct Found {
    node: NodeId,
    /// How it is called as it was asked for.
    suffix: &'static str,
    /// Of a vector nothing.
    pools: &'static [Pooled],
}

impl Pooled {
    /// In the order in which nodes are appended.
    const ALL: [Pooled; 3] = [Pooled::Mean, Pooled::Max, Pooled::Flat];

    fn op(self) -> Op {
        match self {
            Pooled::Mean => Op::GlobalAveragePool,
            Pooled::Max => Op::GlobalMaxPool,
            Pooled::Flat => Op::Flatten,
        }
    }

    /// What its node is called, after the node that it reads.
    fn suffix(self) -> &'static str {
        match self {
            Pooled::Mean => "mean",
            Pooled::Max => "max",
            Pooled::Flat => "flat",
        }
    }
}

impl Network {
    /// The node that a tap, a node or a module of that name stands for.
    ///
    /// # Errors
    /// [`NetworkError::UnknownTap`], with the names there are.
    pub fn resolve(&self, tap: &str) -> Result<NodeId, NetworkError> {
        let named =
            self.taps.iter().chain(&self.modules).find(|known| known.name == tap).map(|known| known.node);
        // Numbers of tokens are no features.
        let node = || self.nodes.iter().position(|node| node.name == tap && node.op != Op::Text).map(NodeId);
        named.or_else(node).ok_or_else(|| self.unknown_tap(tap))
    }

    /// The part of the network that the taps need. Its [`outputs`](Network::outputs) are the taps, in the order asked,
    /// each a vector (d,): a tap that is a map, or tokens, is pooled. `NAME:mean`, `NAME:max`, `NAME:mean+max` and `NAME:flat` say
    /// how; without that it is the mean over all places.
    ///
    /// # Errors
    /// [`NetworkError::UnknownTap`], [`NetworkError::VectorTap`], or [`NetworkError::NoTap`] for an empty list.
    pub fn for_taps(&self, taps: &[&str]) -> Result<Network, NetworkError> {
        if taps.is_empty() {
            return Err(NetworkError::NoTap { network: self.name.clone() });
        }
        let found = taps.iter().map(|tap| self.tapped(tap)).collect::<Result<Vec<_>, _>>()?;
        let mut whole = self.clone();
        // One way after the other: nodes stand in the same order, whichever taps are asked for together.
        for pooled in Pooled::ALL {
            for tap in found.iter().filter(|tap| tap.pools.contains(&pooled)) {
                whole.appended(pooled.suffix(), &pooled.op(), tap.node, &[tap.node]);
            }
        }
        whole.outputs = found.iter().map(|tap| whole.vector(tap)).collect();
        Ok(whole.pruned())
    }

    /// What each output is of before it is flattened, for an input of that many pixels: a map or tokens. `None` of one that is not,
    /// or of one place.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn unflattened(&self, height: usize, width: usize) -> Result<Vec<Option<Shape>>, NetworkError> {
        let shapes = self.shapes(height, width)?;
        let before = |output: &NodeId| {
            let node = self.node(*output);
            let flattened = (node.op == Op::Flatten).then(|| shapes[node.inputs[0].0]);
            flattened.filter(|shape| shape.places() > 1)
        };
        Ok(self.outputs.iter().map(before).collect())
    }

    /// The same network with another number of `logits`, where a dense layer gives them: classifiers are often replaced.
    #[must_use]
    pub fn with_logits(mut self, classes: usize) -> Network {
        let logits = self.taps.iter().find(|tap| tap.name == "logits").map(|tap| tap.node);
        if let Some(Op::Linear { weight, bias }) = logits.map(|node| self.node(node).op.clone()) {
            for param in [Some(weight), bias].into_iter().flatten() {
                self.params[param.0].shape[0] = classes;
            }
        }
        self
    }

    /// The same network with positions for another grid of patches, where it has positions.
    #[must_use]
    pub fn with_grid(mut self, rows: usize, columns: usize) -> Network {
        for node in &mut self.nodes {
            if let Op::Tokens { positions, grid, .. } = &mut node.op {
                let count = &mut self.params[positions.0].shape[1];
                *count = *count - grid.0 * grid.1 + rows * columns;
                *grid = (rows, columns);
            }
        }
        self
    }

    /// The same network with another eps in all batch norms.
    #[must_use]
    pub fn with_batch_norm_eps(mut self, other: f32) -> Network {
        for node in &mut self.nodes {
            if let Op::BatchNorm { eps, .. } = &mut node.op {
                *eps = other;
            }
        }
        self
    }

    /// That of its batch norms, where it has some and it is the same of all.
    pub fn batch_norm_eps(&self) -> Option<f32> {
        let mut all = self.nodes.iter().filter_map(|node| match node.op {
            Op::BatchNorm { eps, .. } => Some(eps),
            _ => None,
        });
        let first = all.next()?;
        all.all(|eps| eps == first).then_some(first)
    }

    /// What is called so as a whole; else what is called so before the last colon, pooled as is said behind it.
    fn tapped(&self, tap: &str) -> Result<Found, NetworkError> {
        let error = match self.resolve(tap) {
            Ok(node) if self.is_vector(node) => return Ok(Found { node, suffix: "", pools: &[] }),
            Ok(node) => return Ok(Found { node, suffix: "mean", pools: &[Pooled::Mean] }),
            Err(error) => error,
        };
        let (name, (suffix, pools)) = said(tap).ok_or(error)?;
        let node = self.resolve(name)?;
        if self.is_vector(node) {
            return Err(NetworkError::VectorTap { network: self.name.clone(), tap: name.to_owned() });
        }
        if self.reads_texts() && pools.contains(&Pooled::Flat) {
            return Err(NetworkError::RaggedTap { network: self.name.clone(), tap: name.to_owned() });
        }
        Ok(Found { node, suffix, pools })
    }

    /// The node that makes a vector of a tap.
    fn vector(&mut self, tap: &Found) -> NodeId {
        let each: Vec<NodeId> = tap
            .pools
            .iter()
            .map(|pooled| self.appended(pooled.suffix(), &pooled.op(), tap.node, &[tap.node]))
            .collect();
        match each[..] {
            [] => tap.node,
            [only] => only,
            _ => self.appended(tap.suffix, &Op::Concat, tap.node, &each),
        }
    }

    /// A node called after `of` that reads `inputs`, unless it is there already.
    fn appended(&mut self, suffix: &str, op: &Op, of: NodeId, inputs: &[NodeId]) -> NodeId {
        if let Some(at) = self.nodes.iter().position(|node| node.op == *op && node.inputs == inputs) {
            return NodeId(at);
        }
        let name = format!("{}.{suffix}", self.node(of).name);
        self.nodes.push(Node { name, op: op.clone(), inputs: inputs.to_vec() });
        NodeId(self.nodes.len() - 1)
    }

    /// Without the nodes and parameters that no output needs; what is left keeps its order.
    pub(crate) fn pruned(self) -> Network {
        let mut needed = vec![false; self.nodes.len()];
        for output in &self.outputs {
            needed[output.0] = true;
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if needed[at] {
                for input in &node.inputs {
                    needed[input.0] = true;
                }
            }
        }
        let mut used = vec![false; self.params.len()];
        for (node, _) in self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
            for param in node.op.params() {
                used[param.0] = true;
            }
        }
        let (node_at, param_at) = (places(&needed), places(&used));
        let keep_tap =
            |tap: Tap| needed[tap.node.0].then(|| Tap { node: NodeId(node_at[tap.node.0]), name: tap.name });
        let nodes =
            self.nodes.into_iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| Node {
                op: node.op.with_params(|param| ParamId(param_at[param.0])),
                inputs: node.inputs.iter().map(|input| NodeId(node_at[input.0])).collect(),
                name: node.name,
            });
        let params: Vec<Param> =
            self.params.into_iter().zip(&used).filter(|(_, used)| **used).map(|(param, _)| param).collect();
        Network {
            name: self.name,
            nodes: nodes.collect(),
            params,
            outputs: self.outputs.iter().map(|output| NodeId(node_at[output.0])).collect(),
            taps: self.taps.into_iter().filter_map(keep_tap).collect(),
            modules: self.modules.into_iter().filter_map(keep_tap).collect(),
        }
    }

    fn unknown_tap(&self, tap: &str) -> NetworkError {
        let taps: Vec<String> = self.taps.iter().map(|tap| tap.name.clone()).collect();
        let modules = self.modules.iter().map(|tap| tap.name.as_str());
        let nodes = self.nodes.iter().map(|node| node.name.as_str());
        let suggestion =
            nearest(tap, taps.iter().map(String::as_str).chain(modules).chain(nodes)).map(str::to_owned);
        let example = self.nodes.get(self.nodes.len() / 2).map_or_else(String::new, |node| node.name.clone());
        NetworkError::UnknownTap {
            network: self.name.clone(),
            tap: tap.to_owned(),
            taps,
            suggestion,
            example,
        }
    }
}

/// For every kept thing, its place among the kept ones.
fn places(kept: &[bool]) -> Vec<usize> {
    let mut next = 0;
    kept.iter()
        .map(|kept| {
            let place = next;
            next += usize::from(*kept);
            place
        })
        .collect()
}
