//! A network's nodes as Keras' layers.
//!
//! **Channels** stand last.

mod convolutions;
mod flat;
mod place;
mod pools;

use crate::{
    Exported, Image, KerasError, activation,
    layer::{Given, Layer, PICTURE, PROBABILITIES},
};
use convolutions::convolution;
use network::{Network, Node, NodeId, Op, ParamId, Shape, Turn, Window, as_written};
use pools::mean;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weights::Tensor;

/// All layers, in an order in which they can be run. The last one gives what the model does.
///
/// # Errors
/// Where a node is none of Keras' layers, or two are of one name.
pub(crate) fn lower(exported: &Exported<'_>) -> Result<Vec<Layer>, KerasError> {
    let network = exported.bound.network();
    let (height, width) = exported.size;
    let shapes = network.shapes(height, width)?;
    let mut lowering = Lowering { exported, network, shapes, layers: Vec::new(), given: Vec::new() };
    for node in network.nodes() {
        let given = lowering.node(node)?;
        lowering.given.push(given);
    }
    let Some(last) = network.outputs().last().map(|id| id.index()) else {
        return Err(KerasError::Malformed(
            "a model gives something, got a network without outputs".to_owned(),
        ));
    };
    let last = lowering.given[last].clone();
    match exported.link.word() {
        Some(word) => {
            lowering.layer("Activation", PROBABILITIES, json!({"activation": word}), &last);
        }
        None if lowering.layers.last().is_some_and(|layer| layer.name != last.by) => {
            return Err(KerasError::Malformed("what the network gives is none of its own layers".to_owned()));
        }
        None => {}
    }
    let mut names = BTreeSet::new();
    match lowering.layers.iter().find(|layer| !names.insert(layer.name.as_str())) {
        Some(twice) => Err(KerasError::Malformed(format!("two layers would be called `{}`", twice.name))),
        None => Ok(lowering.layers),
    }
}

struct Lowering<'a> {
    exported: &'a Exported<'a>,
    network: &'a Network,
    shapes: Vec<Shape>,
    layers: Vec<Layer>,
    /// Of every node so far.
    given: Vec<Given>,
}

impl Lowering<'_> {
    /// Puts the layers of a node; gives what they give.
    fn node(&mut self, node: &Node) -> Result<Given, KerasError> {
        let name = plain(&node.name);
        let no = |why| Err(KerasError::Operation { node: node.name.clone(), why });
        let x = node.inputs.first().map(|id| self.given[id.index()].clone());
        let Some(x) = x else {
            return match node.op {
                Op::Input { channels: 3 } => Ok(self.picture()),
                _ => no("it reads nothing"),
            };
        };
        let first = node.inputs[0];
        let shape = self.shape();
        let is_map = |shape: &Shape| matches!(shape, Shape::Map { .. });
        if !is_map(&shape) && !matches!(shape, Shape::Vector(_)) {
            return no("it makes tokens");
        }
        match &node.op {
            Op::Conv { .. } => self.conv(node, &x),
            Op::BatchNorm { .. } => self.batch_norm(node, &x),
            Op::LayerNorm { weight, bias, eps } => {
                let config = json!({"axis": -1, "epsilon": as_written(*eps)});
                let weights = [self.numbers(*weight), self.numbers(*bias)].to_vec();
                Ok(self.weighted("LayerNormalization", &name, config, &x, weights))
            }
            Op::Activation { function } => match activation::layer(*function) {
                Some((class, config)) => Ok(self.layer(class, &name, config, &x)),
                None => no("no layer is this function"),
            },
            Op::MaxPool(pool) => self.max_pool(node, *pool, &x),
            Op::AveragePool(pool) => self.average_pool(node, *pool, &x),
            Op::AdaptiveAveragePool { height, width } => self.adaptive(node, (*height, *width), &x),
            Op::GlobalAveragePool => {
                Ok(self.shaped("GlobalAveragePooling2D", &name, mean(false), &x, last_axis(shape)))
            }
            Op::GlobalMaxPool => {
                Ok(self.shaped("GlobalMaxPooling2D", &name, mean(false), &x, last_axis(shape)))
            }
            Op::Flatten => Ok(self.flatten(&name, first, &x)),
            Op::Linear { weight, bias } => self.linear(node, *weight, *bias, &x),
            Op::Add => Ok(self.merged("Add", node, json!({}), x.shape)),
            Op::Multiply | Op::Gate => Ok(self.merged("Multiply", node, json!({}), x.shape)),
            Op::Concat => {
                let shape = last_axis(shape);
                Ok(self.merged("Concatenate", node, json!({"axis": -1}), shape))
            }
            Op::Scale { weight } if is_map(&shape) => {
                let mut kernel = self.numbers(*weight);
                kernel.shape = vec![1, 1, kernel.data.len(), 1];
                let mut config = convolution(Window::PLACE, "valid", false);
                config["depth_multiplier"] = 1.into();
                Ok(self.weighted("DepthwiseConv2D", &name, config, &x, vec![kernel]))
            }
            _ => no("no layer does this"),
        }
    }

    /// The input, and what brings it to the network's values.
    fn picture(&mut self) -> Given {
        let (height, width) = self.exported.size;
        let config = json!({"batch_shape": [null, height, width, 3], "sparse": false});
        self.layers.push(Layer::new("InputLayer", PICTURE, config, Vec::new()));
        let mut x = Given { by: PICTURE.to_owned(), shape: vec![height, width, 3] };
        let Image { reversed, scale, offset } = self.exported.image;
        if reversed {
            let mut config = convolution(Window::PLACE, "valid", false);
            config["filters"] = 3.into();
            config["groups"] = 1.into();
            let data = vec![0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
            let kernel = Tensor { shape: vec![1, 1, 3, 3], data };
            x = self.weighted("Conv2D", "picture_bgr", config, &x, vec![kernel]);
        }
        self.layer("Rescaling", "picture_rescaling", json!({"scale": scale, "offset": offset}), &x)
    }

    /// A layer that reads several others.
    fn merged(&mut self, class: &'static str, node: &Node, config: Value, shape: Vec<usize>) -> Given {
        let name = plain(&node.name);
        let inputs: Vec<Given> = node.inputs.iter().map(|id| self.given[id.index()].clone()).collect();
        self.layers.push(Layer::new(class, &name, config, inputs));
        Given { by: name, shape }
    }

    /// A layer without weights that keeps a map's size.
    fn layer(&mut self, class: &'static str, name: &str, config: Value, x: &Given) -> Given {
        self.shaped(class, name, config, x, x.shape.clone())
    }

    fn shaped(
        &mut self,
        class: &'static str,
        name: &str,
        config: Value,
        x: &Given,
        shape: Vec<usize>,
    ) -> Given {
        self.layers.push(Layer::new(class, name, config, vec![x.clone()]));
        Given { by: name.to_owned(), shape }
    }

    /// A layer with weights, which gives what the node does that is being lowered.
    fn weighted(
        &mut self,
        class: &'static str,
        name: &str,
        config: Value,
        x: &Given,
        weights: Vec<Tensor>,
    ) -> Given {
        let shape = last_axis(self.shape());
        self.layers.push(Layer { weights, ..Layer::new(class, name, config, vec![x.clone()]) });
        Given { by: name.to_owned(), shape }
    }

    /// Of what is being lowered.
    fn shape(&self) -> Shape {
        self.shapes[self.given.len()]
    }

    /// Who reads that node; nobody, where it is an output.
    fn only_readers(&self, node: usize) -> Vec<&Node> {
        let is_it = |id: &NodeId| id.index() == node;
        if self.network.outputs().iter().any(is_it) {
            return Vec::new();
        }
        self.network.nodes().iter().filter(|other| other.inputs.iter().any(is_it)).collect()
    }

    fn numbers(&self, param: ParamId) -> Tensor {
        let data = self.exported.bound.tensor(param).data.clone();
        Tensor { shape: vec![data.len()], data }
    }

    fn turned(&self, param: ParamId, turn: Turn, node: &Node) -> Result<Tensor, KerasError> {
        weights::stored(turn, self.exported.bound.tensor(param)).map_or_else(|| self.impossible(node), Ok)
    }

    fn impossible<T>(&self, node: &Node) -> Result<T, KerasError> {
        Err(KerasError::Operation { node: node.name.clone(), why: "it is kept in a way that nobody writes" })
    }
}

/// A name without what a layer's may not have, on any backend.
pub(crate) fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphanumeric()) { plain } else { format!("layer{plain}") }
}

/// Channels last.
fn last_axis(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Map { channels, height, width } => vec![height, width, channels],
        Shape::Vector(d) | Shape::Sequence { width: d } => vec![d],
        Shape::Tokens { prefix, places, width } => vec![prefix + places, width],
    }
}
