//! What both compilers ask of a network: who reads what, and what goes into a product: the batch norm after it, a sum with
//! something already there, an activation.

use crate::EngineError;
use network::{Activation, Network, Node, NodeId, Op, ParamId, Shape, Window};
use weights::{Bound, Tensor};

/// A network on its way to being compiled for one size of picture.
pub(crate) struct Graph {
    network: Network,
    /// Emptied one by one, as kernels' own copies take their place.
    tensors: Vec<Tensor>,
    shapes: Vec<Shape>,
    /// For every node, those that read it.
    readers: Vec<Vec<usize>>,
    /// For every parameter, how many nodes read it.
    uses: Vec<usize>,
    /// Nodes that went into a step.
    done: Vec<bool>,
    /// Nodes whose results are there at this point, not having gone into another's step.
    there: Vec<bool>,
}

/// A product, and what is done to its sums before anybody else sees them. A dense layer is a convolution of 1×1.
pub(crate) struct Fused {
    pub(crate) outputs: usize,
    /// Channels that each of them sees.
    pub(crate) depth: usize,
    pub(crate) window: Window,
    pub(crate) groups: usize,
    /// Whether it reads pictures as they lie, and nothing that was made of them.
    pub(crate) sees_picture: bool,
    /// The last node of the run.
    pub(crate) end: usize,
    /// (outputs, depth, rows and columns of the kernel), row-major.
    weight: Tensor,
    /// What a batch norm, or a layer scale, multiplies each output's weights by.
    scales: Vec<f64>,
    pub(crate) bias: Vec<f64>,
    /// The node whose result is added.
    pub(crate) residual: Option<NodeId>,
    pub(crate) activation: Option<Activation>,
}

impl Fused {
    /// A weight.
    fn exact(&self, output: usize, channel: usize, y: usize, x: usize) -> f64 {
        let at = ((output * self.depth + channel) * self.window.kernel.y + y) * self.window.kernel.x + x;
        f64::from(self.weight.data[at]) * self.scales[output]
    }

    /// All weights, (outputs, depth, rows and columns of the kernel), and what each output's are multiplied by.
    pub(crate) fn into_kernels(self) -> (Vec<f32>, Vec<f64>) {
        (self.weight.data, self.scales)
    }

    /// The same, rounded.
    pub(crate) fn number(&self, output: usize, channel: usize, y: usize, x: usize) -> f32 {
        narrow(self.exact(output, channel, y, x))
    }
}

impl Graph {
    /// # Errors
    /// Where the network does not work at that size (height, width).
    pub(crate) fn new(bound: Bound, (height, width): (usize, usize)) -> Result<Graph, EngineError> {
        let (network, tensors) = bound.into_parts();
        let shapes = network.shapes(height, width)?;
        let mut readers = vec![Vec::new(); shapes.len()];
        for (at, node) in network.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|input| readers[input.index()].push(at));
        }
        let mut uses = vec![0; network.params().len()];
        let params = network.nodes().iter().flat_map(|node| node.op.params());
        params.for_each(|param| uses[param.index()] += 1);
        let (done, there) = (vec![false; shapes.len()], vec![false; shapes.len()]);
        Ok(Graph { network, tensors, shapes, readers, uses, done, there })
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.network.nodes()[at]
    }

    /// Whether a node went into a step already.
    pub(crate) fn is_done(&self, at: usize) -> bool {
        self.done[at]
    }

    /// A step was made of the nodes up to `end`, whose result is there now.
    pub(crate) fn made(&mut self, end: usize) {
        self.done[end] = true;
        self.there[end] = true;
    }

    /// The nodes that read a node's result.
    pub(crate) fn readers(&self, at: usize) -> &[usize] {
        &self.readers[at]
    }

    pub(crate) fn shape(&self, at: usize) -> Shape {
        self.shapes[at]
    }

    /// Rows and columns of a node's result; a vector is a map of one pixel.
    pub(crate) fn sides(&self, at: usize) -> (usize, usize) {
        match self.shapes[at] {
            Shape::Map { height, width, .. } => (height, width),
            Shape::Vector(_) | Shape::Sequence { .. } => (1, 1),
            Shape::Tokens { prefix, places, .. } => (1, prefix + places),
        }
    }

    pub(crate) fn channels(&self, at: usize) -> usize {
        self.shapes[at].width()
    }

    pub(crate) fn is_output(&self, at: usize) -> bool {
        self.network.outputs().iter().any(|output| output.index() == at)
    }

    /// Whether a convolution's channels do not see one another.
    pub(crate) fn is_depthwise(&self, at: usize) -> bool {
        let node = self.node(at);
        let Op::Conv { weight, groups, .. } = node.op else { return false };
        let channels = self.channels(node.inputs[0].index());
        groups > 1 && groups == channels && self.network.param(weight).shape[0] == channels
    }

    /// Whether a node reads pictures as it suits it: a convolution without groups.
    pub(crate) fn sees_pixels(&self, at: usize) -> bool {
        matches!(self.node(at).op, Op::Conv { groups: 1, .. })
    }

    /// Where in a place an attention's first key stands, and its first value.
    pub(crate) fn keys_and_values(&self, at: usize) -> (usize, usize) {
        let d = self.channels(at);
        // Behind the queries, or in a value of their own, where keys may be the values.
        match self.node(at).inputs[..] {
            [_, both] if self.channels(both.index()) == d => (0, 0),
            [_, _] => (0, d),
            _ => (d, 2 * d),
        }
    }

    pub(crate) fn tensor(&self, id: ParamId) -> &[f32] {
        &self.tensors[id.index()].data
    }

    pub(crate) fn numbers(&self, id: ParamId) -> Vec<f64> {
        self.tensors[id.index()].data.iter().map(|x| f64::from(*x)).collect()
    }

    /// The positions that a `Tokens` node adds, and the tokens that it puts before: (prefix + places, d), row-major.
    ///
    /// # Panics
    /// Of any other node.
    pub(crate) fn positions(&self, at: usize) -> Vec<f32> {
        let node = self.node(at);
        let Op::Tokens { prefix, positions, grid, interpolation } = &node.op else {
            unreachable!("asked of tokens only")
        };
        let prefix: Vec<&[f32]> = prefix.iter().map(|id| self.tensor(*id)).collect();
        let size = self.sides(node.inputs[0].index());
        network::positions::table(
            &prefix,
            self.tensor(*positions),
            self.channels(at),
            *grid,
            size,
            *interpolation,
        )
    }

    /// Follows what only this product's results go through: `norm`, a sum with something already there, an activation.
    ///
    /// # Panics
    /// Of any node but convolutions and dense layers.
    pub(crate) fn fuse(&mut self, at: usize, norm: Option<usize>) -> Fused {
        let node = self.node(at);
        let (weight, bias, groups) = match node.op {
            Op::Conv { weight, bias, groups, .. } => (weight, bias, groups),
            Op::Linear { weight, bias } => (weight, bias, 1),
            _ => unreachable!("asked of products only"),
        };
        let sees_picture =
            self.sees_pixels(at) && matches!(self.node(node.inputs[0].index()).op, Op::Input { .. });
        let shape = &self.network.param(weight).shape;
        let (outputs, depth) = (shape[0], shape[1]);
        let window = self.network.window(node).unwrap_or(Window::PLACE);
        let mut scales = vec![1.0; outputs];
        let mut shift = match bias {
            Some(bias) => self.numbers(bias),
            None => vec![0.0; outputs],
        };
        let mut end = at;
        if let Some(norm) = norm {
            let (scale, shifts) = self.affine(norm);
            for ((bias, scale), shift) in shift.iter_mut().zip(&scale).zip(shifts) {
                *bias = *bias * scale + shift;
            }
            scales = scale;
            self.done[norm] = true;
            end = norm;
        }
        let mut residual = None;
        let takes_sums = !self.is_depthwise(at);
        if let Some((next, sum)) = self.only_reader(end).filter(|(_, n)| takes_sums && n.op == Op::Add) {
            let others = sum.inputs.iter().filter(|input| input.index() != end);
            residual = others.copied().find(|input| self.there[input.index()]);
            if residual.is_some() {
                self.done[next] = true;
                end = next;
            }
        }
        let (end, activation) = self.function_after(end);
        self.done[end] = true;
        let shared = self.uses[weight.index()] > 1 || self.products(at).len() > 1;
        let tensor = &mut self.tensors[weight.index()];
        let weight = if shared {
            tensor.clone()
        } else {
            std::mem::replace(tensor, Tensor { shape: vec![0], data: Vec::new() })
        };
        Fused {
            outputs,
            depth,
            window,
            groups,
            sees_picture,
            end,
            weight,
            scales,
            bias: shift,
            residual,
            activation,
        }
    }

    /// The activation that is all that reads a node, if there is one, and where it ends.
    pub(crate) fn function_after(&self, at: usize) -> (usize, Option<Activation>) {
        match self.only_reader(at) {
            Some((next, Node { op: Op::Activation { function }, .. })) => (next, Some(*function)),
            _ => (at, None),
        }
    }

    fn only_reader(&self, at: usize) -> Option<(usize, &Node)> {
        let [reader] = self.readers[at][..] else { return None };
        (!self.is_output(at)).then(|| (reader, self.node(reader)))
    }

    /// The products that a convolution comes to: one for every batch norm that reads it, with that one folded in, and
    /// one for everybody else. Who else reads it must not decide what is folded: taps would change each other's bits.
    pub(crate) fn products(&self, at: usize) -> Vec<Option<usize>> {
        let is_norm =
            |reader: &usize| matches!(self.node(*reader).op, Op::BatchNorm { .. } | Op::Scale { .. });
        let (norms, others): (Vec<usize>, Vec<usize>) =
            self.readers[at].iter().partition(|reader| is_norm(reader));
        let plain = self.is_output(at) || !others.is_empty();
        plain.then_some(None).into_iter().chain(norms.into_iter().map(Some)).collect()
    }

    /// A batch norm's scale and shift, or a layer scale's.
    ///
    /// # Panics
    /// Of any other node.
    pub(crate) fn affine(&self, at: usize) -> (Vec<f64>, Vec<f64>) {
        let op = &self.node(at).op;
        if let Op::Scale { weight } = *op {
            let scale = self.numbers(weight);
            return (scale.clone(), vec![0.0; scale.len()]);
        }
        let Op::BatchNorm { weight, bias, mean, variance, eps } = *op else {
            unreachable!("asked of batch norms and layer scales only")
        };
        let [weight, bias, mean, variance] = [weight, bias, mean, variance].map(|id| self.numbers(id));
        let scale: Vec<f64> =
            weight.iter().zip(variance).map(|(weight, v)| weight / (v + f64::from(eps)).sqrt()).collect();
        let shift =
            bias.iter().zip(mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
        (scale, shift)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights are folded in f64 and rounded to f32 once")]
pub(crate) fn narrow(x: f64) -> f32 {
    x as f32
}
