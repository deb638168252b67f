//! The command line.

use std::path::PathBuf;

use cli::Common;

use crate::{Protocol, UnknownChoice, config::SplitChoice, help};

/// Writes a metrics table of a head on cached features.
#[derive(Debug, clap::Parser)]
#[command(
    name = "evaluate",
    version,
    long_about = help::long(),
    override_usage = "evaluate [OPTIONS] --output <FILE> <FEATURES>... <HEAD>\n       evaluate [OPTIONS] --output <FILE> --protocol <PROTOCOL> <FEATURES>...",
    after_help = "Example, from the root of a clone after `make demo`:\n  target/release/evaluate target/demo/sample.features target/demo/sample.head \\\n    -o /tmp/metrics.csv --force\n\n\
        Exit codes: 0 success, 1 failed, 2 wrong usage, 3 worse than the baseline by more than --tolerance, \
        130 interrupted (nothing is written)."
)]
pub struct Args {
    /// Features to score on, and last the head to score
    ///
    /// Features are a folder that extract wrote, or several of the same samples. Of several, those that the head takes are
    /// used. A head is a file that fit-head wrote. With --protocol there is none, and several features are taken side by side.
    // One list, since flags may stand between the two.
    #[arg(value_name = "FEATURES> <HEAD", required = true)]
    pub inputs: Vec<PathBuf>,

    /// The table to write: .parquet, .csv or .json
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Rows to score: `train`, `val`, `test`, or `all` for every split by itself
    /// [default: test, else val, else train, whichever has rows first]
    #[arg(long, value_name = "SPLIT")]
    pub split: Option<SplitChoice>,

    /// Instead of a head, score heads that are fitted on a few train rows of each class, drawn again and again [default: none]
    ///
    /// It takes FEATURES alone and classes. The table has the mean over draws (scope `overall`), the standard deviation of one
    /// draw (`deviation`) and every draw (`draw:1` and so on). Val rows are not needed.
    ///
    /// `few:NxK`: N rows of each class, drawn K times by --seed. Heads are linear as fit-head's, with --l2 10.
    ///
    /// `mteb`: MTEB's classification: 8 rows of each class and 10 draws by its own shuffling. Heads are scikit-learn's
    /// LogisticRegression with C = 1 and 100 iterations, on features as they are. Rows must be in the order of the data set.
    ///
    /// `mteb:NxK`: The same with other numbers, as some of MTEB's tasks have them.
    #[arg(long, value_name = "few:NxK|mteb")]
    pub protocol: Option<Protocol>,

    /// Also write every row's prediction to this .parquet, .csv or .json
    ///
    /// Columns of classes: id, split, label, predicted, confidence, probabilities.
    ///
    /// Columns of labels: id, split, label, predicted, probabilities, where label and predicted are such as `cat|dog`.
    ///
    /// Columns of numbers: id, split, and `target:NAME` and `predicted:NAME` of each.
    ///
    /// Rows of classes that the head does not know are among them, with their own label.
    ///
    /// Confidence is the largest probability. Probabilities are a list in the order of the head's classes. CSV has a column
    /// `probability:CLASS` for each instead.
    ///
    /// Classes of a head with a reject threshold add rejected. Labels of a head with thresholds add accepted, those that reach
    /// theirs. Heads that know novelty add distance and novel.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,

    /// Also write one self-contained page (.html) about the split
    ///
    /// It has figures with intervals, classes, sweep, what to look at, a map of the features, and lineage.
    ///
    /// Classes add confusion matrix, calibration and curves. Labels add curves. Numbers add predicted against true.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// The folder that the samples' ids are paths in, or what extract read [default: none]
    ///
    /// The report then shows their pictures, made small. Near-duplicates are told by their pixels too.
    #[arg(long, value_name = "PATH")]
    pub images: Option<PathBuf>,

    /// The table or folder of texts that extract read [default: none]
    ///
    /// The report then shows how they begin. Tables of --hardest, --suspects and --duplicates have a column `text`.
    #[arg(long, value_name = "PATH")]
    pub texts: Option<PathBuf>,

    /// The column of --texts that holds them [default: `text`, or else `sentence`]
    #[arg(long, value_name = "COLUMN", requires = "texts")]
    pub text_column: Option<String>,

    /// Also write the scored rows to this .parquet, .csv or .json, those that the head does worst on first [default: none]
    ///
    /// Columns of classes: id, split, label, predicted, confidence, probability, loss.
    ///
    /// Columns of labels and numbers: id, split, loss.
    ///
    /// Probability is the label's own. Loss is in nats, of labels their mean log loss. That of numbers is the mean squared
    /// error in standard deviations.
    #[arg(long, value_name = "FILE")]
    pub hardest: Option<PathBuf>,

    /// Also write every row to this .parquet, .csv or .json, those with the least credible label first
    ///
    /// Rows of all splits are judged, by their neighbours and by linear fits that did not see them. Those of classes that the head
    /// does not know are not.
    ///
    /// Columns of classes: id, split, label, suggested, quality, likely. Below a quality of 0.5 another class is more probable.
    ///
    /// Columns of labels: the same, as lists. Missing and wrong say how label and suggested differ.
    ///
    /// Columns of numbers: `target:NAME` and `expected:NAME` instead of label and suggested. Quality is below 0.5 beyond four
    /// robust standard deviations.
    #[arg(long, value_name = "FILE")]
    pub suspects: Option<PathBuf>,

    /// Also write the pairs of rows that are nearly the same picture to this .parquet, .csv or .json
    ///
    /// Columns: id, split, label, other_id, other_split, other_label, similarity, pixels, leak.
    ///
    /// Similarity is that of features. Pixels is that of pictures, with --images. Leak says whether the splits differ.
    #[arg(long, value_name = "FILE")]
    pub duplicates: Option<PathBuf>,

    /// Does nothing: intervals were of samples drawn anew, and are formulas now
    #[arg(long, value_name = "N", hide = true)]
    pub bootstrap: Option<usize>,

    /// Seed of what --suspects, --duplicates, --report and --protocol few:NxK draw [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Also the metrics of the rows that share a value of this column; repeat it for more [default: none]
    ///
    /// The column is one of --manifest where that has it, else of the features.
    #[arg(long, value_name = "COLUMN")]
    pub slice: Vec<String>,

    /// A CSV, JSONL or Parquet table whose columns count before the features' own [default: none]
    ///
    /// Its column `path` names the samples that are looked at: with --report and --suspects all of them. So a wrong label is
    /// corrected without extracting again.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// The column that says what class a sample is of [default: the column that the head was fitted on]
    ///
    /// It is one of --manifest where that has it, else of the features. Heads of labels and numbers name their columns themselves.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub target_columns: Option<Vec<String>>,

    /// What becomes of rows of classes that the head does not know
    ///
    /// `leave-out` counts and names them. `reject` adds figures of an open set: such a row is right where the head rejects it, or
    /// finds it novel. A row of a known class is then right where its class is predicted and it is neither.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub unknown: UnknownChoice,

    /// Leave out the rows that the head was fitted on
    ///
    /// A head remembers its train samples by their content. A picture that was saved anew is another one.
    #[arg(long)]
    pub unseen_only: bool,

    /// Compare with this head on the same samples [default: none]
    ///
    /// The table then has differences with paired intervals and McNemar's test. The summary has a verdict.
    #[arg(long, value_name = "HEAD")]
    pub baseline: Option<PathBuf>,

    /// The features that the baseline takes, of the same samples; repeat it for more [default: FEATURES]
    #[arg(long, value_name = "FEATURES", requires = "baseline")]
    pub baseline_features: Vec<PathBuf>,

    /// Fail with exit code 3 where the head is worse than the baseline by more than this [default: 0]
    ///
    /// Classes are judged by accuracy, labels by micro F1. Numbers are judged by the root mean squared error, as a part of the
    /// baseline's. Of several splits test decides, else val.
    #[arg(long, value_name = "X", requires = "baseline", allow_negative_numbers = true)]
    pub tolerance: Option<f64>,

    /// Replace existing outputs, if this program wrote them
    #[arg(long)]
    pub force: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub common: Common,
}
