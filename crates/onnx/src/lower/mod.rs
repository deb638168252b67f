//! Our operations as ONNX nodes.

mod activation;
pub(crate) mod adaptive;
mod attention;
mod bands;
mod flow;
mod image;
mod layout;
mod neighbours;
mod novelty;
mod pool;
mod response;
mod texts;
mod tokens;
mod window_attention;
pub(crate) mod windows;

use super::{
    Body, Exported, FEATURES, Form, HeadGraph, IMAGE, INPUT, OUTPUTS, OnnxError, PROBABILITIES, Tokens,
    Tower,
    draft::{Declared, Draft},
    exported::Ending,
    input_name,
    operator::Operator,
};
use input::image::Preprocessing;
use layout::Laid;
use network::{Node, NodeId, Op, ParamId, Shape};
use weights::Bound;

/// The backbones one after the other, their features side by side, and the head.
pub(super) fn lower<'a>(exported: &Exported<'a>) -> Result<Draft<'a>, OnnxError> {
    let mut draft = Draft::new(exported.halves);
    OUTPUTS.iter().chain(&[INPUT, IMAGE]).for_each(|name| draft.reserve(name));
    (1..exported.towers.len()).for_each(|at| draft.reserve(&input_name(at)));
    Tokens::ALL.iter().for_each(|tokens| draft.reserve(tokens.name()));
    if exported.towers.len() > 1 && exported.towers.iter().any(|tower| tower.bound.network().reads_texts()) {
        return Err(OnnxError::Texts);
    }
    let outputs = exported.towers.iter().map(|tower| tower.bound.network().outputs().len()).sum();
    // Place among the features, value and width.
    let mut features: Vec<(usize, String, usize)> = Vec::with_capacity(outputs);
    // What a recipe makes of the picture, once for all backbones that want it.
    let mut prepared: Vec<(&Preprocessing, String)> = Vec::new();
    for (at, tower) in exported.towers.iter().enumerate() {
        draft.prefix = if at == 0 { String::new() } else { format!("{at}/") };
        let input = match tower.image {
            None => input_name(at),
            Some(how) => match prepared.iter().find(|(own, _)| *own == how) {
                Some((_, input)) => input.clone(),
                None => {
                    let input = image::lower(&mut draft, how, tower.size);
                    prepared.push((how, input.clone()));
                    input
                }
            },
        };
        let (lowered, own) = self::tower(draft, (at, input), tower, outputs == 1)?;
        draft = lowered;
        features.extend(own);
    }
    draft.prefix.clear();
    features.sort_by_key(|(place, ..)| *place);
    let width = features.iter().map(|(.., width)| width).sum();
    match features.as_slice() {
        [] => return Err(OnnxError::NoOutput),
        [_] => {}
        several => {
            let values = several.iter().map(|(_, value, _)| value.clone()).collect();
            draft.step(&Operator::Concat { axis: 1 }, FEATURES.to_owned(), values);
        }
    }
    draft.outputs.push(Declared { name: FEATURES, form: Form::Rows(width) });
    if let Some(head) = &exported.head {
        draft = self::head(draft, head, width)?;
    }
    Ok(draft.pruned())
}

/// A backbone that reads `input`: its outputs with their places among all features. If that is the only one, it bears their name.
#[expect(clippy::type_complexity, reason = "said once")]
fn tower<'a>(
    draft: Draft<'a>,
    (at, input): (usize, String),
    tower: &Tower<'a>,
    alone: bool,
) -> Result<(Draft<'a>, Vec<(usize, String, usize)>), OnnxError> {
    let network = tower.bound.network();
    if network.nodes().iter().any(|node| matches!(node.op, Op::Given { .. })) {
        return Err(OnnxError::NoPicture);
    }
    let shapes = network.shapes(tower.size.0, tower.size.1)?;
    let Some(last) = network.outputs().iter().map(|output| output.index()).max() else {
        return Err(OnnxError::NoOutput);
    };
    let named = network.outputs().first().filter(|_| alone).map(|output| (*output, FEATURES));
    let mut graph = Lowered::of(tower.bound, &shapes, draft, input);
    for at in 0..=last {
        graph.lower(at, named);
    }
    let start = at * network.outputs().len();
    let mut outputs = Vec::with_capacity(network.outputs().len());
    for (k, output) in network.outputs().iter().enumerate() {
        let (shape, mut value) = (shapes[output.index()], graph.first(*output));
        if !matches!(shape, Shape::Vector(_)) {
            // As the engines give it: row by row.
            let name = if alone {
                FEATURES.to_owned()
            } else {
                graph.draft.free(&format!("{}/row", network.node(*output).name))
            };
            value = graph.draft.step(&Operator::Flatten, name, vec![value]);
        }
        outputs.push((tower.places.get(k).copied().unwrap_or(start + k), value, shape.len()));
    }
    Ok((graph.draft, outputs))
}

/// The head on `width` features, and what its output comes to.
fn head<'a>(mut draft: Draft<'a>, head: &HeadGraph<'a>, width: usize) -> Result<Draft<'a>, OnnxError> {
    let fits = |expected: usize| {
        if expected == width { Ok(()) } else { Err(OnnxError::Width { expected, got: width }) }
    };
    let outputs = match head.body {
        Body::Layers(bound) => {
            let network = bound.network();
            let shapes = network.shapes(1, 1)?;
            let given = network.nodes().iter().position(|node| matches!(node.op, Op::Given { .. }));
            let (Some(given), [output]) = (given, network.outputs()) else { return Err(OnnxError::NoOutput) };
            fits(shapes[given].len())?;
            let mut graph = Lowered::of(bound, &shapes, draft, FEATURES.to_owned());
            for at in 0..=output.index() {
                graph.lower(at, Some((*output, head.ending.output())));
            }
            draft = graph.draft;
            shapes[output.index()].len()
        }
        Body::Neighbours(of) => {
            fits(of.dim)?;
            neighbours::lower(&mut draft, of, head.ending);
            of.outputs
        }
    };
    let (output, form) = (head.ending.output(), Form::Rows(outputs));
    draft.outputs.push(Declared { name: output, form });
    let operator = match head.ending {
        Ending::Classes => Some(Operator::Softmax),
        Ending::Labels => Some(Operator::Sigmoid),
        Ending::Values => None,
    };
    if let Some(operator) = operator {
        draft.step(&operator, PROBABILITIES.to_owned(), vec![output.to_owned()]);
        draft.outputs.push(Declared { name: PROBABILITIES, form });
    }
    if let Some(of) = head.novelty {
        fits(of.whitening.inputs)?;
        novelty::lower(&mut draft, of);
    }
    Ok(draft)
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
    /// What the network is given.
    input: String,
    /// Of a network of texts, what several of its nodes read.
    texts: Option<texts::Shared>,
}

impl<'a, 'b> Lowered<'a, 'b> {
    /// Makes initializers of all parameters.
    fn of(bound: &'a Bound, shapes: &'b [Shape], mut draft: Draft<'a>, input: String) -> Lowered<'a, 'b> {
        let params = bound
            .tensors()
            .map(|(param, tensor)| draft.weight(&param.name, &param.shape, tensor.data.as_slice()))
            .collect();
        let texts = bound.network().reads_texts().then(|| texts::Shared::of(&mut draft));
        Lowered { bound, shapes, params, laid: Vec::new(), draft, input, texts }
    }

    /// Adds the node of that place. One of them bears a name that whoever runs the model asks for.
    fn lower(&mut self, at: usize, named: Option<(NodeId, &'static str)>) {
        let bound = self.bound;
        let laid = Lowering { node: &bound.network().nodes()[at], at, named, graph: self }.lower();
        self.laid.push(laid);
    }
}

/// One of our nodes on its way.
struct Lowering<'a, 'b, 'c> {
    node: &'a Node,
    at: usize,
    named: Option<(NodeId, &'static str)>,
    graph: &'c mut Lowered<'a, 'b>,
}

impl Lowering<'_, '_, '_> {
    fn lower(&mut self) -> Laid {
        match &self.node.op {
            Op::Input { .. } => Laid::first(self.graph.input.clone()),
            // Whoever looks up reads the inputs themselves.
            Op::Text => Laid::both(Tokens::Ids.name().to_owned()),
            Op::Lookup { table, by } => self.lookup(*table, *by),
            Op::RmsNorm { weight, eps } => self.rms_norm(*weight, *eps),
            Op::Rotary(how) => self.rotary(how),
            Op::TextAttention(how) => self.text_attention(how),
            Op::LastToken => self.last_token(),
            Op::Normalize => self.normalize(),
            Op::Given { shape } => self.given(*shape),
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
                    Shape::Tokens { .. } | Shape::Sequence { .. } => {
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
                let x = match self.input_shape(0) {
                    Shape::Tokens { .. } => self.last(0),
                    _ => self.first(0),
                };
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
            Op::GlobalMaxPool => self.largest(),
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

    /// Features: a vector, or what was flattened.
    fn given(&mut self, shape: Shape) -> Laid {
        let features = self.graph.input.clone();
        match shape {
            Shape::Map { channels, height, width } => {
                let shape = vec![0, channels, height, width];
                Laid::first(self.whole(&Operator::Reshape { shape }, vec![features]))
            }
            Shape::Tokens { prefix, places, width } => Laid::both(
                self.whole(&Operator::Reshape { shape: vec![0, prefix + places, width] }, vec![features]),
            ),
            Shape::Vector(_) | Shape::Sequence { .. } => Laid::both(features),
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
        let named = self.named.filter(|(node, _)| node.index() == self.at);
        let named = named.filter(|_| matches!(self.shape(), Shape::Vector(_)));
        let name = named.map_or_else(|| self.graph.draft.free(&self.node.name), |(_, name)| name.to_owned());
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
