//! Labels that are likely missing, and such that are likely wrong: each label is judged as a pair of classes.

use std::ops::ControlFlow;

use anyhow::bail;
use features::Rows;
use head::{Candidate, Examples, Head, HeldOut, LinearProblem, LinearSettings, sigmoid};
use review::{Neighbours, Predictions, UNDECIDED, suspects};
use sample::targets::Truth;

use super::{LIKELY, classes::penalties, folds};

/// A row and how its labels look.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelSuspect {
    /// The row.
    pub(crate) row: u32,
    /// The least credible of its labels' qualities; below 0.5 the opposite is the more probable.
    pub(crate) quality: f64,
    /// Which labels it bears: (labels,).
    pub(crate) truth: Vec<bool>,
    /// Which it likely should: (labels,).
    pub(crate) suggested: Vec<bool>,
}

impl LabelSuspect {
    /// Of each label whether it is likely missing.
    pub(crate) fn missing(&self) -> impl Iterator<Item = bool> + '_ {
        self.truth.iter().zip(&self.suggested).map(|(truth, suggested)| !truth && *suggested)
    }

    /// Of each label whether it is likely wrong.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = bool> + '_ {
        self.truth.iter().zip(&self.suggested).map(|(truth, suggested)| *truth && !suggested)
    }
}

/// Every row, the least credible first. `truth` is (n, labels).
pub(super) fn judge(
    rows: &dyn Rows,
    truth: &[bool],
    head: &Head,
    neighbours: &[&Neighbours],
    seed: u64,
) -> anyhow::Result<Vec<LabelSuspect>> {
    let (n, labels) = (rows.len(), head.classes.len());
    let counts: Vec<usize> =
        (0..labels).map(|label| truth.iter().skip(label).step_by(labels).filter(|is| **is).count()).collect();
    // What all rows bear, or none does, cannot be learnt.
    let judged: Vec<usize> = (0..labels).filter(|&label| 0 < counts[label] && counts[label] < n).collect();
    if n < 2 || judged.is_empty() {
        bail!(
            "labels can be judged where some rows bear one and others do not; leave out --suspects and --report"
        );
    }
    let probabilities = out_of_fold(rows, truth, labels, &judged, &counts, head, seed)?;
    let mut found: Vec<LabelSuspect> = truth
        .chunks_exact(labels)
        .zip(0..)
        .map(|(truth, row)| LabelSuspect {
            row,
            quality: 1.0,
            truth: truth.to_vec(),
            suggested: truth.to_vec(),
        })
        .collect();
    for (at, &label) in judged.iter().enumerate() {
        let own: Vec<u32> = truth.iter().skip(label).step_by(labels).map(|&is| u32::from(is)).collect();
        let each = probabilities.iter().skip(at).step_by(judged.len());
        let pairs: Vec<f64> = each.flat_map(|p| [1.0 - p, *p]).collect();
        for suspect in suspects(&Predictions::new(&own, &pairs, 2)?, neighbours)? {
            let of = &mut found[suspect.row as usize];
            of.quality = of.quality.min(suspect.quality);
            of.suggested[label] = (suspect.suggested == 1) == (suspect.quality < LIKELY);
        }
    }
    found.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.row.cmp(&b.row)));
    Ok(found)
}

/// (n, judged): each row by a logistic regression a label without its fold.
fn out_of_fold(
    rows: &dyn Rows,
    truth: &[bool],
    labels: usize,
    judged: &[usize],
    counts: &[usize],
    head: &Head,
    seed: u64,
) -> anyhow::Result<Vec<f64>> {
    let values: Vec<f64> = truth
        .chunks_exact(labels)
        .flat_map(|row| judged.iter().map(|&label| f64::from(u8::from(row[label]))))
        .collect();
    // The rarest label that a row bears decides where it goes, so that every fold has some.
    let rarest = |row: &[bool]| {
        let borne = judged.iter().filter(|&&label| row[label]);
        borne.min_by_key(|&&label| counts[label]).map_or(0, |&label| label as u32 + 1)
    };
    let kinds: Vec<u32> = truth.chunks_exact(labels).map(rarest).collect();
    let folds = folds(&kinds, labels + 1, seed)?;
    let truth = Truth::Labels(values);
    let examples = Examples::new(rows, &truth, judged.len())?;
    let problem = LinearProblem::new(&examples, &LinearSettings::default())?;
    let held_out = HeldOut::Folds(&folds);
    let sweep =
        problem.sweep(&penalties(head), held_out, false, |_: &Candidate| ControlFlow::Continue(()))?;
    let mut probabilities = vec![UNDECIDED; rows.len() * judged.len()];
    for (row, p) in problem.held_out_scores(&sweep, held_out, |row, scores| (row, sigmoid(scores))) {
        if p.iter().all(|p| p.is_finite()) {
            probabilities[row * judged.len()..][..judged.len()].copy_from_slice(&p);
        }
    }
    Ok(probabilities)
}
