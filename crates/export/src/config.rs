//! What the flags come to, checked once.

use crate::args::{Args, To};
use cli::UsageError;
use sample::Split;
use std::path::{Path, PathBuf};
use store::table::TableFormat;

/// A checked job.
pub(crate) struct Config {
    input: PathBuf,
    output: PathBuf,
    weights: Option<PathBuf>,
    tolerance: Option<f64>,
    force: bool,
    job: Job,
}

/// What to write.
pub(crate) enum Job {
    /// A model as one ONNX file.
    Onnx,
    /// A model as a folder.
    Folder,
    /// Features as a matrix.
    Matrix(MatrixJob),
}

/// What of the features, and where.
pub(crate) struct MatrixJob {
    pub(crate) output: PathBuf,
    pub(crate) split: Option<Split>,
    pub(crate) rows: Option<PathBuf>,
    /// Whether augmented views are wanted.
    pub(crate) views: bool,
    pub(crate) force: bool,
}

impl Config {
    /// # Errors
    /// [`UsageError`] where flags are wrong or do not go together.
    pub(crate) fn new(args: Args) -> anyhow::Result<Config> {
        let Args { input, output, to, weights, offline, tolerance, split, rows, views, force, common } = args;
        let usage = |text: String| Err(UsageError(text).into());
        let to = to.map_or_else(|| by_extension(&output), Ok)?;
        let shown = input.display();
        if to == To::Npy && weights.is_some() {
            return usage("--weights goes with a model, not with --to npy".to_owned());
        }
        if to != To::Npy && (split.is_some() || rows.is_some() || views) {
            return usage("--split, --rows and --views go with --to npy".to_owned());
        }
        if let Some(table) = &rows {
            TableFormat::of(table).map_err(|error| UsageError(error.to_string()))?;
            if *table == output {
                return usage(format!("--rows and --output both name `{}`", table.display()));
            }
        }
        if to == To::Npy && input.is_file() {
            return usage(format!("--to npy takes a features folder, got the file `{shown}`"));
        }
        if to != To::Npy && input.is_dir() {
            return usage(format!(
                "a model is made of a head, got the folder `{shown}`; for its matrix use --to npy"
            ));
        }
        if let Some(tolerance) = tolerance.filter(|tolerance| !(0.0..=1.0).contains(tolerance)) {
            return usage(format!("--tolerance takes a number from 0 to 1, got {tolerance}"));
        }
        let job = match to {
            To::Onnx => Job::Onnx,
            To::Safetensors => Job::Folder,
            To::Npy => Job::Matrix(MatrixJob { output: output.clone(), split, rows, views, force }),
        };
        let fetched = |named: PathBuf| cli::fetched(&named, offline, common.quiet);
        let weights = weights.map(fetched).transpose()?;
        Ok(Config { input, output, weights, tolerance, force, job })
    }

    pub(crate) fn input(&self) -> &Path {
        &self.input
    }

    /// Everything that is read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        [self.input()].into_iter().chain(self.weights())
    }

    pub(crate) fn output(&self) -> &Path {
        &self.output
    }

    pub(crate) fn weights(&self) -> Option<&Path> {
        self.weights.as_deref()
    }

    pub(crate) fn tolerance(&self) -> Option<f64> {
        self.tolerance
    }

    pub(crate) fn force(&self) -> bool {
        self.force
    }

    pub(crate) fn job(&self) -> &Job {
        &self.job
    }
}

fn by_extension(output: &Path) -> Result<To, UsageError> {
    let Some(extension) = output.extension() else { return Ok(To::Safetensors) };
    match extension.to_string_lossy().to_lowercase().as_str() {
        "onnx" => Ok(To::Onnx),
        "npy" => Ok(To::Npy),
        other => Err(UsageError(format!(
            "cannot tell what to write from `.{other}`: name the output .onnx or .npy, a folder without extension, or give --to"
        ))),
    }
}
