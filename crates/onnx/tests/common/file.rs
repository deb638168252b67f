//! Writes ONNX files of any kind, field by field, as others would.

#![allow(dead_code, clippy::allow_attributes, reason = "every test file uses a part of this")]

/// A message in the making.
#[derive(Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn number(mut self, field: u64, value: i64) -> Message {
        self.0.extend(varint(field << 3));
        self.0.extend(varint(value.cast_unsigned()));
        self
    }

    pub(crate) fn bytes(mut self, field: u64, bytes: &[u8]) -> Message {
        self.0.extend(varint(field << 3 | 2));
        self.0.extend(varint(bytes.len() as u64));
        self.0.extend(bytes);
        self
    }

    pub(crate) fn text(self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u64, message: &Message) -> Message {
        self.bytes(field, &message.0)
    }

    pub(crate) fn float(mut self, field: u64, value: f32) -> Message {
        self.0.extend(varint(field << 3 | 5));
        self.0.extend(value.to_le_bytes());
        self
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// An attribute of a node.
#[derive(Clone)]
pub(crate) enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, &'a [i64]),
    Float(&'a str, f32),
    Floats(&'a str, &'a [f32]),
    Text(&'a str, &'a str),
    /// A graph of its own.
    Graph(&'a str),
    /// i64, or f32 where they are no whole numbers.
    Integers(&'a str, &'a [i64], &'a [i64]),
}

pub(crate) use Attribute::{Float, Floats, Graph, Int, Integers, Ints, Text};

/// A file in the making.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) graph: Message,
    pub(crate) opset: i64,
    output: String,
    count: usize,
}

impl File {
    /// Takes pictures (batch, 3, side, side), or with channels last, as `x`.
    pub(crate) fn new(opset: i64, sides: [i64; 3]) -> File {
        let graph = Message::default().message(11, &port("x", &[-1, sides[0], sides[1], sides[2]]));
        File { graph, opset, output: "x".to_owned(), count: 0 }
    }

    /// A node that gives `output`, which is the graph's unless another follows.
    pub(crate) fn node(
        mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[Attribute<'_>],
    ) -> File {
        let mut node = Message::default();
        for input in inputs {
            node = node.text(1, input);
        }
        for output in output.split(' ') {
            node = node.text(2, output);
        }
        self.count += 1;
        // Before the last dot stands the set of operators that it is of.
        let (domain, op) = op.rsplit_once('.').unwrap_or(("", op));
        node = node.text(3, &format!("{op}_{}", self.count)).text(4, op);
        if !domain.is_empty() {
            node = node.text(7, domain);
        }
        for attribute in attributes {
            let message = match *attribute {
                Int(name, value) => Message::default().text(1, name).number(3, value).number(20, 2),
                Float(name, value) => Message::default().text(1, name).float(2, value).number(20, 1),
                Floats(name, values) => {
                    let message = Message::default().text(1, name).number(20, 6);
                    values.iter().fold(message, |message, value| message.float(7, *value))
                }
                Text(name, value) => Message::default().text(1, name).text(4, value).number(20, 3),
                Graph(name) => Message::default().text(1, name).text(6, "").number(20, 5),
                Ints(name, values) => {
                    let message = Message::default().text(1, name).number(20, 7);
                    values.iter().fold(message, |message, value| message.number(8, *value))
                }
                Integers(name, shape, values) => {
                    let tensor = integers("", shape, values);
                    Message::default().text(1, name).message(5, &tensor).number(20, 4)
                }
            };
            node = node.message(5, &message);
        }
        self.graph = self.graph.message(1, &node);
        output.split(' ').next().unwrap_or_default().clone_into(&mut self.output);
        self
    }

    /// An initializer of floats: a wave, so that no two numbers are alike.
    pub(crate) fn wave(self, name: &str, shape: &[i64]) -> File {
        let len: i64 = shape.iter().product();
        let values: Vec<f32> = (0..len).map(|at| (at as f32 * 0.7 + 0.3).sin()).collect();
        self.floats(name, shape, &values)
    }

    pub(crate) fn floats(mut self, name: &str, shape: &[i64], values: &[f32]) -> File {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.graph = self.graph.message(5, &tensor(name, 1, shape).bytes(9, &bytes));
        self
    }

    pub(crate) fn integers(mut self, name: &str, shape: &[i64], values: &[i64]) -> File {
        self.graph = self.graph.message(5, &integers(name, shape, values));
        self
    }

    pub(crate) fn list(self, name: &str, values: &[i64]) -> File {
        self.integers(name, &[values.len() as i64], values)
    }

    /// The file's bytes.
    pub(crate) fn model(&self) -> Vec<u8> {
        let graph = self.graph.clone().message(12, &port(&self.output, &[]));
        let opset = Message::default().number(2, self.opset);
        let model = Message::default().number(1, 8).text(2, "test").message(7, &graph).message(8, &opset);
        model.message(14, &Message::default().text(1, "key").text(2, "value")).0
    }
}

pub(crate) fn tensor(name: &str, dtype: i64, shape: &[i64]) -> Message {
    let message = Message::default().text(8, name).number(2, dtype);
    shape.iter().fold(message, |message, side| message.number(1, *side))
}

fn integers(name: &str, shape: &[i64], values: &[i64]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, 7, shape).bytes(9, &bytes)
}

/// A `ValueInfoProto`; a side of -1 may be any.
pub(crate) fn port(name: &str, sides: &[i64]) -> Message {
    typed_port(name, 1, sides)
}

/// The same, of other numbers than f32.
pub(crate) fn typed_port(name: &str, dtype: i64, sides: &[i64]) -> Message {
    let shape = sides.iter().fold(Message::default(), |shape, side| {
        let dimension = match side {
            -1 => Message::default().text(2, "batch"),
            side => Message::default().number(1, *side),
        };
        shape.message(1, &dimension)
    });
    let tensor = Message::default().number(1, dtype).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}
