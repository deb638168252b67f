//! A model as a folder that other libraries open: transformers' own classes, timm's by transformers' wrapper, or torchvision's.
//!
//! **Invariant:** a folder holds the network and the recipe exactly, or is refused. What is written is read back by its own
//! configuration, as `extract --weights` reads other people's folders.

mod card;
mod layout;
mod native;
mod prepare;
mod read_back;
mod seen;
mod tensors;
mod timm;
mod torch;
mod verify;

use crate::{
    backbone::{source, taps},
    config::Config,
    parity::Parity,
};
use anyhow::{Context, Result, bail};
use cli::Session;
use head::Head;
use input::Recipe;
use layout::Layout;
use network::zoo;
use prepare::Prepared;
use sample::targets::Task;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};
use store::{Marks, Place, distinct};
use tensors::{Tensors, WEIGHTS, Written};
use weights::{Bound, Dense, Tensor};

const CONFIG: &str = "config.json";
const PROCESSOR: &str = "preprocessor_config.json";
const CARD: &str = "README.md";
/// The key of `config.json` under which everything stands that only we know.
const OWN: &str = "headstart";
const FORMAT: &str = "headstart-hub-model";
const MARKS: Marks = Marks {
    manifest: CONFIG,
    recognised: |config| {
        config.get(OWN).and_then(|own| own.get("format")).is_some_and(|format| format == FORMAT)
    },
    belongs: |name| [WEIGHTS, PROCESSOR, CARD].contains(&name),
};

/// Whose folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// As on the Hugging Face hub.
    Hub,
    /// A state dictionary of torchvision's.
    Torchvision,
}

/// A head and its backbone, as they are going to be written.
pub(crate) struct HubModel<'a> {
    head: &'a Head,
    /// The backbone, as artefacts call it.
    name: &'a str,
    recipe: &'a Recipe,
    /// Height and width of prepared pictures.
    size: (usize, usize),
    layout: Layout,
    prepared: Prepared,
    /// The head's taps, in its order, as the layout calls what its classifier reads.
    taps: Vec<String>,
}

/// Writes the folder, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where no class of theirs computes the same, it cannot be written, or disagrees with the cache.
pub(crate) fn write(session: &Session, config: &Config, of: Of, head: &Head, bound: Bound) -> Result<Parity> {
    let source = source(head)?;
    let Recipe::Image(how) = &source.recipe;
    let (height, width) = how.output_size().context("the head's pictures vary in size")?;
    let size = (height as usize, width as usize);
    let layer = only_layer(head)?;
    let weights = bound.digest();
    let bound = tensors::at_size(bound, size)?;
    let layout = layout_of(of, &source.backbone, &bound, size)?;
    let taps = taps_read(head, &source.backbone, &bound, &layout)?;
    let prepared = match of {
        Of::Hub => Prepared::of(how, layout.library == "transformers")?,
        Of::Torchvision => Prepared::plain(how)?,
    };
    let model =
        HubModel { head, name: &source.backbone, recipe: &source.recipe, size, layout, prepared, taps };

    let place = Place::folder(config.output(), config.force(), |folder| MARKS.all_of(folder))?;
    distinct(&[&place], config.inputs())?;
    let folder = place.temporary();
    let network = bound.network().clone();
    let widths = network.widths(size.0, size.1)?;
    let hub = config.hub();
    let own = hub.verify().map(|_| bound.clone());
    let mut tensors = tensors::placed(bound, &model.layout)?;
    if of == Of::Torchvision {
        tensors.extend(torch::places_of_windows(&network));
    }
    add_classifier(&mut tensors, &model, layer, &widths);
    let mut description = model.config(weights)?;
    let put =
        |name: &str, text: String| fs::write(folder.join(name), text).map_err(|error| place.failed(error));
    put(CONFIG, pretty(&description)?)?;
    if let (Prepared::Processor(processor), Of::Hub) = (&model.prepared, of) {
        put(PROCESSOR, pretty(processor)?)?;
    }
    tensors::write(&tensors, &folder.join(WEIGHTS))?;
    tensors::permit(&folder.join(WEIGHTS), &folder.join(CONFIG)).map_err(|error| place.failed(error))?;
    drop(tensors);

    let (features, logits) = read_back::run(folder, &model, &network)?;
    let parity = Parity::of(config, head, &features, &logits).gate()?;
    description[OWN]["parity"] = parity.figures();
    if let Some((job, own)) = hub.verify().zip(own) {
        let passes = (parity.tolerance(), config.tolerance());
        let verified = verify::verify(job, of, folder, &model, own, passes)?;
        session.note(format!("export: {}", verified.line()));
        description[OWN]["verified"] = verified.json();
    }
    put(CONFIG, pretty(&description)?)?;
    put(CARD, card::card(&model, hub, &name_of(config.output()), &description)?)?;
    session.detail(format!("export: {} opens it", model.opened_by()));
    if let (Prepared::Processor(_), Of::Hub) = (&model.prepared, of) {
        session.note(
            "export: pixels are exact with AutoImageProcessor.from_pretrained(…, backend=\"pil\") only; the folder's README.md shows how",
        );
    }
    cli::finishing();
    place.commit()?;
    Ok(parity)
}

/// The head's one dense layer.
fn only_layer(head: &Head) -> Result<&Dense> {
    match head.layers.as_slice() {
        [layer] => Ok(layer),
        layers => bail!(
            "the head has {} dense layers, and other libraries' classifiers are one; fit --head linear, or export --to onnx or --to safetensors",
            layers.len()
        ),
    }
}

/// How the library holds the network.
fn layout_of(of: Of, name: &str, bound: &Bound, size: (usize, usize)) -> Result<Layout> {
    let entry = zoo::find(name).ok();
    let is_kerass = entry.is_some_and(|entry| entry.home == "Keras");
    let found = match of {
        Of::Torchvision => entry.and_then(|entry| torch::layout(entry, size)),
        Of::Hub if is_kerass => None,
        Of::Hub => native::layout(bound.network(), size)
            .or_else(|| entry.and_then(|entry| timm::layout(entry, bound.network(), size))),
    };
    let whose = match of {
        Of::Hub => "neither transformers nor timm builds",
        Of::Torchvision => "torchvision does not build, or not load,",
    };
    found.with_context(|| {
        let (height, width) = size;
        format!(
            "{whose} {name} for pictures of {height}×{width} as it is here; --to onnx and --to safetensors hold it"
        )
    })
}

/// The head's taps as the classifier calls what it reads.
fn taps_read(head: &Head, name: &str, bound: &Bound, layout: &Layout) -> Result<Vec<String>> {
    let network = bound.network();
    let called = |output| layout.reads.iter().find(|read| network.resolve(read).ok() == Some(output));
    let found: Option<Vec<String>> =
        network.outputs().iter().map(|output| called(*output).cloned()).collect();
    match found {
        Some(found) if (1..found.len()).all(|i| !found[..i].contains(&found[i])) => Ok(found),
        _ => bail!(
            "the head reads `{}` of {name}, and the classifier of {} reads {}; extract that, or export --to onnx or --to safetensors",
            taps(head),
            layout.class,
            layout.reads.iter().map(|tap| format!("`{tap}`")).collect::<Vec<_>>().join(" and ")
        ),
    }
}

/// The head's layer as the classifier, with zeros for what the head does not read. `widths`: of the head's taps.
fn add_classifier(tensors: &mut Tensors, model: &HubModel<'_>, layer: &Dense, widths: &[usize]) {
    let mut weight = Vec::new();
    for row in layer.weight.chunks(layer.inputs) {
        for read in &model.layout.reads {
            match model.taps.iter().position(|tap| tap == read) {
                Some(at) => {
                    let start: usize = widths[..at].iter().sum();
                    weight.extend(&row[start..][..widths[at]]);
                }
                None => weight.extend(std::iter::repeat_n(0.0, widths[0])),
            }
        }
    }
    let shape = vec![layer.outputs, weight.len() / layer.outputs];
    let name = |part: &str| format!("{}.{part}", model.layout.classifier);
    tensors.insert(name("weight"), Written::Floats(Tensor { shape, data: weight }));
    let bias = Tensor { shape: vec![layer.outputs], data: layer.bias.clone() };
    tensors.insert(name("bias"), Written::Floats(bias));
}

impl HubModel<'_> {
    /// The name of torchvision's network, where it is one of a state dictionary.
    fn torchvision(&self) -> Option<&str> {
        (self.layout.library == "torchvision").then_some(self.name)
    }

    /// What opens the folder, in words.
    fn opened_by(&self) -> String {
        match self.layout.config.get("architecture").and_then(Value::as_str) {
            Some(architecture) => format!("{} with timm's {architecture}", self.layout.class),
            None => self.layout.class.to_owned(),
        }
    }

    /// What `config.json` holds. `weights`: the digest of the backbone's.
    fn config(&self, weights: store::Digest) -> Result<Value> {
        let head = self.head;
        let mut config: Map<String, Value> = self.layout.config.clone();
        match self.layout.library {
            "timm" => {
                config.insert("num_classes".to_owned(), head.classes.len().into());
                config.insert("label_names".to_owned(), json!(head.classes));
            }
            "transformers" => {
                let numbered = head.classes.iter().enumerate();
                let named: Map<String, Value> =
                    numbered.clone().map(|(i, class)| (i.to_string(), class.as_str().into())).collect();
                let back: Map<String, Value> = numbered.map(|(i, class)| (class.clone(), i.into())).collect();
                config.insert("id2label".to_owned(), Value::Object(named));
                config.insert("label2id".to_owned(), Value::Object(back));
            }
            _ => {
                config.insert("classes".to_owned(), json!(head.classes));
            }
        }
        if self.torchvision().is_none() {
            let problem = match head.task() {
                Task::Class => "single_label_classification",
                Task::Labels => "multi_label_classification",
                Task::Numbers => "regression",
            };
            config.insert("problem_type".to_owned(), problem.into());
        }
        if let Prepared::Timm(cfg) = &self.prepared {
            let mut cfg = cfg.clone();
            // Which of several networks of one architecture it is.
            if let (Some((_, tag)), "timm") = (self.name.split_once('.'), self.layout.library) {
                cfg["tag"] = tag.into();
            }
            config.insert("pretrained_cfg".to_owned(), cfg);
            if self.layout.library == "transformers" {
                // timm's, beside a network of transformers: the only one whose pixels are Pillow's without being asked.
                config.insert("image_processor_type".to_owned(), "TimmWrapperImageProcessor".into());
            }
        }
        config.insert(OWN.to_owned(), self.own(weights)?);
        Ok(Value::Object(config))
    }

    /// What only we know of the model.
    fn own(&self, weights: store::Digest) -> Result<Value> {
        let head = self.head;
        // By way of text, which has the digits that people wrote: 0.485, and not what is next to it in f32.
        let recipe: Value = serde_json::from_str(&serde_json::to_string(self.recipe)?)?;
        let mut own = json!({
            "format": FORMAT,
            "version": 1,
            "backbone": self.name,
            "tap": taps(head),
            "task": head.task().name(),
            "preprocessing": recipe,
            "lineage": {
                "weights": weights,
                "head": head.digest(),
                "features": head.features,
            },
        });
        if let Some(threshold) = head.reject_threshold() {
            own["reject_threshold"] = threshold.into();
        }
        if let Some(thresholds) = head.label_thresholds() {
            own["label_thresholds"] = serde_json::to_value(thresholds)?;
        }
        Ok(own)
    }
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// What the folder is called, as the card does.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
