//! Labels of classes that are likely wrong: a head of the same kind, fitted on folds, and neighbours judge each row.

use std::ops::ControlFlow;

use anyhow::bail;
use cli::{Session, count};
use features::Rows;
use head::Head;
use head::{Candidate, Examples, HeldOut, LinearProblem, LinearSettings, softmax};
use review::{Neighbours, Predictions, Suspect, UNDECIDED, suspects};
use sample::targets::Truth;

use super::{MANY, folds, many};

/// Penalties that these fits are chosen from where the head does not say its own.
const PENALTIES: [f64; 4] = [1000.0, 100.0, 10.0, 1.0];

/// Every row, the least credible label first. `labels` (n,) are below `classes`.
pub(super) fn judge(
    rows: &dyn Rows,
    labels: &[u32],
    head: &Head,
    neighbours: &[&Neighbours],
    seed: u64,
    session: &Session,
) -> anyhow::Result<Vec<Suspect>> {
    let classes = head.classes.len();
    let truth = Truth::Class(labels.to_vec());
    let examples = Examples::new(rows, &truth, classes)?;
    let (present, _) = present(&examples)?;
    if present.len() == labels.len() {
        session.note("evaluate: no class has two rows, so that all labels are left undecided");
        return Ok(undecided(labels, &present));
    }
    if labels.len().saturating_mul(classes) > MANY {
        session.note(format!(
            "evaluate: labels of {} rows and {} classes are judged by discriminants; logistic regression would take too long",
            count(labels.len() as u64),
            count(classes as u64)
        ));
        return many::suspects(&examples, neighbours, seed);
    }
    let probabilities = out_of_fold(&examples, head, seed)?;
    let predictions = Predictions::new(labels, &probabilities, classes)?;
    Ok(suspects(&predictions, neighbours)?)
}

/// Classes that have rows, and each row's place among them: classes of the head that these rows lack cannot be learnt from them.
pub(super) fn present(examples: &Examples<'_>) -> anyhow::Result<(Vec<usize>, Vec<u32>)> {
    let present: Vec<usize> =
        examples.counts().iter().enumerate().filter(|(_, rows)| **rows > 0).map(|(class, _)| class).collect();
    let place = |label: &u32| present.binary_search(&(*label as usize)).map_or(0, |at| at as u32);
    let labels: Vec<u32> = examples.labels().iter().map(place).collect();
    if present.len() < 2 || examples.rows() < 2 {
        bail!(
            "labels can be judged where there are rows of two classes or more; leave out --suspects and --report"
        );
    }
    Ok((present, labels))
}

/// Every row, of which nothing can be learnt without itself: its label is as good as the first other one.
fn undecided(labels: &[u32], present: &[usize]) -> Vec<Suspect> {
    let other = |label: u32| {
        present.iter().find(|&&class| class != label as usize).map_or(label, |&class| class as u32)
    };
    let suspect =
        |(row, &label): (u32, &u32)| Suspect { row, label, suggested: other(label), quality: UNDECIDED };
    (0..).zip(labels).map(suspect).collect()
}

/// (n, C): each row by a linear fit without its fold. A row that is the only one of its class, which no fold holds out, is
/// left undecided, and so is one of which that fit says no number.
fn out_of_fold(examples: &Examples<'_>, head: &Head, seed: u64) -> anyhow::Result<Vec<f64>> {
    let (n, classes) = (examples.rows(), examples.outputs());
    let (present, labels) = present(examples)?;
    let truth = Truth::Class(labels.clone());
    let examples = Examples::new(examples.features(), &truth, present.len())?;
    let folds = folds(&labels, present.len(), seed)?;
    let problem = LinearProblem::new(&examples, &LinearSettings::default())?;
    let held_out = HeldOut::Folds(&folds);
    let go_on = |_: &Candidate| ControlFlow::Continue(());
    let sweep = problem.sweep(&penalties(head), held_out, false, go_on)?;
    let mut probabilities = vec![0.0; n * classes];
    probabilities.chunks_exact_mut(classes).for_each(|row| {
        present.iter().for_each(|&class| row[class] = 1.0 / present.len() as f64);
    });
    let judge = |row, scores: &[f32]| (row, softmax(scores, scores.len()));
    for (row, judged) in problem.held_out_scores(&sweep, held_out, judge) {
        if judged.iter().any(|p| !p.is_finite()) {
            continue;
        }
        let row = &mut probabilities[row * classes..][..classes];
        present.iter().zip(judged).for_each(|(&class, p)| row[class] = p);
    }
    Ok(probabilities)
}

/// The head's own penalty, if it is one of standardised logistic regression; else some to choose from.
pub(super) fn penalties(head: &Head) -> Vec<f64> {
    let is_like = head.fit["head"] == "linear" && head.fit["standardize"] == true;
    let own = head.fit["l2"].as_f64().filter(|l2| is_like && l2.is_finite() && *l2 > 0.0);
    own.map_or(PENALTIES.to_vec(), |l2| vec![l2])
}
