//! Finding taps by name, and cutting a network down to what its taps need.

use crate::{Network, NetworkError, Node, NodeId, Op, Param, ParamId, Tap, error::nearest};

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
    /// each a vector (d,): a tap that is a map, or tokens, gets a global average pool appended.
    ///
    /// # Errors
    /// [`NetworkError::UnknownTap`], or [`NetworkError::NoTap`] for an empty list.
    pub fn for_taps(&self, taps: &[&str]) -> Result<Network, NetworkError> {
        if taps.is_empty() {
            return Err(NetworkError::NoTap { network: self.name.clone() });
        }
        let mut whole = self.clone();
        whole.outputs = taps
            .iter()
            .map(|tap| self.resolve(tap).map(|node| whole.pooled(node)))
            .collect::<Result<_, _>>()?;
        Ok(whole.pruned())
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

    /// The node itself where it is a vector; else its mean over all places, appended unless it is there already.
    fn pooled(&mut self, id: NodeId) -> NodeId {
        if self.is_vector(id) {
            return id;
        }
        let is_mean = |node: &Node| node.op == Op::GlobalAveragePool && node.inputs == [id];
        if let Some(at) = self.nodes.iter().position(is_mean) {
            return NodeId(at);
        }
        let name = format!("{}.mean", self.node(id).name);
        self.nodes.push(Node { name, op: Op::GlobalAveragePool, inputs: vec![id] });
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
