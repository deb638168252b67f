//! A layer of Keras' as `config.json` says it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weights::Tensor;

/// The model's input.
pub(crate) const PICTURE: &str = "picture";
/// What the last layer of classes and labels is called.
pub(crate) const PROBABILITIES: &str = "probabilities";
/// The first layer of the head.
pub(crate) const HEAD: &str = "head_0";

/// A layer with its weights.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) class: &'static str,
    pub(crate) config: Map<String, Value>,
    pub(crate) inputs: Vec<Given>,
    /// In the order in which the class makes them.
    pub(crate) weights: Vec<Tensor>,
}

/// What a layer gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The layer's name.
    pub(crate) by: String,
    /// Of one sample: channels last.
    pub(crate) shape: Vec<usize>,
}

/// The model, as `config.json` holds it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) module: String,
    pub(crate) class_name: String,
    pub(crate) config: ModelConfig,
    pub(crate) registered_name: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ModelConfig {
    pub(crate) name: String,
    pub(crate) trainable: bool,
    pub(crate) layers: Vec<Described>,
    pub(crate) input_layers: Vec<(String, usize, usize)>,
    pub(crate) output_layers: Vec<(String, usize, usize)>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) module: String,
    pub(crate) class_name: String,
    pub(crate) config: Map<String, Value>,
    pub(crate) registered_name: Option<String>,
    pub(crate) name: String,
    pub(crate) inbound_nodes: Vec<Value>,
}

impl Layer {
    /// With a configuration of its own, which says its name and type besides.
    pub(crate) fn new(class: &'static str, name: &str, config: Value, inputs: Vec<Given>) -> Layer {
        let mut all = match config {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        all.insert("name".to_owned(), name.into());
        all.insert("dtype".to_owned(), "float32".into());
        Layer { name: name.to_owned(), class, config: all, inputs, weights: Vec::new() }
    }

    pub(crate) fn described(&self) -> Described {
        let tensor = |given: &Given| {
            let shape: Vec<Value> =
                [Value::Null].into_iter().chain(given.shape.iter().map(|side| (*side).into())).collect();
            json!({
                "class_name": "__keras_tensor__",
                "config": {"shape": shape, "dtype": "float32", "keras_history": [given.by, 0, 0]},
            })
        };
        let tensors: Vec<Value> = self.inputs.iter().map(tensor).collect();
        let inbound_nodes = match tensors.len() {
            0 => Vec::new(),
            1 => vec![json!({"args": tensors, "kwargs": {}})],
            // Layers that merge take a list.
            _ => vec![json!({"args": [tensors], "kwargs": {}})],
        };
        Described {
            module: "keras.layers".to_owned(),
            class_name: self.class.to_owned(),
            config: self.config.clone(),
            registered_name: None,
            name: self.name.clone(),
            inbound_nodes,
        }
    }
}

impl Described {
    /// The layers that it reads.
    pub(crate) fn reads(&self) -> Option<Vec<&str>> {
        let Some(node) = self.inbound_nodes.first() else { return Some(Vec::new()) };
        let args = node.get("args")?.as_array()?;
        let tensors = match args.first()? {
            Value::Array(several) => several,
            _ => args,
        };
        tensors.iter().map(|tensor| tensor.pointer("/config/keras_history/0")?.as_str()).collect()
    }
}
