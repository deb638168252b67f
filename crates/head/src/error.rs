//! Why a head cannot be fitted.

use engine::EngineError;
use sample::targets::Task;
use train::TrainError;

/// Why a head cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum HeadFitError {
    /// There is nothing to learn from.
    #[error("no rows")]
    NoRows,
    /// Features and labels do not describe the same rows.
    #[error("{rows} rows of features, but {labels} labels")]
    Lengths {
        /// Rows of features.
        rows: usize,
        /// Number of labels.
        labels: usize,
    },
    /// Rows are not of the places that they are said to be of.
    #[error("rows of {got} features, but places with {expected} in all")]
    Places {
        /// Of all places.
        expected: usize,
        /// Of a row.
        got: usize,
    },
    /// Views do not describe the same rows.
    #[error("{rows} rows of features, but {views} views, the first of which should be view 0")]
    Views {
        /// Rows of features.
        rows: usize,
        /// Number of views.
        views: usize,
    },
    /// A label names no class.
    #[error("row {row} has label {label}, but there are only {classes} classes")]
    Label {
        /// The row.
        row: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// Features and targets do not describe the same rows.
    #[error("{rows} rows of features with {outputs} targets each, but {got} values")]
    Targets {
        /// Rows of features.
        rows: usize,
        /// Targets of each row.
        outputs: usize,
        /// Number of targets in all.
        got: usize,
    },
    /// A target is not finite, or says neither yes nor no.
    #[error("row {row}, output {output}: {got} is no target")]
    Target {
        /// The row.
        row: usize,
        /// Which of its targets.
        output: usize,
        /// What it is.
        got: f64,
    },
    /// Weights, which are 32-bit numbers, cannot say it.
    #[error("output {output}: its numbers differ by less than 1.2e-38; give them in a smaller unit")]
    TinyTarget {
        /// The output.
        output: usize,
    },
    /// Nothing can be learnt of a label that all rows bear, or none.
    #[error("label {label} is the same in all rows")]
    ConstantLabel {
        /// The label, an index.
        label: usize,
    },
    /// A head is asked for what it cannot say.
    #[error("{head} cannot say {}", task.noun(2))]
    Task {
        /// The head.
        head: &'static str,
        /// What it should say.
        task: Task,
    },
    /// With one class there is nothing to tell apart.
    #[error("expected at least two classes, got {got}")]
    TooFewClasses {
        /// Number of classes.
        got: usize,
    },
    /// A class has no rows to learn from.
    #[error("class {class} has no rows")]
    AbsentClass {
        /// The class, an index.
        class: usize,
    },
    /// Rows that candidates are compared on do not fit those that are fitted on.
    #[error("held-out rows do not fit the training rows: expected {expected}, got {got}")]
    HeldOut {
        /// Columns, classes or rows there should be.
        expected: usize,
        /// What there are.
        got: usize,
    },
    /// A setting outside its range.
    #[error("expected {name} {expected}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// What was given.
        got: f64,
    },
    /// A closed form takes a matrix of d × d, and about 9 d³ operations.
    #[error(
        "{got} features are too many for this head, at most {most} are taken; --head linear takes any number"
    )]
    TooManyFeatures {
        /// d
        got: usize,
        /// The limit.
        most: usize,
    },
    /// The eigenvectors of a matrix were not found.
    #[error("the eigenvectors of the {dim} × {dim} matrix of the features' products were not found")]
    NoEigenvectors {
        /// d
        dim: usize,
    },
    /// What is chosen, calibrated or ended early is so by rows that are not fitted.
    #[error(
        "no row can be held out: there is one row, or one group, of each class only; give more rows, a val split, or one setting that needs none: --head linear --l2 10 --no-calibrate"
    )]
    NothingHeldOut,
    /// The fit left the range of numbers, as too large a learning rate makes it.
    #[error("the loss became {loss} in epoch {epoch}; use a smaller learning rate")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The loss there.
        loss: f64,
    },
    /// What was fitted does not fit into f32: features near the end of its range, as they are, or times the weights they want.
    #[error(
        "the head left the range of 32-bit numbers: features are too large or too small for it; scale them"
    )]
    OutOfRange,
    /// The same of what was fitted by steps, which may have been too large.
    #[error("the fitted weights are not finite; lower the learning rate, or scale the features")]
    Unbounded,
    /// A network that is to be trained gives something else.
    #[error("{network} gives {got:?} numbers, expected [{expected}]")]
    Outputs {
        /// What it is called.
        network: String,
        /// How many are wanted.
        expected: usize,
        /// Of each of its outputs.
        got: Vec<usize>,
    },
    /// The network does not take such rows, or looks something up.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// The processor's engine cannot run the network.
    #[error(transparent)]
    Engine(Box<EngineError>),
    /// candle refused an operation: memory, or a fault of ours.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

impl From<TrainError> for HeadFitError {
    fn from(error: TrainError) -> HeadFitError {
        HeadFitError::Train(Box::new(error))
    }
}

impl From<EngineError> for HeadFitError {
    fn from(error: EngineError) -> HeadFitError {
        HeadFitError::Engine(Box::new(error))
    }
}
