//! The command line.

use std::path::PathBuf;

use cli::Common;

use crate::{config::SplitChoice, help};

/// Writes a metrics table of a head on cached features.
#[derive(Debug, clap::Parser)]
#[command(
    name = "evaluate",
    version,
    long_about = help::long(),
    after_help = "Example, from the root of a clone after `make demo`:\n  target/release/evaluate target/demo/sample.features target/demo/sample.head \\\n    -o /tmp/metrics.csv --force\n\n\
        Exit codes: 0 success, 1 failed, 2 wrong usage, 3 worse than the baseline by more than --tolerance, \
        130 interrupted (nothing is written)."
)]
pub struct Args {
    /// Features to score on: a folder that extract wrote, or several of the same samples, of which those that the head takes
    /// are used
    #[arg(value_name = "FEATURES", required = true)]
    pub features: Vec<PathBuf>,

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
    /// confidence (the largest probability), rejected (of heads with a reject threshold), probabilities (a list in the order of the head's classes; in CSV
    /// one column `probability:CLASS` each). Of labels without confidence, with label and predicted as `cat|dog`; of
    /// numbers id, split, and `target:NAME` and `predicted:NAME` of each. Of heads that know novelty, distance and novel too
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,

    /// Also write one self-contained page (.html) about the split: figures with intervals, classes, sweep, what to look
    /// at, a map of the features, lineage. Of classes also confusion matrix and calibration, of classes and labels curves,
    /// of numbers predicted against true
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// The folder that the samples' ids are paths in: the report shows their pictures, made small, and near-duplicates
    /// are told by their pixels too [default: none]
    #[arg(long, value_name = "FOLDER")]
    pub images: Option<PathBuf>,

    /// Also write the scored rows, those that the head does worst on first, to this .parquet, .csv or .json: id, split, label,
    /// predicted, confidence, probability (the label's own), loss (nats); of labels and numbers id, split, loss (mean log loss, or
    /// mean squared error in standard deviations) [default: none]
    #[arg(long, value_name = "FILE")]
    pub hardest: Option<PathBuf>,

    /// Also write every row, of any split, by how credible its label is, least first, to this .parquet, .csv or
    /// .json: id, split, label, suggested, quality (below 0.5 another class is the more probable one), likely.
    /// Rows are judged by linear fits that did not see them, and by their neighbours. Of labels label and suggested are
    /// lists, and missing and wrong say how they differ. Of numbers `target:NAME` and `expected:NAME` stand there, and
    /// quality is below 0.5 beyond four robust standard deviations
    #[arg(long, value_name = "FILE")]
    pub suspects: Option<PathBuf>,

    /// Also write the pairs of rows that are nearly the same picture to this .parquet, .csv or .json: id, split,
    /// label, other_id, other_split, other_label, similarity (of features), pixels (of pictures, with --images), leak
    /// (whether their splits differ)
    #[arg(long, value_name = "FILE")]
    pub duplicates: Option<PathBuf>,

    /// Does nothing: intervals were of samples drawn anew, and are formulas now
    #[arg(long, value_name = "N", hide = true)]
    pub bootstrap: Option<usize>,

    /// Seed of what --suspects, --duplicates and --report draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Also the metrics of the rows that share a value of this column, of --manifest, or else of the features; may be given
    /// several times [default: none]
    #[arg(long, value_name = "COLUMN")]
    pub slice: Vec<String>,

    /// A CSV or Parquet table whose columns are read instead of the features' own; its column `path` names the samples. So a
    /// wrong label is corrected without extracting again [default: none]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// The column that says what class a sample is of, where it is not `label` [default: the column that the head was fitted
    /// on]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub target_columns: Option<Vec<String>>,

    /// Compare with this head on the same samples: differences with paired intervals, McNemar's test, a verdict
    /// [default: none]
    #[arg(long, value_name = "HEAD")]
    pub baseline: Option<PathBuf>,

    /// The features that the baseline takes, if not among FEATURES: of the same samples; may be given several times
    /// [default: FEATURES]
    #[arg(long, value_name = "FEATURES", requires = "baseline")]
    pub baseline_features: Vec<PathBuf>,

    /// Fail with exit code 3 where accuracy (of labels: micro F1) is lower than the baseline's by more than this, or, of
    /// numbers, the root mean squared error higher by more than this part of the baseline's; of several splits, test's
    /// decides, else val's [default: 0]
    #[arg(long, value_name = "X", requires = "baseline", allow_negative_numbers = true)]
    pub tolerance: Option<f64>,

    /// Replace existing outputs, if this program wrote them
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub common: Common,
}
