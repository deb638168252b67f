//! McNemar's test of two classifiers on the same rows.

use super::ClassOutcomes;
use crate::{
    CompareError, Outcomes as _,
    special::{chi_square_above, fair_coin_at_most},
};

/// With fewer discordant rows than this, [`mcnemar`] is exact.
pub const MCNEMAR_EXACT_BELOW: u64 = 25;

/// McNemar's test (1947) of whether two classifiers err equally often on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Rows that only the first classifies rightly.
    pub only_first: u64,
    /// Rows that only the second classifies rightly.
    pub only_second: u64,
    /// The χ² statistic with continuity correction; `None` where the test is exact.
    pub statistic: Option<f64>,
    /// Two-sided p-value.
    pub p_value: f64,
}

/// McNemar's test of `first` against `second`, which are of the same rows in the same order: a two-sided
/// binomial test where fewer than [`MCNEMAR_EXACT_BELOW`] rows are right in one alone, else χ² = (|b − c| −
/// 1)² / (b + c). Both as statsmodels' `mcnemar` has them.
///
/// # Errors
/// Outcomes of different classes, rows or labels.
pub fn mcnemar(first: &ClassOutcomes, second: &ClassOutcomes) -> Result<McNemar, CompareError> {
    first.is_same(second)?;
    let rights = |outcomes: &ClassOutcomes| {
        let rows = outcomes.each();
        rows.labels().iter().zip(rows.predicted()).map(|(label, predicted)| label == predicted).collect()
    };
    let (a, b): (Vec<bool>, Vec<bool>) = (rights(first), rights(second));
    let count = |only: (bool, bool)| a.iter().zip(&b).filter(|&(&a, &b)| (a, b) == only).count() as u64;
    Ok(McNemar::of(count((true, false)), count((false, true))))
}

impl McNemar {
    /// The test of two counts of discordant rows.
    pub fn of(only_first: u64, only_second: u64) -> McNemar {
        let discordant = only_first + only_second;
        if discordant < MCNEMAR_EXACT_BELOW {
            let tail = fair_coin_at_most(only_first.min(only_second), discordant);
            return McNemar { only_first, only_second, statistic: None, p_value: (2.0 * tail).min(1.0) };
        }
        let gap = only_first.abs_diff(only_second) as f64 - 1.0;
        let statistic = gap * gap / discordant as f64;
        McNemar { only_first, only_second, statistic: Some(statistic), p_value: chi_square_above(statistic) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassRows, Interval, differences};

    fn outcomes(labels: &[u32], predicted: &[u32]) -> ClassOutcomes {
        let mut rows = ClassRows::new(2);
        let p = predicted.iter().flat_map(|&class| if class == 0 { [0.75, 0.25] } else { [0.125, 0.875] });
        rows.push(labels, &p.collect::<Vec<_>>()).unwrap();
        rows.finish()
    }

    #[test]
    fn p_values() {
        // statsmodels.stats.contingency_tables.mcnemar([[0, b], [c, 0]], exact=b + c < 25, correction=True)
        let cases = [
            (0, 0, None, 1.0),
            (3, 3, None, 1.0),
            (0, 5, None, 0.0625),
            (9, 15, None, 0.307_456_254_959_106_45),
            (12, 13, Some(0.0), 1.0),
            (10, 15, Some(0.64), 0.423_710_797_166_793_6),
            (86, 150, Some(16.817_796_610_169_49), 4.114_562_281_345_944e-5),
        ];
        for (b, c, statistic, p_value) in cases {
            let got = McNemar::of(b, c);
            assert_eq!(got.statistic, statistic, "{b} {c}");
            assert!((got.p_value - p_value).abs() < 1e-12, "{b} {c}: {got:?}");
        }
    }

    #[test]
    fn counts_discordant_rows() {
        let (a, b) = (outcomes(&[0, 0, 1, 1], &[0, 1, 1, 0]), outcomes(&[0, 0, 1, 1], &[1, 1, 0, 1]));
        let got = mcnemar(&a, &b).unwrap();
        assert_eq!((got.only_first, got.only_second), (2, 1));
    }

    #[test]
    fn a_head_does_not_differ_from_itself() {
        let a = outcomes(&[0, 0, 1, 1], &[0, 1, 1, 0]);
        for difference in differences(&a, &a).unwrap() {
            assert_eq!(difference.difference, Some(0.0));
            assert_eq!(difference.interval, Some(Interval { low: 0.0, high: 0.0 }));
        }
        let better = outcomes(&[0, 0, 1, 1], &[0, 0, 1, 1]);
        let got = differences(&a, &better).unwrap()[0];
        assert_eq!((got.first, got.second, got.difference), (Some(0.5), Some(1.0), Some(0.5)));
        // Four rows decide nothing.
        let interval = got.interval.unwrap();
        assert!(interval.low < 0.0 && interval.high > 0.5, "{interval:?}");
    }

    #[test]
    fn what_two_heads_share_cancels() {
        let labels: Vec<u32> = (0..400).map(|row| row % 2).collect();
        let wrong = |every: u32| -> Vec<u32> {
            labels.iter().zip(0..).map(|(label, row)| label ^ u32::from(row % every == 0)).collect()
        };
        let (a, b) = (outcomes(&labels, &wrong(5)), outcomes(&labels, &wrong(10)));
        let got = differences(&a, &b).unwrap()[0];
        let interval = got.interval.unwrap();
        // 40 rows differ of 400, all one way: alone, both intervals are wider than their difference's.
        assert!(0.06 < interval.low && interval.high < 0.15, "{interval:?}");
    }

    #[test]
    fn only_the_same_rows_compare() {
        let a = outcomes(&[0, 1], &[0, 0]);
        let cases = [
            (outcomes(&[0, 0], &[0, 0]), CompareError::Label { row: 1, first: 1, second: 0 }),
            (outcomes(&[0], &[0]), CompareError::Rows { first: 2, second: 1 }),
            (ClassRows::new(3).finish(), CompareError::Classes { first: 2, second: 3 }),
        ];
        for (b, expected) in cases {
            assert_eq!(mcnemar(&a, &b).unwrap_err(), expected);
            assert_eq!(differences(&a, &b).unwrap_err(), expected);
        }
    }
}
