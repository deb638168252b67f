//! What a head's file has of a graph.

use super::tensors::{Named, floats};
use network::{Network, Op, Shape};
use safetensors::SafeTensors;
use weights::{Bound, Tensor};

const PREFIX: &str = "graph.";
/// Numbers that all steps may give for one row: 4 GiB of them.
const MOST_NUMBERS: usize = 1 << 30;

/// A graph that gives so many outputs, with its weights.
pub(super) fn read(network: Network, tensors: &SafeTensors<'_>, outputs: usize) -> Result<Bound, String> {
    network.given_row().ok_or("its graph reads something else than one row of features")?;
    let shapes = network.shapes(1, 1).map_err(|error| error.to_string())?;
    let numbers = shapes.iter().fold(0_usize, |sum, shape| sum.saturating_add(shape.len()));
    let pairs = network.nodes().iter().map(|node| match node.op {
        Op::WindowAttention { heads, window, .. } => 4 * heads * window.pow(4),
        _ => 0,
    });
    if pairs.fold(numbers, usize::saturating_add) > MOST_NUMBERS {
        return Err("its graph takes more memory for one row than any network does".to_owned());
    }
    match network.outputs() {
        [output] if shapes[output.index()] == Shape::Vector(outputs) => {}
        [output] => {
            return Err(format!("its graph gives {}, expected {outputs} numbers", shapes[output.index()]));
        }
        all => return Err(format!("its graph has {} outputs", all.len())),
    }
    let tensor = |param: &network::Param| {
        let (data, shape) = floats(tensors, &format!("{PREFIX}{}", param.name))?;
        Ok(Tensor { shape, data })
    };
    let filled = network.params().iter().map(tensor).collect::<Result<Vec<_>, String>>()?;
    let mut filled = filled.into_iter();
    Bound::from_tensors(network, "the head", |_| filled.next()).map_err(|error| error.to_string())
}

pub(super) fn tensors(graph: &Bound) -> impl Iterator<Item = Named> {
    graph.tensors().map(|(param, tensor)| {
        Named::floats(&format!("{PREFIX}{}", param.name), tensor.shape.clone(), &tensor.data)
    })
}
