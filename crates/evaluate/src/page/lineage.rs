//! What everything was made from, and how the penalty was chosen.

use artifact::Head;
use report::{Estimate, LineageEntry, LineageGroup, Scale, Sweep};
use serde_json::Value;

use super::Material;

pub(super) fn of(material: &Material<'_>) -> Vec<LineageGroup> {
    let Material { features, head, config, .. } = material;
    let index = features.index();
    let source = &index.source;
    let preprocessing = serde_json::to_string(&source.preprocessing).unwrap_or_default();
    let splits: Vec<String> = index.splits.iter().map(|(split, rows)| format!("{split} {rows}")).collect();
    let settings = head.fit.as_object().into_iter().flatten().filter(|(key, _)| *key != "sweep");
    vec![
        group(
            "Data",
            [
                ("rows", format!("{} ({})", index.rows, splits.join(", "))),
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

/// How loss changed with the penalty, as the head recorded it.
pub(super) fn sweep(head: &Head) -> Option<Sweep> {
    let record = head.fit.get("sweep")?;
    let column = |name: &str| -> Option<Vec<f64>> {
        record.get(name)?.as_array()?.iter().map(|value| Some(value.as_f64().unwrap_or(f64::NAN))).collect()
    };
    let (mut values, mut train, mut held_out) =
        (column("l2")?, column("train_loss")?, column("held_out_loss")?);
    let chosen = usize::try_from(record.get("chosen")?.as_u64()?).ok()?;
    if values.len() < 2 || chosen >= values.len() || [train.len(), held_out.len()] != [values.len(); 2] {
        return None;
    }
    // The head's are in the order of fitting, the largest first; the page wants them rising.
    for column in [&mut values, &mut train, &mut held_out] {
        column.reverse();
    }
    let bare = |values: Vec<f64>| values.into_iter().map(Estimate::bare).collect();
    Some(Sweep {
        parameter: "l2".to_owned(),
        metric: "Log loss".to_owned(),
        scale: Scale::Loss,
        chosen: values.len() - 1 - chosen,
        values,
        train: bare(train),
        held_out: bare(held_out),
    })
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
