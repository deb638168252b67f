//! What a run is to do: the arguments, checked against one another.

use std::path::{Path, PathBuf};

use cli::UsageError;
use store::table::TableFormat;

use crate::{
    args::{Args, ChoiceArgs},
    class_weight::ClassWeight,
    flags,
    head_choice::{Chosen, HeadChoice},
    methods::{self, ComparedOn, require},
    target::TargetChoice,
};
use head::LinearSettings;

/// How a head is chosen and calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Folds of the train rows, where that was asked for.
    pub folds: Option<usize>,
    /// A column: rows that have the same value are held out together.
    pub groups: Option<String>,
    /// Whether a temperature is fitted.
    pub calibrate: bool,
    /// The part of cases that the head shall be right in where it does not reject.
    pub reject_at: Option<f64>,
    /// Of the folds.
    pub seed: u64,
}

/// A checked run.
#[derive(Debug)]
pub struct Config {
    choice: Choice,
    target: TargetChoice,
    target_columns: Option<Vec<String>>,
    manifest: Option<PathBuf>,
    features: Vec<PathBuf>,
    concat: bool,
    output: PathBuf,
    table: Option<PathBuf>,
    curve: Option<PathBuf>,
    force: bool,
    keep_best: bool,
    heads: Vec<Chosen>,
    auto: bool,
    linear: LinearSettings,
    class_weight: ClassWeight,
    standardize: bool,
    logit_adjustment: Option<f64>,
    min_class_rows: usize,
    novelty_at: Option<f64>,
}

impl Config {
    /// Checks what each argument alone could not tell.
    ///
    /// # Errors
    /// A flag of another kind of head, a number out of its range, a table without a known extension.
    pub fn new(mut args: Args) -> Result<Config, UsageError> {
        if args.head.are_auto() {
            args.head.stand_for(&flags::of_auto(&args));
        }
        flags::check(&args)?;
        let tables = [("--table", &args.table), ("--curve", &args.linear.curve)];
        let mut named = vec![("--output", &args.output)];
        for (flag, table) in tables.iter().filter_map(|(flag, table)| Some((*flag, table.as_ref()?))) {
            TableFormat::of(table).map_err(|error| UsageError(error.to_string()))?;
            if let Some((other, _)) = named.iter().find(|(_, path)| *path == table) {
                return Err(UsageError(format!("{flag} and {other} both name `{}`", table.display())));
            }
            named.push((flag, table));
        }
        if let Some(precision) = args.choice.reject_at {
            let fine = precision > 0.0 && precision <= 1.0;
            require("--reject-at", precision, fine, "above 0 and at most 1")?;
            if args.logit_adjustment.is_some() {
                let both = "--reject-at is found before --logit-adjustment moves all confidences: give one";
                return Err(UsageError(both.to_owned()));
            }
        }
        if args.concat && args.features.len() == 1 {
            return Err(UsageError("--concat takes several FEATURES side by side, got one".to_owned()));
        }
        if let Some(part) = args.choice.novelty_at {
            require("--novelty-at", part, part > 0.0 && part <= 1.0, "above 0 and at most 1")?;
        }
        let chosen = |head: HeadChoice| {
            Ok(Chosen { kind: head.kind, name: head.name(), method: (head.kind.method)(&args, head.number)? })
        };
        let heads = args.head.iter().map(chosen).collect::<Result<Vec<_>, UsageError>>()?;
        if let Some(tau) = args.logit_adjustment {
            require("--logit-adjustment", tau, tau >= 0.0, "of 0 or more")?;
            if args.class_weight == Some(ClassWeight::Balanced) {
                let both = "--logit-adjustment and --class-weight balanced both undo what frequent classes have ahead: give one";
                return Err(UsageError(both.to_owned()));
            }
        }
        Ok(Config {
            heads,
            auto: args.head.are_auto(),
            linear: methods::linear::settings(&args)?,
            target: args.target,
            target_columns: args.target_columns.clone(),
            manifest: args.choice.manifest.clone(),
            choice: Choice::new(&args)?,
            class_weight: args.class_weight.unwrap_or_default(),
            standardize: !args.no_standardize,
            logit_adjustment: args.logit_adjustment,
            min_class_rows: args.min_class_rows.unwrap_or(1),
            novelty_at: args.choice.novelty_at,
            features: args.features,
            concat: args.concat,
            output: args.output,
            table: args.table,
            curve: args.linear.curve,
            force: args.force,
            keep_best: args.keep_best,
        })
    }

    /// The features folders to read.
    pub fn features(&self) -> &[PathBuf] {
        &self.features
    }

    /// Whether several features are only taken side by side.
    pub fn concat(&self) -> bool {
        self.concat
    }

    /// The head to write.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The table to write.
    pub fn table(&self) -> Option<&Path> {
        self.table.as_deref()
    }

    /// The learning curve to write.
    pub fn curve(&self) -> Option<&Path> {
        self.curve.as_deref()
    }

    /// Whether to replace existing outputs.
    pub fn force(&self) -> bool {
        self.force
    }

    /// Whether a run that is asked to stop writes the best head so far.
    pub fn keep_best(&self) -> bool {
        self.keep_best
    }

    /// What the head is to say of a sample.
    pub fn target(&self) -> TargetChoice {
        self.target
    }

    /// The columns that classes, labels or numbers stand in, where they are named.
    pub fn target_columns(&self) -> Option<&[String]> {
        self.target_columns.as_deref()
    }

    /// The manifest.
    pub fn manifest(&self) -> Option<&Path> {
        self.manifest.as_deref()
    }

    /// How to choose and calibrate.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Everything that is read.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        let features = self.features.iter().map(PathBuf::as_path);
        features.chain(self.manifest()).chain(self.class_weight.file())
    }

    /// How much each class counts.
    pub fn class_weight(&self) -> &ClassWeight {
        &self.class_weight
    }

    /// Whether features are standardised inside.
    pub fn standardize(&self) -> bool {
        self.standardize
    }

    /// How much of each class's log prior is taken off its logit.
    pub fn logit_adjustment(&self) -> Option<f64> {
        self.logit_adjustment
    }

    /// The part of held-out rows that are not to be called novel, where that is asked for.
    pub fn novelty_at(&self) -> Option<f64> {
        self.novelty_at
    }

    /// Train rows that every class must have.
    pub fn min_class_rows(&self) -> usize {
        self.min_class_rows
    }

    /// What to fit: one kind of head, or several to choose from.
    pub(crate) fn heads(&self) -> &[Chosen] {
        &self.heads
    }

    /// Whether of these heads the first is kept unless another is clearly better.
    pub(crate) fn auto(&self) -> bool {
        self.auto
    }

    /// How a linear head is fitted, where one is.
    pub(crate) fn linear(&self) -> &LinearSettings {
        &self.linear
    }
}

impl Choice {
    /// Whether folds are to be held out even where there are val rows.
    pub(crate) fn asks_for_folds(&self) -> bool {
        self.folds.is_some() || self.groups.is_some()
    }

    fn new(args: &Args) -> Result<Choice, UsageError> {
        let ChoiceArgs { folds, group_column, calibrate, .. } = &args.choice;
        if let Some(folds) = folds {
            require("--folds", *folds as f64, (2..=1000).contains(folds), "from 2 to 1000")?;
        }
        let is_trained = |head: HeadChoice| head.kind.compared_on == ComparedOn::RowsSetAside;
        if !args.head.are_several()
            && args.head.iter().any(is_trained)
            && group_column.is_some()
            && !(*calibrate || args.mlp.patience.is_some())
        {
            let unused =
                "--group-column says which train rows are set aside together: give --patience or --calibrate";
            return Err(UsageError(unused.to_owned()));
        }
        Ok(Choice {
            folds: *folds,
            groups: group_column.clone(),
            calibrate: flags::is_calibrated(args),
            reject_at: args.choice.reject_at,
            seed: args.seed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(flags: &[&str]) -> Result<Config, String> {
        let args = [&["fit-head", "x.features", "-o", "x.head"], flags].concat();
        let args = Args::try_parse_from(args).map_err(|error| error.to_string())?;
        Config::new(args).map_err(|error| error.to_string())
    }

    #[test]
    fn heads_are_those_that_can_say_what_is_asked_for() {
        let names = |flags: &[&str]| {
            let heads = config(flags).unwrap().heads;
            heads.iter().map(|head| head.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&[]), "linear lda");
        assert_eq!(names(&["--head", "auto"]), "linear lda");
        assert_eq!(names(&["--target", "labels"]), "linear");
        assert_eq!(names(&["--target", "number"]), "ridge");
        assert_eq!(names(&["--head", "mlp:7,knn:3", "--target", "number"]), "mlp:7 knn:3");
    }

    #[test]
    fn contradictions_are_told() {
        let cases: [(&[&str], &str); 40] = [
            (&["--novelty-at", "0"], "--novelty-at: expected a number above 0 and at most 1, got 0"),
            (&["--concat"], "--concat takes several FEATURES side by side, got one"),
            (&["--head", "mlp:512", "--l2", "1"], "--l2 goes with --head linear or ridge; this head is mlp"),
            (
                &["--head", "linear", "--shrinkage", "0.5"],
                "--shrinkage goes with --head lda; this head is linear",
            ),
            (
                &["--head", "auto", "--calibrate"],
                "--calibrate goes with --head mlp:UNITS or attention:QUERIES; --head auto, the default, stands for linear and lda",
            ),
            (&["--head", "lda", "--shrinkage", "2"], "--shrinkage: expected a number from 0 to 1, got 2"),
            (&["--head", "prototype", "--class-weight", "balanced"], "this head is prototype"),
            (
                &["--head", "ridge", "--calibrate"],
                "--calibrate goes with --head mlp:UNITS or attention:QUERIES; this head is ridge",
            ),
            (&["--head", "mlp:4", "--no-calibrate"], "this head is mlp"),
            (
                &["--head", "mlp:4", "--weight-decay", "1"],
                "--weight-decay goes with --optimizer adamw or sgd",
            ),
            (&["--head", "mlp:4", "--mixup", "-1"], "--mixup: expected a number of 0 or more, got -1"),
            (&["--head", "mlp:4", "--label-smoothing", "1"], "--label-smoothing: expected a number from 0"),
            (&["--head", "mlp:4", "--patience", "0"], "--patience: expected a number of 1 or more, got 0"),
            (
                &["--patience", "3"],
                "--patience goes with --head mlp:UNITS or attention:QUERIES; --head auto, the",
            ),
            (
                &["--head", "mlp:4", "--group-column", "patient", "--manifest", "m.csv"],
                "give --patience or --calibrate",
            ),
            (&["--logit-adjustment", "-1"], "--logit-adjustment: expected a number of 0 or more, got -1"),
            (&["--logit-adjustment", "1", "--class-weight", "balanced"], "give one"),
            (
                &["--class-weight", "some"],
                "expected `none`, `balanced`, or a .csv or .parquet table; got `some`",
            ),
            (
                &["--epochs", "3"],
                "--epochs goes with --head mlp:UNITS or attention:QUERIES; --head auto, the",
            ),
            (
                &["--head", "mlp:4", "--folds", "3"],
                "--folds goes with --head linear, ridge, lda or prototype; this head is mlp",
            ),
            (&["--folds", "1"], "--folds: expected a number from 2 to 1000, got 1"),
            (&["--l2", "-1"], "--l2: expected a number of 0 or more, got -1"),
            (&["--l2", "1,inf"], "--l2: expected a number of 0 or more, got inf"),
            (&["--tolerance", "nan"], "--tolerance: expected a number of 0 or more, got NaN"),
            (&["--head", "mlp:4", "--dropout", "1"], "--dropout: expected a number from 0 to below 1, got 1"),
            (&["--head", "mlp:0"], "expected `auto`, `linear`, `ridge`"),
            (&["--head", "knn:0"], "`knn:K` with a number from 1"),
            (&["--head", "knn:3", "--no-standardize"], "this head is knn"),
            (&["--head", "knn:3", "--class-weight", "balanced"], "this head is knn"),
            (&["--head", "tree"], "got `tree`"),
            (&["--table", "epochs.txt"], "expected .parquet, .csv or .json"),
            (
                &["--target", "number", "--head", "linear"],
                "goes with --head ridge, mlp:UNITS, attention:QUERIES or knn:K; this head is linear: logistic regression tells what is so from",
            ),
            (
                &["--target", "labels", "--head", "lda"],
                "--head linear, ridge, mlp:UNITS, attention:QUERIES or knn:K; this head is lda: it takes each row to be of one class",
            ),
            (&["--target", "number", "--head", "linear,prototype"], "these heads are linear and prototype"),
            (
                &["--target", "labels", "--class-weight", "balanced"],
                "--class-weight goes with --target classes",
            ),
            (
                &["--target", "labels", "--logit-adjustment", "1"],
                "--logit-adjustment goes with --target classes",
            ),
            (
                &["--target", "number", "--reject-at", "0.9"],
                "--reject-at goes with --target classes or labels; this target is number, which comes without a confidence",
            ),
            (
                &["--target", "number", "--head", "mlp:4", "--curve", "c.csv"],
                "--curve goes with --head ridge; this head is mlp",
            ),
            (
                &["--target", "number", "--no-calibrate"],
                "--no-calibrate goes with --target classes or labels",
            ),
            (
                &["--target", "number", "--head", "mlp:4", "--label-smoothing", "0.1"],
                "--label-smoothing goes with --target classes or labels",
            ),
        ];
        for (flags, expected) in cases {
            let message = config(flags).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
