//! Figures of the made-up rows, measured plainly.

use report::{
    Bin, Calibration, ClassCurves, ClassTable, Column, Curve, Curves, Estimate, Histogram, Reject, Scale,
};

use crate::world::World;

/// A 95 % interval, near enough for a page that shows how intervals look.
pub(crate) fn share(hits: usize, n: usize) -> Estimate {
    if n == 0 {
        return Estimate::bare(f64::NAN);
    }
    let (p, n, z) = (hits as f64 / n as f64, n as f64, 1.96_f64);
    let (middle, scale) = (p + z * z / (2.0 * n), 1.0 + z * z / n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Estimate::within(p, ((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}

/// Rows, those predicted as it, and right ones, of each class.
pub(crate) fn counts(world: &World) -> Vec<[usize; 3]> {
    let mut counts = vec![[0; 3]; world.classes.len()];
    for row in 0..world.rows() {
        counts[world.samples.truth[row] as usize][0] += 1;
        counts[world.samples.predicted[row] as usize][1] += 1;
        counts[world.samples.truth[row] as usize][2] += usize::from(world.right(row));
    }
    counts
}

pub(crate) fn f1([support, predicted, right]: [usize; 3]) -> f64 {
    2.0 * right as f64 / (support + predicted).max(1) as f64
}

pub(crate) fn class_table(world: &World) -> ClassTable {
    let counts = counts(world);
    let column = |name: &str, of: &dyn Fn([usize; 3]) -> Estimate| Column {
        name: name.to_owned(),
        scale: Scale::Share,
        estimates: counts.iter().map(|&count| of(count)).collect(),
    };
    let around =
        |value: f64, half: f64| Estimate::within(value, (value - half).max(0.0), (value + half).min(1.0));
    ClassTable {
        support: counts.iter().map(|count| count[0] as u64).collect(),
        columns: vec![
            column("precision", &|[_, predicted, right]| share(right, predicted)),
            column("recall", &|[support, _, right]| share(right, support)),
            column("F1", &|count| around(f1(count), 0.4 / (count[0] as f64).sqrt())),
            column("AUC", &|count| around(1.0 - (1.0 - f1(count)) * 0.08, 0.02)),
            column("AP", &|count| around(f1(count).powf(0.7), 0.3 / (count[0] as f64).sqrt())),
        ],
    }
}

pub(crate) fn calibration(world: &World) -> Calibration {
    let mut rows: Vec<usize> = (0..world.rows()).collect();
    rows.sort_by(|&a, &b| world.samples.confidence[a].total_cmp(&world.samples.confidence[b]));
    let sure = |row: usize| f64::from(world.samples.confidence[row]);
    let bin = |rows: &[usize], low: f64, high: f64| Bin {
        low,
        high,
        confidence: rows.iter().map(|&row| sure(row)).sum::<f64>() / rows.len() as f64,
        accuracy: share(rows.iter().filter(|&&row| world.right(row)).count(), rows.len()),
        count: rows.len() as u64,
    };
    let equal_mass = rows
        .chunks(rows.len().div_ceil(15))
        .map(|chunk| bin(chunk, sure(chunk[0]), sure(chunk[chunk.len() - 1])))
        .collect();
    let within = |low: f64, high: f64| -> Vec<usize> {
        rows.iter().copied().filter(|&row| sure(row) > low && sure(row) <= high).collect()
    };
    let edges = |bins: usize| (0..bins).map(move |i| (i as f64 / bins as f64, (i + 1) as f64 / bins as f64));
    let equal_width = edges(15)
        .map(|(low, high)| (within(low, high), low, high))
        .filter(|(rows, ..)| !rows.is_empty())
        .map(|(rows, low, high)| bin(&rows, low, high))
        .collect();
    let split: Vec<(u64, u64)> = edges(30)
        .map(|(low, high)| {
            let (right, wrong): (Vec<usize>, Vec<usize>) =
                within(low, high).into_iter().partition(|&row| world.right(row));
            (right.len() as u64, wrong.len() as u64)
        })
        .collect();
    let (right, wrong) = split.into_iter().unzip();
    let mut reject = Reject::default();
    let (mut hits, n) = (0, rows.len());
    for (taken, &row) in rows.iter().rev().enumerate() {
        hits += usize::from(world.right(row));
        if (taken + 1) % (n / 100) == 0 {
            reject.coverage.push((taken + 1) as f32 / n as f32);
            reject.accuracy.push(hits as f32 / (taken + 1) as f32);
            reject.threshold.push(sure(row) as f32);
        }
    }
    Calibration { equal_width, equal_mass, histogram: Some(Histogram { right, wrong }), reject: Some(reject) }
}

/// Two normal distributions of scores, as far apart as the class's F1 is high.
pub(crate) fn curves(world: &World) -> Curves {
    let n = world.rows() as f64;
    let classes: Vec<ClassCurves> = counts(world)
        .into_iter()
        .enumerate()
        .map(|(class, count)| {
            let (apart, prevalence) = (1.2 + 2.6 * f1(count), count[0] as f64 / n);
            let (roc, precision_recall) = pair(apart, prevalence, f1(count));
            ClassCurves {
                class: class as u32,
                prevalence,
                roc: Some(roc),
                precision_recall: Some(precision_recall),
                threshold: None,
            }
        })
        .collect();
    let mean = 1.0 / world.classes.len() as f64;
    let (roc, precision_recall) = pair(3.2, mean, 0.84);
    Curves { macro_roc: Some(roc), macro_precision_recall: Some(precision_recall), classes, left_out: 0 }
}

fn pair(apart: f64, prevalence: f64, f1: f64) -> (Curve, Curve) {
    let area = |value| Estimate::within(value, value - 0.01, f64::min(1.0, value + 0.01));
    let mut roc =
        Curve { x: vec![0.0], y: vec![0.0], threshold: vec![1.0], area: area(1.0 - (1.0 - f1) * 0.08) };
    let mut precision = Curve { x: vec![0.0], y: vec![1.0], threshold: vec![1.0], area: area(f1.powf(0.7)) };
    for step in 0..=400 {
        let score = 4.5 - f64::from(step) * 0.025;
        let (false_rate, true_rate) = (above(score), above(score - apart));
        let probability = 1.0 / (1.0 + (-2.0 * (score - apart / 2.0)).exp());
        roc.x.push(false_rate as f32);
        roc.y.push(true_rate as f32);
        roc.threshold.push(probability as f32);
        precision.x.push(true_rate as f32);
        let taken = prevalence * true_rate + (1.0 - prevalence) * false_rate * 0.02;
        precision.y.push((prevalence * true_rate / taken.max(1e-12)) as f32);
        precision.threshold.push(probability as f32);
    }
    (roc.thinned(48), precision.thinned(48))
}

/// Part of a normal distribution that lies above `x`, to three digits.
fn above(x: f64) -> f64 {
    1.0 / (1.0 + (1.5976 * x + 0.070_565_992 * x.powi(3)).exp())
}
