//! Numbers that are likely wrong: what a ridge regression that did not see the row expects is far from them.

use features::Rows;
use head::{ClassWeights, ClosedForm, ClosedProblem, Examples, HeldOut};
use sample::targets::Truth;

use super::folds;

/// Penalties that the fits are chosen from.
pub(super) const PENALTIES: [f64; 6] = [1e5, 1e4, 1000.0, 100.0, 10.0, 1.0];
/// A residual of so many robust standard deviations has quality one half.
const FAR: f64 = 4.0;
/// The standard deviation of a normal distribution over its median absolute deviation.
const NORMAL: f64 = 1.482_602_218_505_602;

/// A row and how its numbers look.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NumberSuspect {
    /// The row.
    pub(crate) row: u32,
    /// 1 / (1 + (z / 4)²) of the residual that is most out of line, z in robust standard deviations: below 0.5 beyond four.
    pub(crate) quality: f64,
    /// What it has: (outputs,).
    pub(crate) truth: Vec<f64>,
    /// What was expected, by a fit that did not see it: (outputs,).
    pub(crate) expected: Vec<f64>,
}

/// Every row, the least credible first. `truth` is (n, outputs).
pub(super) fn judge(
    rows: &dyn Rows,
    truth: &[f64],
    outputs: usize,
    seed: u64,
) -> anyhow::Result<Vec<NumberSuspect>> {
    let expected = out_of_fold(rows, truth, outputs, seed)?;
    let scales: Vec<(f64, f64)> = (0..outputs)
        .map(|output| {
            let pairs = truth.iter().zip(&expected).skip(output).step_by(outputs);
            robust(pairs.map(|(truth, expected)| truth - expected).collect())
        })
        .collect();
    let mut found: Vec<NumberSuspect> = truth
        .chunks_exact(outputs)
        .zip(expected.chunks_exact(outputs))
        .zip(0..)
        .map(|((truth, expected), row)| {
            let far = truth.iter().zip(expected).zip(&scales).map(|((truth, expected), (centre, scale))| {
                ((truth - expected - centre) / scale / FAR).abs()
            });
            let far = far.fold(0.0, f64::max);
            NumberSuspect {
                row,
                quality: 1.0 / (1.0 + far * far),
                truth: truth.to_vec(),
                expected: expected.to_vec(),
            }
        })
        .collect();
    found.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.row.cmp(&b.row)));
    Ok(found)
}

/// (n, outputs): each row by a fit without its fold.
fn out_of_fold(rows: &dyn Rows, truth: &[f64], outputs: usize, seed: u64) -> anyhow::Result<Vec<f64>> {
    let n = rows.len();
    let column = |output: usize| truth.iter().skip(output).step_by(outputs);
    // Mean and standard deviation, in which a head is fitted.
    let units: Vec<(f64, f64)> = (0..outputs)
        .map(|output| {
            let mean = column(output).sum::<f64>() / n as f64;
            let variance = column(output).map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        })
        .collect();
    let scaled: Vec<f64> = truth
        .chunks_exact(outputs)
        .flat_map(|row| row.iter().zip(&units).map(|(value, (mean, scale))| (value - mean) / scale))
        .collect();
    let mut expected: Vec<f64> = (0..n).flat_map(|_| units.iter().map(|(mean, _)| *mean)).collect();
    if n < 2 {
        return Ok(expected);
    }
    let folds = folds(&vec![0; n], 1, seed)?;
    let truth = Truth::Numbers(scaled);
    let examples = Examples::new(rows, &truth, outputs)?;
    let problem = ClosedProblem::new(&examples, ClosedForm::Ridge, &ClassWeights::None, true)?;
    let held_out = HeldOut::Folds(&folds);
    let sweep = problem.sweep(&PENALTIES, held_out)?;
    for (row, scores) in problem.held_out_scores(&sweep, held_out, |row, scores| (row, scores.to_vec())) {
        let own = expected[row * outputs..].iter_mut().zip(&units).zip(scores);
        own.filter(|(_, score)| score.is_finite())
            .for_each(|((value, (mean, scale)), score)| *value = mean + f64::from(score) * scale);
    }
    Ok(expected)
}

/// Median and robust standard deviation; 1 where more than half are the same.
fn robust(mut values: Vec<f64>) -> (f64, f64) {
    let median = |values: &mut Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let centre = median(&mut values);
    let mut away: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    let scale = NORMAL * median(&mut away);
    (centre, if scale > 0.0 { scale } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    #[test]
    fn numbers_that_were_shifted_come_first() {
        let (n, dim) = (200, 5);
        let noise =
            |at: usize| ((at as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 32) as f32;
        let x: Vec<f32> = (0..n * dim).map(noise).collect();
        let sum = |row: usize| f64::from(x[row * dim..][..dim].iter().sum::<f32>());
        let value = |row: usize| {
            sum(row) + 0.05 * f64::from(noise(row + 9999)) + if row % 40 == 7 { 3.0 } else { 0.0 }
        };
        // The second number is the same everywhere.
        let truth: Vec<f64> = (0..n).flat_map(|row| [value(row), 5.0]).collect();
        let matrix = Matrix::new(&x, dim).unwrap();
        let found = judge(&matrix, &truth, 2, 0).unwrap();
        assert!(found[..5].iter().all(|of| of.row % 40 == 7 && of.quality < 0.1), "{:?}", &found[..5]);
        assert!(found[5].quality > 0.5, "{:?}", found[5]);
        let first = &found[0];
        assert!((first.expected[0] - first.truth[0] + 3.0).abs() < 0.5, "{first:?}");
        assert_eq!(first.expected[1], 5.0);
    }
}
