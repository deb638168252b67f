//! A model as a folder: `model.safetensors` (the backbone's tensors under torchvision's names, the head's as `head.N.…`)
//! and `config.json`, which says how to assemble them.

use crate::{
    backbone::{source, taps},
    config::Config,
    parity::{self, Parity},
};
use anyhow::{Context, Result};
use features::NetworkSource;
use head::Head;
use input::Recipe;
use network::Network;
use safetensors::{Dtype, tensor::TensorView};
use sample::targets::Task;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::HashMap, fs, path::Path};
use store::{Digest, Marks, Place, distinct, read_file};
use weights::{Bound, Dense, Tensor};

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";
/// Longer than any description of a model.
const MOST_CONFIG: u64 = 64 << 20;
const FORMAT: &str = "headstart-model";
const MARKS: Marks = Marks {
    manifest: CONFIG,
    recognised: |config| config.get("format").is_some_and(|format| format == FORMAT),
    belongs: |name| name == WEIGHTS,
};

/// What `config.json` holds.
#[derive(Serialize, Deserialize)]
struct Assembly {
    format: String,
    version: u32,
    assembly: String,
    backbone: String,
    tap: String,
    /// What the outputs are where they are no classes: `labels` or `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Task>,
    /// Classes, labels, or names of numbers.
    classes: Vec<String>,
    #[serde(rename = "preprocessing")]
    recipe: Recipe,
    /// (outputs, inputs) of `head.0`, `head.1` …, with a ReLU between them.
    head: Vec<(usize, usize)>,
    /// The backbone's graph up to the tap.
    network: Network,
    /// The confidence below which a picture is better left unanswered, where the head has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reject_threshold: Option<f64>,
    /// The probability from which on each label is right often enough, where the head has some; null of one that never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label_thresholds: Option<Vec<Option<f64>>>,
    /// Digests of the weights, the head and the features that it was fitted on.
    lineage: ModelLineage,
    /// How far the probes were from the cache when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct ModelLineage {
    weights: Digest,
    head: Digest,
    features: Digest,
}

/// Writes the folder, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where it cannot be written, or disagrees with the cache.
pub(crate) fn write(config: &Config, head: &Head, bound: Bound) -> Result<Parity> {
    let place = Place::folder(config.output(), config.force(), |folder| MARKS.all_of(folder))?;
    distinct(&[&place], config.inputs())?;
    let folder = place.temporary();
    let mut description = describe(head, &bound)?;
    let put = |description: &Assembly| -> Result<()> {
        let text = serde_json::to_string_pretty(description)? + "\n";
        Ok(fs::write(folder.join(CONFIG), text).map_err(|error| place.failed(error))?)
    };
    put(&description)?;
    let model = bound.join(weights::head_graph(None, &head.layers)?)?;
    write_tensors(&folder.join(WEIGHTS), &model)
        .with_context(|| format!("cannot write `{}`", config.output().display()))?;
    // safetensors makes a file that its owner alone may read, whatever the umask says.
    fs::metadata(folder.join(CONFIG))
        .and_then(|found| fs::set_permissions(folder.join(WEIGHTS), found.permissions()))
        .map_err(|error| place.failed(error))?;
    drop(model);
    let (features, logits) = read_and_run(folder)?;
    let parity = Parity::of(config, head, &features, &logits, parity::TOLERANCE)?.gate()?;
    description.verified = Some(parity.figures());
    put(&description)?;
    cli::finishing();
    place.commit()?;
    Ok(parity)
}

fn describe(head: &Head, bound: &Bound) -> Result<Assembly> {
    let NetworkSource { backbone, recipe, .. } = source(head)?.clone();
    let end = match head.task() {
        Task::Class => "softmax gives the probabilities of `classes`",
        Task::Labels => {
            "a sigmoid of each gives the probabilities of `classes`, any number of which a picture bears"
        }
        Task::Numbers => "those are the numbers that `classes` names",
    };
    let output =
        if head.sources.len() == 1 { "its output goes" } else { "its outputs, one after the other, go" };
    Ok(Assembly {
        format: FORMAT.to_owned(),
        version: 1,
        assembly: format!(
            "decode, apply EXIF orientation, convert to RGB, resize (height, width; antialiased, Pillow's kernel), \
                   centre crop, order channels, value = (byte / divisor - mean) / std; run `network`, whose parameters \
                   are the tensors of the same names; {output} through head.0, a ReLU, head.1 … \
                   (y = weight x + bias, a ReLU between layers only); {end}"
        ),
        task: (head.task() != Task::Class).then(|| head.task()),
        backbone,
        tap: taps(head),
        classes: head.classes.clone(),
        recipe,
        head: head.layers.iter().map(|layer| (layer.outputs, layer.inputs)).collect(),
        network: bound.network().clone(),
        reject_threshold: head.reject_threshold(),
        label_thresholds: head.label_thresholds(),
        verified: None,
        lineage: ModelLineage { weights: bound.digest(), head: head.digest(), features: head.features },
    })
}

fn write_tensors(path: &Path, model: &Bound) -> Result<()> {
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = model
        .tensors()
        .map(|(param, tensor)| (param.name.as_str(), param.shape.clone(), bytes(&tensor.data)))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), data)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    // transformers and timm look for this entry.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(safetensors::serialize_to_file(views, Some(metadata), path)?)
}

/// Features and logits of the probes by what lies in the folder, and nothing else.
fn read_and_run(folder: &Path) -> Result<(Vec<f32>, Vec<f32>)> {
    let assembly: Assembly = serde_json::from_slice(&read_file(&folder.join(CONFIG), MOST_CONFIG)?)?;
    let file = weights::open(&folder.join(WEIGHTS))?;
    let read = |name: &str| -> Result<Tensor> {
        file.read(name)?.with_context(|| format!("the exported folder lacks the tensor `{name}`"))
    };
    let layers = (0..assembly.head.len()).map(|n| {
        let (outputs, inputs) = assembly.head[n];
        Ok(Dense { inputs, outputs, weight: read(&weight_name(n))?.data, bias: read(&bias_name(n))?.data })
    });
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let bound =
        Bound::from_tensors(assembly.network, file.label(), |param| file.read(&param.name).ok().flatten())?;
    let features = parity::run_probes(bound, &assembly.recipe)?;
    let logits = head::logits(&layers, &features);
    Ok((features, logits))
}

fn weight_name(n: usize) -> String {
    format!("head.{n}.weight")
}

fn bias_name(n: usize) -> String {
    format!("head.{n}.bias")
}
