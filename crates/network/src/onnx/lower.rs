//! Our operations as ONNX nodes.

use super::{
    FEATURES, INPUT, LOGITS, OnnxError, PROBABILITIES, adaptive,
    proto::{AttributeProto, NodeProto},
};
use crate::{Activation, Bound, Network, Node, Op, ParamId, Shape};
use artifact::Dense;
use std::borrow::Cow;

/// An initializer.
pub(super) struct Constant<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) data: Cow<'a, [f32]>,
}

/// A whole graph: its nodes, its initializers, and its outputs with their widths.
pub(super) struct Lowered<'a> {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<Constant<'a>>,
    pub(super) outputs: Vec<(&'static str, usize)>,
}

/// The backbone, then the head.
pub(super) fn lower<'a>(
    bound: &'a Bound,
    size: (usize, usize),
    head: &'a [Dense],
) -> Result<Lowered<'a>, OnnxError> {
    let network = bound.network();
    let shapes = network.shapes(size.0, size.1)?;
    let &[output] = network.outputs() else {
        return Err(OnnxError::Outputs(network.outputs().len()));
    };
    let constants = bound.tensors().map(|(param, tensor)| Constant {
        name: param.name.clone(),
        shape: param.shape.clone(),
        data: Cow::Borrowed(&tensor.data),
    });
    let mut graph = Graph {
        network,
        shapes: &shapes,
        values: Vec::with_capacity(shapes.len()),
        out: Lowered { nodes: Vec::new(), constants: constants.collect(), outputs: Vec::new() },
    };
    for (at, node) in network.nodes().iter().enumerate() {
        let name = if at == output.index() { FEATURES } else { &node.name };
        let value = graph.node(at, node, name);
        graph.values.push(value);
    }
    let width = shapes[output.index()].len();
    graph.out.outputs.push((FEATURES, width));
    let mut lowered = graph.out;
    if !head.is_empty() {
        lowered.head(head, width)?;
    }
    Ok(lowered)
}

struct Graph<'a, 'b> {
    network: &'b Network,
    shapes: &'b [Shape],
    /// The ONNX value that every node so far has become.
    values: Vec<String>,
    out: Lowered<'a>,
}

impl Graph<'_, '_> {
    /// Adds a node, or more, of which the last gives the value `name`; gives the value that stands for the node.
    fn node(&mut self, at: usize, node: &Node, name: &str) -> String {
        let param = |id: ParamId| self.network.param(id).name.clone();
        let mut inputs: Vec<String> =
            node.inputs.iter().map(|input| self.values[input.index()].clone()).collect();
        let (op, attributes) = match &node.op {
            Op::Input { .. } => return INPUT.to_owned(),
            Op::Conv { weight, bias, stride, padding, groups } => {
                inputs.push(param(*weight));
                inputs.extend(bias.map(param));
                let attributes = vec![
                    AttributeProto::int("group", *groups),
                    AttributeProto::ints("pads", &[*padding; 4]),
                    AttributeProto::ints("strides", &[*stride; 2]),
                ];
                ("Conv", attributes)
            }
            Op::BatchNorm { weight, bias, mean, variance, eps } => {
                inputs.extend([weight, bias, mean, variance].map(|id| param(*id)));
                ("BatchNormalization", vec![AttributeProto::float("epsilon", *eps)])
            }
            Op::Activation { function: Activation::Relu } => ("Relu", Vec::new()),
            Op::Activation { function: Activation::Relu6 } => {
                inputs.extend([self.scalar("relu6.min", 0.0), self.scalar("relu6.max", 6.0)]);
                ("Clip", Vec::new())
            }
            Op::MaxPool(pool) => {
                let attributes = vec![
                    AttributeProto::int("ceil_mode", usize::from(pool.ceil)),
                    AttributeProto::ints("kernel_shape", &[pool.kernel; 2]),
                    AttributeProto::ints("pads", &[pool.padding; 4]),
                    AttributeProto::ints("strides", &[pool.stride; 2]),
                ];
                ("MaxPool", attributes)
            }
            Op::AdaptiveAveragePool { height, width } => {
                return self.adaptive(node, at, (*height, *width), inputs.remove(0), name);
            }
            Op::GlobalAveragePool => {
                let map = format!("{}.map", node.name);
                self.out.push("GlobalAveragePool", &map, inputs, Vec::new());
                inputs = vec![map];
                ("Flatten", vec![AttributeProto::int("axis", 1)])
            }
            Op::Flatten => ("Flatten", vec![AttributeProto::int("axis", 1)]),
            Op::Linear { weight, bias } => {
                inputs.push(param(*weight));
                inputs.extend(bias.map(param));
                ("Gemm", vec![AttributeProto::int("transB", 1)])
            }
            Op::Add => ("Add", Vec::new()),
            Op::Concat => ("Concat", vec![AttributeProto::int("axis", 1)]),
            other => todo!("{other:?}"),
        };
        self.out.push(op, name, inputs, attributes);
        name.to_owned()
    }

    fn adaptive(&mut self, node: &Node, at: usize, cells: (usize, usize), x: String, name: &str) -> String {
        let input = self.shapes[node.inputs[0].index()];
        let Shape::Map { height, width, .. } = input else {
            return x;
        };
        if input == self.shapes[at] {
            // Every place is its own cell.
            return x;
        }
        let rows = self.constant(
            format!("{}.rows", node.name),
            vec![cells.0, height],
            adaptive::rows(cells.0, height),
        );
        let columns = self.constant(
            format!("{}.columns", node.name),
            vec![width, cells.1],
            adaptive::columns(cells.1, width),
        );
        let half = format!("{}.half", node.name);
        self.out.push("MatMul", &half, vec![rows, x], Vec::new());
        self.out.push("MatMul", name, vec![half, columns], Vec::new());
        name.to_owned()
    }

    fn scalar(&mut self, name: &str, value: f32) -> String {
        if self.out.constants.iter().any(|constant| constant.name == name) {
            return name.to_owned();
        }
        self.constant(name.to_owned(), Vec::new(), vec![value])
    }

    fn constant(&mut self, name: String, shape: Vec<usize>, data: Vec<f32>) -> String {
        self.out.constants.push(Constant { name: name.clone(), shape, data: Cow::Owned(data) });
        name
    }
}

impl<'a> Lowered<'a> {
    fn head(&mut self, head: &'a [Dense], features: usize) -> Result<(), OnnxError> {
        let (mut x, mut width) = (FEATURES.to_owned(), features);
        for (layer, dense) in head.iter().enumerate() {
            let Dense { inputs, outputs, weight, bias } = dense;
            if *inputs != width {
                return Err(OnnxError::HeadWidth { layer, expected: *inputs, got: width });
            }
            if inputs.checked_mul(*outputs) != Some(weight.len()) || bias.len() != *outputs {
                let expected = inputs.saturating_add(1).saturating_mul(*outputs);
                return Err(OnnxError::HeadLength { layer, expected, got: weight.len() + bias.len() });
            }
            let names = ["weight", "bias"].map(|part| format!("head.{layer}.{part}"));
            let parts = [(vec![*outputs, *inputs], weight), (vec![*outputs], bias)];
            for (name, (shape, data)) in names.iter().zip(parts) {
                self.constants.push(Constant { name: name.clone(), shape, data: Cow::Borrowed(data) });
            }
            let last = layer + 1 == head.len();
            let dense = if last { LOGITS.to_owned() } else { format!("head.{layer}") };
            let inputs = [x].into_iter().chain(names).collect();
            self.push("Gemm", &dense, inputs, vec![AttributeProto::int("transB", 1)]);
            (x, width) = (dense, *outputs);
            if !last {
                let relu = format!("{x}.relu");
                self.push("Relu", &relu, vec![x], Vec::new());
                x = relu;
            }
        }
        self.push("Softmax", PROBABILITIES, vec![x], vec![AttributeProto::int("axis", 1)]);
        self.outputs.extend([(LOGITS, width), (PROBABILITIES, width)]);
        Ok(())
    }

    fn push(&mut self, op: &str, name: &str, input: Vec<String>, attribute: Vec<AttributeProto>) {
        let (name, output) = (name.to_owned(), vec![name.to_owned()]);
        self.nodes.push(NodeProto { input, output, name, op_type: op.to_owned(), attribute });
    }
}
