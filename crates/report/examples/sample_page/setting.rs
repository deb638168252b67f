//! The page that a made-up world comes to.

use std::collections::BTreeMap;

use report::{
    Baseline, Confusion, Difference, Duplicate, Estimate, Exhibit, Figure, LineageEntry, LineageGroup, Map,
    Mislabel, Mistake, Outputs, Page, Scale, Summary, Verdict, Warning,
};

use crate::{drawing, fits, measures, world::World};

pub(crate) fn page(world: &World) -> Page {
    let pictured = world.classes.len() <= 10;
    let mut wrong: Vec<usize> = (0..world.rows()).filter(|&row| !world.right(row)).collect();
    wrong.sort_by(|&a, &b| world.samples.confidence[b].total_cmp(&world.samples.confidence[a]));
    let shown = wrong.iter().take(120);
    Page {
        summary: summary(world, wrong.len()),
        classes: world.classes.clone(),
        outputs: Outputs::Class,
        samples: Some(world.samples.clone()),
        values: None,
        texts: BTreeMap::new(),
        thumbnails: if pictured { thumbnails(world) } else { BTreeMap::new() },
        confusion: Some(Confusion::of(&world.samples)),
        calibration: Some(measures::calibration(world)),
        curves: Some(measures::curves(world)),
        class_table: Some(measures::class_table(world)),
        learning: Some(fits::learning(world)),
        sweep: Some(fits::sweep()),
        mistakes: shown.clone().map(|&row| mistake(world, row)).collect(),
        mislabels: shown.skip(3).step_by(4).enumerate().map(|(i, &row)| mislabel(world, row, i)).collect(),
        duplicates: (0..9).map(|i| duplicate(world, i)).collect(),
        map: Some(Map {
            method: "First two principal components; axes have the features' unit".to_owned(),
            rows: Vec::new(),
            x: world.places.iter().map(|place| place.0).collect(),
            y: world.places.iter().map(|place| place.1).collect(),
        }),
        slices: Some(fits::slices(world)),
        lineage: lineage(),
    }
}

fn summary(world: &World, wrong: usize) -> Summary {
    let n = world.rows();
    let counts = measures::counts(world);
    let macro_f1 = counts.iter().map(|&count| measures::f1(count)).sum::<f64>() / counts.len() as f64;
    let around = |value: f64, half: f64| Estimate::within(value, value - half, value + half);
    let accuracy = measures::share(n - wrong, n);
    let unit = 1.0 / (n as f64).sqrt();
    let figures = [
        ("accuracy", accuracy, Scale::Share),
        ("balanced accuracy", around(accuracy.value - 0.003, unit * 0.8), Scale::Share),
        ("macro F1", around(macro_f1, unit * 0.8), Scale::Share),
        ("top-5 accuracy", measures::share(n - wrong / 4, n), Scale::Share),
        ("macro AUC", around(0.9871, unit * 0.1), Scale::Share),
        ("macro AP", around(0.8712, unit * 0.5), Scale::Share),
        ("Cohen's kappa", around(accuracy.value - 0.02, unit * 0.9), Scale::Correlation),
        ("Matthews' coefficient", around(accuracy.value - 0.019, unit * 0.9), Scale::Correlation),
        ("log loss (nats)", around(0.6213, unit * 2.0), Scale::Loss),
        ("Brier score", around(0.2471, unit * 0.8), Scale::Loss),
        ("ECE (15 bins)", around(0.0317, unit * 0.2), Scale::Loss),
    ]
    .map(|(name, estimate, scale)| Figure { name: name.to_owned(), estimate, scale });
    let shifts = [0.021, 0.019, 0.024, 0.004, 0.0011, 0.018, 0.022, 0.021, -0.058, -0.031, 0.002];
    let difference = |(figure, shift): (&Figure, f64)| Difference {
        name: figure.name.clone(),
        value: figure.estimate.value,
        baseline: figure.estimate.value - shift,
        difference: around(shift, 0.2 * unit + 0.002),
        scale: figure.scale,
    };
    Summary {
        title: "Logistic regression on ResNet-50 features".to_owned(),
        features: Some("resnet50.a1_in1k, tap pooled, 2,048 numbers a sample".to_owned()),
        split: "val".to_owned(),
        rows: n as u64,
        baseline: Some(Baseline {
            name: "nearest class mean".to_owned(),
            verdict: Verdict::Better,
            reason:
                "Of the rows that only one of the two has right, 1,312 are this head's and 845 the other's \
                (McNemar's exact test, p < 0.0001)."
                    .to_owned(),
            differences: figures.iter().zip(shifts).map(difference).collect(),
        }),
        figures: figures.to_vec(),
        warnings: vec![
            Warning {
                title: "9 rows have a near-twin among those that the head was fitted on.".to_owned(),
                text: "Without them accuracy would be 0.0012 lower.".to_owned(),
            },
            Warning {
                title: "Labels follow the file's size.".to_owned(),
                text: "Width and height alone give 0.31 accuracy, chance 0.10: perhaps classes were \
                    gathered from different sources."
                    .to_owned(),
            },
        ],
    }
}

fn thumbnails(world: &World) -> BTreeMap<String, String> {
    (0..world.rows()).map(|row| (world.samples.ids[row].clone(), drawing::thumbnail(world, row))).collect()
}

fn exhibit(world: &World, row: usize) -> Exhibit {
    Exhibit {
        id: world.samples.ids[row].clone(),
        truth: world.classes[world.samples.truth[row] as usize].clone(),
        split: None,
    }
}

fn mistake(world: &World, row: usize) -> Mistake {
    Mistake {
        sample: exhibit(world, row),
        predicted: world.classes[world.samples.predicted[row] as usize].clone(),
        score: world.samples.confidence[row].into(),
    }
}

fn mislabel(world: &World, row: usize, place: usize) -> Mislabel {
    let sample = Exhibit { split: Some("train".to_owned()), ..exhibit(world, row) };
    Mislabel {
        sample,
        suggested: world.classes[world.samples.predicted[row] as usize].clone(),
        score: 0.98 - 0.02 * place as f64,
    }
}

fn duplicate(world: &World, place: usize) -> Duplicate {
    let (left, right) = (place * world.rows() / 11, place * world.rows() / 11 + 3);
    let other = Exhibit { split: Some("train".to_owned()), ..exhibit(world, right) };
    Duplicate { left: exhibit(world, left), right: other, similarity: 0.9998 - 0.0011 * place as f64 }
}

fn lineage() -> Vec<LineageGroup> {
    let digest = "b3:5f1d0c6ab97e4f1d8a30f4f2c1e69b7710d8a1c0e2b45f6679a4d3c2b1a09f8e";
    let groups = [
        ("Data", vec![("data set", digest), ("rows fitted", "400,000"), ("rows judged", "100,000")]),
        (
            "Features",
            vec![
                ("network", "resnet50"),
                ("weights", digest),
                ("tap", "pooled"),
                (
                    "preprocessing",
                    "shorter side 235, bicubic, centre 224 × 224, ImageNet's mean and deviation",
                ),
                ("engine", "7"),
            ],
        ),
        (
            "Fit",
            vec![
                ("kind", "logistic"),
                ("weight_decay", "1e-3"),
                ("iterations", "143, converged"),
                ("seed", "0"),
                ("head", digest),
            ],
        ),
    ];
    let entry = |(key, value): (&str, &str)| LineageEntry { key: key.to_owned(), value: value.to_owned() };
    groups
        .into_iter()
        .map(|(title, entries)| LineageGroup {
            title: title.to_owned(),
            entries: entries.into_iter().map(entry).collect(),
        })
        .collect()
}
