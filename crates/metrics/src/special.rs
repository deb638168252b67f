//! Two functions that tests of significance need.

/// The part of the χ² distribution with one degree of freedom that lies above `x`, erfc(√(x/2)).
pub(crate) fn chi_square_above(x: f64) -> f64 {
    erfc((x / 2.0).max(0.0).sqrt())
}

/// The probability of at most `successes` heads in `trials` tosses of a fair coin. Each term is the one
/// before times a ratio, so it is meant for small counts: 2^−trials must be a number.
pub(crate) fn fair_coin_at_most(successes: u64, trials: u64) -> f64 {
    let mut term = 0.5_f64.powi(trials as i32);
    let mut sum = term;
    for k in 1..=successes.min(trials) {
        term *= (trials - k + 1) as f64 / k as f64;
        sum += term;
    }
    sum
}

/// The complementary error function of `x` ≥ 0 (Abramowitz and Stegun, 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
    let scale = (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI;
    if x < 2.0 {
        // erf(x) = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), whose terms are all positive.
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return 1.0 - scale * sum;
    }
    // √π e^(x²) erfc(x) = 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), from the inside out.
    let fraction = (1..=120).rev().fold(x, |inner, n| x + 0.5 * f64::from(n) / inner);
    scale / (2.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // scipy.stats.chi2.sf(x, 1)
        let cases = [
            (0.0, 1.0),
            (0.5, 0.479_500_122_186_953_5),
            (3.841_458_820_694_124, 0.049_999_999_999_999_89),
            (7.9, 0.004_943_479_736_228_239),
            (8.1, 0.004_426_525_857_919_834),
            (50.0, 1.537_459_794_428_033e-12),
            (1000.0, 1.795_832_784_800_736_3e-219),
        ];
        for (x, expected) in cases {
            let got = chi_square_above(x);
            assert!((got / expected - 1.0).abs() < 1e-12, "{x}: {got:e} is not {expected:e}");
        }
        // scipy.stats.binom.cdf(k, n, 0.5)
        for (k, n, expected) in
            [(0, 0, 1.0), (0, 3, 0.125), (2, 5, 0.5), (5, 5, 1.0), (3, 24, 2325.0 / 16_777_216.0)]
        {
            assert!((fair_coin_at_most(k, n) - expected).abs() < 1e-15, "{k} of {n}");
        }
    }
}
