//! Which flags go with which heads.

use cli::UsageError;

use crate::HeadChoice;
use crate::args::Args;

/// A flag that only some heads take.
struct Flag {
    name: &'static str,
    given: bool,
    /// Patterns of heads, as the help writes them.
    heads: &'static [&'static str],
}

const LINEAR: &[&str] = &["linear"];
const LDA: &[&str] = &["lda"];
const MLP: &[&str] = &["mlp:UNITS"];
const PENALISED: &[&str] = &["linear", "ridge"];
const ONE_LAYER: &[&str] = &["linear", "ridge", "lda", "prototype"];
const LAYERS: &[&str] = &["linear", "ridge", "lda", "prototype", "mlp:UNITS"];
const WEIGHTED: &[&str] = &["linear", "ridge", "lda", "mlp:UNITS"];

/// Refuses what `chosen` has no use for.
pub(crate) fn check(args: &Args, chosen: HeadChoice) -> Result<(), UsageError> {
    let wrong = flags(args).into_iter().find(|flag| flag.given && !flag.heads.contains(&chosen.pattern()));
    match wrong {
        Some(Flag { name, heads, .. }) => Err(UsageError(format!(
            "{name} goes with --head {}; this head is {}",
            list(heads),
            chosen.name()
        ))),
        None => Ok(()),
    }
}

fn flags(args: &Args) -> Vec<Flag> {
    let flag = |name, given, heads| Flag { name, given, heads };
    let (choice, linear, mlp) = (&args.choice, &args.linear, &args.mlp);
    vec![
        flag("--class-weight", args.class_weight.is_some(), WEIGHTED),
        flag("--logit-adjustment", args.logit_adjustment.is_some(), WEIGHTED),
        flag("--no-standardize", args.no_standardize, LAYERS),
        flag("--folds", choice.folds.is_some(), ONE_LAYER),
        flag("--group-column", choice.group_column.is_some(), LAYERS),
        flag("--calibrate", choice.calibrate, MLP),
        flag("--no-calibrate", choice.no_calibrate, ONE_LAYER),
        flag("--l2", linear.l2.is_some(), PENALISED),
        flag("--shrinkage", linear.shrinkage.is_some(), LDA),
        flag("--curve", linear.curve.is_some(), LINEAR),
        flag("--reject-at", linear.reject_at.is_some(), LINEAR),
        flag("--max-iterations", linear.max_iterations.is_some(), LINEAR),
        flag("--tolerance", linear.tolerance.is_some(), LINEAR),
        flag("--epochs", mlp.epochs.is_some(), MLP),
        flag("--batch-size", mlp.batch_size.is_some(), MLP),
        flag("--learning-rate", mlp.learning_rate.is_some(), MLP),
        flag("--dropout", mlp.dropout.is_some(), MLP),
        flag("--optimizer", mlp.optimizer.is_some(), MLP),
        flag("--weight-decay", mlp.weight_decay.is_some(), MLP),
        flag("--schedule", mlp.schedule.is_some(), MLP),
        flag("--label-smoothing", mlp.label_smoothing.is_some(), MLP),
        flag("--mixup", mlp.mixup.is_some(), MLP),
        flag("--patience", mlp.patience.is_some(), MLP),
    ]
}

/// `linear`, `linear or ridge`, `linear, ridge or lda`
fn list(heads: &[&str]) -> String {
    match heads {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
