//! From a network with its weights to the steps that run it at one size of picture: batch norms, sums and activations
//! go into the products before them, weights are laid out for the one kernel that reads them.

use super::{
    attention::{Attention, Groups},
    conv::Conv,
    depthwise::Depthwise,
    form::Form,
    functions::After,
    gemm::{Lane, Packed, blocks},
    maps::{Affine, Pooling, Reduce},
    norm::LayerNorm,
    pairs,
    plan::{Action, Picture, Plan, Step},
    rearrange::Rearrange,
    response::ResponseNorm,
    simd::LANES,
    text_attention::{Angles, DistanceTable, Rotary, TextAttention},
    texts::{Gather, Lookup},
    winograd::{Kernels, Winograd},
};
use crate::{
    EngineError, Precision,
    fuse::{Fused, Graph, narrow},
};
use network::{Activation, NodeId, Op, Padding, ParamId, Pool, Shape, Window, Windows};
use std::sync::Arc;
use weights::Bound;

/// Compiles a network for pictures of (height, width).
///
/// # Errors
/// Where the network does not work at that size.
///
/// # Panics
/// In other precisions than f32 and bf16.
pub(crate) fn compile(bound: Bound, size: (usize, usize), precision: Precision) -> Result<Plan, EngineError> {
    let in_pairs = match precision {
        Precision::F32 => false,
        Precision::Bf16 => true,
        Precision::Tf32 | Precision::F16 => panic!("processors have no {precision}"),
    };
    let graph = Graph::new(bound, size)?;
    let values = vec![None; graph.network().nodes().len()];
    Ok(Compiler { graph, size, in_pairs, values, angles: Vec::new(), plan: Plan::default() }.compile())
}

struct Compiler {
    graph: Graph,
    size: (usize, usize),
    /// Whether products are of pairs of bf16, where they can be.
    in_pairs: bool,
    /// For every node that has a value of its own, which.
    values: Vec<Option<usize>>,
    /// Of each way to turn numbers.
    angles: Vec<(network::Rotary, Arc<Angles>)>,
    plan: Plan,
}

impl Compiler {
    fn compile(mut self) -> Plan {
        for at in 0..self.values.len() {
            if !self.graph.is_done(at) {
                self.step(at);
            }
        }
        let mut outputs = Vec::new();
        for id in self.graph.network().outputs() {
            let (shape, mut value) = (self.graph.shape(id.index()), self.value(*id));
            let rearrange = match shape {
                Shape::Map { channels, .. } => Some(Rearrange::Flatten { channels }),
                Shape::Tokens { width: channels, .. } => Some(Rearrange::Rows { channels }),
                // Taps of texts are vectors: `for_taps` sees to it.
                Shape::Vector(_) | Shape::Sequence { .. } => None,
            };
            if let Some(rearrange) = rearrange {
                let flat = self.plan.value((1, 1), shape.len());
                let name = self.graph.network().node(*id).name.clone();
                let action = Action::Rearrange(rearrange);
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

    fn step(&mut self, at: usize) {
        let node = &self.graph.node(at).clone();
        let input = |this: &Self| this.value(node.inputs[0]);
        let (end, action, from) = match &node.op {
            Op::Input { .. } | Op::Given { .. } => return self.picture(at),
            Op::Text => return self.graph.made(at),
            Op::Lookup { table, by } => {
                let d = self.graph.channels(at);
                let numbers = self.graph.tensor(*table);
                let mut table = vec![Lane::default(); numbers.len() / d * blocks(d)];
                for (to, row) in table.chunks_exact_mut(blocks(d)).zip(numbers.chunks_exact(d)) {
                    bytemuck::cast_slice_mut::<Lane, f32>(to)[..d].copy_from_slice(row);
                }
                (at, Action::Lookup(Lookup { table, by: *by }), Vec::new())
            }
            Op::LastToken => (at, Action::Gather(Gather::Last), vec![input(self)]),
            Op::Token { .. } | Op::GlobalAveragePool | Op::GlobalMaxPool
                if matches!(self.graph.shape(node.inputs[0].index()), Shape::Sequence { .. }) =>
            {
                let gather = match node.op {
                    Op::GlobalAveragePool => Gather::Mean,
                    Op::GlobalMaxPool => Gather::Max,
                    _ => Gather::First,
                };
                (at, Action::Gather(gather), vec![input(self)])
            }
            Op::Normalize => (at, Action::Normalize(self.graph.channels(at)), vec![input(self)]),
            Op::Conv { .. } | Op::Linear { .. } => {
                return self.graph.products(at).into_iter().for_each(|norm| self.product(at, norm));
            }
            Op::BatchNorm { .. } | Op::Scale { .. } => {
                let (end, after) = self.function_after(at);
                let (scale, shift) = self.graph.affine(at);
                let lanes = |numbers: &[f64]| lanes(numbers.iter().map(|x| narrow(*x)));
                (
                    end,
                    Action::Affine(Affine { scale: lanes(&scale), shift: lanes(&shift), after }),
                    vec![input(self)],
                )
            }
            Op::Activation { function } => {
                (at, Action::Activate(self.after(Some(*function))), vec![input(self)])
            }
            Op::Add => {
                let (end, after) = self.function_after(at);
                (end, Action::Add(after), vec![input(self), self.value(node.inputs[1])])
            }
            Op::Multiply => {
                let (end, after) = self.function_after(at);
                (end, Action::Multiply(after), vec![input(self), self.value(node.inputs[1])])
            }
            Op::Gate => {
                let (end, after) = self.function_after(at);
                (end, Action::Gate(after), vec![input(self), self.value(node.inputs[1])])
            }
            Op::LayerNorm { weight, bias, eps } => {
                let [weight, bias] = [weight, bias].map(|id| self.lanes(*id));
                let channels = self.graph.channels(at);
                let norm = LayerNorm { channels, weight, bias, eps: *eps, centred: true };
                (at, Action::LayerNorm(norm), vec![input(self)])
            }
            Op::RmsNorm { weight, eps } => {
                let (width, eps, numbers) = (self.graph.channels(at), *eps, self.graph.tensor(*weight));
                let action = if numbers.len() < width && !numbers.len().is_multiple_of(LANES) {
                    Action::RmsOfParts { weight: numbers.to_vec(), eps, width }
                } else {
                    let weight = self.lanes(*weight);
                    let bias = vec![Lane::default(); weight.len()];
                    Action::LayerNorm(LayerNorm {
                        channels: numbers.len(),
                        weight,
                        bias,
                        eps,
                        centred: false,
                    })
                };
                (at, action, vec![input(self)])
            }
            Op::Rotary(how) => (at, Action::Rotary(self.rotary(*how)), vec![input(self)]),
            Op::TextAttention(how) => {
                let distances = how.distances.map(|distances| {
                    DistanceTable::new(distances, self.graph.tensor(distances.table), how.heads)
                });
                let attention = TextAttention {
                    heads: how.heads,
                    key_heads: how.key_heads,
                    depth: self.graph.channels(at) / how.heads,
                    reach: how.reach,
                    scale: how.scale,
                    distances,
                    pairs: self.in_pairs,
                };
                let from = node.inputs.iter().map(|id| self.value(*id)).collect();
                (at, Action::TextAttention(attention), from)
            }
            Op::ResponseNorm { weight, bias, eps } => {
                let [weight, bias] = [weight, bias].map(|id| self.lanes(*id));
                let channels = self.graph.channels(at);
                let norm = ResponseNorm { channels, weight, bias, eps: *eps };
                (at, Action::ResponseNorm(norm), vec![input(self)])
            }
            Op::Tokens { .. } => {
                let d = self.graph.channels(at);
                let table = self.graph.positions(at);
                (
                    at,
                    Action::Rearrange(Rearrange::Tokens(
                        table.chunks(d).flat_map(|row| lanes(row.iter().copied())).collect(),
                    )),
                    vec![input(self)],
                )
            }
            Op::Constant { value } => {
                let d = self.graph.channels(at);
                let tokens = self.graph.tensor(*value).chunks(d).flat_map(|row| lanes(row.iter().copied()));
                (at, Action::Rearrange(Rearrange::Constant(tokens.collect())), Vec::new())
            }
            Op::Token { index } => (at, Action::Rearrange(Rearrange::Token(*index)), vec![input(self)]),
            Op::Attention { heads, bias } => {
                let places = [node.inputs[0], node.inputs[node.inputs.len() - 1]]
                    .map(|id| self.graph.sides(id.index()))
                    .map(|(rows, columns)| rows * columns);
                let attention = Attention {
                    heads: *heads,
                    depth: self.graph.channels(at) / heads,
                    places: (places[0], places[1]),
                    at: self.graph.keys_and_values(at),
                    groups: bias.as_ref().map_or(Groups::All, |bias| {
                        Groups::pairs(self.graph.tensor(*bias), places[0] * heads, places[1])
                    }),
                    pairs: self.in_pairs,
                };
                (at, Action::Attention(attention), node.inputs.iter().map(|id| self.value(*id)).collect())
            }
            Op::WindowAttention { heads, window, shift, bias } => {
                let (size, d) = (self.graph.sides(at), self.graph.channels(at));
                let (table, windows) = (self.graph.tensor(*bias), Windows::new(size, *window, *shift));
                let attention = Attention {
                    heads: *heads,
                    depth: d / heads,
                    places: (size.0 * size.1, size.0 * size.1),
                    at: self.graph.keys_and_values(at),
                    groups: Groups::windows(&windows, *heads, table),
                    pairs: self.in_pairs,
                };
                (at, Action::Attention(attention), vec![input(self)])
            }
            Op::MergePatches => {
                let from = node.inputs[0].index();
                (
                    at,
                    Action::Rearrange(Rearrange::Merge {
                        size: self.graph.sides(from),
                        channels: self.graph.channels(from),
                    }),
                    vec![input(self)],
                )
            }
            Op::MaxPool(pool) => {
                let pooling =
                    Pooling::max(*pool, self.graph.sides(node.inputs[0].index()), self.graph.sides(at));
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::AveragePool(pool) => {
                let pooling =
                    Pooling::average(*pool, self.graph.sides(node.inputs[0].index()), self.graph.sides(at));
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::AdaptiveAveragePool { .. } => {
                let pooling = Pooling::mean(self.graph.sides(node.inputs[0].index()), self.graph.sides(at));
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::GlobalAveragePool | Op::GlobalMaxPool => {
                let reduce = if node.op == Op::GlobalMaxPool { Reduce::Max } else { Reduce::Mean };
                let from = node.inputs[0].index();
                let pooling = match (self.graph.shape(from), self.graph.sides(from)) {
                    (Shape::Tokens { prefix, places, .. }, _) => {
                        Pooling::whole((1, prefix + places), prefix..prefix + places, reduce)
                    }
                    (_, sides) => Pooling::whole(sides, 0..sides.1, reduce),
                };
                (at, Action::Pool(pooling), vec![input(self)])
            }
            Op::Channels { start, end } => {
                let channels = self.graph.channels(node.inputs[0].index());
                (
                    at,
                    Action::Rearrange(Rearrange::Channels { channels, kept: *start..*end }),
                    vec![input(self)],
                )
            }
            Op::Shuffle { groups } => {
                let shuffle = Rearrange::Shuffle { channels: self.graph.channels(at), groups: *groups };
                (at, Action::Rearrange(shuffle), vec![input(self)])
            }
            Op::Concat => {
                let channels = node.inputs.iter().map(|input| self.graph.channels(input.index())).collect();
                (
                    at,
                    Action::Rearrange(Rearrange::Concat(channels)),
                    node.inputs.iter().map(|input| self.value(*input)).collect(),
                )
            }
            Op::Flatten => {
                let from = node.inputs[0].index();
                let channels = self.graph.channels(from);
                let rearrange = match self.graph.shape(from) {
                    Shape::Tokens { .. } => Rearrange::Rows { channels },
                    _ => Rearrange::Flatten { channels },
                };
                (at, Action::Rearrange(rearrange), vec![input(self)])
            }
        };
        self.push(at, end, action, from);
    }

    /// Pictures are laid out for who reads them: a convolution without groups reads the bytes of its window's lines as
    /// they lie, from a picture with a rim; anybody else blocks of sixteen channels, as what is given.
    fn picture(&mut self, at: usize) {
        self.graph.made(at);
        if self.graph.is_output(at)
            || matches!(self.graph.node(at).op, Op::Given { .. })
            || !self.graph.readers(at).iter().all(|reader| self.graph.sees_pixels(*reader))
        {
            let value = self.plan.picture(Picture::Lanes, self.size, self.graph.channels(at));
            self.values[at] = Some(value);
        }
    }

    /// A convolution, or a dense layer, which is one of 1×1 at every place.
    fn product(&mut self, at: usize, norm: Option<usize>) {
        let from = self.graph.node(at).inputs[0];
        let (input, channels) = (self.graph.sides(from.index()), self.graph.channels(from.index()));
        let fused = self.graph.fuse(at, norm);
        let Fused { outputs, depth, window, groups, end, .. } = fused;
        let Window { kernel, stride, padding, dilation } = window;
        let bias = lanes(fused.bias.iter().copied().map(narrow));
        let (residual, after) = (fused.residual.map(|node| self.value(node)), self.after(fused.activation));
        let output = self.graph.sides(end);
        let number = |output, channel, y, x| fused.number(output, channel, y, x);
        let read = if fused.sees_picture {
            self.plan.picture(Picture::Rimmed(padding), self.size, channels)
        } else {
            self.value(from)
        };
        let action = if fused.sees_picture {
            // Neighbours lie in one run.
            let together = if dilation.x == 1 { kernel.x } else { 1 };
            let starts = (0..kernel.x).step_by(together).map(|x| x * dilation.x);
            let line = kernel.x * channels;
            let at = |output: usize, y: usize, k: usize| number(output, k % channels, y, k / channels);
            let taps = (0..kernel.y).flat_map(|y| starts.clone().map(move |x| (y * dilation.y, x))).collect();
            let conv = Conv {
                pairs: false,
                lies: Form::Numbers,
                input: (padding.top + input.0 + padding.bottom, padding.left + input.1 + padding.right),
                pixel: channels,
                image: self.plan.value_at(read).lanes * LANES,
                output,
                stride,
                padding: Padding::NONE,
                taps,
                offsets: Vec::new(),
                depth: together * channels,
                weights: Packed::new(outputs, kernel.y * line, |output, k| at(output, k / line, k % line)),
                bias,
                after,
            };
            Action::Conv(if self.in_pairs { conv.of_pairs_along(outputs, at) } else { conv })
        } else if self.graph.is_depthwise(at) {
            let weights = (0..kernel.y * kernel.x).flat_map(|tap| {
                lanes((0..channels).map(|channel| number(channel, 0, tap / kernel.x, tap % kernel.x)))
            });
            let weights = weights.collect();
            Action::Depthwise(Depthwise { input, output, window, weights, bias, after })
        } else if window == Pool::new(3, 1).pad(1).window()
            && groups == 1
            && input.0.min(input.1) >= WINOGRAD_SIDE
        {
            let (weights, scales) = fused.into_kernels();
            Action::Winograd(Winograd::new(input, (outputs, depth), Kernels { weights, scales }, bias, after))
        } else {
            let (offsets, span) = group_offsets((outputs, channels), groups);
            // Of what a block of outputs reads of a pixel, for a place of the window.
            let seen = |output: usize, place: usize, k: usize| {
                let first = offsets.get(output / LANES).copied().unwrap_or(0);
                match (first + k).checked_sub(output / (outputs / groups) * depth) {
                    Some(channel) if channel < depth => {
                        number(output, channel, place / kernel.x, place % kernel.x)
                    }
                    _ => 0.0,
                }
            };
            // Groups may begin at the second of a pair.
            let in_pairs = self.in_pairs && groups == 1;
            let (places, together) = (kernel.y * kernel.x, if in_pairs { 2 } else { 1 });
            let run = span.div_ceil(together);
            let weights = if in_pairs {
                pairs::packed(outputs, places * run, |output, k| {
                    [0, 1].map(|i| seen(output, k / run, 2 * (k % run) + i))
                })
            } else {
                Packed::new(outputs, places * run, |output, k| seen(output, k / run, k % run))
            };
            let bias = if in_pairs { pairs::biases(bias) } else { bias };
            let taps = (0..places).map(|tap| (tap / kernel.x * dilation.y, tap % kernel.x * dilation.x));
            let (pixel, taps) = (channels.next_multiple_of(LANES) / together, taps.collect());
            let image = input.0 * input.1 * pixel;
            Action::Conv(Conv {
                pairs: in_pairs,
                lies: Form::Numbers,
                input,
                pixel,
                image,
                output,
                stride,
                padding,
                taps,
                offsets,
                depth: run,
                weights,
                bias,
                after,
            })
        };
        self.push(at, end, action, [read].into_iter().chain(residual).collect());
    }

    /// Layers that turn alike share their angles.
    fn rotary(&mut self, how: network::Rotary) -> Rotary {
        let known = self.angles.iter().find(|(known, _)| *known == how).map(|(_, angles)| angles.clone());
        let angles = known.unwrap_or_else(|| {
            let angles = Arc::default();
            self.angles.push((how, Arc::clone(&angles)));
            angles
        });
        Rotary { how, angles }
    }

    /// The activation that is all that reads a node, if there is one, and where it ends.
    fn function_after(&self, at: usize) -> (usize, After) {
        let (end, activation) = self.graph.function_after(at);
        (end, self.after(activation))
    }

    fn after(&self, activation: Option<Activation>) -> After {
        let after = After::of(activation);
        if self.in_pairs { after.coarse() } else { after }
    }

    fn lanes(&self, id: ParamId) -> Vec<Lane> {
        lanes(self.graph.tensor(id).iter().copied())
    }

    /// Appends a step that begins with the node `at`, and gives the result of `end`.
    fn push(&mut self, at: usize, end: usize, action: Action, from: Vec<usize>) {
        self.graph.made(end);
        let channels = self.graph.channels(end);
        let to = match self.graph.shape(end) {
            Shape::Sequence { .. } => self.plan.token_value(channels),
            _ => self.plan.value(self.graph.sides(end), channels),
        };
        self.values[end] = Some(to);
        let name = self.graph.node(at).name.clone();
        self.plan.push(Step { name, action, from, to });
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
