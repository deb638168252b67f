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
    long_about = "Fits a head on cached features: a classifier, several labels a sample, or numbers.\n\n\
        Reads a folder NAME.features that extract wrote. The rows of its train split are fitted on. Those of its val split \
        choose and calibrate. Without val rows, folds of the train rows do so: each is held out once, from a fit on the \
        others. The test split is never looked at, but for the names of labels.\n\n\
        Augmented views of train samples are rows like others to learn from. A held-out sample's views are left out with it, \
        and never judge. knn remembers samples without their views.\n\n\
        A head needs no tuning. By default a linear head and linear discriminants are fitted. The discriminants are kept where \
        they are clearly better on the held-out rows.\n\n\
        A sweep over 25 values finds a linear head's penalty, by held-out loss. Its logits are divided by the temperature of \
        least held-out loss, so that probabilities mean what they say.\n\n\
        Heads of kind ridge, lda and prototype are calibrated too, and need no iterations. The candidate of highest held-out \
        accuracy is kept, of equals the one of the largest penalty or shrinkage.\n\n\
        Writes NAME.head: one safetensors file. It has the layers, the class names in order, the settings and outcome of the \
        fit, and what says which features it belongs to. Features are standardised inside, but for knn. A head takes raw \
        features, since the scaling is folded into its layers.\n\n\
        The same features and settings give the same bytes, whatever the number of threads. Nothing is printed on stdout.",
    after_help = "Example, from the root of a clone after `make demo`:\n  target/release/fit-head target/demo/sample.features \\\n    -o /tmp/sample.head --table /tmp/sweep.csv --force\n\n\
        Exit codes: 0 success, 1 failed, 2 wrong usage, 130 interrupted (no head, but with --keep-best)."
)]
pub struct Args {
    /// Features to fit on: a folder that extract wrote, or several of the same samples
    ///
    /// Several may be of other taps or backbones. Each is tried alone, and all side by side. The best on held-out rows is
    /// kept and named.
    #[arg(value_name = "FEATURES", required = true)]
    pub features: Vec<PathBuf>,

    /// Take several FEATURES side by side, without trying each alone
    #[arg(long)]
    pub concat: bool,

    /// The head to write
    #[arg(short, long, value_name = "NAME.head")]
    pub output: PathBuf,

    /// What to fit: `auto`, `linear`, `ridge`, `lda`, `prototype`, `mlp:UNITS`, `attention:QUERIES` or `knn:K`
    ///
    /// `auto`: `linear`, or `lda` where its held-out log loss is less by more than one standard error. Labels take `linear`,
    /// numbers `ridge`. A flag that only one of them takes chooses that one. So does --no-calibrate: it chooses `linear`.
    /// Beyond 2,048 features and rows it is `linear`.
    ///
    /// `linear`: Multinomial logistic regression by L-BFGS.
    ///
    /// `ridge`: Least squares on targets 1 for the row's class and -1 for every other.
    ///
    /// `lda`: Linear discriminants with a shrunk covariance.
    ///
    /// `prototype`: The nearest class mean.
    ///
    /// `mlp:UNITS`: One hidden layer of so many rectified units.
    ///
    /// `attention:QUERIES`: So many learnt queries weigh the places of a map, or tokens, before one layer reads them. It takes
    /// features of a tap such as `layer3:flat`.
    ///
    /// `knn:K`: Votes of the K train rows of highest cosine, each counting exp(cosine / 0.07). The head keeps all train rows.
    ///
    /// Of several, separated by commas, the one of least held-out loss is kept. MLPs, attention and knn are compared on a val split
    /// only.
    #[arg(long, value_name = "KIND[,KIND…]", default_value = "auto")]
    pub head: HeadChoices,

    /// What the head is to say of a sample: one class, any number of labels, or numbers
    ///
    /// It stands in the column `label`, unless --target-columns names others. Labels are a list there, such as `cat|dog`, or
    /// `none`.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = TargetChoice::Classes)]
    pub target: TargetChoice,

    /// The columns that classes, labels or numbers stand in, separated by commas [default: `label`]
    ///
    /// They are those of --manifest where that has them, else of the features, which hold those of what extract read.
    /// Classes take one column, numbers one each. Labels take one each, with 0 and 1 or false and true, or a single one with
    /// lists.
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    pub target_columns: Option<Vec<String>>,

    /// How much each class's loss counts: `none`, `balanced`, or a .csv or .parquet table [default: none]
    ///
    /// `none`: Every row counts 1.
    ///
    /// `balanced`: A row counts rows / (classes · rows of the class).
    ///
    /// A table has the columns `class` and `weight`, and a row for every class.
    #[arg(long, value_name = "none|balanced|FILE.csv")]
    pub class_weight: Option<ClassWeight>,

    /// Take TAU times the logarithm of each class's part of the train rows off its logit [default: 0, which changes nothing]
    ///
    /// This comes after fitting. 1 gives what balanced classes would (Menon et al., 2021).
    #[arg(long, value_name = "TAU", allow_negative_numbers = true)]
    pub logit_adjustment: Option<f64>,

    /// Fail where a class or label has fewer train rows, without views, and name every such one [default: 1]
    #[arg(long, value_name = "N")]
    pub min_class_rows: Option<usize>,

    /// Take features as they are instead of standardising them (mean 0, std 1 over the train rows)
    #[arg(long)]
    pub no_standardize: bool,

    /// Seed of folds and rows set aside, and of all that MLPs and attention draw
    ///
    /// They draw initial weights, order of rows, dropout and mixing.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Also write a table to this .parquet, .csv or .json: a row for each penalty, shrinkage or epoch that was tried
    ///
    /// It has loss and accuracy on train rows and on held-out ones. Loss is in nats, of linear heads and MLPs. Accuracy is
    /// from 0 to 1, of labels the part of all that is right.
    ///
    /// The loss of numbers, and of ridge on labels, is the mean squared error. It is 1 where a number is always said to be its
    /// mean.
    ///
    /// Several FEATURES or kinds have their rows in one table, with the columns `head` and `features`.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// Replace existing outputs, if this program wrote them
    #[arg(long)]
    pub force: bool,

    /// When stopped, finish the penalty or epoch at hand and write the best head so far
    ///
    /// Ctrl-C, SIGTERM and SIGHUP stop a run. The head records `interrupted`, and the exit code is 130 all the same. Without
    /// --keep-best nothing is written.
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
    /// Hold out K folds of the train rows instead of the val rows [default: 5 where there are no val rows]
    ///
    /// Each class is spread evenly over them. MLPs and attention take no folds.
    #[arg(long, value_name = "K")]
    pub folds: Option<usize>,

    /// Hold rows out together that share a value of this column, such as one patient's [default: none]
    ///
    /// The column is one of --manifest where that has it, else of the features.
    #[arg(long, value_name = "NAME")]
    pub group_column: Option<String>,

    /// A CSV, JSONL or Parquet table of the samples, to correct classes or add columns [default: none]
    ///
    /// Its column `path` names the samples. Those of its columns that are read count before the features' own: `label` or
    /// --target-columns, and --group-column.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// Find the confidence from which on the head is right in this part of the cases, from 0 to 1 [default: none]
    ///
    /// It is found on held-out rows, for linear, ridge, lda and prototype heads. Each label has its own. The head carries it,
    /// and evaluate says what it keeps.
    #[arg(long, value_name = "PRECISION", allow_negative_numbers = true)]
    pub reject_at: Option<f64>,

    /// Keep the distance from the classes that this part of the held-out rows stays within, from 0 to 1 [default: none]
    ///
    /// Rows beyond it are novel, unlike anything seen. The head also keeps where the classes lie. The distance is Mahalanobis',
    /// from the nearest class. Of labels and numbers it is that from the mean of all rows.
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    pub novelty_at: Option<f64>,

    /// Leave the logits of a linear, ridge, lda or prototype head as they were fitted; without --head, of a linear one
    #[arg(long)]
    pub no_calibrate: bool,

    /// Calibrate an MLP too: divide its logits by the temperature of least loss on the val rows
    ///
    /// Without val rows, or with --group-column, a tenth of the train rows is set aside for it and not fitted on. Beside heads
    /// of other kinds an MLP is calibrated without being asked.
    #[arg(long)]
    pub calibrate: bool,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "With --head linear, ridge or lda")]
pub struct LinearArgs {
    /// Penalty on the weights of linear and ridge heads; 0 is none [default: three a decade from 1e5 down to 1e-3]
    ///
    /// It is 1/C of scikit-learn's LogisticRegression, alpha of its RidgeClassifier. Of several, separated by commas, the best
    /// on held-out rows is kept, of equals the largest.
    ///
    /// linear: The least loss is best. The sweep ends where held-out loss has long been rising.
    ///
    /// ridge: The highest accuracy is best, of labels and numbers the least squared error.
    #[arg(long, value_name = "VALUE[,VALUE…]", value_delimiter = ',', allow_negative_numbers = true)]
    pub l2: Option<Vec<f64>>,

    /// Part of an lda head's covariance that is a sphere's, from 0 to 1 [default: tenths from 1 down, then three a decade to
    /// 1e-3]
    ///
    /// The sphere has the same trace. Of several, separated by commas, the one of highest held-out accuracy is kept, of equals
    /// the largest.
    #[arg(long, value_name = "VALUE[,VALUE…]", value_delimiter = ',', allow_negative_numbers = true)]
    pub shrinkage: Option<Vec<f64>>,

    /// Also write to this .parquet, .csv or .json how heads on 1, 2, 5, … 100 % of the train rows do on held-out rows
    ///
    /// So you see whether more labels would help. The heads are linear, of numbers ridge. The head carries the curve into
    /// evaluate's report.
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
#[command(next_help_heading = "With --head mlp:UNITS and attention:QUERIES")]
pub struct MlpArgs {
    /// Passes over the train rows [default: 10; of attention 30]
    ///
    /// The weights of the last one are kept, unless --patience is given.
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,

    /// Rows in a step; the last step of an epoch takes what is left [default: 32]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,

    /// How gradients become steps [default: adam; of attention adamw]
    #[arg(long, value_name = "HOW", value_enum)]
    pub optimizer: Option<OptimizerChoice>,

    /// The largest step size [default: 0.001; of sgd 0.01]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,

    /// How the step size changes [default: constant; of attention cosine]
    #[arg(long, value_name = "HOW", value_enum)]
    pub schedule: Option<ScheduleChoice>,

    /// Decay of the weights, with adamw or sgd; biases have none [default: 0.01; of sgd 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,

    /// Part of the hidden units, or of what queries give, zeroed in training, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub dropout: Option<f64>,

    /// Part of each row's target that is spread evenly over all classes, from 0 to below 1 [default: 0]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,

    /// Mix the features and targets of each batch's rows by a share drawn from Beta(ALPHA, ALPHA); 0 mixes none
    /// [default: 0]
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true)]
    pub mixup: Option<f64>,

    /// End once N epochs in a row had no less loss on the val rows than the best, and keep the best [default: all epochs]
    ///
    /// Without val rows, or with --group-column, a tenth of the train rows is set aside for it.
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
}

/// `--optimizer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OptimizerChoice {
    /// Adam.
    Adam,
    /// Adam with decay of the weights.
    Adamw,
    /// Gradient descent with momentum 0.9.
    Sgd,
}

/// `--schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScheduleChoice {
    /// One step size.
    Constant,
    /// Down to nothing along half a cosine.
    Cosine,
    /// Up for three tenths of the run, then down.
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
