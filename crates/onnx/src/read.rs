//! Reads a model that [`write`](super::write()) wrote: wiring, attributes and weights, all from the file.

use super::{
    FEATURES, Graph, INPUT, LOGITS, Model, OnnxError, Operator, Output, PROBABILITIES, Step, VALUES, Value,
    proto::{FLOAT, GraphProto, INT64, ModelProto, NodeProto, TensorProto, ValueInfoProto},
    spelling::Stored,
    write,
};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use weights::Tensor;

/// Reads a whole file.
///
/// # Errors
/// Where it is no ONNX file, or one that Headstart did not write.
pub fn read(bytes: &[u8]) -> Result<Model, OnnxError> {
    let mut model = ModelProto::decode(bytes)?;
    if model.encoded_len() != bytes.len() {
        return Err(foreign("model", "has fields that are never written"));
    }
    let mut graph = model.graph.take().ok_or_else(|| foreign("graph", "is not there"))?;
    let metadata = std::mem::take(&mut model.metadata_props);
    if model != write::header(Vec::new()) {
        return Err(foreign("model", "is of another version or by another program"));
    }
    let input = input(&graph)?;
    let mut reader = Reader::default();
    reader.give(INPUT, Value::Input)?;
    for tensor in std::mem::take(&mut graph.initializer) {
        reader.initializer(tensor)?;
    }
    for node in graph.node.drain(..) {
        reader.node(node)?;
    }
    let outputs = reader.outputs(&graph.output)?;
    let mut names = reader.values.keys().chain(reader.integers.keys());
    if let Some(name) = names.find(|name| !reader.read.contains(*name)) {
        return Err(foreign(name, "is read by nobody"));
    }
    let (tensors, steps) = (reader.tensors, reader.steps);
    let metadata = metadata.into_iter().map(|entry| (entry.key, entry.value)).collect();
    Ok(Model { graph: Graph { name: graph.name, tensors, steps, outputs }, input, metadata })
}

#[derive(Default)]
struct Reader {
    tensors: Vec<Tensor>,
    integers: Stored,
    steps: Vec<Step>,
    values: BTreeMap<String, Value>,
    /// The names that steps and outputs have asked for.
    read: BTreeSet<String>,
}

impl Reader {
    fn initializer(&mut self, tensor: TensorProto) -> Result<(), OnnxError> {
        let TensorProto { dims, data_type, name, raw_data } = tensor;
        let wrong = || foreign(&name, "is not raw f32 or i64 of the length that its shape says");
        let shape: Vec<usize> =
            dims.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>().ok_or_else(wrong)?;
        let bytes = match data_type {
            FLOAT => 4,
            INT64 => 8,
            _ => return Err(wrong()),
        };
        let length = shape.iter().try_fold(bytes, |product: usize, side| product.checked_mul(*side));
        if length != Some(raw_data.len()) || raw_data.is_empty() {
            return Err(wrong());
        }
        if data_type == INT64 {
            let values = raw_data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
            return match self.integers.insert(name.clone(), (shape, values)) {
                None => Ok(()),
                Some(_) => Err(foreign(&name, "is there twice")),
            };
        }
        let data: Vec<f32> = raw_data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if !data.iter().all(|value| value.is_finite()) {
            return Err(foreign(&name, "holds a number that is not finite"));
        }
        self.tensors.push(Tensor { shape, data });
        self.give(&name, Value::Tensor(self.tensors.len() - 1))
    }

    fn node(&mut self, node: NodeProto) -> Result<(), OnnxError> {
        if node.output.as_slice() != [node.name.as_str()] {
            return Err(foreign(&node.name, "gives something that is not called as itself"));
        }
        let (operator, inputs) = Operator::parse(&node, &self.integers)
            .ok_or_else(|| foreign(&node.name, "does what is never written"))?;
        let inputs = inputs.iter().map(|input| self.value(input, &node.name)).collect::<Result<_, _>>()?;
        self.read.extend(node.input);
        self.steps.push(Step { name: node.name.clone(), operator, inputs });
        self.give(&node.name, Value::Step(self.steps.len() - 1))
    }

    fn outputs(&mut self, declared: &[ValueInfoProto]) -> Result<Vec<Output>, OnnxError> {
        let names: &[&'static str] = match declared.len() {
            1 => &[FEATURES],
            2 => &[FEATURES, VALUES],
            _ => &[FEATURES, LOGITS, PROBABILITIES],
        };
        if declared.len() != names.len() {
            return Err(foreign("graph", "has other outputs than are ever written"));
        }
        let output = |(info, name): (&ValueInfoProto, &&'static str)| {
            let value = self.value(name, "graph")?;
            self.read.insert((*name).to_owned());
            let width = sides(info).filter(|_| info.name == *name);
            let Some([width]) = width.as_deref() else {
                return Err(foreign(name, "is not an output (batch, width)"));
            };
            Ok(Output { name, value, width: *width })
        };
        declared.iter().zip(names).map(output).collect()
    }

    fn give(&mut self, name: &str, value: Value) -> Result<(), OnnxError> {
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(foreign(name, "is there twice")),
        }
    }

    fn value(&self, value: &str, reader: &str) -> Result<Value, OnnxError> {
        self.values.get(value).copied().ok_or_else(|| foreign(reader, "reads a value that is not there"))
    }
}

/// Channels, height and width of the one input.
fn input(graph: &GraphProto) -> Result<[usize; 3], OnnxError> {
    let wrong = || foreign(INPUT, "is not the one input of rank 4");
    let [input] = graph.input.as_slice() else { return Err(wrong()) };
    let sides = sides(input).filter(|_| input.name == INPUT).ok_or_else(wrong)?;
    <[usize; 3]>::try_from(sides).ok().filter(|sides| !sides.contains(&0)).ok_or_else(wrong)
}

/// What stands after the batch, of an input or output that is described as it is written.
fn sides(info: &ValueInfoProto) -> Option<Vec<usize>> {
    let shape = info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    let sides = shape.dim.iter().skip(1).map(|dim| usize::try_from(dim.dim_value?).ok());
    let sides = sides.collect::<Option<Vec<usize>>>()?;
    (*info == ValueInfoProto::batched(&info.name, &sides)).then_some(sides)
}

fn foreign(node: &str, reason: &'static str) -> OnnxError {
    OnnxError::Foreign { node: node.to_owned(), reason }
}
