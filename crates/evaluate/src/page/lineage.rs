//! What everything was made from.

use features::{FeatureSet, Features, NetworkSource, Source};
use head::Head;
use report::{LineageEntry, LineageGroup};
use serde_json::Value;

/// What the page draws or says in other words instead of listing it.
const DRAWN: [&str; 3] = ["sweep", "curve", "candidates"];

/// Groups of what made the features, the head and the page.
pub(super) fn of(features: &FeatureSet, head: &Head) -> Vec<LineageGroup> {
    let settings =
        head.fit.as_object().into_iter().flatten().filter(|(key, _)| !DRAWN.contains(&key.as_str()));
    let mut groups = Vec::new();
    for part in features.parts() {
        groups.extend([data(part), source(part)]);
    }
    groups.extend([
        group("Head", [("head", head.digest().to_string()), ("fitted on", head.features.to_string())]),
        group("Fit", settings.map(|(key, value)| (key.as_str(), text(value)))),
        group(
            "Tried on held-out rows",
            tried(head).iter().map(|(name, found)| (name.as_str(), found.clone())),
        ),
        group("This page", [("made by", concat!("evaluate ", env!("CARGO_PKG_VERSION")).to_owned())]),
    ]);
    groups.retain(|group| !group.entries.is_empty());
    groups
}

/// What the head was chosen from, and how each did: `linear on resnet18 (tap pooled)`, `log loss 0.5321, accuracy 86.0 %`.
fn tried(head: &Head) -> Vec<(String, String)> {
    let record = &head.fit["candidates"];
    let all = record["tried"].as_array().into_iter().flatten().enumerate();
    all.map(|(at, one)| {
        let features: Vec<&str> =
            one["features"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let name = format!("{} on {}", one["head"].as_str().unwrap_or_default(), features.join(" + "));
        // Numbers have no accuracy, and their loss is the squared error in standard deviations.
        let accuracy = one["held_out_accuracy"].as_f64();
        let what = if accuracy.is_some() { "log loss" } else { "squared error" };
        let loss = one["held_out_loss"].as_f64().map(|loss| format!("{what} {loss:.4}"));
        let accuracy = accuracy.map(|accuracy| format!("accuracy {:.1} %", 100.0 * accuracy));
        let chosen = if record["chosen"] == at { " (chosen)" } else { "" };
        (name, loss.into_iter().chain(accuracy).collect::<Vec<_>>().join(", ") + chosen)
    })
    .collect()
}

fn data(features: &Features) -> LineageGroup {
    let index = features.index();
    let splits: Vec<String> = index.splits.iter().map(|(split, rows)| format!("{split} {rows}")).collect();
    let views = index.views.as_ref().map(|views| {
        let augment: Vec<&str> = views.augment.iter().map(|augment| augment.name()).collect();
        format!("; train samples in {} views ({}, seed {})", views.count, augment.join(", "), views.seed)
    });
    group(
        "Data",
        [
            ("rows", format!("{} ({}){}", index.rows, splits.join(", "), views.unwrap_or_default())),
            ("left out", format!("{} samples", index.skipped.len())),
            ("data set", index.lineage.dataset.to_string()),
            ("features", features.digest().to_string()),
            ("made by", index.lineage.tool.clone()),
        ],
    )
}

fn source(features: &Features) -> LineageGroup {
    match &features.index().source {
        Source::Network(source) => network(source),
        Source::Endpoint(source) => group(
            "Endpoint",
            [
                ("model", source.model.clone()),
                ("dimensions", source.dimensions.map_or("the model's own".to_owned(), |n| n.to_string())),
                ("answers to made-up sentences", source.probes.to_string()),
                ("stored as", source.dtype.to_string()),
            ],
        ),
        Source::Given(given) => {
            group("Rows", [("called", given.rows.clone()), ("stored as", given.dtype.to_string())])
        }
    }
}

fn network(source: &NetworkSource) -> LineageGroup {
    let preprocessing = serde_json::to_string(&source.recipe).unwrap_or_default();
    group(
        "Network",
        [
            ("backbone", source.backbone.clone()),
            ("tap", source.tap.clone()),
            ("graph", source.network.to_string()),
            ("weights", source.weights.to_string()),
            ("preprocessing", preprocessing),
            ("stored as", source.dtype.to_string()),
            ("engine", source.engine.clone()),
        ],
    )
}

fn group<'a>(title: &str, entries: impl IntoIterator<Item = (&'a str, String)>) -> LineageGroup {
    let entry = |(key, value): (&str, String)| LineageEntry { key: key.to_owned(), value };
    LineageGroup { title: title.to_owned(), entries: entries.into_iter().map(entry).collect() }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
