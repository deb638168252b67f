//! Which part of the work a sample serves.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Training, validation or test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What a head is fitted on.
    Train,
    /// What hyper-parameters are chosen on.
    Val,
    /// What is only looked at once.
    Test,
}

impl Split {
    /// Every split, in the order of the work.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// The split that a word names, such as `train`, `training`, `val`, `dev`, `test` or `holdout`, in any case.
    pub fn parse(name: &str) -> Option<Split> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" | "trn" => Some(Split::Train),
            "val" | "valid" | "validation" | "validate" | "dev" | "devel" | "development" => Some(Split::Val),
            "test" | "testing" | "tst" | "holdout" => Some(Split::Test),
            _ => None,
        }
    }

    /// `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
