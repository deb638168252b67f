//! The model card: what the folder's README.md says of the model, for people and for the hub.

mod measured;
mod usage;

use super::{HubModel, OWN};
use crate::config::Hub;
pub(super) use measured::Measured;
use sample::targets::Task;
use serde_json::Value;
use std::fmt::Write as _;

/// More classes than these are counted, and not listed.
const MOST_LISTED: usize = 200;

/// The whole of it. `measured`: what `evaluate` wrote; `description`: what `config.json` holds.
///
/// # Errors
/// [`std::fmt::Error`], which a string never gives.
pub(super) fn card(
    model: &HubModel<'_>,
    hub: &Hub,
    name: &str,
    measured: Option<&Measured>,
    description: &Value,
) -> Result<String, std::fmt::Error> {
    let mut text = front(model, hub, name, measured);
    let head = model.head;
    let noun = model.noun();
    let task = match head.task() {
        Task::Class => format!("Says which of some classes a {noun} is of."),
        Task::Labels => format!("Says which of some labels a {noun} bears, any number of them."),
        Task::Numbers => format!("Says numbers of a {noun}."),
    };
    let kind = match head.layers.len() {
        1 => "linear classifier".to_owned(),
        layers => format!("classifier of {layers} dense layers"),
    };
    writeln!(text, "# {name}\n\n{task} A {kind} was fitted on the frozen features of {}.", model.name)?;
    writeln!(text, "\n## Use\n\n{}", usage::usage(model, name))?;
    writeln!(text, "## {}\n", heading(head.task()))?;
    if head.classes.len() <= MOST_LISTED {
        for (i, class) in head.classes.iter().enumerate() {
            writeln!(text, "{i}. {}", plain(class))?;
        }
    } else {
        writeln!(text, "There are {}. `config.json` names them.", head.classes.len())?;
    }
    match measured {
        Some(measured) => text += &measured.tables(noun),
        None => text += "\n## Metrics\n\nNone were given when the folder was written.\n",
    }
    let own = &description[OWN];
    writeln!(text, "\n## Lineage\n\n| what | digest (BLAKE3) |\n|---|---|")?;
    for (what, key) in [("weights of the backbone", "weights"), ("head", "head"), ("features", "features")] {
        writeln!(text, "| {what} | `{}` |", own["lineage"][key].as_str().unwrap_or_default())?;
    }
    writeln!(text, "\nThe features are the backbone's `{}`.", own["tap"].as_str().unwrap_or_default())?;
    writeln!(
        text,
        "On four made-up {noun}s, the logits differ from the cached ones by {:.1e} at most. The largest of them is {:.1}.",
        own["parity"]["logits"].as_f64().unwrap_or(f64::NAN),
        own["parity"]["largest_logit"].as_f64().unwrap_or(f64::NAN),
    )?;
    if let Some(verified) = own.get("verified") {
        text += &verification(verified, noun);
    }
    writeln!(
        text,
        "\n## Licence\n\nOf this folder: {}. The backbone's weights have the licence of whoever published them.",
        hub.license()
    )?;
    Ok(text)
}

/// What the hub reads.
fn front(model: &HubModel<'_>, hub: &Hub, name: &str, measured: Option<&Measured>) -> String {
    let library = match model.library() {
        "torchvision" => "pytorch",
        "timm" => "transformers",
        library => library,
    };
    let mut text = format!("---\nlicense: {}\nlibrary_name: {library}\n", quoted(hub.license()));
    let tag = model.pipeline();
    let _ = writeln!(text, "pipeline_tag: {tag}\ntags:\n- {tag}\n- transfer-learning\n- headstart");
    if model.library() == "timm" {
        text += "- timm\n";
    }
    if let Some(measured) = measured {
        text += &measured.index(name, tag, model.noun());
    }
    text + "---\n\n"
}

fn heading(task: Task) -> &'static str {
    match task {
        Task::Class => "Classes",
        Task::Labels => "Labels",
        Task::Numbers => "Numbers",
    }
}

fn verification(verified: &Value, noun: &str) -> String {
    let text = |key: &str| verified[key].as_str().unwrap_or_default().to_owned();
    let mut line = format!(
        "Opened by {}, the probes' logits differ from ours by {:.1e} at most.\n",
        text("with"),
        verified["probes"].as_f64().unwrap_or(f64::NAN)
    );
    if let Some(count) = verified["samples"].as_u64() {
        let _ = writeln!(
            line,
            "Those of {count} other {noun}s differ by {:.1e} at most, of `{}`.",
            verified[format!("{noun}s")].as_f64().unwrap_or(f64::NAN),
            text("worst")
        );
    }
    line
}

/// A text as YAML has it: JSON's strings are among its own.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A text as a cell of a table, in one line.
fn plain(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    one_line.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}
