//! Made-up learning curve, sweep and slices.

use report::{Estimate, Learning, LearningMetric, Scale, Slice, Slices, Sweep};

use crate::{
    measures::share,
    world::{Chance, World},
};

pub(crate) fn learning(world: &World) -> Learning {
    let fractions = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
    let n = world.rows() as f64 * 4.0;
    let series = |of: &dyn Fn(f64) -> (f64, f64)| -> Vec<Estimate> {
        let estimate = |fraction: &f64| {
            let (value, half) = of(*fraction);
            Estimate::within(value, value - half, value + half)
        };
        fractions.iter().map(estimate).collect()
    };
    Learning {
        rows: fractions.iter().map(|fraction| (fraction * n) as u64).collect(),
        fractions: fractions.to_vec(),
        metrics: vec![
            LearningMetric {
                name: "accuracy".to_owned(),
                scale: Scale::Share,
                train: series(&|f| (0.86 + 0.14 * (-4.0 * f).exp(), 0.0)),
                held_out: series(&|f| (0.83 - 0.06 / f.powf(0.42), 0.012)),
            },
            LearningMetric {
                name: "log loss".to_owned(),
                scale: Scale::Loss,
                train: series(&|f| (0.5 - 0.45 * (-4.0 * f).exp(), 0.0)),
                held_out: series(&|f| (0.52 + 0.17 / f.powf(0.5), 0.03)),
            },
        ],
    }
}

pub(crate) fn sweep() -> Sweep {
    let values: Vec<f64> = std::iter::once(0.0).chain((-6..=1).map(|power| 10_f64.powi(power))).collect();
    let powers: Vec<f64> = (-7..=1).map(f64::from).collect();
    let held = |p: &f64| {
        Estimate::within(
            0.55 + 0.035 * (p + 3.2).powi(2),
            0.53 + 0.035 * (p + 3.2).powi(2),
            0.57 + 0.035 * (p + 3.2).powi(2),
        )
    };
    Sweep {
        parameter: "weight_decay".to_owned(),
        metric: "log loss".to_owned(),
        scale: Scale::Loss,
        train: powers.iter().map(|p| Estimate::bare(0.08 + 0.9 / (1.0 + (-1.1 * (p + 1.0)).exp()))).collect(),
        held_out: powers.iter().map(held).collect(),
        values,
        chosen: 4,
    }
}

pub(crate) fn slices(world: &World) -> Slices {
    let mut chance = Chance::new(11);
    let n = world.rows();
    let right = (0..n).filter(|&row| world.right(row)).count();
    let part = right as f64 / n as f64;
    let cuts = [
        ("brightness", "dark", 0.15, -0.09),
        ("brightness", "ordinary", 0.7, 0.01),
        ("brightness", "bright", 0.15, 0.0),
        ("shorter side", "below 224 px", 0.12, -0.12),
        ("shorter side", "224 to 512 px", 0.5, 0.0),
        ("shorter side", "above 512 px", 0.38, 0.03),
        ("colour", "grey", 0.04, -0.15),
        ("colour", "colour", 0.96, 0.006),
        ("format", "JPEG", 0.93, 0.0),
        ("format", "PNG", 0.07, 0.02),
    ];
    let slices = cuts.iter().map(|&(attribute, value, of_all, shift): &(&str, &str, f64, f64)| {
        let rows = (n as f64 * of_all) as usize;
        let hits =
            |base: f64| (rows as f64 * (base + shift + 0.005 * chance.part()).clamp(0.0, 1.0)) as usize;
        let (top_1, top_5) = {
            let mut hits = hits;
            (hits(part), hits(0.5 + part / 2.0))
        };
        Slice {
            attribute: attribute.to_owned(),
            value: value.to_owned(),
            rows: rows as u64,
            estimates: vec![share(top_1, rows), share(top_5, rows)],
        }
    });
    Slices {
        slices: slices.collect(),
        metrics: vec!["accuracy".to_owned(), "top-5".to_owned()],
        scales: vec![Scale::Share; 2],
        overall: vec![share(right, n), share((n + right) / 2, n)],
    }
}
