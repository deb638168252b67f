//! `--target`: what a head is to say of a sample.

use artifact::Task;
use cli::UsageError;

use crate::HeadChoice;
use crate::args::Args;

/// What `--target` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TargetChoice {
    /// Its class.
    #[default]
    Classes,
    /// Which of some labels it bears.
    Labels,
    /// A number, or several.
    Number,
}

impl TargetChoice {
    /// Whether such a head can say it.
    pub(crate) fn fits(self, head: HeadChoice) -> bool {
        match self {
            TargetChoice::Classes => true,
            TargetChoice::Labels => ["linear", "ridge", "mlp"].contains(&head.name()),
            TargetChoice::Number => ["ridge", "mlp"].contains(&head.name()),
        }
    }

    /// `None` of classes.
    pub(crate) fn task(self) -> Option<Task> {
        match self {
            TargetChoice::Classes => None,
            TargetChoice::Labels => Some(Task::Labels),
            TargetChoice::Number => Some(Task::Number),
        }
    }
}

/// Refuses what the targets asked for have no use for.
pub(crate) fn check(args: &Args) -> Result<(), UsageError> {
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
        Task::Number => "ridge or mlp:UNITS",
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
    match of_labels.iter().find(|(_, given)| *given && task == Task::Number) {
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
