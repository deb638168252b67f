//! Intervals of regression metrics, and differences of two heads.

use super::rows::Row;
use super::{Regression, RegressionMetric};
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
    let mean =
        (0..metrics.len()).map(|at| mean(&outputs.iter().map(|of| of[at]).collect::<Vec<_>>())).collect();
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
        let found = [first, second]
            .map(|outputs| mean(&outputs.iter().map(|rows| rows.estimate(metric)).collect::<Vec<_>>()));
        let spreads = [first, second].map(|outputs| mean_spread(outputs, metric));
        let rows = [first, second].map(|outputs| moves(outputs, metric));
        let mut difference = Difference::of(found, &spreads, first == second);
        if let ([Some(a), Some(b)], Some(apart), false) = (rows, difference.difference, first == second) {
            difference.interval = Some(of_moves(apart, &a, &b));
        }
        difference
    };
    Ok(metrics.iter().map(difference).collect())
}

/// Of fewer rows nothing is said of what is explained: that takes two variances.
const FEWEST: usize = 20;

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
        match metric {
            RegressionMetric::MeanAbsoluteError => self.of_mean(2.0, |row| row.error.abs()),
            RegressionMetric::RootMeanSquaredError => self.of_mean(6.0, |row| row.error * row.error),
            RegressionMetric::MedianAbsoluteError | RegressionMetric::MaxError => None,
            RegressionMetric::R2 | RegressionMetric::ExplainedVariance => {
                let [error, truth] = self.ratio(metric)?;
                let value = (error.value / truth.value).ln();
                let rows = error.rows.iter().zip(&truth.rows);
                let rows = rows.map(|(error_, truth_)| value + error_ / error.value - truth_ / truth.value);
                Some(Spread::mean(value, [f64::NEG_INFINITY, f64::INFINITY], rows.collect()))
            }
        }
    }

    /// Squared errors (around their mean, for the variance that is explained) and squared distances of the truth from its
    /// mean; `None` where either has no width.
    fn ratio(&self, metric: RegressionMetric) -> Option<[Spread; 2]> {
        let n = self.rows.len() as f64;
        let mean = |of: fn(&Row) -> f64| self.rows.iter().map(of).sum::<f64>() / n;
        let centres = match metric {
            RegressionMetric::R2 => [0.0, mean(|row| row.truth)],
            _ => [mean(|row| row.error), mean(|row| row.truth)],
        };
        let error = self.of_mean(6.0, |row| (row.error - centres[0]).powi(2))?;
        let mut truth = self.of_mean(6.0, |row| (row.truth - centres[1]).powi(2))?;
        // Around its own mean a variance is too small by one row's part.
        truth.unbiased[1] *= n / (n - 1.0);
        Some([error, truth])
    }

    /// The mean of `of`. Errors have no bound, so one is assumed: so many `times` the largest.
    fn of_mean(&self, times: f64, of: impl Fn(&Row) -> f64) -> Option<Spread> {
        let mut rows = vec![0.0; self.rows.len()];
        for row in &self.rows {
            rows[row.number as usize] = of(row);
        }
        let largest = rows.iter().copied().fold(0.0, f64::max);
        let value = rows.iter().sum::<f64>() / rows.len() as f64;
        (largest > 0.0).then(|| Spread::mean(value, [0.0, times * largest], rows))
    }

    /// Two of the rows' own errors, between which the median lies at least as often as said (Thompson, 1936). Of fewer than
    /// six rows none hold it so often.
    fn median_interval(&self) -> Option<Interval> {
        let n = self.rows.len() as u64;
        if n < 6 {
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

    /// 1 − error / truth: the logarithms of the two means have their ends, which are added as squares, less what they share
    /// (as in [`Difference`]).
    fn explained_interval(&self, metric: RegressionMetric, value: f64) -> Option<Interval> {
        if self.rows.len() < FEWEST {
            return None;
        }
        let [error, truth] = self.ratio(metric)?;
        let correlation = error.correlation(&truth);
        let away = |one: f64, other: f64| {
            (one * one + other * other - 2.0 * correlation * one * other).max(0.0).sqrt()
        };
        // How far the ends are, as logarithms.
        let [error_, truth_] = [&error, &truth].map(|of| {
            let ends = of.interval();
            [(of.value / ends.low.max(f64::MIN_POSITIVE)).ln(), (ends.high / of.value).ln()]
        });
        let rest = error.value / truth.value;
        let low = 1.0 - rest * away(error_[1], truth_[0]).exp();
        let high = 1.0 - rest * (-away(error_[0], truth_[1])).exp();
        Some(Interval { low: low.min(value), high: high.max(value) })
    }
}

/// Of the ends, where all have some.
fn mean(outputs: &[Estimate]) -> Estimate {
    let count = outputs.len() as f64;
    let over = |of: fn(Estimate) -> Option<f64>| {
        let all: Option<Vec<f64>> = outputs.iter().copied().map(of).collect();
        all.map(|all| all.iter().sum::<f64>() / count)
    };
    let ends = over(|of| Some(of.interval?.low)).zip(over(|of| Some(of.interval?.high)));
    Estimate { value: over(|of| of.value), interval: ends.map(|(low, high)| Interval { low, high }) }
}

/// What each row moves the mean over `outputs` of a mean error by; `None` of other metrics.
fn moves(outputs: &[Regression], metric: RegressionMetric) -> Option<Vec<f64>> {
    let each = outputs.iter().map(|rows| {
        let spread = rows.spread(metric)?;
        match metric {
            RegressionMetric::MeanAbsoluteError => Some(spread.rows),
            RegressionMetric::RootMeanSquaredError => {
                let root = spread.value.sqrt();
                Some(spread.rows.iter().map(|square| (square / root + root) / 2.0).collect())
            }
            _ => None,
        }
    });
    let each: Vec<Vec<f64>> = each.collect::<Option<_>>()?;
    let sum = |row: usize| each.iter().map(|of| of[row]).sum::<f64>() / outputs.len() as f64;
    Some((0..outputs.first()?.rows()).map(sum).collect())
}

/// The interval of a difference whose rows are paired: the one that was not drawn may be as far off as any.
fn of_moves(apart: f64, first: &[f64], second: &[f64]) -> Interval {
    let rows: Vec<f64> = first.iter().zip(second).map(|(first, second)| second - first).collect();
    let most = rows.iter().fold(0.0_f64, |most, row| most.max(row.abs()));
    if most == 0.0 {
        return Interval { low: 0.0, high: 0.0 };
    }
    Spread { unseen: [-most, most], ..Spread::mean(apart, [-2.0 * most, 2.0 * most], rows) }.interval()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn output(rows: u32, by: f64, salt: u32) -> Regression {
        let truth: Vec<f64> = (0..rows).map(|row| f64::from((row * row + salt) % 31)).collect();
        let said: Vec<f64> =
            truth.iter().zip(0..).map(|(value, row)| value + by * f64::from(row * 17 % 11 - 5)).collect();
        Regression::new(&truth, &said).unwrap()
    }

    #[test]
    fn several_outputs_share_their_rows() {
        let metrics = RegressionMetric::ALL;
        let one = [output(120, 0.5, 1)];
        let got = regression_estimates(&one, &metrics);
        // One output is its own mean.
        assert_eq!(got.outputs, std::slice::from_ref(&got.mean));
        let two = [output(120, 0.5, 1), output(120, 2.0, 9)];
        let got = regression_estimates(&two, &metrics);
        for (at, mean) in got.mean.iter().enumerate() {
            let each = got.outputs.iter().map(|of| of[at].value.unwrap()).sum::<f64>() / 2.0;
            assert!((mean.value.unwrap() - each).abs() < 1e-12);
        }
        let same = regression_differences(&two, &two, &[RegressionMetric::R2]).unwrap();
        assert_eq!(same[0].interval, Some(Interval { low: 0.0, high: 0.0 }));
        let better = [output(120, 0.25, 1), output(120, 1.0, 9)];
        let rmse = regression_differences(&two, &better, &metrics).unwrap()[1];
        assert!(rmse.difference.unwrap() < 0.0 && rmse.interval.unwrap().high < 0.0, "{rmse:?}");
        assert!(regression_differences(&two, &one, &metrics).is_err());
    }

    #[test]
    fn an_interval_holds_its_value() {
        for rows in [20, 21, 40, 1200] {
            let found = regression_estimates(&[output(rows, 0.7, 3)], &RegressionMetric::ALL).mean;
            for (metric, found) in RegressionMetric::ALL.iter().zip(found) {
                assert_eq!(found.interval.is_none(), *metric == RegressionMetric::MaxError, "{metric}");
                let value = found.value.unwrap();
                let holds = found.interval.is_none_or(|ends| ends.low <= value && value <= ends.high);
                assert!(holds, "{metric} of {rows}: {found:?}");
            }
        }
    }

    #[test]
    fn one_row_says_little() {
        let one = Regression::new(&[1.0], &[3.0]).unwrap();
        let found = regression_estimates(&[one], &RegressionMetric::ALL).mean;
        // Mean absolute error has an end at least; medians and what is explained have none.
        assert!(found[0].interval.is_some_and(|ends| ends.low < 0.2 && ends.high > 3.0), "{found:?}");
        assert!(found[2..].iter().all(|found| found.interval.is_none()));
    }
}
