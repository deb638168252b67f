//! Where Keras' layers keep their weights: `LAYER/WEIGHT`, with axes in TensorFlow's order.

use crate::{Stored, Turn};

/// Where Keras keeps the parameter of a network whose nodes bear the names of Keras' layers. The two halves of a separable
/// convolution are `LAYER.depthwise` and `LAYER.pointwise` here, and a batch norm without a scale is `LAYER.unscaled`.
pub(crate) fn place(param: &str) -> Stored {
    let (layer, part) = param.rsplit_once('.').unwrap_or((param, ""));
    if part == "weight" {
        if let Some(layer) = layer.strip_suffix(".depthwise") {
            return Stored::Turned(format!("{layer}/depthwise_kernel"), Turn::Depthwise);
        }
        if let Some(layer) = layer.strip_suffix(".pointwise") {
            return Stored::Turned(format!("{layer}/pointwise_kernel"), Turn::Conv);
        }
    }
    // It stands for zeros around a map.
    if layer.ends_with("_pad") {
        return Stored::Always(1.0);
    }
    if let Some(layer) = layer.strip_suffix(".unscaled") {
        return if part == "weight" { Stored::Always(1.0) } else { place(&format!("{layer}.{part}")) };
    }
    if !is_norm(layer) {
        return kept(layer, part, turn(layer));
    }
    let weight = match part {
        "weight" => "gamma",
        "bias" => "beta",
        "running_mean" => "moving_mean",
        "running_var" => "moving_variance",
        other => other,
    };
    Stored::As(format!("{layer}/{weight}"))
}

/// Where the layer `layer` keeps its `weight`, which is turned so, or its `bias`.
pub(crate) fn kept(layer: &str, part: &str, turn: Turn) -> Stored {
    match part {
        "weight" => Stored::Turned(format!("{layer}/kernel"), turn),
        part => Stored::As(format!("{layer}/{part}")),
    }
}

fn is_norm(layer: &str) -> bool {
    layer.starts_with("batch_normalization") || layer.split('_').any(|word| word.eq_ignore_ascii_case("bn"))
}

fn turn(layer: &str) -> Turn {
    match layer {
        "predictions" => Turn::Dense,
        layer if ["depthwise", "dwconv", "conv_dw"].iter().any(|word| layer.contains(word)) => {
            Turn::Depthwise
        }
        _ => Turn::Conv,
    }
}
