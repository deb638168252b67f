//! The files a run writes, claimed before any work is done.

use artifact::Place;
use artifact::table::{Format, write_at};
use polars::prelude::DataFrame;

use crate::Config;

/// Places of the metrics table and, if asked for, of the predictions.
pub(crate) struct Outputs {
    metrics: (Format, Place),
    predictions: Option<(Format, Place)>,
}

impl Outputs {
    /// Fails where an output exists (without `--force`) or could not be written.
    pub(crate) fn claim(config: &Config) -> anyhow::Result<Outputs> {
        let claim = |path| anyhow::Ok((Format::of(path)?, Place::file(path, config.force())?));
        let metrics = claim(config.output())?;
        let predictions = config.predictions().map(claim).transpose()?;
        Ok(Outputs { metrics, predictions })
    }

    /// Writes both tables out in full before either takes its place.
    pub(crate) fn write(
        self,
        metrics: &mut DataFrame,
        predictions: impl FnOnce(Format) -> anyhow::Result<DataFrame>,
    ) -> anyhow::Result<()> {
        let (format, place) = self.metrics;
        write_at(metrics, format, &place)?;
        if let Some((format, place)) = &self.predictions {
            write_at(&mut predictions(*format)?, *format, place)?;
        }
        place.commit()?;
        if let Some((_, place)) = self.predictions {
            place.commit()?;
        }
        Ok(())
    }
}
