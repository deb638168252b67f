//! What a head says of the rows of a split, and what is so.

use anyhow::{Context, bail};
use artifact::{FeatureSet, Head, Rows as _, Sample, Selection, Split, Targets, Task};
use head::{Scorer, sigmoid};
use metrics::{Bootstrap, Regression};

use super::{labels, numbers};
use crate::Config;
use crate::table::{Row, Scope};

/// Values that are read at a time.
const HELD: usize = 1 << 20;

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

/// A part of a split.
pub(crate) struct Part {
    split: Split,
    measured: Measured,
}

impl<'a> SplitScores<'a> {
    /// Applies `head` to a split, and reads what is so.
    pub(crate) fn compute(
        split: Split,
        features: &'a FeatureSet,
        head: &Head,
        targets: &Targets,
        config: &Config,
    ) -> anyhow::Result<SplitScores<'a>> {
        let rows = Selection::split(features, split);
        let samples: Vec<Sample<'_>> = (0..rows.len()).map(|at| sample(features, rows.row(at))).collect();
        let truth = targets.values(&head.classes, &samples, config.manifest())?;
        let said =
            said(head, &rows).with_context(|| format!("cannot score `{}`", config.head().display()))?;
        let measured = Measured::of(targets.task, head.classes.len(), &truth, said);
        Ok(SplitScores { split, rows, measured })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The table's rows of the whole split, or with another scope of a part; with `names` those of each output too.
    pub(crate) fn rows(
        &self,
        scope: &Scope,
        names: &[String],
        bootstrap: &Bootstrap,
    ) -> anyhow::Result<Vec<Row>> {
        self.measured.rows(self.split, scope, names, bootstrap)
    }

    /// The rows `members` alone.
    pub(crate) fn select(&self, members: &[usize]) -> anyhow::Result<Part> {
        let measured = match &self.measured {
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
        };
        Ok(Part { split: self.split, measured })
    }
}

impl Part {
    /// As [`SplitScores::rows`].
    pub(crate) fn rows(
        &self,
        scope: &Scope,
        names: &[String],
        bootstrap: &Bootstrap,
    ) -> anyhow::Result<Vec<Row>> {
        self.measured.rows(self.split, scope, names, bootstrap)
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
            Task::Number => {
                let column = |values: &[f64], output: usize| {
                    values.iter().skip(output).step_by(outputs).copied().collect::<Vec<f64>>()
                };
                let each = (0..outputs).map(|output| (column(truth, output), column(&said, output)));
                Measured::Numbers(each.collect())
            }
        }
    }

    fn rows(
        &self,
        split: Split,
        scope: &Scope,
        names: &[String],
        bootstrap: &Bootstrap,
    ) -> anyhow::Result<Vec<Row>> {
        match self {
            Measured::Labels { labels, truth, probabilities } => {
                labels::rows(split, scope, names, (truth, probabilities, *labels), bootstrap)
            }
            Measured::Numbers(outputs) => {
                numbers::rows(split, scope, names, &regressions(outputs)?, bootstrap)
            }
        }
    }
}

/// Ready to be measured, output by output.
pub(crate) fn regressions(outputs: &[(Vec<f64>, Vec<f64>)]) -> anyhow::Result<Vec<Regression>> {
    Ok(outputs.iter().map(|(truth, said)| Regression::new(truth, said)).collect::<Result<_, _>>()?)
}

/// What `head` says of `rows`: probabilities of labels, or numbers, (n, outputs).
pub(crate) fn said(head: &Head, rows: &Selection<'_>) -> anyhow::Result<Vec<f64>> {
    let scorer = Scorer::of(head);
    let (n, dim) = (rows.len(), rows.dim());
    let block = (HELD / dim.max(scorer.classes())).clamp(64, 1 << 14);
    let mut said = Vec::with_capacity(n * scorer.classes());
    let mut x = vec![0.0; block.min(n) * dim];
    for first in (0..n).step_by(block) {
        let x = &mut x[..block.min(n - first) * dim];
        rows.read(first, x);
        let scores = scorer.of_rows(x);
        match head.targets.as_ref().map(|targets| targets.task) {
            Some(Task::Labels) => said.extend(sigmoid(&scores)),
            _ => said.extend(scores.into_iter().map(f64::from)),
        }
    }
    match said.iter().find(|value| !value.is_finite()) {
        Some(value) => bail!("it says {value} of some row"),
        None => Ok(said),
    }
}

/// Of the splits scored the one that a page is about and that the gate judges: test, else val, else train.
pub(crate) fn judged(scores: &[SplitScores<'_>]) -> Option<usize> {
    let preferred = [Split::Test, Split::Val, Split::Train];
    preferred.iter().find_map(|split| scores.iter().position(|scores| scores.split == *split))
}

fn sample(features: &FeatureSet, row: usize) -> Sample<'_> {
    Sample { id: features.id(row), class: &features.classes()[features.label(row) as usize] }
}
