//! Samples that are left out: counted, named, and only so many of them.

use crate::{config::Config, pipeline::Reason};
use anyhow::{Result, bail};
use artifact::Skipped;
use cli::{Session, count};
use dataset::DataSet;

/// The samples that were left out so far.
pub(crate) struct Skips {
    skipped: Vec<Skipped>,
    total: usize,
    max_percent: f64,
    stop: bool,
}

/// Lines on stderr before it gets tiring; the index names them all.
const SHOWN: usize = 10;

impl Skips {
    pub(crate) fn new(config: &Config, total: usize) -> Skips {
        Skips { skipped: Vec::new(), total, max_percent: config.max_skipped(), stop: config.stops_on_error() }
    }

    /// # Errors
    /// Where nothing may be skipped, or too much was.
    pub(crate) fn add(&mut self, session: &Session, id: &str, reason: Reason) -> Result<()> {
        if self.stop {
            bail!("`{id}` {reason}; mend or remove it, or leave --on-error fail out");
        }
        if self.skipped.len() < SHOWN {
            session.note(format!("extract: skipped `{id}`: {reason}"));
        }
        self.skipped.push(Skipped { id: id.to_owned(), reason: reason.to_string() });
        if self.skipped.len() as f64 * 100.0 > self.max_percent * self.total as f64 {
            let Skipped { id, reason } = &self.skipped[0];
            bail!(
                "{} of {} images cannot be used, more than --max-skipped {} per cent allows; the first is `{id}`: {reason}",
                count(self.skipped.len() as u64),
                count(self.total as u64),
                self.max_percent,
            );
        }
        Ok(())
    }

    /// Everything that was left out, in the data set's order.
    ///
    /// # Errors
    /// Where a class, or everything, was left out.
    pub(crate) fn finish(self, data: &DataSet) -> Result<Vec<Skipped>> {
        if self.skipped.len() == data.samples.len() {
            bail!("none of {} images can be used", count(self.total as u64));
        }
        Ok(self.skipped)
    }
}
