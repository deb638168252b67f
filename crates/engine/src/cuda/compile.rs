//! From a network with its weights to the launches that run it at one size of picture: batch norms, sums and activations go
//! into the products before them, weights are laid out for the one kernel that reads them.

mod attention;
mod product;

use super::{
    arguments,
    plan::{Constant, Output, Plan, Step, To, Value},
    precision::Precision,
    products::{Unit, whole},
    work::{Second, Work},
};
use crate::{
    EngineError,
    fuse::{Graph, narrow},
    windows,
};
use input::image::{Channels, Preprocessing};
use network::{Activation, NodeId, Op, Pool, Shape};
use weights::Bound;

/// Compiles a network for pictures that were prepared in this way.
///
/// # Errors
/// Where the network does not work at that size, or holds something that the kernels do not do.
pub(crate) fn compile(
    bound: Bound,
    how: &Preprocessing,
    size: (usize, usize),
    precision: Precision,
    unit: Unit,
) -> Result<Plan, EngineError> {
    let graph = Graph::new(bound, size)?;
    let values = vec![None; graph.network().nodes().len()];
    let features = values.clone();
    let mut plan = Plan::default();
    let table = plan.numbers(how.tables().as_flattened());
    let picture = Picture { size, table, reversed: how.channels == Channels::Bgr, made: Vec::new() };
    Compiler { graph, precision, unit, values, features, picture, plan }.compile()
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
    plan: Plan,
}

struct Picture {
    size: (usize, usize),
    table: Constant,
    reversed: bool,
    /// Numbers of a pixel, and the value that has pictures so.
    made: Vec<(usize, usize)>,
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
            | Op::GlobalMaxPool
            | Op::LastToken
            | Op::RmsNorm { .. }
            | Op::Rotary(_)
            | Op::TextAttention(_)
            | Op::Normalize => {
                return Err(EngineError::TextsOnCard { network: self.graph.network().name().to_owned() });
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
                let windows = windows::Windows::new(self.graph.sides(at), *window, *shift);
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
                    ..Default::default()
                };
                (at, Work::Flatten(arguments), input(self))
            }
        };
        self.push(at, end, work, from);
        Ok(())
    }

    fn map(
        &self,
        at: usize,
        activation: Option<Activation>,
        affine: Option<(Constant, Constant)>,
        second: Second,
    ) -> Work {
        let arguments = arguments::Map {
            places: whole(self.places(at)),
            stride: whole(self.stride(at)),
            function: function(activation),
            ..Default::default()
        };
        Work::Map { arguments, affine, second }
    }

    fn pool(&self, at: usize, pool: Pool, average: bool) -> Work {
        let from = self.graph.sides(self.graph.node(at).inputs[0].index());
        let out = self.graph.sides(at);
        Work::Pool(arguments::Pool {
            in_height: whole(from.0),
            in_width: whole(from.1),
            out_height: whole(out.0),
            out_width: whole(out.1),
            stride: whole(self.stride(at)),
            kernel_y: whole(pool.kernel.y),
            kernel_x: whole(pool.kernel.x),
            step_y: whole(pool.stride.y),
            step_x: whole(pool.stride.x),
            pad_y: whole(pool.padding.top),
            pad_x: whole(pool.padding.left),
            end_y: whole(pool.padding.bottom),
            end_x: whole(pool.padding.right),
            average: i32::from(average),
            counts_padding: i32::from(pool.count_include_pad),
            ..Default::default()
        })
    }

    /// Channels from `first` on, as (groups, channels / groups) transposed.
    fn select(&self, at: usize, first: usize, groups: usize, channels: usize) -> Work {
        let from = self.graph.node(at).inputs[0].index();
        let arguments = arguments::Select {
            channels: whole(channels),
            first: whole(first),
            groups: whole(groups),
            in_stride: whole(self.stride(from)),
            out_stride: whole(self.stride(at)),
            ..Default::default()
        };
        Work::Select { arguments, places: self.places(at) }
    }

    /// What stands before the places, then the places; each with its position.
    fn tokens(&mut self, at: usize) -> Result<(), EngineError> {
        let from = self.graph.node(at).inputs[0];
        let (d, table) = (self.graph.channels(at), self.graph.positions(at));
        let from = self.value(from);
        let (places, stride) = (self.plan.values[from].places, self.plan.values[from].stride);
        let prefix = self.places(at) - places;
        let (before, after) = table.split_at(prefix * d);
        let to = self.plan.value(self.places(at), self.stride(at), self.precision.bytes());
        let name = self.graph.node(at).name.clone();
        let parts = [(Vec::new(), before, 0, prefix), (vec![from], after, prefix, places)];
        for (from, table, first, rows) in parts.into_iter().filter(|(.., rows)| *rows > 0) {
            let arguments = arguments::Copy {
                rows: whole(rows),
                in_rows: whole(places),
                in_stride: whole(stride),
                to: whole(first),
                fill: 1,
                ..self.rows_into(at)
            };
            let work = Work::Copy { arguments, table: Some(self.plan.numbers(table)) };
            self.plan.steps.push(Step { name: name.clone(), work, from, to: To::Value(to) });
        }
        self.values[at] = Some(to);
        self.graph.made(at);
        Ok(())
    }

    fn concat(&mut self, at: usize) -> Result<(), EngineError> {
        let node = self.graph.node(at).clone();
        let to = self.plan.value(self.places(at), self.stride(at), self.precision.bytes());
        let mut first = 0;
        for (i, input) in node.inputs.iter().enumerate() {
            let (from, channels) = (self.value(*input), self.graph.channels(input.index()));
            let arguments = arguments::Copy {
                channels: whole(channels),
                in_rows: whole(self.places(at)),
                in_stride: whole(self.plan.values[from].stride),
                out_first: whole(first),
                fill: i32::from(i + 1 == node.inputs.len()),
                ..self.rows_into(at)
            };
            let work = Work::Copy { arguments, table: None };
            self.plan.steps.push(Step { name: node.name.clone(), work, from: vec![from], to: To::Value(to) });
            first += channels;
        }
        self.values[at] = Some(to);
        self.graph.made(at);
        Ok(())
    }

    /// A copy to all rows and channels of a node's value.
    fn rows_into(&self, at: usize) -> arguments::Copy {
        arguments::Copy {
            rows: whole(self.places(at)),
            channels: whole(self.graph.channels(at)),
            out_rows: whole(self.places(at)),
            out_stride: whole(self.stride(at)),
            ..Default::default()
        }
    }

    /// Appends a step that begins with the node `at`, and gives the result of `end`. What becomes features is not rounded
    /// first; where others read it, rounded, it is made twice.
    fn push(&mut self, at: usize, end: usize, work: Work, from: Vec<usize>) {
        self.graph.made(end);
        let is_read = !self.graph.readers(end).is_empty();
        let exact = self.precision.bytes() != size_of::<f32>() && self.graph.is_output(end);
        if let Some(work) = Some(&work).filter(|_| exact).and_then(Work::in_f32) {
            let value = self.append(at, end, work, from.clone(), size_of::<f32>());
            self.features[end] = Some(value);
        }
        if is_read || self.features[end].is_none() {
            self.values[end] = Some(self.append(at, end, work, from, self.precision.bytes()));
        }
    }

    fn append(&mut self, at: usize, end: usize, work: Work, from: Vec<usize>, bytes: usize) -> usize {
        let to = self.plan.value(self.places(end), self.stride(end), bytes);
        let name = self.graph.node(at).name.clone();
        self.plan.steps.push(Step { name, work, from, to: To::Value(to) });
        to
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
