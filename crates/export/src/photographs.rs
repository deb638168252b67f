//! Pictures that a model is checked on besides the probes.

use anyhow::Result;
use cli::UsageError;
use sample::{DataSet, Inputs, Sample};
use std::path::PathBuf;

/// How many, unless told otherwise.
const SAMPLES: usize = 200;

/// Some of a data set, evenly spaced.
#[derive(Debug)]
pub(crate) struct Photographs {
    /// The data set, as it was named.
    pub(crate) paths: Vec<PathBuf>,
    samples: usize,
}

impl Photographs {
    /// What `--images` and `--verify-samples` come to.
    ///
    /// # Errors
    /// Where one goes without the other, or there would be none.
    pub(crate) fn new(
        paths: Vec<PathBuf>,
        samples: Option<usize>,
    ) -> Result<Option<Photographs>, UsageError> {
        match samples {
            Some(_) if paths.is_empty() => Err(UsageError("--verify-samples goes with --images".to_owned())),
            Some(0) => Err(UsageError("--verify-samples takes 1 or more, got 0".to_owned())),
            _ if paths.is_empty() => Ok(None),
            _ => Ok(Some(Photographs { paths, samples: samples.unwrap_or(SAMPLES) })),
        }
    }

    /// The pictures; whatever is said of them plays no part.
    ///
    /// # Errors
    /// Where the data set cannot be listed.
    pub(crate) fn open(&self) -> Result<Vec<Sample>> {
        let set = DataSet::open_inputs(&Inputs {
            paths: &self.paths,
            root: None,
            spool: None,
            bare: true,
            texts: None,
        })?;
        let there = set.samples.len();
        let count = self.samples.min(there);
        Ok((0..count).map(|at| set.samples[at * there / count].clone()).collect())
    }
}
