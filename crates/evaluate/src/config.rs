//! What a run is to do: the arguments, checked against one another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cli::UsageError;
use sample::{Pictures, Split, TextColumns};
use store::table::TableFormat;

use crate::{Args, UnknownChoice};

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
    features: Vec<PathBuf>,
    head: PathBuf,
    output: PathBuf,
    predictions: Option<PathBuf>,
    hardest: Option<PathBuf>,
    suspects: Option<PathBuf>,
    duplicates: Option<PathBuf>,
    report: Option<PathBuf>,
    images: Option<Pictures>,
    texts: Option<Pictures>,
    split: Option<SplitChoice>,
    bootstrap: bool,
    seed: u64,
    slices: Vec<String>,
    manifest: Option<PathBuf>,
    target_columns: Option<Vec<String>>,
    baseline: Option<(PathBuf, Vec<PathBuf>)>,
    tolerance: f64,
    unknown: UnknownChoice,
    unseen_only: bool,
    force: bool,
}

impl Config {
    /// Checks what each argument alone could not tell.
    ///
    /// # Errors
    /// An output without a known extension, or both outputs in one file.
    pub fn new(args: Args) -> Result<Config, UsageError> {
        let tolerance = args.tolerance.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&tolerance) {
            return Err(UsageError(format!("--tolerance: expected a number from 0 to 1, got {tolerance}")));
        }
        // A column that is named twice makes its slices once.
        let mut slices: Vec<String> = Vec::new();
        for column in args.slice {
            if !slices.contains(&column) {
                slices.push(column);
            }
        }
        let Args { mut inputs, output, split, predictions, force, bootstrap, seed, .. } = args;
        let head = inputs.pop().filter(|_| !inputs.is_empty());
        let head = head.ok_or_else(|| UsageError("expected features, and a head after them".to_owned()))?;
        let config = Config {
            features: inputs,
            head,
            output,
            predictions,
            hardest: args.hardest,
            suspects: args.suspects,
            duplicates: args.duplicates,
            report: args.report,
            images: args.images.as_deref().map(images).transpose()?,
            texts: args.texts.as_deref().map(|path| texts(path, args.text_column.as_deref())).transpose()?,
            split,
            bootstrap: bootstrap.is_some(),
            seed: seed.unwrap_or_default(),
            slices,
            manifest: args.manifest,
            target_columns: args.target_columns,
            baseline: args.baseline.map(|head| (head, args.baseline_features)),
            tolerance,
            unknown: args.unknown,
            unseen_only: args.unseen_only,
            force,
        };
        for path in config.tables() {
            TableFormat::of(path).map_err(|error| UsageError(error.to_string()))?;
        }
        if let Some(report) = config.report()
            && report.extension().is_none_or(|extension| extension != "html")
        {
            return Err(UsageError(format!(
                "--report: expected a name in .html, got `{}`",
                report.display()
            )));
        }
        if config.images().is_some() && config.report().is_none() && config.duplicates().is_none() {
            return Err(UsageError("--images goes with --report or --duplicates".to_owned()));
        }
        if config.texts().is_some() && !config.looks() && config.hardest().is_none() {
            return Err(UsageError(
                "--texts goes with --report, --hardest, --suspects or --duplicates".to_owned(),
            ));
        }
        let mut named = BTreeSet::new();
        if let Some(path) = config.outputs().find(|path| !named.insert(*path)) {
            return Err(UsageError(format!("two outputs both name `{}`", path.display())));
        }
        Ok(config)
    }

    /// The features folders to read.
    pub fn features(&self) -> &[PathBuf] {
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

    /// The table of the rows that the head does worst on.
    pub fn hardest(&self) -> Option<&Path> {
        self.hardest.as_deref()
    }

    /// The table of suspect labels to write.
    pub fn suspects(&self) -> Option<&Path> {
        self.suspects.as_deref()
    }

    /// The table of near-duplicates to write.
    pub fn duplicates(&self) -> Option<&Path> {
        self.duplicates.as_deref()
    }

    /// The page to write.
    pub fn report(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    /// Where the page's pictures are.
    pub fn images(&self) -> Option<&Pictures> {
        self.images.as_ref()
    }

    /// Where the texts of the report and of tables are.
    pub fn texts(&self) -> Option<&Pictures> {
        self.texts.as_ref()
    }

    /// Whether the data behind the head are to be looked at.
    pub fn looks(&self) -> bool {
        self.suspects.is_some() || self.duplicates.is_some() || self.report.is_some()
    }

    /// Whether what is so is to be judged.
    pub fn judges(&self) -> bool {
        self.suspects.is_some() || self.report.is_some()
    }

    fn tables(&self) -> impl Iterator<Item = &Path> {
        let others = [self.predictions(), self.hardest(), self.suspects(), self.duplicates()];
        std::iter::once(self.output()).chain(others.into_iter().flatten())
    }

    /// Everything to write.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        self.tables().chain(self.report())
    }

    /// Everything that is read, but for pictures.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        let baseline = self.baseline().into_iter();
        let baseline = baseline
            .flat_map(|(head, features)| std::iter::once(head).chain(features.iter().map(PathBuf::as_path)));
        let features = self.features().iter().map(PathBuf::as_path);
        features.chain([self.head()]).chain(self.manifest()).chain(baseline)
    }

    /// The rows asked for.
    pub fn split(&self) -> Option<SplitChoice> {
        self.split
    }

    /// Whether samples were asked for that no interval needs any more.
    pub fn asks_for_bootstrap(&self) -> bool {
        self.bootstrap
    }

    /// Of everything that is drawn.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Columns whose values make slices.
    pub fn slices(&self) -> impl Iterator<Item = &str> {
        self.slices.iter().map(String::as_str)
    }

    /// The table whose columns count before the features' own.
    pub fn manifest(&self) -> Option<&Path> {
        self.manifest.as_deref()
    }

    /// The columns that say what is so, where the run names them.
    pub fn target_columns(&self) -> Option<&[String]> {
        self.target_columns.as_deref()
    }

    /// The head to compare with, and its features if not among those given.
    pub fn baseline(&self) -> Option<(&Path, &[PathBuf])> {
        self.baseline.as_ref().map(|(head, features)| (head.as_path(), features.as_slice()))
    }

    /// By how much the head may be worse than the baseline.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// What becomes of rows of classes that the head does not know.
    pub fn unknown(&self) -> UnknownChoice {
        self.unknown
    }

    /// Whether rows that the head has seen are left out.
    pub fn unseen_only(&self) -> bool {
        self.unseen_only
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
/// Where texts are.
fn texts(path: &Path, column: Option<&str>) -> Result<Pictures, UsageError> {
    let columns = TextColumns { first: column, second: None };
    Pictures::of_texts(path, columns).map_err(|error| UsageError(format!("--texts: {error}")))
}

/// Where pictures are.
fn images(path: &Path) -> Result<Pictures, UsageError> {
    // Or a pattern of shards.
    if path.exists() || path.to_string_lossy().contains('{') {
        return Pictures::open(path).map_err(|error| UsageError(format!("--images: {error}")));
    }
    let what = "expected the folder that the samples' ids are paths in";
    Err(UsageError(format!("--images: `{}` is no folder; {what}", path.display())))
}
