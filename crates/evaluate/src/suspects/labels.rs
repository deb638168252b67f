//! Labels that are likely missing, and such that are likely wrong: each label is judged as a pair of classes.

use std::ops::ControlFlow;

use anyhow::bail;
use cli::{Session, count};
use features::Rows;
use head::{
    Candidate, ClassWeights, ClosedForm, ClosedProblem, Examples, Head, HeldOut, LinearProblem,
    LinearSettings, sigmoid,
};
use review::{Neighbours, Predictions, UNDECIDED, suspects};
use sample::targets::Truth;

use super::{LIKELY, MANY, classes::penalties, folds, numbers::PENALTIES as RIDGE_PENALTIES};

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
    session: &Session,
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
    let many = n.saturating_mul(judged.len()) > MANY;
    if many {
        session.note(format!(
            "evaluate: {} labels of {} rows are judged by ridge regression; logistic regression would take too long",
            count(judged.len() as u64),
            count(n as u64)
        ));
    }
    let probabilities = out_of_fold(rows, truth, labels, &judged, &counts, (!many).then_some(head), seed)?;
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

/// (n, judged): each row without its fold, by a logistic regression a label, or without a head by a ridge regression.
fn out_of_fold(
    rows: &dyn Rows,
    truth: &[bool],
    labels: usize,
    judged: &[usize],
    counts: &[usize],
    head: Option<&Head>,
    seed: u64,
) -> anyhow::Result<Vec<f64>> {
    let values: Vec<f64> = truth
        .chunks_exact(labels)
        .flat_map(|row| judged.iter().map(|&label| f64::from(u8::from(row[label]))))
        .collect();
    // The rarest label that a row bears decides where it goes, so that every fold has some.
    let rarest = |row: &[bool]| {
        let positive = judged.iter().filter(|&&label| row[label]);
        positive.min_by_key(|&&label| counts[label]).map_or(0, |&label| label as u32 + 1)
    };
    let kinds: Vec<u32> = truth.chunks_exact(labels).map(rarest).collect();
    let folds = folds(&kinds, labels + 1, seed)?;
    let truth = Truth::Labels(values);
    let examples = Examples::new(rows, &truth, judged.len())?;
    let held_out = HeldOut::Folds(&folds);
    let scored = if let Some(head) = head {
        let problem = LinearProblem::new(&examples, &LinearSettings::default())?;
        let sweep =
            problem.sweep(&penalties(head), held_out, false, |_: &Candidate| ControlFlow::Continue(()))?;
        problem.held_out_scores(&sweep, held_out, |row, scores| (row, sigmoid(scores)))
    } else {
        let problem = ClosedProblem::new(&examples, ClosedForm::Ridge, &ClassWeights::None, true)?;
        let sweep = problem.sweep(&RIDGE_PENALTIES, held_out)?;
        // Fitted on 1 where a label is borne, and on -1 where not.
        let share = |score: &f32| (0.5 * (f64::from(*score) + 1.0)).clamp(0.0, 1.0);
        problem.held_out_scores(&sweep, held_out, |row, scores| (row, scores.iter().map(share).collect()))
    };
    let mut probabilities = vec![UNDECIDED; rows.len() * judged.len()];
    for (row, p) in scored {
        if p.iter().all(|p| p.is_finite()) {
            probabilities[row * judged.len()..][..judged.len()].copy_from_slice(&p);
        }
    }
    Ok(probabilities)
}
