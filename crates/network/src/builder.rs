//! Builds networks, with the layers that families share written once.
//!
//! Families are our own code, so what they get wrong is a bug of ours and panics; what a user can get wrong (an input's
//! size, a tap, a weight file) is checked elsewhere and never panics.

use crate::{Conv, Network, Node, NodeId, Op, Param, ParamId, Pool, Tap};

/// A network in the making.
pub struct Builder {
    nodes: Vec<Node>,
    widths: Vec<Width>,
    params: Vec<Param>,
    taps: Vec<Tap>,
    modules: Vec<Tap>,
}

/// What is known of a node's shape before the input's size is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Width {
    /// Channels of a map of unknown size.
    Map(usize),
    /// Channels of a map, and how many places it has.
    Cells(usize, usize),
    Vector(usize),
}

impl Builder {
    /// A network that looks at pictures of three channels.
    pub fn image() -> Builder {
        let mut net = Builder {
            nodes: Vec::new(),
            widths: Vec::new(),
            params: Vec::new(),
            taps: Vec::new(),
            modules: Vec::new(),
        };
        net.push("input", Op::Input { channels: 3 }, &[], Width::Map(3));
        net
    }

    /// The picture.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// How many channels a node has, or how long a vector it is.
    pub fn width(&self, x: NodeId) -> usize {
        match self.widths[x.0] {
            Width::Map(width) | Width::Cells(width, _) | Width::Vector(width) => width,
        }
    }

    /// A convolution; its parameters are `name.weight` and, where it has one, `name.bias`.
    pub fn conv(&mut self, name: &str, x: NodeId, conv: Conv) -> NodeId {
        let channels = self.width(x);
        let Conv { out, kernel, stride, padding, groups, bias } = conv;
        assert!(
            channels.is_multiple_of(groups) && out.is_multiple_of(groups),
            "{name}: {groups} groups of {channels} to {out}"
        );
        let weight = self.param(format!("{name}.weight"), &[out, channels / groups, kernel, kernel]);
        let bias = bias.then(|| self.param(format!("{name}.bias"), &[out]));
        self.push(name, Op::Conv { weight, bias, stride, padding, groups }, &[x], Width::Map(out))
    }

    /// Batch norm with torchvision's names and eps 1e-5.
    pub fn batch_norm(&mut self, name: &str, x: NodeId) -> NodeId {
        let channels = self.width(x);
        let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|part| self.param(format!("{name}.{part}"), &[channels]));
        self.push(name, Op::BatchNorm { weight, bias, mean, variance, eps: 1e-5 }, &[x], Width::Map(channels))
    }

    /// A convolution and its batch norm.
    pub fn conv_bn(&mut self, conv_name: &str, norm_name: &str, x: NodeId, conv: Conv) -> NodeId {
        let x = self.conv(conv_name, x, conv);
        self.batch_norm(norm_name, x)
    }

    /// max(x, 0).
    pub fn relu(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Relu, &[x], self.widths[x.0])
    }

    /// min(max(x, 0), 6).
    pub fn relu6(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Relu6, &[x], self.widths[x.0])
    }

    /// Max pooling.
    pub fn max_pool(&mut self, name: &str, x: NodeId, pool: Pool) -> NodeId {
        let channels = self.width(x);
        self.push(name, Op::MaxPool(pool), &[x], Width::Map(channels))
    }

    /// Adaptive average pooling to `side`² places.
    pub fn adaptive_average_pool(&mut self, name: &str, x: NodeId, side: usize) -> NodeId {
        let channels = self.width(x);
        self.push(
            name,
            Op::AdaptiveAveragePool { height: side, width: side },
            &[x],
            Width::Cells(channels, side * side),
        )
    }

    /// The mean over all places.
    pub fn global_average_pool(&mut self, name: &str, x: NodeId) -> NodeId {
        let channels = self.width(x);
        self.push(name, Op::GlobalAveragePool, &[x], Width::Vector(channels))
    }

    /// A map of a known number of places as one vector.
    pub fn flatten(&mut self, name: &str, x: NodeId) -> NodeId {
        let Width::Cells(channels, cells) = self.widths[x.0] else {
            panic!("{name}: flattening a map of unknown size");
        };
        self.push(name, Op::Flatten, &[x], Width::Vector(channels * cells))
    }

    /// A dense layer with a bias.
    pub fn linear(&mut self, name: &str, x: NodeId, out: usize) -> NodeId {
        let Width::Vector(inputs) = self.widths[x.0] else {
            panic!("{name}: a dense layer reads a vector");
        };
        let weight = self.param(format!("{name}.weight"), &[out, inputs]);
        let bias = Some(self.param(format!("{name}.bias"), &[out]));
        self.push(name, Op::Linear { weight, bias }, &[x], Width::Vector(out))
    }

    /// The sum of two nodes.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        assert_eq!(self.widths[a.0], self.widths[b.0], "{name}: adding different shapes");
        self.push(name, Op::Add, &[a, b], self.widths[a.0])
    }

    /// Maps one after the other along the channels.
    pub fn concat(&mut self, name: &str, inputs: &[NodeId]) -> NodeId {
        let channels = inputs.iter().map(|input| self.width(*input)).sum();
        self.push(name, Op::Concat, inputs, Width::Map(channels))
    }

    /// Advertises a node as a place to read features.
    pub fn tap(&mut self, name: &str, node: NodeId) {
        self.taps.push(Tap { name: name.to_owned(), node });
    }

    /// Names the node at which a module of several nodes ends.
    pub fn module(&mut self, name: &str, node: NodeId) {
        self.modules.push(Tap { name: name.to_owned(), node });
    }

    /// The finished network, giving `output`.
    ///
    /// # Panics
    /// Where two nodes or two parameters bear one name, or the graph breaks its invariant.
    pub fn finish(self, name: &str, output: NodeId) -> Network {
        let Builder { nodes, params, taps, modules, .. } = self;
        let network = Network { name: name.to_owned(), nodes, params, outputs: vec![output], taps, modules };
        let names = network
            .nodes
            .iter()
            .map(|node| &node.name)
            .chain(network.modules.iter().map(|module| &module.name));
        assert_eq!(
            names.clone().collect::<std::collections::BTreeSet<_>>().len(),
            names.count(),
            "{name}: one name twice"
        );
        if let Err(error) = network.check() {
            panic!("{error}");
        }
        network
    }

    fn param(&mut self, name: String, shape: &[usize]) -> ParamId {
        assert!(self.params.iter().all(|param| param.name != name), "{name} twice");
        self.params.push(Param { name, shape: shape.to_vec() });
        ParamId(self.params.len() - 1)
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], width: Width) -> NodeId {
        self.nodes.push(Node { name: name.to_owned(), op, inputs: inputs.to_vec() });
        self.widths.push(width);
        NodeId(self.nodes.len() - 1)
    }
}
