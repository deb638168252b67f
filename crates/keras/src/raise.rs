//! Keras' layers as a network's nodes: the way back of what is lowered.

use crate::{
    KerasError, Link, Read, activation,
    layer::{Described, HEAD, ModelConfig, PICTURE, PROBABILITIES},
    window::same,
};
use network::{Assembly, NodeId, Op, Padding, Pair, ParamId, Pool, Shape, Tap, Turn, Window};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use weights::{Bound, Tensor, Tensors};

/// Layers and their weights as a network, up to what stands before the link.
///
/// # Errors
/// Where a layer is not as it is written here, or its weights are not.
pub(crate) fn raise(model: &ModelConfig, weights: &dyn Tensors) -> Result<Read, KerasError> {
    let size = model.layers.first().and_then(|layer| {
        let shape = layer.config.get("batch_shape")?.as_array()?;
        let side = |at: usize| shape.get(at)?.as_u64().and_then(|side| usize::try_from(side).ok());
        (layer.name == PICTURE).then_some((side(1)?, side(2)?))
    });
    let Some(size) = size else { return Err(malformed("the model does not begin with a picture")) };
    let mut raising = Raising {
        net: Assembly::new(&model.name, size),
        filled: BTreeMap::new(),
        given: BTreeMap::new(),
        weights,
    };
    let (mut link, mut last) = (Link::None, None);
    for layer in &model.layers {
        if layer.name == PROBABILITIES {
            link = match layer.config.get("activation").and_then(Value::as_str) {
                Some("softmax") => Link::Softmax,
                Some("sigmoid") => Link::Sigmoid,
                _ => return Err(unknown(layer)),
            };
            continue;
        }
        let value = raising.layer(layer)?;
        last = Some(value.node);
        raising.given.insert(layer.name.clone(), value);
    }
    let head = raising.net.nodes().find(|(_, node)| node.name == HEAD);
    let (Some(features), Some(last)) = (head.and_then(|(_, node)| node.inputs.first().copied()), last) else {
        return Err(malformed("the model has no head"));
    };
    let Raising { net, mut filled, .. } = raising;
    let network = net.finish(vec![features, last], vec![Tap { name: "logits".to_owned(), node: last }])?;
    let bound = Bound::from_tensors(network, "the model", |param| filled.remove(&param.name))?;
    Ok(Read { bound, link })
}

struct Raising<'a> {
    net: Assembly,
    filled: BTreeMap<String, Tensor>,
    given: BTreeMap<String, Given>,
    weights: &'a dyn Tensors,
}

#[derive(Clone, Copy)]
struct Given {
    node: NodeId,
    order: Order,
}

/// How what a layer gives lies, where it is not simply ours with channels last.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Usual,
    /// A map with its channels first.
    Permuted,
    /// A flattened map of so many rows and columns, whose channels came last.
    Flattened(usize, usize),
}

impl Raising<'_> {
    fn layer(&mut self, layer: &Described) -> Result<Given, KerasError> {
        let reads = layer.reads().ok_or_else(|| unknown(layer))?;
        let given = reads.iter().map(|name| self.given.get(*name).copied()).collect::<Option<Vec<_>>>();
        let given = given.ok_or_else(|| unknown(layer))?;
        let inputs: Vec<NodeId> = given.iter().map(|given| given.node).collect();
        let Some(&x) = given.first() else {
            let node = self.net.push(&layer.name, Op::Input { channels: 3 }, &[])?;
            return match layer.class_name.as_str() {
                "InputLayer" => Ok(usual(node)),
                _ => Err(unknown(layer)),
            };
        };
        let width = self.net.shape(x.node).width();
        let op = match (layer.class_name.as_str(), x.order) {
            ("Permute", Order::Usual) if layer.config.get("dims") == Some(&serde_json::json!([3, 1, 2])) => {
                return Ok(Given { order: Order::Permuted, ..x });
            }
            ("Flatten", Order::Permuted) => Op::Flatten,
            ("Flatten", Order::Usual) => {
                let Shape::Map { height, width, .. } = self.net.shape(x.node) else {
                    return Err(unknown(layer));
                };
                let node = self.net.push(&layer.name, Op::Flatten, &inputs)?;
                let order = if height * width == 1 { Order::Usual } else { Order::Flattened(height, width) };
                return Ok(Given { node, order });
            }
            ("Dense", order) => self.dense(layer, width, order)?,
            (_, Order::Permuted | Order::Flattened(..)) => return Err(unknown(layer)),
            ("Rescaling", _) => self.rescaling(layer, width)?,
            ("Normalization", _) => {
                let [mean, variance] = ["mean", "variance"].map(|part| self.vector(layer, part, width));
                let (mean, variance) = (mean?, variance?);
                let [weight, bias] = [1.0, 0.0].map(|value| self.constant(layer, value, width));
                // Keras allows for no smaller deviation than 1e-7.
                Op::BatchNorm { weight, bias, mean, variance, eps: 1e-14 }
            }
            ("BatchNormalization", _) => self.batch_norm(layer, width)?,
            ("LayerNormalization", _) => Op::LayerNorm {
                weight: self.vector(layer, "gamma", width)?,
                bias: self.vector(layer, "beta", width)?,
                eps: number(&layer.config, "epsilon").ok_or_else(|| unknown(layer))?,
            },
            ("Conv2D", _) => {
                let groups = count(layer, "groups")?;
                let out = count(layer, "filters")?;
                let window = self.windows(layer, "kernel_size", x.node)?;
                let shape = [out, width / groups.max(1), window.kernel.y, window.kernel.x];
                let weight = self.kernel(layer, "kernel", Turn::Conv, &shape)?;
                convolution(weight, self.bias(layer, out)?, window, groups)
            }
            ("DepthwiseConv2D", _) => {
                let out = width * count(layer, "depth_multiplier")?;
                let window = self.windows(layer, "kernel_size", x.node)?;
                let shape = [out, 1, window.kernel.y, window.kernel.x];
                let weight = self.kernel(layer, "kernel", Turn::Depthwise, &shape)?;
                convolution(weight, self.bias(layer, out)?, window, width)
            }
            ("SeparableConv2D", _) => {
                let window = self.windows(layer, "kernel_size", x.node)?;
                let shape = [width, 1, window.kernel.y, window.kernel.x];
                let weight = self.kernel(layer, "depthwise_kernel", Turn::Depthwise, &shape)?;
                let first = convolution(weight, None, window, width);
                let half = self.net.push(&format!("{}/depthwise", layer.name), first, &inputs)?;
                let out = count(layer, "filters")?;
                let weight = self.kernel(layer, "pointwise_kernel", Turn::Conv, &[out, width, 1, 1])?;
                let second = convolution(weight, None, Window::PLACE, 1);
                return Ok(usual(self.net.push(&layer.name, second, &[half])?));
            }
            ("ZeroPadding2D", _) => {
                let [top, bottom, left, right] = sides(layer).ok_or_else(|| unknown(layer))?;
                let ones = Tensor { shape: vec![width, 1, 1, 1], data: vec![1.0; width] };
                let weight = self.fill(&format!("{}/ones", layer.name), ones);
                let window = Window { padding: Padding { top, left, bottom, right }, ..Window::PLACE };
                convolution(weight, None, window, width)
            }
            ("MaxPooling2D", _) => Op::MaxPool(self.pool(layer, x.node)?),
            ("AveragePooling2D", _) => Op::AveragePool(self.pool(layer, x.node)?),
            ("GlobalAveragePooling2D", _) => match layer.config.get("keepdims").and_then(Value::as_bool) {
                Some(true) => Op::AdaptiveAveragePool { height: 1, width: 1 },
                Some(false) => Op::GlobalAveragePool,
                None => return Err(unknown(layer)),
            },
            ("GlobalMaxPooling2D", _) => match layer.config.get("keepdims").and_then(Value::as_bool) {
                Some(false) => Op::GlobalMaxPool,
                _ => return Err(unknown(layer)),
            },
            ("Add", _) => Op::Add,
            ("Multiply", _) => match inputs.as_slice() {
                [a, b] if self.net.shape(*a) != self.net.shape(*b) => Op::Gate,
                _ => Op::Multiply,
            },
            ("Concatenate", _) => Op::Concat,
            (class, _) => match activation::function(class, &layer.config) {
                Some(function) => Op::Activation { function },
                None => return Err(unknown(layer)),
            },
        };
        Ok(usual(self.net.push(&layer.name, op, &inputs)?))
    }

    fn dense(&mut self, layer: &Described, width: usize, order: Order) -> Result<Op, KerasError> {
        let turn = match order {
            Order::Usual => Turn::Dense,
            Order::Flattened(height, width) => Turn::Flattened { height, width },
            Order::Permuted => return Err(unknown(layer)),
        };
        let out = count(layer, "units")?;
        let weight = self.kernel(layer, "kernel", turn, &[out, width])?;
        let bias = self.bias(layer, out)?;
        Ok(Op::Linear { weight, bias })
    }

    fn rescaling(&mut self, layer: &Described, width: usize) -> Result<Op, KerasError> {
        let numbers = |key: &str| {
            let values = layer.config.get(key)?.as_array()?;
            values.iter().map(|value| value.as_f64().map(|value| value as f32)).collect::<Option<Vec<f32>>>()
        };
        let (Some(scale), Some(offset)) = (numbers("scale"), numbers("offset")) else {
            return Err(unknown(layer));
        };
        if scale.len() != width || offset.len() != width {
            return Err(unknown(layer));
        }
        let weight =
            self.fill(&format!("{}/scale", layer.name), Tensor { shape: vec![width, 1, 1, 1], data: scale });
        let bias = self.fill(&format!("{}/offset", layer.name), Tensor { shape: vec![width], data: offset });
        Ok(convolution(weight, Some(bias), Window::PLACE, width))
    }

    fn batch_norm(&mut self, layer: &Described, width: usize) -> Result<Op, KerasError> {
        let is = |key: &str| layer.config.get(key).and_then(Value::as_bool).ok_or_else(|| unknown(layer));
        let (scales, moves) = (is("scale")?, is("center")?);
        Ok(Op::BatchNorm {
            weight: if scales {
                self.vector(layer, "gamma", width)?
            } else {
                self.constant(layer, 1.0, width)
            },
            bias: if moves { self.vector(layer, "beta", width)? } else { self.constant(layer, 0.0, width) },
            mean: self.vector(layer, "moving_mean", width)?,
            variance: self.vector(layer, "moving_variance", width)?,
            eps: number(&layer.config, "epsilon").ok_or_else(|| unknown(layer))?,
        })
    }

    fn pool(&self, layer: &Described, x: NodeId) -> Result<Pool, KerasError> {
        let Window { kernel, stride, padding, .. } = self.windows(layer, "pool_size", x)?;
        Ok(Pool::new(kernel, stride).pad(padding))
    }

    fn windows(&self, layer: &Described, sides: &str, x: NodeId) -> Result<Window, KerasError> {
        let both = |key: &str| pair(&layer.config, key).ok_or_else(|| unknown(layer));
        let dilation =
            if layer.config.contains_key("dilation_rate") { both("dilation_rate")? } else { Pair::ONE };
        let window =
            Window { kernel: both(sides)?, stride: both("strides")?, padding: Padding::NONE, dilation };
        let Shape::Map { height, width, .. } = self.net.shape(x) else { return Err(unknown(layer)) };
        match layer.config.get("padding").and_then(Value::as_str) {
            Some("valid") => Ok(window),
            Some("same") => {
                let [down, across] = window.axes();
                let ((top, bottom), (left, right)) = (same(down, height), same(across, width));
                Ok(Window { padding: Padding { top, left, bottom, right }, ..window })
            }
            _ => Err(unknown(layer)),
        }
    }

    fn bias(&mut self, layer: &Described, out: usize) -> Result<Option<ParamId>, KerasError> {
        match layer.config.get("use_bias").and_then(Value::as_bool) {
            Some(true) => self.vector(layer, "bias", out).map(Some),
            Some(false) => Ok(None),
            None => Err(unknown(layer)),
        }
    }

    fn kernel(
        &mut self,
        layer: &Described,
        part: &str,
        turn: Turn,
        shape: &[usize],
    ) -> Result<ParamId, KerasError> {
        let name = format!("{}/{part}", layer.name);
        let kept = self.weights.read(&name)?;
        let ours = kept.and_then(|kept| weights::restored(turn, shape, &kept));
        let ours = ours
            .ok_or_else(|| malformed(&format!("the model's `{name}` is not there, or of another shape")))?;
        Ok(self.fill(&name, ours))
    }

    fn vector(&mut self, layer: &Described, part: &str, width: usize) -> Result<ParamId, KerasError> {
        let name = format!("{}/{part}", layer.name);
        match self.weights.read(&name)? {
            Some(tensor) if tensor.shape == [width] => Ok(self.fill(&name, tensor)),
            _ => Err(malformed(&format!("the model's `{name}` is not there, or of another shape"))),
        }
    }

    fn constant(&mut self, layer: &Described, value: f32, width: usize) -> ParamId {
        let name = format!("{}/{value}", layer.name);
        self.fill(&name, Tensor { shape: vec![width], data: vec![value; width] })
    }

    fn fill(&mut self, name: &str, tensor: Tensor) -> ParamId {
        let id = self.net.param(name, &tensor.shape);
        self.filled.insert(self.net.parameter(id).name.clone(), tensor);
        id
    }
}

fn usual(node: NodeId) -> Given {
    Given { node, order: Order::Usual }
}

fn convolution(weight: ParamId, bias: Option<ParamId>, window: Window, groups: usize) -> Op {
    let Window { stride, padding, dilation, .. } = window;
    Op::Conv { weight, bias, stride, padding, groups, dilation }
}

fn number(config: &Map<String, Value>, key: &str) -> Option<f32> {
    config.get(key)?.as_f64().map(|number| number as f32)
}

fn count(layer: &Described, key: &str) -> Result<usize, KerasError> {
    let number =
        layer.config.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| unknown(layer))
}

fn pair(config: &Map<String, Value>, key: &str) -> Option<Pair> {
    match config.get(key)?.as_array()?.as_slice() {
        [y, x] => {
            let side = |side: &Value| {
                side.as_u64().and_then(|side| usize::try_from(side).ok()).filter(|side| *side > 0)
            };
            Some(Pair { y: side(y)?, x: side(x)? })
        }
        _ => None,
    }
}

/// Above, below, before and behind.
fn sides(layer: &Described) -> Option<[usize; 4]> {
    let side = |path: &str| {
        let value = layer.config.get("padding")?.pointer(path)?.as_u64()?;
        usize::try_from(value).ok()
    };
    Some([side("/0/0")?, side("/0/1")?, side("/1/0")?, side("/1/1")?])
}

fn unknown(layer: &Described) -> KerasError {
    malformed(&format!("the layer `{}`, a {}, is not as it is written here", layer.name, layer.class_name))
}

fn malformed(what: &str) -> KerasError {
    KerasError::Malformed(what.to_owned())
}
