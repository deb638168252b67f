//! The checked input of regression metrics, and its resamples.

use super::RegressionMetric;
use super::errors::Errors;
use crate::compare::{apart, differences};
use crate::resample::{Bootstrap, Estimate, Strata, estimates};
use crate::{CompareError, Difference, ScoreError};

/// True and predicted values of the same rows, checked once: at least one row, all numbers finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// By ascending absolute error, of equals in the order they were given.
    rows: Vec<Row>,
}

/// One row, and where it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) truth: f64,
    /// Truth minus prediction.
    pub(super) error: f64,
    pub(super) number: u32,
}

/// Why values do not make a [`Regression`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegressionError {
    /// No rows, or more than can be numbered.
    #[error(transparent)]
    Rows(#[from] ScoreError),
    /// Not as many predictions as true values.
    #[error("expected {expected} predictions, got {got}")]
    Predictions {
        /// Number of true values.
        expected: usize,
        /// Number of predictions.
        got: usize,
    },
    /// A true value or a prediction is not finite.
    #[error("row {row}: expected finite numbers, got {truth} as truth and {predicted} as prediction")]
    NotFinite {
        /// The row.
        row: usize,
        /// Its true value.
        truth: f64,
        /// Its prediction.
        predicted: f64,
    },
}

impl Regression {
    /// Takes `truth` (n,) and `predicted` (n,).
    ///
    /// # Errors
    /// No rows, lengths that do not fit, a value that is not finite, more than 2³² − 1 rows.
    pub fn new(truth: &[f64], predicted: &[f64]) -> Result<Regression, RegressionError> {
        if truth.len() != predicted.len() {
            return Err(RegressionError::Predictions { expected: truth.len(), got: predicted.len() });
        }
        if truth.is_empty() {
            return Err(ScoreError::NoRows.into());
        }
        if u32::try_from(truth.len()).is_err() {
            return Err(ScoreError::TooManyRows.into());
        }
        let pairs = || truth.iter().copied().zip(predicted.iter().copied());
        let finite = |(truth, predicted): (f64, f64)| truth.is_finite() && predicted.is_finite();
        if let Some(row) = pairs().position(|pair| !finite(pair)) {
            return Err(RegressionError::NotFinite { row, truth: truth[row], predicted: predicted[row] });
        }
        let row =
            |((truth, predicted), number): ((f64, f64), u32)| Row { truth, error: truth - predicted, number };
        let mut rows: Vec<Row> = pairs().zip(0..).map(row).collect();
        rows.sort_by(|a, b| a.error.abs().total_cmp(&b.error.abs()));
        Ok(Regression { rows })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The value of `metric`; `None` where its own words say undefined.
    pub fn value(&self, metric: RegressionMetric) -> Option<f64> {
        Errors::of(&self.rows, |_| 1).value(metric)
    }
}

/// Percentile intervals of `metrics` over resamples of the rows.
pub fn bootstrap_regression(
    rows: &Regression,
    metrics: &[RegressionMetric],
    bootstrap: &Bootstrap,
) -> Vec<Estimate> {
    let values = |errors: &Errors| metrics.iter().map(|&metric| errors.value(metric)).collect::<Vec<_>>();
    let strata = Strata::one(rows.rows() as u32);
    let replicate = |(): &mut (), copies: &[u32]| values(&Errors::of(&rows.rows, |row| copies[row as usize]));
    let replicates = bootstrap.run(&strata, || (), replicate);
    estimates(values(&Errors::of(&rows.rows, |_| 1)), &replicates)
}

/// Metrics of several numbers a row, each with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionEstimates {
    /// Of each metric the mean over all numbers: (m,). Undefined where it is of one of them.
    pub mean: Vec<Estimate>,
    /// Of each number every metric: (outputs, m).
    pub outputs: Vec<Vec<Estimate>>,
}

/// Percentile intervals of `metrics` of each of `outputs`, which are of the same rows, and of their means
/// (scikit-learn's `multioutput="uniform_average"`). All are given the same rows in each resample.
pub fn bootstrap_regressions(
    outputs: &[Regression],
    metrics: &[RegressionMetric],
    bootstrap: &Bootstrap,
) -> RegressionEstimates {
    let strata = Strata::one(outputs.first().map_or(0, Regression::rows) as u32);
    let values = |copies: &dyn Fn(u32) -> u32| {
        let each: Vec<Vec<Option<f64>>> = outputs.iter().map(|rows| rows.values(metrics, copies)).collect();
        [vec![mean(&each, metrics.len())], each].concat().concat()
    };
    let replicates = bootstrap.run(&strata, || (), |(), copies| values(&|row| copies[row as usize]));
    let all = estimates(values(&|_| 1), &replicates);
    let mut each = all.chunks(metrics.len().max(1)).map(<[Estimate]>::to_vec);
    RegressionEstimates { mean: each.next().unwrap_or_default(), outputs: each.collect() }
}

/// Differences of `metrics`, means over outputs, between `first` and `second`, which are of the same rows and outputs, with
/// percentile intervals over resamples that give both the same rows.
///
/// # Errors
/// Other numbers of rows, or of outputs, which take the place of classes.
pub fn paired_bootstrap_regressions(
    first: &[Regression],
    second: &[Regression],
    metrics: &[RegressionMetric],
    bootstrap: &Bootstrap,
) -> Result<Vec<Difference>, CompareError> {
    if first.len() != second.len() {
        return Err(CompareError::Classes { first: first.len(), second: second.len() });
    }
    if let Some((a, b)) = first.iter().zip(second).find(|(a, b)| a.rows() != b.rows()) {
        return Err(CompareError::Rows { first: a.rows(), second: b.rows() });
    }
    let strata = Strata::one(first.first().map_or(0, Regression::rows) as u32);
    let values = |outputs: &[Regression], copies: &dyn Fn(u32) -> u32| {
        let each: Vec<_> = outputs.iter().map(|rows| rows.values(metrics, copies)).collect();
        mean(&each, metrics.len())
    };
    let replicates = bootstrap.run(
        &strata,
        || (),
        |(), copies| {
            let copies = |row: u32| copies[row as usize];
            apart(values(first, &copies), values(second, &copies))
        },
    );
    Ok(differences(values(first, &|_| 1), values(second, &|_| 1), &replicates))
}

impl Regression {
    fn values(&self, metrics: &[RegressionMetric], copies: &dyn Fn(u32) -> u32) -> Vec<Option<f64>> {
        let errors = Errors::of(&self.rows, copies);
        metrics.iter().map(|&metric| errors.value(metric)).collect()
    }
}

/// Of each of `metrics` the mean over outputs.
fn mean(each: &[Vec<Option<f64>>], metrics: usize) -> Vec<Option<f64>> {
    let of = |metric: usize| {
        let values: Option<Vec<f64>> = each.iter().map(|values| values[metric]).collect();
        Some(values?.iter().sum::<f64>() / each.len() as f64)
    };
    (0..metrics).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;

    #[test]
    fn several_outputs_share_their_resamples() {
        let number =
            |salt: u32| -> Vec<f64> { (0..120).map(|row| f64::from((row * row + salt) % 31)).collect() };
        let noisy = |values: &[f64], by: f64| -> Vec<f64> {
            values.iter().zip(0..).map(|(value, row)| value + by * f64::from(row * 17 % 11 - 5)).collect()
        };
        let (a, b) = (number(1), number(9));
        let output = |truth: &[f64], by| Regression::new(truth, &noisy(truth, by)).unwrap();
        let options = Bootstrap { replicates: 100, seed: 3 };
        let metrics = RegressionMetric::ALL;
        let one = [output(&a, 0.5)];
        let got = bootstrap_regressions(&one, &metrics, &options);
        // One output is its own mean, and what it is alone.
        assert_eq!(got.mean, bootstrap_regression(&one[0], &metrics, &options));
        assert_eq!(got.outputs, [got.mean]);
        let two = [output(&a, 0.5), output(&b, 2.0)];
        let got = bootstrap_regressions(&two, &metrics, &options);
        for (at, mean) in got.mean.iter().enumerate() {
            let each = got.outputs.iter().map(|of| of[at].value.unwrap()).sum::<f64>() / 2.0;
            assert!((mean.value.unwrap() - each).abs() < 1e-12);
        }
        let same = paired_bootstrap_regressions(&two, &two, &metrics, &options).unwrap();
        assert!(same.iter().all(|found| found.interval == Some(Interval { low: 0.0, high: 0.0 })));
        let better = [output(&a, 0.25), output(&b, 1.0)];
        let rmse = paired_bootstrap_regressions(&two, &better, &metrics, &options).unwrap()[1];
        assert!(rmse.difference.unwrap() < 0.0 && rmse.interval.unwrap().high < 0.0, "{rmse:?}");
        assert!(paired_bootstrap_regressions(&two, &one, &metrics, &options).is_err());
    }

    fn values(truth: &[f64], predicted: &[f64]) -> [Option<f64>; 6] {
        let rows = Regression::new(truth, predicted).unwrap();
        RegressionMetric::ALL.map(|metric| rows.value(metric))
    }

    #[test]
    fn scikit_learn_s_example_and_edges() {
        // In the order of ALL: MAE, RMSE, median, max, R2, explained variance.
        let expected = [0.5, 0.375_f64.sqrt(), 0.5, 1.0, 1.0 - 1.5 / 29.1875, 1.0 - 1.25 / 29.1875];
        type Case = (&'static [f64], &'static [f64], [Option<f64>; 6]);
        let cases: [Case; 5] = [
            (&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], expected.map(Some)),
            (&[2.0, 2.0], &[2.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0].map(Some)),
            (&[2.0, 2.0], &[1.5, 1.5], [0.5, 0.5, 0.5, 0.5, 0.0, 1.0].map(Some)),
            (&[2.0, 2.0], &[1.0, 3.0], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0].map(Some)),
            (&[2.0], &[1.0], [Some(1.0), Some(1.0), Some(1.0), Some(1.0), None, Some(1.0)]),
        ];
        for (truth, predicted, expected) in cases {
            for (got, expected) in values(truth, predicted).iter().zip(expected) {
                assert_eq!(got.is_some(), expected.is_some());
                let gap = got.zip(expected).map_or(0.0, |(got, expected)| (got - expected).abs());
                assert!(gap < 1e-15, "{truth:?} {predicted:?}: {got:?} is not {expected:?}");
            }
        }
    }

    #[test]
    fn each_lie_has_its_error() {
        assert_eq!(Regression::new(&[], &[]), Err(ScoreError::NoRows.into()));
        assert_eq!(Regression::new(&[1.0], &[]), Err(RegressionError::Predictions { expected: 1, got: 0 }));
        let infinite = Regression::new(&[1.0, 2.0], &[1.0, f64::INFINITY]).unwrap_err();
        assert_eq!(infinite, RegressionError::NotFinite { row: 1, truth: 2.0, predicted: f64::INFINITY });
    }

    #[test]
    fn copies_are_rows() {
        let truth: Vec<f64> = (0..30).map(|row| f64::from(row * row % 19)).collect();
        let predicted: Vec<f64> = (0..30).map(|row| f64::from(row * 7 % 19)).collect();
        let copies: Vec<u32> = (0..30).map(|row| row * 5 % 3).collect();
        let repeat = |values: &[f64]| {
            let times = values.iter().zip(&copies).flat_map(|(&value, &times)| vec![value; times as usize]);
            times.collect::<Vec<f64>>()
        };
        let rows = Regression::new(&truth, &predicted).unwrap();
        let errors = Errors::of(&rows.rows, |row| copies[row as usize]);
        let expected = values(&repeat(&truth), &repeat(&predicted));
        for (metric, expected) in RegressionMetric::ALL.into_iter().zip(expected) {
            let gap = errors.value(metric).unwrap() - expected.unwrap();
            assert!(gap.abs() < 1e-13, "{metric}: {gap:e}");
        }
    }

    #[test]
    fn an_interval_holds_its_value() {
        let truth: Vec<f64> = (0..200).map(|row| f64::from(row * row % 101)).collect();
        let predicted: Vec<f64> =
            truth.iter().zip(0..).map(|(value, row)| value + f64::from(row * 31 % 17 - 8)).collect();
        let rows = Regression::new(&truth, &predicted).unwrap();
        let options = Bootstrap { replicates: 200, seed: 1 };
        for estimate in bootstrap_regression(&rows, &RegressionMetric::ALL, &options) {
            let (value, interval) = (estimate.value.unwrap(), estimate.interval.unwrap());
            assert!(interval.low <= value && value <= interval.high, "{estimate:?}");
        }
    }
}
