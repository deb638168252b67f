//! The command line.

use std::path::PathBuf;

use cli::Common;
use head::{Optimizer, Schedule};

use crate::{class_weight::ClassWeight, head_choice::HeadChoices, target::TargetChoice};

/// Fits a head on cached features: a classifier, several labels a sample, or numbers.
#[derive(Debug, clap::Parser)]
#[command(
    name = "fit-head",
    version,
    long_about = "Fits a head on cached features: a classifier, or, with --target, one of several labels a sample or of \
        numbers.\n\n\
        Reads a folder NAME.features that extract wrote. Fits on the rows of its train split; uses those of \
        its val split, where there are any, to choose and to calibrate, else folds of the train rows (each held \
        out once, from a fit on the others); never looks at those of its test split (but for the names of labels, which are those of all samples). Augmented views of train \
        samples (extract --views) are rows like others to learn from, but for knn, which remembers samples alone; they are left out with \
        their sample where that is held out, and never judge.\n\n\
        A linear head needs no tuning: its penalty is found by a sweep over 25 values, and its logits are \
        divided by the temperature of least loss on held-out rows, so that probabilities mean what they say. So are \
        those of ridge, lda and prototype heads, which need no iterations: of their candidates the one of highest \
        held-out accuracy is kept, of equals the one of the largest penalty or shrinkage.\n\n\
        Writes NAME.head: one safetensors file with the layers, the class names in order, the settings and \
        outcome of the fit, and everything that says which features it belongs to. Features are standardised \
        inside (but for knn) and the scaling is folded into the layers, so a head takes raw features. The same features \
        and settings give the same bytes, whatever the number of threads. Nothing is printed on stdout.",
    after_help = "Example, from the root of a clone after `make demo`:\n  target/release/fit-head target/demo/sample.features \\\n    -o /tmp/sample.head --table /tmp/sweep.csv --force\n\n\
        Exit codes: 0 success, 1 failed, 2 wrong usage, 130 interrupted (no head, but with --keep-best)."
)]
pub struct Args {
    /// Features to fit on: a folder that extract wrote. Of several (taps, backbones; of the same samples) each is tried
    /// alone, and all side by side; the best on held-out rows is kept and named
    #[arg(value_name = "FEATURES", required = true)]
    pub features: Vec<PathBuf>,

    /// Take several FEATURES side by side, without trying each alone
    #[arg(long)]
    pub concat: bool,

    /// The head to write
    #[arg(short, long, value_name = "NAME.head")]
    pub output: PathBuf,

    /// What to fit: `linear`, multinomial logistic regression by L-BFGS; `ridge`, least squares on targets 1 for the
    /// row's class and -1 for every other; `lda`, linear discriminants with a shrunk covariance; `prototype`, the
    /// nearest class mean; `mlp:UNITS`, one hidden layer of so many rectified units; or `knn:K`, the votes of the K train
    /// rows of highest cosine, each counting exp(cosine / 0.07), which keeps all train rows in the head. Of several, separated
    /// by commas, the one of least held-out loss is kept (MLPs and knn with a val split only); `auto` is `linear,ridge,lda`, of them
    /// those that can say what --target asks for. Without it, --target number fits `ridge`
    #[arg(
        long,
        value_name = "KIND[,KIND…]",
        default_value_if("target", "number", "ridge"),
        default_value = "linear"
    )]
    pub head: HeadChoices,

    /// What the head is to say of a sample: its one class (`classes`), any number of labels (`labels`), or numbers
    /// (`number`). They stand in the column `label`, unless --target-columns names others. There labels are a list, such as
    /// `cat|dog`, or `none`
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = TargetChoice::Classes)]
    pub target: TargetChoice,

    /// The columns that classes, labels or numbers stand in, separated by commas: of --manifest, or else of the features,
    /// which hold those of the manifest that extract read. Classes take one column. Labels take one each, with 0 and 1 or
    /// false and true, or a single one with lists. Numbers take one each [default: `label`]
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    pub target_columns: Option<Vec<String>>,

    /// How much each class's loss counts: `none`, every row 1; `balanced`, rows / (classes · rows of the class); or a
    /// .csv or .parquet table with the columns `class` and `weight`, a row for every class [default: none]
    #[arg(long, value_name = "none|balanced|FILE.csv")]
    pub class_weight: Option<ClassWeight>,

    /// Take TAU times the logarithm of each class's part of the train rows off its logit, after fitting: 1 gives what
    /// balanced classes would (Menon et al., 2021) [default: 0, which changes nothing]
    #[arg(long, value_name = "TAU", allow_negative_numbers = true)]
    pub logit_adjustment: Option<f64>,

    /// Fail where a class or label has fewer train rows (views not counted), and name every such one [default: 1]
    #[arg(long, value_name = "N")]
    pub min_class_rows: Option<usize>,

    /// Take features as they are instead of standardising them (mean 0, std 1 over the train rows)
    #[arg(long)]
    pub no_standardize: bool,

    /// Seed of folds and rows set aside, and for MLPs of initial weights, order of rows, dropout and mixing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Also write a table to this .parquet, .csv or .json: for MLPs a row for each epoch, for others one for each penalty
    /// or shrinkage that was tried, with loss (nats; linear and MLP) and accuracy (0 to 1) on train rows and on held-out
    /// ones. Of labels accuracy is the part of all that is right; the loss of numbers, and of ridge on labels, is the mean
    /// squared error, 1 where a number is always said to be its mean. Of several FEATURES or kinds it has the rows of all, with
    /// `head` and `features`
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// Replace existing outputs, if this program wrote them
    #[arg(long)]
    pub force: bool,

    /// When stopped (Ctrl-C, SIGTERM, SIGHUP), finish the penalty or epoch at hand and write the best head so far. The head
    /// records `interrupted`, and the exit code is 130 all the same. Without it nothing is written
    #[arg(long)]
    pub keep_best: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub choice: ChoiceArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub linear: LinearArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub mlp: MlpArgs,

    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the tool's about line")]
    pub common: Common,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Choosing and calibrating")]
pub struct ChoiceArgs {
    /// Hold out folds of the train rows, so many, instead of the val rows; each class is spread evenly over them (all heads
    /// but MLPs) [default: 5 where there are no val rows]
    #[arg(long, value_name = "K")]
    pub folds: Option<usize>,

    /// Hold rows out together that have the same value in this column of --manifest, or of the features, such as one
    /// patient's [default: none]
    #[arg(long, value_name = "NAME")]
    pub group_column: Option<String>,

    /// A CSV or Parquet table of the samples, which its column `path` names. What stands in its column `label`, or in
    /// --target-columns, replaces the features' classes: so wrong ones are corrected. With --group-column alone it only
    /// says which rows go together [default: none]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// Find the confidence from which on a linear, ridge, lda or prototype head is right in this part of the cases, from 0 to
    /// 1, on held-out rows. Each label has its own. The head carries it, and evaluate says what it keeps [default: none]
    #[arg(long, value_name = "PRECISION", allow_negative_numbers = true)]
    pub reject_at: Option<f64>,

    /// Keep in the head where the classes lie, and the distance from the nearest of them (Mahalanobis') that this part of the
    /// held-out rows stays within, from 0 to 1. Rows beyond it are novel, unlike anything seen. Of labels and numbers the
    /// distance is that from the mean of all rows [default: none]
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    pub novelty_at: Option<f64>,

    /// Leave the logits of a linear, ridge, lda or prototype head as they were fitted
    #[arg(long)]
    pub no_calibrate: bool,

    /// Calibrate an MLP too (beside heads of other kinds it is, without being asked): divide its logits by the temperature of least loss on the val rows, or, where there are none
    /// (or --group-column is given), on a tenth of the train rows, which are then not fitted on
    #[arg(long)]
    pub calibrate: bool,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "With --head linear, ridge or lda")]
pub struct LinearArgs {
    /// Penalty on the weights of linear and ridge heads, 1/C of scikit-learn's LogisticRegression, alpha of its
    /// RidgeClassifier; 0 is none. Of several, separated by commas, the one with the least held-out loss (ridge: the
    /// highest held-out accuracy, of labels and numbers the least squared error) is kept, of equals the largest [default: three a decade from 1e5 down to 1e-3; linear
    /// ends where held-out loss has long been rising]
    #[arg(long, value_name = "VALUE[,VALUE…]", value_delimiter = ',', allow_negative_numbers = true)]
    pub l2: Option<Vec<f64>>,

    /// Part of a lda head's covariance that is taken from a sphere's of the same trace, from 0 to 1. Of several, separated
    /// by commas, the one with the highest held-out accuracy is kept, of equals the largest [default: tenths from 1
    /// down, then three a decade to 1e-3]
    #[arg(long, value_name = "VALUE[,VALUE…]", value_delimiter = ',', allow_negative_numbers = true)]
    pub shrinkage: Option<Vec<f64>>,

    /// Also write how heads on 1, 2, 5, … 100 % of the train rows do on held-out rows to this .parquet, .csv or .json: would
    /// more labels help? They are linear, of numbers ridge. The head carries it into evaluate's report
    #[arg(long, value_name = "FILE")]
    pub curve: Option<PathBuf>,

    /// Iterations of L-BFGS at most, for each penalty of a linear head [default: 1000]
    #[arg(long, value_name = "N")]
    pub max_iterations: Option<usize>,

    /// The fit has converged when no component of the gradient of the mean loss exceeds this
    /// [default: 1e-5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub tolerance: Option<f64>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "With --head mlp:UNITS")]
pub struct MlpArgs {
    /// Passes over the train rows; the weights of the last one are kept, unless --patience is given [default: 10]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,

    /// Rows in a step; the last step of an epoch takes what is left [default: 32]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,

    /// How gradients become steps: `adam`; `adamw`, with decay of the weights; or `sgd`, with momentum 0.9
    /// [default: adam]
    #[arg(long, value_name = "HOW", value_enum)]
    pub optimizer: Option<OptimizerChoice>,

    /// The largest step size [default: 0.001; of sgd 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,

    /// How the step size changes: `constant`; `cosine`, down to nothing along half a cosine; or `one-cycle`, up for three
    /// tenths of the run and then down [default: constant]
    #[arg(long, value_name = "HOW", value_enum)]
    pub schedule: Option<ScheduleChoice>,

    /// Decay of the weights, with adamw or sgd; biases have none [default: 0.01; of sgd 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,

    /// Part of the hidden units zeroed in training, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub dropout: Option<f64>,

    /// Part of each row's target that is spread evenly over all classes, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,

    /// Mix the features and targets of each batch's rows by a share drawn from Beta(ALPHA, ALPHA); 0 mixes none
    /// [default: 0]
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true)]
    pub mixup: Option<f64>,

    /// End once so many epochs in a row had no less loss on the val rows than the best, and keep the best; where there
    /// are no val rows (or --group-column is given), a tenth of the train rows is set aside for it [default: all epochs]
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
}

/// `--optimizer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OptimizerChoice {
    /// Adam.
    Adam,
    /// Adam with decay.
    Adamw,
    /// Gradient descent with momentum.
    Sgd,
}

/// `--schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScheduleChoice {
    /// One step size.
    Constant,
    /// Half a cosine down.
    Cosine,
    /// Up, then down.
    OneCycle,
}

impl From<OptimizerChoice> for Optimizer {
    fn from(choice: OptimizerChoice) -> Optimizer {
        match choice {
            OptimizerChoice::Adam => Optimizer::Adam,
            OptimizerChoice::Adamw => Optimizer::AdamW,
            OptimizerChoice::Sgd => Optimizer::Sgd,
        }
    }
}

impl From<ScheduleChoice> for Schedule {
    fn from(choice: ScheduleChoice) -> Schedule {
        match choice {
            ScheduleChoice::Constant => Schedule::Constant,
            ScheduleChoice::Cosine => Schedule::Cosine,
            ScheduleChoice::OneCycle => Schedule::OneCycle,
        }
    }
}
