//! One network after another, and one network in two.

use crate::{Network, NetworkError, Node, NodeId, Op, ParamId, Shape, Tap, builder::FEATURES};
use std::collections::BTreeSet;

impl Network {
    /// This network and then `upper`, which reads its outputs in their order; or all of them side by side, where it reads one
    /// vector. Its outputs are what `upper` was given, then `upper`'s own.
    ///
    /// # Errors
    /// Where `upper` reads another number of outputs, or both have a parameter of one name.
    pub fn join(&self, upper: &Network) -> Result<Network, NetworkError> {
        let mut joined = self.clone();
        let mut taken: BTreeSet<&str> = self.params.iter().map(|param| param.name.as_str()).collect();
        if let Some(twice) = upper.params.iter().find(|param| !taken.insert(&param.name)) {
            return Err(self.malformed(&twice.name, "is a parameter of both networks"));
        }
        let given: Vec<usize> = upper.given().collect();
        match (given.len(), self.outputs.len()) {
            (1, several) if several > 1 => {
                let node = Node { name: FEATURES.to_owned(), op: Op::Concat, inputs: self.outputs.clone() };
                joined.nodes.push(node);
                joined.outputs = vec![NodeId(joined.nodes.len() - 1)];
            }
            (wanted, there) if wanted != there => {
                return Err(
                    upper.malformed(FEATURES, "are read from another number of outputs than there are")
                );
            }
            _ => {}
        }
        let params = ParamId(joined.params.len());
        joined.params.extend(upper.params.iter().cloned());
        let mut places: Vec<NodeId> = Vec::with_capacity(upper.nodes.len());
        let mut outputs = joined.outputs.iter();
        for (at, node) in upper.nodes.iter().enumerate() {
            if given.contains(&at) {
                places.extend(outputs.next());
                continue;
            }
            joined.nodes.push(Node {
                name: node.name.clone(),
                op: node.op.with_params(|param| ParamId(params.0 + param.0)),
                inputs: node.inputs.iter().map(|input| places[input.0]).collect(),
            });
            places.push(NodeId(joined.nodes.len() - 1));
        }
        let moved = |tap: &Tap| Tap { name: tap.name.clone(), node: places[tap.node.0] };
        joined.taps.extend(upper.taps.iter().map(moved));
        joined.modules.extend(upper.modules.iter().map(moved));
        joined.outputs.extend(upper.outputs.iter().map(|output| places[output.0]));
        joined.check().map(|()| joined)
    }

    /// The part up to `at`, and the part from there on, for inputs of that many pixels: the first gives the nodes, modules or
    /// taps of these names as they are, the second is given them. [`Network::join`] puts both together again.
    ///
    /// # Errors
    /// Where there is no such node, the size does not fit, or the rest needs more than these.
    pub fn cut(&self, at: &[&str], height: usize, width: usize) -> Result<(Network, Network), NetworkError> {
        let shapes = self.shapes(height, width)?;
        let ends = at.iter().map(|name| self.resolve(name)).collect::<Result<Vec<_>, _>>()?;
        if ends.is_empty() {
            return Err(NetworkError::NoTap { network: self.name.clone() });
        }
        let lower = Network { outputs: ends.clone(), ..self.clone() }.pruned();
        let mut upper = self.clone();
        for end in &ends {
            let node = &mut upper.nodes[end.0];
            *node =
                Node { name: node.name.clone(), op: Op::Given { shape: shapes[end.0] }, inputs: Vec::new() };
        }
        let upper = upper.pruned();
        if let Some(input) = upper.nodes.iter().find(|node| matches!(node.op, Op::Input { .. } | Op::Text)) {
            return Err(self.malformed(&input.name, "is needed beyond the cut as well"));
        }
        // In the order in which they were asked for, which is that of the lower part's outputs.
        let order: Vec<&str> = ends.iter().map(|end| self.node(*end).name.as_str()).collect();
        let given: Vec<&str> = upper.given().map(|at| upper.nodes[at].name.as_str()).collect();
        if order != given {
            return Err(self.malformed(
                order[0],
                "and the others are to be named in the network's order, each once, and all be needed",
            ));
        }
        Ok((lower, upper))
    }

    /// The part that one of the outputs needs, which is then the only one.
    ///
    /// # Panics
    /// Where there are fewer outputs.
    #[must_use]
    pub fn of_output(&self, output: usize) -> Network {
        Network { outputs: vec![self.outputs[output]], ..self.clone() }.pruned()
    }

    /// What it is given by another network, where that is one map, one vector or one picture's tokens, and all that it reads.
    pub fn given_row(&self) -> Option<Shape> {
        let mut reads = self.nodes.iter().filter_map(|node| match node.op {
            Op::Given { shape } => Some(Some(shape)),
            Op::Input { .. } | Op::Text => Some(None),
            _ => None,
        });
        let first = reads.next().flatten()?;
        (reads.next().is_none() && !matches!(first, Shape::Sequence { .. })).then_some(first)
    }

    /// The places of the nodes that another network gives.
    fn given(&self) -> impl Iterator<Item = usize> {
        let is_given = |(at, node): (usize, &Node)| matches!(node.op, Op::Given { .. }).then_some(at);
        self.nodes.iter().enumerate().filter_map(is_given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, zoo};

    fn head(width: usize) -> Network {
        let mut net = Builder::features(width);
        let x = net.linear("head.0", net.input(), 5);
        let x = net.relu("head.0/relu", x);
        let x = net.linear("head.1", x, 3);
        net.finish("head", x)
    }

    #[test]
    fn a_head_reads_what_the_backbone_gives() {
        let full = zoo::find("headstart_tiny").unwrap().network();
        for (taps, width) in [(&["pooled"][..], 224), (&["layer3", "pooled"], 224 + 112)] {
            let backbone = full.for_taps(taps).unwrap();
            let d: usize = backbone.widths(64, 64).unwrap().iter().sum();
            assert_eq!(d, width);
            let joined = backbone.join(&head(d)).unwrap();
            assert_eq!(joined.widths(64, 64).unwrap(), [d, 3]);
            assert_eq!(joined.params().len(), backbone.params().len() + 4);
            assert!(
                joined
                    .join(&head(d))
                    .unwrap_err()
                    .to_string()
                    .contains("`head.0.weight` is a parameter of both")
            );
            // One number less than there are.
            assert!(backbone.join(&head(d - 1)).unwrap().shapes(64, 64).is_err());
        }
    }

    #[test]
    fn what_is_cut_is_joined_again() {
        for (name, at) in [
            ("resnet18", &["layer3"][..]),
            ("vit_b_16", &["encoder.layers.encoder_layer_5"]),
            ("densenet121", &["features.denseblock2"]),
        ] {
            let whole = zoo::find(name).unwrap().network().for_taps(&["pooled"]).unwrap();
            let (lower, upper) = whole.cut(at, 224, 224).unwrap();
            assert_eq!(lower.nodes().len() + upper.nodes().len(), whole.nodes().len() + at.len(), "{name}");
            let mut again = lower.join(&upper).unwrap();
            again.outputs = again.outputs.split_off(at.len());
            assert_eq!(again.fingerprint(), whole.fingerprint(), "{name}");
        }
        // A sum reads what lies before the cut.
        let whole = zoo::find("resnet18").unwrap().network().for_taps(&["pooled"]).unwrap();
        assert!(whole.cut(&["layer3.0.conv1"], 224, 224).is_err());
        assert!(whole.cut(&[], 224, 224).is_err());
        assert!(whole.cut(&["layer9"], 224, 224).is_err());
    }
}
