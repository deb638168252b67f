//! What a run is to do: the arguments, checked against one another.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use artifact::table::Format;
use cli::UsageError;
use head::{ClassWeights, LinearSettings, MlpSettings};

use crate::args::{Args, ChoiceArgs, ClassWeight, LinearArgs, MlpArgs};

/// What `--head` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadChoice {
    /// `linear`
    Linear,
    /// `mlp:UNITS`
    Mlp {
        /// Units of the hidden layer.
        units: usize,
    },
}

/// How to fit.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// Logistic regression at each of some penalties.
    Linear {
        /// The penalties, each once, the largest first; none for a path of our own.
        l2: Vec<f64>,
        /// Everything but the penalty.
        settings: LinearSettings,
    },
    /// One hidden layer.
    Mlp(MlpSettings),
}

/// How a linear head is chosen and calibrated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Folds of the train rows, where that was asked for.
    pub folds: Option<usize>,
    /// A table and its column: rows that have the same value are held out together.
    pub groups: Option<(PathBuf, String)>,
    /// Whether a temperature is fitted.
    pub calibrate: bool,
    /// Of the folds.
    pub seed: u64,
}

/// A checked run.
#[derive(Clone, Debug)]
pub struct Config {
    choice: Choice,
    features: PathBuf,
    output: PathBuf,
    table: Option<PathBuf>,
    force: bool,
    method: Method,
}

impl Config {
    /// Checks what each argument alone could not tell.
    ///
    /// # Errors
    /// A flag of the other kind of head, a number out of its range, a table without a known extension.
    pub fn new(args: Args) -> Result<Config, UsageError> {
        if let Some(table) = &args.table {
            Format::of(table).map_err(|error| UsageError(error.to_string()))?;
            if *table == args.output {
                return Err(UsageError(format!("--table and --output both name `{}`", table.display())));
            }
        }
        Ok(Config {
            method: Method::new(&args)?,
            choice: Choice::new(&args)?,
            features: args.features,
            output: args.output,
            table: args.table,
            force: args.force,
        })
    }

    /// The features folder to read.
    pub fn features(&self) -> &Path {
        &self.features
    }

    /// The head to write.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The table to write.
    pub fn table(&self) -> Option<&Path> {
        self.table.as_deref()
    }

    /// Whether to replace existing outputs.
    pub fn force(&self) -> bool {
        self.force
    }

    /// How to choose and calibrate.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// How to fit.
    pub fn method(&self) -> &Method {
        &self.method
    }
}

impl Choice {
    fn new(args: &Args) -> Result<Choice, UsageError> {
        let ChoiceArgs { folds, group_column, manifest, no_calibrate } = &args.choice;
        if let Some(folds) = folds {
            require("--folds", *folds as f64, (2..=1000).contains(folds), "from 2 to 1000")?;
        }
        Ok(Choice {
            folds: *folds,
            groups: manifest.clone().zip(group_column.clone()),
            calibrate: !no_calibrate,
            seed: args.seed,
        })
    }
}

impl Method {
    fn new(args: &Args) -> Result<Method, UsageError> {
        let class_weights = match args.class_weight {
            ClassWeight::None => ClassWeights::None,
            ClassWeight::Balanced => ClassWeights::Balanced,
        };
        let standardize = !args.no_standardize;
        match args.head {
            HeadChoice::Linear => {
                let given = args.mlp.first_given();
                refuse(given, "--head mlp:UNITS", "linear")?;
                let default = LinearSettings::default();
                let LinearArgs { l2, max_iterations, tolerance } = &args.linear;
                let settings = LinearSettings {
                    class_weights,
                    standardize,
                    tolerance: tolerance.unwrap_or(default.tolerance),
                    max_iterations: max_iterations.unwrap_or(default.max_iterations),
                };
                require("--tolerance", settings.tolerance, settings.tolerance >= 0.0, "of 0 or more")?;
                Ok(Method::Linear { l2: penalties(l2.as_deref().unwrap_or_default())?, settings })
            }
            HeadChoice::Mlp { units } => {
                let given = args.linear.first_given().or(args.choice.first_given());
                refuse(given, "--head linear", "mlp")?;
                let default = MlpSettings::default();
                let settings = MlpSettings {
                    hidden: units,
                    epochs: args.mlp.epochs.unwrap_or(default.epochs),
                    batch_size: args.mlp.batch_size.unwrap_or(default.batch_size),
                    learning_rate: args.mlp.learning_rate.unwrap_or(default.learning_rate),
                    dropout: args.mlp.dropout.unwrap_or(default.dropout),
                    seed: args.seed,
                    class_weights,
                    standardize,
                };
                let MlpSettings { epochs, batch_size, learning_rate, dropout, .. } = settings;
                require("--epochs", epochs as f64, epochs > 0, "of 1 or more")?;
                require("--batch-size", batch_size as f64, batch_size > 0, "of 1 or more")?;
                require("--learning-rate", learning_rate, learning_rate > 0.0, "above 0")?;
                require("--dropout", dropout, (0.0..1.0).contains(&dropout), "from 0 to below 1")?;
                Ok(Method::Mlp(settings))
            }
        }
    }
}

impl ChoiceArgs {
    fn first_given(&self) -> Option<&'static str> {
        let ChoiceArgs { folds, group_column, manifest: _, no_calibrate } = self;
        let given = [
            ("--folds", folds.is_some()),
            ("--group-column", group_column.is_some()),
            ("--no-calibrate", *no_calibrate),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}

impl LinearArgs {
    fn first_given(&self) -> Option<&'static str> {
        let LinearArgs { l2, max_iterations, tolerance } = self;
        let given = [
            ("--l2", l2.is_some()),
            ("--max-iterations", max_iterations.is_some()),
            ("--tolerance", tolerance.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}

impl MlpArgs {
    fn first_given(&self) -> Option<&'static str> {
        let MlpArgs { epochs, batch_size, learning_rate, dropout } = self;
        let given = [
            ("--epochs", epochs.is_some()),
            ("--batch-size", batch_size.is_some()),
            ("--learning-rate", learning_rate.is_some()),
            ("--dropout", dropout.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}

impl FromStr for HeadChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "linear" {
            return Ok(HeadChoice::Linear);
        }
        let units = text.strip_prefix("mlp:").and_then(|units| units.parse().ok());
        match units {
            Some(units @ 1..=65_536) => Ok(HeadChoice::Mlp { units }),
            _ => Err(format!(
                "expected `linear` or `mlp:UNITS` with 1 to 65,536 units, such as `mlp:512`; got `{text}`"
            )),
        }
    }
}

/// Each penalty once, the largest first.
fn penalties(given: &[f64]) -> Result<Vec<f64>, UsageError> {
    for &l2 in given {
        require("--l2", l2, l2 >= 0.0, "of 0 or more")?;
    }
    let mut sorted = given.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.dedup();
    Ok(sorted)
}

fn refuse(given: Option<&str>, kind: &str, chosen: &str) -> Result<(), UsageError> {
    match given {
        Some(flag) => Err(UsageError(format!("{flag} goes with {kind}; this head is {chosen}"))),
        None => Ok(()),
    }
}

fn require(flag: &str, got: f64, fine: bool, expected: &str) -> Result<(), UsageError> {
    if fine && got.is_finite() {
        Ok(())
    } else {
        Err(UsageError(format!("{flag}: expected a number {expected}, got {got}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(flags: &[&str]) -> Result<Method, String> {
        let args = [&["fit-head", "x.features", "-o", "x.head"], flags].concat();
        let args = Args::try_parse_from(args).map_err(|error| error.to_string())?;
        Config::new(args).map(|config| config.method).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_the_help_states() {
        let Ok(Method::Linear { l2, settings }) = config(&[]) else { panic!("linear") };
        assert!(l2.is_empty());
        assert_eq!((settings.tolerance, settings.max_iterations), (1e-5, 1000));
        let Ok(Method::Mlp(settings)) = config(&["--head", "mlp:7"]) else { panic!("mlp") };
        assert_eq!((settings.hidden, settings.epochs, settings.batch_size), (7, 10, 32));
        assert_eq!((settings.learning_rate, settings.dropout, settings.seed), (1e-3, 0.0, 0));
        assert!(settings.standardize);
    }

    #[test]
    fn penalties_are_sorted_and_told_apart() {
        let Ok(Method::Linear { l2, .. }) = config(&["--l2", "1,100,0.1,1"]) else { panic!("linear") };
        assert_eq!(l2, [100.0, 1.0, 0.1]);
    }

    #[test]
    fn contradictions_are_told() {
        let cases: [(&[&str], &str); 11] = [
            (&["--head", "mlp:512", "--l2", "1"], "--l2 goes with --head linear; this head is mlp"),
            (&["--epochs", "3"], "--epochs goes with --head mlp:UNITS; this head is linear"),
            (&["--head", "mlp:4", "--folds", "3"], "--folds goes with --head linear; this head is mlp"),
            (&["--folds", "1"], "--folds: expected a number from 2 to 1000, got 1"),
            (&["--l2", "-1"], "--l2: expected a number of 0 or more, got -1"),
            (&["--l2", "1,inf"], "--l2: expected a number of 0 or more, got inf"),
            (&["--tolerance", "nan"], "--tolerance: expected a number of 0 or more, got NaN"),
            (&["--head", "mlp:4", "--dropout", "1"], "--dropout: expected a number from 0 to below 1, got 1"),
            (&["--head", "mlp:0"], "expected `linear` or `mlp:UNITS`"),
            (&["--head", "tree"], "got `tree`"),
            (&["--table", "epochs.txt"], "expected .parquet, .csv or .json"),
        ];
        for (flags, expected) in cases {
            let message = config(flags).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
