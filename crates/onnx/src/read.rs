//! Reads a model that [`write`](super::write()) wrote: wiring, attributes and weights, all from the file.

use super::{
    FEATURES, Form, Graph, IMAGE, Input, Literal, Model, OUTPUTS, OnnxError, Operator, Output, Step, Tokens,
    Value, input_name,
    operator::Element,
    proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto},
    spelling::Stored,
    write,
};
use half::f16;
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
    let inputs = inputs(&graph)?;
    let mut reader = Reader { takes_image: inputs == [Input::Image], ..Reader::default() };
    for (at, input) in graph.input.iter().enumerate() {
        reader.give(&input.name, Value::Input(at))?;
    }
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
    Ok(Model { graph: Graph { name: graph.name, tensors, steps, outputs }, inputs, metadata })
}

#[derive(Default)]
struct Reader {
    takes_image: bool,
    tensors: Vec<Literal>,
    integers: Stored,
    steps: Vec<Step>,
    values: BTreeMap<String, Value>,
    /// The names that steps and outputs have asked for.
    read: BTreeSet<String>,
}

impl Reader {
    fn initializer(&mut self, tensor: TensorProto) -> Result<(), OnnxError> {
        let TensorProto { dims, data_type, name, raw_data } = tensor;
        let wrong = || foreign(&name, "is not raw f32, f16, f64 or i64 of the length that its shape says");
        let shape: Vec<usize> =
            dims.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>().ok_or_else(wrong)?;
        let element = Element::of(i64::from(data_type)).ok_or_else(wrong)?;
        let length = shape.iter().try_fold(element.bytes(), |product, side| product.checked_mul(*side));
        if length != Some(raw_data.len()) || raw_data.is_empty() {
            return Err(wrong());
        }
        let (literal, is_finite) = match element {
            Element::Integer => {
                let values = raw_data.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
                return match self.integers.insert(name.clone(), (shape, values)) {
                    None => Ok(()),
                    Some(_) => Err(foreign(&name, "is there twice")),
                };
            }
            Element::Single => {
                let data: Vec<f32> =
                    raw_data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
                let is_finite = data.iter().all(|value| value.is_finite());
                (Literal::Floats(Tensor { shape, data }), is_finite)
            }
            Element::Half => {
                let data: Vec<f16> =
                    raw_data.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
                let is_finite = data.iter().all(|value| value.is_finite());
                (Literal::Halves { shape, data }, is_finite)
            }
            Element::Double => {
                let data: Vec<f64> =
                    raw_data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
                let is_finite = data.iter().all(|value| value.is_finite());
                (Literal::Doubles { shape, data }, is_finite)
            }
            Element::Byte | Element::Truth => return Err(wrong()),
        };
        if !is_finite {
            return Err(foreign(&name, "holds a number that is not finite"));
        }
        self.tensors.push(literal);
        self.give(&name, Value::Tensor(self.tensors.len() - 1))
    }

    fn node(&mut self, node: NodeProto) -> Result<(), OnnxError> {
        let (operator, inputs) = Operator::parse(&node, &self.integers)
            .ok_or_else(|| foreign(&node.name, "does what is never written"))?;
        if node.output != operator.outputs(&node.name) {
            return Err(foreign(&node.name, "gives something that is not called as itself"));
        }
        let inputs = inputs.iter().map(|input| self.value(input, &node.name)).collect::<Result<_, _>>()?;
        self.read.extend(node.input);
        self.steps.push(Step { name: node.name.clone(), operator, inputs });
        let at = self.steps.len() - 1;
        for (name, value) in node.output.iter().zip([Value::Step(at), Value::Second(at)]) {
            self.give(name, value)?;
        }
        Ok(())
    }

    fn outputs(&mut self, declared: &[ValueInfoProto]) -> Result<Vec<Output>, OnnxError> {
        let outputs = declared.iter().map(|info| self.output(info)).collect::<Result<Vec<_>, _>>()?;
        let places = outputs.iter().map(|output| OUTPUTS.iter().position(|name| *name == output.name));
        // In the one order in which they are written.
        if !places.is_sorted_by(|a, b| a < b) || outputs.first().is_none_or(|first| first.name != FEATURES) {
            return Err(foreign("graph", "has other outputs than are ever written"));
        }
        Ok(outputs)
    }

    fn output(&mut self, info: &ValueInfoProto) -> Result<Output, OnnxError> {
        let name = OUTPUTS.iter().find(|name| **name == info.name);
        let name = *name.ok_or_else(|| foreign(&info.name, "is an output that is never written"))?;
        let value = self.value(name, "graph")?;
        self.read.insert(name.to_owned());
        let width = sides(info).and_then(|sides| usize::try_from((*sides.get(1)?)?).ok());
        let forms = [width.map(Form::Rows), Some(Form::Numbers), Some(Form::Truths)];
        let form = forms
            .into_iter()
            .flatten()
            .find(|form| *info == write::output_info(name, *form, self.takes_image));
        let form = form.ok_or_else(|| foreign(name, "is not an output (batch, width) or (batch,)"))?;
        Ok(Output { name, value, form })
    }

    fn give(&mut self, name: &str, value: Value) -> Result<(), OnnxError> {
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(foreign(name, "is there twice")),
        }
    }

    fn value(&mut self, value: &str, reader: &str) -> Result<Value, OnnxError> {
        if let (false, Some((shape, data))) = (self.values.contains_key(value), self.integers.get(value)) {
            // Whole numbers that are a value of their own.
            self.tensors.push(Literal::Integers { shape: shape.clone(), data: data.clone() });
            self.values.insert(value.to_owned(), Value::Tensor(self.tensors.len() - 1));
        }
        self.values.get(value).copied().ok_or_else(|| foreign(reader, "reads a value that is not there"))
    }
}

/// One picture, or prepared ones for each backbone.
fn inputs(graph: &GraphProto) -> Result<Vec<Input>, OnnxError> {
    if let [input] = graph.input.as_slice()
        && input.name == IMAGE
    {
        return match *input == write::image_info() {
            true => Ok(vec![Input::Image]),
            false => Err(foreign(IMAGE, "is not u8 (height, width, 3)")),
        };
    }
    if graph.input.first().is_some_and(|first| first.name == Tokens::Ids.name()) {
        let tokens = |info: &ValueInfoProto| {
            let tokens = Tokens::ALL.into_iter().find(|tokens| *info == write::tokens_info(*tokens));
            tokens.ok_or_else(|| foreign(&info.name, "is not i64 (batch, tokens)"))
        };
        let inputs = graph.input.iter().map(tokens).collect::<Result<Vec<_>, _>>()?;
        return match inputs[..] == Tokens::ALL[..inputs.len().clamp(2, Tokens::ALL.len())] {
            true => Ok(inputs.into_iter().map(Input::Tokens).collect()),
            false => Err(foreign("graph", "has other inputs than are ever written")),
        };
    }
    let pixels = |(at, info): (usize, &ValueInfoProto)| {
        let name = input_name(at);
        let wrong = || foreign(&name, "is not an input of rank 4");
        let sides = sides(info).unwrap_or_default();
        let sides = sides.get(1..).unwrap_or_default().iter().map(|side| usize::try_from((*side)?).ok());
        let sides: Vec<usize> = sides.collect::<Option<_>>().ok_or_else(wrong)?;
        let sides = <[usize; 3]>::try_from(sides).map_err(|_| wrong())?;
        match *info == write::pixels_of(&name, sides) && !sides.contains(&0) {
            true => Ok(Input::Pixels { name, sides }),
            false => Err(wrong()),
        }
    };
    match graph.input.as_slice() {
        [] => Err(foreign("graph", "has no input")),
        each => each.iter().enumerate().map(pixels).collect(),
    }
}

/// The sides of an input or output, where they are numbers.
fn sides(info: &ValueInfoProto) -> Option<Vec<Option<i64>>> {
    let shape = info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    Some(shape.dim.iter().map(|dim| dim.dim_value).collect())
}

fn foreign(node: &str, reason: &'static str) -> OnnxError {
    OnnxError::Foreign { node: node.to_owned(), reason }
}
