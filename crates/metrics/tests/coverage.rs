//! Intervals hold the truth as often as they say, where classes have few rows: a small part of `make coverage`.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

#[path = "../examples/coverage/population.rs"]
mod population;
#[path = "../examples/coverage/random.rs"]
mod random;

use headstart_metrics::{ClassRows, Outcomes as _, Rankings, Scored, figures, named};
use population::{Cell, Population, Shape};
use random::Random;

/// Of 95 % intervals as many are expected to miss by less than three standard errors of 400 trials.
const AT_LEAST: f64 = 0.92;
const TRIALS: usize = 400;

fn check(cell: &Cell) {
    let population = Population::new(cell, 20_000, false, 1);
    let truths = figures(&population.all);
    let mut counts = vec![(0_u32, 0_u32); truths.len()];
    for trial in 0..TRIALS {
        let rows = population.sample(&mut Random::new(2, trial as u64));
        let found = figures(&population.all.select(&rows));
        for ((found, truth), (hits, trials)) in found.iter().zip(&truths).zip(&mut counts) {
            if let (Some(interval), Some(truth)) = (found.estimate.interval, truth.estimate.value) {
                *hits += u32::from(interval.low <= truth + 1e-9 && truth - 1e-9 <= interval.high);
                *trials += 1;
            }
        }
    }
    for (truth, (hits, trials)) in truths.iter().zip(counts) {
        let metric = truth.about.name;
        // An agreement that the rows leave undefined has no interval, and nothing else has none.
        assert!(f64::from(trials) > 0.5 * TRIALS as f64, "{}: {metric} has {trials} intervals", cell.name());
        let part = f64::from(hits) / f64::from(trials);
        assert!(part >= AT_LEAST, "{}: {metric} is held {:.1} % of the time", cell.name(), 100.0 * part);
    }
}

#[test]
fn few_rows_a_class() {
    for classes in [3, 10] {
        for rows in [1, 2, 5] {
            for accuracy in [0.5, 0.8, 0.97] {
                check(&Cell { classes, shape: Shape::Even(rows), accuracy, ties: false, uneven: 0.3 });
            }
        }
    }
}

/// A class of five rows, another of a hundred, and two thousand others, by which rankings are ruled.
#[test]
fn rankings_with_a_rare_class() {
    for (accuracy, uneven) in [(0.9, 0.0), (0.95, 0.3)] {
        check_rankings(&Cell { classes: 3, shape: Shape::Steep(2000), accuracy, ties: false, uneven });
    }
}

fn check_rankings(cell: &Cell) {
    let population = Population::new(cell, 42_000, true, 1);
    let of = |labels: &[u32], p: &[f64]| Rankings::of(&Scored::new(labels, p, 3).unwrap());
    let truth = of(population.all.each().labels(), &population.probabilities);
    let mut hits = [0_u32; 2];
    for trial in 0..TRIALS {
        let rows = population.sample(&mut Random::new(2, trial as u64));
        let labels: Vec<u32> = rows.iter().map(|&row| population.all.each().labels()[row]).collect();
        let p: Vec<f64> =
            rows.iter().flat_map(|&row| &population.probabilities[row * 3..][..3]).copied().collect();
        let found = of(&labels, &p);
        let pairs = [
            (found.macro_roc_auc().interval, truth.macro_roc_auc().value),
            (found.macro_average_precision().interval, truth.macro_average_precision().value),
        ];
        for ((interval, truth), hits) in pairs.into_iter().zip(&mut hits) {
            let (interval, truth) = (interval.unwrap(), truth.unwrap());
            *hits += u32::from(interval.low <= truth && truth <= interval.high);
        }
    }
    for hits in hits {
        let part = f64::from(hits) / TRIALS as f64;
        assert!(part >= AT_LEAST, "{}: held {:.1} % of the time", cell.name(), 100.0 * part);
    }
}

/// Twenty rows of one class, sixteen of them right, and 10,000 of another, of which so many are given the first.
#[test]
fn many_false_ones_of_a_rare_class_leave_intervals_narrow() {
    for wrongly in [300, 372, 380, 1000, 5000] {
        let mut outcomes = ClassRows::new(2);
        for (label, said, rows) in [(0, 0, 10_000 - wrongly), (0, 1, wrongly), (1, 0, 4), (1, 1, 16)] {
            let p = if said == 0 { [0.75, 0.25] } else { [0.25, 0.75] };
            outcomes.push(&vec![label; rows], &p.repeat(rows)).unwrap();
        }
        let found = figures(&outcomes.finish());
        for metric in ["macro_precision", "macro_f1", "weighted_precision", "weighted_f1"] {
            let found = named(&found, metric).unwrap().estimate;
            let (value, ends) = (found.value.unwrap(), found.interval.unwrap());
            assert!(value - 0.05 < ends.low && ends.high < value + 0.05, "{wrongly}: {metric} {found:?}");
        }
    }
}

#[test]
fn rare_classes_and_ties() {
    check(&Cell { classes: 10, shape: Shape::Rare(40), accuracy: 0.8, ties: false, uneven: 0.3 });
    check(&Cell { classes: 5, shape: Shape::Even(4), accuracy: 0.8, ties: true, uneven: 0.3 });
}
