//! A metric of several heads that were fitted on rows drawn anew each time, all on the same rows.

use crate::{Estimate, Interval, Scale, beta::beta_quantile};

/// What a metric comes to over some draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OverDraws {
    /// The mean, `None` where the metric is undefined in a draw. Its interval holds the mean of endless draws on endless rows.
    pub mean: Estimate,
    /// The standard deviation of one draw, with k − 1 in the denominator; `None` of a single one.
    pub deviation: Option<f64>,
}

/// The mean of a metric over draws, of each of which it has this estimate.
///
/// Two things make the mean uncertain, and their half-widths add up by their squares: that draws are few, by Student's
/// t (1908), and that the rows are. The latter is the mean of the draws' own, since all are on the same rows. That is not
/// too little, whatever the draws have in common. In simulations of class means (1,800 trials) the interval held the truth 97 % of
/// the time or more. That of the draws alone held it 36 to 96 %, since it knows nothing of the rows.
pub fn over_draws(scale: Scale, each: &[Estimate]) -> OverDraws {
    let draws = each.len() as f64;
    let values: Option<Vec<f64>> = each.iter().map(|estimate| estimate.value).collect();
    let Some(values) = values.filter(|values| !values.is_empty()) else { return OverDraws::default() };
    let mean = values.iter().sum::<f64>() / draws;
    if values.len() < 2 {
        return OverDraws { mean: Estimate { value: Some(mean), interval: None }, deviation: None };
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (draws - 1.0)).sqrt();
    let of_draws = student_t(draws - 1.0) * deviation / draws.sqrt();
    let of_rows = |width: fn(f64, Interval) -> f64| -> Option<f64> {
        let widths = each.iter().map(|estimate| Some(width(estimate.value?, estimate.interval?)));
        Some(widths.sum::<Option<f64>>()? / draws)
    };
    let below = of_rows(|value, interval| value - interval.low);
    let above = of_rows(|value, interval| interval.high - value);
    let [least, most] = match scale {
        Scale::Share => [0.0, 1.0],
        Scale::Correlation => [-1.0, 1.0],
        Scale::Loss | Scale::Count => [0.0, f64::INFINITY],
    };
    let interval = below.zip(above).map(|(below, above)| Interval {
        low: (mean - of_draws.hypot(below)).max(least),
        high: (mean + of_draws.hypot(above)).min(most),
    });
    OverDraws { mean: Estimate { value: Some(mean), interval }, deviation: Some(deviation) }
}

/// The 97.5 % quantile of Student's distribution with so many degrees of freedom.
fn student_t(freedom: f64) -> f64 {
    let x = beta_quantile(0.05, 0.5 * freedom, 0.5);
    (freedom * (1.0 - x) / x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        // scipy.stats.t.ppf(0.975, freedom)
        for (freedom, expected) in [
            (1.0, 12.706_204_736_174_694),
            (2.0, 4.302_652_729_749_462),
            (9.0, 2.262_157_162_798_205),
            (99.0, 1.984_216_951_586_417_4),
        ] {
            let got = student_t(freedom);
            assert!((got / expected - 1.0).abs() < 1e-9, "{freedom}: {got}");
        }
    }

    #[test]
    fn half_widths_add_up_by_their_squares() {
        let estimate = |value: f64, low: f64, high: f64| Estimate {
            value: Some(value),
            interval: Some(Interval { low, high }),
        };
        let got = over_draws(Scale::Share, &[estimate(0.5, 0.4, 0.7), estimate(0.5, 0.2, 0.7)]);
        assert_eq!((got.mean.value, got.deviation), (Some(0.5), Some(0.0)));
        let Interval { low, high } = got.mean.interval.unwrap();
        assert!((low - 0.3).abs() < 1e-15 && (high - 0.7).abs() < 1e-15, "{low} {high}");
        // 2 draws: t is 12.7, and a share stays one.
        let got = over_draws(Scale::Share, &[estimate(0.6, 0.6, 0.6), estimate(0.62, 0.62, 0.62)]);
        let Interval { low, high } = got.mean.interval.unwrap();
        assert!(
            (0.61 - low - 0.127_062).abs() < 1e-6 && (high - 0.61 - 0.127_062).abs() < 1e-6,
            "{low} {high}"
        );
        let got = over_draws(Scale::Share, &[estimate(0.1, 0.1, 0.1), estimate(0.9, 0.9, 0.9)]);
        assert_eq!(got.mean.interval, Some(Interval { low: 0.0, high: 1.0 }));
    }

    #[test]
    fn what_is_undefined() {
        let known = Estimate { value: Some(0.5), interval: None };
        assert_eq!(over_draws(Scale::Share, &[]), OverDraws::default());
        assert_eq!(over_draws(Scale::Share, &[known, Estimate::default()]), OverDraws::default());
        assert_eq!(over_draws(Scale::Share, &[known]), OverDraws { mean: known, deviation: None });
        assert_eq!(over_draws(Scale::Loss, &[known; 3]), OverDraws { mean: known, deviation: Some(0.0) });
    }
}
