//! Which flags go with which heads, and with which targets.

use artifact::Task;
use cli::UsageError;

use crate::args::Args;
use crate::{HeadChoice, HeadChoices, TargetChoice};

/// A flag that only some heads take.
struct Flag {
    name: &'static str,
    given: bool,
    /// Patterns of heads, as the help writes them.
    heads: &'static [&'static str],
    /// Where several kinds are to be chosen from, which of them must take it.
    whose: Whose,
}

/// Which of several kinds must take a flag.
#[derive(Clone, Copy)]
enum Whose {
    /// Every one: it says what is wanted of the head.
    Every,
    /// Any: it says how such a head is fitted.
    Any,
}

const LINEAR: &[&str] = &["linear"];
const LDA: &[&str] = &["lda"];
const MLP: &[&str] = &["mlp:UNITS"];
const PENALISED: &[&str] = &["linear", "ridge"];
const ONE_LAYER: &[&str] = &["linear", "ridge", "lda", "prototype"];
const LAYERS: &[&str] = &["linear", "ridge", "lda", "prototype", "mlp:UNITS"];
const WEIGHTED: &[&str] = &["linear", "ridge", "lda", "mlp:UNITS"];

/// Refuses what `chosen` has no use for.
pub(crate) fn check(args: &Args, chosen: &HeadChoices) -> Result<(), UsageError> {
    let takes = |flag: &Flag, head: HeadChoice| flag.heads.contains(&head.pattern());
    let fits = |flag: &Flag| match flag.whose {
        Whose::Every => chosen.iter().all(|head| takes(flag, head)),
        Whose::Any => chosen.iter().any(|head| takes(flag, head)),
    };
    let wrong = flags(args).into_iter().find(|flag| flag.given && !fits(flag));
    match wrong {
        Some(Flag { name, heads, .. }) => Err(UsageError(format!(
            "{name} goes with --head {}; {} {}",
            list(heads),
            if chosen.are_several() { "these heads are" } else { "this head is" },
            chosen.names()
        ))),
        None => Ok(()),
    }
}

fn flags(args: &Args) -> Vec<Flag> {
    let flag = |name, given, heads| Flag { name, given, heads, whose: Whose::Any };
    let wanted = |name, given, heads| Flag { name, given, heads, whose: Whose::Every };
    let (choice, linear, mlp) = (&args.choice, &args.linear, &args.mlp);
    vec![
        wanted("--class-weight", args.class_weight.is_some(), WEIGHTED),
        wanted("--logit-adjustment", args.logit_adjustment.is_some(), WEIGHTED),
        wanted("--no-standardize", args.no_standardize, LAYERS),
        wanted("--folds", choice.folds.is_some(), ONE_LAYER),
        wanted("--group-column", choice.group_column.is_some(), LAYERS),
        flag("--calibrate", choice.calibrate, MLP),
        wanted("--no-calibrate", choice.no_calibrate, ONE_LAYER),
        flag("--l2", linear.l2.is_some(), PENALISED),
        flag("--shrinkage", linear.shrinkage.is_some(), LDA),
        wanted("--curve", linear.curve.is_some(), LINEAR),
        wanted("--reject-at", choice.reject_at.is_some(), ONE_LAYER),
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

/// Refuses what the targets asked for have no use for.
pub(crate) fn check_target(args: &Args) -> Result<(), UsageError> {
    let refuse = |message: String| Err(UsageError(message));
    let choice = &args.choice;
    let columns = args.target_columns.is_some();
    if choice.manifest.is_some() && choice.group_column.is_none() && !columns {
        return refuse("--manifest goes with --group-column or --target-columns".to_owned());
    }
    let Some(task) = args.target.task() else {
        if columns {
            return refuse("--target-columns goes with --target labels or number".to_owned());
        }
        return Ok(());
    };
    let name = task.name();
    let heads = match task {
        Task::Labels => "linear, ridge or mlp:UNITS",
        Task::Class | Task::Numbers => "ridge or mlp:UNITS",
    };
    if args.head.iter().any(|head| !args.target.fits(head)) {
        let these = if args.head.are_several() { "these heads are" } else { "this head is" };
        return refuse(format!("--target {name} goes with --head {heads}; {these} {}", args.head.names()));
    }
    let of_classes = [
        ("--class-weight", args.class_weight.is_some()),
        ("--logit-adjustment", args.logit_adjustment.is_some()),
        ("--min-class-rows", args.min_class_rows.is_some()),
        ("--reject-at", choice.reject_at.is_some()),
        ("--novelty-at", choice.novelty_at.is_some()),
        ("--curve", args.linear.curve.is_some()),
    ];
    if let Some((flag, _)) = of_classes.iter().find(|(_, given)| *given) {
        return refuse(format!("{flag} goes with --target classes; this target is {name}"));
    }
    let of_labels = [
        ("--label-smoothing", args.mlp.label_smoothing.is_some()),
        ("--calibrate", choice.calibrate),
        ("--no-calibrate", choice.no_calibrate),
    ];
    match of_labels.iter().find(|(_, given)| *given && task == Task::Numbers) {
        Some((flag, _)) => {
            refuse(format!("{flag} goes with --target classes or labels; this target is number"))
        }
        None => Ok(()),
    }
}

/// Whether temperatures make sense of what is fitted.
pub(crate) fn is_calibrated(args: &Args) -> bool {
    let is_mlp = |head| matches!(head, HeadChoice::Mlp { .. });
    match args.target {
        TargetChoice::Number => false,
        // Heads of several kinds are compared by their calibrated loss.
        _ if args.head.iter().all(is_mlp) => args.choice.calibrate,
        _ => !args.choice.no_calibrate,
    }
}
