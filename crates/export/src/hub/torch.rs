//! Networks of torchvision, whose names of parameters are ours.

use super::{layout::Layout, tensors::Written};
use network::{Network, Op, Stored, zoo::Entry};
use serde_json::{Map, Value, json};

/// How torchvision holds a network of the zoo for pictures of that height and width; `None` where it has none of that name.
pub(crate) fn layout(entry: &Entry, size: (usize, usize)) -> Option<Layout> {
    // MNASNet asks a state dictionary for its version, which safetensors has no place for.
    let asks = entry.name.starts_with("mnasnet");
    if entry.home != "torchvision" || entry.weights.is_some() || asks {
        return None;
    }
    let full = entry.network();
    let logits = full.resolve("logits").ok()?;
    let node = full.node(logits);
    let Op::Linear { weight, .. } = node.op else { return None };
    let classifier = full.param(weight).name.strip_suffix(".weight")?.to_owned();
    let read = *node.inputs.first()?;
    let tap = full.taps().iter().find(|tap| tap.node == read).map(|tap| &tap.name);
    let reads = tap.unwrap_or(&full.node(read).name).clone();
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
    let config = json!({"torchvision": entry.name, "arguments": Value::Object(arguments)});
    let at = |param: &str| Stored::As(param.to_owned());
    Some(Layout {
        reads: vec![reads],
        // By torchvision a layer scale has the shape that it has here, and a learnt query does not occur.
        ..Layout::new("torchvision", "torchvision", config, at, &classifier)
    })
}

/// Tensors that torchvision's networks have, and that follow from the size of their windows.
pub(crate) fn places_of_windows(network: &Network) -> Vec<(String, Written)> {
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
