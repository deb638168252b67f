//! Convolutions and batch norms.

use super::{Lowering, place::Place, plain};
use crate::{KerasError, layer::Given};
use network::{Node, Op, Turn, Window, as_written};
use serde_json::{Value, json};
use weights::Tensor;

impl Lowering<'_> {
    pub(super) fn conv(&mut self, node: &Node, x: &Given) -> Result<Given, KerasError> {
        let Op::Conv { weight, bias, groups, .. } = node.op else { return self.impossible(node) };
        let Some(window) = self.network.window(node) else { return self.impossible(node) };
        let kept = match self.place(weight) {
            Place::At(kept) => kept,
            // It stands for zeros around a map.
            Place::Always => return Ok(self.padded(&plain(&node.name), window.padding, x)),
            Place::Elsewhere => return self.impossible(node),
        };
        let shape = &self.network.param(weight).shape;
        let (out, inputs) = (shape[0], x.shape.last().copied().unwrap_or(0));
        match kept.weight.as_str() {
            // Both halves are one layer, which the second makes.
            "depthwise_kernel" if self.is_half() => return Ok(x.clone()),
            "depthwise_kernel" => {
                let why = "it is a half of a layer";
                return Err(KerasError::Operation { node: node.name.clone(), why });
            }
            "pointwise_kernel" => return self.separable(node, &kept.layer, x),
            _ => {}
        }
        let (x, padding) = self.placed(&kept.layer, window, self.shape(), x);
        let bias = bias.map(|bias| self.numbers(bias));
        let is_depthwise = groups == inputs && groups > 1 && window.stride.y == window.stride.x;
        let mut config = convolution(window, padding, bias.is_some());
        let (class, turn) = if is_depthwise {
            config["depth_multiplier"] = (out / inputs).into();
            ("DepthwiseConv2D", Turn::Depthwise)
        } else {
            config["filters"] = out.into();
            config["groups"] = groups.into();
            ("Conv2D", Turn::Conv)
        };
        let mut kernel = self.turned(weight, turn, node)?;
        if is_depthwise {
            kernel.shape[2..].copy_from_slice(&[inputs, out / inputs]);
        }
        let weights = [kernel].into_iter().chain(bias).collect();
        Ok(self.weighted(class, &kept.layer, config, &x, weights))
    }

    /// Whether what is being lowered is read by the other half of a separable convolution, and by nobody else.
    pub(super) fn is_half(&self) -> bool {
        let [Node { op: Op::Conv { weight, .. }, .. }] = self.only_readers(self.given.len())[..] else {
            return false;
        };
        matches!(self.place(*weight), Place::At(kept) if kept.weight == "pointwise_kernel")
    }

    /// A depthwise convolution and one of 1×1, `node`, as one layer.
    pub(super) fn separable(&mut self, node: &Node, name: &str, x: &Given) -> Result<Given, KerasError> {
        let Op::Conv { weight: second, .. } = node.op else { return self.impossible(node) };
        let before = self.network.node(node.inputs[0]);
        let Op::Conv { weight: first, .. } = before.op else { return self.impossible(node) };
        let Some(window) = self.network.window(before) else { return self.impossible(node) };
        let after = self.shapes[node.inputs[0].index()];
        let (x, padding) = self.placed(name, window, after, x);
        let out = self.network.param(second).shape[0];
        let mut config = convolution(window, padding, false);
        config["filters"] = out.into();
        config["depth_multiplier"] = 1.into();
        let mut depthwise = self.turned(first, Turn::Depthwise, before)?;
        let inputs = x.shape.last().copied().unwrap_or(0);
        depthwise.shape[2..].copy_from_slice(&[inputs, 1]);
        let weights = vec![depthwise, self.turned(second, Turn::Conv, node)?];
        Ok(self.weighted("SeparableConv2D", name, config, &x, weights))
    }

    pub(super) fn batch_norm(&mut self, node: &Node, x: &Given) -> Result<Given, KerasError> {
        let Op::BatchNorm { weight, bias, mean, variance, eps } = node.op else {
            return self.impossible(node);
        };
        let [scales, moves, centres] =
            [weight, bias, mean].map(|param| !matches!(self.place(param), Place::Always));
        let (layer, is_input) = match self.place(variance) {
            Place::At(kept) => (kept.layer, kept.weight == "variance" && !scales && !moves),
            _ => return self.impossible(node),
        };
        if is_input {
            // Of the network's input: a layer of its own, and another for what is done once more.
            if !centres {
                let over = |v: &f32| 1.0 / (f64::from(*v) + f64::from(eps)).sqrt();
                let scale: Vec<f64> = self.numbers(variance).data.iter().map(over).collect();
                let config = json!({"scale": scale, "offset": vec![0.0; scale.len()]});
                return Ok(self.layer("Rescaling", &plain(&node.name), config, x));
            }
            let config = json!({"axis": [-1], "mean": null, "variance": null, "invert": false});
            let count = Tensor { shape: Vec::new(), data: vec![0.0] };
            let weights = vec![self.numbers(mean), self.numbers(variance), count];
            return Ok(self.weighted("Normalization", &layer, config, x, weights));
        }
        let config = json!({"axis": -1, "epsilon": as_written(eps), "scale": scales, "center": moves});
        let weights = [(scales, weight), (moves, bias), (true, mean), (true, variance)]
            .into_iter()
            .filter(|(is_kept, _)| *is_kept)
            .map(|(_, param)| self.numbers(param))
            .collect();
        Ok(self.weighted("BatchNormalization", &layer, config, x, weights))
    }
}

/// What all convolutions are told.
pub(super) fn convolution(window: Window, padding: &str, bias: bool) -> Value {
    let Window { kernel, stride, dilation, .. } = window;
    json!({
        "kernel_size": [kernel.y, kernel.x],
        "strides": [stride.y, stride.x],
        "padding": padding,
        "data_format": "channels_last",
        "dilation_rate": [dilation.y, dilation.x],
        "activation": "linear",
        "use_bias": bias,
    })
}
