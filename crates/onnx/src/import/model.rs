//! What a file says, as plain data: nodes with their attributes, the graph's inputs and outputs.

use super::ImportError;
use std::{collections::BTreeMap, ops::Range};
use weights::{
    OnnxFile, StoredTensor,
    protobuf::{Broken, Fields, Wire, numbers, text},
};

/// More inputs, outputs or whole numbers than any honest node has.
const MOST: usize = 1 << 12;

/// A node as it stands in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) op: String,
    pub(super) domain: String,
    /// Values by name; an optional one that is left out is empty.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    attributes: BTreeMap<String, Attribute>,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Tensor(Box<StoredTensor>),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// A graph, a sequence, or what came later.
    Other,
}

/// An input or output of the graph: its name, the type of its numbers, and its sides where they are fixed.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    /// Of `TensorProto.DataType`; 0 where nothing is said.
    pub(super) dtype: u64,
    pub(super) sides: Option<Vec<Option<usize>>>,
}

/// The graph's name, inputs and outputs.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
}

impl Header {
    pub(super) fn read(file: &OnnxFile) -> Result<Header, Broken> {
        let bytes = file.bytes();
        let mut header = Header { name: String::new(), inputs: Vec::new(), outputs: Vec::new() };
        for field in Fields::of(bytes, file.graph()) {
            match field? {
                (2, Wire::Bytes(range)) => text(bytes, range)?.clone_into(&mut header.name),
                (11, Wire::Bytes(range)) => header.inputs.push(port(bytes, range)?),
                (12, Wire::Bytes(range)) if header.outputs.len() < MOST => {
                    header.outputs.push(port(bytes, range)?);
                }
                _ => {}
            }
        }
        // Older files list their initializers among the inputs.
        let stored: std::collections::BTreeSet<&str> =
            file.initializers().iter().map(|tensor| tensor.name.as_str()).collect();
        header.inputs.retain(|input| !stored.contains(input.name.as_str()));
        Ok(header)
    }
}

impl Node {
    pub(super) fn read(file: &[u8], range: Range<usize>) -> Result<Node, Broken> {
        let mut node = Node::default();
        for field in Fields::of(file, range) {
            match field? {
                (1, Wire::Bytes(range)) if node.inputs.len() < MOST => {
                    node.inputs.push(text(file, range)?.to_owned());
                }
                (2, Wire::Bytes(range)) if node.outputs.len() < MOST => {
                    node.outputs.push(text(file, range)?.to_owned());
                }
                (1 | 2, _) => return Err(Broken),
                (3, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut node.name),
                (4, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut node.op),
                (5, Wire::Bytes(range)) => {
                    let (name, attribute) = attribute(file, range)?;
                    node.attributes.insert(name, attribute);
                }
                (7, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut node.domain),
                _ => {}
            }
        }
        if node.domain == "ai.onnx" {
            node.domain.clear();
        }
        Ok(node)
    }

    /// A node of an operator of ONNX's own.
    pub(super) fn step(name: &str, op: &str, inputs: &[&str], outputs: Vec<String>) -> Node {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        Node { name: name.to_owned(), op: op.to_owned(), inputs, outputs, ..Node::default() }
    }

    /// The same as an operator of ONNX's own.
    pub(super) fn plain(&self, op: &str, output: &str) -> Node {
        let outputs = vec![output.to_owned()];
        Node { op: op.to_owned(), domain: String::new(), outputs, ..self.clone() }
    }

    pub(super) fn set_int(&mut self, name: &str, value: i64) {
        self.attributes.insert(name.to_owned(), Attribute::Int(value));
    }

    pub(super) fn set_float(&mut self, name: &str, value: f32) {
        self.attributes.insert(name.to_owned(), Attribute::Float(value));
    }

    pub(super) fn set_ints(&mut self, name: &str, values: &[i64]) {
        self.attributes.insert(name.to_owned(), Attribute::Ints(values.to_vec()));
    }

    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        self.attributes.insert(name.to_owned(), Attribute::Text(value.to_owned()));
    }

    /// What the node is called: its name, or that of its first output.
    pub(super) fn title(&self) -> &str {
        let output = || self.outputs.iter().map(String::as_str).find(|output| !output.is_empty());
        if self.name.is_empty() { output().unwrap_or_default() } else { &self.name }
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name)? {
            Attribute::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn float(&self, name: &str) -> Option<f32> {
        match self.attributes.get(name)? {
            Attribute::Float(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name)? {
            Attribute::Text(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name)? {
            Attribute::Ints(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn floats(&self, name: &str) -> Option<&[f32]> {
        match self.attributes.get(name)? {
            Attribute::Floats(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&StoredTensor> {
        match self.attributes.get(name)? {
            Attribute::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Whether it holds a graph of its own, as conditions and loops do.
    pub(super) fn has_graphs(&self) -> bool {
        self.attributes.values().any(|attribute| matches!(attribute, Attribute::Other))
    }
}

fn attribute(file: &[u8], range: Range<usize>) -> Result<(String, Attribute), Broken> {
    let (mut name, mut kind) = (String::new(), None);
    let (mut floats, mut ints, mut single) = (Vec::new(), Vec::new(), Attribute::Other);
    for field in Fields::of(file, range) {
        match field? {
            (1, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut name),
            (2, Wire::Fixed32(bytes)) => single = Attribute::Float(f32::from_le_bytes(bytes)),
            (3, Wire::Number(value)) => single = Attribute::Int(value.cast_signed()),
            (4, Wire::Bytes(range)) => {
                let bytes = file.get(range).ok_or(Broken)?;
                single = Attribute::Text(String::from_utf8_lossy(bytes).into_owned());
            }
            (5, Wire::Bytes(range)) => {
                single = Attribute::Tensor(Box::new(StoredTensor::read(file, range)?));
            }
            (7, Wire::Fixed32(bytes)) if floats.len() < MOST => floats.push(f32::from_le_bytes(bytes)),
            (7, Wire::Bytes(range)) if floats.len() < MOST => {
                let bytes = file.get(range).ok_or(Broken)?;
                floats.extend(bytes.as_chunks().0.iter().take(MOST).map(|four| f32::from_le_bytes(*four)));
            }
            (8, wire) => numbers(file, wire, MOST, &mut ints)?,
            (20, Wire::Number(value)) => kind = Some(value),
            _ => {}
        }
    }
    // `AttributeProto.AttributeType`; a zero may be left out of the file, and so may an empty list.
    let attribute = match (kind, single) {
        (Some(1), Attribute::Other) => Attribute::Float(0.0),
        (Some(2), Attribute::Other) => Attribute::Int(0),
        (Some(3), Attribute::Other) => Attribute::Text(String::new()),
        (Some(6), _) => Attribute::Floats(floats),
        (Some(7), _) => Attribute::Ints(ints),
        (None, Attribute::Other) if !ints.is_empty() => Attribute::Ints(ints),
        (None, Attribute::Other) if !floats.is_empty() => Attribute::Floats(floats),
        (_, single) => single,
    };
    Ok((name, attribute))
}

/// A `ValueInfoProto`: its name, and its sides where it is a tensor whose rank is known.
fn port(file: &[u8], range: Range<usize>) -> Result<Port, Broken> {
    let mut port = Port { name: String::new(), dtype: 0, sides: None };
    for field in Fields::of(file, range) {
        match field? {
            (1, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut port.name),
            (2, Wire::Bytes(range)) => {
                // TypeProto.tensor_type, TensorTypeProto.shape.
                let Some(tensor) = within(file, range, 1)? else { continue };
                port.dtype = dtype(file, tensor.clone())?;
                port.sides = within(file, tensor, 2)?.map(|shape| sides(file, shape)).transpose()?;
            }
            _ => {}
        }
    }
    Ok(port)
}

/// The message that a message holds in a field.
fn within(file: &[u8], range: Range<usize>, number: u32) -> Result<Option<Range<usize>>, Broken> {
    for field in Fields::of(file, range) {
        match field? {
            (found, Wire::Bytes(range)) if found == number => return Ok(Some(range)),
            _ => {}
        }
    }
    Ok(None)
}

/// The type of a `TypeProto.Tensor`.
fn dtype(file: &[u8], tensor: Range<usize>) -> Result<u64, Broken> {
    let mut dtype = 0;
    for field in Fields::of(file, tensor) {
        if let (1, Wire::Number(value)) = field? {
            dtype = value;
        }
    }
    Ok(dtype)
}

/// A `TensorShapeProto`.
fn sides(file: &[u8], range: Range<usize>) -> Result<Vec<Option<usize>>, Broken> {
    let mut sides = Vec::new();
    for field in Fields::of(file, range) {
        if let (1, Wire::Bytes(dimension)) = field? {
            let mut side = None;
            for field in Fields::of(file, dimension) {
                if let (1, Wire::Number(value)) = field? {
                    side = usize::try_from(value.cast_signed()).ok().filter(|side| *side > 0);
                }
            }
            if sides.len() >= 16 {
                return Err(Broken);
            }
            sides.push(side);
        }
    }
    Ok(sides)
}

/// Refuses what no graph of a network has, before anything is made of it.
pub(super) fn check(file: &OnnxFile) -> Result<i64, ImportError> {
    // Newer sets may have given an operator another meaning; older ones are not to be found in files.
    const OPSETS: std::ops::RangeInclusive<i64> = 7..=24;
    let version = file.opsets().iter().find(|(domain, _)| domain.is_empty() || domain == "ai.onnx");
    let version = version.map_or(1, |(_, version)| *version);
    if !OPSETS.contains(&version) {
        return Err(ImportError::Opset { version, least: *OPSETS.start(), most: *OPSETS.end() });
    }
    Ok(version)
}
