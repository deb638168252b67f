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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // In closed form where none or all are hits; of the others R's binom.test prints seven digits.
        let none = |trials: f64| 1.0 - 0.025_f64.powf(1.0 / trials);
        let cases = [
            (0, 10, 0.0, none(10.0), 1e-12),
            (10, 10, 1.0 - none(10.0), 1.0, 1e-12),
            (0, 3, 0.0, none(3.0), 1e-12),
            (50, 100, 0.398_321_1, 0.601_678_9, 1e-7),
        ];
        for (hits, trials, low, high, tolerance) in cases {
            let got = proportion(hits, trials).unwrap();
            assert!((got.low - low).abs() < tolerance && (got.high - high).abs() < tolerance, "{got:?}");
        }
        assert_eq!(proportion(0, 0), None);
    }

    #[test]
    fn dice_follows_from_the_part_that_is_right() {
        let (f1, part) = (f1(3, 2).unwrap(), proportion(3, 5).unwrap());
        assert!((f1.low - 2.0 * part.low / (1.0 + part.low)).abs() < 1e-15);
        assert!(f1.low < 0.75 && 0.75 < f1.high);
    }
}
