//! What is said of one sample.

use crate::config::Wanted;
use anyhow::Result;
use cli::UsageError;
use head::Head;
use model::Verdict;
use sample::targets::Task;

/// A sample, and what is said of it, or why nothing is.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) said: Result<Verdict, String>,
}

/// What a head says of every sample, and how much of that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Outputs {
    pub(crate) task: Task,
    /// The outputs' names.
    pub(crate) names: Vec<String>,
    /// Whether the head says what is better left unanswered: of labels, which are sure.
    pub(crate) rejects: bool,
    /// Whether it says what is unlike anything seen.
    pub(crate) knows_novelty: bool,
    pub(crate) wanted: Wanted,
}

impl Outputs {
    /// # Errors
    /// [`UsageError`] where probabilities are wanted of a head of numbers.
    pub(crate) fn of(head: &Head, wanted: Wanted) -> Result<Outputs> {
        let task = head.task();
        if task == Task::Numbers && (wanted.top > 0 || wanted.probabilities) {
            let text = "--top and --probabilities go with classes and labels; this head says numbers";
            return Err(UsageError(text.to_owned()).into());
        }
        Ok(Outputs {
            task,
            names: head.classes.clone(),
            rejects: match task {
                Task::Labels => head.label_thresholds().is_some(),
                Task::Class => head.reject_threshold().is_some(),
                Task::Numbers => false,
            },
            knows_novelty: head.novelty.is_some(),
            wanted: Wanted { top: wanted.top.min(head.classes.len()), ..wanted },
        })
    }

    /// Numbers that a row holds, about.
    pub(crate) fn width(&self) -> usize {
        self.names.len().max(8)
    }
}
