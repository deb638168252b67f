//! Sums of errors that every regression metric is a function of.

use super::RegressionMetric;
use super::rows::Row;

/// Sums over a set of rows.
pub(super) struct Errors {
    rows: u64,
    absolute: f64,
    squares: f64,
    median: f64,
    largest: f64,
    /// Σ (truth − mean truth)², exactly 0 where every truth is the same.
    truths: f64,
    /// Σ (error − mean error)², exactly 0 where every error is the same.
    around_mean: f64,
}

impl Errors {
    /// `rows` by ascending absolute error; `copies` gives how often each counts, by its number.
    pub(super) fn of(rows: &[Row], copies: impl Fn(u32) -> u32) -> Errors {
        let weighted = || rows.iter().map(|row| (row, copies(row.number))).filter(|(_, times)| *times > 0);
        let n: u64 = weighted().map(|(_, times)| u64::from(times)).sum();
        let (mut truth, mut error) = (Spread::default(), Spread::default());
        let mut errors = Errors {
            rows: n,
            absolute: 0.0,
            squares: 0.0,
            median: 0.0,
            largest: 0.0,
            truths: 0.0,
            around_mean: 0.0,
        };
        let mut before = 0;
        for (row, times) in weighted() {
            let (absolute, weight) = (row.error.abs(), f64::from(times));
            errors.absolute += weight * absolute;
            errors.squares += weight * row.error * row.error;
            errors.largest = absolute;
            truth.add(row.truth, weight);
            error.add(row.error, weight);
            // The two middle places are (n − 1)/2 and n/2, which for an odd number are the same.
            let after = before + u64::from(times);
            let middles =
                [(n - 1) / 2, n / 2].iter().filter(|place| (before..after).contains(*place)).count();
            errors.median += 0.5 * middles as f64 * absolute;
            before = after;
        }
        let (truth_mean, error_mean) = (truth.sum / n as f64, error.sum / n as f64);
        let around = |spread: &Spread, of: &dyn Fn(&Row) -> f64| {
            if spread.low == spread.high {
                return 0.0;
            }
            weighted().map(|(row, times)| f64::from(times) * of(row).powi(2)).sum()
        };
        errors.truths = around(&truth, &|row| row.truth - truth_mean);
        errors.around_mean = around(&error, &|row| row.error - error_mean);
        errors
    }

    pub(super) fn value(&self, metric: RegressionMetric) -> Option<f64> {
        let n = self.rows as f64;
        match metric {
            RegressionMetric::MeanAbsoluteError => Some(self.absolute / n),
            RegressionMetric::RootMeanSquaredError => Some((self.squares / n).sqrt()),
            RegressionMetric::MedianAbsoluteError => Some(self.median),
            RegressionMetric::MaxError => Some(self.largest),
            RegressionMetric::R2 => (self.rows > 1).then(|| explained(self.squares, self.truths)),
            RegressionMetric::ExplainedVariance => Some(explained(self.around_mean, self.truths)),
        }
    }
}

/// 1 − `rest` / `all`, and scikit-learn's finite values where `all` is 0.
fn explained(rest: f64, all: f64) -> f64 {
    if all != 0.0 {
        1.0 - rest / all
    } else if rest == 0.0 {
        1.0
    } else {
        0.0
    }
}

/// Sum and range of values.
struct Spread {
    sum: f64,
    low: f64,
    high: f64,
}

impl Default for Spread {
    fn default() -> Spread {
        Spread { sum: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY }
    }
}

impl Spread {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += weight * value;
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
    }
}
