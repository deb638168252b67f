//! Targets that are no classes: several labels a sample, or numbers. What a head says of them, and how they are read.

mod error;
mod read;

use serde::{Deserialize, Serialize};

pub use error::TargetsError;
pub use read::{Sample, label_set, list_in_disguise};

/// What a head that is no classifier says of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Which of some labels it bears: any number of them.
    Labels,
    /// One number or several.
    Number,
}

/// Where the targets of a sample stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetsFrom {
    /// In the name of its class: `cat|dog`, or a number.
    Class,
    /// In columns of a manifest, one an output, that are called as the outputs are.
    Columns,
    /// In one column of a manifest, as `cat|dog`.
    List(String),
}

/// How the targets of a head are to be read. The outputs' names are apart: a head has them as its classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// What they are.
    pub task: Task,
    /// Where they stand.
    pub from: TargetsFrom,
}

impl Task {
    /// `labels` or `number`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Labels => "labels",
            Task::Number => "number",
        }
    }

    /// What so many outputs are called: `label`, `labels`, `number`, `numbers`.
    pub fn noun(self, outputs: usize) -> &'static str {
        match (self, outputs) {
            (Task::Labels, 1) => "label",
            (Task::Labels, _) => "labels",
            (Task::Number, 1) => "number",
            (Task::Number, _) => "numbers",
        }
    }
}

impl Targets {
    /// Whether they stand in a manifest.
    pub fn need_manifest(&self) -> bool {
        self.from != TargetsFrom::Class
    }
}
