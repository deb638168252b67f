//! Writes a model without holding a copy of its weights.

use super::{
    Ending, INPUT, OnnxError,
    draft::{Constant, Numbers},
    lower::lower,
    proto::{
        GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, ValueInfoProto,
        signed,
    },
};
use network::Op;
use prost::Message;
use std::io::Write;
use weights::Bound;

/// Keys of length-delimited fields: `(number << 3) | 2`.
const GRAPH: u8 = (7 << 3) | 2;
const INITIALIZER: u8 = (5 << 3) | 2;
const RAW_DATA: u8 = (9 << 3) | 2;

/// Writes a network for inputs of `size` (height, width) in pixels. With an `ending` it is a backbone joined with a head: its
/// last output is the head's, and the others are the features. Several features come side by side. `metadata` goes into the
/// file as it is, in its order. Gives the number of bytes written.
///
/// # Errors
/// Where the network has no such output, the head does not fit it, the file would pass 2 GiB, or writing fails.
pub fn write(
    out: &mut impl Write,
    bound: &Bound,
    size: (usize, usize),
    ending: Option<Ending>,
    metadata: &[(String, String)],
) -> Result<u64, OnnxError> {
    let lowered = lower(bound, size, ending)?;
    let channels = bound.network().nodes().iter().find_map(|node| match node.op {
        Op::Input { channels } => Some(channels),
        _ => None,
    });
    let metadata =
        metadata.iter().map(|(key, value)| StringStringEntryProto { key: key.clone(), value: value.clone() });
    let model = header(metadata.collect());
    let graph = GraphProto {
        node: lowered.nodes,
        name: bound.network().name().to_owned(),
        initializer: Vec::new(),
        input: vec![ValueInfoProto::batched(INPUT, &[channels.unwrap_or(3), size.0, size.1])],
        output: lowered
            .outputs
            .iter()
            .map(|(name, width)| ValueInfoProto::batched(name, &[*width]))
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
            Numbers::Integers(values) => {
                for value in values {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
        }
    }
    Ok(total)
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
        data_type: constant.data.data_type(),
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
