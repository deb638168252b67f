//! Suspect labels of many classes: discriminants judge instead of logistic regression, and rows are judged one by one, so that
//! neither time nor memory is that of an (n, C) matrix.

use std::collections::HashMap;

use head::{ClassWeights, ClosedForm, ClosedProblem, Examples, HeldOut, softmax};
use review::{Judges, Neighbours, Suspect, in_order};
use sample::targets::Truth;

use super::{classes::present, folds};

/// Of within-class covariances of few rows a class; what it makes too sure is toned down by its power.
const SHRINKAGE: f64 = 0.2;
/// Beyond so many columns class means judge: a decomposition would take minutes.
const MOST_COLUMNS: usize = 2048;
/// Probabilities that are held while the judges are weighed.
const HELD: usize = 1 << 22;

/// All rows, the least credible label first. A row that no fold holds out is left undecided by the model.
pub(super) fn suspects(
    examples: &Examples<'_>,
    neighbours: &[&Neighbours],
    seed: u64,
) -> anyhow::Result<Vec<Suspect>> {
    let (n, classes) = (examples.rows(), examples.outputs());
    let (present, labels) = present(examples)?;
    let truth = Truth::Class(labels.clone());
    let own = Examples::new(examples.features(), &truth, present.len())?;
    let folds = folds(&labels, present.len(), seed)?;
    let form = if own.dim() > MOST_COLUMNS { ClosedForm::Prototype } else { ClosedForm::Lda };
    let problem = ClosedProblem::new(&own, form, &ClassWeights::None, true)?;
    let sweep = problem.sweep(&[SHRINKAGE], HeldOut::Folds(&folds))?;
    let widened = |judged: &[f64]| {
        let mut row = vec![0.0; classes];
        present.iter().zip(judged).for_each(|(&class, &p)| row[class] = p);
        row
    };
    let undecided = widened(&vec![1.0 / present.len() as f64; present.len()]);

    let step = n.div_ceil((HELD / classes).max(1));
    let sampled = |row: usize, scores: &[f32]| {
        row.is_multiple_of(step).then(|| (row as u32, widened(&softmax(scores, scores.len()))))
    };
    let held_out = HeldOut::Folds(&folds);
    let sample: HashMap<u32, Vec<f64>> =
        problem.held_out_scores(&sweep, held_out, sampled).into_iter().flatten().collect();
    let rows: Vec<u32> = (0..n as u32).step_by(step).collect();
    let of = |row: u32| sample.get(&row).map_or(undecided.as_slice(), Vec::as_slice);
    let judges = Judges::of(examples.labels(), classes, neighbours, &rows, of)?;

    let judge =
        |row: usize, scores: &[f32]| judges.suspect(row as u32, &widened(&softmax(scores, scores.len())));
    let mut all: Vec<Option<Suspect>> = vec![None; n];
    for suspect in problem.held_out_scores(&sweep, held_out, judge) {
        all[suspect.row as usize] = Some(suspect);
    }
    let each = (0u32..).zip(all);
    Ok(in_order(each.map(|(row, found)| found.unwrap_or_else(|| judges.suspect(row, &undecided))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;
    use review::{NEIGHBOURS, Space};

    #[test]
    fn flipped_labels_come_first() {
        let (n, dim, classes) = (300, 8, 5);
        let noise =
            |at: usize| ((at as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 32) as f32;
        let value = |row: usize, column: usize| {
            noise(row * dim + column) + if row % (classes - 1) == column { 1.5 } else { 0.0 }
        };
        let x: Vec<f32> = (0..n * dim).map(|at| value(at / dim, at % dim)).collect();
        // The last class has no rows; every thirtieth label is another's.
        let flipped = |row: usize| row % 30 == 7;
        let label = |row: usize| ((row + usize::from(flipped(row))) % (classes - 1)) as u32;
        let labels: Vec<u32> = (0..n).map(label).collect();
        let matrix = Matrix::new(&x, dim).unwrap();
        let truth = sample::targets::Truth::Class(labels);
        let examples = Examples::new(&matrix, &truth, classes).unwrap();
        let neighbours = Neighbours::find(&Space::whitened(&matrix).unwrap(), NEIGHBOURS);
        let found = suspects(&examples, &[&neighbours], 0).unwrap();
        assert_eq!(found.len(), n);
        let hits = found[..10].iter().filter(|suspect| flipped(suspect.row as usize)).count();
        assert!(hits >= 9, "{hits} of 10");
        let first = found[0];
        assert_eq!(first.suggested as usize, first.row as usize % (classes - 1));
    }
}
