//! From a network with its weights to the launches that run it, at one size of picture or for texts of any length: batch norms,
//! sums and activations go into the products before them, weights are laid out for the one kernel that reads them.

mod attention;
mod maps;
mod product;
mod texts;

use super::{
    arguments,
    plan::{Constant, Output, Plan, Step, To, Value},
    products::{Unit, whole},
    work::{Second, Work},
};
use crate::{
    EngineError, Precision,
    fuse::{Graph, narrow},
};
use input::image::{Channels, Preprocessing};
use network::{Activation, NodeId, Op, Shape, Windows};
use texts::Told;
use weights::Bound;

/// What a network reads.
#[derive(Clone, Copy)]
pub(crate) enum Reads<'a> {
    /// Pictures that were prepared in this way, of a height and a width.
    Pictures(&'a Preprocessing, (usize, usize)),
    /// Texts of at most so many tokens.
    Texts(usize),
}

/// Compiles a network.
///
/// # Errors
/// Where the network does not work at that size, or holds something that the kernels do not do.
pub(crate) fn compile(
    bound: Bound,
    reads: Reads<'_>,
    precision: Precision,
    unit: Unit,
) -> Result<Plan, EngineError> {
    let (mut plan, mut picture, mut told) = (Plan::default(), Picture::default(), Told::default());
    match reads {
        Reads::Texts(most_tokens) => told.most_tokens = most_tokens,
        Reads::Pictures(how, size) => {
            let table = plan.numbers(how.tables().as_flattened());
            picture = Picture { size, table, reversed: how.channels == Channels::Bgr, made: Vec::new() };
        }
    }
    let graph = Graph::new(bound, picture.size)?;
    let values = vec![None; graph.network().nodes().len()];
    let features = values.clone();
    Compiler { graph, precision, unit, values, features, picture, told, plan }.compile()
}

struct Compiler {
    graph: Graph,
    precision: Precision,
    unit: Unit,
    /// For every node that has a value of its own, which.
    values: Vec<Option<usize>>,
    /// For every output whose numbers are wider than others read them, the value that has them.
    features: Vec<Option<usize>>,
    picture: Picture,
    told: Told,
    plan: Plan,
}

struct Picture {
    size: (usize, usize),
    table: Constant,
    reversed: bool,
    /// Numbers of a pixel, and the value that has pictures so.
    made: Vec<(usize, usize)>,
}

impl Default for Picture {
    /// Of one pixel, as a text's graph is compiled for one token.
    fn default() -> Picture {
        Picture { size: (1, 1), table: 0, reversed: false, made: Vec::new() }
    }
}

impl Compiler {
    fn compile(mut self) -> Result<Plan, EngineError> {
        for at in 0..self.values.len() {
            if !self.graph.is_done(at) {
                self.step(at)?;
            }
        }
        let outputs = self.graph.network().outputs().to_vec();
        let mut before = 0;
        for id in outputs {
            let shape = self.graph.shape(id.index());
            let value = self.features[id.index()].unwrap_or_else(|| self.value(id));
            let Value { places, stride: in_stride, .. } = self.plan.values[value];
            let channels = shape.width();
            let in_f32 = i32::from(self.plan.values[value].is_f32(self.precision.bytes()));
            // A map's features are its channels one after the other; tokens' their rows.
            let (work, output) = if matches!(shape, Shape::Map { .. }) {
                let stride = shape.len().next_multiple_of(8);
                let arguments = arguments::Flatten {
                    places: whole(places),
                    channels: whole(channels),
                    in_stride: whole(in_stride),
                    out_stride: whole(stride),
                    in_f32,
                    out_f32: 1,
                    ..Default::default()
                };
                (Work::Flatten(arguments), Output { rows: 1, stride, channels: shape.len() })
            } else {
                let stride = channels.next_multiple_of(8);
                let arguments = arguments::Copy {
                    in_rows: whole(places),
                    in_stride: whole(in_stride),
                    fill: 1,
                    in_f32,
                    out_f32: 1,
                    ..self.rows_into(id.index())
                };
                (Work::Copy { arguments, table: None }, Output { rows: places, stride, channels })
            };
            let name = self.graph.network().node(id).name.clone();
            self.plan.steps.push(Step { name, work, from: vec![value], to: To::Output(before) });
            before += output.rows * output.stride;
            self.plan.outputs.push(output);
        }
        Ok(self.plan.finish())
    }

    /// The value that a node gives.
    fn value(&self, id: NodeId) -> usize {
        self.values[id.index()]
            .expect("nodes are compiled in their order, and only those with one reader go into another")
    }

    fn step(&mut self, at: usize) -> Result<(), EngineError> {
        let node = &self.graph.node(at).clone();
        let inputs = |this: &Self| node.inputs.iter().map(|id| this.value(*id)).collect::<Vec<_>>();
        let input = |this: &Self| vec![this.value(node.inputs[0])];
        let from = node.inputs.first().map(|id| id.index());
        let (end, work, from) = match &node.op {
            Op::Text
            | Op::Lookup { .. }
            | Op::LastToken
            | Op::RmsNorm { .. }
            | Op::Rotary(_)
            | Op::TextAttention(_)
            | Op::Normalize => return self.text(at),
            Op::Token { .. } | Op::GlobalAveragePool | Op::GlobalMaxPool
                if matches!(self.graph.shape(node.inputs[0].index()), Shape::Sequence { .. }) =>
            {
                return self.text(at);
            }
            Op::Given { .. } => unreachable!("check_channels refuses it"),
            Op::Input { .. } => {
                // Convolutions without groups read pictures as it suits them.
                let mut readers = self.graph.readers(at).iter();
                if self.graph.is_output(at) || !readers.all(|reader| self.graph.sees_pixels(*reader)) {
                    self.values[at] = Some(self.picture(8));
                }
                self.graph.made(at);
                return Ok(());
            }
            Op::Conv { .. } | Op::Linear { .. } => {
                for norm in self.graph.products(at) {
                    self.product(at, norm)?;
                }
                return Ok(());
            }
            Op::BatchNorm { .. } | Op::Scale { .. } => {
                let (end, activation) = self.graph.function_after(at);
                let (scale, shift) = self.graph.affine(at);
                let affine = (self.padded(scale.into_iter()), self.padded(shift.into_iter()));
                (end, self.map(at, activation, Some(affine), Second::Added), input(self))
            }
            Op::Activation { function } => {
                (at, self.map(at, Some(*function), None, Second::Added), input(self))
            }
            Op::Add | Op::Multiply | Op::Gate => {
                let (end, activation) = self.graph.function_after(at);
                let second = match node.op {
                    Op::Multiply => Second::Multiplies,
                    Op::Gate => Second::Gates,
                    _ => Second::Added,
                };
                (end, self.map(at, activation, None, second), inputs(self))
            }
            Op::LayerNorm { weight, bias, eps } => {
                let [weight, bias] =
                    [weight, bias].map(|id| self.padded(self.graph.numbers(*id).into_iter()));
                let arguments = arguments::LayerNorm {
                    channels: whole(self.graph.channels(at)),
                    stride: whole(self.stride(at)),
                    eps: *eps,
                    ..Default::default()
                };
                (at, Work::LayerNorm { arguments, places: self.places(at), weight, bias }, input(self))
            }
            Op::ResponseNorm { weight, bias, eps } => {
                let [weight, bias] =
                    [weight, bias].map(|id| self.padded(self.graph.numbers(*id).into_iter()));
                let arguments = arguments::ResponseNorm {
                    places: whole(self.places(at)),
                    channels: whole(self.graph.channels(at)),
                    stride: whole(self.stride(at)),
                    eps: *eps,
                    ..Default::default()
                };
                (at, Work::ResponseNorm { arguments, weight, bias }, input(self))
            }
            Op::Tokens { .. } => return self.tokens(at),
            Op::Constant { value } => {
                let table = self.graph.tensor(*value).to_vec();
                let table = self.plan.numbers(&table);
                let arguments = arguments::Copy { fill: 1, ..self.rows_into(at) };
                (at, Work::Copy { arguments, table: Some(table) }, Vec::new())
            }
            Op::Token { index } => {
                let from = self.plan.values[input(self)[0]];
                let arguments = arguments::Copy {
                    in_rows: whole(from.places),
                    from: whole(*index),
                    in_stride: whole(from.stride),
                    fill: 1,
                    ..self.rows_into(at)
                };
                (at, Work::Copy { arguments, table: None }, input(self))
            }
            Op::Attention { heads, bias } => {
                let pairs = bias.map(|bias| self.graph.tensor(bias).to_vec());
                let pairs = pairs.map(|pairs| self.plan.numbers(&pairs));
                let work = self.attention(at, *heads, None, pairs)?;
                (at, work, inputs(self))
            }
            Op::WindowAttention { heads, window, shift, bias } => {
                let windows = Windows::new(self.graph.sides(at), *window, *shift);
                let table = self.graph.tensor(*bias).to_vec();
                let work = self.attention(at, *heads, Some((&windows, &table)), None)?;
                (at, work, inputs(self))
            }
            Op::MergePatches => {
                let from = from.unwrap_or(0);
                let size = self.graph.sides(from);
                let arguments = arguments::Merge {
                    in_height: whole(size.0),
                    in_width: whole(size.1),
                    channels: whole(self.graph.channels(from)),
                    in_stride: whole(self.stride(from)),
                    out_stride: whole(self.stride(at)),
                    ..Default::default()
                };
                (at, Work::Merge(arguments), input(self))
            }
            Op::MaxPool(pool) => (at, self.pool(at, *pool, false), input(self)),
            Op::AveragePool(pool) => (at, self.pool(at, *pool, true), input(self)),
            Op::GlobalMaxPool => {
                self.largest(at);
                return Ok(());
            }
            Op::AdaptiveAveragePool { .. } | Op::GlobalAveragePool => {
                let from = from.unwrap_or(0);
                let (skip, size) = match self.graph.shape(from) {
                    Shape::Tokens { prefix, places, .. } => (prefix, (1, places)),
                    _ => (0, self.graph.sides(from)),
                };
                let out = self.graph.sides(at);
                let arguments = arguments::Mean {
                    skip: whole(skip),
                    in_height: whole(size.0),
                    in_width: whole(size.1),
                    out_height: whole(out.0),
                    out_width: whole(out.1),
                    stride: whole(self.stride(at)),
                    ..Default::default()
                };
                (at, Work::Mean(arguments), input(self))
            }
            Op::Channels { start, end } => (at, self.select(at, *start, 1, end - start), input(self)),
            Op::Shuffle { groups } => (at, self.select(at, 0, *groups, self.graph.channels(at)), input(self)),
            Op::Concat => return self.concat(at),
            Op::Flatten => {
                let from = from.unwrap_or(0);
                let arguments = arguments::Flatten {
                    places: whole(self.places(from)),
                    channels: whole(self.graph.channels(from)),
                    in_stride: whole(self.stride(from)),
                    out_stride: whole(self.stride(at)),
                    by_place: i32::from(matches!(self.graph.shape(from), Shape::Tokens { .. })),
                    ..Default::default()
                };
                (at, Work::Flatten(arguments), input(self))
            }
        };
        self.push(at, end, work, from);
        Ok(())
    }

    /// Appends a step that begins with the node `at`, and gives the result of `end`. What becomes features is not rounded
    /// first; where others read it, rounded, it is made twice.
    fn push(&mut self, at: usize, end: usize, work: Work, from: Vec<usize>) {
        self.graph.made(end);
        let is_read = !self.graph.readers(end).is_empty();
        let exact = self.is_exact(end) || self.graph.readers(end).iter().any(|reader| self.joins(*reader));
        if let Some(work) = Some(&work).filter(|_| exact).and_then(Work::in_f32) {
            let value = self.append(at, end, work, from.clone(), size_of::<f32>());
            self.features[end] = Some(value);
        }
        if is_read || self.features[end].is_none() {
            self.values[end] = Some(self.append(at, end, work, from, self.precision.bytes()));
        }
    }

    /// Whether a node's numbers become features in more digits than others have.
    fn is_exact(&self, at: usize) -> bool {
        self.precision.bytes() != size_of::<f32>() && self.graph.is_output(at)
    }

    /// Whether a node puts features together.
    fn joins(&self, at: usize) -> bool {
        self.is_exact(at) && self.graph.node(at).op == Op::Concat
    }

    fn append(&mut self, at: usize, end: usize, work: Work, from: Vec<usize>, bytes: usize) -> usize {
        let to = self.value_of(end, bytes);
        let name = self.graph.node(at).name.clone();
        self.plan.steps.push(Step { name, work, from, to: To::Value(to) });
        to
    }

    /// A value for what a node gives.
    fn value_of(&mut self, at: usize, bytes: usize) -> usize {
        let is_pooled = matches!(self.graph.shape(at), Shape::Vector(_));
        self.plan.value(self.places(at), self.stride(at), bytes, is_pooled)
    }

    fn places(&self, at: usize) -> usize {
        let (rows, columns) = self.graph.sides(at);
        rows * columns
    }

    /// Numbers of a place of a node's value.
    fn stride(&self, at: usize) -> usize {
        self.graph.channels(at).next_multiple_of(8)
    }

    /// One number a channel, and zeros after them.
    fn padded(&mut self, numbers: impl Iterator<Item = f64>) -> Constant {
        let mut numbers: Vec<f32> = numbers.map(narrow).collect();
        numbers.resize(numbers.len().next_multiple_of(8), 0.0);
        self.plan.numbers(&numbers)
    }
}

/// A function as kernels take it (`enum Activation` in `arguments.h`).
fn function(activation: Option<Activation>) -> arguments::Function {
    let Some(activation) = activation else { return arguments::Function::default() };
    let kind = std::mem::discriminant(&activation);
    let at = Activation::ALL.iter().position(|other| std::mem::discriminant(other) == kind);
    let [first, second] = match activation {
        Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => [number, 0.0],
        Activation::Clip { low, high } => [low, high],
        _ => [0.0; 2],
    };
    arguments::Function { activation: at.map_or(0, |at| whole(at + 1)), first, second }
}
