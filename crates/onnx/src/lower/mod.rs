//! Our operations as ONNX nodes.

mod activation;
pub(crate) mod adaptive;
mod attention;
mod layout;
mod pool;
mod response;
mod tokens;
mod window_attention;
pub(crate) mod windows;

use super::{
    Ending, FEATURES, INPUT, LOGITS, OnnxError, PROBABILITIES, VALUES, draft::Draft, operator::Operator,
};
use layout::Laid;
use network::{Node, NodeId, Op, ParamId, Shape};
use weights::Bound;

/// The network; with an `ending` its last output is a head's, and the others are the features.
pub(super) fn lower<'a>(
    bound: &'a Bound,
    size: (usize, usize),
    ending: Option<Ending>,
) -> Result<Draft<'a>, OnnxError> {
    let network = bound.network();
    if network.nodes().iter().any(|node| matches!(node.op, Op::Given { .. })) {
        return Err(OnnxError::NoPicture);
    }
    let shapes = network.shapes(size.0, size.1)?;
    let (features, head) = match (network.outputs(), ending) {
        ([], _) | ([_], Some(_)) => return Err(OnnxError::NoOutput),
        (outputs, None) => (outputs, None),
        ([features @ .., head], Some(_)) => (features, Some(*head)),
    };
    // What bears the name of the features: the one output, or several side by side.
    let output = match features {
        [output] => Some(*output),
        _ => None,
    };
    let last_of = |outputs: &[NodeId]| outputs.iter().map(|output| output.index()).max().unwrap_or_default();
    let (backbone, last) = (last_of(features), last_of(network.outputs()));
    let mut draft = Draft::default();
    [INPUT, FEATURES, LOGITS, PROBABILITIES, VALUES].iter().for_each(|name| draft.reserve(name));
    // A head's own initializers stand after all of the backbone's.
    let mut of_backbone = vec![false; network.params().len()];
    network.nodes()[..=backbone].iter().flat_map(|node| node.op.params()).for_each(|param| {
        of_backbone[param.index()] = true;
    });
    let mut graph = Lowered {
        bound,
        shapes: &shapes,
        params: vec![String::new(); of_backbone.len()],
        laid: Vec::new(),
        draft,
    };
    graph.take_params(|param| of_backbone[param]);
    let names = Names { features: output, head: head.zip(ending) };
    for at in 0..=backbone {
        let laid = Lowering { node: &network.nodes()[at], at, names, graph: &mut graph }.lower();
        graph.laid.push(laid);
    }
    match output {
        Some(output) if matches!(shapes[output.index()], Shape::Vector(_)) => (),
        Some(output) => {
            // As the engines give it: row by row.
            let value = graph.first(output);
            graph.draft.step(&Operator::Flatten, FEATURES.to_owned(), vec![value]);
        }
        None => {
            let outputs = features.iter().map(|output| graph.first(*output)).collect();
            graph.draft.step(&Operator::Concat { axis: 1 }, FEATURES.to_owned(), outputs);
        }
    }
    let width = features.iter().map(|output| shapes[output.index()].len()).sum();
    graph.draft.outputs.push((FEATURES, width));
    if let (Some(head), Some(ending)) = (head, ending) {
        graph.take_params(|param| !of_backbone[param]);
        for at in backbone + 1..=last {
            let laid = Lowering { node: &network.nodes()[at], at, names, graph: &mut graph }.lower();
            graph.laid.push(laid);
        }
        graph.end(head, ending);
    }
    Ok(graph.draft.pruned())
}

/// Which nodes' values bear names that whoever runs the model asks for.
#[derive(Clone, Copy)]
struct Names {
    features: Option<NodeId>,
    head: Option<(NodeId, Ending)>,
}

impl Names {
    /// The name of what node `at` gives, if it is one of those.
    fn of(self, at: usize) -> Option<&'static str> {
        match self.head {
            Some((head, ending)) if head.index() == at => Some(ending.output()),
            _ => self.features.filter(|features| features.index() == at).map(|_| FEATURES),
        }
    }
}

/// What stands so far.
struct Lowered<'a, 'b> {
    bound: &'a Bound,
    shapes: &'b [Shape],
    /// The initializer of every parameter.
    params: Vec<String>,
    /// What every node so far has become.
    laid: Vec<Laid>,
    draft: Draft<'a>,
}

impl<'a> Lowered<'a, '_> {
    /// Makes initializers of those parameters that `takes` picks by their place.
    fn take_params(&mut self, takes: impl Fn(usize) -> bool) {
        for (at, (param, tensor)) in self.bound.tensors().enumerate().filter(|(at, _)| takes(*at)) {
            self.params[at] = self.draft.constant(&param.name, &param.shape, tensor.data.as_slice());
        }
    }

    /// Adds the head's output, and the probabilities that it comes to.
    fn end(&mut self, head: NodeId, ending: Ending) {
        let (output, width) = (ending.output(), self.shapes[head.index()].len());
        self.draft.outputs.push((output, width));
        let operator = match ending {
            Ending::Classes => Operator::Softmax,
            Ending::Labels => Operator::Sigmoid,
            Ending::Values => return,
        };
        self.draft.step(&operator, PROBABILITIES.to_owned(), vec![output.to_owned()]);
        self.draft.outputs.push((PROBABILITIES, width));
    }
}

/// One of our nodes on its way.
struct Lowering<'a, 'b, 'c> {
    node: &'a Node,
    at: usize,
    names: Names,
    graph: &'c mut Lowered<'a, 'b>,
}

impl Lowering<'_, '_, '_> {
    fn lower(&mut self) -> Laid {
        match &self.node.op {
            // What another network gives was refused before.
            Op::Input { .. } | Op::Given { .. } => Laid::first(INPUT.to_owned()),
            Op::Conv { weight, bias, stride, padding, groups, dilation } => {
                let mut inputs = vec![self.first(0), self.param(*weight)];
                inputs.extend(bias.map(|bias| self.param(bias)));
                let pads = [padding.top, padding.left, padding.bottom, padding.right];
                let (strides, dilations) = ([stride.y, stride.x], [dilation.y, dilation.x]);
                let operator = Operator::Conv { group: *groups, pads, strides, dilations };
                Laid::first(self.whole(&operator, inputs))
            }
            Op::BatchNorm { weight, bias, mean, variance, eps } => {
                let [weight, bias, mean, variance] =
                    [weight, bias, mean, variance].map(|param| self.param(*param));
                let operator = Operator::BatchNormalization { epsilon: *eps };
                let params = [weight, bias, mean, variance];
                let with = |x: String| [vec![x], params.to_vec()].concat();
                match self.shape() {
                    Shape::Map { .. } => {
                        let x = self.first(0);
                        Laid::first(self.whole(&operator, with(x)))
                    }
                    Shape::Vector(_) => {
                        let x = self.last(0);
                        Laid::both(self.whole(&operator, with(x)))
                    }
                    // Channels stand second in a batch norm.
                    Shape::Tokens { .. } => {
                        let x = self.last(0);
                        let x = self.turned("turned", x, &[0, 2, 1]);
                        let x = self.part("normalised", &operator, with(x));
                        Laid::both(self.whole(&Operator::Transpose { perm: vec![0, 2, 1] }, vec![x]))
                    }
                }
            }
            Op::LayerNorm { weight, bias, eps } => {
                let inputs = vec![self.last(0), self.param(*weight), self.param(*bias)];
                let value = self.whole(&Operator::LayerNormalization { epsilon: *eps }, inputs);
                self.channels_last(value)
            }
            Op::ResponseNorm { weight, bias, eps } => self.response_norm(*weight, *bias, *eps),
            Op::Linear { weight, bias } => self.linear(*weight, *bias),
            Op::Activation { function } => self.activation(*function),
            Op::Add => self.both(&Operator::Add),
            Op::Multiply => self.both(&Operator::Mul),
            Op::Scale { weight } => self.scale(*weight),
            Op::Gate => {
                let inputs = vec![self.first(0), self.first(1)];
                Laid::first(self.whole(&Operator::Mul, inputs))
            }
            Op::Concat => {
                let inputs = (0..self.node.inputs.len()).map(|input| self.first(input)).collect();
                let value = self.whole(&Operator::Concat { axis: 1 }, inputs);
                if let Shape::Vector(_) = self.shape() { Laid::both(value) } else { Laid::first(value) }
            }
            Op::Flatten => {
                let x = self.first(0);
                Laid::both(self.whole(&Operator::Flatten, vec![x]))
            }
            Op::MaxPool(pool) => {
                let (x, window) = (self.first(0), self.window(*pool));
                Laid::first(self.whole(&Operator::MaxPool(window), vec![x]))
            }
            Op::AveragePool(pool) => {
                let (x, window) = self.average_window(*pool);
                Laid::first(self.whole(&Operator::AveragePool(window), vec![x]))
            }
            Op::AdaptiveAveragePool { height, width } => self.adaptive((*height, *width)),
            Op::GlobalAveragePool => self.mean(),
            Op::Tokens { prefix, positions, grid, interpolation } => {
                self.tokens(prefix, *positions, *grid, *interpolation)
            }
            // (1, n, d), which broadcasts over the batch wherever it is read.
            Op::Constant { value } => Laid::both(self.param(*value)),
            Op::Token { index } => {
                let x = self.last(0);
                Laid::both(self.whole(&Operator::Gather { axis: 1, index: *index }, vec![x]))
            }
            Op::Attention { heads, bias } => self.attention(*heads, *bias),
            Op::WindowAttention { heads, window, shift, bias } => {
                self.window_attention(*heads, *window, *shift, *bias)
            }
            Op::MergePatches => self.merge_patches(),
            Op::Channels { start, end } => self.channels(*start, *end),
            Op::Shuffle { groups } => self.shuffle(*groups),
        }
    }

    /// A vector goes through a Gemm; the places of a map and tokens through a product.
    fn linear(&mut self, weight: ParamId, bias: Option<ParamId>) -> Laid {
        let (x, weight) = (self.last(0), self.param(weight));
        let bias = bias.map(|bias| self.param(bias));
        if let Shape::Vector(_) = self.shape() {
            let inputs = [x, weight].into_iter().chain(bias).collect();
            return Laid::both(self.whole(&Operator::Gemm, inputs));
        }
        let weight = self.turned("weight", weight, &[1, 0]);
        let value = match bias {
            Some(bias) => {
                let product = self.part("product", &Operator::MatMul, vec![x, weight]);
                self.whole(&Operator::Add, vec![product, bias])
            }
            None => self.whole(&Operator::MatMul, vec![x, weight]),
        };
        self.channels_last(value)
    }

    /// Of two values of one shape.
    fn both(&mut self, operator: &Operator) -> Laid {
        let [a, b] = [0, 1].map(|input| self.laid(input));
        if a.last.is_none() && b.last.is_none() {
            let inputs = vec![self.first(0), self.first(1)];
            return Laid::first(self.whole(operator, inputs));
        }
        let inputs = vec![self.last(0), self.last(1)];
        let value = self.whole(operator, inputs);
        self.channels_last(value)
    }

    fn scale(&mut self, weight: ParamId) -> Laid {
        let known = &self.graph.bound.network().param(weight).shape;
        let (weight, channels) = (self.param(weight), self.shape().width());
        let last = self.laid(0).last.is_some();
        let shape = if last { vec![channels] } else { vec![channels, 1, 1] };
        let weight = if *known == shape { weight } else { self.reshaped("weight", weight, &shape) };
        if last {
            let x = self.last(0);
            let value = self.whole(&Operator::Mul, vec![x, weight]);
            return self.channels_last(value);
        }
        let x = self.first(0);
        Laid::first(self.whole(&Operator::Mul, vec![x, weight]))
    }

    /// Adds the node whose value bears our node's own name, or stands for the features or the head.
    fn whole(&mut self, operator: &Operator, inputs: Vec<String>) -> String {
        let named = self.names.of(self.at).filter(|_| matches!(self.shape(), Shape::Vector(_)));
        let name = named.map_or_else(|| self.graph.draft.free(&self.node.name), str::to_owned);
        self.graph.draft.step(operator, name, inputs)
    }

    /// Adds a node on the way there.
    fn part(&mut self, what: &str, operator: &Operator, inputs: Vec<String>) -> String {
        let name = self.graph.draft.free(&format!("{}/{what}", self.node.name));
        self.graph.draft.step(operator, name, inputs)
    }

    /// The same numbers in another shape, on the way.
    fn reshaped(&mut self, what: &str, x: String, shape: &[usize]) -> String {
        self.part(what, &Operator::Reshape { shape: shape.to_vec() }, vec![x])
    }

    /// The same numbers with axes in another order, on the way.
    fn turned(&mut self, what: &str, x: String, perm: &[usize]) -> String {
        self.part(what, &Operator::Transpose { perm: perm.to_vec() }, vec![x])
    }

    /// Adds an initializer.
    fn constant(&mut self, what: &str, shape: &[usize], data: Vec<f32>) -> String {
        self.graph.draft.constant(&format!("{}/{what}", self.node.name), shape, data)
    }

    fn param(&self, id: ParamId) -> String {
        self.graph.params[id.index()].clone()
    }

    /// Of what it gives.
    fn shape(&self) -> Shape {
        self.graph.shapes[self.at]
    }

    /// Of what it reads.
    fn input_shape(&self, input: usize) -> Shape {
        self.graph.shapes[self.node.inputs[input].index()]
    }
}
