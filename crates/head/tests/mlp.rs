//! The multi-layer perceptron through its public face.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Matrix;
use headstart_head::{
    ClassWeights, Epoch, Examples, Front, HeadFitError, MlpFit, MlpSettings, Optimizer, Quality, Schedule,
    Scorer, TargetScaler, Temperature, fit_mlp,
};
use sample::targets::Truth;
use std::ops::ControlFlow;
use weights::{Dense, Places};

/// Examples of a matrix that lives as long as the test.
fn examples(x: &[f32], labels: &[u32], dim: usize, classes: usize) -> Examples<'static> {
    let values = Box::leak(x.to_vec().into_boxed_slice());
    let truth = Box::leak(Box::new(Truth::Class(labels.to_vec())));
    Examples::new(Box::leak(Box::new(Matrix::new(values, dim).unwrap())), truth, classes).unwrap()
}

fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    headstart_head::quality(&Scorer::of_layers(layers), examples, &TargetScaler::of(examples))
}

/// Two interleaved rings, which no line separates.
fn rings(rows: usize) -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (0..rows).map(|row| (row % 2) as u32).collect();
    let points = (0..rows).flat_map(|row| {
        let angle = (row as f32) * 2.399_963;
        let radius = if row % 2 == 0 { 1.0 } else { 2.0 } + 0.2 * (row as f32 * 0.7).sin();
        [radius * angle.cos() + 3.0, 10.0 * radius * angle.sin()]
    });
    (points.collect(), labels)
}

const SMALL: MlpSettings = MlpSettings {
    front: Front::Hidden(24),
    epochs: 30,
    batch_size: 16,
    optimizer: Optimizer::Adam,
    learning_rate: 5e-3,
    schedule: Schedule::Constant,
    weight_decay: 0.0,
    dropout: 0.0,
    label_smoothing: 0.0,
    mixup: 0.0,
    patience: None,
    seed: 3,
    class_weights: ClassWeights::None,
    standardize: true,
};

fn train(settings: &MlpSettings, rows: usize) -> (MlpFit, Vec<Epoch>) {
    let (x, labels) = rings(rows);
    let rows = examples(&x, &labels, 2, 2);
    let mut seen = Vec::new();
    let fit = fit_mlp(&rows, Some(&rows), settings, |epoch| {
        seen.push(*epoch);
        ControlFlow::Continue(())
    })
    .unwrap();
    (fit, seen)
}

#[test]
fn learns_what_no_line_can_and_tells_every_epoch() {
    // 203 rows: the last batch is a partial one.
    let (fit, seen) = train(&SMALL, 203);
    assert_eq!(seen.len(), 30);
    assert_eq!(fit.epochs, seen);
    assert!(seen[29].train.loss < 0.5 * seen[0].train.loss, "{seen:?}");
    let val = seen[29].val.unwrap();
    assert!(val.accuracy > 0.97, "{val:?}");
    // The folded layers do on raw features what the net did on scaled ones.
    let (x, labels) = rings(203);
    let folded = quality(&fit.layers, &examples(&x, &labels, 2, 2));
    assert!((folded.loss - val.loss).abs() < 1e-5, "{folded:?} {val:?}");
    assert_eq!(folded.accuracy, val.accuracy);
}

#[test]
fn bits_follow_from_the_seed_alone() {
    let settings = MlpSettings { epochs: 3, dropout: 0.3, ..SMALL };
    let one = train(&settings, 150).0;
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| train(&settings, 150).0), one, "{threads} threads");
    }
    assert_ne!(train(&MlpSettings { seed: 4, ..settings.clone() }, 150).0, one);
    assert_ne!(train(&MlpSettings { dropout: 0.0, ..settings.clone() }, 150).0, one);
}

#[test]
fn wide_layers_give_the_same_bits_on_any_number_of_threads() {
    // Large enough that the products are split over threads.
    let (dim, rows) = (300, 96);
    let x: Vec<f32> = (0..rows * dim).map(|i| ((i * 7919) % 1009) as f32 / 500.0 - 1.0).collect();
    let labels: Vec<u32> = (0..rows).map(|row| (row % 3) as u32).collect();
    let rows = examples(&x, &labels, dim, 3);
    let settings = MlpSettings { front: Front::Hidden(512), epochs: 2, batch_size: 64, ..SMALL };
    let run = || fit_mlp(&rows, None, &settings, |_| ControlFlow::Continue(())).unwrap();
    let one = run();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(run), one, "{threads} threads");
    }
}

#[test]
fn class_weights_pull_towards_the_rare_class() {
    // The same features for all rows: only the priors can be learnt.
    let x = [1.0f32; 80];
    let labels: Vec<u32> = (0..80).map(|row| u32::from(row % 8 == 0)).collect();
    let rows = examples(&x, &labels, 1, 2);
    let settings = MlpSettings {
        front: Front::Hidden(4),
        epochs: 200,
        learning_rate: 0.02,
        standardize: false,
        ..SMALL
    };
    let gap = |class_weights| {
        let fit = fit_mlp(&rows, None, &MlpSettings { class_weights, ..settings.clone() }, |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let logits = headstart_head::logits(&fit.layers, &[1.0]);
        logits[1] - logits[0]
    };
    // ln(10 / 70) without weights, none with.
    assert!((gap(ClassWeights::None) + 1.946).abs() < 0.2, "{}", gap(ClassWeights::None));
    assert!(gap(ClassWeights::Balanced).abs() < 0.2, "{}", gap(ClassWeights::Balanced));
}

/// One of nine places has a mark, which says the class beside it; all others say classes that do not count.
fn marked(rows: usize, channels_first: bool) -> (Vec<f32>, Vec<u32>) {
    let (mut x, mut labels) = (vec![0.0; rows * 9 * 3], Vec::new());
    for row in 0..rows {
        let number = |salt: usize| (row * 7919 + salt * 104_729) % 1009;
        let (marked, class) = (number(1) % 9, number(2) % 2);
        for place in 0..9 {
            let said = if place == marked { class } else { number(place + 3) % 2 };
            let values =
                [f32::from(u8::from(place == marked)), said as f32, 5.0 + number(place + 20) as f32 / 1009.0];
            for (channel, value) in values.into_iter().enumerate() {
                let at = if channels_first { channel * 9 + place } else { place * 3 + channel };
                x[row * 27 + at] = value;
            }
        }
        labels.push(class as u32);
    }
    (x, labels)
}

#[test]
fn attention_finds_what_a_mean_loses() {
    for channels_first in [true, false] {
        let (x, labels) = marked(400, channels_first);
        let rows = examples(&x, &labels, 27, 2);
        let of = Places { channels: 3, places: 9, channels_first };
        let settings =
            MlpSettings { front: Front::Attention(1, of), epochs: 80, learning_rate: 0.05, ..SMALL };
        let run = |settings: &MlpSettings| {
            fit_mlp(&rows, Some(&rows), settings, |_| ControlFlow::Continue(())).unwrap()
        };
        let fit = run(&settings);
        let end = fit.epochs.last().unwrap().val.unwrap();
        assert!(end.accuracy > 0.98, "{end:?}");
        // The mean of nine places, eight of which say anything.
        let mean: Vec<f32> = x
            .chunks_exact(27)
            .flat_map(|row| {
                (0..3).map(|channel| (0..9).map(|place| row[of.at(place, channel)]).sum::<f32>() / 9.0)
            })
            .collect();
        let of_mean = fit_mlp(&examples(&mean, &labels, 3, 2), None, &SMALL, |_| ControlFlow::Continue(()));
        let of_mean = of_mean.unwrap().epochs.last().unwrap().train;
        assert!(of_mean.accuracy < 0.8, "{of_mean:?}");
        // What the head says of raw rows is what training saw of scaled ones: in one step that changes nothing.
        let still = MlpSettings { epochs: 1, batch_size: 400, learning_rate: 1e-30, ..settings.clone() };
        let [still] = run(&still).epochs[..] else { panic!("one epoch") };
        let (train, val) = (still.train.loss, still.val.unwrap().loss);
        assert!((train - val).abs() < 1e-6, "{train} {val}");
        let short = MlpSettings { epochs: 2, ..settings };
        let one = run(&short);
        let plain = run(&MlpSettings { standardize: false, ..short.clone() });
        assert!(plain != one && plain.epochs[1].train.loss.is_finite());
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| run(&short)), one, "{threads} threads");
        }
        let wrong = Front::Attention(1, Places { places: 8, ..of });
        let error =
            fit_mlp(&rows, None, &MlpSettings { front: wrong, ..short }, |_| ControlFlow::Continue(()));
        assert_eq!(error.unwrap_err().to_string(), "rows of 27 features, but places with 24 in all");
    }
}

/// Everything that is off by default.
fn modern() -> MlpSettings {
    MlpSettings {
        optimizer: Optimizer::AdamW,
        schedule: Schedule::Cosine,
        weight_decay: 0.05,
        label_smoothing: 0.1,
        mixup: 0.4,
        ..SMALL
    }
}

#[test]
fn every_way_of_training_learns_and_each_changes_something() {
    let sgd = MlpSettings { optimizer: Optimizer::Sgd, learning_rate: 0.05, ..SMALL };
    let ways = [
        SMALL,
        MlpSettings { optimizer: Optimizer::AdamW, weight_decay: 0.1, ..SMALL },
        MlpSettings { schedule: Schedule::Cosine, ..SMALL },
        MlpSettings { schedule: Schedule::OneCycle, ..SMALL },
        MlpSettings { label_smoothing: 0.1, ..SMALL },
        MlpSettings { mixup: 0.2, ..SMALL },
        MlpSettings { weight_decay: 0.01, ..sgd.clone() },
        sgd,
        modern(),
    ];
    let fits: Vec<MlpFit> = ways.iter().map(|settings| train(settings, 200).0).collect();
    for (fit, settings) in fits.iter().zip(&ways) {
        let val = fit.epochs[29].val.unwrap();
        assert!(val.accuracy > 0.9 && fit.kept == 30, "{settings:?}: {val:?}");
        assert_eq!(fits.iter().filter(|other| *other == fit).count(), 1, "{settings:?}");
    }
    let one = train(&modern(), 200).0;
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| train(&modern(), 200).0), one, "{threads} threads");
    }
    assert_ne!(train(&MlpSettings { seed: 4, ..modern() }, 200).0, one);
}

#[test]
fn decay_makes_weights_smaller_and_smoothing_makes_logits_smaller() {
    let norm = |settings: &MlpSettings| -> f32 {
        train(settings, 200).0.layers.iter().flat_map(|layer| &layer.weight).map(|w| w * w).sum()
    };
    let plain = norm(&SMALL);
    assert!(norm(&MlpSettings { optimizer: Optimizer::AdamW, weight_decay: 1.0, ..SMALL }) < 0.8 * plain);
    let certain = |label_smoothing: f64| -> f64 {
        train(&MlpSettings { label_smoothing, ..SMALL }, 200).0.epochs[29].val.unwrap().loss
    };
    assert!(certain(0.3) > certain(0.0));
}

#[test]
fn patience_keeps_the_best_epoch_and_a_request_ends_the_run() {
    let (x, labels) = rings(60);
    let mut wrong = labels.clone();
    // A fifth of the labels lie: what is learnt by heart is wrong elsewhere.
    (0..60).step_by(5).for_each(|row| wrong[row] = 1 - wrong[row]);
    let (other_x, other_labels) = rings(301);
    let (rows, val) = (examples(&x, &wrong, 2, 2), examples(&other_x, &other_labels, 2, 2));
    let settings = MlpSettings {
        epochs: 400,
        learning_rate: 0.02,
        front: Front::Hidden(64),
        patience: Some(7),
        ..SMALL
    };
    let fit = fit_mlp(&rows, Some(&val), &settings, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(fit.epochs.len(), fit.kept + 7);
    let losses: Vec<f64> = fit.epochs.iter().map(|epoch| epoch.val.unwrap().loss).collect();
    assert!(losses.iter().all(|loss| *loss >= losses[fit.kept - 1]), "{losses:?}");
    assert_eq!(quality(&fit.layers, &val).loss, losses[fit.kept - 1]);
    let temperature = Temperature::of(&Scorer::of_layers(&fit.layers), &val);
    assert!((temperature.before - losses[fit.kept - 1]).abs() < 1e-6);
    assert!(temperature.after < temperature.before);

    let until = |last: usize| {
        move |epoch: &Epoch| {
            if epoch.epoch == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    let stopped = fit_mlp(&rows, None, &SMALL, until(3)).unwrap();
    assert_eq!((stopped.kept, stopped.epochs.len()), (3, 3));
    assert_eq!(fit_mlp(&rows, None, &MlpSettings { epochs: 3, ..SMALL }, until(9)).unwrap(), stopped);
    let error = fit_mlp(&rows, None, &settings, until(9)).unwrap_err();
    assert!(matches!(error, HeadFitError::NothingHeldOut));
}

#[test]
fn attention_says_labels_and_numbers_and_takes_patience() {
    let (x, classes) = marked(300, true);
    let matrix = Matrix::new(&x, 27).unwrap();
    let front = Front::Attention(2, Places { channels: 3, places: 9, channels_first: true });
    let settings = MlpSettings { front, epochs: 60, learning_rate: 0.05, patience: Some(20), ..SMALL };
    let go_on = |_: &Epoch| ControlFlow::Continue(());
    let values =
        |scale: f64| classes.iter().flat_map(|class| [scale * f64::from(*class), 0.0, 1.0]).collect();
    let mut labels: Vec<f64> = values(1.0);
    // Of each label some.
    labels[1] = 1.0;
    labels[2] = 0.0;
    for (truth, most) in [(Truth::Labels(labels), 0.2), (Truth::Numbers(values(1e6)), 0.3)] {
        let rows = Examples::new(&matrix, &truth, 3).unwrap();
        let fit = fit_mlp(&rows, Some(&rows), &settings, go_on).unwrap();
        let best = fit.epochs[fit.kept - 1].val.unwrap();
        assert!(best.loss < most, "{:?}: {best:?}", rows.task());
        assert!(fit.epochs.iter().all(|epoch| epoch.val.unwrap().loss >= best.loss));
    }
    // A channel so narrow that queries of raw features leave the range of numbers.
    let narrow: Vec<f32> = x.iter().map(|value| value * 1e-38).collect();
    let wild = MlpSettings { learning_rate: 3.0, epochs: 3, ..settings };
    match fit_mlp(&examples(&narrow, &classes, 27, 2), None, &MlpSettings { patience: None, ..wild }, go_on) {
        Ok(fit) => assert!(fit.pool.unwrap().queries.iter().all(|query| query.is_finite())),
        Err(error) => assert!(matches!(error, HeadFitError::Unbounded), "{error}"),
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let (x, labels) = rings(20);
    let rows = examples(&x, &labels, 2, 2);
    for (name, settings) in [
        ("hidden units", MlpSettings { front: Front::Hidden(0), ..SMALL }),
        ("epochs", MlpSettings { epochs: 0, ..SMALL }),
        ("batch size", MlpSettings { batch_size: 0, ..SMALL }),
        ("learning rate", MlpSettings { learning_rate: 0.0, ..SMALL }),
        ("dropout", MlpSettings { dropout: 1.0, ..SMALL }),
        ("weight decay", MlpSettings { weight_decay: -1.0, ..SMALL }),
        ("label smoothing", MlpSettings { label_smoothing: 1.0, ..SMALL }),
        ("mixup", MlpSettings { mixup: f64::NAN, ..SMALL }),
        ("patience", MlpSettings { patience: Some(0), ..SMALL }),
    ] {
        let error = fit_mlp(&rows, None, &settings, |_| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(error, HeadFitError::Setting { name: got, .. } if got == name), "{error}");
    }
    let wild = MlpSettings { learning_rate: 1e30, ..SMALL };
    assert!(matches!(
        fit_mlp(&rows, None, &wild, |_| ControlFlow::Continue(())),
        Err(HeadFitError::Diverged { .. })
    ));
}
