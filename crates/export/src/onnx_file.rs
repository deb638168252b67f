//! A model as one ONNX file.

use crate::{
    backbone::{source, taps},
    config::Config,
    parity::{self, Parity},
};
use anyhow::{Context, Result, bail};
use backbone::PREPROCESSING;
use head::Head;
use input::Recipe;
use onnx::{self, Ending};
use sample::targets::Task;
use serde_json::json;
use std::io::{BufWriter, Write};
use store::{MappedFile, Ours, Place, distinct};
use weights::Bound;

/// ONNX's version and, as its producer, us.
const ONNX: Ours = Ours::file("a model that export wrote", &[b"\x08\x08\x12\x09headstart"]);

/// Writes the file, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where it cannot be written, or disagrees with the cache.
pub(crate) fn write(config: &Config, head: &Head, bound: Bound) -> Result<Parity> {
    let Recipe::Image(how) = &source(head)?.recipe;
    let (height, width) = how.output_size().context("the head's pictures vary in size")?;
    let place = Place::file(config.output(), config.force(), ONNX)?;
    distinct(&[&place], config.inputs())?;
    let mut out = BufWriter::new(place.open()?);
    let (size, ending, metadata) = ((height as usize, width as usize), ending(head), metadata(head, &bound)?);
    let model = bound.join(weights::head_graph(&head.layers)?)?;
    onnx::write(&mut out, &model, size, Some(ending), &metadata)
        .with_context(|| format!("cannot write `{}`", config.output().display()))?;
    out.flush().map_err(|error| place.failed(error))?;
    drop((out, model));

    // Everything from the file from here on: graph, weights, head and preprocessing.
    let model = onnx::read(&MappedFile::open(place.temporary())?)?;
    let how = model.metadata.iter().find(|(key, _)| key == PREPROCESSING).map(|(_, json)| json);
    let recipe: Recipe = serde_json::from_str(how.context("the model's metadata lacks its preprocessing")?)?;
    let outputs = parity::interpret_probes(model, &recipe)?;
    let parity = match outputs.as_slice() {
        [features, values] if ending == Ending::Values => Parity::of(config, head, features, values),
        [features, logits, probabilities] if ending != Ending::Values => {
            Parity::of(config, head, features, logits).with_probabilities(probabilities, logits, head)
        }
        _ => bail!("the model has {} outputs, other than were to be written", outputs.len()),
    };
    let parity = parity.gate()?;
    cli::finishing();
    place.commit()?;
    Ok(parity)
}

/// What comes after the last layer.
fn ending(head: &Head) -> Ending {
    match head.task() {
        Task::Class => Ending::Classes,
        Task::Labels => Ending::Labels,
        Task::Numbers => Ending::Values,
    }
}

/// What a user of the file needs to know and the graph does not say.
fn metadata(head: &Head, bound: &Bound) -> Result<Vec<(String, String)>> {
    let source = source(head)?;
    let entries = [
        (
            if ending(head) == Ending::Values { "headstart.outputs" } else { "headstart.classes" },
            serde_json::to_string(&head.classes)?,
        ),
        (PREPROCESSING, serde_json::to_string(&source.recipe)?),
        (
            "headstart.preprocessing_note",
            "decode (JPEGs with Pillow's draft to the resized size where decode is fast), apply EXIF orientation, convert \
             to RGB; resize (height, width; antialiased, Pillow's kernel); \
             centre crop; order channels; value = (byte / divisor - mean) / std"
                .to_owned(),
        ),
        ("headstart.backbone", source.backbone.clone()),
        ("headstart.tap", taps(head)),
        ("headstart.weights", bound.digest().to_string()),
        ("headstart.head", head.digest().to_string()),
        ("headstart.features", head.features.to_string()),
    ];
    let thresholds = [
        ("headstart.reject_threshold", head.reject_threshold().map(|own| json!(own))),
        ("headstart.label_thresholds", head.label_thresholds().map(|own| json!(own))),
    ];
    let thresholds = thresholds.into_iter().filter_map(|(key, json)| Some((key, json?.to_string())));
    let task = (head.task() != Task::Class).then(|| ("headstart.task", head.task().name().to_owned()));
    Ok(entries
        .into_iter()
        .chain(thresholds)
        .chain(task)
        .map(|(key, value)| (key.to_owned(), value))
        .collect())
}
