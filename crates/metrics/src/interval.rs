//! Confidence intervals that follow from a formula.

use crate::beta::beta_quantile;

/// The two ends of a confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 97.5 % quantile of the standard normal distribution.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// Clopper and Pearson's exact 95 % interval (1934) of `hits` successes in `trials`; `None` without trials. It holds the
/// truth at least as often as it says, whatever the truth is; Wilson's does so only 83 % of the time with 6 trials and a
/// truth of 0.97.
pub fn proportion(hits: u64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let (hit, missed) = (hits as f64, trials.saturating_sub(hits) as f64);
    Some(Interval {
        low: beta_quantile(0.025, hit, missed + 1.0),
        high: beta_quantile(0.975, hit + 1.0, missed),
    })
}

/// The interval of F1 = 2 tp / (2 tp + wrong), wrong counting false positives and false negatives: of all rows that
/// have to do with the class the part that is right, J, is a proportion, and F1 = 2 J / (1 + J).
pub(crate) fn f1(correct: u64, wrong: u64) -> Option<Interval> {
    let dice = |part: f64| 2.0 * part / (1.0 + part);
    proportion(correct, correct + wrong).map(|of| Interval { low: dice(of.low), high: dice(of.high) })
}

/// The 97.5 % quantile of Student's t distribution with `freedom` degrees.
pub(crate) fn student(freedom: f64) -> f64 {
    let x = beta_quantile(0.05, freedom / 2.0, 0.5);
    (freedom * (1.0 - x) / x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // statsmodels.stats.proportion.proportion_confint(hits, trials, method="beta"), and what it is at the ends.
        let cases = [
            (0, 10, 0.0, 0.308_497_100_700_309_4),
            (10, 10, 0.691_502_899_299_690_6, 1.0),
            (0, 3, 0.0, 1.0 - 0.025_f64.cbrt()),
            (50, 100, 0.398_321_129_503_301_06, 0.601_678_870_496_698_9),
        ];
        for (hits, trials, low, high) in cases {
            let got = proportion(hits, trials).unwrap();
            assert!((got.low - low).abs() < 1e-9 && (got.high - high).abs() < 1e-9, "{got:?}");
        }
        assert_eq!(proportion(0, 0), None);
    }

    #[test]
    fn dice_follows_from_the_part_that_is_right() {
        let (f1, part) = (f1(3, 2).unwrap(), proportion(3, 5).unwrap());
        assert!((f1.low - 2.0 * part.low / (1.0 + part.low)).abs() < 1e-15);
        assert!(f1.low < 0.75 && 0.75 < f1.high);
    }

    #[test]
    fn student_s_quantiles() {
        // scipy.stats.t.ppf(0.975, freedom)
        for (freedom, expected) in
            [(1.0, 12.706_204_736_174_7), (4.0, 2.776_445_105_197_793), (1000.0, 1.962_339_080_826_497)]
        {
            assert!((student(freedom) / expected - 1.0).abs() < 1e-9, "{freedom}: {}", student(freedom));
        }
    }
}
