//! Which samples there are, and what becomes of those that cannot be used.

use crate::args::{Args, OnError, Part};
use cli::UsageError;
use sample::{DataSet, Inputs, Ratios, TextColumns};
use std::{
    mem,
    path::{Path, PathBuf},
};

/// How samples without a split are shared out, where nothing else is said.
pub(crate) const RATIOS: Ratios = Ratios { train: 80, val: 10, test: 10 };

/// What the flags of samples come to.
pub(crate) struct SampleConfig {
    /// One, or several shards.
    inputs: Vec<PathBuf>,
    /// What a manifest's or a list's paths are relative to, if not its own folder.
    root: Option<PathBuf>,
    /// Of texts, and of the second of pairs.
    text_columns: [Option<String>; 2],
    are_texts: bool,
    split: Option<Ratios>,
    part: Option<Part>,
    on_error: OnError,
    max_skipped: f64,
    /// The folder that outputs go to.
    beside: PathBuf,
}

impl SampleConfig {
    /// Takes the flags of samples.
    ///
    /// # Errors
    /// [`UsageError`] where they are wrong or do not go together.
    pub(crate) fn new(args: &mut Args, output: &Path, are_texts: bool) -> Result<SampleConfig, UsageError> {
        let usage = |text: String| Err(UsageError(text));
        let inputs = mem::take(&mut args.inputs);
        let root = args.root.take();
        if !(0.0..=100.0).contains(&args.max_skipped) {
            return usage(format!("--max-skipped takes per cents from 0 to 100, got {}", args.max_skipped));
        }
        if let Some(root) = &root {
            if !root.is_dir() {
                return usage(format!("--root: `{}` is no folder", root.display()));
            }
            if let Some(input) = inputs.iter().find(|input| input.is_dir()) {
                return usage(format!(
                    "--root goes with a manifest or a list of paths; `{}` is a folder",
                    input.display()
                ));
            }
        }
        if let Some(input) = inputs.iter().find(|input| lies_within(output, input)) {
            let (output, input) = (output.display(), input.display());
            return usage(format!(
                "`{output}` lies within `{input}`, where the next run would take it for samples; give another place"
            ));
        }
        Ok(SampleConfig {
            inputs,
            root,
            text_columns: [args.text_column.take(), args.text_column_2.take()],
            are_texts,
            split: args.split,
            part: args.part,
            on_error: args.on_error,
            max_skipped: args.max_skipped,
            beside: folder_of(output).to_owned(),
        })
    }

    /// Refuses `--split` for data that has splits of its own.
    pub(crate) fn check_splits(&self, data: &DataSet) -> Result<(), UsageError> {
        if self.split.is_some() && data.samples.iter().any(|sample| sample.split.is_some()) {
            let input = self.name();
            let input = input.display();
            return Err(UsageError(format!("`{input}` has splits of its own; leave --split out")));
        }
        Ok(())
    }

    /// The samples of this run.
    ///
    /// # Errors
    /// [`UsageError`] where there are fewer samples than parts.
    pub(crate) fn part_of(&self, data: DataSet) -> Result<DataSet, UsageError> {
        match self.part {
            Some(Part { count, .. }) if count > data.samples.len() => {
                let (input, samples) = (self.name(), data.samples.len());
                let input = input.display();
                Err(UsageError(format!("`{input}` has {samples} samples, too few for {count} parts")))
            }
            Some(Part { index, count }) => Ok(data.part(index, count)),
            None => Ok(data),
        }
    }

    /// How samples without a split are shared out; `None` where every sample has one.
    pub(crate) fn ratios(&self, data: &DataSet) -> Option<Ratios> {
        data.samples.iter().any(|sample| sample.split.is_none()).then(|| self.split.unwrap_or(RATIOS))
    }

    /// The data set, as it was named.
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let [first, second] = &self.text_columns;
        let columns = TextColumns { first: first.as_deref(), second: second.as_deref() };
        Inputs {
            paths: &self.inputs,
            root: self.root.as_deref(),
            spool: Some(&self.beside),
            bare: false,
            texts: self.are_texts.then_some(columns),
        }
    }

    /// What messages call the data set.
    pub(crate) fn name(&self) -> PathBuf {
        Inputs::name(&self.inputs)
    }

    pub(crate) fn stops_on_error(&self) -> bool {
        self.on_error == OnError::Fail
    }

    /// Per cent.
    pub(crate) fn max_skipped(&self) -> f64 {
        self.max_skipped
    }
}

/// The folder that an output goes to.
fn folder_of(output: &Path) -> &Path {
    output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether an output would lie in a folder of samples.
fn lies_within(output: &Path, input: &Path) -> bool {
    match (folder_of(output).canonicalize(), input.canonicalize()) {
        (Ok(parent), Ok(input)) => input.is_dir() && parent.starts_with(input),
        // What is not there is told when it is opened.
        _ => false,
    }
}
