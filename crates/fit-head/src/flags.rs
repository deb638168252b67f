//! Which flags go with which heads, and with which targets.

use cli::UsageError;
use sample::targets::Task;

use crate::{
    args::Args,
    head_choice::list,
    methods::{ComparedOn, KINDS, Kind},
};

/// A flag that only some heads, or only some targets take.
struct Flag {
    name: &'static str,
    given: bool,
    /// Where several kinds are to be chosen from, which of them must take it.
    whose: Whose,
    tasks: &'static [Task],
}

/// Which of several kinds must take a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Every one: it says what is wanted of the head.
    Every,
    /// Any: it says how such a head is fitted.
    Any,
    /// None: it goes with all kinds.
    None,
}

const ALL: &[Task] = &[Task::Class, Task::Labels, Task::Numbers];
const NAMED: &[Task] = &[Task::Class, Task::Labels];
const CLASSES: &[Task] = &[Task::Class];

/// What `--head auto` stands for: of the kinds for this target those that take every flag that is given. Where none does,
/// all of them.
pub(crate) fn of_auto(args: &Args) -> Vec<&'static Kind> {
    let task = args.target.task();
    let mut kinds: Vec<&'static Kind> =
        KINDS.iter().copied().filter(|kind| kind.auto.contains(&task)).collect();
    if args.choice.no_calibrate {
        // They are compared by calibrated probabilities.
        kinds.truncate(1);
    }
    let given: Vec<Flag> = flags(args).into_iter().filter(|flag| flag.given).collect();
    let takes_all =
        |kind: &&'static Kind| given.iter().all(|flag| flag.whose == Whose::None || takes(flag, kind, task));
    let fitting: Vec<&'static Kind> = kinds.iter().copied().filter(takes_all).collect();
    if fitting.is_empty() { kinds } else { fitting }
}

fn takes(flag: &Flag, kind: &Kind, task: Task) -> bool {
    match flag.name {
        // What numbers are fitted by; classes and labels are by logistic regression.
        "--curve" if task == Task::Numbers => kind.name == "ridge",
        name => kind.flags.contains(&name),
    }
}

/// Refuses what the heads and targets that were chosen have no use for.
pub(crate) fn check(args: &Args) -> Result<(), UsageError> {
    let task = args.target.task();
    check_heads(args, task)?;
    let flags = flags(args);
    if let Some(Flag { name, tasks, .. }) =
        flags.iter().find(|flag| flag.given && !flag.tasks.contains(&task))
    {
        let with = list(tasks.iter().map(|task| task.name().to_owned()), "or");
        let why = match *name {
            "--reject-at" => ", which comes without a confidence",
            _ => "",
        };
        return Err(UsageError(format!(
            "{name} goes with --target {with}; this target is {}{why}",
            task.name()
        )));
    }
    let fits = |flag: &Flag| match flag.whose {
        Whose::Every => args.head.iter().all(|head| takes(flag, head.kind, task)),
        Whose::Any => args.head.iter().any(|head| takes(flag, head.kind, task)),
        Whose::None => true,
    };
    match flags.iter().find(|flag| flag.given && !fits(flag)) {
        Some(flag) => {
            let kinds = KINDS.iter().filter(|kind| takes(flag, kind, task));
            let with = list(kinds.map(|kind| kind.pattern()), "or");
            Err(UsageError(format!("{} goes with --head {with}; {}", flag.name, these(args))))
        }
        None => Ok(()),
    }
}

/// Refuses heads that cannot say what is asked for.
fn check_heads(args: &Args, task: Task) -> Result<(), UsageError> {
    let Some(wrong) = args.head.iter().find(|head| !head.kind.tasks.contains(&task)) else { return Ok(()) };
    let kinds = KINDS.iter().filter(|kind| kind.tasks.contains(&task));
    let with = list(kinds.map(|kind| kind.pattern()), "or");
    let (name, why) = (task.name(), wrong.kind.why_not);
    Err(UsageError(format!("--target {name} goes with --head {with}; {}: {why}", these(args))))
}

fn these(args: &Args) -> String {
    let these = match args.head.are_several() {
        _ if args.head.are_auto() => "--head auto, the default, stands for",
        true => "these heads are",
        false => "this head is",
    };
    format!("{these} {}", args.head.names())
}

fn flags(args: &Args) -> Vec<Flag> {
    let flag = |name, given| Flag { name, given, whose: Whose::Any, tasks: ALL };
    let wanted = |name, given, tasks| Flag { name, given, whose: Whose::Every, tasks };
    let (choice, linear, mlp) = (&args.choice, &args.linear, &args.mlp);
    vec![
        wanted("--class-weight", args.class_weight.is_some(), CLASSES),
        wanted("--logit-adjustment", args.logit_adjustment.is_some(), CLASSES),
        Flag { whose: Whose::None, tasks: NAMED, ..flag("--min-class-rows", args.min_class_rows.is_some()) },
        wanted("--no-standardize", args.no_standardize, ALL),
        wanted("--folds", choice.folds.is_some(), ALL),
        wanted("--group-column", choice.group_column.is_some(), ALL),
        Flag { tasks: NAMED, ..flag("--calibrate", choice.calibrate) },
        wanted("--no-calibrate", choice.no_calibrate, NAMED),
        flag("--l2", linear.l2.is_some()),
        flag("--shrinkage", linear.shrinkage.is_some()),
        wanted("--curve", linear.curve.is_some(), ALL),
        wanted("--reject-at", choice.reject_at.is_some(), NAMED),
        flag("--max-iterations", linear.max_iterations.is_some()),
        flag("--tolerance", linear.tolerance.is_some()),
        flag("--epochs", mlp.epochs.is_some()),
        flag("--batch-size", mlp.batch_size.is_some()),
        flag("--learning-rate", mlp.learning_rate.is_some()),
        flag("--dropout", mlp.dropout.is_some()),
        flag("--optimizer", mlp.optimizer.is_some()),
        flag("--weight-decay", mlp.weight_decay.is_some()),
        flag("--schedule", mlp.schedule.is_some()),
        Flag { tasks: NAMED, ..flag("--label-smoothing", mlp.label_smoothing.is_some()) },
        flag("--mixup", mlp.mixup.is_some()),
        flag("--patience", mlp.patience.is_some()),
    ]
}

/// Whether temperatures make sense of what is fitted.
pub(crate) fn is_calibrated(args: &Args) -> bool {
    let trained = |kind: &Kind| kind.compared_on == ComparedOn::RowsSetAside;
    match args.target.task() {
        Task::Numbers => false,
        // Heads of several kinds are compared by their calibrated loss.
        Task::Class | Task::Labels if args.head.iter().all(|head| trained(head.kind)) => {
            args.choice.calibrate
        }
        Task::Class | Task::Labels => !args.choice.no_calibrate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn flags_say_what_auto_stands_for() {
        let cases: [(&[&str], &str); 11] = [
            (&["--l2", "1"], "linear"),
            (&["--max-iterations", "5"], "linear"),
            (&["--curve", "c.csv", "--folds", "3"], "linear"),
            (&["--no-calibrate"], "linear"),
            (&["--shrinkage", "0.1"], "lda"),
            (&["--l2", "1", "--shrinkage", "0.1"], "linear lda"),
            (&["--class-weight", "balanced", "--reject-at", "0.9"], "linear lda"),
            (&["--logit-adjustment", "1", "--no-standardize"], "linear lda"),
            (&["--group-column", "p", "--min-class-rows", "2", "--novelty-at", "0.9"], "linear lda"),
            (&["--l2", "1", "--target", "number"], "ridge"),
            (&["--curve", "c.csv", "--target", "number"], "ridge"),
        ];
        for (flags, expected) in cases {
            let args = [&["fit-head", "x.features", "-o", "x.head"], flags].concat();
            let kinds = of_auto(&Args::try_parse_from(args).unwrap());
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
            assert_eq!(names.join(" "), expected, "{flags:?}");
        }
    }
}
