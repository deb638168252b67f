//! How to fit: the head that was asked for, with its settings.

use cli::UsageError;
use head::{ClosedForm, LinearSettings, MlpSettings};

use crate::args::{Args, LinearArgs, MlpArgs, OptimizerChoice};
use crate::flags;
use crate::head_choice::HeadChoice;

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
    /// A closed form at each of some strengths.
    Closed {
        /// Which.
        form: ClosedForm,
        /// The strengths, each once, the largest first; none for a path of our own.
        strengths: Vec<f64>,
    },
    /// One hidden layer.
    Mlp(MlpSettings),
    /// The rows themselves.
    Knn {
        /// How many of the nearest vote.
        neighbours: usize,
    },
}

impl Method {
    /// One for each kind that `--head` names.
    pub(crate) fn all(args: &Args) -> Result<Vec<Method>, UsageError> {
        flags::check(args, &args.head)?;
        args.head.iter().map(|head| Method::new(args, head)).collect()
    }

    /// Whether it remembers rows, which are not looked for out of fold.
    pub(crate) fn is_knn(&self) -> bool {
        matches!(self, Method::Knn { .. })
    }

    /// Whether it is trained, once.
    pub(crate) fn is_mlp(&self) -> bool {
        matches!(self, Method::Mlp(_))
    }

    /// As `--head` names it.
    pub(crate) fn name(&self) -> String {
        match self {
            Method::Linear { .. } => "linear".to_owned(),
            Method::Closed { form: ClosedForm::Ridge, .. } => "ridge".to_owned(),
            Method::Closed { form: ClosedForm::Lda, .. } => "lda".to_owned(),
            Method::Closed { form: ClosedForm::Prototype, .. } => "prototype".to_owned(),
            Method::Mlp(settings) => format!("mlp:{}", settings.hidden),
            Method::Knn { neighbours } => format!("knn:{neighbours}"),
        }
    }

    /// Classes' weights are known once the classes are; until then, every row counts 1.
    fn new(args: &Args, head: HeadChoice) -> Result<Method, UsageError> {
        match head {
            HeadChoice::Linear => linear(args),
            HeadChoice::Ridge => Ok(Method::Closed {
                form: ClosedForm::Ridge,
                strengths: penalties(args.linear.l2.as_deref())?,
            }),
            HeadChoice::Lda => {
                let given = args.linear.shrinkage.as_deref();
                let strengths = sorted("--shrinkage", given, |a| (0.0..=1.0).contains(&a), "from 0 to 1")?;
                Ok(Method::Closed { form: ClosedForm::Lda, strengths })
            }
            HeadChoice::Prototype => {
                Ok(Method::Closed { form: ClosedForm::Prototype, strengths: Vec::new() })
            }
            HeadChoice::Mlp { units } => mlp(args, units),
            HeadChoice::Knn { neighbours } => Ok(Method::Knn { neighbours }),
        }
    }
}

fn linear(args: &Args) -> Result<Method, UsageError> {
    let default = LinearSettings::default();
    let LinearArgs { l2, max_iterations, tolerance, .. } = &args.linear;
    let settings = LinearSettings {
        standardize: !args.no_standardize,
        tolerance: tolerance.unwrap_or(default.tolerance),
        max_iterations: max_iterations.unwrap_or(default.max_iterations),
        ..default
    };
    require("--tolerance", settings.tolerance, settings.tolerance >= 0.0, "of 0 or more")?;
    Ok(Method::Linear { l2: penalties(l2.as_deref())?, settings })
}

fn mlp(args: &Args, units: usize) -> Result<Method, UsageError> {
    let default = MlpSettings::default();
    let MlpArgs { optimizer, schedule, patience, .. } = args.mlp;
    let optimizer = optimizer.unwrap_or(OptimizerChoice::Adam);
    // PyTorch's defaults of AdamW; SGD's steps are of the size of the gradient, and want to be longer.
    let (learning_rate, weight_decay) = match optimizer {
        OptimizerChoice::Adam => (default.learning_rate, 0.0),
        OptimizerChoice::Adamw => (default.learning_rate, 0.01),
        OptimizerChoice::Sgd => (0.01, 0.0),
    };
    if optimizer == OptimizerChoice::Adam && args.mlp.weight_decay.is_some() {
        let adam = "--weight-decay goes with --optimizer adamw or sgd; this one is adam";
        return Err(UsageError(adam.to_owned()));
    }
    let settings = MlpSettings {
        hidden: units,
        epochs: args.mlp.epochs.unwrap_or(default.epochs),
        batch_size: args.mlp.batch_size.unwrap_or(default.batch_size),
        optimizer: optimizer.into(),
        learning_rate: args.mlp.learning_rate.unwrap_or(learning_rate),
        schedule: schedule.map_or(default.schedule, Into::into),
        weight_decay: args.mlp.weight_decay.unwrap_or(weight_decay),
        dropout: args.mlp.dropout.unwrap_or(default.dropout),
        label_smoothing: args.mlp.label_smoothing.unwrap_or(default.label_smoothing),
        mixup: args.mlp.mixup.unwrap_or(default.mixup),
        patience,
        seed: args.seed,
        standardize: !args.no_standardize,
        class_weights: default.class_weights,
    };
    let part = |value: f64| (0.0..1.0).contains(&value);
    let &MlpSettings { epochs, batch_size, learning_rate, dropout, .. } = &settings;
    let &MlpSettings { weight_decay, label_smoothing, mixup, .. } = &settings;
    require("--epochs", epochs as f64, epochs > 0, "of 1 or more")?;
    require("--batch-size", batch_size as f64, batch_size > 0, "of 1 or more")?;
    require("--learning-rate", learning_rate, learning_rate > 0.0, "above 0")?;
    require("--weight-decay", weight_decay, weight_decay >= 0.0, "of 0 or more")?;
    require("--dropout", dropout, part(dropout), "from 0 to below 1")?;
    require("--label-smoothing", label_smoothing, part(label_smoothing), "from 0 to below 1")?;
    require("--mixup", mixup, mixup >= 0.0, "of 0 or more")?;
    require("--patience", patience.unwrap_or(1) as f64, patience != Some(0), "of 1 or more")?;
    Ok(Method::Mlp(settings))
}

fn penalties(given: Option<&[f64]>) -> Result<Vec<f64>, UsageError> {
    sorted("--l2", given, |l2| l2 >= 0.0, "of 0 or more")
}

/// Each value once, the largest first.
fn sorted(
    flag: &str,
    given: Option<&[f64]>,
    fine: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<Vec<f64>, UsageError> {
    let mut sorted = given.unwrap_or_default().to_vec();
    sorted.iter().try_for_each(|&value| require(flag, value, fine(value), expected))?;
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.dedup();
    Ok(sorted)
}

/// Refuses a number out of its range.
pub(crate) fn require(flag: &str, got: f64, fine: bool, expected: &str) -> Result<(), UsageError> {
    if fine && got.is_finite() {
        Ok(())
    } else {
        Err(UsageError(format!("{flag}: expected a number {expected}, got {got}")))
    }
}
