//! The beta distribution, which exact intervals of proportions are quantiles of.

/// Rounds of Newton's method, each within a bracket that holds the quantile.
const ROUNDS: usize = 100;

/// The `part` quantile of the beta distribution with parameters `a` and `b`: 0 where a ≤ 0, 1 where b ≤ 0.
pub(crate) fn beta_quantile(part: f64, a: f64, b: f64) -> f64 {
    if a <= 0.0 {
        return 0.0;
    }
    if b <= 0.0 {
        return 1.0;
    }
    let log_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut x = a / (a + b);
    for _ in 0..ROUNDS {
        let miss = below(x, a, b, log_beta) - part;
        if miss > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (1.0 - x).ln() - log_beta).exp();
        let next = x - miss / density;
        // Where Newton's step leaves the bracket, and where there is no slope, the middle does.
        let next = if low < next && next < high { next } else { 0.5 * (low + high) };
        if (next - x).abs() <= 1e-13 * x {
            return next;
        }
        x = next;
    }
    x
}

/// The part of the distribution below `x`, within (0, 1).
fn below(x: f64, a: f64, b: f64, log_beta: f64) -> f64 {
    let front = (a * x.ln() + b * (1.0 - x).ln() - log_beta).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    // About √max(a, b) steps are needed.
    for step in 1..100_000 {
        let m = f64::from(step);
        let mut last = 1.0;
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            last = c * d;
            product *= last;
        }
        if (last - 1.0_f64).abs() < 1e-15 {
            break;
        }
    }
    product
}

/// ln Γ(x) of x > 0 (Lanczos, 1964; g = 7 and nine terms).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let x = x - 1.0;
    let sum = TERMS.iter().zip(1_u32..).map(|(term, at)| term / (x + f64::from(at))).sum::<f64>();
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + (0.999_999_999_999_809_9 + sum).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        // scipy.stats.beta.ppf(part, a, b)
        let cases = [
            (0.975, 1.0, 3.0, 1.0 - 0.025_f64.powf(1.0 / 3.0)),
            (0.025, 3.0, 1.0, 0.025_f64.powf(1.0 / 3.0)),
            (0.5, 0.5, 0.5, 0.5),
            (0.975, 0.0, 3.0, 0.0),
            (0.025, 2.0, 0.0, 1.0),
            (0.5, 2e6, 2e6, 0.5),
        ];
        for (part, a, b, expected) in cases {
            let got = beta_quantile(part, a, b);
            assert!((got - expected).abs() < 1e-9, "{part} {a} {b}: {got} is not {expected}");
        }
    }

    #[test]
    fn gamma_is_the_factorial() {
        let mut factorial = 1.0_f64;
        for n in 1..30 {
            factorial *= f64::from(n);
            assert!((ln_gamma(f64::from(n) + 1.0) - factorial.ln()).abs() < 1e-12 * factorial.ln().max(1.0));
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-13);
    }

    #[test]
    fn quantiles_turn_around() {
        for (a, b) in [(0.3, 2.0), (1.0, 1.0), (5.5, 0.7), (120.0, 3.0), (4000.0, 9000.0)] {
            for part in [0.001, 0.025, 0.4, 0.975] {
                let (x, y) = (beta_quantile(part, a, b), beta_quantile(1.0 - part, b, a));
                assert!((x + y - 1.0).abs() < 1e-10, "{part} {a} {b}: {x} {y}");
            }
        }
    }
}
