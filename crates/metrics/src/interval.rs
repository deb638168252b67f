//! Confidence intervals that follow from a formula.

/// The two ends of a confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval (1927) of `hits` successes in `trials`; `None` without trials.
///
/// Unlike the textbook p ± z·√(p(1 − p)/n), it stays within [0, 1] and has a width at 0 and 1 too.
pub fn wilson(hits: u64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let (n, z2) = (trials as f64, Z * Z);
    let p = hits as f64 / n;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // Rounding could leave the interval a hair short of a proportion of exactly 0 or 1.
    let low = if hits == 0 { 0.0 } else { centre - half };
    let high = if hits >= trials { 1.0 } else { centre + half };
    Some(Interval { low, high })
}

/// The 95 % interval of an estimate within [0, 1] that is asymptotically normal with `variance`, cut off at 0
/// and 1.
pub(crate) fn normal_within_unit(value: f64, variance: f64) -> Interval {
    let half = Z * variance.sqrt();
    Interval { low: (value - half).max(0.0), high: (value + half).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // statsmodels.stats.proportion.proportion_confint(hits, trials, method="wilson")
        let cases = [
            (0, 10, 0.0, 0.277_532_798_628_891_75),
            (10, 10, 0.722_467_201_371_107_9, 1.0),
            (50, 100, 0.403_831_530_365_952_8, 0.596_168_469_634_047_2),
        ];
        for (hits, trials, low, high) in cases {
            let got = wilson(hits, trials).unwrap();
            assert!((got.low - low).abs() < 1e-8 && (got.high - high).abs() < 1e-8, "{got:?}");
        }
        assert_eq!(wilson(0, 0), None);
    }
}
