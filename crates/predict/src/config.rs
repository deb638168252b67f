//! What the flags come to, checked once.

use crate::args::{Args, OnError};
use cli::UsageError;
use input::Recipe;
use pipeline::{Device, DeviceName, DeviceRequest, LOOK, PrecisionName};
use sample::{Inputs, TextColumns};
use std::path::{Path, PathBuf};

/// A checked job.
pub(crate) struct Config {
    pub(crate) model: PathBuf,
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) output: Output,
    pub(crate) wanted: Wanted,
    pub(crate) weights: Vec<PathBuf>,
    device: Device,
    /// Whether that was not said.
    finds_device: bool,
    precision: Option<PrecisionName>,
    /// Of texts, and of the second of pairs.
    text_columns: [Option<String>; 2],
    /// Why that is no card, where one was looked for in vain.
    pub(crate) no_card: Option<String>,
    pub(crate) batch: Option<usize>,
    /// Whether a sample that cannot be used ends the run.
    pub(crate) stops_on_error: bool,
    pub(crate) force: bool,
}

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// JSON lines on standard output.
    Stdout,
    /// JSON lines in a file.
    Lines(PathBuf),
    /// A table.
    Table(PathBuf),
}

/// What is said of each sample, beside what is predicted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// So many of the most probable outputs.
    pub(crate) top: usize,
    /// The probabilities of all outputs.
    pub(crate) probabilities: bool,
}

impl Config {
    /// # Errors
    /// [`UsageError`] where flags are wrong or do not go together.
    pub(crate) fn new(args: Args) -> anyhow::Result<Config> {
        let usage = |text: String| Err(UsageError(text).into());
        let Args { model, inputs, output, top, probabilities, weights, offline, root, .. } = args;
        if top == Some(0) {
            return usage("--top takes a number from 1 on".to_owned());
        }
        if let Some(batch) = args.batch.filter(|batch| !(1..=4096).contains(batch)) {
            return usage(format!("--batch takes a number from 1 to 4096, got {batch}"));
        }
        let output = match output.extension().and_then(|extension| extension.to_str()) {
            _ if output == Path::new("-") => Output::Stdout,
            Some("jsonl" | "ndjson") => Output::Lines(output),
            Some("parquet" | "csv") => Output::Table(output),
            _ => {
                let output = output.display();
                return usage(format!(
                    "cannot tell the format of `{output}`: expected .parquet, .csv or .jsonl, or - for standard output"
                ));
            }
        };
        if model.is_dir() {
            let shown = model.display();
            let is_features = if is_features(&model) { "features" } else { "a folder" };
            return usage(format!(
                "`{shown}` is {is_features}; expected a .head or .hst first, then what to predict"
            ));
        }
        let (precision, finds_device) = (args.precision, args.device == DeviceName::Auto);
        let (device, no_card) = settled(DeviceRequest { name: args.device, precision, isa: None })?;
        let quiet = args.common.quiet;
        let fetched = |named: &PathBuf| cli::fetched(named, offline, quiet);
        let config = Config {
            weights: weights.iter().map(fetched).collect::<anyhow::Result<_>>()?,
            model,
            inputs,
            root,
            output,
            wanted: Wanted { top: top.unwrap_or(0), probabilities },
            device,
            finds_device,
            precision,
            text_columns: [args.text_column, args.text_column_2],
            no_card,
            batch: args.batch,
            stops_on_error: args.on_error == OnError::Fail,
            force: args.force,
        };
        let flags = [
            ("--weights", !config.weights.is_empty()),
            ("--root", config.root.is_some()),
            ("--batch", config.batch.is_some()),
            ("--precision", precision.is_some()),
            ("--text-column", config.text_columns.iter().any(Option::is_some)),
        ];
        if let (true, Some((flag, _))) = (config.reads_features(), flags.iter().find(|(_, given)| *given)) {
            return usage(format!("{flag} goes with samples; features need no network"));
        }
        if let Some(input) = config.inputs.iter().find(|input| is_features(input) && !config.reads_features())
        {
            let input = input.display();
            return usage(format!(
                "`{input}` is features, and others are not; predict each in a run of its own"
            ));
        }
        if let (Some(_), [input]) = (&config.root, &config.inputs[..])
            && input.is_dir()
        {
            let input = input.display();
            return usage(format!("--root goes with a manifest or a list of paths; `{input}` is a folder"));
        }
        Ok(config)
    }

    /// Whether rows are there already.
    pub(crate) fn reads_features(&self) -> bool {
        self.inputs.iter().all(|input| is_features(input))
    }

    /// What is to be predicted, as it was named: pictures, or texts.
    ///
    /// # Errors
    /// [`UsageError`] where flags of texts are given for pictures.
    pub(crate) fn samples(&self, are_texts: bool) -> Result<Inputs<'_>, UsageError> {
        let [first, second] = &self.text_columns;
        let columns = TextColumns { first: first.as_deref(), second: second.as_deref() };
        if !are_texts && (first.is_some() || second.is_some()) {
            return Err(UsageError(
                "--text-column goes with a model of texts; this one is of pictures".to_owned(),
            ));
        }
        let root = self.root.as_deref();
        Ok(Inputs { paths: &self.inputs, root, spool: None, bare: true, texts: are_texts.then_some(columns) })
    }

    /// Where a network runs: texts on the processor, unless cards were asked for by name.
    ///
    /// # Errors
    /// [`UsageError`] where the processor has no such precision.
    pub(crate) fn device_for(&self, recipe: &Recipe) -> Result<Device, UsageError> {
        match (recipe, &self.device) {
            (Recipe::Text(_), Device::Cards(..)) if self.finds_device => {
                settled(DeviceRequest { name: DeviceName::Cpu, precision: self.precision, isa: None })
                    .map(|(device, _)| device)
            }
            (_, device) => Ok(device.clone()),
        }
    }

    /// Everything that is read, but for pictures.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let inputs = self.inputs.iter().filter(|input| **input != Path::new("-"));
        inputs.chain(&self.weights).chain([&self.model]).map(PathBuf::as_path)
    }
}

/// Whether a folder is one that extract wrote.
fn is_features(path: &Path) -> bool {
    path.join("index.json").is_file()
}

/// What runs networks, and why that is no card where one was looked for in vain.
fn settled(request: DeviceRequest) -> Result<(Device, Option<String>), UsageError> {
    request.settle(LOOK).map_err(|error| UsageError(error.to_string()))
}
