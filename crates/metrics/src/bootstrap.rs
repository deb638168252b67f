//! Stratified bootstrap intervals of everything that follows from outcomes.

use crate::resample::{Bootstrap, Estimate, Strata, estimates, gather};
use crate::sorted::Sorted;
use crate::{Metric, Outcomes, Tally};

/// Percentile intervals of `metrics` over resamples of `outcomes` in which every true class keeps its number
/// of rows.
///
/// A replicate draws its rows once, as copies of each row, and adds them up once, whatever the number of
/// metrics; it holds eight bytes a row for each thread, and B values a metric in all.
pub fn bootstrap(outcomes: &Outcomes, metrics: &[Metric], bootstrap: &Bootstrap) -> Vec<Estimate> {
    let strata = Strata::by_class(outcomes.labels(), outcomes.classes());
    let sorted = Sorted::new(outcomes);
    let slots = sorted.slots(&strata);
    let values = |tally: &Tally| metrics.iter().map(|&metric| tally.value(metric)).collect::<Vec<_>>();
    let scratch = || (Tally::new(outcomes.classes()), Vec::new());
    let replicates = bootstrap.run(&strata, scratch, |(tally, ordered), copies| {
        gather(copies, &slots, ordered);
        sorted.tally_into(tally, ordered);
        values(tally)
    });
    estimates(values(&sorted.tally()), &replicates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassMetric, proportion as wilson};

    /// `n` rows of two classes by turns; every `period`-th row is wrong.
    fn outcomes(n: usize, period: usize) -> Outcomes {
        let labels: Vec<u32> = (0..n as u32).map(|row| row % 2).collect();
        let mut outcomes = Outcomes::new(2);
        for (row, label) in labels.iter().enumerate() {
            let own = if row % period == 0 { 0.25 } else { 0.75 };
            let p = if *label == 0 { [own, 1.0 - own] } else { [1.0 - own, own] };
            outcomes.push(&[*label], &p).unwrap();
        }
        outcomes
    }

    #[test]
    fn accuracy_s_interval_is_near_wilson_s() {
        let outcomes = outcomes(2001, 5);
        let options = Bootstrap { replicates: 2000, seed: 7 };
        let got = bootstrap(&outcomes, &[Metric::Accuracy], &options)[0];
        let wilson = wilson(outcomes.tally().marginals().correct(), 2001).unwrap();
        let interval = got.interval.unwrap();
        // Both are ±0.0175 wide; percentiles of 2,000 replicates are good to about a twentieth of that.
        assert!((interval.low - wilson.low).abs() < 0.002, "{interval:?} {wilson:?}");
        assert!((interval.high - wilson.high).abs() < 0.002, "{interval:?} {wilson:?}");
    }

    #[test]
    fn undefined_and_constant() {
        let mut one_class = Outcomes::new(3);
        one_class.push(&[1, 1], &[0.0, 1.0, 0.0, 0.25, 0.5, 0.25]).unwrap();
        let metrics = [Metric::CohenKappa, Metric::Accuracy, Metric::Class(0, ClassMetric::Recall)];
        let options = Bootstrap { replicates: 20, seed: 0 };
        let got = bootstrap(&one_class, &metrics, &options);
        assert_eq!((got[0].value, got[0].interval), (None, None));
        assert_eq!(got[1].interval.map(|ends| (ends.low, ends.high)), Some((1.0, 1.0)));
        assert_eq!(got[2].value, Some(0.0));
        let none = Bootstrap { replicates: 0, seed: 0 };
        assert_eq!(bootstrap(&one_class, &metrics, &none)[1], Estimate { value: Some(1.0), interval: None });
        assert_eq!(
            bootstrap(&Outcomes::new(2), &metrics, &options)[1],
            Estimate { value: None, interval: None }
        );
    }
}
