//! What the flags come to, checked once.

use crate::{
    args::{Args, Stored, To},
    hub::Of,
    samples::Samples,
};
use clap::ValueEnum as _;
use cli::UsageError;
use sample::Split;
use std::path::{Path, PathBuf};
use store::{matrix::Layout, table::TableFormat};

/// A checked job.
pub(crate) struct Config {
    input: PathBuf,
    output: PathBuf,
    weights: Vec<PathBuf>,
    tolerance: Option<f64>,
    force: bool,
    job: Job,
    hub: Hub,
    samples: Option<Samples>,
}

/// What a folder for other libraries says of the model beside what the head says.
pub(crate) struct Hub {
    license: Option<String>,
    metrics: Option<PathBuf>,
    /// A Python that opens the folder.
    verify_with: Option<PathBuf>,
}

impl Hub {
    pub(crate) fn license(&self) -> &str {
        self.license.as_deref().unwrap_or("unknown")
    }

    pub(crate) fn metrics(&self) -> Option<&Path> {
        self.metrics.as_deref()
    }

    pub(crate) fn verify_with(&self) -> Option<&Path> {
        self.verify_with.as_deref()
    }

    /// The flag that was given, where one was.
    fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--license", self.license.is_some()),
            ("--metrics", self.metrics.is_some()),
            ("--verify-with", self.verify_with.is_some()),
        ];
        flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

/// What to write.
pub(crate) enum Job {
    /// A model as one ONNX file.
    Onnx(OnnxJob),
    /// A model as a folder.
    Folder,
    /// A model for predict.
    Bundle,
    /// A model as a folder that other libraries open.
    Hub(Of),
    /// Features as a matrix or a table.
    Matrix(MatrixJob),
}

/// What goes into an ONNX file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnnxJob {
    /// Whether it takes pictures as they are.
    pub(crate) with_preprocessing: bool,
    /// Whether its weights are f16.
    pub(crate) halves: bool,
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
            with_preprocessing,
            images,
            texts,
            text_column,
            text_column_2,
            verify_samples,
            dtype,
            tolerance,
            split,
            rows,
            views,
            license,
            metrics,
            verify_with,
            force,
            common,
        } = args;
        let usage = |text: String| Err(UsageError(text).into());
        let to = to.map_or_else(|| by_extension(&output, &input), Ok)?;
        let shown = input.display();
        let layout = match to {
            To::Onnx | To::Bundle | To::Hf | To::Torch | To::Keras => None,
            To::Npy => Some(Layout::Npy),
            To::Parquet => Some(Layout::Parquet),
            To::Arrow => Some(Layout::Arrow),
            // Of a head it is a folder.
            To::Safetensors => {
                (input.is_dir() && output.extension().is_some()).then_some(Layout::Safetensors)
            }
        };
        if layout.is_some() && !weights.is_empty() {
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
        let samples = Samples::new(images, texts, [text_column, text_column_2], verify_samples)?;
        let hub = Hub { license, metrics, verify_with };
        let onnx = OnnxJob { with_preprocessing, halves: dtype == Some(Stored::F16) };
        let onnx_flag = [("--with-preprocessing", with_preprocessing), ("--dtype", dtype.is_some())];
        let onnx_flag = onnx_flag.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag));
        if let (Some(flag), false) = (onnx_flag, to == To::Onnx) {
            return usage(format!("{flag} goes with --to onnx"));
        }
        if let (Some(flag), false) = (hub.given(), matches!(to, To::Hf | To::Torch | To::Keras)) {
            return usage(format!("{flag} goes with --to hf, torch or keras"));
        }
        match samples.as_ref().map(Samples::flag) {
            Some("--texts") if hub.verify_with().is_none() => {
                return usage("--texts goes with --verify-with".to_owned());
            }
            Some("--images") if !with_preprocessing && hub.verify_with().is_none() => {
                return usage("--images goes with --with-preprocessing or --verify-with".to_owned());
            }
            _ => {}
        }
        if weights.len() > 1 && layout.is_none() && !matches!(to, To::Onnx | To::Bundle) {
            return usage(
                "a folder holds one backbone: give --weights once, or --to onnx or bundle".to_owned(),
            );
        }
        let job = match (layout, to) {
            (Some(layout), _) => {
                Job::Matrix(MatrixJob { layout, output: output.clone(), split, rows, views, force })
            }
            (None, To::Onnx) => Job::Onnx(onnx),
            (None, To::Bundle) => Job::Bundle,
            (None, To::Hf) => Job::Hub(Of::Hub),
            (None, To::Torch) => Job::Hub(Of::Torchvision),
            (None, To::Keras) => Job::Hub(Of::Keras),
            (None, _) => Job::Folder,
        };
        let fetched = |named: PathBuf| cli::fetched(&named, offline, common.quiet);
        let weights = weights.into_iter().map(fetched).collect::<Result<_, _>>()?;
        Ok(Config { input, output, weights, tolerance, force, job, hub, samples })
    }

    pub(crate) fn input(&self) -> &Path {
        &self.input
    }

    /// Everything that is read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        let samples = self.samples.iter().flat_map(|samples| &samples.paths);
        let files = self.weights().iter().chain(samples).map(PathBuf::as_path);
        [self.input()].into_iter().chain(files).chain(self.hub.metrics())
    }

    pub(crate) fn output(&self) -> &Path {
        &self.output
    }

    pub(crate) fn weights(&self) -> &[PathBuf] {
        &self.weights
    }

    pub(crate) fn tolerance(&self) -> Option<f64> {
        self.tolerance
    }

    pub(crate) fn force(&self) -> bool {
        self.force
    }

    /// Samples that the model is checked on, where some are given.
    pub(crate) fn samples(&self) -> Option<&Samples> {
        self.samples.as_ref()
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
        "hst" => Ok(To::Bundle),
        "npy" => Ok(To::Npy),
        "parquet" => Ok(To::Parquet),
        "arrow" | "feather" => Ok(To::Arrow),
        "safetensors" if input.is_file() => Err(UsageError(
            "a model in safetensors is a folder: name it without extension, or give --to safetensors"
                .to_owned(),
        )),
        "safetensors" => Ok(To::Safetensors),
        "keras" => Err(UsageError(
            "a model of Keras' is a folder, with its classes beside it: name it without extension, and give --to keras".to_owned(),
        )),
        other => Err(UsageError(format!(
            "cannot tell what to write from `.{other}`: name the output .onnx, .hst, .npy, .parquet, .arrow or .safetensors, a folder without extension, or give --to"
        ))),
    }
}
