//! `--target`: what a head is to say of a sample.

use artifact::Task;

use crate::HeadChoice;

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
            TargetChoice::Number => Some(Task::Numbers),
        }
    }
}
