//! The files a run writes, claimed before any work is done.

use sample::LABEL;
use std::io::Write as _;
use std::path::Path;

use features::FeatureSet;
use head::Head;
use polars::prelude::DataFrame;
use sample::targets::Samples as _;
use store::{
    Columns, Ours, Place, distinct,
    table::{TableFormat, TableStream, formula, write_at},
};

use crate::Config;

/// Places of everything that is asked for.
pub(crate) struct Outputs {
    metrics: Table,
    pub(crate) predictions: Option<Table>,
    pub(crate) hardest: Option<Table>,
    pub(crate) suspects: Option<Table>,
    pub(crate) duplicates: Option<Table>,
    pub(crate) report: Option<Place>,
}

/// The columns of metrics, predictions and hardest of each task, suspects, and duplicates.
const TABLE: Ours = Ours::table(
    "a table of evaluate",
    &[
        Columns { first: &["split", "scope", "metric", "class", "value"], more: &["ci_low", "ci_high", "n"] },
        Columns {
            first: &["id", "split", "label", "predicted"],
            more: &[
                "confidence",
                "rejected",
                "accepted",
                "distance",
                "novel",
                "probability",
                "loss",
                "text",
                "probability:",
                "probabilities",
            ],
        },
        Columns {
            first: &["id", "split", "target:"],
            more: &["target:", "predicted:", "expected:", "distance", "novel", "quality", "likely", "text"],
        },
        Columns { first: &["id", "split", "loss"], more: &["text"] },
        Columns {
            first: &["id", "split", "label", "suggested", "quality", "likely"],
            more: &["missing", "wrong", "text"],
        },
        Columns {
            first: &["id", "split", "label", "other_id"],
            more: &["other_split", "other_label", "similarity", "pixels", "leak", "text", "other_text"],
        },
    ],
);

const PAGE: Ours = Ours::file(
    "a report of evaluate",
    &[b"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:"],
);

/// A table's place.
pub(crate) struct Table {
    pub(crate) format: TableFormat,
    place: Place,
}

impl Outputs {
    /// Fails where an output exists (without `--force`) or could not be written.
    pub(crate) fn claim(config: &Config) -> anyhow::Result<Outputs> {
        let table = |path: &Path| Table::claim(path, config.force());
        let outputs = Outputs {
            metrics: table(config.output())?,
            predictions: config.predictions().map(table).transpose()?,
            hardest: config.hardest().map(table).transpose()?,
            suspects: config.suspects().map(table).transpose()?,
            duplicates: config.duplicates().map(table).transpose()?,
            report: config.report().map(|path| Place::file(path, config.force(), PAGE)).transpose()?,
        };
        let all: Vec<&Place> = outputs.places().collect();
        distinct(&all, config.inputs())?;
        Ok(outputs)
    }

    /// What a spreadsheet would run of classes, labels, numbers' names and ids, where any table is CSV.
    pub(crate) fn formula_in(&self, features: &FeatureSet, head: &Head) -> Option<String> {
        let more = [&self.predictions, &self.hardest, &self.suspects, &self.duplicates].into_iter().flatten();
        if !std::iter::once(&self.metrics).chain(more).any(|table| table.format == TableFormat::Csv) {
            return None;
        }
        let ids = features.samples().map(|row| features.id(row));
        let labels = features.column(LABEL);
        let words = labels.iter().flat_map(sample::Column::words).chain(&head.classes).map(String::as_str);
        formula(words.chain(ids)).map(str::to_owned)
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        let tables =
            [&self.predictions, &self.hardest, &self.suspects, &self.duplicates].into_iter().flatten();
        std::iter::once(&self.metrics).chain(tables).map(|table| &table.place).chain(&self.report)
    }

    /// Writes the metrics, and lets all take their places; the others must have been written out in full.
    pub(crate) fn commit(self, metrics: &mut DataFrame) -> anyhow::Result<()> {
        self.metrics.write(metrics)?;
        let tables = [self.predictions, self.hardest, self.suspects, self.duplicates].into_iter().flatten();
        let places = std::iter::once(self.metrics).chain(tables).map(|table| table.place);
        for place in places.chain(self.report) {
            debug_assert!(place.temporary().exists(), "whoever claims a place writes it");
            place.commit()?;
        }
        Ok(())
    }
}

impl Table {
    /// Fails where it exists (without `--force`) or could not be written.
    pub(crate) fn claim(path: &Path, force: bool) -> anyhow::Result<Table> {
        Ok(Table { format: TableFormat::of(path)?, place: Place::file(path, force, TABLE)? })
    }

    /// Where it is written.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Lets it take its place.
    pub(crate) fn commit(self) -> anyhow::Result<()> {
        Ok(self.place.commit()?)
    }

    /// Writes the table out, beside its place.
    pub(crate) fn write(&self, frame: &mut DataFrame) -> anyhow::Result<()> {
        Ok(write_at(frame, self.format, &self.place)?)
    }

    /// Begins to write it some rows at a time.
    pub(crate) fn stream(&self) -> anyhow::Result<TableStream> {
        Ok(TableStream::create(&self.place, self.format)?)
    }
}

/// Writes a page out, beside its place.
pub(crate) fn write_page(page: &str, place: &Place) -> anyhow::Result<()> {
    Ok(place.open()?.write_all(page.as_bytes()).map_err(|error| place.failed(error))?)
}
