//! From a network with its weights to the steps that run it at one size of picture: batch norms, sums and activations
//! go into the products before them, weights are laid out for the one kernel that reads them.

mod fuse;

use super::{
    attention::{Attention, Groups},
    conv::Conv,
    depthwise::Depthwise,
    functions::After,
    gemm::{Lane, Packed, blocks},
    maps::{Affine, Pooling},
    norm::LayerNorm,
    plan::{Action, Picture, Plan, Step},
    simd::LANES,
    winograd::Winograd,
};
use crate::{EngineError, windows::Windows};
use fuse::Fused;
use network::{Bound, Network, Node, NodeId, Op, ParamId, Shape, Tensor};

/// Compiles a network for pictures of (height, width).
///
/// # Errors
/// Where the network does not work at that size.
pub(crate) fn compile(bound: Bound, (height, width): (usize, usize)) -> Result<Plan, EngineError> {
    let (network, tensors) = bound.into_parts();
    let shapes = network.shapes(height, width)?;
    let mut readers = vec![Vec::new(); shapes.len()];
    for (at, node) in network.nodes().iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.index()].push(at));
    }
    let mut uses = vec![0; network.params().len()];
    let params = network.nodes().iter().flat_map(|node| node.op.params());
    params.for_each(|param| uses[param.index()] += 1);
    let compiler = Compiler {
        network: &network,
        tensors,
        size: (height, width),
        readers,
        uses,
        values: vec![None; shapes.len()],
        done: vec![false; shapes.len()],
        shapes,
        plan: Plan::default(),
    };
    Ok(compiler.compile())
}

struct Compiler<'a> {
    network: &'a Network,
    /// Emptied one by one, as kernels' own copies take their place.
    tensors: Vec<Tensor>,
    size: (usize, usize),
    shapes: Vec<Shape>,
    /// For every node, those that read it.
    readers: Vec<Vec<usize>>,
    /// For every parameter, how many nodes read it.
    uses: Vec<usize>,
    /// For every node that has a value of its own, which.
    values: Vec<Option<usize>>,
    /// Nodes that went into a step.
    done: Vec<bool>,
    plan: Plan,
}

impl Compiler<'_> {
    fn compile(mut self) -> Plan {
        let network = self.network;
        for (at, node) in network.nodes().iter().enumerate() {
            if !self.done[at] {
                self.step(at, node);
            }
        }
        let mut outputs = Vec::new();
        for id in network.outputs() {
            let (shape, mut value) = (self.shapes[id.index()], self.value(*id));
            let action = match shape {
                Shape::Map { channels, .. } => Some(Action::Flatten { channels }),
                Shape::Tokens { width: channels, .. } => Some(Action::Rows { channels }),
                Shape::Vector(_) => None,
            };
            if let Some(action) = action {
                let flat = self.plan.value((1, 1), shape.len());
                let name = network.node(*id).name.clone();
                self.plan.push(Step { name, action, from: vec![value], to: flat });
                value = flat;
            }
            outputs.push((value, shape.len()));
        }
        self.plan.finish(outputs)
    }

    /// The value that a node gives.
    fn value(&self, id: NodeId) -> usize {
        self.values[id.index()]
            .expect("nodes are compiled in their order, and only those with one reader go into another")
    }

    fn step(&mut self, at: usize, node: &Node) {
        let input = |this: &Self| this.value(node.inputs[0]);
        let (end, action, from) = match &node.op {
            Op::Input { .. } => return self.picture(at),
            Op::Conv { .. } | Op::Linear { .. } => {
                return self.products(at).into_iter().for_each(|norm| self.product(at, node, norm));
            }
            Op::BatchNorm { .. } | Op::Scale { .. } => {
                let (end, after) = self.function_after(at);
                let (scale, shift) = self.affine(node);
                let lanes = |numbers: &[f64]| lanes(numbers.iter().map(|x| narrow(*x)));
                (
                    end,
                    Action::Affine(Affine { scale: lanes(&scale), shift: lanes(&shift), after }),
                    vec![input(self)],
                )
            }
            Op::Activation { function } => (at, Action::Activate(After::of(*function)), vec![input(self)]),
            Op::Add => {
                let (end, after) = self.function_after(at);
                (end, Action::Add(after), vec![input(self), self.value(node.inputs[1])])
            }
            Op::Gate => {
                let (end, after) = self.function_after(at);
                (end, Action::Gate(after), vec![input(self), self.value(node.inputs[1])])
            }
            Op::LayerNorm { weight, bias, eps } => {
                let [weight, bias] = [weight, bias].map(|id| self.lanes(*id));
                let channels = self.shapes[at].width();
                (at, Action::LayerNorm(LayerNorm { channels, weight, bias, eps: *eps }), vec![input(self)])
            }
            Op::Tokens { prefix, positions, grid, interpolation } => {
                let prefix: Vec<&[f32]> = prefix.iter().map(|id| self.tensor(*id)).collect();
                let (d, size) = (self.shapes[at].width(), self.sides(node.inputs[0].index()));
                let table = network::positions::table(
                    &prefix,
                    self.tensor(*positions),
                    d,
                    *grid,
                    size,
                    *interpolation,
                );
                (
                    at,
                    Action::Tokens(table.chunks(d).flat_map(|row| lanes(row.iter().copied())).collect()),
                    vec![input(self)],
                )
            }
            Op::Constant { value } => {
                let d = self.shapes[at].width();
                let tokens = self.tensor(*value).chunks(d).flat_map(|row| lanes(row.iter().copied()));
                (at, Action::Constant(tokens.collect()), Vec::new())
            }
            Op::Token { index } => (at, Action::Token(*index), vec![input(self)]),
            Op::Attention { heads } => {
                let depth = self.shapes[at].width() / heads;
                let d = depth * heads;
                let places =
                    [node.inputs[0], node.inputs[node.inputs.len() - 1]].map(|id| self.sides(id.index()).1);
                let attention = Attention {
                    heads: *heads,
                    depth,
                    places: (places[0], places[1]),
                    at: if node.inputs.len() == 1 { (d, 2 * d) } else { (0, d) },
                    groups: Groups::All,
                };
                (at, Action::Attention(attention), node.inputs.iter().map(|id| self.value(*id)).collect())
            }
            Op::WindowAttention { heads, window, shift, bias } => {
                let (size, d) = (self.sides(at), self.shapes[at].width());
                let (table, windows) = (self.tensor(*bias), Windows::new(size, *window, *shift));
                let attention = Attention {
                    heads: *heads,
                    depth: d / heads,
                    places: (size.0 * size.1, size.0 * size.1),
                    at: (d, 2 * d),
                    groups: Groups::windows(&windows, *heads, |relative, head| {
                        table[relative * heads + head]
                    }),
                };
                (at, Action::Attention(attention), vec![input(self)])
            }
            Op::MergePatches => {
                let from = node.inputs[0].index();
                (
                    at,
                    Action::Merge { size: self.sides(from), channels: self.channels(from) },
                    vec![input(self)],
                )
            }
            Op::MaxPool(pool) => {
                let pooling = Pooling::max(*pool, self.sides(node.inputs[0].index()), self.sides(at));
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::AveragePool(pool) => {
                let pooling = Pooling::average(*pool, self.sides(node.inputs[0].index()), self.sides(at));
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::AdaptiveAveragePool { .. } | Op::GlobalAveragePool => {
                let pooling = match self.shapes[node.inputs[0].index()] {
                    Shape::Tokens { prefix, places, .. } => {
                        Pooling::line(prefix + places, prefix..prefix + places)
                    }
                    _ => Pooling::mean(self.sides(node.inputs[0].index()), self.sides(at)),
                };
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::Concat => {
                let channels = node.inputs.iter().map(|input| self.channels(input.index())).collect();
                (at, Action::Concat(channels), node.inputs.iter().map(|input| self.value(*input)).collect())
            }
            Op::Flatten => {
                let channels = self.channels(node.inputs[0].index());
                (at, Action::Flatten { channels }, vec![input(self)])
            }
        };
        self.push(at, end, action, from);
    }

    /// Pictures are laid out for who reads them: a convolution without groups reads the bytes of its window's lines as
    /// they lie, from a picture with a rim; anybody else blocks of sixteen channels.
    fn picture(&mut self, at: usize) {
        self.done[at] = true;
        if self.is_output(at) || !self.readers[at].iter().all(|reader| self.sees_lines(*reader)) {
            let value = self.plan.picture(Picture::Lanes, self.size);
            self.values[at] = Some(value);
        }
    }

    /// Whether a node reads a picture as it lies.
    fn sees_lines(&self, at: usize) -> bool {
        matches!(self.network.nodes()[at].op, Op::Conv { groups: 1, .. })
    }

    /// A convolution, or a dense layer, which is one of 1×1 at every place.
    fn product(&mut self, at: usize, node: &Node, norm: Option<usize>) {
        let (weight, bias, stride, padding, groups) = match node.op {
            Op::Conv { weight, bias, stride, padding, groups } => (weight, bias, stride, padding, groups),
            Op::Linear { weight, bias } => (weight, bias, 1, 0, 1),
            _ => return,
        };
        let shape = &self.network.param(weight).shape;
        let (outputs, depth, kernel) = (shape[0], shape[1], shape.get(2).copied().unwrap_or(1));
        let from = node.inputs[0].index();
        let (input, channels) = (self.sides(from), self.channels(from));
        let Fused { end, weight, scales, bias, residual, after } = self.fuse(at, weight, bias, norm);
        let output = self.sides(end);
        let exact = |output: usize, channel: usize, y: usize, x: usize| {
            let number = weight.data[((output * depth + channel) * kernel + y) * kernel + x];
            f64::from(number) * scales[output]
        };
        let number = |output, channel, y, x| narrow(exact(output, channel, y, x));
        let sees_picture =
            self.sees_lines(at) && matches!(self.network.node(node.inputs[0]).op, Op::Input { .. });
        let read = if sees_picture {
            self.plan.picture(Picture::Rimmed(padding), self.size)
        } else {
            self.value(node.inputs[0])
        };
        let action = if sees_picture {
            let run = kernel * channels;
            Action::Conv(Conv {
                input: (input.0 + 2 * padding, input.1 + 2 * padding),
                pixel: channels,
                output,
                stride,
                padding: 0,
                taps: (0..kernel).map(|y| (y, 0)).collect(),
                offsets: Vec::new(),
                depth: run,
                weights: Packed::new(outputs, kernel * run, |output, k| {
                    number(output, k % channels, k / run, k % run / channels)
                }),
                bias,
                after,
            })
        } else if self.is_depthwise(at) {
            let weights = (0..kernel * kernel).flat_map(|tap| {
                lanes((0..channels).map(|channel| number(channel, 0, tap / kernel, tap % kernel)))
            });
            let weights = weights.collect();
            Action::Depthwise(Depthwise { input, output, kernel, stride, padding, weights, bias, after })
        } else if (kernel, stride, padding, groups) == (3, 1, 1, 1) && input.0.min(input.1) >= WINOGRAD_SIDE {
            Action::Winograd(Winograd::new(input, (outputs, depth), exact, bias, after))
        } else {
            let (offsets, span) = group_offsets((outputs, channels), groups);
            let weights = Packed::new(outputs, kernel * kernel * span, |output, k| {
                let (tap, first) = (k / span, offsets.get(output / LANES).copied().unwrap_or(0));
                let group = output / (outputs / groups) * depth;
                match (first + k % span).checked_sub(group) {
                    Some(channel) if channel < depth => number(output, channel, tap / kernel, tap % kernel),
                    _ => 0.0,
                }
            });
            Action::Conv(Conv {
                input,
                pixel: channels.next_multiple_of(LANES),
                output,
                stride,
                padding,
                taps: (0..kernel * kernel).map(|tap| (tap / kernel, tap % kernel)).collect(),
                offsets,
                depth: span,
                weights,
                bias,
                after,
            })
        };
        self.push(at, end, action, [read].into_iter().chain(residual).collect());
    }

    fn is_depthwise(&self, at: usize) -> bool {
        let node = &self.network.nodes()[at];
        let Op::Conv { weight, groups, .. } = node.op else { return false };
        let channels = self.channels(node.inputs[0].index());
        groups > 1 && groups == channels && self.network.param(weight).shape[0] == channels
    }

    fn is_output(&self, at: usize) -> bool {
        self.network.outputs().iter().any(|output| output.index() == at)
    }

    fn tensor(&self, id: ParamId) -> &[f32] {
        &self.tensors[id.index()].data
    }

    fn lanes(&self, id: ParamId) -> Vec<Lane> {
        lanes(self.tensor(id).iter().copied())
    }

    fn numbers(&self, id: ParamId) -> Vec<f64> {
        self.tensors[id.index()].data.iter().map(|x| f64::from(*x)).collect()
    }

    /// Appends a step that begins with the node `at`, and gives the result of `end`.
    fn push(&mut self, at: usize, end: usize, action: Action, from: Vec<usize>) {
        self.done[end] = true;
        let to = self.plan.value(self.sides(end), self.channels(end));
        self.values[end] = Some(to);
        let name = self.network.nodes()[at].name.clone();
        self.plan.push(Step { name, action, from, to });
    }

    /// Rows and columns of a node's result; a vector is a map of one pixel.
    fn sides(&self, at: usize) -> (usize, usize) {
        match self.shapes[at] {
            Shape::Map { height, width, .. } => (height, width),
            Shape::Vector(_) => (1, 1),
            Shape::Tokens { prefix, places, .. } => (1, prefix + places),
        }
    }

    fn channels(&self, at: usize) -> usize {
        self.shapes[at].width()
    }
}

/// Where in the input each block of outputs begins to read, and how many channels: the groups of its sixteen outputs,
/// those of other groups among them weighted by zero.
fn group_offsets((outputs, channels): (usize, usize), groups: usize) -> (Vec<usize>, usize) {
    if groups == 1 {
        return (Vec::new(), channels);
    }
    let (ours, theirs) = (outputs / groups, channels / groups);
    let seen = |block: usize| {
        let last = ((block + 1) * LANES).min(outputs) - 1;
        (block * LANES / ours * theirs, (last / ours + 1) * theirs)
    };
    let seen: Vec<(usize, usize)> = (0..blocks(outputs)).map(seen).collect();
    let span = seen.iter().map(|(start, end)| end - start).max().unwrap_or(0);
    (seen.into_iter().map(|(start, _)| start.min(channels - span)).collect(), span)
}

/// Smaller maps than this leave too much of a tile unused.
const WINOGRAD_SIDE: usize = 6;

#[expect(clippy::cast_possible_truncation, reason = "weights are folded in f64 and rounded to f32 once")]
fn narrow(x: f64) -> f32 {
    x as f32
}

/// Numbers in blocks of sixteen, the last filled up with zeros.
fn lanes(numbers: impl Iterator<Item = f32>) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for (i, x) in numbers.enumerate() {
        if i % LANES == 0 {
            lanes.push(Lane::default());
        }
        if let Some(lane) = lanes.last_mut() {
            lane.0[i % LANES] = x;
        }
    }
    lanes
}
