//! What a metric is made of row by row, and the interval that follows from how rows differ.

use crate::{Interval, beta::beta_quantile};

/// A metric as the mean of one number a row, to first order: each row's number is the metric and what the row moves it
/// by (its influence; Hampel, 1974).
///
/// The interval is that of Gaffke (2005) for the mean of a bounded variable: to the rows comes one that was not drawn, as
/// bad as can be for the lower end and as good as can be for the upper one, rows get random weights (Rubin's Bayesian
/// bootstrap, 1981), and the quantile of the weighted mean is the end. It is taken of the beta distribution that has
/// the weighted mean's first two moments. Of a proportion it is Clopper and Pearson's (1934) exact interval.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    /// The metric's value.
    pub(crate) value: f64,
    /// The value without the least and the most bias it may have: both equal it where it has none.
    pub(crate) unbiased: [f64; 2],
    /// What the row that was not drawn may be.
    pub(crate) unseen: [f64; 2],
    /// What the metric may be.
    pub(crate) range: [f64; 2],
    /// One number a row, (n,).
    pub(crate) rows: Vec<f64>,
}

impl Spread {
    /// Without bias, of rows and a metric within `range`.
    pub(crate) fn mean(value: f64, range: [f64; 2], rows: Vec<f64>) -> Spread {
        Spread { value, unbiased: [value; 2], unseen: range, range, rows }
    }

    /// Σ (row − value)².
    pub(crate) fn squares(&self) -> f64 {
        self.rows.iter().map(|row| (row - self.value).powi(2)).sum()
    }

    /// The 95 % interval.
    pub(crate) fn interval(&self) -> Interval {
        let (rows, squares) = (self.rows.len() as f64, self.squares());
        let end = |at: usize| end(at, rows, squares, self.unbiased[at], self.unseen[at], self.range);
        Interval { low: end(0).min(self.value), high: end(1).max(self.value) }
    }

    /// The correlation of two metrics of the same rows, drawn towards 0 where these are few; 0 where either does not vary.
    pub(crate) fn correlation(&self, other: &Spread) -> f64 {
        let both = self.rows.iter().zip(&other.rows);
        let products: f64 = both.map(|(a, b)| (a - self.value) * (b - other.value)).sum();
        let scale = (self.squares() * other.squares()).sqrt();
        let rows = self.rows.len() as f64;
        if scale > 0.0 { (products / scale).clamp(-1.0, 1.0) * rows / (rows + 2.0) } else { 0.0 }
    }
}

/// The lower (`at` 0) or upper (1) end for the mean of `rows` numbers within `range` whose squared differences from it
/// add up to `squares`.
pub(crate) fn end(at: usize, rows: f64, squares: f64, centre: f64, unseen: f64, range: [f64; 2]) -> f64 {
    let mean = (rows * centre + unseen) / (rows + 1.0);
    let squares = squares + rows / (rows + 1.0) * (unseen - centre).powi(2);
    let variance = squares / ((rows + 1.0) * (rows + 2.0));
    scaled_beta([0.025, 0.975][at], mean, variance, range[0], range[1])
}

/// Both ends where two kinds of rows move `value` independently, each with its number and sum of squares.
pub(crate) fn two_kinds(value: f64, kinds: [(f64, f64); 2], range: [f64; 2]) -> Interval {
    let away = |at: usize| {
        let each = kinds.map(|(rows, squares)| end(at, rows, squares, value, range[at], range) - value);
        each[0].hypot(each[1])
    };
    Interval { low: (value - away(0)).max(range[0]), high: (value + away(1)).min(range[1]) }
}

/// The quantile of the beta distribution over [`floor`, `ceiling`] that has this mean and variance; where there is none,
/// the end that the quantile is nearer to.
fn scaled_beta(part: f64, mean: f64, variance: f64, floor: f64, ceiling: f64) -> f64 {
    let width = ceiling - floor;
    let (m, v) = ((mean - floor) / width, variance / (width * width));
    let both = m * (1.0 - m) / v - 1.0;
    if !(m > 0.0 && m < 1.0 && both > 0.0) {
        return if part < 0.5 { floor } else { ceiling };
    }
    floor + width * beta_quantile(part, m * both, (1.0 - m) * both)
}

/// What squares of differences from a class's shrunken mean must be multiplied by, where it has `rows` rows and the mean
/// is that of these and of one more that is like all classes: their expectation is then that of differences from the truth.
pub(crate) fn shrinkage(rows: f64) -> f64 {
    let all = rows + 1.0;
    all * all / (all * all - 2.0 * all + rows)
}
