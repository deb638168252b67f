//! Rows, from answers that are there.

use super::{Result, Session, Texts, bail, config::RemoteConfig, count};
use crate::tally::Tally;
use endpoint::Journal;
use features::{Complete, EndpointSource, FeaturesWriter, Lineage, Row, endpoint_key};
use pipeline::Assignment;
use sample::{DataSet, Skipped};
use std::path::PathBuf;
use store::DigestBuilder;

/// Rows between two steps of the progress bar.
const STEP: usize = 1024;

/// Features in the making.
pub(super) struct Written<'a> {
    data: &'a DataSet,
    source: EndpointSource,
    assignment: Assignment,
    writer: FeaturesWriter,
    output: PathBuf,
    tally: Tally,
    /// As that of a network: every sample's id, texts, split and content.
    dataset: DigestBuilder,
}

/// Features that only want their place.
pub(super) struct Done {
    complete: Complete,
    output: PathBuf,
    tally: String,
}

impl<'a> Written<'a> {
    pub(super) fn new(
        config: &RemoteConfig,
        data: &'a DataSet,
        source: EndpointSource,
        writer: FeaturesWriter,
    ) -> Written<'a> {
        let classes = data.labels().map_or(0, |labels| labels.words().len());
        Written {
            data,
            source,
            assignment: Assignment { ratios: config.samples.ratios(data), views: None, grows: false },
            writer,
            output: config.output.clone(),
            tally: Tally::new(classes),
            dataset: DigestBuilder::new(),
        }
    }

    /// The rows of all texts that have an answer.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(super) fn push_all(&mut self, texts: &Texts, journal: &mut Journal, session: &Session) -> Result<()> {
        let progress = session.progress(self.data.samples.len() as u64, "row");
        for (at, read) in texts.usable() {
            if (at + 1) % STEP == 0 {
                progress.advance(STEP as u64);
            }
            // The server has refused it.
            let Some(values) = journal.row(&read.text)? else { continue };
            let columns: Vec<&str> = self.data.columns.iter().map(|column| column.text(at)).collect();
            let label = self.data.labels().map(|labels| labels.codes()[at]);
            let sample = &self.data.samples[at];
            let split = self.assignment.split_of(sample, &read.content);
            self.tally.add(split, label);
            self.dataset.field(sample.id.as_bytes());
            for text in &columns {
                self.dataset.field(text.as_bytes());
            }
            self.dataset.field(split.name().as_bytes()).field(read.content.as_bytes());
            let key = endpoint_key(&read.content, &self.source);
            self.writer.push(Row { id: &sample.id, texts: &columns, split, key, values: &values })?;
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Where the disk is full.
    pub(super) fn complete(self, probes: &[f32], skipped: Vec<Skipped>) -> Result<Done> {
        if self.tally.total() == 0 {
            bail!("none of {} samples can be used", count(self.data.samples.len() as u64));
        }
        let tool = concat!("extract ", env!("CARGO_PKG_VERSION")).to_owned();
        let lineage = Lineage { dataset: self.dataset.finish(), tool };
        let classes = self.data.labels().map_or(&[][..], |labels| labels.words());
        let tally = self.tally.line(classes);
        Ok(Done { complete: self.writer.complete(probes, lineage, skipped)?, output: self.output, tally })
    }
}

impl Done {
    /// Moves the folder into its place; gives what is said of it.
    ///
    /// # Errors
    /// Where something has come to lie there meanwhile, or the disk refuses.
    pub(super) fn commit(self) -> Result<[String; 2]> {
        let index = self.complete.commit()?;
        let (rows, dim) = (count(index.rows), count(index.dim as u64));
        let (skips, path) = (count(index.skipped.len() as u64), self.output.display());
        Ok([self.tally, format!("{rows} rows of {dim} features, {skips} skipped → {path}")])
    }
}
