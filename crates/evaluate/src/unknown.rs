//! `--unknown`: rows of classes that the head does not know.

use std::collections::BTreeMap;

use cli::{UsageError, count};
use features::{FeatureSet, Selection};
use head::{Head, Scorer};
use metrics::{Answer, ClassRows, OpenSet, ScoreError};
use sample::targets::Task;
use store::brief::cut;

use crate::{
    Config,
    novelty::Novelties,
    scores::{probabilities, too_large},
};

/// Classes that a line names, the most frequent ones.
const MOST: usize = 5;
/// Characters of a class's name in a line.
const LISTED: usize = 30;

/// What becomes of rows of classes that the head does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum UnknownChoice {
    /// They are in no figure.
    #[default]
    LeaveOut,
    /// They are right where the head rejects them or finds them novel.
    Reject,
}

/// What the head says of rows of classes that it does not know.
pub(crate) struct Unknown<'a> {
    pub(crate) rows: Selection<'a>,
    /// Their classes, as they are written.
    pub(crate) labels: Vec<String>,
    /// The class that is said instead, and its probability.
    pub(crate) predicted: Vec<u32>,
    pub(crate) confidences: Vec<f64>,
    pub(crate) novelties: Option<Novelties>,
}

impl UnknownChoice {
    /// # Errors
    /// A head that cannot reject, where rows are to be rejected.
    pub(crate) fn check(self, head: &Head, config: &Config) -> Result<(), UsageError> {
        let path = config.head().display();
        if self == UnknownChoice::LeaveOut {
            return Ok(());
        }
        if head.task() != Task::Class {
            let what = head.task().noun(2);
            return Err(UsageError(format!("--unknown is for heads of classes, `{path}` is of {what}")));
        }
        if head.reject_threshold().is_none() && head.novelty.is_none() {
            return Err(UsageError(format!(
                "--unknown reject: `{path}` has no threshold to reject rows by; refit it with --reject-at or --novelty-at"
            )));
        }
        Ok(())
    }
}

impl<'a> Unknown<'a> {
    /// Applies `head` to rows of classes that it does not know.
    ///
    /// # Errors
    /// A row whose scores are no numbers.
    pub(crate) fn of(
        rows: Selection<'a>,
        labels: Vec<String>,
        head: &Head,
        features: &FeatureSet,
    ) -> anyhow::Result<Unknown<'a>> {
        let scorer = Scorer::of(head)?;
        // Whatever stands for their classes: only what is said counts.
        let mut said = ClassRows::new(scorer.outputs());
        let push = |_, p: &[f64]| said.push(&vec![0; p.len() / scorer.outputs()], p);
        probabilities(&scorer, &rows, push).map_err(|error| match error {
            ScoreError::Probability { row, .. } => too_large(features, &rows, row),
            other => other.into(),
        })?;
        let (predicted, confidences) = (said.predicted().to_vec(), said.confidences().to_vec());
        let novelties = Novelties::of(head, &rows);
        Ok(Unknown { rows, labels, predicted, confidences, novelties })
    }

    /// What the head made of these rows, beside those of classes that it knows; nothing where there is nothing to tell.
    pub(crate) fn open_set(
        &self,
        known: &ClassRows,
        novelties: Option<&Novelties>,
        head: &Head,
        choice: UnknownChoice,
    ) -> Option<OpenSet> {
        let rows = self.labels.len() as u64;
        if choice == UnknownChoice::LeaveOut {
            return (rows > 0).then(|| OpenSet::left_out(rows));
        }
        let below = head.reject_threshold();
        let answer =
            |is_class_right: bool, confidence: f64, novelties: Option<&Novelties>, at: usize| Answer {
                is_class_right,
                is_declined: below.is_some_and(|below| confidence < below)
                    || novelties.is_some_and(|own| own.is_novel(at)),
                doubt: novelties.map_or(-confidence, |own| f64::from(own.distances[at])),
            };
        let is_right = |at: usize| known.labels()[at] == known.predicted()[at];
        let known: Vec<Answer> = (0..known.rows())
            .map(|at| answer(is_right(at), known.confidences()[at], novelties, at))
            .collect();
        let unknown: Vec<Answer> = (0..self.labels.len())
            .map(|at| answer(false, self.confidences[at], self.novelties.as_ref(), at))
            .collect();
        Some(OpenSet::judged(&known, &unknown))
    }
}

/// The most frequent of some classes with their rows: `` `tulip` 8, `iris` 4 ``.
pub(crate) fn frequent<'a>(labels: impl Iterator<Item = &'a String>) -> String {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    labels.for_each(|label| *rows.entry(label).or_default() += 1);
    let mut rows: Vec<(&str, usize)> = rows.into_iter().collect();
    rows.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let listed = rows.iter().take(MOST);
    let listed = listed.map(|(class, rows)| format!("`{}` {}", cut(class, LISTED), count(*rows as u64)));
    let listed = listed.collect::<Vec<_>>().join(", ");
    match rows.len().saturating_sub(MOST) {
        0 => listed,
        more => format!("{listed} and {} more", count(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_classes_are_named() {
        let of = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            frequent(labels.iter())
        };
        assert_eq!(of(&["b", "a", "b"]), "`b` 2, `a` 1");
        assert_eq!(of(&["f", "e", "d", "c", "b", "a", "f"]), "`f` 2, `a` 1, `b` 1, `c` 1, `d` 1 and 1 more");
    }
}
