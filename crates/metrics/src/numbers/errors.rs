//! Sums of errors that every regression metric is a function of.

use super::rows::Row;

/// Sums over a set of rows.
#[derive(Debug)]
pub(super) struct Errors {
    pub(super) rows: u64,
    pub(super) absolute: f64,
    squares: f64,
    pub(super) median: f64,
    pub(super) largest: f64,
    /// Σ (truth − mean truth)², exactly 0 where every truth is the same.
    truths: f64,
    /// Σ (error − mean error)², exactly 0 where every error is the same.
    around_mean: f64,
}

impl Errors {
    /// Of `rows`, by ascending absolute error.
    pub(super) fn of(rows: &[Row]) -> Errors {
        let n = rows.len();
        let sum = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
        // Exactly 0 where all are the same, which rounding would not give.
        let around_mean = |of: fn(&Row) -> f64| {
            let mean = sum(&of) / n as f64;
            let differ = rows.iter().any(|row| of(row) != of(&rows[0]));
            if differ { sum(&|row| (of(row) - mean).powi(2)) } else { 0.0 }
        };
        let absolute = |place: usize| rows.get(place).map_or(f64::NAN, |row| row.error.abs());
        Errors {
            rows: n as u64,
            absolute: sum(&|row| row.error.abs()),
            squares: sum(&|row| row.error * row.error),
            // The two middle places, which of an odd number are the same.
            median: 0.5 * absolute(n.saturating_sub(1) / 2) + 0.5 * absolute(n / 2),
            largest: absolute(n.saturating_sub(1)),
            truths: around_mean(|row| row.truth),
            around_mean: around_mean(|row| row.error),
        }
    }

    pub(super) fn root_mean_square(&self) -> f64 {
        (self.squares / self.rows as f64).sqrt()
    }

    pub(super) fn r2(&self) -> Option<f64> {
        (self.rows > 1).then(|| explained(self.squares, self.truths))
    }

    pub(super) fn explained_variance(&self) -> f64 {
        explained(self.around_mean, self.truths)
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
