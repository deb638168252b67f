//! `--target`: what a head is to say of a sample.

use sample::targets::Task;

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
    /// As everything else calls it.
    pub(crate) fn task(self) -> Task {
        match self {
            TargetChoice::Classes => Task::Class,
            TargetChoice::Labels => Task::Labels,
            TargetChoice::Number => Task::Numbers,
        }
    }
}
