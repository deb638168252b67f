//! Writes a model without holding a copy of its weights.

use super::{
    Exported, IMAGE, OnnxError, Tokens, Tower,
    draft::{Constant, Numbers},
    graph::Form,
    input_name,
    lower::lower,
    operator::Element,
    proto::{
        GraphProto, ModelProto, OperatorSetIdProto, Side, StringStringEntryProto, TensorProto,
        ValueInfoProto, signed,
    },
};
use half::f16;
use network::{By, Network, Node, Op};
use prost::Message;
use std::io::Write;
use weights::Bound;

/// Keys of length-delimited fields: `(number << 3) | 2`.
const GRAPH: u8 = (7 << 3) | 2;
const INITIALIZER: u8 = (5 << 3) | 2;
const RAW_DATA: u8 = (9 << 3) | 2;

/// Writes a backbone without a head for inputs of `size` (height, width) in pixels. Several features come side by side.
/// Gives the number of bytes written.
///
/// # Errors
/// As [`write_model`].
pub fn write(
    out: &mut impl Write,
    bound: &Bound,
    size: (usize, usize),
    metadata: &[(String, String)],
) -> Result<u64, OnnxError> {
    let towers = [Tower::alone(bound, size)];
    write_model(out, &Exported { towers: &towers, head: None, halves: false, metadata })
}

/// Writes a model. Gives the number of bytes written.
///
/// # Errors
/// Where a network does not work at its size, the head does not fit, the file would pass 2 GiB, or writing fails.
pub fn write_model(out: &mut impl Write, exported: &Exported<'_>) -> Result<u64, OnnxError> {
    let lowered = lower(exported)?;
    let takes_image = exported.takes_image();
    let metadata = exported
        .metadata
        .iter()
        .map(|(key, value)| StringStringEntryProto { key: key.clone(), value: value.clone() });
    let model = header(metadata.collect());
    let name = exported.towers.first().map_or("", |tower| tower.bound.network().name());
    let graph = GraphProto {
        node: lowered.nodes,
        name: name.to_owned(),
        initializer: Vec::new(),
        input: if takes_image {
            vec![image_info()]
        } else if let [Tower { bound, .. }] = exported.towers
            && bound.network().reads_texts()
        {
            inputs_of(bound.network()).iter().copied().map(tokens_info).collect()
        } else {
            exported.towers.iter().enumerate().map(|(at, tower)| pixels_info(at, tower)).collect()
        },
        output: lowered
            .outputs
            .iter()
            .map(|output| output_info(output.name, output.form, takes_image))
            .collect(),
    };
    // A message's fields may stand in any order, so what is small is encoded as usual and the weights follow.
    let (model, graph) = (model.encode_to_vec(), graph.encode_to_vec());
    let headers: Vec<Vec<u8>> = lowered.constants.iter().map(tensor_header).collect();
    let tensors = lowered.constants.iter().zip(&headers);
    let tensor_len =
        |(constant, header): (&Constant<'_>, &Vec<u8>)| header.len() as u64 + constant.data.bytes();
    let graph_len = graph.len() as u64
        + tensors.clone().map(tensor_len).map(|len| 1 + delimiter(len).len() as u64 + len).sum::<u64>();
    let total = model.len() as u64 + 1 + delimiter(graph_len).len() as u64 + graph_len;
    if total > i32::MAX as u64 {
        return Err(OnnxError::TooLarge(total));
    }
    out.write_all(&model)?;
    out.write_all(&[GRAPH])?;
    out.write_all(&delimiter(graph_len))?;
    out.write_all(&graph)?;
    let mut block = Vec::new();
    for (constant, header) in tensors {
        out.write_all(&[INITIALIZER])?;
        out.write_all(&delimiter(tensor_len((constant, header))))?;
        out.write_all(header)?;
        match &constant.data {
            Numbers::Floats(values) => {
                for values in values.chunks(1 << 16) {
                    block.clear();
                    block.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                    out.write_all(&block)?;
                }
            }
            Numbers::Halves(values) => {
                for values in values.chunks(1 << 16) {
                    block.clear();
                    block.extend(values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
                    out.write_all(&block)?;
                }
            }
            Numbers::Doubles(values) => {
                for value in values {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
            Numbers::Integers(values) => {
                for value in values {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
        }
    }
    Ok(total)
}

/// Writes one more entry of metadata behind a model that was written whole: what was found when it was checked.
///
/// # Errors
/// Where writing fails.
pub fn write_entry(out: &mut impl Write, key: &str, value: &str) -> Result<(), OnnxError> {
    // A message's fields may stand in any order, and entries add up.
    let entry = StringStringEntryProto { key: key.to_owned(), value: value.to_owned() };
    let model = ModelProto { metadata_props: vec![entry], ..ModelProto::default() };
    Ok(out.write_all(&model.encode_to_vec())?)
}

/// One picture of any size.
pub(super) fn image_info() -> ValueInfoProto {
    ValueInfoProto::of(IMAGE, Element::Byte, &[Side::Any("height"), Side::Any("width"), Side::Fixed(3)])
}

/// Of texts.
pub(super) fn tokens_info(tokens: Tokens) -> ValueInfoProto {
    ValueInfoProto::of(tokens.name(), Element::Integer, &[Side::Any("batch"), Side::Any("tokens")])
}

/// The inputs of a network of texts.
fn inputs_of(network: &Network) -> &'static [Tokens] {
    let knows_segments = |node: &Node| match node.op {
        Op::Lookup { table, by: By::Segment } => network.param(table).shape[0] > 1,
        _ => false,
    };
    let count = if network.nodes().iter().any(knows_segments) { 3 } else { 2 };
    &Tokens::ALL[..count]
}

fn pixels_info(at: usize, tower: &Tower<'_>) -> ValueInfoProto {
    let channels = tower.bound.network().nodes().iter().find_map(|node| match node.op {
        Op::Input { channels } => Some(channels),
        _ => None,
    });
    pixels_of(&input_name(at), [channels.unwrap_or(3), tower.size.0, tower.size.1])
}

/// Pictures that are prepared.
pub(super) fn pixels_of(name: &str, sides: [usize; 3]) -> ValueInfoProto {
    let [c, h, w] = sides.map(Side::Fixed);
    ValueInfoProto::of(name, Element::Single, &[Side::Any("batch"), c, h, w])
}

/// Of a batch, or of the one picture.
pub(super) fn output_info(name: &str, form: Form, takes_image: bool) -> ValueInfoProto {
    let batch = if takes_image { Side::Fixed(1) } else { Side::Any("batch") };
    match form {
        Form::Rows(width) => ValueInfoProto::of(name, Element::Single, &[batch, Side::Fixed(width)]),
        Form::Numbers => ValueInfoProto::of(name, Element::Single, &[batch]),
        Form::Truths => ValueInfoProto::of(name, Element::Truth, &[batch]),
    }
}

/// A model without its graph.
pub(super) fn header(metadata_props: Vec<StringStringEntryProto>) -> ModelProto {
    ModelProto {
        ir_version: 8,
        producer_name: "headstart".to_owned(),
        graph: None,
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: 17 }],
        metadata_props,
    }
}

/// A tensor's fields, up to where its numbers follow.
fn tensor_header(constant: &Constant<'_>) -> Vec<u8> {
    let tensor = TensorProto {
        dims: constant.shape.iter().copied().map(signed).collect(),
        data_type: constant.data.element().data_type(),
        name: constant.name.clone(),
        raw_data: Vec::new(),
    };
    let mut header = tensor.encode_to_vec();
    header.push(RAW_DATA);
    header.extend(delimiter(constant.data.bytes()));
    header
}

/// A length as a base-128 varint.
fn delimiter(mut len: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while len >= 0x80 {
        bytes.push((len & 0x7F) as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes
}
