//! What a head's file has of a graph.

use super::tensors::{Named, floats};
use network::{Network, Op, Shape};
use safetensors::SafeTensors;
use weights::{Bound, Tensor};

const PREFIX: &str = "graph.";

/// What a graph reads: one map, one vector, or one picture's tokens. `None` where it reads something else.
pub(super) fn given(network: &Network) -> Option<Shape> {
    let mut reads = network.nodes().iter().filter_map(|node| match node.op {
        Op::Given { shape } => Some(Some(shape)),
        Op::Input { .. } | Op::Text => Some(None),
        _ => None,
    });
    let first = reads.next().flatten()?;
    (reads.next().is_none() && !matches!(first, Shape::Sequence { .. })).then_some(first)
}

/// A graph that gives so many outputs, with its weights.
pub(super) fn read(network: Network, tensors: &SafeTensors<'_>, outputs: usize) -> Result<Bound, String> {
    given(&network).ok_or("its graph reads something else than one row of features")?;
    // Shapes whose numbers can be counted from here on.
    let shapes = network.shapes(1, 1).map_err(|error| error.to_string())?;
    match network.outputs() {
        [output] if shapes[output.index()] == Shape::Vector(outputs) => {}
        [output] => {
            return Err(format!("its graph gives {}, expected {outputs} numbers", shapes[output.index()]));
        }
        all => return Err(format!("its graph has {} outputs", all.len())),
    }
    let tensor = |param: &network::Param| {
        let (data, shape) = floats(tensors, &format!("{PREFIX}{}", param.name)).ok()?;
        Some(Tensor { shape, data })
    };
    Bound::from_tensors(network, "the head", tensor).map_err(|error| error.to_string())
}

pub(super) fn tensors(graph: &Bound) -> impl Iterator<Item = Named> {
    graph.tensors().map(|(param, tensor)| {
        Named::floats(&format!("{PREFIX}{}", param.name), tensor.shape.clone(), &tensor.data)
    })
}
