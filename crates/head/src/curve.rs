//! The learning curve: how much better more rows would make a head of one layer.

use std::ops::ControlFlow;

use sample::targets::{Task, Truth};

use crate::{
    Candidate, ClassWeights, ClosedForm, ClosedProblem, Examples, HeadFitError, HeldOut, LinearProblem,
    LinearSettings, Quality, TargetScaler,
    random::{Purpose, Random},
    subset::Subset,
};

/// Heads that were fitted on a part of the rows.
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

/// One split into rows to fit and rows to judge by.
struct Round<'a> {
    /// Samples that may be fitted, by their first rows, the first of which are taken first.
    order: Vec<u32>,
    /// The rows that judge, and what is so of them.
    judges: (Subset<'a>, Truth),
}

/// What all parts are taken of.
struct Whole<'a> {
    examples: Examples<'a>,
    /// Of each row that is a sample's first: what parts have in proportion.
    strata: Vec<u32>,
    count: usize,
    scaler: TargetScaler,
}

/// Fits at each of `fractions` of the rows and each of `penalties` (largest first, ending where held-out loss has long
/// been rising), and keeps for each fraction the penalty of least held-out loss. Classes and labels are fitted by logistic
/// regression, numbers by ridge regression. Smaller parts are parts of larger ones, and each has every class in proportion
/// ([`Examples::strata`]), one row at least. A part too small to have rows with a label and rows without it is left out.
///
/// With folds, every fold is held out in turn, and parts are taken of the others. Calls `on_point` after each fraction;
/// where it says so, that one is the last. Parts are of samples, and have all of their views.
///
/// # Errors
/// What [`LinearProblem::new`] and [`LinearProblem::sweep`] say; a fraction that is not above 0 and at most 1; no part that
/// can be fitted.
pub fn learning_curve(
    examples: &Examples<'_>,
    settings: &LinearSettings,
    held_out: HeldOut<'_>,
    penalties: &[f64],
    fractions: &[f64],
    seed: u64,
    mut on_point: impl FnMut(&CurvePoint) -> ControlFlow<()>,
) -> Result<Vec<CurvePoint>, HeadFitError> {
    held_out.check(examples)?;
    let (whole, rounds) = (Whole::of(examples), rounds(examples, held_out, seed));
    let mut points = Vec::with_capacity(fractions.len());
    let mut too_small = None;
    for &fraction in fractions {
        if !(fraction > 0.0 && fraction <= 1.0) {
            let expected = "above 0 and at most 1";
            return Err(HeadFitError::Setting { name: "fraction", expected, got: fraction });
        }
        let fits = rounds.iter().map(|round| round.fit(&whole, settings, penalties, fraction));
        let point = match fits.collect::<Result<Vec<_>, _>>() {
            Ok(found) => best(fraction, &found),
            Err(error @ HeadFitError::ConstantLabel { .. }) => {
                too_small = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let asked = on_point(&point).is_break();
        points.push(point);
        if asked {
            break;
        }
    }
    match too_small {
        Some(error) if points.is_empty() => Err(error),
        _ => Ok(points),
    }
}

/// What one round found: samples fitted, rows held out, every candidate.
type Found = (usize, usize, Vec<Candidate>);

impl<'a> Whole<'a> {
    fn of(examples: &Examples<'a>) -> Whole<'a> {
        let (of_samples, count) = examples.strata();
        let mut strata = vec![0; examples.rows()];
        examples.samples().iter().zip(of_samples).for_each(|(&row, own)| strata[row as usize] = own);
        Whole { examples: *examples, strata, count, scaler: TargetScaler::of(examples) }
    }

    /// The first samples of each stratum in `order`, in proportion, back in the order of rows.
    fn part(&self, order: &[u32], fraction: f64) -> Vec<u32> {
        let stratum = |row: u32| self.strata[row as usize] as usize;
        let mut totals = vec![0usize; self.count];
        order.iter().for_each(|&row| totals[stratum(row)] += 1);
        let mut left: Vec<usize> =
            totals.iter().map(|&rows| (rows as f64 * fraction).ceil() as usize).collect();
        let take = |row: &u32| {
            let left = &mut left[stratum(*row)];
            let take = *left > 0;
            *left -= usize::from(take);
            take
        };
        let mut kept: Vec<u32> = order.iter().copied().filter(take).collect();
        kept.sort_unstable();
        kept
    }
}

impl Round<'_> {
    fn fit(
        &self,
        whole: &Whole<'_>,
        settings: &LinearSettings,
        penalties: &[f64],
        fraction: f64,
    ) -> Result<Found, HeadFitError> {
        let Whole { examples, scaler, .. } = whole;
        let samples = whole.part(&self.order, fraction);
        let kept: Vec<u32> = samples.iter().flat_map(|&first| examples.rows_of(first)).collect();
        let (rows, truth) = Subset::of(examples, kept);
        let part = Examples::new(&rows, &truth, examples.outputs())?;
        let judges = Examples::new(&self.judges.0, &self.judges.1, examples.outputs())?;
        let held_out = HeldOut::Rows(judges);
        let sweep = if examples.task() == Task::Numbers {
            // Measured as all rows are, so that losses of parts can be compared.
            let (form, scaler) = (ClosedForm::Ridge, scaler.clone());
            ClosedProblem::scaled(&part, form, &ClassWeights::None, settings.standardize, scaler)?
                .sweep(penalties, held_out)?
        } else {
            let go_on = |_: &Candidate| ControlFlow::Continue(());
            LinearProblem::new(&part, settings)?.sweep(penalties, held_out, true, go_on)?
        };
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
            vec![Round { order, judges: Subset::of(&judges, all) }]
        }
        HeldOut::Folds(folds) => (0..folds.count())
            .map(|fold| {
                let is_held_out = |row: &u32| folds.of(*row as usize) == Some(fold);
                let is_judge = |row: &u32| folds.judged_by(*row as usize) == Some(fold);
                let kept: Vec<u32> = (0..examples.rows() as u32).filter(is_judge).collect();
                let order = order.iter().copied().filter(|row| !is_held_out(row)).collect();
                Round { order, judges: Subset::of(examples, kept) }
            })
            .collect(),
    }
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
        l2: mean(at, false, |candidate| candidate.strength),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Folds;
    use features::Matrix;

    #[test]
    fn more_rows_are_better_and_parts_are_nested() {
        let n = 600;
        let noise =
            |i: usize| ((i as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 31) as f32 - 1.0;
        let truth = Truth::Class((0..n).map(|row| (row % 3) as u32).collect());
        let x: Vec<f32> = (0..n * 30)
            .map(|i| {
                let own = i % 30 % 3 == i / 30 % 3;
                noise(i) + if own { 0.25 } else { 0.0 }
            })
            .collect();
        let matrix = Matrix::new(&x, 30).unwrap();
        let examples = Examples::new(&matrix, &truth, 3).unwrap();
        let folds = Folds::stratified(truth.classes(), 3, 4, 0).unwrap();
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
        let whole = Whole::of(&examples);
        let (small, large) = (whole.part(&order, 0.1), whole.part(&order, 0.5));
        assert!(small.iter().all(|row| large.contains(row)) && small.is_sorted());
    }

    #[test]
    fn labels_and_numbers_have_their_curves() {
        let n = 400;
        let noise =
            |i: usize| ((i as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 31) as f32 - 1.0;
        let x: Vec<f32> = (0..n * 20).map(noise).collect();
        let matrix = Matrix::new(&x, 20).unwrap();
        let sum = |row: usize, of: usize| -> f64 {
            let own: f32 = x[row * 20..][..20].iter().skip(of).step_by(2).sum();
            f64::from(own + noise(row * 7 + of))
        };
        let each: Vec<f64> = (0..2 * n).map(|at| sum(at / 2, at % 2)).collect();
        let folds = Folds::stratified(&vec![0; n], 1, 3, 0).unwrap();
        let labels = Truth::Labels(each.iter().map(|&y| f64::from(u8::from(y > 0.0))).collect());
        for truth in [labels, Truth::Numbers(each.iter().map(|y| 100.0 + 7.0 * y).collect())] {
            let examples = Examples::new(&matrix, &truth, 2).unwrap();
            let go_on = |_: &CurvePoint| ControlFlow::Continue(());
            let (settings, held_out) = (LinearSettings::default(), HeldOut::Folds(&folds));
            let fractions = [0.005, 0.1, 1.0];
            let points =
                learning_curve(&examples, &settings, held_out, &[100.0, 10.0, 1.0], &fractions, 0, go_on)
                    .unwrap();
            // Two rows of some labels cannot be told apart.
            let (of, found) = (truth.task(), points.len());
            assert!(found >= 2 && points[found - 1].rows > 260, "{of:?}: {points:?}");
            assert!(points[found - 2].held_out.loss > 1.1 * points[found - 1].held_out.loss, "{points:?}");
        }
    }
}
