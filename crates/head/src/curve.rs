//! The learning curve: how much better more rows would make a linear head.

use std::ops::ControlFlow;

use artifact::Rows;

use crate::random::{Purpose, Random};
use crate::taught::Taught;
use crate::{Candidate, Examples, HeadFitError, HeldOut, LinearProblem, LinearSettings, Quality};

/// Linear heads that were fitted on a part of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// The part, 0 to 1.
    pub fraction: f64,
    /// Samples that each was fitted on, not counting their views; with folds, the mean.
    pub rows: usize,
    /// The penalty of least held-out loss.
    pub l2: f64,
    /// On the rows that were fitted; with folds, the mean over folds.
    pub train: Quality,
    /// On the rows that were held out, each counting the same.
    pub held_out: Quality,
    /// Number of those.
    pub held_out_rows: usize,
}

/// Some rows of others.
struct Subset<'a> {
    rows: &'a dyn Rows,
    kept: Vec<u32>,
}

/// One split into rows to fit and rows to judge by.
struct Round<'a> {
    /// Samples that may be fitted, by their first rows, the first of which are taken first.
    order: Vec<u32>,
    /// The rows and labels that judge.
    judges: (Subset<'a>, Vec<u32>),
}

/// Fits at each of `fractions` of the rows and each of `penalties` (largest first, ending where held-out loss has long
/// been rising), and keeps for each fraction the penalty of least held-out loss. Smaller parts are parts of larger ones,
/// and each has every class in proportion, one row at least.
///
/// With folds, every fold is held out in turn, and parts are taken of the others. Calls `on_point` after each fraction;
/// where it says so, that one is the last. Parts are of samples, and have all of their views.
///
/// # Errors
/// What [`LinearProblem::new`] and [`LinearProblem::sweep`] say; a fraction that is not above 0 and at most 1.
pub fn learning_curve(
    examples: &Examples<'_>,
    settings: &LinearSettings,
    held_out: HeldOut<'_>,
    penalties: &[f64],
    fractions: &[f64],
    seed: u64,
    mut on_point: impl FnMut(&CurvePoint) -> ControlFlow<()>,
) -> Result<Vec<CurvePoint>, HeadFitError> {
    held_out.check(&Taught::Classes(*examples))?;
    let rounds = rounds(examples, held_out, seed);
    let mut points = Vec::with_capacity(fractions.len());
    for &fraction in fractions {
        if !(fraction > 0.0 && fraction <= 1.0) {
            let expected = "above 0 and at most 1";
            return Err(HeadFitError::Setting { name: "fraction", expected, got: fraction });
        }
        let fits = rounds.iter().map(|round| round.fit(examples, settings, penalties, fraction));
        let point = best(fraction, &fits.collect::<Result<Vec<_>, _>>()?);
        let asked = on_point(&point).is_break();
        points.push(point);
        if asked {
            break;
        }
    }
    Ok(points)
}

/// What one round found: samples fitted, rows held out, every candidate.
type Found = (usize, usize, Vec<Candidate>);

impl Round<'_> {
    fn fit(
        &self,
        examples: &Examples<'_>,
        settings: &LinearSettings,
        penalties: &[f64],
        fraction: f64,
    ) -> Result<Found, HeadFitError> {
        let samples = part(&self.order, examples, fraction);
        let kept: Vec<u32> = samples.iter().flat_map(|&first| examples.rows_of(first)).collect();
        let labels: Vec<u32> = kept.iter().map(|&row| examples.labels()[row as usize]).collect();
        let rows = Subset { rows: examples.features(), kept };
        let part = Examples::new(&rows, &labels, examples.classes())?;
        let judges = Examples::new(&self.judges.0, &self.judges.1, examples.classes())?;
        let problem = LinearProblem::new(&part, settings)?;
        let go_on = |_: &Candidate| ControlFlow::Continue(());
        let sweep = problem.sweep(penalties, HeldOut::Rows(judges), true, go_on)?;
        Ok((samples.len(), judges.rows(), sweep.candidates))
    }
}

/// One round for val rows, one for each fold.
fn rounds<'a>(examples: &Examples<'a>, held_out: HeldOut<'a>, seed: u64) -> Vec<Round<'a>> {
    let mut order = examples.samples();
    Random::new(seed, Purpose::Parts).shuffle(&mut order);
    match held_out {
        HeldOut::Rows(judges) => {
            let all = (0..judges.rows() as u32).collect();
            let rows = Subset { rows: judges.features(), kept: all };
            vec![Round { order, judges: (rows, judges.labels().to_vec()) }]
        }
        // What was checked: there are none of classes.
        HeldOut::Targets(_) => Vec::new(),
        HeldOut::Folds(folds) => (0..folds.count())
            .map(|fold| {
                let is_held_out = |row: &u32| folds.of(*row as usize) == Some(fold);
                let is_judge = |row: &u32| folds.judged_by(*row as usize) == Some(fold);
                let kept: Vec<u32> = (0..examples.rows() as u32).filter(is_judge).collect();
                let labels = kept.iter().map(|&row| examples.labels()[row as usize]).collect();
                let order = order.iter().copied().filter(|row| !is_held_out(row)).collect();
                Round { order, judges: (Subset { rows: examples.features(), kept }, labels) }
            })
            .collect(),
    }
}

/// The first samples of each class in `order`, in proportion, back in the order of rows.
fn part(order: &[u32], examples: &Examples<'_>, fraction: f64) -> Vec<u32> {
    let label = |row: u32| examples.labels()[row as usize] as usize;
    let mut totals = vec![0usize; examples.classes()];
    order.iter().for_each(|&row| totals[label(row)] += 1);
    let mut left: Vec<usize> = totals.iter().map(|&rows| (rows as f64 * fraction).ceil() as usize).collect();
    let mut kept: Vec<u32> = order
        .iter()
        .copied()
        .filter(|&row| {
            let left = &mut left[label(row)];
            let take = *left > 0;
            *left -= usize::from(take);
            take
        })
        .collect();
    kept.sort_unstable();
    kept
}

/// The penalty of least loss over all rounds, of those that every round came to.
fn best(fraction: f64, found: &[Found]) -> CurvePoint {
    let tried = found.iter().map(|(.., candidates)| candidates.len()).min().unwrap_or(0);
    let held_out_rows: usize = found.iter().map(|(_, held_out, _)| held_out).sum();
    let rounds = found.len() as f64;
    let mean = |at: usize, weigh: bool, of: fn(&Candidate) -> f64| -> f64 {
        let weight = |held_out: usize| {
            if weigh { held_out as f64 / held_out_rows as f64 } else { 1.0 / rounds }
        };
        found.iter().map(|(_, held_out, candidates)| weight(*held_out) * of(&candidates[at])).sum()
    };
    let loss = |at: &usize| mean(*at, true, |candidate| candidate.held_out.loss);
    let at = (0..tried).min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap_or(0);
    CurvePoint {
        fraction,
        rows: (found.iter().map(|(rows, ..)| *rows as f64).sum::<f64>() / rounds).round() as usize,
        l2: mean(at, false, |candidate| candidate.l2),
        train: Quality {
            loss: mean(at, false, |candidate| candidate.train.loss),
            accuracy: mean(at, false, |candidate| candidate.train.accuracy),
        },
        held_out: Quality {
            loss: loss(&at),
            accuracy: mean(at, true, |candidate| candidate.held_out.accuracy),
        },
        held_out_rows,
    }
}

impl Rows for Subset<'_> {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        for (&row, out) in self.kept[first..].iter().zip(out.chunks_exact_mut(self.rows.dim())) {
            self.rows.read(row as usize, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Folds;
    use artifact::Matrix;

    #[test]
    fn more_rows_are_better_and_parts_are_nested() {
        let n = 600;
        let noise =
            |i: usize| ((i as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 31) as f32 - 1.0;
        let labels: Vec<u32> = (0..n).map(|row| (row % 3) as u32).collect();
        let x: Vec<f32> = (0..n * 30)
            .map(|i| {
                let own = i % 30 % 3 == i / 30 % 3;
                noise(i) + if own { 0.25 } else { 0.0 }
            })
            .collect();
        let matrix = Matrix::new(&x, 30).unwrap();
        let examples = Examples::new(&matrix, &labels, 3).unwrap();
        let folds = Folds::stratified(&labels, 3, 4, 0).unwrap();
        let settings = LinearSettings::default();
        let held_out = HeldOut::Folds(&folds);
        let curve = |fractions: &[f64]| {
            let go_on = |_: &CurvePoint| ControlFlow::Continue(());
            learning_curve(&examples, &settings, held_out, &[1000.0, 100.0, 10.0], fractions, 0, go_on)
        };
        let points = curve(&[0.02, 0.2, 1.0]).unwrap();
        assert_eq!(points.iter().map(|point| point.rows).collect::<Vec<_>>(), [9, 90, 450]);
        assert!(points.windows(2).all(|pair| pair[0].held_out.loss > pair[1].held_out.loss), "{points:?}");
        assert!(points.iter().all(|point| point.held_out_rows == n));
        assert!(matches!(curve(&[0.0]), Err(HeadFitError::Setting { name: "fraction", .. })));

        let order: Vec<u32> = (0..n as u32).rev().collect();
        let (small, large) = (part(&order, &examples, 0.1), part(&order, &examples, 0.5));
        assert!(small.iter().all(|row| large.contains(row)) && small.is_sorted());
    }
}
