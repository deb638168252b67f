//! What samples are drawn from: a bank of rows that stands for the world, so that the truth is known exactly.

use headstart_metrics::{ClassOutcomes, ClassRows};
use rayon::prelude::*;

use crate::random::Random;

/// How a cell's samples look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// As many rows of each class.
    Even(usize),
    /// Class c has max(1, rows / (c + 1)) rows.
    Rare(usize),
    /// Each class has a twentieth of the rows of the one before, at least one: the last is given far more rows than it has.
    Steep(usize),
}

/// One cell of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) classes: usize,
    pub(crate) shape: Shape,
    pub(crate) accuracy: f64,
    /// Scores are rounded, so that many are equal.
    pub(crate) ties: bool,
    /// How far classes differ in how easily they are told, and in how readily they are said.
    pub(crate) uneven: f64,
}

/// Rows of every class, in shares of the cell's supports; a sample draws from each class as many as it has, with
/// replacement. So the truth of a metric is its value of all rows.
pub(crate) struct Population {
    pub(crate) supports: Vec<usize>,
    pub(crate) all: ClassOutcomes,
    /// (rows, C), where rankings are asked for.
    pub(crate) probabilities: Vec<f64>,
    /// First row of each class.
    starts: Vec<usize>,
}

/// Scores are this much surer than they ought to be.
const OVERCONFIDENCE: f64 = 1.25;

impl Cell {
    pub(crate) fn supports(&self) -> Vec<usize> {
        match self.shape {
            Shape::Even(rows) => vec![rows; self.classes],
            Shape::Rare(rows) => (0..self.classes).map(|class| (rows / (class + 1)).max(1)).collect(),
            Shape::Steep(rows) => std::iter::successors(Some(rows), |rows| Some((rows / 20).max(1)))
                .take(self.classes)
                .collect(),
        }
    }

    pub(crate) fn name(&self) -> String {
        let rows = match self.shape {
            Shape::Even(rows) => format!("{rows}"),
            Shape::Rare(rows) => format!("{rows}/c"),
            Shape::Steep(rows) => format!("{rows}/20^c"),
        };
        let ties = if self.ties { ", ties" } else { "" };
        format!("{} classes, {rows} rows each, accuracy {}{ties}", self.classes, self.accuracy)
    }
}

impl Population {
    /// About `size` rows; with their probabilities where they are `held`.
    pub(crate) fn new(cell: &Cell, size: usize, held: bool, seed: u64) -> Population {
        let supports = cell.supports();
        let total: usize = supports.iter().sum();
        let times = (size / total).max(20);
        let mut random = Random::new(seed, u64::MAX);
        let biases: Vec<f64> = (0..cell.classes).map(|_| cell.uneven * random.normal()).collect();
        let ease: Vec<f64> = (0..cell.classes).map(|_| (cell.uneven * random.normal()).exp()).collect();
        let labels: Vec<u32> =
            (0..).zip(&supports).flat_map(|(class, rows)| vec![class; rows * times]).collect();
        let noise = |label: u32, stream: u64| -> Vec<f64> {
            let mut random = Random::new(seed, stream);
            let mut z: Vec<f64> = biases.chunks(2).flat_map(|_| random.normals()).collect();
            z.truncate(cell.classes);
            z.iter_mut().zip(&biases).for_each(|(z, bias)| *z += bias);
            z[label as usize] -= biases[label as usize] * 0.5;
            z
        };
        // The margin of the true class that gives the accuracy: a quantile of what it needs.
        let mut needed: Vec<f64> = (0..4000_u64)
            .into_par_iter()
            .map(|at| {
                let label = labels[Random::new(seed, at | 1 << 40).below(labels.len())];
                let z = noise(label, at | 1 << 41);
                let own = z[label as usize];
                let others = z.iter().enumerate().filter(|(class, _)| *class != label as usize);
                (others.map(|(_, z)| *z).fold(f64::NEG_INFINITY, f64::max) - own) / ease[label as usize]
            })
            .collect();
        needed.sort_unstable_by(f64::total_cmp);
        let margin = needed[(needed.len() as f64 * cell.accuracy) as usize];
        let row = |(at, &label): (usize, &u32)| {
            let mut z = noise(label, at as u64);
            z[label as usize] += margin * ease[label as usize];
            let scale = margin.max(0.7) * OVERCONFIDENCE;
            for z in &mut z {
                *z *= scale;
                if cell.ties {
                    *z = (*z / 2.0).round() * 2.0;
                }
            }
            let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            z.iter_mut().for_each(|z| *z = (*z - most).exp());
            let sum: f64 = z.iter().sum();
            z.iter_mut().for_each(|z| *z /= sum);
            z
        };
        let (mut outcomes, mut probabilities) = (ClassRows::new(cell.classes), Vec::new());
        for (block, labels) in labels.chunks(20_000).enumerate() {
            let rows: Vec<Vec<f64>> =
                labels.par_iter().enumerate().map(|(at, label)| row((block * 20_000 + at, label))).collect();
            let rows = rows.concat();
            outcomes.push(labels, &rows).expect("probabilities");
            if held {
                probabilities.extend(rows);
            }
        }
        let start = |next: &mut usize, rows: &usize| {
            let start = *next;
            *next += rows * times;
            Some(start)
        };
        let starts = supports.iter().scan(0, start).collect();
        Population { all: outcomes.finish(), probabilities, starts, supports }
    }

    /// Rows of the bank, class by class.
    pub(crate) fn sample(&self, random: &mut Random) -> Vec<usize> {
        let ends = self.starts[1..].iter().copied().chain([self.all.each().rows()]);
        let classes = self.starts.iter().zip(ends).zip(&self.supports);
        classes
            .flat_map(|((&start, end), &rows)| {
                (0..rows).map(|_| start + random.below(end - start)).collect::<Vec<_>>()
            })
            .collect()
    }
}
