//! A model as a folder that other libraries open: transformers' own classes, timm's by transformers' wrapper, or torchvision's.
//!
//! **Invariant:** a folder holds the network and the recipe exactly, or is refused. What is written is read back by its own
//! configuration, as `extract --weights` reads other people's folders.

mod card;
mod description;
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
    parity::{self, Parity},
};
use anyhow::{Context, Result, bail};
use cli::Session;
use head::Head;
use input::Recipe;
use layout::Layout;
use network::zoo;
use prepare::Prepared;
use serde_json::Value;
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

    let hub = config.hub();
    let measured = hub.metrics().map(|path| card::Measured::read(path, &head.classes)).transpose()?;
    let place = Place::folder(config.output(), config.force(), |folder| MARKS.all_of(folder))?;
    distinct(&[&place], config.inputs())?;
    let folder = place.temporary();
    let network = bound.network().clone();
    let widths = network.widths(size.0, size.1)?;
    let own = hub.verify_with().map(|_| bound.clone());
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
    let parity = Parity::of(config, head, &features, &logits, parity::TOLERANCE).gate()?;
    description[OWN]["parity"] = parity.figures();
    if let Some((python, own)) = hub.verify_with().zip(own) {
        let passes = (parity.tolerance, config.tolerance());
        let verified = verify::verify(python, config.photographs(), of, folder, &model, own, passes)?;
        session.note(format!("export: {}", verified.line()));
        description[OWN]["verified"] = verified.json();
    }
    put(CONFIG, pretty(&description)?)?;
    put(CARD, card::card(&model, hub, &name_of(config.output()), measured.as_ref(), &description)?)?;
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

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// What the folder is called, as the card does.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
