//! What each row moves metrics of one number by, and intervals that need more than that.

use super::rows::{Output, Row};
use crate::{Interval, special::fair_coin_at_most, spread::Spread};

/// Of fewer rows nothing is said of what is explained: that takes two variances.
const FEWEST: usize = 20;

/// `None` where there is no width. Numbers are in the order that rows were given in.
impl Output {
    pub(super) fn absolute(&self) -> Option<Spread> {
        self.of_mean(2.0, |row| row.error.abs())
    }

    pub(super) fn squares(&self) -> Option<Spread> {
        self.of_mean(6.0, |row| row.error * row.error)
    }

    pub(super) fn root_interval(&self) -> Option<Interval> {
        let (squares, value) = (self.squares()?.interval(), self.errors.root_mean_square());
        Some(Interval { low: squares.low.sqrt().min(value), high: squares.high.sqrt().max(value) })
    }

    /// What each row moves the root of the mean square by.
    pub(super) fn root_pairs(&self) -> Option<Vec<f64>> {
        let squares = self.squares()?;
        let root = squares.value.sqrt();
        Some(squares.rows.iter().map(|square| (square / root + root) / 2.0).collect())
    }

    /// What each row moves the logarithm of what is not explained by; of R², or where `centred` of the variance explained.
    pub(super) fn explained(&self, centred: bool) -> Option<Spread> {
        let [error, truth] = self.ratio(centred)?;
        let value = (error.value / truth.value).ln();
        let rows = error.rows.iter().zip(&truth.rows);
        let rows = rows.map(|(error_, truth_)| value + error_ / error.value - truth_ / truth.value);
        Some(Spread::mean(value, [f64::NEG_INFINITY, f64::INFINITY], rows.collect()))
    }

    /// Squared errors (around their mean, for the variance that is explained) and squared distances of the truth from its
    /// mean; `None` where either has no width.
    fn ratio(&self, centred: bool) -> Option<[Spread; 2]> {
        let n = self.rows.len() as f64;
        let mean = |of: fn(&Row) -> f64| self.rows.iter().map(of).sum::<f64>() / n;
        let centre = if centred { mean(|row| row.error) } else { 0.0 };
        let centres = [centre, mean(|row| row.truth)];
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
    pub(super) fn median_interval(&self) -> Option<Interval> {
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
    /// (as in [`Difference`](crate::Difference)).
    pub(super) fn explained_interval(&self, centred: bool) -> Option<Interval> {
        if self.rows.len() < FEWEST {
            return None;
        }
        let value = if centred { self.errors.explained_variance() } else { self.errors.r2()? };
        let [error, truth] = self.ratio(centred)?;
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
