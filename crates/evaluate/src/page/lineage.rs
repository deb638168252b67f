//! What everything was made from.

use report::{LineageEntry, LineageGroup};
use serde_json::Value;

use super::Material;

/// What the page draws instead of listing it.
const DRAWN: [&str; 2] = ["sweep", "curve"];

pub(super) fn of(material: &Material<'_>) -> Vec<LineageGroup> {
    let Material { features, head, config, .. } = material;
    let index = features.index();
    let source = &index.source;
    let preprocessing = serde_json::to_string(&source.preprocessing).unwrap_or_default();
    let splits: Vec<String> = index.splits.iter().map(|(split, rows)| format!("{split} {rows}")).collect();
    let views = index.views.as_ref().map(|views| {
        let augment: Vec<&str> = views.augment.iter().map(|augment| augment.name()).collect();
        format!("; train samples in {} views ({}, seed {})", views.count, augment.join(", "), views.seed)
    });
    let settings =
        head.fit.as_object().into_iter().flatten().filter(|(key, _)| !DRAWN.contains(&key.as_str()));
    vec![
        group(
            "Data",
            [
                ("rows", format!("{} ({}){}", index.rows, splits.join(", "), views.unwrap_or_default())),
                ("left out", format!("{} samples", index.skipped.len())),
                ("data set", index.lineage.dataset.to_string()),
                ("features", features.digest().to_string()),
                ("made by", index.lineage.tool.clone()),
            ],
        ),
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
        ),
        group("Head", [("head", head.digest().to_string()), ("fitted on", head.features.to_string())]),
        group("Fit", settings.map(|(key, value)| (key.as_str(), text(value)))),
        group(
            "This page",
            [
                ("made by", concat!("evaluate ", env!("CARGO_PKG_VERSION")).to_owned()),
                ("samples drawn anew for intervals", {
                    let bootstrap = config.bootstrap(material.scores.outcomes.rows());
                    format!("{} (seed {})", bootstrap.replicates, bootstrap.seed)
                }),
            ],
        ),
    ]
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
