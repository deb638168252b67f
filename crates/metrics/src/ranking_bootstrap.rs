//! Stratified bootstrap intervals of one-vs-rest ranking metrics, for a matrix that is held.

use rayon::prelude::*;

use crate::Scored;
use crate::ranked::Ranked;
use crate::resample::{Bootstrap, Estimate, Strata, estimates};

/// Ranking metrics with percentile intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct RankingEstimates {
    /// As [`Rankings::macro_roc_auc`](crate::Rankings::macro_roc_auc).
    pub macro_roc_auc: Estimate,
    /// As [`Rankings::macro_average_precision`](crate::Rankings::macro_average_precision).
    pub macro_average_precision: Estimate,
    /// AUC of each class, (C,).
    pub roc_auc: Vec<Estimate>,
    /// Average precision of each class, (C,).
    pub average_precision: Vec<Estimate>,
}

/// Percentile intervals of every ranking metric over resamples of `scored` in which every true class keeps
/// its number of rows. Time is proportional to n · C · B (about a second for 10⁹ on two cores), memory to n ·
/// C; for more, see [`Rankings::macro_roc_auc_interval`](crate::Rankings::macro_roc_auc_interval).
pub fn bootstrap_rankings(scored: &Scored<'_>, bootstrap: &Bootstrap) -> RankingEstimates {
    let (labels, classes) = (scored.labels(), scored.classes());
    let strata = Strata::by_class(labels, classes);
    let ranked = |class: usize| {
        let scores = scored.probabilities()[class..].iter().step_by(classes);
        let rows = labels.iter().zip(scores).zip(0..);
        Ranked::of(rows.map(|((&label, &score), row)| (score, label as usize == class, strata.slot(row))))
    };
    estimate(&(0..classes).into_par_iter().map(ranked).collect::<Vec<_>>(), &strata, bootstrap)
}

/// Of classes whose rows are counted by the slots of `strata`.
pub(crate) fn estimate(classes: &[Ranked], strata: &Strata, bootstrap: &Bootstrap) -> RankingEstimates {
    let values = |copies: &[u32]| {
        let pairs: Vec<Option<(f64, f64)>> = classes.iter().map(|class| class.values(copies)).collect();
        let (firsts, seconds): (Vec<_>, Vec<_>) =
            pairs.iter().map(|pair| (pair.map(|pair| pair.0), pair.map(|pair| pair.1))).unzip();
        let macros = [mean(&firsts), mean(&seconds)];
        macros.into_iter().chain(firsts).chain(seconds).collect::<Vec<_>>()
    };
    let replicates = bootstrap.run(strata, || (), |(), copies| values(copies));
    let mut estimates = estimates(values(&vec![1; strata.rows()]), &replicates);
    let average_precision = estimates.split_off(2 + classes.len());
    let roc_auc = estimates.split_off(2);
    RankingEstimates {
        macro_roc_auc: estimates[0],
        macro_average_precision: estimates[1],
        roc_auc,
        average_precision,
    }
}

/// Of the values there are.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let there = values.iter().flatten().count();
    (there > 0).then(|| values.iter().flatten().sum::<f64>() / there as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rankings;

    #[test]
    fn agrees_with_the_formula() {
        let labels: Vec<u32> = (0..400).map(|row| (row * row + row / 3) % 3).collect();
        let p: Vec<f64> = (0..400_u32)
            .flat_map(|row| {
                let noise = |class: u32| f64::from((row * 37 + class * row * 11) % 41 + 1);
                let raw = [0, 1, 2]
                    .map(|class| noise(class) + 20.0 * f64::from(u8::from(class == labels[row as usize])));
                raw.map(|value| value / raw.iter().sum::<f64>())
            })
            .collect();
        let scored = Scored::new(&labels, &p, 3).unwrap();
        let rankings = Rankings::of(&scored);
        let got = bootstrap_rankings(&scored, &Bootstrap { replicates: 1000, seed: 2 });
        assert!((got.macro_roc_auc.value.unwrap() - rankings.macro_roc_auc().unwrap()).abs() < 1e-15);
        let average_precision = rankings.macro_average_precision().unwrap();
        assert!((got.macro_average_precision.value.unwrap() - average_precision).abs() < 1e-15);
        let pairs =
            (0..3).map(|class| (got.roc_auc[class], rankings.class(class).unwrap().roc_auc_interval()));
        for (got, formula) in pairs.chain([(got.macro_roc_auc, rankings.macro_roc_auc_interval())]) {
            let (got, formula) = (got.interval.unwrap(), formula.unwrap());
            // To a sixth of an interval's width, which leaves room for the noise of 1,000 replicates.
            let room = (formula.high - formula.low) / 6.0;
            assert!(
                (got.low - formula.low).abs() < room && (got.high - formula.high).abs() < room,
                "{got:?} {formula:?}"
            );
        }
    }

    #[test]
    fn absent_classes_have_none() {
        let scored =
            Scored::new(&[0, 1, 1], &[0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.5, 0.25, 0.25], 3).unwrap();
        let got = bootstrap_rankings(&scored, &Bootstrap { replicates: 10, seed: 0 });
        assert_eq!(got.roc_auc[2], Estimate { value: None, interval: None });
        assert_eq!(got.roc_auc[1].value, Some(0.75));
        assert!(got.macro_average_precision.interval.is_some());
    }
}
