//! How often the intervals of `evaluate` hold the truth, by simulation.
//!
//! `cargo run --release -p headstart-metrics --example coverage -- [quick | classes | extra | rankings | numbers] [trials] [seed]`

mod before;
mod population;
mod random;

use std::collections::BTreeMap;

use headstart_metrics::{ClassMetric, Estimate, Metric};
use population::{Cell, Population, Shape};
use random::Random;
use rayon::prelude::*;

/// Hits and trials of each metric, and the sum of widths.
type Hits = BTreeMap<String, (usize, usize, f64)>;

/// Classes whose own metrics are looked at.
const LOOKED_AT: usize = 10;

fn name(metric: Metric) -> String {
    match metric {
        Metric::Class(..) => format!("class {metric}"),
        _ => metric.to_string(),
    }
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
        if ranked { (20_000_000 / cell.classes).clamp(rows * 20, 60_000) } else { 60_000.max(rows * 40) };
    let population = Population::new(cell, size, ranked, seed);
    let mut metrics = Metric::overall(cell.classes);
    let step = cell.classes.div_ceil(LOOKED_AT);
    metrics.extend(
        (0..cell.classes)
            .step_by(step)
            .flat_map(|class| ClassMetric::ALL.map(|what| Metric::Class(class, what))),
    );
    let tally = population.outcomes.tally();
    let truths: Vec<Option<f64>> = metrics.iter().map(|&metric| tally.value(metric)).collect();
    let ranked_truths: Vec<(String, Estimate)> = if ranked {
        before::rankings(&population.outcomes, &population.probabilities)
    } else {
        Vec::new()
    };
    (0..trials)
        .into_par_iter()
        .map(|trial| {
            let rows = population.sample(&mut Random::new(seed + 1, trial as u64));
            let outcomes = population.outcomes.select(&rows);
            let mut hits = Hits::new();
            if ranked {
                let wide = cell.classes;
                let p: Vec<f64> = rows
                    .iter()
                    .flat_map(|&row| &population.probabilities[row * wide..][..wide])
                    .copied()
                    .collect();
                for ((name, found), (_, truth)) in
                    before::rankings(&outcomes, &p).into_iter().zip(&ranked_truths)
                {
                    add(&mut hits, &name, truth.value, found);
                }
                return hits;
            }
            let found = before::estimates(&outcomes, &metrics, trial as u64);
            for ((metric, found), truth) in metrics.iter().zip(found).zip(&truths) {
                add(&mut hits, &name(*metric), *truth, found);
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

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "quick".to_owned());
    let trials: usize = args.next().map_or(1000, |text| text.parse().expect("a number of trials"));
    let seed: u64 = args.next().map_or(1, |text| text.parse().expect("a seed"));
    let ranked = what == "rankings";
    let (counts, rows): (&[usize], &[usize]) = match what.as_str() {
        "quick" => (&[3, 10], &[1, 2, 5]),
        "rankings" => (&[2, 3, 10, 100], &[1, 2, 3, 5, 20]),
        _ => (&[3, 10, 100, 1000], &[1, 2, 3, 5, 20]),
    };
    for &count in counts {
        for &rows in rows {
            for accuracy in [0.5, 0.8, 0.97] {
                let cell =
                    Cell { classes: count, shape: Shape::Even(rows), accuracy, ties: false, uneven: 0.3 };
                print(&cell.name(), &classes(&cell, trials, seed, ranked));
            }
        }
    }
}
