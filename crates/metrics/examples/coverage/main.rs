//! How often the intervals of `evaluate` hold the truth, by simulation.
//!
//! `cargo run --release -p headstart-metrics --example coverage -- [classes | rankings | extra | numbers] [trials] [seed]`
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod measures;
mod population;
mod random;

use std::collections::BTreeMap;

use headstart_metrics::{
    ClassOutcomes, Estimate, Figure, LabelOutcomes, NumberOutcomes, Outcomes, differences, figures,
};
use population::{Cell, Population, Shape};
use random::Random;
use rayon::prelude::*;

/// Hits and trials of each metric, and the sum of widths.
type Hits = BTreeMap<String, (usize, usize, f64)>;

/// Classes whose own metrics are looked at.
const LOOKED_AT: usize = 10;

/// Every metric, and of some outputs alone.
fn measure<O: Outcomes>(outcomes: &O, what: &str, step: usize) -> Vec<(String, Estimate)> {
    let named = |before: &str, figures: Vec<Figure>| {
        let each = figures.into_iter().map(|of| (format!("{before}{}", of.about.name), of.estimate));
        each.collect::<Vec<_>>()
    };
    let alone = outcomes.alone().step_by(step).flat_map(|one| named(&format!("{what} "), figures(&one)));
    named("", figures(outcomes)).into_iter().chain(alone).collect()
}

fn add(hits: &mut Hits, name: &str, truth: Option<f64>, found: Estimate) {
    let (Some(truth), Some(interval)) = (truth, found.interval) else { return };
    let entry = hits.entry(name.to_owned()).or_default();
    // To rounding.
    entry.0 += usize::from(interval.low <= truth + 1e-9 && truth <= interval.high + 1e-9);
    entry.1 += 1;
    entry.2 += interval.high - interval.low;
}

fn merge(mut a: Hits, b: Hits) -> Hits {
    for (name, (hits, trials, width)) in b {
        let entry = a.entry(name).or_default();
        *entry = (entry.0 + hits, entry.1 + trials, entry.2 + width);
    }
    a
}

fn classes(cell: &Cell, trials: usize, seed: u64, ranked: bool) -> Hits {
    let rows: usize = cell.supports().iter().sum();
    let size =
        if ranked { (20_000_000 / cell.classes).min(60_000).max(rows * 20) } else { 60_000.max(rows * 40) };
    let population = Population::new(cell, size, ranked, seed);
    let step = cell.classes.div_ceil(LOOKED_AT);
    let ranked_truths = ranked.then(|| measures::rankings(population.all.each(), &population.probabilities));
    let truths = ranked_truths.unwrap_or_else(|| measure(&population.all, "class", step));
    (0..trials)
        .into_par_iter()
        .map(|trial| {
            let rows = population.sample(&mut Random::new(seed + 1, trial as u64));
            let outcomes = population.all.select(&rows);
            let found = if ranked {
                let wide = cell.classes;
                let p: Vec<f64> = rows
                    .iter()
                    .flat_map(|&row| &population.probabilities[row * wide..][..wide])
                    .copied()
                    .collect();
                measures::rankings(outcomes.each(), &p)
            } else {
                measure(&outcomes, "class", step)
            };
            let mut hits = Hits::new();
            for ((name, found), (_, truth)) in found.into_iter().zip(&truths) {
                add(&mut hits, &name, truth.value, found);
            }
            hits
        })
        .reduce(Hits::new, merge)
}

fn print(cell: &str, hits: &Hits) {
    println!("{cell}");
    for (name, (hits, trials, width)) in hits {
        println!(
            "    {name:<26} {:6.1} %  of {trials:>6}   width {:.4}",
            100.0 * *hits as f64 / *trials as f64,
            width / *trials as f64
        );
    }
}

/// Two heads on the same rows, the second a little better: differences.
fn pairs(cell: &Cell, trials: usize, seed: u64) -> Hits {
    let bank = Population::new(cell, 40_000, true, seed);
    let wide = cell.classes;
    let mut random = Random::new(seed, 7);
    let second: Vec<f64> = bank
        .probabilities
        .chunks_exact(wide)
        .flat_map(|row| {
            let raw: Vec<f64> =
                row.iter().map(|p| p.max(1e-9).powf(0.9) * (0.8 * random.normal()).exp()).collect();
            let sum: f64 = raw.iter().sum();
            raw.into_iter().map(move |p| p / sum).collect::<Vec<_>>()
        })
        .collect();
    let mut other = headstart_metrics::ClassRows::new(wide);
    other.push(bank.all.each().labels(), &second).expect("probabilities");
    let other: ClassOutcomes = other.finish();
    let truths = differences(&bank.all, &other).expect("same rows");
    let trial = |trial: usize| {
        let rows = bank.sample(&mut Random::new(seed + 1, trial as u64));
        let [first, second] = [&bank.all, &other].map(|outcomes| outcomes.select(&rows));
        let found = differences(&first, &second).expect("same rows");
        let mut hits = Hits::new();
        for (found, truth) in found.into_iter().zip(&truths) {
            let metric = found.about.name;
            let found = Estimate { value: found.difference, interval: found.interval };
            add(&mut hits, &format!("difference of {metric}"), truth.difference, found);
        }
        hits
    };
    (0..trials).into_par_iter().map(trial).reduce(Hits::new, merge)
}

/// Several labels a row, some rare.
fn labels(rows: usize, trials: usize, seed: u64) -> Hits {
    const LABELS: usize = 6;
    const BANK: usize = 40_000;
    let mut random = Random::new(seed, 3);
    let (mut truth, mut p) = (Vec::new(), Vec::new());
    for _ in 0..BANK {
        let common = random.normal();
        for label in 0..LABELS {
            let z = 1.5 * random.normal() + 0.7 * common - 0.5 * label as f64;
            truth.push(random.uniform() < 1.0 / (1.0 + (-z).exp()));
            p.push(1.0 / (1.0 + (-1.2 * z - 0.2 * random.normal()).exp()));
        }
    }
    let measure = |truth: &[bool], p: &[f64]| {
        let outcomes = LabelOutcomes::new(truth.to_vec(), p.to_vec(), LABELS);
        measure(&outcomes.expect("checked").ranked(), "label", 1)
    };
    let truths = measure(&truth, &p);
    let trial = |trial: usize| {
        let mut random = Random::new(seed + 1, trial as u64);
        let drawn: Vec<usize> = (0..rows).map(|_| random.below(BANK)).collect();
        let of = |row: &usize| row * LABELS..(row + 1) * LABELS;
        let own: Vec<bool> = drawn.iter().flat_map(|row| &truth[of(row)]).copied().collect();
        let said: Vec<f64> = drawn.iter().flat_map(|row| &p[of(row)]).copied().collect();
        let mut hits = Hits::new();
        for ((name, found), (_, truth)) in measure(&own, &said).into_iter().zip(&truths) {
            add(&mut hits, &name, truth.value, found);
        }
        hits
    };
    (0..trials).into_par_iter().map(trial).reduce(Hits::new, merge)
}

/// Numbers, with errors that are normal or skewed.
fn numbers(rows: usize, skewed: bool, trials: usize, seed: u64) -> Hits {
    let mut random = Random::new(seed, 5);
    let (mut truth, mut said, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..40_000 {
        let [a, b] = random.normals();
        truth.push(if skewed { a.exp() } else { 2.0 * a });
        said.push(truth[truth.len() - 1] + if skewed { (0.7 * b).exp() - 1.2 } else { b + 0.1 });
        other.push(said[said.len() - 1] + 0.5 * random.normal());
    }
    let of = |truth: &[f64], said: &[f64]| NumberOutcomes::new(truth, said, 1).expect("finite");
    let measure = |truth: &[f64], said: &[f64]| figures(&of(truth, said));
    let differ = |truth: &[f64], said: &[f64], other: &[f64]| {
        differences(&of(truth, other), &of(truth, said)).expect("same rows")
    };
    let truths = measure(&truth, &said);
    let apart = differ(&truth, &said, &other);
    let trial = |trial: usize| {
        let mut random = Random::new(seed + 1, trial as u64);
        let drawn: Vec<usize> = (0..rows).map(|_| random.below(truth.len())).collect();
        let [a, b, c] =
            [&truth, &said, &other].map(|of| drawn.iter().map(|&row| of[row]).collect::<Vec<f64>>());
        let mut hits = Hits::new();
        for (found, truth) in measure(&a, &b).into_iter().zip(&truths) {
            add(&mut hits, found.about.name, truth.estimate.value, found.estimate);
        }
        for (found, truth) in differ(&a, &b, &c).into_iter().zip(&apart) {
            let name = format!("difference of {}", found.about.name);
            let found = Estimate { value: found.difference, interval: found.interval };
            add(&mut hits, &name, truth.difference, found);
        }
        hits
    };
    (0..trials).into_par_iter().map(trial).reduce(Hits::new, merge)
}

/// Trials of a cell: fewer where a trial is large, so that all cells take minutes.
fn trials_of(cell: &Cell, trials: usize) -> usize {
    let rows: usize = cell.supports().iter().sum();
    trials.min((20_000_000 / rows).max(100))
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "classes".to_owned());
    let trials: usize = args.next().map_or(1000, |text| text.parse().expect("a number of trials"));
    let seed: u64 = args.next().map_or(1, |text| text.parse().expect("a seed"));
    let cell = |classes, shape, accuracy, ties| Cell { classes, shape, accuracy, ties, uneven: 0.3 };
    let even = |counts: &[usize], rows: &[usize]| -> Vec<Cell> {
        let each = counts.iter().flat_map(|&count| rows.iter().map(move |&rows| (count, rows)));
        each.flat_map(|(count, rows)| {
            [0.5, 0.8, 0.97].map(|accuracy| cell(count, Shape::Even(rows), accuracy, false))
        })
        .collect()
    };
    match what.as_str() {
        "classes" => {
            for cell in even(&[3, 10, 100, 1000], &[1, 2, 3, 5, 20]) {
                print(&cell.name(), &classes(&cell, trials_of(&cell, trials), seed, false));
            }
        }
        "rankings" => {
            for cell in even(&[2, 3, 10, 100, 1000], &[1, 2, 3, 5, 20]) {
                let trials = trials_of(&cell, trials)
                    .min((2_000_000 / (cell.classes * cell.classes).max(1000)).max(50));
                print(&cell.name(), &classes(&cell, trials, seed, true));
            }
            for accuracy in [0.5, 0.8, 0.9, 0.95, 0.97] {
                for (count, shape) in [
                    (2, Shape::Rare(100)),
                    (10, Shape::Rare(50)),
                    (2, Shape::Steep(1500)),
                    (3, Shape::Steep(3000)),
                    (4, Shape::Steep(3000)),
                ] {
                    let cell = cell(count, shape, accuracy, false);
                    print(&cell.name(), &classes(&cell, trials_of(&cell, trials), seed, true));
                }
            }
        }
        "extra" => {
            for accuracy in [0.5, 0.8, 0.97] {
                for (count, shape, ties) in [
                    (2, Shape::Even(1), false),
                    (2, Shape::Even(5), false),
                    (2, Shape::Rare(100), false),
                    (10, Shape::Rare(50), false),
                    (100, Shape::Rare(200), false),
                    (2, Shape::Steep(400), false),
                    (3, Shape::Steep(8000), false),
                    (10, Shape::Even(5), true),
                ] {
                    let cell = cell(count, shape, accuracy, ties);
                    print(&cell.name(), &classes(&cell, trials, seed, false));
                }
                for (count, rows) in [(3, 2), (3, 20), (10, 5)] {
                    let cell = cell(count, Shape::Even(rows), accuracy, false);
                    print(&format!("{}, two heads", cell.name()), &pairs(&cell, trials, seed));
                }
            }
        }
        "numbers" => {
            for rows in [5, 10, 20, 100] {
                print(&format!("{rows} numbers, normal errors"), &numbers(rows, false, trials, seed));
                print(&format!("{rows} numbers, skewed errors"), &numbers(rows, true, trials, seed));
                print(&format!("{rows} rows of 6 labels"), &labels(rows, trials, seed));
            }
        }
        other => panic!("expected classes, rankings, extra or numbers, got {other}"),
    }
}
