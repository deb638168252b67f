//! What the flags come to, checked once.

use crate::{
    args::{Args, To},
    hf::Of,
};
use clap::ValueEnum as _;
use cli::UsageError;
use sample::Split;
use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};
use store::{matrix::Layout, table::TableFormat};

/// A checked job.
pub(crate) struct Config {
    input: PathBuf,
    output: PathBuf,
    weights: Option<PathBuf>,
    tolerance: Option<f64>,
    force: bool,
    job: Job,
    hub: Hub,
}

/// What a folder for other libraries says of the model beside what the head says.
pub(crate) struct Hub {
    license: Option<String>,
    metrics: Option<PathBuf>,
    verify: Option<Verify>,
}

/// A Python that opens the folder, and the pictures that it is shown besides the probes.
pub(crate) struct Verify {
    pub(crate) python: PathBuf,
    /// A data set, and of how many of its samples.
    pub(crate) pictures: Option<(PathBuf, usize)>,
}

impl Hub {
    pub(crate) fn license(&self) -> &str {
        self.license.as_deref().unwrap_or("unknown")
    }

    pub(crate) fn metrics(&self) -> Option<&Path> {
        self.metrics.as_deref()
    }

    pub(crate) fn verify(&self) -> Option<&Verify> {
        self.verify.as_ref()
    }

    /// The flag that was given, where one was.
    fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--license", self.license.is_some()),
            ("--metrics", self.metrics.is_some()),
            ("--verify-with", self.verify.is_some()),
        ];
        flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

/// What to write.
pub(crate) enum Job {
    /// A model as one ONNX file.
    Onnx,
    /// A model as a folder.
    Folder,
    /// A model as a folder that other libraries open.
    Hub(Of),
    /// Features as a matrix or a table.
    Matrix(MatrixJob),
}

/// What of the features, and where.
pub(crate) struct MatrixJob {
    pub(crate) layout: Layout,
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
        let Args {
            input,
            output,
            to,
            weights,
            offline,
            tolerance,
            split,
            rows,
            views,
            license,
            metrics,
            verify_with,
            verify_samples,
            images,
            force,
            common,
        } = args;
        let pictures = images.zip(verify_samples.map(NonZeroUsize::get));
        let verify = verify_with.map(|python| Verify { python, pictures });
        let usage = |text: String| Err(UsageError(text).into());
        let to = to.map_or_else(|| by_extension(&output, &input), Ok)?;
        let shown = input.display();
        let layout = match to {
            To::Onnx | To::Hf | To::Torch => None,
            To::Npy => Some(Layout::Npy),
            To::Parquet => Some(Layout::Parquet),
            To::Arrow => Some(Layout::Arrow),
            // Of a head it is a folder.
            To::Safetensors => {
                (input.is_dir() && output.extension().is_some()).then_some(Layout::Safetensors)
            }
        };
        if layout.is_some() && weights.is_some() {
            return usage("--weights goes with a model, not with features".to_owned());
        }
        if layout.is_none() && (split.is_some() || views) {
            return usage("--split and --views go with features, not with a model".to_owned());
        }
        if rows.is_some() && layout != Some(Layout::Npy) {
            return usage(
                "--rows goes with --to npy: other files of features hold their rows' table".to_owned(),
            );
        }
        if let Some(table) = &rows {
            TableFormat::of(table).map_err(|error| UsageError(error.to_string()))?;
            if *table == output {
                return usage(format!("--rows and --output both name `{}`", table.display()));
            }
        }
        if let (true, Some(to)) = (layout.is_some() && input.is_file(), to.to_possible_value()) {
            let to = to.get_name().to_owned();
            return usage(format!("--to {to} takes a features folder, got the file `{shown}`"));
        }
        if layout.is_none() && input.is_dir() {
            return usage(format!(
                "a model is made of a head, got the folder `{shown}`; for its rows use --to npy, parquet or arrow"
            ));
        }
        if let Some(tolerance) = tolerance.filter(|tolerance| !(0.0..=1.0).contains(tolerance)) {
            return usage(format!("--tolerance takes a number from 0 to 1, got {tolerance}"));
        }
        let hub = Hub { license, metrics, verify };
        if let (Some(flag), false) = (hub.given(), matches!(to, To::Hf | To::Torch)) {
            return usage(format!("{flag} goes with --to hf or --to torch"));
        }
        let job = match (layout, to) {
            (Some(layout), _) => {
                Job::Matrix(MatrixJob { layout, output: output.clone(), split, rows, views, force })
            }
            (None, To::Onnx) => Job::Onnx,
            (None, To::Hf) => Job::Hub(Of::Hub),
            (None, To::Torch) => Job::Hub(Of::Torchvision),
            (None, _) => Job::Folder,
        };
        let fetched = |named: PathBuf| cli::fetched(&named, offline, common.quiet);
        let weights = weights.map(fetched).transpose()?;
        Ok(Config { input, output, weights, tolerance, force, job, hub })
    }

    pub(crate) fn input(&self) -> &Path {
        &self.input
    }

    /// Everything that is read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        let pictures = self.hub.verify().and_then(|verify| verify.pictures.as_ref());
        let pictures = pictures.map(|(path, _)| path.as_path());
        [self.input()].into_iter().chain(self.weights()).chain(self.hub.metrics()).chain(pictures)
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

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub(crate) fn job(&self) -> &Job {
        &self.job
    }
}

fn by_extension(output: &Path, input: &Path) -> Result<To, UsageError> {
    let Some(extension) = output.extension() else { return Ok(To::Safetensors) };
    match extension.to_string_lossy().to_lowercase().as_str() {
        "onnx" => Ok(To::Onnx),
        "npy" => Ok(To::Npy),
        "parquet" => Ok(To::Parquet),
        "arrow" | "feather" => Ok(To::Arrow),
        "safetensors" if input.is_file() => Err(UsageError(
            "a model in safetensors is a folder: name it without extension, or give --to safetensors"
                .to_owned(),
        )),
        "safetensors" => Ok(To::Safetensors),
        other => Err(UsageError(format!(
            "cannot tell what to write from `.{other}`: name the output .onnx, .npy, .parquet, .arrow or .safetensors, a folder without extension, or give --to"
        ))),
    }
}
