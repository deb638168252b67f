//! What heads say of samples, and how what is so is read: a class, several labels, or numbers.

mod error;
mod parse;
mod read;
mod said;
mod truth;

use serde::{Deserialize, Serialize};

pub use error::TargetsError;
pub use parse::{label_set, list, list_in_disguise};
pub use said::{Said, Samples};
pub use truth::Truth;

/// What a head says of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Which one of some classes it is of.
    #[default]
    Class,
    /// Which of some labels it bears: any number of them.
    Labels,
    /// One number or several.
    #[serde(rename = "number")]
    Numbers,
}

/// Where the truth of a sample stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetsFrom {
    /// In the column [`LABEL`](crate::LABEL): the class itself, `cat|dog`, or a number.
    #[default]
    Class,
    /// In columns, one an output, that are called as the outputs are.
    Columns,
    /// In one column: a class, or labels as `cat|dog`.
    #[serde(rename = "list")]
    Column(String),
}

/// What a head says of samples, and where the truth of that stands. The outputs' names are apart: a head has them as its
/// classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// What the head says.
    pub task: Task,
    /// Where the truth stands.
    pub from: TargetsFrom,
}

impl Task {
    /// As `--target` names it: `classes`, `labels` or `number`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Class => "classes",
            Task::Labels => "labels",
            Task::Numbers => "number",
        }
    }

    /// What so many outputs are called: `class`, `classes`, `label`, `labels`, `number`, `numbers`.
    pub fn noun(self, outputs: usize) -> &'static str {
        match (self, outputs) {
            (Task::Class, 1) => "class",
            (Task::Class, _) => "classes",
            (Task::Labels, 1) => "label",
            (Task::Labels, _) => "labels",
            (Task::Numbers, 1) => "number",
            (Task::Numbers, _) => "numbers",
        }
    }
}

impl TargetSpec {
    /// Whether the head says the features' own classes, as heads did before they could say anything else.
    pub fn is_of_features(&self) -> bool {
        *self == TargetSpec::default()
    }
}
