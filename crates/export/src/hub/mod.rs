//! A model as a folder that other libraries open: transformers' own classes, timm's by transformers' wrapper, torchvision's,
//! or layers of Keras'. What none of these classes computes goes into one that lies in the folder.
//!
//! **Invariant:** a folder holds the network and the recipe exactly, or is refused. What is written is read back by its own
//! configuration, as `extract --weights` reads other people's folders.

mod card;
mod code;
mod description;
mod keras;
mod layout;
mod native;
mod prepare;
mod read_back;
mod seen;
mod tensors;
mod texts;
mod theirs;
mod timm;
mod torch;
mod verify;

use crate::{
    backbone::source,
    config::Config,
    parity::{self, Parity},
    samples::Samples,
};
use anyhow::{Context, Result};
use cli::{Session, UsageError};
use head::Head;
use input::{Recipe, image::Preprocessing};
use model::Tower;
use serde_json::Value;
use std::{fs, path::Path};
use store::{Marks, Place, distinct};
use tensors::WEIGHTS;
use texts::Texts;
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
    belongs: |name| {
        [WEIGHTS, keras::MODEL, PROCESSOR, CARD, code::FILE].contains(&name) || texts::FILES.contains(&name)
    },
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
    form: Form<'a>,
}

/// What the folder is made of.
enum Form<'a> {
    Pictures(Pictures<'a>),
    Texts(Box<Texts>),
}

/// A network of pictures.
struct Pictures<'a> {
    /// How they become its inputs.
    how: &'a Preprocessing,
    /// Height and width of prepared pictures.
    size: (usize, usize),
    /// How it is as a class of another library's; `None` as layers of Keras', which have all that comes before and after.
    theirs: Option<Box<Theirs>>,
}

impl Pictures<'_> {
    /// With the network for pictures of their size.
    fn of<'a>(
        of: Of,
        head: &Head,
        name: &str,
        how: &'a Preprocessing,
        bound: Bound,
    ) -> Result<(Pictures<'a>, Bound)> {
        let (height, width) = how.output_size().context("the head's pictures vary in size")?;
        let size = (height as usize, width as usize);
        let bound = tensors::at_size(bound, size)?;
        let theirs = match of {
            Of::Keras => None,
            Of::Hub | Of::Torchvision => {
                Some(Box::new(Theirs::of(of == Of::Torchvision, head, name, how, &bound, size)?))
            }
        };
        Ok((Pictures { how, size, theirs }, bound))
    }
}

/// Writes the folder, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where no class of theirs computes the same, it cannot be written, or disagrees with the cache.
pub(crate) fn write(session: &Session, config: &Config, of: Of, head: &Head, tower: Tower) -> Result<Parity> {
    let name = source(head)?.backbone.as_str();
    let Tower { bound, recipe, .. } = tower;
    let wanted = match &recipe {
        Recipe::Image(_) => "--images",
        Recipe::Text(_) => "--texts",
    };
    if let Some(given) = config.samples().map(Samples::flag).filter(|given| *given != wanted) {
        let noun = recipe.noun();
        return Err(UsageError(format!("{given} does not go with a head on {noun}s; give {wanted}")).into());
    }
    let weights = bound.digest();
    let (form, bound) = match &recipe {
        Recipe::Image(how) => {
            let (pictures, bound) = Pictures::of(of, head, name, how, bound)?;
            (Form::Pictures(pictures), bound)
        }
        Recipe::Text(how) => (Form::Texts(Box::new(Texts::of(config, head, name, how)?)), bound),
    };
    let model = HubModel { head, name, recipe: &recipe, form };

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
    let (features, logits) = match &model.form {
        Form::Pictures(Pictures { how, size, theirs: Some(theirs) }) => {
            let network = bound.network().clone();
            theirs.write(&place, CONFIG, head, bound, *size)?;
            read_back::run(folder, &model, (how, *size), theirs, &network)?
        }
        Form::Pictures(pictures) => keras::write_and_run(&place, &model, pictures, bound)?,
        Form::Texts(texts) => {
            texts.write(&place, CONFIG, head)?;
            texts.read_back(folder, &recipe, bound.network())?
        }
    };
    let parity = Parity::of(config, head, &features, &logits, parity::TOLERANCE)?.gate()?;
    description[OWN]["parity"] = parity.figures();
    if let Some((python, own)) = hub.verify_with().zip(own) {
        let passes = (parity.tolerance, config.tolerance());
        let verified = verify::verify(python, config.samples(), of, folder, &model, own, passes)?;
        session.note(format!("export: {}", verified.line()));
        description[OWN]["verified"] = verified.json();
    }
    put(CONFIG, pretty(&description)?)?;
    put(CARD, card::card(&model, hub, &name_of(config.output()), measured.as_ref(), &description)?)?;
    session.detail(format!("export: {} opens it", model.opened_by()));
    match &model.form {
        Form::Texts(texts) => session.note(texts.told()),
        Form::Pictures(_) if model.needs_trust() => session.note(code::told(model.pipeline(), "")),
        Form::Pictures(_) => {}
    }
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
