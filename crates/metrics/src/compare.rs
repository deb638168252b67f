//! Two heads on the same rows: whether one is better, and by how much.

use rayon::prelude::*;

use crate::{
    Interval,
    metric::{About, Estimate, Metric, Outcomes},
    spread::Spread,
};

/// A metric of two heads, and their difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Which metric.
    pub about: &'static About,
    /// Value of the first; `None` where it is undefined.
    pub first: Option<f64>,
    /// Value of the second; `None` where it is undefined.
    pub second: Option<f64>,
    /// Second minus first.
    pub difference: Option<f64>,
    /// 95 % interval of the difference; `None` where either value has none.
    pub interval: Option<Interval>,
}

/// Why two outcomes cannot be compared row by row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// They do not know the same classes, labels or numbers.
    #[error("expected outcomes of {first} classes, got {second}")]
    Classes {
        /// Classes of the first.
        first: usize,
        /// Classes of the second.
        second: usize,
    },
    /// They are not of the same rows.
    #[error("expected outcomes of {first} rows, got {second}")]
    Rows {
        /// Rows of the first.
        first: usize,
        /// Rows of the second.
        second: usize,
    },
    /// They disagree about the truth.
    #[error("row {row}: expected label {first}, got {second}")]
    Label {
        /// The first such row.
        row: usize,
        /// Its label in the first.
        first: u32,
        /// Its label in the second.
        second: u32,
    },
}

/// Differences of all metrics that make sense of both `first` and `second`, which are of the same rows. Each interval follows
/// from those of the two values and from how far what one row moves the one by goes with what it moves the other by.
///
/// # Errors
/// Outcomes of different outputs, rows or truths.
pub fn differences<O: Outcomes>(first: &O, second: &O) -> Result<Vec<Difference>, CompareError> {
    let same = first.is_same(second)?;
    let both = [first, second];
    let metrics = O::METRICS.par_iter().filter(|metric| both.iter().all(|of| metric.makes_sense(of)));
    let difference = |metric: &'static Metric<O>| {
        let mut found =
            of(metric.about(), both.map(|of| metric.estimate(of)), &both.map(|of| metric.spread(of)), same);
        if let ([Some(first), Some(second)], Some(apart), false) =
            (both.map(|of| metric.pairs(of)), found.difference, same)
        {
            found.interval = Some(of_pairs(apart, &first, &second));
        }
        found
    };
    Ok(metrics.map(difference).collect())
}

/// Second minus first (Zou and Donner, 2008, equation 5): the ends are as far away as those of the two are, added as
/// squares, less what they share. Without width where both are `same` row by row.
fn of(about: &'static About, found: [Estimate; 2], spreads: &[Option<Spread>; 2], same: bool) -> Difference {
    let [first, second] = found.map(|found| found.value);
    let difference = second.zip(first).map(|(second, first)| second - first);
    let correlation = match spreads {
        [Some(first), Some(second)] => first.correlation(second),
        _ => 0.0,
    };
    let interval = difference.zip(found[0].interval.zip(found[1].interval)).map(|(apart, (a, b))| {
        if same {
            return Interval { low: 0.0, high: 0.0 };
        }
        let (first, second) = (first.unwrap_or(0.0), second.unwrap_or(0.0));
        let away = |one: f64, other: f64| {
            (one * one + other * other - 2.0 * correlation * one * other).max(0.0).sqrt()
        };
        Interval {
            low: apart - away(second - b.low, a.high - first),
            high: apart + away(b.high - second, first - a.low),
        }
    });
    Difference { about, first, second, difference, interval }
}

/// The interval of a difference whose rows are paired: the one that was not drawn may be as far off as any.
fn of_pairs(apart: f64, first: &[f64], second: &[f64]) -> Interval {
    let rows: Vec<f64> = first.iter().zip(second).map(|(first, second)| second - first).collect();
    let most = rows.iter().fold(0.0_f64, |most, row| most.max(row.abs()));
    if most == 0.0 {
        return Interval { low: 0.0, high: 0.0 };
    }
    Spread { unseen: [-most, most], ..Spread::mean(apart, [-2.0 * most, 2.0 * most], rows) }.interval()
}
