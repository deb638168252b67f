//! A model as one ONNX file.

use crate::{
    backbone::{networks, pictures, taps},
    config::{Config, OnnxJob},
    ours::Ours,
    parity::{self, Parity},
    towers,
    verify::{Check, Verified},
};
use anyhow::{Result, bail};
use backbone::PREPROCESSING;
use cli::Session;
use head::Head;
use input::{Recipe, text::Tokenizer};
use model::Tower;
use onnx::{Body, Ending, Exported, HeadGraph, Neighbours, Remembered, Whitened};
use sample::targets::{Task, Truth};
use serde_json::json;
use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
};
use store::{MappedFile, Ours as OurFile, Place, distinct};
use weights::Bound;

/// ONNX's version and, as its producer, us.
const ONNX: OurFile = OurFile::file("a model that export wrote", &[b"\x08\x08\x12\x09headstart"]);
/// The bytes of a tokenizer's file.
const TOKENIZER: &str = "headstart.tokenizer";
/// What a model was found to be when it was checked.
const VERIFIED: &str = "headstart.verified";

/// Writes the file, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where it cannot be written, or disagrees with the cache.
pub(crate) fn write(
    session: &Session,
    config: &Config,
    job: &OnnxJob,
    head: &Head,
    towers: Vec<Tower>,
) -> Result<(Parity, Option<Verified>)> {
    let place = Place::file(config.output(), config.force(), ONNX)?;
    distinct(&[&place], config.inputs())?;
    let mut out = BufWriter::new(place.open()?);
    write_model(&mut out, job, head, &towers)
        .map_err(|error| error.context(format!("cannot write `{}`", config.output().display())))?;
    out.flush().map_err(|error| place.failed(error))?;
    drop(out);

    // Everything from the file from here on: graph, weights, head and preprocessing.
    let model = onnx::read(&MappedFile::open(place.temporary())?)?;
    let recipes = recipes(&model.metadata)?;
    let (interpreter, outputs) = parity::interpret_probes(model, &recipes.iter().collect::<Vec<_>>())?;
    let output = |name: &str| {
        let found = interpreter.outputs().zip(&outputs).find(|(own, _)| *own == name);
        found.map(|(_, values)| values.as_slice())
    };
    let least = if job.halves { parity::TOLERANCE_OF_HALVES } else { parity::TOLERANCE };
    let scores = if ending(head) == Ending::Values { "values" } else { "logits" };
    let (Some(features), Some(logits)) = (output("features"), output(scores)) else {
        bail!("the model has other outputs than were to be written");
    };
    let mut parity = Parity::of(config, head, features, logits, least)?;
    if let Some(probabilities) = output("probabilities") {
        parity = parity.with_probabilities(probabilities, logits, head);
    }
    if let Some(distances) = output("distance") {
        parity = parity.with_distances(distances, head);
    }
    let parity = parity.gate()?;
    let mut verified = None;
    if job.with_preprocessing {
        let ours = Ours::new(towers, head)?;
        let tolerance = config.tolerance().unwrap_or(least);
        let mut check = Check { model: &interpreter, ours, task: head.task(), tolerance };
        check.odd_sizes()?;
        if let Some(photographs) = config.samples() {
            verified = Some(check.photographs(session, photographs)?);
        }
    }
    let found = json!({"probes": parity.logits.difference, "pictures": verified});
    let file = OpenOptions::new().append(true).open(place.temporary());
    let mut file = file.map_err(|error| place.failed(error))?;
    onnx::write_entry(&mut file, VERIFIED, &found.to_string())?;
    cli::finishing();
    place.commit()?;
    Ok((parity, verified))
}

fn write_model(out: &mut impl Write, job: &OnnxJob, head: &Head, towers: &[Tower]) -> Result<()> {
    let metadata = metadata(job, head, towers)?;
    let layers = head.network()?;
    let sizes = towers.iter().map(towers::size).collect::<Result<Vec<_>>>()?;
    let towers: Vec<onnx::Tower<'_>> = towers
        .iter()
        .zip(sizes)
        .map(|(tower, size)| {
            let image = if job.with_preprocessing { Some(pictures(&tower.recipe)?) } else { None };
            Ok(onnx::Tower { bound: &tower.bound, size, image, places: &tower.sources })
        })
        .collect::<Result<_>>()?;
    let head = HeadGraph { body: body(head, layers.as_ref())?, ending: ending(head), novelty: novelty(head) };
    let exported = Exported { towers: &towers, head: Some(head), halves: job.halves, metadata: &metadata };
    onnx::write_model(out, &exported)?;
    Ok(())
}

fn body<'a>(head: &'a Head, layers: Option<&'a Bound>) -> Result<Body<'a>> {
    match (&head.memory, layers) {
        (Some(memory), _) => Ok(Body::Neighbours(Neighbours {
            rows: &memory.rows,
            dim: memory.dim,
            count: memory.neighbours,
            temperature: memory.temperature,
            truth: match &memory.truth {
                Truth::Class(classes) => Remembered::Classes(classes),
                Truth::Labels(values) | Truth::Numbers(values) => Remembered::Values(values),
            },
            outputs: head.classes.len(),
        })),
        (None, Some(layers)) => Ok(Body::Layers(layers)),
        (None, None) => bail!("the head has neither layers nor a memory"),
    }
}

fn novelty(head: &Head) -> Option<Whitened<'_>> {
    let novelty = head.novelty.as_ref()?;
    let (whitening, means) = (&novelty.whitening, novelty.means.as_slice());
    Some(Whitened { whitening, means, threshold: novelty.threshold })
}

/// What comes after the last layer.
fn ending(head: &Head) -> Ending {
    match head.task() {
        Task::Class => Ending::Classes,
        Task::Labels => Ending::Labels,
        Task::Numbers => Ending::Values,
    }
}

/// Where the recipe of the backbone of that place stands.
fn preprocessing_key(at: usize) -> String {
    if at == 0 { PREPROCESSING.to_owned() } else { format!("{PREPROCESSING}_{at}") }
}

/// The recipe of every backbone, as the file says them.
fn recipes(metadata: &[(String, String)]) -> Result<Vec<Recipe>> {
    let said = |at: usize| metadata.iter().find(|(key, _)| *key == preprocessing_key(at));
    let recipes: Vec<&str> = (0..).map_while(said).map(|(_, json)| json.as_str()).collect();
    if recipes.is_empty() {
        bail!("the model's metadata lacks its preprocessing");
    }
    let recipes = recipes.into_iter().map(serde_json::from_str).collect::<Result<Vec<Recipe>, _>>()?;
    let tokenizer = metadata.iter().find(|(key, _)| key == TOKENIZER).map(|(_, json)| json);
    let opened = |recipe| match (recipe, tokenizer) {
        (Recipe::Text(how), Some(json)) => {
            let tokenizer = Tokenizer::of(json.clone().into_bytes()).map_err(anyhow::Error::msg)?;
            Ok(Recipe::Text(how.opened_with(tokenizer).map_err(anyhow::Error::msg)?))
        }
        (recipe, _) => Ok(recipe),
    };
    recipes.into_iter().map(opened).collect()
}

/// What a user of the file needs to know and the graph does not say.
fn metadata(job: &OnnxJob, head: &Head, towers: &[Tower]) -> Result<Vec<(String, String)>> {
    let is_bare = |tower: &Tower| matches!(&tower.recipe, Recipe::Text(how) if how.as_bare().is_some());
    let reads_texts = towers.iter().any(|tower| matches!(tower.recipe, Recipe::Text(_)));
    let note = if towers.iter().any(is_bare) {
        "make tokens by `headstart.tokenizer`, a tokenizer.json, of the text, without special tokens; leave out unknown ones unless \
         `keeps_unknown` says otherwise; pad at the end, where attention_mask is 0"
    } else if reads_texts {
        "make tokens by `headstart.tokenizer`, a tokenizer.json, of `prompt` and the text, cut at `max_tokens` with special tokens; \
         pad at the end, where attention_mask is 0"
    } else if job.with_preprocessing {
        "the model does this by itself: give it `image`, a decoded picture, u8 (height, width, 3), RGB, upright by EXIF \
         orientation; decode 16-bit grey and JPEGs as the preprocessing says"
    } else {
        "decode (JPEGs with Pillow's draft to the resized size where decode is fast), apply EXIF orientation, convert \
         to RGB; resize (height, width; antialiased, Pillow's kernel); \
         centre crop; order channels; value = (byte / divisor - mean) / std"
    };
    let backbones: Vec<&str> = backbones(head, towers)?;
    let digests: Vec<String> = towers.iter().map(|tower| tower.bound.digest().to_string()).collect();
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: String| entries.push((key.to_owned(), value));
    let is_numbers = ending(head) == Ending::Values;
    add(
        if is_numbers { "headstart.outputs" } else { "headstart.classes" },
        serde_json::to_string(&head.classes)?,
    );
    for (at, tower) in towers.iter().enumerate() {
        add(&preprocessing_key(at), serde_json::to_string(&tower.recipe)?);
    }
    for tower in towers {
        if let Recipe::Text(how) = &tower.recipe
            && let Some(tokenizer) = how.tokenizer()
        {
            add(TOKENIZER, String::from_utf8_lossy(tokenizer.bytes()).into_owned());
        }
    }
    add("headstart.preprocessing_note", note.to_owned());
    add("headstart.backbone", backbones.join(" + "));
    add("headstart.tap", taps(head));
    add("headstart.weights", digests.join(" + "));
    add("headstart.head", head.digest().to_string());
    add("headstart.features", head.features.to_string());
    if let Some(threshold) = head.reject_threshold() {
        add("headstart.reject_threshold", json!(threshold).to_string());
    }
    if let Some(thresholds) = head.label_thresholds() {
        add("headstart.label_thresholds", json!(thresholds).to_string());
    }
    if head.task() != Task::Class {
        add("headstart.task", head.task().name().to_owned());
    }
    if let Some(novelty) = &head.novelty {
        add("headstart.novelty_threshold", json!(novelty.threshold).to_string());
    }
    if job.halves {
        add("headstart.dtype", "f16".to_owned());
    }
    Ok(entries)
}

/// The backbone of each tower, in the order of the model's inputs.
fn backbones<'a>(head: &'a Head, towers: &[Tower]) -> Result<Vec<&'a str>> {
    let sources = networks(head)?;
    Ok(towers
        .iter()
        .filter_map(|tower| sources.get(*tower.sources.first()?).map(|source| source.backbone.as_str()))
        .collect())
}
