//! A model as a folder that other libraries open: transformers' own classes, timm's by transformers' wrapper, torchvision's,
//! or layers of Keras'.
//!
//! **Invariant:** a folder holds the network and the recipe exactly, or is refused. What is written is read back by its own
//! configuration, as `extract --weights` reads other people's folders.

mod card;
mod description;
mod keras;
mod layout;
mod native;
mod prepare;
mod read_back;
mod seen;
mod tensors;
mod theirs;
mod timm;
mod torch;
mod verify;

use crate::{
    backbone::{pictures, source},
    config::Config,
    parity::{self, Parity},
};
use anyhow::{Context, Result};
use cli::Session;
use head::Head;
use input::{Recipe, image::Preprocessing};
use serde_json::Value;
use std::{fs, path::Path};
use store::{Marks, Place, distinct};
use tensors::WEIGHTS;
use theirs::Theirs;
use weights::Bound;

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
    belongs: |name| [WEIGHTS, keras::MODEL, PROCESSOR, CARD].contains(&name),
};

/// Whose folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// As on the Hugging Face hub.
    Hub,
    /// A state dictionary of torchvision's.
    Torchvision,
    /// A model of Keras'.
    Keras,
}

/// A head and its backbone, as they are going to be written.
pub(crate) struct HubModel<'a> {
    head: &'a Head,
    /// The backbone, as artefacts call it.
    name: &'a str,
    recipe: &'a Recipe,
    /// The same, as that of pictures.
    how: &'a Preprocessing,
    /// Height and width of prepared pictures.
    size: (usize, usize),
    /// How it is as a class of another library's; `None` as layers of Keras', which have all that comes before and after.
    theirs: Option<Theirs>,
}

/// Writes the folder, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where no class of theirs computes the same, it cannot be written, or disagrees with the cache.
pub(crate) fn write(session: &Session, config: &Config, of: Of, head: &Head, bound: Bound) -> Result<Parity> {
    let source = source(head)?;
    let how = pictures(&source.recipe)?;
    let (height, width) = how.output_size().context("the head's pictures vary in size")?;
    let size = (height as usize, width as usize);
    let weights = bound.digest();
    let bound = tensors::at_size(bound, size)?;
    let theirs = match of {
        Of::Keras => None,
        Of::Hub | Of::Torchvision => {
            Some(Theirs::of(of == Of::Torchvision, head, &source.backbone, how, &bound, size)?)
        }
    };
    let model = HubModel { head, name: &source.backbone, recipe: &source.recipe, how, size, theirs };

    let hub = config.hub();
    let measured = hub.metrics().map(|path| card::Measured::read(path, &head.classes)).transpose()?;
    let place = Place::folder(config.output(), config.force(), |folder| MARKS.all_of(folder))?;
    distinct(&[&place], config.inputs())?;
    let folder = place.temporary();
    let mut description = model.config(weights)?;
    let put =
        |name: &str, text: String| fs::write(folder.join(name), text).map_err(|error| place.failed(error));
    put(CONFIG, pretty(&description)?)?;
    let processor = model.processor();
    if let Some(processor) = processor {
        put(PROCESSOR, pretty(processor)?)?;
    }
    let own = hub.verify_with().map(|_| bound.clone());
    let (features, logits) = match &model.theirs {
        Some(theirs) => {
            let network = bound.network().clone();
            theirs.write(folder, CONFIG.as_ref(), head, bound, size)?;
            read_back::run(folder, &model, theirs, &network)?
        }
        None => keras::write_and_run(&place, &model, bound)?,
    };
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
    if processor.is_some() {
        session.note(
            "export: pixels are exact with AutoImageProcessor.from_pretrained(…, backend=\"pil\") only; the folder's README.md shows how",
        );
    }
    cli::finishing();
    place.commit()?;
    Ok(parity)
}

fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// What the folder is called, as the card does.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}
