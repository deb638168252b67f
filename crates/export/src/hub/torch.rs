//! Networks of torchvision, whose names of parameters are ours: as a state dictionary, and for transformers in a class of our own
//! around them.

use super::{code, layout::Layout, tensors::Written};
use backbone::EXPORTED_PICTURES;
use network::{Network, Op, Stored, zoo::Entry};
use serde_json::{Map, Value, json};

/// Our class around a network of torchvision's.
const CLASS: &str = "HeadstartForImageClassification";
/// The file that holds it.
pub(super) const CLASS_TEXT: &str = include_str!("torch/modeling_headstart.py");
/// Where it keeps the network.
const PREFIX: &str = "network.";

/// How torchvision holds a network of the zoo for pictures of that height and width; `None` where it has none of that name.
pub(crate) fn layout(entry: &Entry, size: (usize, usize)) -> Option<Layout> {
    // MNASNet asks a state dictionary for its version, which safetensors has no place for.
    let asks = entry.name.starts_with("mnasnet");
    let said = Said::of(entry, size).filter(|_| !asks)?;
    let at = |param: &str| Stored::As(param.to_owned());
    Some(Layout {
        reads: vec![said.reads],
        convolves: said.convolves,
        derived: places_of_windows,
        // By torchvision a layer scale has the shape that it has here, and a learnt query does not occur.
        ..Layout::new("torchvision", "torchvision", said.config, at, &said.classifier)
    })
}

/// How our class for transformers holds it.
pub(crate) fn in_own_class(entry: &Entry, size: (usize, usize)) -> Option<Layout> {
    let mut said = Said::of(entry, size)?;
    code::name_in(&mut said.config, EXPORTED_PICTURES, CLASS, "AutoModelForImageClassification");
    let at = |param: &str| Stored::As(param.to_owned()).below(PREFIX);
    Some(Layout {
        reads: vec![said.reads],
        convolves: said.convolves,
        derived: |network| {
            let below = |(name, tensor)| (format!("{PREFIX}{name}"), tensor);
            places_of_windows(network).into_iter().map(below).collect()
        },
        needs_trust: true,
        ..Layout::new(CLASS, "transformers", said.config, at, &format!("{PREFIX}{}", said.classifier))
    })
}

/// What there is to say of a network.
struct Said {
    /// How torchvision builds it.
    config: Value,
    /// The layer that gives the logits.
    classifier: String,
    /// The tap that it reads.
    reads: String,
    /// Whether it is a convolution.
    convolves: bool,
}

impl Said {
    fn of(entry: &Entry, size: (usize, usize)) -> Option<Said> {
        if entry.home != "torchvision" || entry.weights.is_some() {
            return None;
        }
        let full = entry.network();
        let logits = full.node(full.resolve("logits").ok()?);
        let (weight, reads, convolves) = match logits.op {
            Op::Linear { weight, .. } => {
                let read = *logits.inputs.first()?;
                let tap = full.taps().iter().find(|tap| tap.node == read).map(|tap| &tap.name);
                (weight, tap.unwrap_or(&full.node(read).name).clone(), false)
            }
            // SqueezeNet's, whose map is averaged afterwards. Without the ReLU between it is a dense layer on the averaged map.
            _ => {
                let weight = full.nodes().iter().rev().find_map(|node| match node.op {
                    Op::Conv { weight, .. } => Some(weight),
                    _ => None,
                });
                (weight?, "gap".to_owned(), true)
            }
        };
        let classifier = full.param(weight).name.strip_suffix(".weight")?.to_owned();
        let config = json!({"torchvision": entry.name, "arguments": arguments(entry, &full, size)?});
        Some(Said { config, classifier, reads, convolves })
    }
}

/// What torchvision is told of a network beside its name; `None` where it cannot be for pictures of that size.
fn arguments(entry: &Entry, full: &Network, size: (usize, usize)) -> Option<Map<String, Value>> {
    let mut arguments = Map::new();
    if full.nodes().iter().any(|node| matches!(node.op, Op::Tokens { .. })) {
        // Its positions are those of one size.
        if size.0 != size.1 {
            return None;
        }
        arguments.insert("image_size".to_owned(), size.0.into());
    }
    if ["googlenet", "inception_v3"].contains(&entry.name) {
        // What hangs off them for training is left out.
        arguments.insert("aux_logits".to_owned(), false.into());
        arguments.insert("init_weights".to_owned(), false.into());
    }
    Some(arguments)
}

/// Tensors that torchvision's networks have, and that follow from the size of their windows.
fn places_of_windows(network: &Network) -> Vec<(String, Written)> {
    let of = |node: &network::Node| {
        let Op::WindowAttention { window, bias, .. } = node.op else { return None };
        let table = &network.param(bias).name;
        let name = table.replace("relative_position_bias_table", "relative_position_index");
        let places = relative_places(window);
        Some((name, Written::Places([places.len()], places)))
    };
    network.nodes().iter().filter_map(of).collect()
}

/// For each pair of places in a window, the row of the table that is for their distance.
fn relative_places(window: usize) -> Vec<i64> {
    let side = 2 * window - 1;
    let place = |i: usize| (i / window, i % window);
    let row = |from: usize, to: usize| {
        let ((y, x), (v, u)) = (place(from), place(to));
        (y + window - 1 - v) * side + (x + window - 1 - u)
    };
    let count = window * window;
    (0..count).flat_map(|from| (0..count).map(move |to| row(from, to) as i64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_torchvisions() {
        // torchvision.models.swin_transformer.ShiftedWindowAttention(1, [2, 2], [0, 0], 1).relative_position_index
        let expected = [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4];
        assert_eq!(relative_places(2), expected);
    }
}
