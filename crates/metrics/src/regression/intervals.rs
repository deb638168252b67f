//! Intervals of regression metrics, and differences of two heads.

use super::{Regression, RegressionMetric};
use crate::interval::student;
use crate::special::fair_coin_at_most;
use crate::spread::Spread;
use crate::{CompareError, Difference, Estimate, Interval};

/// Metrics of several numbers a row, each with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionEstimates {
    /// Of each metric the mean over all numbers: (m,). Undefined where it is of one of them.
    pub mean: Vec<Estimate>,
    /// Of each number every metric: (outputs, m).
    pub outputs: Vec<Vec<Estimate>>,
}

/// Values and 95 % intervals of `metrics` of each of `outputs`, which are of the same rows, and of their means
/// (scikit-learn's `multioutput="uniform_average"`). Numbers share their rows, so that the mean's ends are the means of
/// their ends.
pub fn regression_estimates(outputs: &[Regression], metrics: &[RegressionMetric]) -> RegressionEstimates {
    let each = |rows: &Regression| metrics.iter().map(|&metric| rows.estimate(metric)).collect();
    let outputs: Vec<Vec<Estimate>> = outputs.iter().map(each).collect();
    let mean = (0..metrics.len()).map(|at| mean(outputs.iter().map(|of| of[at]))).collect();
    RegressionEstimates { mean, outputs }
}

/// Differences of `metrics`, means over outputs, between `first` and `second`, which are of the same rows and outputs.
///
/// # Errors
/// Other numbers of rows, or of outputs, which take the place of classes.
pub fn regression_differences(
    first: &[Regression],
    second: &[Regression],
    metrics: &[RegressionMetric],
) -> Result<Vec<Difference>, CompareError> {
    if first.len() != second.len() {
        return Err(CompareError::Classes { first: first.len(), second: second.len() });
    }
    if let Some((a, b)) = first.iter().zip(second).find(|(a, b)| a.rows() != b.rows()) {
        return Err(CompareError::Rows { first: a.rows(), second: b.rows() });
    }
    let difference = |&metric: &RegressionMetric| {
        let found = [first, second].map(|outputs| mean(outputs.iter().map(|rows| rows.estimate(metric))));
        let spreads = [first, second].map(|outputs| mean_spread(outputs, metric));
        Difference::of(found, spreads, first == second)
    };
    Ok(metrics.iter().map(difference).collect())
}

impl Regression {
    fn estimate(&self, metric: RegressionMetric) -> Estimate {
        let value = self.value(metric);
        Estimate { value, interval: value.and_then(|value| self.interval(metric, value)) }
    }

    fn interval(&self, metric: RegressionMetric, value: f64) -> Option<Interval> {
        match metric {
            RegressionMetric::MeanAbsoluteError => Some(self.spread(metric)?.interval()),
            RegressionMetric::RootMeanSquaredError => {
                let squares = self.spread(metric)?.interval();
                Some(Interval { low: squares.low.sqrt().min(value), high: squares.high.sqrt().max(value) })
            }
            RegressionMetric::MedianAbsoluteError => self.median_interval(),
            // The largest error of endless rows is not to be told from some.
            RegressionMetric::MaxError => None,
            RegressionMetric::R2 | RegressionMetric::ExplainedVariance => {
                self.explained_interval(metric, value)
            }
        }
    }

    /// What each row moves a metric by; of the root mean squared error its square, of what is explained the logarithm of
    /// what is not. In the order that rows were given in. `None` where it is not a smooth function of means, or has no
    /// width.
    fn spread(&self, metric: RegressionMetric) -> Option<Spread> {
        let n = self.rows.len() as f64;
        let by_number = |of: &dyn Fn(&super::rows::Row) -> f64| {
            let mut rows = vec![0.0; self.rows.len()];
            for row in &self.rows {
                rows[row.number as usize] = of(row);
            }
            rows
        };
        let of_mean = |rows: Vec<f64>| {
            // Errors have no bound, so one is assumed: of their size, twice the largest.
            let largest = rows.iter().copied().fold(0.0, f64::max);
            let times = if metric == RegressionMetric::MeanAbsoluteError { 2.0 } else { 4.0 };
            let value = rows.iter().sum::<f64>() / n;
            (largest > 0.0).then(|| Spread::mean(value, [0.0, times * largest], rows))
        };
        match metric {
            RegressionMetric::MeanAbsoluteError => of_mean(by_number(&|row| row.error.abs())),
            RegressionMetric::RootMeanSquaredError => of_mean(by_number(&|row| row.error * row.error)),
            RegressionMetric::MedianAbsoluteError | RegressionMetric::MaxError => None,
            RegressionMetric::R2 | RegressionMetric::ExplainedVariance => {
                let mean = |of: &dyn Fn(&super::rows::Row) -> f64| self.rows.iter().map(of).sum::<f64>() / n;
                let truth = mean(&|row| row.truth);
                let centre = if metric == RegressionMetric::R2 { 0.0 } else { mean(&|row| row.error) };
                let around = mean(&|row| (row.truth - truth).powi(2));
                let error = mean(&|row| (row.error - centre).powi(2));
                (around > 0.0 && error > 0.0).then(|| {
                    let value = (error / around).ln();
                    let rows = by_number(&|row| {
                        value + (row.error - centre).powi(2) / error - (row.truth - truth).powi(2) / around
                    });
                    Spread::mean(value, [f64::NEG_INFINITY, f64::INFINITY], rows)
                })
            }
        }
    }

    /// Two of the rows' own errors, between which the median lies at least as often as said (Thompson, 1936). Of five rows
    /// the outermost hold it 93.75 % of the time; of fewer none hold it.
    fn median_interval(&self) -> Option<Interval> {
        let n = self.rows.len() as u64;
        if n < 5 {
            return None;
        }
        // Below 1,000 exactly; above, Gauss's bell is exact enough, and half a place is added.
        let place = if n < 1000 {
            let fits = |below: &u64| fair_coin_at_most(*below, n) <= 0.025;
            (0..n / 2).take_while(fits).count() as u64
        } else {
            (0.5 * n as f64 - 0.5 * crate::interval::Z * (n as f64).sqrt() - 0.5).floor() as u64
        };
        let place = place.max(1) as usize;
        let error = |place: usize| self.rows[place].error.abs();
        Some(Interval { low: error(place - 1), high: error(self.rows.len() - place) })
    }

    /// 1 − e^q, of the logarithm q of what is not explained Student's interval. The variance of the truth has one degree of
    /// freedom less than rows.
    fn explained_interval(&self, metric: RegressionMetric, value: f64) -> Option<Interval> {
        let n = self.rows.len() as f64;
        if n < 3.0 {
            return None;
        }
        let spread = self.spread(metric)?;
        let half = student(n - 1.0) * (spread.squares() / (n - 2.0) / n).sqrt();
        let fewer = if metric == RegressionMetric::R2 { ((n - 1.0) / n).ln() } else { 0.0 };
        let low = 1.0 - (spread.value + half).exp();
        let high = 1.0 - (spread.value + fewer - half).exp();
        Some(Interval { low: low.min(value), high: high.max(value) })
    }
}

/// Of the ends, where all have some.
fn mean(outputs: impl Iterator<Item = Estimate> + Clone) -> Estimate {
    let count = outputs.clone().count() as f64;
    let over = |of: fn(Estimate) -> Option<f64>| {
        let all: Option<Vec<f64>> = outputs.clone().map(of).collect();
        all.map(|all| all.iter().sum::<f64>() / count)
    };
    let ends = over(|of| Some(of.interval?.low)).zip(over(|of| Some(of.interval?.high)));
    Estimate { value: over(|of| of.value), interval: ends.map(|(low, high)| Interval { low, high }) }
}

/// What each row moves the mean by, on a scale that is right for correlations alone.
fn mean_spread(outputs: &[Regression], metric: RegressionMetric) -> Option<Spread> {
    let each: Option<Vec<Spread>> = outputs.iter().map(|rows| rows.spread(metric)).collect();
    each?.into_iter().reduce(|mut all, one| {
        all.value += one.value;
        all.rows.iter_mut().zip(one.rows).for_each(|(all, one)| *all += one);
        all
    })
}
