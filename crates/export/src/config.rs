//! What the flags come to, checked once.

use crate::args::{Args, Stored, To};
use clap::ValueEnum as _;
use cli::UsageError;
use sample::Split;
use std::path::{Path, PathBuf};
use store::{matrix::Layout, table::TableFormat};

/// Pictures that a model is checked on unless told otherwise.
const SAMPLES: usize = 200;

/// A checked job.
pub(crate) struct Config {
    input: PathBuf,
    output: PathBuf,
    weights: Vec<PathBuf>,
    tolerance: Option<f64>,
    force: bool,
    job: Job,
}

/// What to write.
pub(crate) enum Job {
    /// A model as one ONNX file.
    Onnx(OnnxJob),
    /// A model as a folder.
    Folder,
    /// A model for predict.
    Bundle,
    /// Features as a matrix or a table.
    Matrix(MatrixJob),
}

/// What goes into an ONNX file.
#[derive(Clone, Debug)]
pub(crate) struct OnnxJob {
    /// Whether it takes pictures as they are.
    pub(crate) with_preprocessing: bool,
    /// Whether its weights are f16.
    pub(crate) halves: bool,
    /// Pictures that it is checked on, and on how many.
    pub(crate) images: Vec<PathBuf>,
    pub(crate) samples: usize,
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
            input, output, to, weights, offline, tolerance, split, rows, views, force, common, ..
        } = args;
        let Args { with_preprocessing, images, verify_samples, dtype, .. } = args;
        let onnx_flag = [
            ("--with-preprocessing", with_preprocessing),
            ("--images", !images.is_empty()),
            ("--verify-samples", verify_samples.is_some()),
            ("--dtype", dtype.is_some()),
        ];
        let onnx_flag = onnx_flag.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag));
        let usage = |text: String| Err(UsageError(text).into());
        let to = to.map_or_else(|| by_extension(&output, &input), Ok)?;
        let shown = input.display();
        let layout = match to {
            To::Onnx | To::Bundle => None,
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
        let job = match (layout, to) {
            (Some(layout), _) => {
                Job::Matrix(MatrixJob { layout, output: output.clone(), split, rows, views, force })
            }
            (None, To::Bundle) => Job::Bundle,
            (None, To::Onnx) => Job::Onnx(OnnxJob::new(with_preprocessing, images, verify_samples, dtype)?),
            (None, _) => {
                if weights.len() > 1 {
                    return usage(
                        "a folder holds one backbone: give --weights once, or --to onnx or bundle".to_owned(),
                    );
                }
                Job::Folder
            }
        };
        if let Some(flag) = onnx_flag.filter(|_| !matches!(job, Job::Onnx(_))) {
            return usage(format!("{flag} goes with --to onnx"));
        }
        let fetched = |named: PathBuf| cli::fetched(&named, offline, common.quiet);
        let weights = weights.into_iter().map(fetched).collect::<Result<_, _>>()?;
        Ok(Config { input, output, weights, tolerance, force, job })
    }

    pub(crate) fn input(&self) -> &Path {
        &self.input
    }

    /// Everything that is read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        let images = match &self.job {
            Job::Onnx(job) => &job.images[..],
            _ => &[],
        };
        [self.input()].into_iter().chain(self.weights().iter().chain(images).map(PathBuf::as_path))
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

    pub(crate) fn job(&self) -> &Job {
        &self.job
    }
}

impl OnnxJob {
    /// # Errors
    /// Where flags do not go together.
    fn new(
        with_preprocessing: bool,
        images: Vec<PathBuf>,
        samples: Option<usize>,
        dtype: Option<Stored>,
    ) -> Result<OnnxJob, UsageError> {
        if !images.is_empty() && !with_preprocessing {
            return Err(UsageError("--images goes with --with-preprocessing".to_owned()));
        }
        match samples {
            Some(_) if images.is_empty() => {
                return Err(UsageError("--verify-samples goes with --images".to_owned()));
            }
            Some(0) => return Err(UsageError("--verify-samples takes 1 or more, got 0".to_owned())),
            _ => {}
        }
        let (halves, samples) = (dtype == Some(Stored::F16), samples.unwrap_or(SAMPLES));
        Ok(OnnxJob { with_preprocessing, halves, images, samples })
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
        other => Err(UsageError(format!(
            "cannot tell what to write from `.{other}`: name the output .onnx, .hst, .npy, .parquet, .arrow or .safetensors, a folder without extension, or give --to"
        ))),
    }
}
