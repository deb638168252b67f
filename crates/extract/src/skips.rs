//! Samples that are left out: counted, named, and only so many of them.

use crate::samples::SampleConfig;
use anyhow::{Result, bail};
use cli::count;
use sample::{DataSet, Skipped};
use std::fmt::Display;

/// The samples that were left out so far.
pub(crate) struct Skips {
    /// Those whose names are at fault: nothing was read of them.
    unnamed: Vec<Skipped>,
    skipped: Vec<Skipped>,
    total: usize,
    max_percent: f64,
    stop: bool,
}

/// Lines on stderr before it gets tiring; the index names them all.
const SHOWN: usize = 10;

impl Skips {
    /// Begins with the images that no id could be made of.
    ///
    /// # Errors
    /// Where there are some, and nothing may be skipped.
    pub(crate) fn new(config: &SampleConfig, data: &DataSet) -> Result<Skips> {
        let (unnamed, total) = (data.skipped.clone(), data.samples.len());
        let (max_percent, stop) = (config.max_skipped(), config.stops_on_error());
        match unnamed.first() {
            Some(Skipped { id, reason }) if stop => bail!("`{id}`: {reason}, or leave --on-error fail out"),
            _ => Ok(Skips { unnamed, skipped: Vec::new(), total, max_percent, stop }),
        }
    }

    /// # Errors
    /// Where nothing may be skipped, or too much was.
    pub(crate) fn add(&mut self, id: &str, reason: &dyn Display) -> Result<()> {
        if self.stop {
            bail!("`{id}` {reason}; mend or remove it, or leave --on-error fail out");
        }
        self.skipped.push(Skipped { id: id.to_owned(), reason: reason.to_string() });
        if self.skipped.len() as f64 * 100.0 > self.max_percent * self.total as f64 {
            let Skipped { id, reason } = &self.skipped[0];
            bail!(
                "{} of {} samples cannot be used, more than --max-skipped {} per cent allows; the first is `{id}`: {reason}",
                count(self.skipped.len() as u64),
                count(self.total as u64),
                self.max_percent,
            );
        }
        Ok(())
    }

    /// Everything that was left out, in the order of ids.
    ///
    /// # Errors
    /// Where that is everything.
    pub(crate) fn finish(self) -> Result<Vec<Skipped>> {
        if self.skipped.len() == self.total {
            bail!("none of {} samples can be used", count(self.total as u64));
        }
        let mut all = self.skipped;
        all.extend(self.unnamed);
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }
}

/// A line for each sample that was left out, up to a point.
pub(crate) fn describe(skipped: &[Skipped]) -> Vec<String> {
    let shown = skipped.iter().take(SHOWN).map(|Skipped { id, reason }| format!("skipped `{id}`: {reason}"));
    let more = skipped.len().saturating_sub(SHOWN) as u64;
    let rest = (more > 0).then(|| format!("skipped {} more, named in index.json", count(more)));
    shown.chain(rest).collect()
}
