//! A network of texts and its head as transformers opens them: by a class of its own where one computes the same, and elsewhere
//! by the class in `modeling_headstart.py`, which lies in the folder and runs with `trust_remote_code=True`.

mod carried;
mod feature;
mod native;
mod tokenizer;

use super::{
    code,
    layout::Layout,
    tensors::{self, WEIGHTS, Written},
};
use crate::{config::Config, parity};
use anyhow::{Context, Result, bail};
use backbone::{Backbone, EXPORTED_TEXTS, Wanted};
use feature::Feature;
use head::Head;
use input::{Recipe, text::Tokenisation};
use native::Native;
use network::{Network, Stored};
use serde_json::json;
use std::{fs, path::Path};
use store::Place;
use weights::{Bound, Dense, Tensor, Tensors};

/// Our class, and the file of it.
const CLASS: &str = "HeadstartForSequenceClassification";
const CLASS_TEXT: &str = include_str!("modeling_headstart.py");
/// Where our class keeps the network.
const PREFIX: &str = "network.";

/// What lies in such a folder besides.
pub(super) const FILES: [&str; 2] = [tokenizer::FILE, tokenizer::CONFIG];

/// A network of texts, as it is going to be written.
pub(super) struct Texts {
    layout: Layout,
    /// The class of transformers', where one computes the same.
    native: Option<Native>,
    /// All of the network, with its weights.
    found: Backbone,
    /// The head's.
    taps: Vec<String>,
    tokenizer: tokenizer::Files,
    max_tokens: usize,
    /// Whether the network turns queries and keys by neighbours.
    by_neighbours: bool,
}

impl Texts {
    /// `name`: of the backbone.
    ///
    /// # Errors
    /// Where transformers cannot be told how texts become tokens, or what the head reads.
    pub(super) fn of(config: &Config, head: &Head, name: &str, how: &Tokenisation) -> Result<Texts> {
        tokenizer::refuse(how)?;
        let no_folder = || format!("transformers does not build {name}; --to onnx and bundle hold it");
        let path = config.weights().first().with_context(no_folder)?;
        let taps: Vec<String> =
            head.sources.iter().filter_map(|source| Some(source.network()?.tap.clone())).collect();
        let found = backbone::again(name, Some(path), &taps, &Recipe::Text(how.clone()))?;
        let features = taps.iter().map(|tap| Feature::of(&found.network, tap)).collect::<Result<Vec<_>>>()?;
        let (network, by_neighbours) = carried::config(path)?.with_context(no_folder)?;
        let dialect = carried::dialect(&found.network, path)?;
        let native = Native::of(&found.network, &features, head);
        let layout = match native {
            Some(native) => {
                let mut config = network;
                config.insert("architectures".to_owned(), json!([native.class]));
                let place = move |param: &str| native.place(dialect.place(param));
                Layout::new(native.class, "transformers", config.into(), place, native.classifier)
            }
            None => {
                let mut config = json!({
                    "network": network,
                    "features": features,
                    "layers": layers(head),
                    "max_tokens": how.max_tokens(),
                });
                code::name_in(&mut config, EXPORTED_TEXTS, CLASS, "AutoModelForSequenceClassification");
                let place = move |param: &str| match dialect.place(param) {
                    // Behind the network.
                    Stored::As(name) if name.starts_with("sentence.") => Stored::As(name),
                    place => place.below(PREFIX),
                };
                Layout { needs_trust: true, ..Layout::new(CLASS, "transformers", config, place, "head") }
            }
        };
        let tokenizer = tokenizer::Files::of(how, &found.network)?;
        Ok(Texts { layout, native, found, taps, tokenizer, max_tokens: how.max_tokens(), by_neighbours })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Tokens of a text at most.
    pub(super) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Who opens it, and what has to be said to it.
    pub(super) fn told(&self) -> String {
        match self.native {
            Some(Native { class, .. }) => format!(
                "export: transformers' own {class} opens it: pipeline(\"text-classification\", model=…, truncation=True)"
            ),
            None => code::told("text-classification", ", truncation=True"),
        }
    }

    /// Writes all but `config.json` and the card. `like`: a file with the permissions that weights get.
    ///
    /// # Errors
    /// Where something cannot be written.
    pub(super) fn write(&self, place: &Place, like: &str, head: &Head) -> Result<()> {
        let folder = place.temporary();
        let put = |name: &str, bytes: &[u8]| {
            fs::write(folder.join(name), bytes).map_err(|error| place.failed(error))
        };
        put(tokenizer::FILE, &self.tokenizer.bytes)?;
        put(tokenizer::CONFIG, super::pretty(&self.tokenizer.config)?.as_bytes())?;
        if self.layout.needs_trust {
            code::write(place, CLASS_TEXT)?;
        }
        // All layers, whichever are read: the class has them all.
        let mut taps: Vec<&str> = self.taps.iter().map(String::as_str).collect();
        if !taps.contains(&"mean") {
            taps.push("mean");
        }
        let whole = self.found.bind(&taps)?;
        let whole = if self.by_neighbours { carried::turned_by_halves(whole)? } else { whole };
        let mut tensors = tensors::placed(whole, &self.layout)?;
        for (at, layer) in head.layers.iter().enumerate() {
            let [weight, bias] = self.names(at);
            let Dense { inputs, outputs, weight: numbers, bias: added } = layer.clone();
            let floats = |shape: Vec<usize>, data| Written::Floats(Tensor { shape, data });
            tensors.insert(weight, floats(vec![outputs, inputs], numbers));
            tensors.insert(bias, floats(vec![outputs], added));
        }
        tensors::write(&tensors, place, like)
    }

    /// What the tensors of the head's layer at that place are called.
    fn names(&self, at: usize) -> [String; 2] {
        let layer = match self.native {
            Some(native) => native.classifier.to_owned(),
            None => format!("{}.{at}", self.layout.classifier),
        };
        ["weight", "bias"].map(|part| format!("{layer}.{part}"))
    }

    /// The written folder as somebody else's: read by its own configuration, and run on the probes. Gives features, in the head's
    /// order, and logits. `network`: up to the head's taps, as it should read.
    ///
    /// # Errors
    /// Where it cannot be read, or is of another network or recipe than it should be.
    pub(super) fn read_back(
        &self,
        folder: &Path,
        recipe: &Recipe,
        network: &Network,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let found = backbone::find(Wanted {
            name: None,
            weights: Some(folder),
            taps: &[],
            size: None,
            prepared: false,
        })?;
        let Some(said) = found.recipe.as_ref().filter(|said| *said == recipe) else {
            bail!("the folder reads its texts otherwise than it should");
        };
        let part = found.network.for_taps(&self.taps.iter().map(String::as_str).collect::<Vec<_>>())?;
        if !carried::are_alike(&part, network) {
            bail!("the folder's configuration reads as another network than {}", network.name());
        }
        let file = weights::open(&folder.join(WEIGHTS))?;
        let bound = match self.native {
            Some(native) => Bound::bind(part, &found.network, &native.with_pooler(&*file))?,
            None => Bound::bind(part, &found.network, &*file)?,
        };
        let features = parity::run_probes(bound, said)?;
        let mut layers = Vec::new();
        while let Some(layer) = self.layer(&*file, layers.len())? {
            layers.push(layer);
        }
        if layers.is_empty() {
            bail!("the exported folder lacks the tensor `{}`", self.names(0)[0]);
        }
        let logits = head::logits(&layers, &features);
        Ok((features, logits))
    }

    /// The head's layer at that place, as a file has it.
    fn layer(&self, file: &dyn Tensors, at: usize) -> Result<Option<Dense>> {
        if self.native.is_some() && at > 0 {
            return Ok(None);
        }
        let [weight, bias] = self.names(at);
        let (Some(weight), Some(bias)) = (file.read(&weight)?, file.read(&bias)?) else { return Ok(None) };
        let outputs = bias.data.len();
        let inputs = weight.data.len() / outputs.max(1);
        Ok(Some(Dense { inputs, outputs, weight: weight.data, bias: bias.data }))
    }
}

/// Of each layer its inputs and outputs, whether it has a bias, and what comes after it.
fn layers(head: &Head) -> Vec<(usize, usize, bool, Option<&'static str>)> {
    let last = head.layers.len().saturating_sub(1);
    let after = |at: usize| (at < last).then_some("relu");
    head.layers.iter().enumerate().map(|(at, layer)| (layer.inputs, layer.outputs, true, after(at))).collect()
}
