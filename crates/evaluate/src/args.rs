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
        \x20 scope `overall`     accuracy, balanced_accuracy, top_5_accuracy (with more than 5 classes),\n\
        \x20                     macro_, micro_ and weighted_ precision, recall and f1, cohen_kappa,\n\
        \x20                     matthews_corrcoef, log_loss (nats), brier_score_loss, ece and ece_equal_mass\n\
        \x20                     (15 bins of equal width, of equal rows), aurc (area under risk over coverage),\n\
        \x20                     macro_roc_auc and macro_average_precision (one class against the rest);\n\
        \x20                     of heads with a reject threshold coverage_at_reject, accuracy_at_reject; of heads that know novelty\n\
        \x20                     novelty_rate, the part of rows beyond its distance;\n\
        \x20                     class is null\n\
        \x20 scope `class`       precision, recall, f1, roc_auc, average_precision, support of each class\n\
        \x20 scope `confusion`   metric `confusion:PREDICTED` of each true class that was so predicted:\n\
        \x20                     the number of rows, right ones too\n\
        \x20 scope `slice:COLUMN=VALUE`  the metrics of `overall` that need no ranking\n\
        \x20 scope `difference`  the same less the baseline's, and mcnemar_p_value\n\
        Metrics are scikit-learn's, with labels=all classes and zero_division=0; what is undefined is null. \
        ci_low and ci_high are the 95 % interval, of the value that endless rows with these shares of classes would have. \
        In simulations it held that value 94 % of the time or more, also where a class has one row (ACCURACY.md). \
        Losses and errors have no bound; one is assumed, and rare ones beyond it are not covered. \
        max_error has none, nor r2_score and explained_variance_score of fewer than 20 rows, nor \
        median_absolute_error of fewer than 6. n is the number of rows a value is taken over: the split's, the rows of the class, or, \
        for precision, the rows predicted as it.\n\n\
        Of a head that --target labels fitted: subset_accuracy, hamming_loss, macro_, micro_, weighted_ and samples_ \
        precision, recall and f1, coverage_error, label_ranking_average_precision, log_loss, brier_score_loss, \
        macro_roc_auc and macro_average_precision; scope `class` is a label by itself. Of --target number: \
        mean_absolute_error, root_mean_squared_error, median_absolute_error, max_error, r2_score and \
        explained_variance_score, of several numbers their means, each by itself in scope `class`. What is so \
        is read as it was for the fit: from the names of classes, or from the columns of --manifest that the head \
        names.\n\n\
        Prints a summary on stdout; its layout may change, so read the table from programs.",
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
    /// numbers id, split, and `target:NAME` and `predicted:NAME` of each
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,

    /// Also write one self-contained page (.html) about the split: figures with intervals, confusion matrix,
    /// calibration, curves, classes, sweep, what to look at, a map of the features, lineage; of labels and numbers figures,
    /// a table of them, sweep and lineage
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
    /// Rows are judged by linear fits that did not see them, and by their neighbours
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

    /// Also the metrics of the rows that share a value of this column of --manifest; may be given several times
    /// [default: none]
    #[arg(long, value_name = "COLUMN", requires = "manifest")]
    pub slice: Vec<String>,

    /// The CSV or Parquet table that --slice is a column of, and the labels or numbers of a head that was fitted on columns;
    /// its column `path` names the samples [default: none]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

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
