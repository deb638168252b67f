//! What a fit leaves behind: the record inside the head, the table beside it.

use std::path::Path;

use anyhow::Context;
use artifact::{Columns, HEAD_FILE, Head, Ours, Place, Task, distinct, table};
use head::{ClassWeights, Quality, Temperature};
use polars::frame::DataFrame;
use serde_json::{Map, Value};

use crate::Config;
use crate::rows::Rows;
use crate::split_rows::SplitRows;

/// The record of a fit that the head carries: settings first, then the outcome.
pub(crate) struct Report(Map<String, Value>);

impl Report {
    /// Begins with what every method has.
    pub(crate) fn new(
        head: &str,
        class_weights: &ClassWeights,
        standardize: bool,
        rows: &Rows<'_>,
    ) -> Report {
        let mut report = Report(Map::new());
        let class_weight: Value = match class_weights {
            ClassWeights::None => "none".into(),
            ClassWeights::Balanced => "balanced".into(),
            ClassWeights::Each(weights) => weights.clone().into(),
        };
        report.set("tool", concat!("fit-head ", env!("CARGO_PKG_VERSION")));
        report.set("head", head);
        report.set("class_weight", class_weight);
        report.set("standardize", standardize);
        report.set_rows(&rows.train.rows, rows.val.as_ref().map(|val| &val.rows));
        report
    }

    /// The same of targets that are no classes.
    pub(crate) fn of_targets(
        head: &str,
        task: Task,
        standardize: bool,
        train: &SplitRows<'_>,
        val: Option<&SplitRows<'_>>,
    ) -> Report {
        let mut report = Report(Map::new());
        report.set("tool", concat!("fit-head ", env!("CARGO_PKG_VERSION")));
        report.set("head", head);
        report.set("target", task.name());
        report.set("standardize", standardize);
        report.set_rows(train, val);
        report
    }

    fn set_rows(&mut self, train: &SplitRows<'_>, val: Option<&SplitRows<'_>>) {
        self.set("train_rows", train.len());
        if train.has_views() {
            self.set("train_samples", train.samples().count());
        }
        self.set("val_rows", val.map_or(0, SplitRows::len));
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Loss and accuracy on a split.
    pub(crate) fn set_quality(&mut self, split: &str, quality: Quality) {
        self.set(&format!("{split}_loss"), quality.loss);
        self.set(&format!("{split}_accuracy"), quality.accuracy);
    }

    /// The temperature that logits were divided by, and what it did to the held-out loss.
    pub(crate) fn set_temperature(&mut self, temperature: Option<Temperature>) {
        if let Some(Temperature { value, before, after }) = temperature {
            self.set("temperature", value);
            self.set("held_out_loss_before_temperature", before);
            self.set("held_out_loss", after);
        }
    }

    /// Records which rows one of `tried` candidates was chosen on, and says it for the last line.
    pub(crate) fn set_choice(&mut self, tried: usize, held: &str, accuracy: f64) -> String {
        self.set("held_out", held);
        let best = if tried == 1 { String::new() } else { format!(", best of {tried}") };
        format!("{best} on {held} (accuracy {:.1} %)", 100.0 * accuracy)
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

/// `train loss 0.1234, accuracy 98.2 %`
pub(crate) fn describe(split: &str, quality: Quality) -> String {
    format!("{split} loss {:.4}, accuracy {:.1} %", quality.loss, 100.0 * quality.accuracy)
}

/// Three digits: our own paths' values have endless ones.
pub(crate) fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// The files a run writes, claimed before any work is done.
pub(crate) struct Outputs<'a> {
    config: &'a Config,
    table: Option<Table>,
    curve: Option<Table>,
}

/// What tables of candidates hold of each.
const EACH: &[&str] = &[
    "l2",
    "shrinkage",
    "neighbours",
    "epoch",
    "iterations",
    "converged",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "held_out_loss",
    "held_out_accuracy",
    "chosen",
];

/// The columns of what methods and curves write.
const TABLE: Ours = Ours::table(
    "a table of fit-head",
    &[
        Columns { first: &["head", "features"], more: EACH },
        Columns { first: &["l2"], more: EACH },
        Columns { first: &["shrinkage"], more: EACH },
        Columns { first: &["chosen"], more: &[] },
        Columns { first: &["train_accuracy", "held_out_accuracy", "chosen"], more: &[] },
        Columns { first: &["neighbours", "val_loss", "val_accuracy"], more: &[] },
        Columns { first: &["epoch", "train_loss"], more: EACH },
        Columns { first: &["rows", "fraction", "l2", "train_loss"], more: EACH },
    ],
);

/// A table's place.
struct Table {
    format: table::Format,
    place: Place,
}

impl<'a> Outputs<'a> {
    /// Fails where an output exists (without `--force`) or could not be written.
    pub(crate) fn claim(config: &'a Config) -> anyhow::Result<Outputs<'a>> {
        let claim = |path: &Path| {
            anyhow::Ok(Table {
                format: table::Format::of(path)?,
                place: Place::file(path, config.force(), TABLE)?,
            })
        };
        let table = config.table().map(claim).transpose()?;
        let curve = config.curve().map(claim).transpose()?;
        // Claimed while the tables' places are held: two may be one file by different spellings.
        let head = Place::file(config.output(), config.force(), HEAD_FILE)?;
        let places: Vec<&Place> =
            table.iter().chain(&curve).map(|table: &Table| &table.place).chain([&head]).collect();
        distinct(&places, config.inputs())?;
        drop(head);
        Ok(Outputs { config, table, curve })
    }

    /// Writes all; none is ever half there, and tables appear only with their head.
    pub(crate) fn write(self, head: &Head, table: DataFrame, curve: Option<DataFrame>) -> anyhow::Result<()> {
        let tables = [self.table.zip(Some(table)), self.curve.zip(curve)];
        let mut places = Vec::new();
        for (Table { format, place }, mut frame) in tables.into_iter().flatten() {
            table::write_at(&mut frame, format, &place)?;
            places.push(place);
        }
        head.write(self.config.output(), self.config.force())?;
        for place in places {
            let target = place.target().to_owned();
            place.commit().with_context(|| format!("cannot write `{}`", target.display()))?;
        }
        Ok(())
    }
}
