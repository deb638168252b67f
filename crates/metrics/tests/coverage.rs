//! Intervals hold the truth as often as they say, where classes have few rows: a small part of `make coverage`.

#[path = "../examples/coverage/population.rs"]
mod population;
#[path = "../examples/coverage/random.rs"]
mod random;

use headstart_metrics::{Metric, estimates};
use population::{Cell, Population, Shape};
use random::Random;

/// Of 95 % intervals as many are expected to miss by less than three standard errors of 400 trials.
const AT_LEAST: f64 = 0.92;
const TRIALS: usize = 400;

fn check(cell: &Cell) {
    let population = Population::new(cell, 20_000, false, 1);
    let metrics = Metric::overall(cell.classes);
    let tally = population.outcomes.tally();
    let truths: Vec<Option<f64>> = metrics.iter().map(|&metric| tally.value(metric)).collect();
    let mut counts = vec![(0_u32, 0_u32); metrics.len()];
    for trial in 0..TRIALS {
        let rows = population.sample(&mut Random::new(2, trial as u64));
        let found = estimates(&population.outcomes.select(&rows), &metrics);
        for ((found, truth), (hits, trials)) in found.iter().zip(&truths).zip(&mut counts) {
            if let (Some(interval), Some(truth)) = (found.interval, truth) {
                *hits += u32::from(interval.low <= truth + 1e-9 && truth - 1e-9 <= interval.high);
                *trials += 1;
            }
        }
    }
    for (metric, (hits, trials)) in metrics.iter().zip(counts) {
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

#[test]
fn rare_classes_and_ties() {
    check(&Cell { classes: 10, shape: Shape::Rare(40), accuracy: 0.8, ties: false, uneven: 0.3 });
    check(&Cell { classes: 5, shape: Shape::Even(4), accuracy: 0.8, ties: true, uneven: 0.3 });
}
