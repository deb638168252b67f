//! sentence-transformers' `Dense`: a dense layer behind the pooling, in a folder of its own.

use super::super::{Config, limits::sane};
use crate::BackboneError;
use network::{Activation, families::text::Dense};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use weights::{Tensor, Tensors, WeightError};

/// The one value that modules hand on.
const SENTENCE: &str = "sentence_embedding";

/// Of `2_Dense/config.json`.
#[derive(Deserialize)]
struct Said {
    in_features: usize,
    out_features: usize,
    bias: Option<bool>,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

/// The layer of a folder, which reads `width` numbers, and its weights.
///
/// # Errors
/// Where it says what is not built, reads another width, or its weights are missing or of another shape.
pub(super) fn read(
    folder: &Path,
    width: usize,
    hint: &str,
) -> Result<(Dense, Box<dyn Tensors>), BackboneError> {
    let Some(config) = Config::read(folder, "config.json")? else {
        let missing = Config { path: folder.to_owned(), value: serde_json::Value::Null };
        return Err(missing.wrong("its config.json is missing".to_owned()));
    };
    let said: Said = config.parse()?;
    sane(&config, &[said.out_features])?;
    if said.in_features != width {
        let inputs = said.in_features;
        return Err(config.wrong(format!("`in_features` is {inputs}, and what comes before gives {width}")));
    }
    let names = [&said.module_input_name, &said.module_output_name];
    let elsewhere = names.into_iter().flatten().find(|name| *name != SENTENCE);
    if let Some(other) = elsewhere.map(String::as_str).or(said.use_residual.then_some("use_residual")) {
        return Err(config.unknown("the setting", other, hint));
    }
    let dense = Dense {
        out: said.out_features,
        bias: said.bias.unwrap_or(true),
        activation: activation(&config, said.activation_function.as_deref(), hint)?,
    };
    let file = weights::open(folder)?;
    let wanted = [("linear.weight", &[dense.out, width][..]), ("linear.bias", &[dense.out])];
    for (name, shape) in wanted.into_iter().take(1 + usize::from(dense.bias)) {
        if file.shape(name) != Some(shape) {
            let file = Config { path: file.label().into(), value: serde_json::Value::Null };
            return Err(file.wrong(format!("the tensor `{name}` should be there, of the shape {shape:?}")));
        }
    }
    Ok((dense, file))
}

/// By torch's path of its class. What is not said is `Tanh`.
fn activation(config: &Config, said: Option<&str>, hint: &str) -> Result<Option<Activation>, BackboneError> {
    let said = said.unwrap_or("torch.nn.modules.activation.Tanh");
    let class = said.strip_prefix("torch.nn.").and_then(|path| path.rsplit('.').next());
    Ok(Some(match class {
        Some("Identity") => return Ok(None),
        Some("Tanh") => Activation::Tanh,
        Some("ReLU") => Activation::Relu,
        Some("GELU") => Activation::Gelu,
        Some("SiLU") => Activation::Silu,
        Some("Sigmoid") => Activation::Sigmoid,
        _ => return Err(config.unknown("`activation_function`", said, hint)),
    }))
}

/// The weights of a network, and those of the dense layers behind it, under the names of the network's parameters.
struct Together {
    files: Vec<Box<dyn Tensors>>,
    /// Name → its file, and its name there.
    held: BTreeMap<String, (usize, String)>,
}

/// `network`: its weights. `dense`: those of the layers behind it, in their order.
pub(in crate::folder) fn together(
    network: Box<dyn Tensors>,
    dense: Vec<Box<dyn Tensors>>,
) -> Box<dyn Tensors> {
    if dense.is_empty() {
        return network;
    }
    let own = network.names().into_iter().map(|name| (name.to_owned(), (0, name.to_owned())));
    let mut held: BTreeMap<_, _> = own.collect();
    for (at, file) in dense.iter().enumerate() {
        for name in file.names() {
            if let Some(part) = name.strip_prefix("linear.") {
                held.insert(format!("{}.{part}", Dense::name(at)), (at + 1, name.to_owned()));
            }
        }
    }
    Box::new(Together { files: std::iter::once(network).chain(dense).collect(), held })
}

impl Tensors for Together {
    fn label(&self) -> &str {
        self.files[0].label()
    }

    fn names(&self) -> Vec<&str> {
        self.held.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        let (file, name) = self.held.get(name)?;
        self.files[*file].shape(name)
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        self.held.get(name).map_or(Ok(None), |(file, name)| self.files[*file].read(name))
    }
}
