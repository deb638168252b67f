//! The command line.

use std::path::PathBuf;

use cli::Common;

use crate::config::SplitChoice;

/// Writes a metrics table of a head on cached features.
#[derive(Debug, clap::Parser)]
#[command(
    name = "evaluate",
    version,
    long_about = "Writes a metrics table of a head on cached features.\n\n\
        Reads a folder NAME.features that extract wrote and a NAME.head that fit-head wrote; they must agree in \
        network, weights, tap, preprocessing and classes.\n\n\
        Writes one long table to Parquet, CSV or JSON by extension, with the columns split, scope, metric, class, \
        value, ci_low, ci_high, n:\n\
        \x20 scope `overall`    accuracy, balanced_accuracy, top_5_accuracy (with more than 5 classes),\n\
        \x20                    macro_ and weighted_ precision, recall and f1, log_loss (nats),\n\
        \x20                    brier_score_loss, ece (15 bins of equal width); class is null\n\
        \x20 scope `class`      precision, recall, f1, support of each class\n\
        \x20 scope `confusion`  metric `confusion:PREDICTED` of each true class that was so predicted:\n\
        \x20                    the number of rows, right ones too\n\
        Metrics are scikit-learn's, with labels=all classes and zero_division=0. ci_low and ci_high are Wilson's \
        95 % interval of the proportions (accuracy, top_5_accuracy, precision, recall) and null elsewhere; n is the \
        number of rows a value is taken over: the split's, the rows of the class, or, for precision, the rows \
        predicted as it.\n\n\
        Prints a summary on stdout; its layout may change, so read the table from programs.",
    after_help = "Example, from the root of a clone after `make demo`:\n  target/release/evaluate target/demo/sample.features target/demo/sample.head \\\n    -o /tmp/metrics.csv --force\n\n\
        Exit codes: 0 success, 1 failed, 2 wrong usage."
)]
pub struct Args {
    /// Features to score on: a folder that extract wrote
    #[arg(value_name = "FEATURES")]
    pub features: PathBuf,

    /// The head to score: a file that fit-head wrote
    #[arg(value_name = "HEAD")]
    pub head: PathBuf,

    /// The table to write: .parquet, .csv or .json
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Rows to score: `train`, `val`, `test`, or `all` for every split by itself
    /// [default: test, else val, else train, whichever has rows first]
    #[arg(long, value_name = "SPLIT")]
    pub split: Option<SplitChoice>,

    /// Also write every row's prediction to this .parquet, .csv or .json: id, split, label, predicted,
    /// confidence (the largest probability), probabilities (a list in the order of the head's classes; in CSV
    /// one column `probability:CLASS` each)
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,

    /// Replace existing outputs
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub common: Common,
}
