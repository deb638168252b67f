//! Makes a network of operations that somebody else chose: what a file says is wrong is an error here, and no panic.

use crate::{Network, NetworkError, Node, NodeId, Op, Param, ParamId, Shape, Tap};
use std::collections::{BTreeMap, BTreeSet};

/// A network in the making, for pictures of one size, so that every node has a shape as soon as it is there.
#[derive(Debug)]
pub struct Assembly {
    network: Network,
    shapes: Vec<Shape>,
    size: (usize, usize),
    /// Of nodes and of modules, with the last number that was put behind each.
    names: BTreeMap<String, u64>,
    params: BTreeMap<String, u64>,
}

impl Assembly {
    /// An empty one, for pictures of `size` (height, width) in pixels.
    pub fn new(name: &str, size: (usize, usize)) -> Assembly {
        let network = Network {
            name: name.to_owned(),
            nodes: Vec::new(),
            params: Vec::new(),
            outputs: Vec::new(),
            taps: Vec::new(),
            modules: Vec::new(),
        };
        Assembly { network, shapes: Vec::new(), size, names: BTreeMap::new(), params: BTreeMap::new() }
    }

    /// A parameter. Where its name is taken, a number is put behind it.
    pub fn param(&mut self, name: &str, shape: &[usize]) -> ParamId {
        let name = free(&mut self.params, name);
        self.network.params.push(Param { name, shape: shape.to_vec() });
        ParamId(self.network.params.len() - 1)
    }

    /// A node. Where its name is taken, a number is put behind it.
    ///
    /// # Errors
    /// [`NetworkError::Mismatch`] and the others of [`Network::shapes`].
    pub fn push(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, NetworkError> {
        let node = Node { name: name.to_owned(), op, inputs: inputs.to_vec() };
        let shape = self.network.shape_of(&node, &self.shapes, self.size)?;
        let name = free(&mut self.names, name);
        self.network.nodes.push(Node { name, ..node });
        self.shapes.push(shape);
        Ok(NodeId(self.network.nodes.len() - 1))
    }

    /// The shape of a node's result.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.shapes[id.0]
    }

    /// A node that is there.
    pub fn node(&self, id: NodeId) -> &Node {
        self.network.node(id)
    }

    /// A parameter that is there.
    pub fn parameter(&self, id: ParamId) -> &Param {
        self.network.param(id)
    }

    /// Calls a node by a name that is none of its own; nothing happens where that is taken.
    pub fn alias(&mut self, name: &str, node: NodeId) {
        if !name.is_empty() && !self.names.contains_key(name) {
            self.names.insert(name.to_owned(), 1);
            self.network.modules.push(Tap { name: name.to_owned(), node });
        }
    }

    /// Every node so far, in the order in which they can be run.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.network.nodes.iter().enumerate().map(|(at, node)| (NodeId(at), node))
    }

    /// These nodes, and all that they are made of.
    pub fn needed(&self, ends: &[NodeId]) -> BTreeSet<NodeId> {
        let mut needed: BTreeSet<NodeId> = ends.iter().copied().collect();
        for (at, node) in self.network.nodes.iter().enumerate().rev() {
            if needed.contains(&NodeId(at)) {
                needed.extend(&node.inputs);
            }
        }
        needed
    }

    /// An empty one of the same name, for pictures of the same size.
    pub fn empty(&self) -> Assembly {
        Assembly::new(&self.network.name, self.size)
    }

    /// The network with these outputs and taps, and without what they do not need.
    ///
    /// # Errors
    /// [`NetworkError::Malformed`].
    pub fn finish(self, outputs: Vec<NodeId>, taps: Vec<Tap>) -> Result<Network, NetworkError> {
        let mut network = self.network;
        network.outputs = outputs;
        network.taps = taps;
        network.check()?;
        Ok(network.pruned())
    }
}

/// `name`, or with a number behind it, so that it is not taken yet; it is then.
fn free(taken: &mut BTreeMap<String, u64>, name: &str) -> String {
    let Some(mut number) = taken.get(name).copied() else {
        taken.insert(name.to_owned(), 1);
        return name.to_owned();
    };
    loop {
        number += 1;
        let free = format!("{name}/{number}");
        if !taken.contains_key(&free) {
            taken.insert(name.to_owned(), number);
            taken.insert(free.clone(), 1);
            return free;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;

    #[test]
    fn names_are_made_unique_and_misfits_are_errors() {
        let mut net = Assembly::new("net", (4, 4));
        let input = net.push("x", Op::Input { channels: 3 }, &[]).unwrap();
        let relu = Op::Activation { function: Activation::Relu };
        let a = net.push("x", relu.clone(), &[input]).unwrap();
        let dead = net.push("dead", relu.clone(), &[input]).unwrap();
        let weight = net.param("w", &[2, 4]);
        assert_eq!(net.param("w", &[1]).index(), 1);
        assert!(net.push("fc", Op::Linear { weight, bias: None }, &[a]).is_err());
        let weight = net.param("w", &[2, 3]);
        let fc = net.push("fc", Op::Linear { weight, bias: None }, &[a]).unwrap();
        net.alias("also", fc);
        net.alias("fc", dead);
        let network = net.finish(vec![fc], vec![Tap { name: "logits".to_owned(), node: fc }]).unwrap();
        let names: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["x", "x/2", "fc"]);
        assert_eq!(network.params().len(), 1);
        assert_eq!(network.params()[0].name, "w/3");
        assert_eq!(network.resolve("also").unwrap(), network.resolve("logits").unwrap());
    }
}
