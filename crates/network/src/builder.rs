//! Builds networks, with the layers that families share written once.
//!
//! Families are our own code, so what they get wrong is a bug of ours and panics; what a user can get wrong (an input's
//! size, a tap, a weight file) is checked elsewhere and never panics.

use crate::{
    Activation, By, Conv, Distances, Interpolation, Network, Node, NodeId, Op, Padding, Pair, Param, ParamId,
    Pool, Rotary, Shape, Tap, TextAttention,
};

/// The node that stands for the features in a head, and, where they come from several taps, that puts them side by side.
pub(crate) const FEATURES: &str = "features";

/// A network in the making.
pub struct Builder {
    nodes: Vec<Node>,
    widths: Vec<Width>,
    params: Vec<Param>,
    taps: Vec<Tap>,
    modules: Vec<Tap>,
    batch_norm_eps: f32,
}

/// What is known of a node's shape before the input's size is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Width {
    /// Channels of a map of unknown size.
    Map(usize),
    /// Channels of a map, and how many places it has.
    Cells(usize, usize),
    Vector(usize),
    Tokens(usize),
    Sequence(usize),
}

impl Width {
    fn channels(self) -> usize {
        match self {
            Width::Map(width)
            | Width::Cells(width, _)
            | Width::Vector(width)
            | Width::Tokens(width)
            | Width::Sequence(width) => width,
        }
    }

    /// The same with another number of channels.
    fn of(self, channels: usize) -> Width {
        match self {
            Width::Map(_) => Width::Map(channels),
            Width::Cells(_, cells) => Width::Cells(channels, cells),
            Width::Vector(_) => Width::Vector(channels),
            Width::Tokens(_) => Width::Tokens(channels),
            Width::Sequence(_) => Width::Sequence(channels),
        }
    }
}

impl Builder {
    /// A network that looks at pictures of three channels.
    pub fn image() -> Builder {
        Builder::begin("input", Op::Input { channels: 3 }, Width::Map(3))
    }

    /// A network that reads texts.
    pub fn text() -> Builder {
        Builder::begin("tokens", Op::Text, Width::Sequence(1))
    }

    /// A head: it reads `width` features, which another network gives.
    pub fn features(width: usize) -> Builder {
        Builder::begin(FEATURES, Op::Given { shape: Shape::Vector(width) }, Width::Vector(width))
    }

    /// A head that reads a map or tokens, which another network gives.
    pub fn given(shape: Shape) -> Builder {
        let width = match shape {
            Shape::Map { channels, height, width } => Width::Cells(channels, height * width),
            Shape::Vector(d) => Width::Vector(d),
            Shape::Tokens { width, .. } => Width::Tokens(width),
            Shape::Sequence { width } => Width::Sequence(width),
        };
        Builder::begin(FEATURES, Op::Given { shape }, width)
    }

    fn begin(name: &str, op: Op, width: Width) -> Builder {
        let mut net = Builder {
            nodes: Vec::new(),
            widths: Vec::new(),
            params: Vec::new(),
            taps: Vec::new(),
            modules: Vec::new(),
            batch_norm_eps: 1e-5,
        };
        net.push(name, op, &[], width);
        net
    }

    /// The picture, the tokens, or the features.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// How many channels a node has, or how long a vector it is.
    pub fn width(&self, x: NodeId) -> usize {
        self.widths[x.0].channels()
    }

    /// The eps of batch norms from here on, 1e-5 otherwise.
    pub fn set_batch_norm_eps(&mut self, eps: f32) {
        self.batch_norm_eps = eps;
    }

    /// A convolution; its parameters are `name.weight` and, where it has one, `name.bias`.
    pub fn conv(&mut self, name: &str, x: NodeId, conv: Conv) -> NodeId {
        let channels = self.width(x);
        let Conv { out, kernel, stride, padding, dilation, groups, bias } = conv;
        assert!(
            channels.is_multiple_of(groups) && out.is_multiple_of(groups),
            "{name}: {groups} groups of {channels} to {out}"
        );
        let weight = self.param(format!("{name}.weight"), &[out, channels / groups, kernel.y, kernel.x]);
        let bias = bias.then(|| self.param(format!("{name}.bias"), &[out]));
        // A map of a known number of places keeps them where every place is looked at alone.
        let alone = (kernel, stride, padding) == (Pair::ONE, Pair::ONE, Padding::NONE);
        let width = if alone { self.widths[x.0].of(out) } else { Width::Map(out) };
        self.push(name, Op::Conv { weight, bias, stride, padding, groups, dilation }, &[x], width)
    }

    /// Batch norm with PyTorch's names.
    pub fn batch_norm(&mut self, name: &str, x: NodeId) -> NodeId {
        let channels = self.width(x);
        let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|part| self.param(format!("{name}.{part}"), &[channels]));
        let eps = self.batch_norm_eps;
        self.push(name, Op::BatchNorm { weight, bias, mean, variance, eps }, &[x], self.widths[x.0])
    }

    /// A convolution and its batch norm.
    pub fn conv_bn(&mut self, conv_name: &str, norm_name: &str, x: NodeId, conv: Conv) -> NodeId {
        let x = self.conv(conv_name, x, conv);
        self.batch_norm(norm_name, x)
    }

    /// Layer norm over the channels of each place or token.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, eps: f32) -> NodeId {
        let channels = self.width(x);
        let [weight, bias] = ["weight", "bias"].map(|part| self.param(format!("{name}.{part}"), &[channels]));
        self.push(name, Op::LayerNorm { weight, bias, eps }, &[x], self.widths[x.0])
    }

    /// Global response normalisation of a map.
    pub fn response_norm(&mut self, name: &str, x: NodeId, eps: f32) -> NodeId {
        let channels = self.width(x);
        let [weight, bias] = ["weight", "bias"].map(|part| self.param(format!("{name}.{part}"), &[channels]));
        self.push(name, Op::ResponseNorm { weight, bias, eps }, &[x], self.widths[x.0])
    }

    /// A function of each number.
    pub fn activation(&mut self, name: &str, x: NodeId, function: Activation) -> NodeId {
        self.push(name, Op::Activation { function }, &[x], self.widths[x.0])
    }

    /// max(x, 0).
    pub fn relu(&mut self, name: &str, x: NodeId) -> NodeId {
        self.activation(name, x, Activation::Relu)
    }

    /// Every channel times a number of its own; `shape` is that of the parameter, which bears the full name `param`.
    pub fn scale(&mut self, name: &str, param: &str, shape: &[usize], x: NodeId) -> NodeId {
        assert_eq!(shape.iter().product::<usize>(), self.width(x), "{name}: a factor for each channel");
        let weight = self.param(param.to_owned(), shape);
        self.push(name, Op::Scale { weight }, &[x], self.widths[x.0])
    }

    /// Max pooling.
    pub fn max_pool(&mut self, name: &str, x: NodeId, pool: Pool) -> NodeId {
        let channels = self.width(x);
        self.push(name, Op::MaxPool(pool), &[x], Width::Map(channels))
    }

    /// Average pooling.
    pub fn average_pool(&mut self, name: &str, x: NodeId, pool: Pool) -> NodeId {
        let channels = self.width(x);
        self.push(name, Op::AveragePool(pool), &[x], Width::Map(channels))
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
        let Width::Cells(_, cells) = self.widths[x.0] else {
            panic!("{name}: flattening a map of unknown size");
        };
        self.flatten_places(name, x, cells)
    }

    /// A map or tokens of that many places as one vector.
    pub fn flatten_places(&mut self, name: &str, x: NodeId, places: usize) -> NodeId {
        let width = Width::Vector(self.width(x) * places);
        self.push(name, Op::Flatten, &[x], width)
    }

    /// A dense layer with a bias, over a vector or over every place or token.
    pub fn linear(&mut self, name: &str, x: NodeId, out: usize) -> NodeId {
        self.linear_with(name, [&format!("{name}.weight"), &format!("{name}.bias")], x, out)
    }

    /// The same with the parameters' full names: weight and bias.
    pub fn linear_with(&mut self, name: &str, params: [&str; 2], x: NodeId, out: usize) -> NodeId {
        let weight = self.param(params[0].to_owned(), &[out, self.width(x)]);
        let bias = Some(self.param(params[1].to_owned(), &[out]));
        self.push(name, Op::Linear { weight, bias }, &[x], self.widths[x.0].of(out))
    }

    /// A dense layer without a bias.
    pub fn linear_without_bias(&mut self, name: &str, x: NodeId, out: usize) -> NodeId {
        let weight = self.param(format!("{name}.weight"), &[out, self.width(x)]);
        self.push(name, Op::Linear { weight, bias: None }, &[x], self.widths[x.0].of(out))
    }

    /// A dense layer with a bias or without.
    pub fn linear_of(&mut self, name: &str, x: NodeId, out: usize, bias: bool) -> NodeId {
        if bias { self.linear(name, x, out) } else { self.linear_without_bias(name, x, out) }
    }

    /// A map as tokens: `prefix` are full names and counts of parameters (1, count, d) that come before its places;
    /// `positions` the name of those that are added, for a grid of (rows, columns), and whether the prefix has its own.
    pub fn tokens(
        &mut self,
        name: &str,
        x: NodeId,
        prefix: &[(&str, usize)],
        (positions, grid, prefix_too): (&str, (usize, usize), bool),
        interpolation: Interpolation,
    ) -> NodeId {
        let placed = if prefix_too { prefix.len() } else { 0 };
        self.tokens_placed(name, x, prefix, (positions, grid, placed), interpolation)
    }

    /// The same, where the first `placed` parameters of the prefix have positions.
    pub fn tokens_placed(
        &mut self,
        name: &str,
        x: NodeId,
        prefix: &[(&str, usize)],
        (positions, grid, placed): (&str, (usize, usize), usize),
        interpolation: Interpolation,
    ) -> NodeId {
        let d = self.width(x);
        let before: usize = prefix.iter().take(placed).map(|(_, count)| count).sum();
        let prefix =
            prefix.iter().map(|(name, count)| self.param((*name).to_owned(), &[1, *count, d])).collect();
        let count = grid.0 * grid.1 + before;
        let positions = self.param(positions.to_owned(), &[1, count, d]);
        self.push(name, Op::Tokens { prefix, positions, grid, interpolation }, &[x], Width::Tokens(d))
    }

    /// Tokens (count, d) that are the same for every picture; `param` is the full name of their parameter.
    pub fn constant(&mut self, name: &str, param: &str, (count, d): (usize, usize)) -> NodeId {
        let value = self.param(param.to_owned(), &[1, count, d]);
        self.push(name, Op::Constant { value }, &[], Width::Tokens(d))
    }

    /// For each token a row of a table of so many rows, each `d` long; its parameter is `name.weight`.
    pub fn lookup(&mut self, name: &str, by: By, (rows, d): (usize, usize)) -> NodeId {
        let table = self.param(format!("{name}.weight"), &[rows, d]);
        let text = self.input();
        self.push(name, Op::Lookup { table, by }, &[text], Width::Sequence(d))
    }

    /// The largest of each channel over all places, or over all tokens of a text.
    pub fn global_max_pool(&mut self, name: &str, x: NodeId) -> NodeId {
        let d = self.width(x);
        self.push(name, Op::GlobalMaxPool, &[x], Width::Vector(d))
    }

    /// The last token of a text.
    pub fn last_token(&mut self, name: &str, x: NodeId) -> NodeId {
        let d = self.width(x);
        self.push(name, Op::LastToken, &[x], Width::Vector(d))
    }

    /// A vector of length one.
    pub fn normalize(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Normalize, &[x], self.widths[x.0])
    }

    /// One token as a vector.
    pub fn token(&mut self, name: &str, x: NodeId, index: usize) -> NodeId {
        let d = self.width(x);
        self.push(name, Op::Token { index }, &[x], Width::Vector(d))
    }

    /// Attention from queries, keys and values one after the other (n, 3d), to (n, d); or a map (3d, h, w) to (d, h, w).
    pub fn attention(&mut self, name: &str, qkv: NodeId, heads: usize) -> NodeId {
        let d = self.width(qkv) / 3;
        self.push(name, Op::Attention { heads, bias: None }, &[qkv], self.widths[qkv.0].of(d))
    }

    /// Attention of a text's tokens: of queries, keys and values, or of one value that has them one after the other.
    pub fn text_attention(&mut self, name: &str, from: &[NodeId], how: TextAttention) -> NodeId {
        let width = self.width(from[0]);
        let d = if from.len() == 1 { how.heads * how.depth(width, true) } else { width };
        self.push(name, Op::TextAttention(how), from, Width::Sequence(d))
    }

    /// A table of `rows` for how far apart two tokens are, for so many heads; `name` is the parameter's full name. Several
    /// layers may share it.
    pub fn distances(&mut self, name: &str, (rows, heads): (usize, usize), farthest: usize) -> Distances {
        Distances { table: self.param(name.to_owned(), &[rows, heads]), farthest }
    }

    /// Numbers of queries or keys, turned by their tokens' places.
    pub fn rotary(&mut self, name: &str, x: NodeId, how: Rotary) -> NodeId {
        self.push(name, Op::Rotary(how), &[x], self.widths[x.0])
    }

    /// Rows over the root of their mean square, or parts of them that are `d` long; its parameter is `name.weight`.
    pub fn rms_norm(&mut self, name: &str, x: NodeId, d: usize, eps: f32) -> NodeId {
        let weight = self.param(format!("{name}.weight"), &[d]);
        self.push(name, Op::RmsNorm { weight, eps }, &[x], self.widths[x.0])
    }

    /// Attention of queries (m, d) to keys and values (n, 2d), or to keys that are the values (n, d); to (m, d).
    pub fn cross_attention(&mut self, name: &str, q: NodeId, kv: NodeId, heads: usize) -> NodeId {
        self.push(name, Op::Attention { heads, bias: None }, &[q, kv], self.widths[q.0])
    }

    /// Attention as [`Builder::attention`], of so many places, with numbers for pairs of places that are added to the scores:
    /// (heads, places, places), a parameter of that full name.
    pub fn biased_attention(
        &mut self,
        name: &str,
        bias: &str,
        qkv: NodeId,
        heads: usize,
        places: usize,
    ) -> NodeId {
        let bias = Some(self.param(bias.to_owned(), &[heads, places, places]));
        let d = self.width(qkv) / 3;
        self.push(name, Op::Attention { heads, bias }, &[qkv], self.widths[qkv.0].of(d))
    }

    /// Attention within (shifted) windows of a map (3d, h, w); `bias` is the full name of its table of relative positions.
    pub fn window_attention(
        &mut self,
        name: &str,
        bias: &str,
        qkv: NodeId,
        heads: usize,
        (window, shift): (usize, usize),
    ) -> NodeId {
        let bias = self.param(bias.to_owned(), &[(2 * window - 1).pow(2), heads]);
        let d = self.width(qkv) / 3;
        self.push(name, Op::WindowAttention { heads, window, shift, bias }, &[qkv], Width::Map(d))
    }

    /// Four neighbours as one place.
    pub fn merge_patches(&mut self, name: &str, x: NodeId) -> NodeId {
        let channels = 4 * self.width(x);
        self.push(name, Op::MergePatches, &[x], Width::Map(channels))
    }

    /// Every place of a map times `gates`, a map of one place.
    pub fn gate(&mut self, name: &str, x: NodeId, gates: NodeId) -> NodeId {
        self.push(name, Op::Gate, &[x, gates], self.widths[x.0])
    }

    /// The sum of two nodes.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        assert_eq!(self.widths[a.0], self.widths[b.0], "{name}: adding different shapes");
        self.push(name, Op::Add, &[a, b], self.widths[a.0])
    }

    /// The product of two nodes, number by number.
    pub fn multiply(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        assert_eq!(self.widths[a.0], self.widths[b.0], "{name}: multiplying different shapes");
        self.push(name, Op::Multiply, &[a, b], self.widths[a.0])
    }

    /// Channels from `start` to before `end`.
    pub fn channels(&mut self, name: &str, x: NodeId, (start, end): (usize, usize)) -> NodeId {
        self.push(name, Op::Channels { start, end }, &[x], self.widths[x.0].of(end - start))
    }

    /// Channels as (groups, c / groups) transposed.
    pub fn shuffle(&mut self, name: &str, x: NodeId, groups: usize) -> NodeId {
        self.push(name, Op::Shuffle { groups }, &[x], self.widths[x.0])
    }

    /// Maps one after the other along the channels.
    pub fn concat(&mut self, name: &str, inputs: &[NodeId]) -> NodeId {
        let channels = inputs.iter().map(|input| self.width(*input)).sum();
        self.push(name, Op::Concat, inputs, Width::Map(channels))
    }

    /// The nodes behind `was` up to `last` once more, with the same parameters: what read `was` reads `is`, and names have the
    /// second of `names` in place of the first. Gives what `last` has become.
    pub fn again(&mut self, (was, last): (NodeId, NodeId), is: NodeId, names: [&str; 2]) -> NodeId {
        let (first, moved) = (was.0 + 1, self.nodes.len() - was.0 - 1);
        for at in first..=last.0 {
            let Node { name, op, inputs } = self.nodes[at].clone();
            let read = |input: &NodeId| match *input {
                input if input == was => is,
                NodeId(at) if at >= first => NodeId(at + moved),
                input => input,
            };
            let inputs: Vec<NodeId> = inputs.iter().map(read).collect();
            self.push(&name.replacen(names[0], names[1], 1), op, &inputs, self.widths[at]);
        }
        NodeId(last.0 + moved)
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
