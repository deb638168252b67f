//! `headstart inspect FILE`: what any file or folder of ours holds, as people or as programs read it.

use anyhow::{Result, bail};
use backbone::Wanted;
use clap::Parser;
use features::Features;
use head::Head;
use model::Model;
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};
use store::{MappedFile, brief, read_file, table};

/// Print what a file or folder holds: features, a head, a bundle, a model, weights or a table.
///
/// What has a digest is checked in full.
#[derive(Debug, Parser)]
#[command(name = "inspect", version, max_term_width = 110)]
pub(super) struct Args {
    /// NAME.features, NAME.head, NAME.hst, NAME.onnx, a model folder, weights, or a table
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Longer than any description of a model.
const MOST_CONFIG: u64 = 64 << 20;
/// Tensors and classes that are named.
const NAMED: usize = 20;

/// What is said, in order.
type Facts = Vec<(&'static str, Value)>;

/// # Errors
/// Where the file cannot be read, is damaged, or is nothing that is known.
pub(super) fn run(args: &Args) -> Result<()> {
    let facts = facts(&args.file)?;
    let text = if args.json {
        let object: Map<String, Value> =
            facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        serde_json::to_string_pretty(&object)? + "\n"
    } else {
        let mut text = String::new();
        facts.iter().for_each(|(name, value)| tell(name, value, 0, &mut text));
        text
    };
    Ok(cli::print(&text)?)
}

fn facts(path: &Path) -> Result<Facts> {
    if path.is_dir() {
        if path.join("index.json").is_file() {
            return of_features(path);
        }
        if path.join("config.json").is_file() {
            return of_folder(path);
        }
        bail!("`{}` is a folder without index.json or config.json: nothing that is known", path.display());
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if ["csv", "parquet", "json", "jsonl"].contains(&extension) {
        return of_table(path);
    }
    if model::BUNDLE_FILE.is(path) {
        return of_bundle(path);
    }
    if head::HEAD_FILE.is(path) {
        return of_head(&Head::read(path)?);
    }
    if weights::is_onnx(path).unwrap_or(false)
        && let Ok(model) = onnx::read(&MappedFile::open(path)?)
    {
        return of_onnx(&model);
    }
    of_weights(path)
}

fn of_features(path: &Path) -> Result<Facts> {
    let features = Features::open(path)?;
    let index = features.index();
    Ok(vec![
        ("kind", json!("features")),
        ("rows", json!(index.rows)),
        ("width", json!(index.dim)),
        ("stored_as", json!(index.dtype)),
        ("splits", json!(index.splits)),
        ("columns", json!(index.columns)),
        ("source", json!(index.source)),
        ("views", json!(index.views)),
        ("shards", json!(index.shards.len())),
        ("skipped", json!(index.skipped.len())),
        ("lineage", json!(index.lineage)),
        ("digest", json!(features.digest())),
    ])
}

fn of_head(head: &Head) -> Result<Facts> {
    Ok(vec![
        ("kind", json!("head")),
        ("method", json!(head.kind)),
        ("says", json!(head.task().name())),
        ("outputs", json!(head.classes)),
        ("truth", json!(head.targets)),
        ("layers", json!(head.layers.iter().map(|layer| [layer.outputs, layer.inputs]).collect::<Vec<_>>())),
        ("graph", json!(head.graph.as_ref().map(|graph| graph.network().fingerprint()))),
        ("queries", json!(head.pool.as_ref().map(weights::AttentionPool::count))),
        ("remembers", json!(head.memory.as_ref().map(|memory| memory.rows.len() / memory.dim.max(1)))),
        ("reject_threshold", json!(head.reject_threshold())),
        ("label_thresholds", json!(head.label_thresholds())),
        ("novelty_threshold", json!(head.novelty.as_ref().map(|novelty| novelty.threshold))),
        ("fitted_on", json!(head.seen.as_ref().map(head::SeenSamples::len))),
        ("sources", json!(head.sources)),
        ("fit", head.fit.clone()),
        ("features", json!(head.features)),
        ("digest", json!(head.digest())),
    ])
}

fn of_bundle(path: &Path) -> Result<Facts> {
    let Model { head, towers } = Model::open(path, &[])?;
    let networks: Vec<Value> = towers
        .iter()
        .map(|tower| {
            let network = tower.bound.network();
            json!({
                "name": network.name(),
                "parameters": network.parameter_count(),
                "graph": network.fingerprint(),
                "weights": tower.bound.digest(),
                "preprocessing": tower.recipe,
            })
        })
        .collect();
    let mut facts = vec![("kind", json!("bundle")), ("networks", json!(networks))];
    facts.extend(of_head(&head)?.into_iter().skip(1));
    Ok(facts)
}

fn of_onnx(model: &onnx::Model) -> Result<Facts> {
    let metadata: Map<String, Value> = model
        .metadata
        .iter()
        .map(|(key, text)| (key.clone(), serde_json::from_str(text).unwrap_or_else(|_| json!(text))))
        .collect();
    Ok(vec![
        ("kind", json!("ONNX model of export")),
        ("network", json!(model.graph.name)),
        ("operators", json!(model.graph.steps.len())),
        ("metadata", Value::Object(metadata)),
    ])
}

/// A folder of export's, or one as on the Hugging Face hub.
fn of_folder(path: &Path) -> Result<Facts> {
    let config: Value = serde_json::from_slice(&read_file(&path.join("config.json"), MOST_CONFIG)?)?;
    if let Some("headstart-model") = config.get("format").and_then(Value::as_str) {
        let mut config = config;
        // All nodes, which nobody reads.
        config.as_object_mut().and_then(|config| config.remove("network"));
        return Ok(vec![("kind", json!("model folder")), ("config", config)]);
    }
    let mut facts = of_weights(path)?;
    facts.push(("config", config));
    Ok(facts)
}

fn of_weights(path: &Path) -> Result<Facts> {
    let file = weights::open(&weights::file_of(path)?)?;
    let named: Map<String, Value> =
        file.names().into_iter().take(NAMED).map(|name| (name.to_owned(), json!(file.shape(name)))).collect();
    let numbers = |name: &&str| file.shape(name).map_or(0, |shape| shape.iter().product::<usize>());
    let found =
        backbone::find(Wanted { name: None, weights: Some(path), taps: &[], size: None, prepared: false });
    Ok(vec![
        ("kind", json!("weights")),
        ("network", json!(found.as_ref().ok().map(|found| found.name.clone()))),
        ("preprocessing", json!(found.ok().and_then(|found| found.recipe))),
        ("tensors", json!(file.names().len())),
        ("numbers", json!(file.names().iter().map(numbers).sum::<usize>())),
        ("first_tensors", Value::Object(named)),
    ])
}

fn of_table(path: &Path) -> Result<Facts> {
    let table = table::Table::open_all(path, &[])?;
    Ok(vec![
        ("kind", json!("table")),
        ("rows", json!(table.height())),
        ("columns", json!(table.names())),
        ("others", json!(table.left_out())),
    ])
}

/// `name: value`, what is nested two spaces further in; nothing of what is null.
fn tell(name: &str, value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    // Writing to a text does not fail.
    let _ = match value {
        Value::Null => Ok(()),
        Value::Object(fields) if fields.is_empty() => Ok(()),
        Value::Object(fields) => {
            let begun = writeln!(text, "{indent}{name}:");
            fields.iter().for_each(|(name, value)| tell(name, value, depth + 1, text));
            begun
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            for (at, value) in values.iter().enumerate() {
                tell(&format!("{name} {}", at + 1), value, depth, text);
            }
            Ok(())
        }
        Value::Array(values) if values.is_empty() => Ok(()),
        Value::Array(values) => {
            let shown: Vec<String> = values.iter().take(NAMED).map(plain).collect();
            let more = values.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            writeln!(text, "{indent}{name}: {}{more}", shown.join(", "))
        }
        value => writeln!(text, "{indent}{name}: {}", plain(value)),
    };
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => brief::cut(text, 200).into_owned(),
        other => other.to_string(),
    }
}
