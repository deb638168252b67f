//! The checked input of regression metrics.

use super::RegressionMetric;
use super::errors::Errors;
use crate::ScoreError;

/// True and predicted values of the same rows, checked once: at least one row, all numbers finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// By ascending absolute error, of equals in the order they were given.
    pub(super) rows: Vec<Row>,
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
        Errors::of(&self.rows).value(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
