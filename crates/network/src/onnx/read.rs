//! Reads a model that [`write`](super::write()) wrote back into a network with weights, so that an export can be run by
//! the reference executor and compared: attributes, wiring and weights are all taken from the file.

use super::{
    FEATURES, INPUT, LOGITS, OnnxError, PROBABILITIES, adaptive,
    proto::{AttributeProto, FLOAT, GraphProto, ModelProto, NodeProto, TensorProto},
};
use crate::{Activation, Bound, Network, Node, NodeId, Op, Param, ParamId, Pool, Tap, Tensor};
use prost::Message;
use std::collections::BTreeMap;

/// What a file holds.
#[derive(Debug)]
pub struct Model {
    /// The graph with its weights. Its outputs are the features and, where there is a head, the logits.
    pub bound: Bound,
    /// Height and width of the input, in pixels.
    pub size: (usize, usize),
    /// In the file's order.
    pub metadata: Vec<(String, String)>,
}

/// Reads a whole file.
///
/// # Errors
/// Where it is no ONNX file, or one that Headstart did not write.
pub fn read(bytes: &[u8]) -> Result<Model, OnnxError> {
    let mut model = ModelProto::decode(bytes)?;
    let mut graph = model.graph.take().ok_or_else(|| foreign("graph", "is not there"))?;
    let (channels, size) = input(&graph)?;
    let mut reader =
        Reader { tensors: tensors(std::mem::take(&mut graph.initializer))?, ..Reader::default() };
    reader.give(INPUT, Op::Input { channels }, Vec::new());
    for node in &graph.node {
        reader.node(node)?;
    }
    let outputs: Vec<NodeId> = graph
        .output
        .iter()
        .filter(|output| output.name != PROBABILITIES)
        .map(|output| reader.value(&output.name, &output.name))
        .collect::<Result<_, _>>()?;
    let taps = [FEATURES, LOGITS].into_iter().zip(&outputs);
    let network = Network {
        name: graph.name,
        taps: taps.map(|(name, node)| Tap { name: name.to_owned(), node: *node }).collect(),
        nodes: reader.nodes,
        params: reader.params,
        outputs,
        modules: Vec::new(),
    };
    network.check()?;
    network.shapes(size.0, size.1)?;
    let mut tensors = reader.tensors;
    let bound = Bound::from_tensors(network, "the model", |param| tensors.remove(&param.name))?;
    let metadata = model.metadata_props.into_iter().map(|entry| (entry.key, entry.value)).collect();
    Ok(Model { bound, size, metadata })
}

#[derive(Default)]
struct Reader {
    tensors: BTreeMap<String, Tensor>,
    values: BTreeMap<String, NodeId>,
    nodes: Vec<Node>,
    params: Vec<Param>,
}

impl Reader {
    fn node(&mut self, node: &NodeProto) -> Result<(), OnnxError> {
        let name = node.name.as_str();
        if node.output.as_slice() != [name] {
            return Err(foreign(name, "gives something that is not called as itself"));
        }
        let input = |at: usize| {
            node.input.get(at).map(String::as_str).ok_or_else(|| foreign(name, "reads too little"))
        };
        let x = input(0)?;
        let op = match node.op_type.as_str() {
            "Conv" => {
                let stride = square(node, "strides", 2)?;
                let padding = square(node, "pads", 4)?;
                let weight = self.param(input(1)?)?;
                let bias = node.input.get(2).map(|bias| self.param(bias)).transpose()?;
                Op::Conv { weight, bias, stride, padding, groups: int(node, "group")? }
            }
            "BatchNormalization" => Op::BatchNorm {
                weight: self.param(input(1)?)?,
                bias: self.param(input(2)?)?,
                mean: self.param(input(3)?)?,
                variance: self.param(input(4)?)?,
                eps: attribute(node, "epsilon")?
                    .f
                    .ok_or_else(|| foreign(name, "has an epsilon that is no number"))?,
            },
            "Relu" => Op::Activation { function: Activation::Relu },
            "Clip" => {
                let limits =
                    [self.tensor(input(1)?)?.data.as_slice(), self.tensor(input(2)?)?.data.as_slice()];
                if limits != [&[0.0], &[6.0]] {
                    return Err(foreign(name, "clips to other limits than 0 and 6"));
                }
                Op::Activation { function: Activation::Relu6 }
            }
            "MaxPool" => {
                let kernel = square(node, "kernel_shape", 2)?;
                let stride = square(node, "strides", 2)?;
                let padding = square(node, "pads", 4)?;
                Op::MaxPool(Pool { kernel, stride, padding, ceil: int(node, "ceil_mode")? == 1 })
            }
            "MatMul" => return self.adaptive(node),
            "GlobalAveragePool" => Op::GlobalAveragePool,
            "Flatten" if int(node, "axis")? == 1 => {
                let before = self.value(x, name)?;
                if self.nodes[before.0].op == Op::GlobalAveragePool {
                    // Our mean is a vector already.
                    self.values.insert(name.to_owned(), before);
                    return Ok(());
                }
                Op::Flatten
            }
            "Gemm" if int(node, "transB")? == 1 => {
                let bias = node.input.get(2).map(|bias| self.param(bias)).transpose()?;
                Op::Linear { weight: self.param(input(1)?)?, bias }
            }
            "Add" => Op::Add,
            "Concat" if int(node, "axis")? == 1 => Op::Concat,
            "Softmax" if int(node, "axis")? == 1 && name == PROBABILITIES && x == LOGITS => return Ok(()),
            _ => return Err(foreign(name, "is an operation that is never written")),
        };
        let read = match op {
            Op::Add | Op::Concat => {
                node.input.iter().map(|value| self.value(value, name)).collect::<Result<_, _>>()?
            }
            _ => vec![self.value(x, name)?],
        };
        self.give(name, op, read);
        Ok(())
    }

    /// An adaptive average pool comes as two products: first with the rows, then with the columns.
    fn adaptive(&mut self, node: &NodeProto) -> Result<(), OnnxError> {
        let wrong = || foreign(&node.name, "is a product of a kind that is never written");
        let [a, b] = node.input.as_slice() else { return Err(wrong()) };
        if let (Some(rows), Ok(x)) = (self.tensors.get(a), self.value(b, &node.name)) {
            let &[cells @ 1..=usize::MAX, side @ 1..=usize::MAX] = rows.shape.as_slice() else {
                return Err(wrong());
            };
            if rows.data != adaptive::rows(cells, side) {
                return Err(wrong());
            }
            // The width is told by the second product.
            self.give(&node.name, Op::AdaptiveAveragePool { height: cells, width: 1 }, vec![x]);
            return Ok(());
        }
        let columns = self.tensor(b)?;
        let &[side @ 1..=usize::MAX, cells @ 1..=usize::MAX] = columns.shape.as_slice() else {
            return Err(wrong());
        };
        if columns.data != adaptive::columns(cells, side) {
            return Err(wrong());
        }
        let half = self.value(a, &node.name)?;
        match &mut self.nodes[half.0].op {
            Op::AdaptiveAveragePool { width, .. } => *width = cells,
            _ => return Err(wrong()),
        }
        self.values.insert(node.name.clone(), half);
        Ok(())
    }

    fn give(&mut self, name: &str, op: Op, inputs: Vec<NodeId>) {
        self.values.insert(name.to_owned(), NodeId(self.nodes.len()));
        self.nodes.push(Node { name: name.to_owned(), op, inputs });
    }

    fn value(&self, value: &str, reader: &str) -> Result<NodeId, OnnxError> {
        self.values.get(value).copied().ok_or_else(|| foreign(reader, "reads a value that is not there"))
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, OnnxError> {
        self.tensors.get(name).ok_or_else(|| foreign(name, "is an initializer that is not there"))
    }

    fn param(&mut self, name: &str) -> Result<ParamId, OnnxError> {
        if let Some(at) = self.params.iter().position(|param| param.name == name) {
            return Ok(ParamId(at));
        }
        let shape = self.tensor(name)?.shape.clone();
        self.params.push(Param { name: name.to_owned(), shape });
        Ok(ParamId(self.params.len() - 1))
    }
}

/// Channels, and (height, width), of the one input.
fn input(graph: &GraphProto) -> Result<(usize, (usize, usize)), OnnxError> {
    let wrong = || foreign(INPUT, "is not the one input of rank 4");
    let [input] = graph.input.as_slice() else { return Err(wrong()) };
    let shape =
        input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()?.shape.as_ref()).ok_or_else(wrong)?;
    let sides: Vec<usize> = shape.dim.iter().filter_map(|dim| usize::try_from(dim.dim_value?).ok()).collect();
    match sides.as_slice() {
        &[channels, height, width] if input.name == INPUT => Ok((channels, (height, width))),
        _ => Err(wrong()),
    }
}

fn tensors(initializers: Vec<TensorProto>) -> Result<BTreeMap<String, Tensor>, OnnxError> {
    let tensor = |tensor: TensorProto| {
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(|side| usize::try_from(*side).ok()).collect();
        let shape = shape.filter(|shape| {
            let numbers = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
            numbers.and_then(|numbers| numbers.checked_mul(4)) == Some(tensor.raw_data.len())
        });
        match shape {
            Some(shape) if tensor.data_type == FLOAT => {
                let data =
                    tensor.raw_data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                Ok((tensor.name, Tensor { shape, data }))
            }
            _ => Err(foreign(&tensor.name, "is not raw f32 of the length that its shape says")),
        }
    };
    initializers.into_iter().map(tensor).collect()
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Result<&'a AttributeProto, OnnxError> {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.ok_or_else(|| foreign(&node.name, "lacks an attribute"))
}

fn int(node: &NodeProto, name: &str) -> Result<usize, OnnxError> {
    let value = attribute(node, name)?.i.and_then(|value| usize::try_from(value).ok());
    value.ok_or_else(|| foreign(&node.name, "has an attribute that is no number"))
}

/// The one number that an attribute repeats `count` times.
fn square(node: &NodeProto, name: &str, count: usize) -> Result<usize, OnnxError> {
    let ints = &attribute(node, name)?.ints;
    match ints.first().and_then(|first| usize::try_from(*first).ok()) {
        Some(first) if ints.len() == count && ints.iter().all(|other| *other == ints[0]) => Ok(first),
        _ => Err(foreign(&node.name, "has an attribute that differs between its sides")),
    }
}

fn foreign(node: &str, reason: &'static str) -> OnnxError {
    OnnxError::Foreign { node: node.to_owned(), reason }
}
