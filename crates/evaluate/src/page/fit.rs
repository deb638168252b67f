//! How the head was fitted, as it recorded it: the sweep, the learning curve.

use head::Head;
use metrics::proportion;
use report::{Estimate, Learning, LearningMetric, Scale, Sweep};
use sample::targets::Task;
use serde_json::Value;

/// How loss changed with the penalty.
pub(super) fn sweep(head: &Head) -> Option<Sweep> {
    let record = head.fit.get("sweep")?;
    let (mut values, mut train, mut held_out) =
        (column(record, "l2")?, column(record, "train_loss")?, column(record, "held_out_loss")?);
    let chosen = usize::try_from(record.get("chosen")?.as_u64()?).ok()?;
    if values.len() < 2 || chosen >= values.len() || [train.len(), held_out.len()] != [values.len(); 2] {
        return None;
    }
    // The head's are in the order of fitting, the largest first; the page wants them rising.
    for column in [&mut values, &mut train, &mut held_out] {
        column.reverse();
    }
    Some(Sweep {
        parameter: "l2".to_owned(),
        metric: loss(head).to_owned(),
        scale: Scale::Loss,
        chosen: values.len() - 1 - chosen,
        values,
        train: bare(train),
        held_out: bare(held_out),
    })
}

/// What a head's loss is: of ridge regressions on labels or numbers a square.
fn loss(head: &Head) -> &'static str {
    let is_square = head.task() != Task::Class && head.fit["head"] != "linear";
    if is_square { "Squared error" } else { "Log loss" }
}

/// How loss and accuracy changed with the number of rows.
pub(super) fn learning(head: &Head) -> Option<Learning> {
    let record = head.fit.get("curve")?;
    let rows = column(record, "rows")?;
    let held_out_rows = record.get("held_out_rows")?.as_u64()?;
    let names = ["train_loss", "held_out_loss", "train_accuracy", "held_out_accuracy"];
    let [train_loss, held_out_loss, train_accuracy, held_out_accuracy] =
        names.map(|name| column(record, name).filter(|column| column.len() == rows.len()));
    let accuracy = |value: f64| {
        let hits = (value * held_out_rows as f64).round() as u64;
        Estimate {
            value,
            interval: proportion(hits, held_out_rows).map(|interval| [interval.low, interval.high]),
        }
    };
    // Numbers have no accuracy.
    let of_accuracy = train_accuracy.zip(held_out_accuracy).map(|(train, held_out)| LearningMetric {
        name: "Accuracy".to_owned(),
        scale: Scale::Share,
        train: bare(train),
        held_out: held_out.into_iter().map(accuracy).collect(),
    });
    let of_loss = LearningMetric {
        name: loss(head).to_owned(),
        scale: Scale::Loss,
        train: bare(train_loss?),
        held_out: bare(held_out_loss?),
    };
    Some(Learning {
        fractions: column(record, "fraction").filter(|column| column.len() == rows.len())?,
        rows: rows.into_iter().map(|rows| rows as u64).collect(),
        metrics: of_accuracy.into_iter().chain([of_loss]).collect(),
    })
}

/// A list of numbers in a record; not a number where something else stands there.
fn column(record: &Value, name: &str) -> Option<Vec<f64>> {
    Some(record.get(name)?.as_array()?.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect())
}

fn bare(values: Vec<f64>) -> Vec<Estimate> {
    values.into_iter().map(Estimate::bare).collect()
}
