//! The files a run writes, claimed before any work is done.

use std::fs;
use std::path::Path;

use artifact::Place;
use artifact::table::{Format, write_at};
use polars::prelude::DataFrame;

use crate::Config;
use crate::stream::Stream;

/// Places of everything that is asked for.
pub(crate) struct Outputs {
    metrics: Table,
    pub(crate) predictions: Option<Table>,
    pub(crate) hardest: Option<Table>,
    pub(crate) suspects: Option<Table>,
    pub(crate) duplicates: Option<Table>,
    pub(crate) report: Option<Place>,
}

/// A table's place.
pub(crate) struct Table {
    pub(crate) format: Format,
    place: Place,
}

impl Outputs {
    /// Fails where an output exists (without `--force`) or could not be written.
    pub(crate) fn claim(config: &Config) -> anyhow::Result<Outputs> {
        let table = |path: &Path| {
            anyhow::Ok(Table { format: Format::of(path)?, place: Place::file(path, config.force())? })
        };
        Ok(Outputs {
            metrics: table(config.output())?,
            predictions: config.predictions().map(table).transpose()?,
            hardest: config.hardest().map(table).transpose()?,
            suspects: config.suspects().map(table).transpose()?,
            duplicates: config.duplicates().map(table).transpose()?,
            report: config.report().map(|path| Place::file(path, config.force())).transpose()?,
        })
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
    /// Writes the table out, beside its place.
    pub(crate) fn write(&self, frame: &mut DataFrame) -> anyhow::Result<()> {
        Ok(write_at(frame, self.format, &self.place)?)
    }

    /// Begins to write it some rows at a time.
    pub(crate) fn stream(&self) -> anyhow::Result<Stream<'_>> {
        Stream::create(&self.place, self.format)
    }
}

/// Writes a page out, beside its place.
pub(crate) fn write_page(page: &str, place: &Place) -> anyhow::Result<()> {
    Ok(fs::write(place.temporary(), page).map_err(|error| place.failed(error))?)
}
