//! The files that a run writes.

use std::path::Path;

use anyhow::Context;
use head::{HEAD_FILE, Head};
use polars::frame::DataFrame;
use store::{Columns, Ours, Place, distinct, table};

use crate::Config;

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
    format: table::TableFormat,
    place: Place,
}

impl<'a> Outputs<'a> {
    /// Fails where an output exists (without `--force`) or could not be written.
    pub(crate) fn claim(config: &'a Config) -> anyhow::Result<Outputs<'a>> {
        let claim = |path: &Path| {
            anyhow::Ok(Table {
                format: table::TableFormat::of(path)?,
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
