//! What a run is to do: the arguments, checked against one another.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use artifact::Split;
use artifact::table::Format;
use cli::UsageError;

use crate::Args;

/// What `--split` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitChoice {
    /// One split.
    One(Split),
    /// Every split that has rows, each by itself.
    All,
}

/// A checked run.
#[derive(Clone, Debug)]
pub struct Config {
    features: PathBuf,
    head: PathBuf,
    output: PathBuf,
    predictions: Option<PathBuf>,
    split: Option<SplitChoice>,
    force: bool,
}

impl Config {
    /// Checks what each argument alone could not tell.
    ///
    /// # Errors
    /// An output without a known extension, or both outputs in one file.
    pub fn new(args: Args) -> Result<Config, UsageError> {
        let Args { features, head, output, split, predictions, force, .. } = args;
        let config = Config { features, head, output, predictions, split, force };
        for path in config.outputs() {
            Format::of(path).map_err(|error| UsageError(error.to_string()))?;
        }
        if config.predictions.as_ref() == Some(&config.output) {
            let path = config.output.display();
            return Err(UsageError(format!("--predictions and --output both name `{path}`")));
        }
        Ok(config)
    }

    /// The features folder to read.
    pub fn features(&self) -> &Path {
        &self.features
    }

    /// The head to read.
    pub fn head(&self) -> &Path {
        &self.head
    }

    /// The metrics table to write.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The predictions to write.
    pub fn predictions(&self) -> Option<&Path> {
        self.predictions.as_deref()
    }

    /// Everything to write.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.output()).chain(self.predictions())
    }

    /// The rows asked for.
    pub fn split(&self) -> Option<SplitChoice> {
        self.split
    }

    /// Whether to replace existing outputs.
    pub fn force(&self) -> bool {
        self.force
    }
}

impl FromStr for SplitChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(SplitChoice::All),
            _ => Split::parse(text)
                .map(SplitChoice::One)
                .ok_or_else(|| format!("expected train, val, test or all, got `{text}`")),
        }
    }
}
