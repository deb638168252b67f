//! The features folders being written, one a tap.

use crate::{
    config::Config,
    extractor::Extractor,
    replaced::{Replaced, foreign, unlike, unusable},
    tally::Tally,
};
use anyhow::{Context, Result, anyhow, bail};
use cli::count;
use features::{FeaturesError, FeaturesWriter, Lineage, NetworkSource, NewFeatures, Row, content_key};
use pipeline::{Assignment, Reuse, SampleRun, Seen};
use sample::{DataSet, Skipped};
use std::path::PathBuf;
use store::{DigestBuilder, PlaceError, distinct};

/// Everything that is written.
pub(crate) struct Outputs {
    taps: Vec<TapOutput>,
    assignment: Assignment,
    classes: Vec<String>,
    /// Samples that have rows.
    tally: Tally,
    /// Every sample's id, texts, split and content.
    dataset: DigestBuilder,
    /// Rows that were not computed.
    reused: u64,
    /// Whether finished folders may give some.
    reuses: bool,
}

struct TapOutput {
    path: PathBuf,
    writer: FeaturesWriter,
    source: NetworkSource,
    dim: usize,
    /// What is updated.
    replaced: Option<Replaced>,
}

impl Outputs {
    /// Takes every output's place, before any work is done.
    ///
    /// # Errors
    /// Where one exists (without `--force`) or cannot be written.
    pub(crate) fn create(config: &Config, data: &DataSet, extractor: &Extractor) -> Result<Outputs> {
        let taps = config.taps().zip(extractor.sources()).zip(extractor.embedder().widths());
        let create = |(((_, path), source), &dim): (((&str, &std::path::Path), &NetworkSource), &usize)| {
            let plan = NewFeatures {
                columns: data.columns.iter().map(|column| column.name().to_owned()).collect(),
                dim,
                source: source.clone().into(),
                shard_bytes: config.shard_bytes(),
            };
            let mut writer = FeaturesWriter::create(path, config.replaces(), plan).map_err(name_update)?;
            if let Some(views) = config.views() {
                writer = writer.with_views(views.clone());
            }
            Ok(TapOutput { path: path.to_owned(), writer, source: source.clone(), dim, replaced: None })
        };
        let taps = taps.map(create).collect::<Result<Vec<_>>>()?;
        distinct(&taps.iter().map(|tap| tap.writer.place()).collect::<Vec<_>>(), config.reuse())?;
        let (assignment, dataset) = (config.assignment(data), DigestBuilder::new());
        let classes = data.labels().map_or(Vec::new(), |labels| labels.words().to_vec());
        let tally = Tally::new(classes.len());
        Ok(Outputs {
            taps,
            assignment,
            classes,
            tally,
            dataset,
            reused: 0,
            reuses: config.updates() || config.reuse().next().is_some(),
        })
    }

    /// Rows that need not be computed: what stopped runs of these outputs left, and those of finished folders. Also gives a line
    /// for everything that is not as one might think.
    ///
    /// # Errors
    /// Where a finished folder is none, or its index cannot be read.
    pub(crate) fn earlier(&mut self, config: &Config) -> Result<(Reuse, Vec<String>)> {
        let mut notes = Vec::new();
        let mut taps = Vec::new();
        for tap in &mut self.taps {
            let mut earlier = tap.writer.earlier();
            if let Some(folder) = tap.writer.replaces().filter(|_| config.updates()) {
                let finished = earlier.add(folder).context("cannot update, --force makes it anew")?;
                if let Some(what) = foreign(&tap.source, &finished) {
                    bail!(
                        "`{}` has {what}, so --update would replace all of its rows; give the settings that it was made with, or --force to make it anew",
                        folder.display()
                    );
                }
                notes.extend(unlike(&tap.source, folder, &finished).or_else(|| unusable(folder, &finished)));
                tap.replaced = Some(Replaced::new(&finished));
            } else if config.updates() {
                notes.push(format!("there is no `{}` yet: all images are run", tap.path.display()));
            }
            for folder in config.reuse() {
                let finished = earlier.add(folder)?;
                // One folder may serve several taps, each of which it is unlike but one.
                if config.taps().count() == 1 {
                    notes.extend(unlike(&tap.source, folder, &finished));
                }
                notes.extend(unusable(folder, &finished));
            }
            taps.push((tap.source.clone(), earlier));
        }
        Ok((Reuse::new(taps, self.assignment.views.clone()), notes))
    }

    /// Appends a batch's rows.
    ///
    /// # Errors
    /// Where the disk is full.
    pub(crate) fn push(&mut self, data: &DataSet, batch: &SampleRun) -> Result<()> {
        let run = batch.good.iter().enumerate();
        let run = run.map(|(i, &seen)| (seen, &batch.features, i));
        let known = batch.known.iter().map(|known| (known.seen, &known.features, 0));
        let mut rows: Vec<_> = run.chain(known).collect();
        // In the data set's order again.
        rows.sort_unstable_by_key(|(seen, ..)| (seen.sample, seen.view));
        for (Seen { sample, view, content }, features, i) in rows {
            let texts: Vec<&str> = data.columns.iter().map(|column| column.text(sample)).collect();
            let label = data.labels().map(|labels| labels.codes()[sample]);
            let sample = &data.samples[sample];
            let split = self.assignment.split_of(sample, &content.digest);
            if view == 0 {
                self.tally.add(split, label);
                self.dataset.field(sample.id.as_bytes());
                for text in &texts {
                    self.dataset.field(text.as_bytes());
                }
                self.dataset.field(split.name().as_bytes()).field(content.digest.as_bytes());
            }
            for (tap, features) in self.taps.iter_mut().zip(features) {
                let values = &features[i * tap.dim..][..tap.dim];
                let key = content_key(&content, &tap.source, view, self.assignment.views.as_ref());
                tap.replaced.iter_mut().for_each(|replaced| replaced.meet(&key));
                let row = Row { id: &sample.id, texts: &texts, split, key, values };
                tap.writer.push_view(view, row)?;
            }
        }
        self.reused += batch.known.len() as u64;
        Ok(())
    }

    /// Leaves what was written to the next run.
    ///
    /// # Errors
    /// Where the disk is full.
    pub(crate) fn suspend(self) -> Result<()> {
        // All of them, whatever becomes of the first.
        let suspended: Vec<_> = self.taps.into_iter().map(|tap| tap.writer.suspend()).collect();
        Ok(suspended.into_iter().try_for_each(|suspended| suspended.map(drop))?)
    }

    /// Writes what is left, with the probes' features of each tap, and moves everything into place; gives a line of what they
    /// hold, and one of counts for each.
    ///
    /// # Errors
    /// Where the disk is full.
    pub(crate) fn finish(self, probes: Vec<Vec<f32>>, skipped: &[Skipped]) -> Result<Vec<String>> {
        let tool = concat!("extract ", env!("CARGO_PKG_VERSION")).to_owned();
        let lineage = Lineage { dataset: self.dataset.finish(), tool };
        // All are written in full before the first takes its place: a full disk leaves none of several taps behind.
        let complete = self.taps.into_iter().zip(probes).map(|(tap, probes)| {
            let removed = tap.replaced.as_ref().map(Replaced::removed);
            Ok((tap.path, removed, tap.writer.complete(&probes, lineage.clone(), skipped.to_vec())?))
        });
        let views = self.assignment.views.as_ref().map(|views| {
            let samples = count(self.tally.total());
            format!(" ({samples} samples, those of train in {} views)", count(u64::from(views.count)))
        });
        let views = views.unwrap_or_default();
        let mut lines = vec![self.tally.line(&self.classes)];
        for (path, removed, complete) in complete.collect::<Result<Vec<_>>>()? {
            let index = complete.commit()?;
            let (rows, skips, path) = (count(index.rows), count(skipped.len() as u64), path.display());
            let new = index.rows - self.reused;
            let removed = removed.map(|removed| format!(", removed {}", count(removed))).unwrap_or_default();
            let reused = match self.reused {
                reused if self.reuses => {
                    format!(" (reused {}, new {}{removed})", count(reused), count(new))
                }
                0 => String::new(),
                reused => format!(" ({} reused)", count(reused)),
            };
            lines.push(format!(
                "{rows} rows of {} features{views}{reused}, {skips} skipped → {path}",
                count(index.dim as u64)
            ));
        }
        Ok(lines)
    }
}

/// Names the flag that takes over the rows of what is there.
fn name_update(error: FeaturesError) -> anyhow::Error {
    match error {
        FeaturesError::Place(PlaceError::Exists(path)) => {
            let path = path.display();
            anyhow!(
                "`{path}` exists; give --update to take over its rows, --force to replace it, or another name"
            )
        }
        error => error.into(),
    }
}
