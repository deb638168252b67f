//! Samples that a model is checked on besides the probes.

use anyhow::Result;
use cli::UsageError;
use sample::{DataSet, Inputs, Sample, TextColumns};
use std::path::PathBuf;

/// How many, unless told otherwise.
const SAMPLES: usize = 200;

/// Some of a data set, evenly spaced.
#[derive(Debug)]
pub(crate) struct Samples {
    /// The data set, as it was named.
    pub(crate) paths: Vec<PathBuf>,
    /// Of texts, the columns that hold them and the second of pairs, where they were named.
    columns: Option<[Option<String>; 2]>,
    count: usize,
}

impl Samples {
    /// What `--images`, `--texts` and `--verify-samples` come to. `columns`: of texts, and of the second of pairs.
    ///
    /// # Errors
    /// Where one goes without the other, or there would be none.
    pub(crate) fn new(
        images: Vec<PathBuf>,
        texts: Vec<PathBuf>,
        columns: [Option<String>; 2],
        count: Option<usize>,
    ) -> Result<Option<Samples>, UsageError> {
        let usage = |text: &str| Err(UsageError(text.to_owned()));
        let (paths, columns) = match (images.is_empty(), texts.is_empty()) {
            (false, false) => return usage("--images and --texts do not go together"),
            (true, false) => (texts, Some(columns)),
            _ => (images, None),
        };
        match count {
            Some(_) if paths.is_empty() => usage("--verify-samples goes with --images or --texts"),
            Some(0) => usage("--verify-samples takes 1 or more, got 0"),
            _ if paths.is_empty() => Ok(None),
            _ => Ok(Some(Samples { paths, columns, count: count.unwrap_or(SAMPLES) })),
        }
    }

    /// The flag that named them.
    pub(crate) fn flag(&self) -> &'static str {
        if self.columns.is_some() { "--texts" } else { "--images" }
    }

    /// The samples; whatever is said of them plays no part.
    ///
    /// # Errors
    /// Where the data set cannot be listed.
    pub(crate) fn open(&self) -> Result<Vec<Sample>> {
        let texts = self
            .columns
            .as_ref()
            .map(|[first, second]| TextColumns { first: first.as_deref(), second: second.as_deref() });
        let set =
            DataSet::open_inputs(&Inputs { paths: &self.paths, root: None, spool: None, bare: true, texts })?;
        let there = set.samples.len();
        let count = self.count.min(there);
        Ok((0..count).map(|at| set.samples[at * there / count].clone()).collect())
    }
}
