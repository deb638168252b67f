//! Two heads on the same rows: whether one is better, and by how much.

use crate::resample::{Bootstrap, Strata, gather, percentile_interval};
use crate::sorted::Sorted;
use crate::special::{chi_square_above, fair_coin_at_most};
use crate::{Interval, Metric, Outcomes, Tally};

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

/// A metric of two heads, and their difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Value of the first; `None` where it is undefined.
    pub first: Option<f64>,
    /// Value of the second; `None` where it is undefined.
    pub second: Option<f64>,
    /// Second minus first.
    pub difference: Option<f64>,
    /// 95 % interval of the difference; `None` where it or that of any resample is undefined.
    pub interval: Option<Interval>,
}

/// Why two outcomes cannot be compared row by row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// They do not know the same classes.
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

/// McNemar's test of `first` against `second`, which are of the same rows in the same order: a two-sided
/// binomial test where fewer than [`MCNEMAR_EXACT_BELOW`] rows are right in one alone, else χ² = (|b − c| −
/// 1)² / (b + c). Both as statsmodels' `mcnemar` has them.
///
/// # Errors
/// Outcomes of different classes, rows or labels.
pub fn mcnemar(first: &Outcomes, second: &Outcomes) -> Result<McNemar, CompareError> {
    check(first, second)?;
    let rights = |outcomes: &Outcomes| {
        outcomes
            .labels()
            .iter()
            .zip(outcomes.predicted())
            .map(|(label, predicted)| label == predicted)
            .collect()
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

/// Differences of `metrics` between `first` and `second` with percentile intervals over resamples in which
/// every true class keeps its number of rows. Both are given the same rows in each, so what they share
/// cancels.
///
/// # Errors
/// Outcomes of different classes, rows or labels.
pub fn paired_bootstrap(
    first: &Outcomes,
    second: &Outcomes,
    metrics: &[Metric],
    bootstrap: &Bootstrap,
) -> Result<Vec<Difference>, CompareError> {
    check(first, second)?;
    let classes = first.classes();
    // The labels are the same, so the slots are.
    let strata = Strata::by_class(first.labels(), classes);
    let sorted = [first, second].map(|outcomes| {
        let sorted = Sorted::new(outcomes);
        let slots = sorted.slots(&strata);
        (sorted, slots)
    });
    let values = |tally: &Tally| metrics.iter().map(|&metric| tally.value(metric)).collect::<Vec<_>>();
    let replicates = bootstrap.run(
        &strata,
        || (Tally::new(classes), Vec::new()),
        |(tally, ordered), copies| {
            let [first, second] = sorted.each_ref().map(|(sorted, slots)| {
                gather(copies, slots, ordered);
                sorted.tally_into(tally, ordered);
                values(tally)
            });
            apart(first, second)
        },
    );
    let [firsts, seconds] = sorted.map(|(sorted, _)| values(&sorted.tally()));
    Ok(differences(firsts, seconds, &replicates))
}

/// Puts intervals to the differences of two heads' values, (m,) each, from those of `replicates`, (B, m).
pub(crate) fn differences(
    firsts: Vec<Option<f64>>,
    seconds: Vec<Option<f64>>,
    replicates: &[Vec<Option<f64>>],
) -> Vec<Difference> {
    let differences = firsts.into_iter().zip(seconds).enumerate().map(|(metric, (first, second))| {
        let difference = minus(second, first);
        let column = || replicates.iter().map(|values| values[metric]).collect::<Option<Vec<f64>>>();
        let interval = difference.and_then(|_| column()).and_then(percentile_interval);
        Difference { first, second, difference, interval }
    });
    differences.collect()
}

/// Second minus first, metric by metric.
pub(crate) fn apart(firsts: Vec<Option<f64>>, seconds: Vec<Option<f64>>) -> Vec<Option<f64>> {
    firsts.into_iter().zip(seconds).map(|(first, second)| minus(second, first)).collect()
}

fn minus(second: Option<f64>, first: Option<f64>) -> Option<f64> {
    Some(second? - first?)
}

fn check(first: &Outcomes, second: &Outcomes) -> Result<(), CompareError> {
    if first.classes() != second.classes() {
        return Err(CompareError::Classes { first: first.classes(), second: second.classes() });
    }
    if first.rows() != second.rows() {
        return Err(CompareError::Rows { first: first.rows(), second: second.rows() });
    }
    let mut labels = first.labels().iter().zip(second.labels()).enumerate();
    match labels.find(|(_, (first, second))| first != second) {
        Some((row, (&first, &second))) => Err(CompareError::Label { row, first, second }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(labels: &[u32], predicted: &[u32]) -> Outcomes {
        let mut outcomes = Outcomes::new(2);
        let p = predicted.iter().flat_map(|&class| if class == 0 { [0.75, 0.25] } else { [0.125, 0.875] });
        outcomes.push(labels, &p.collect::<Vec<_>>()).unwrap();
        outcomes
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
        let options = Bootstrap { replicates: 50, seed: 5 };
        for difference in paired_bootstrap(&a, &a, &Metric::overall(2), &options).unwrap() {
            assert_eq!(difference.difference, Some(0.0));
            assert_eq!(difference.interval, Some(Interval { low: 0.0, high: 0.0 }));
        }
        let better = outcomes(&[0, 0, 1, 1], &[0, 0, 1, 1]);
        let got = paired_bootstrap(&a, &better, &[Metric::Accuracy], &options).unwrap()[0];
        assert_eq!((got.first, got.second, got.difference), (Some(0.5), Some(1.0), Some(0.5)));
        assert!(got.interval.unwrap().low >= 0.0);
    }

    #[test]
    fn only_the_same_rows_compare() {
        let a = outcomes(&[0, 1], &[0, 0]);
        let cases = [
            (outcomes(&[0, 0], &[0, 0]), CompareError::Label { row: 1, first: 1, second: 0 }),
            (outcomes(&[0], &[0]), CompareError::Rows { first: 2, second: 1 }),
            (Outcomes::new(3), CompareError::Classes { first: 2, second: 3 }),
        ];
        for (b, expected) in cases {
            assert_eq!(mcnemar(&a, &b).unwrap_err(), expected);
            let options = Bootstrap { replicates: 1, seed: 0 };
            assert_eq!(paired_bootstrap(&a, &b, &[], &options).unwrap_err(), expected);
        }
    }
}
