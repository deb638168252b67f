//! Our operations as ONNX nodes.

mod activation;
mod adaptive;
mod attention;
mod head;
mod layout;
mod pool;
mod tokens;
mod window_attention;
mod windows;

use super::{
    Ending, FEATURES, INPUT, LOGITS, OnnxError, PROBABILITIES, VALUES, draft::Draft, operator::Operator,
};
use layout::Laid;
use network::{Node, NodeId, Op, ParamId, Shape};
use weights::Bound;
use weights::Dense;

/// The backbone, then the head.
pub(super) fn lower<'a>(
    bound: &'a Bound,
    size: (usize, usize),
    head: &'a [Dense],
    ending: Ending,
) -> Result<Draft<'a>, OnnxError> {
    let network = bound.network();
    let shapes = network.shapes(size.0, size.1)?;
    // What bears the name of the features: the one output, or several side by side.
    let output = match network.outputs() {
        [output] => Some(*output),
        _ => None,
    };
    let Some(last) = network.outputs().iter().map(|output| output.index()).max() else {
        return Err(OnnxError::NoOutput);
    };
    let mut draft = Draft::default();
    [INPUT, FEATURES, LOGITS, PROBABILITIES, VALUES].iter().for_each(|name| draft.reserve(name));
    head::reserve(&mut draft, head.len());
    let params = bound.tensors();
    let params =
        params.map(|(param, tensor)| draft.constant(&param.name, &param.shape, tensor.data.as_slice()));
    let mut graph = Graph { bound, shapes: &shapes, params: params.collect(), laid: Vec::new(), draft };
    for at in 0..=last {
        let laid = Lowering { node: &network.nodes()[at], at, output, graph: &mut graph }.lower();
        graph.laid.push(laid);
    }
    let width = network.outputs().iter().map(|output| shapes[output.index()].len()).sum();
    match output {
        Some(output) if matches!(shapes[output.index()], Shape::Vector(_)) => (),
        Some(output) => {
            // As the engines give it: row by row.
            let value = graph.first(output);
            graph.draft.step(&Operator::Flatten, FEATURES.to_owned(), vec![value]);
        }
        None => {
            let outputs = network.outputs().iter().map(|output| graph.first(*output)).collect();
            graph.draft.step(&Operator::Concat { axis: 1 }, FEATURES.to_owned(), outputs);
        }
    }
    let mut draft = graph.draft;
    draft.outputs.push((FEATURES, width));
    if !head.is_empty() {
        head::lower(&mut draft, head, ending, width)?;
    }
    Ok(draft.pruned())
}

/// What stands so far.
struct Graph<'a, 'b> {
    bound: &'a Bound,
    shapes: &'b [Shape],
    /// The initializer of every parameter.
    params: Vec<String>,
    /// What every node so far has become.
    laid: Vec<Laid>,
    draft: Draft<'a>,
}

/// One of our nodes on its way.
struct Lowering<'a, 'b, 'c> {
    node: &'a Node,
    at: usize,
    output: Option<NodeId>,
    graph: &'c mut Graph<'a, 'b>,
}

impl Lowering<'_, '_, '_> {
    fn lower(&mut self) -> Laid {
        match &self.node.op {
            Op::Input { .. } => Laid::first(INPUT.to_owned()),
            Op::Conv { weight, bias, stride, padding, groups } => {
                let mut inputs = vec![self.first(0), self.param(*weight)];
                inputs.extend(bias.map(|bias| self.param(bias)));
                let (pads, strides) = ([*padding; 4], [*stride; 2]);
                Laid::first(self.whole(&Operator::Conv { group: *groups, pads, strides }, inputs))
            }
            Op::BatchNorm { weight, bias, mean, variance, eps } => {
                let [weight, bias, mean, variance] =
                    [weight, bias, mean, variance].map(|param| self.param(*param));
                let inputs = vec![self.first(0), weight, bias, mean, variance];
                Laid::first(self.whole(&Operator::BatchNormalization { epsilon: *eps }, inputs))
            }
            Op::LayerNorm { weight, bias, eps } => {
                let inputs = vec![self.last(0), self.param(*weight), self.param(*bias)];
                let value = self.whole(&Operator::LayerNormalization { epsilon: *eps }, inputs);
                self.channels_last(value)
            }
            Op::Linear { weight, bias } => self.linear(*weight, *bias),
            Op::Activation { function } => self.activation(*function),
            Op::Add => self.sum(),
            Op::Scale { weight } => self.scale(*weight),
            Op::Gate => {
                let inputs = vec![self.first(0), self.first(1)];
                Laid::first(self.whole(&Operator::Mul, inputs))
            }
            Op::Concat => {
                let inputs = (0..self.node.inputs.len()).map(|input| self.first(input)).collect();
                Laid::first(self.whole(&Operator::Concat { axis: 1 }, inputs))
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
                let (x, window) = (self.first(0), self.window(*pool));
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
            Op::Attention { heads } => self.attention(*heads),
            Op::WindowAttention { heads, window, shift, bias } => {
                self.window_attention(*heads, *window, *shift, *bias)
            }
            Op::MergePatches => self.merge_patches(),
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

    fn sum(&mut self) -> Laid {
        let [a, b] = [0, 1].map(|input| self.laid(input));
        if a.last.is_none() && b.last.is_none() {
            let inputs = vec![self.first(0), self.first(1)];
            return Laid::first(self.whole(&Operator::Add, inputs));
        }
        let inputs = vec![self.last(0), self.last(1)];
        let value = self.whole(&Operator::Add, inputs);
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

    /// Adds the node whose value bears our node's own name, or stands for the features.
    fn whole(&mut self, operator: &Operator, inputs: Vec<String>) -> String {
        let features = self.output.is_some_and(|output| output.index() == self.at)
            && matches!(self.shape(), Shape::Vector(_));
        let name = if features { FEATURES.to_owned() } else { self.graph.draft.free(&self.node.name) };
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
