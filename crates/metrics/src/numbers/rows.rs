//! One number a row, and one guessed for it.

use super::errors::Errors;
use crate::ScoreError;

/// True and predicted values of one output.
#[derive(Debug)]
pub(super) struct Output {
    /// (n,)
    pub(super) truth: Vec<f64>,
    /// (n,)
    pub(super) predicted: Vec<f64>,
    /// By ascending absolute error, of equals in the order they were given.
    pub(super) rows: Vec<Row>,
    pub(super) errors: Errors,
}

/// One row, and where it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) truth: f64,
    /// Truth minus prediction.
    pub(super) error: f64,
    pub(super) number: u32,
}

/// Why values do not make [`NumberOutcomes`](super::NumberOutcomes).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NumberError {
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

impl Output {
    pub(super) fn new(truth: Vec<f64>, predicted: Vec<f64>) -> Result<Output, NumberError> {
        if truth.is_empty() {
            return Err(ScoreError::NoRows.into());
        }
        if u32::try_from(truth.len()).is_err() {
            return Err(ScoreError::TooManyRows.into());
        }
        let is_finite = |(truth, predicted): (&f64, &f64)| truth.is_finite() && predicted.is_finite();
        if let Some(row) = truth.iter().zip(&predicted).position(|pair| !is_finite(pair)) {
            return Err(NumberError::NotFinite { row, truth: truth[row], predicted: predicted[row] });
        }
        Ok(Output::of_checked(truth, predicted))
    }

    pub(super) fn of_checked(truth: Vec<f64>, predicted: Vec<f64>) -> Output {
        let pairs = truth.iter().zip(&predicted).zip(0..);
        let row = |((truth, predicted), number): ((&f64, &f64), u32)| Row {
            truth: *truth,
            error: truth - predicted,
            number,
        };
        let mut rows: Vec<Row> = pairs.map(row).collect();
        rows.sort_by(|a, b| a.error.abs().total_cmp(&b.error.abs()));
        let errors = Errors::of(&rows);
        Output { truth, predicted, rows, errors }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NumberOutcomes, figures};

    fn values(truth: &[f64], predicted: &[f64]) -> Vec<Option<f64>> {
        let rows = NumberOutcomes::new(truth, predicted, 1).unwrap();
        figures(&rows).iter().map(|figure| figure.estimate.value).collect()
    }

    #[test]
    fn scikit_learn_s_example_and_edges() {
        // In the order of the catalogue: MAE, RMSE, median, max, R2, explained variance.
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
        let error = |truth: &[f64], predicted: &[f64]| NumberOutcomes::new(truth, predicted, 1).unwrap_err();
        assert_eq!(error(&[], &[]), ScoreError::NoRows.into());
        assert_eq!(error(&[1.0], &[]), NumberError::Predictions { expected: 1, got: 0 });
        let infinite = NumberError::NotFinite { row: 1, truth: 2.0, predicted: f64::INFINITY };
        assert_eq!(error(&[1.0, 2.0], &[1.0, f64::INFINITY]), infinite);
    }
}
