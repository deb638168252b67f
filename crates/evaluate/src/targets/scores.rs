//! What a head says of the rows of a split, and what is so.

use std::convert::Infallible;

use anyhow::Context;
use artifact::{FeatureSet, Head, Rows as _, Sample, Selection, Split, TargetSpec, Task};
use head::{Scorer, sigmoid};
use metrics::Regression;

use super::{labels, numbers};
use crate::Config;
use crate::blocks::for_each_block;
use crate::scores::too_large;
use crate::table::{Row, Scope};

/// The rows of one split, what is so, and what the head says.
pub(crate) struct SplitScores<'a> {
    pub(crate) split: Split,
    pub(crate) rows: Selection<'a>,
    pub(crate) measured: Measured,
}

/// Targets of some rows, and what a head says of them.
pub(crate) enum Measured {
    /// Both (n, labels).
    Labels { labels: usize, truth: Vec<bool>, probabilities: Vec<f64> },
    /// One list each of true and predicted values an output: (outputs, n).
    Numbers(Vec<(Vec<f64>, Vec<f64>)>),
}

impl<'a> SplitScores<'a> {
    /// Applies `head` to a split, and reads what is so.
    pub(crate) fn compute(
        split: Split,
        features: &'a FeatureSet,
        head: &Head,
        targets: &TargetSpec,
        config: &Config,
    ) -> anyhow::Result<SplitScores<'a>> {
        let rows = Selection::split(features, split);
        let samples: Vec<Sample<'_>> = (0..rows.len()).map(|at| features.sample(rows.row(at))).collect();
        let truth = targets.read(&head.classes, &samples, config.manifest())?;
        let said = said(head, &rows, features)
            .with_context(|| format!("cannot score `{}`", config.head().display()))?;
        let measured = Measured::of(targets.task, head.classes.len(), truth.values(), said);
        Ok(SplitScores { split, rows, measured })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Measured {
    /// Of `truth` and `said`, both (n, outputs).
    pub(crate) fn of(task: Task, outputs: usize, truth: &[f64], said: Vec<f64>) -> Measured {
        match task {
            Task::Labels => Measured::Labels {
                labels: outputs,
                truth: truth.iter().map(|&truth| truth > 0.5).collect(),
                probabilities: said,
            },
            Task::Class | Task::Numbers => {
                let column = |values: &[f64], output: usize| {
                    values.iter().skip(output).step_by(outputs).copied().collect::<Vec<f64>>()
                };
                let each = (0..outputs).map(|output| (column(truth, output), column(&said, output)));
                Measured::Numbers(each.collect())
            }
        }
    }

    /// The rows `members` alone.
    pub(crate) fn select(&self, members: &[usize]) -> Measured {
        match self {
            Measured::Labels { labels, truth, probabilities } => Measured::Labels {
                labels: *labels,
                truth: members.iter().flat_map(|at| &truth[at * labels..][..*labels]).copied().collect(),
                probabilities: members
                    .iter()
                    .flat_map(|at| &probabilities[at * labels..][..*labels])
                    .copied()
                    .collect(),
            },
            Measured::Numbers(outputs) => {
                let of = |values: &[f64]| members.iter().map(|&at| values[at]).collect::<Vec<f64>>();
                Measured::Numbers(outputs.iter().map(|(truth, said)| (of(truth), of(said))).collect())
            }
        }
    }

    /// The table's rows of this scope; with `names` those of each output too.
    pub(crate) fn rows(&self, split: Split, scope: &Scope, names: &[String]) -> anyhow::Result<Vec<Row>> {
        match self {
            Measured::Labels { labels, truth, probabilities } => {
                labels::rows(split, scope, names, (truth, probabilities, *labels))
            }
            Measured::Numbers(outputs) => numbers::rows(split, scope, names, &regressions(outputs)?),
        }
    }
}

/// Ready to be measured, output by output.
pub(crate) fn regressions(outputs: &[(Vec<f64>, Vec<f64>)]) -> anyhow::Result<Vec<Regression>> {
    Ok(outputs.iter().map(|(truth, said)| Regression::new(truth, said)).collect::<Result<_, _>>()?)
}

/// What `head` says of `rows`, which are of `features`: probabilities of labels, or numbers, (n, outputs).
///
/// # Errors
/// A row of which it says what is no number.
pub(crate) fn said(head: &Head, rows: &Selection<'_>, features: &FeatureSet) -> anyhow::Result<Vec<f64>> {
    let scorer = Scorer::of(head);
    let mut said = Vec::with_capacity(rows.len() * scorer.outputs());
    let Ok(()) = for_each_block(rows, scorer.outputs(), |_, x| {
        let scores = scorer.of_rows(x);
        match head.task() {
            Task::Labels => said.extend(sigmoid(&scores)),
            _ => said.extend(scores.into_iter().map(f64::from)),
        }
        Ok::<_, Infallible>(())
    });
    match said.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(too_large(features, rows, at / scorer.outputs())),
        None => Ok(said),
    }
}

/// Of the splits scored the one that a page is about and that the gate judges: test, else val, else train.
pub(crate) fn judged(scores: &[SplitScores<'_>]) -> Option<usize> {
    let preferred = [Split::Test, Split::Val, Split::Train];
    preferred.iter().find_map(|split| scores.iter().position(|scores| scores.split == *split))
}
