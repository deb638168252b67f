//! The order of a model's layers, by which Keras counts them when it looks for their weights.

use crate::layer::Layer;
use std::collections::BTreeMap;

/// Layers as Keras lists those of a functional model, whose last one gives its output: those farthest from the output come
/// first, and of several equally far, those that are met first on the way back from it (`keras.src.ops.function.map_graph`).
pub(crate) fn in_keras_order(layers: Vec<Layer>) -> Vec<Layer> {
    let at: BTreeMap<&str, usize> =
        layers.iter().enumerate().map(|(at, layer)| (layer.name.as_str(), at)).collect();
    let inputs: Vec<Vec<usize>> = layers
        .iter()
        .map(|layer| layer.inputs.iter().filter_map(|given| at.get(given.by.as_str()).copied()).collect())
        .collect();
    let mut depths = vec![0; layers.len()];
    for (layer, reads) in inputs.iter().enumerate().rev() {
        for read in reads {
            depths[*read] = depths[*read].max(depths[layer] + 1);
        }
    }
    let mut met = vec![None; layers.len()];
    let (mut count, mut ahead) = (0, vec![layers.len().saturating_sub(1)]);
    while let Some(layer) = ahead.pop() {
        if let Some(place @ None) = met.get_mut(layer) {
            *place = Some(count);
            count += 1;
            ahead.extend(inputs[layer].iter().rev());
        }
    }
    let mut sorted: Vec<(usize, Layer)> = layers.into_iter().enumerate().collect();
    sorted.sort_by_key(|(at, _)| (std::cmp::Reverse(depths[*at]), met[*at]));
    sorted.into_iter().map(|(_, layer)| layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Given;
    use serde_json::json;

    #[test]
    fn layers_stand_as_keras_lists_them() {
        let layer = |name: &str, inputs: &[&str]| {
            let given = |by: &&str| Given { by: (*by).to_owned(), shape: Vec::new() };
            Layer::new("Add", name, json!({}), inputs.iter().map(given).collect())
        };
        // A shortcut, and a branch that was written first and stands nearer to the output.
        let layers = vec![
            layer("input", &[]),
            layer("short", &["input"]),
            layer("long1", &["input"]),
            layer("long2", &["long1"]),
            layer("left", &["long2"]),
            layer("sum", &["left", "short"]),
        ];
        let order: Vec<String> = in_keras_order(layers).into_iter().map(|layer| layer.name).collect();
        // [layer.name for layer in keras.Model(input, sum).layers]
        assert_eq!(order, ["input", "long1", "long2", "left", "short", "sum"]);
    }
}
