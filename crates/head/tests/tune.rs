//! Training the upper part of a network on.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Matrix;
use headstart_head::{Epoch, Examples, HeadFitError, TuneFit, TuneSettings, tune};
use network::{Builder, Conv, Param, Shape};
use sample::targets::Truth;
use std::ops::ControlFlow;
use weights::{Bound, Tensor};

const MAP: Shape = Shape::Map { channels: 2, height: 5, width: 5 };

fn noise(at: usize) -> f32 {
    let mut z = (at as u64).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 32)) >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// Two spots in the same channel: side by side in class 1, apart in class 0. No mean of channels tells them.
fn spots(rows: usize, seed: usize) -> (Vec<f32>, Vec<u32>) {
    let mut x: Vec<f32> = (0..rows * 50).map(|at| 0.2 * noise(at + seed * 1_000_003)).collect();
    let labels: Vec<u32> = (0..rows).map(|row| (row % 2) as u32).collect();
    for (row, x) in x.chunks_exact_mut(50).enumerate() {
        let at = (noise(row * 7 + seed) * 0.5 + 0.5) * 19.0;
        let first = at as usize / 4 * 5 + at as usize % 4;
        let second = if row % 2 == 1 { first + 1 } else { (first + 12) % 25 };
        x[first] += 2.0;
        x[second] += 2.0;
    }
    (x, labels)
}

/// A convolution, a batch norm, the mean and a layer, filled by a formula.
fn start(outputs: usize) -> Bound {
    let mut net = Builder::given(MAP);
    let x = net.input();
    let x = net.conv("layer4.conv", x, Conv::new(16, 3));
    let x = net.batch_norm("layer4.norm", x);
    let x = net.relu("layer4.relu", x);
    let x = net.global_average_pool("mean", x);
    let x = net.linear("head.0", x, outputs);
    Bound::from_tensors(net.finish("upper", x), "a formula", |param| {
        let data = (0..param.len()).map(|at| match param.name.as_str() {
            "layer4.norm.running_var" | "layer4.norm.weight" => 1.0,
            name if name.ends_with("weight") => 0.3 * noise(at + name.len() * 7919),
            _ => 0.0,
        });
        Some(Tensor { shape: param.shape.clone(), data: data.collect() })
    })
    .unwrap()
}

fn settings() -> TuneSettings {
    TuneSettings { epochs: 12, batch_size: 16, learning_rate: 0.02, ..TuneSettings::default() }
}

fn examples(x: &[f32], truth: Truth, outputs: usize) -> Examples<'static> {
    let values = Box::leak(x.to_vec().into_boxed_slice());
    let matrix = Box::leak(Box::new(Matrix::new(values, 50).unwrap()));
    Examples::new(matrix, Box::leak(Box::new(truth)), outputs).unwrap()
}

fn run(learns: &dyn Fn(&Param) -> bool, settings: &TuneSettings) -> TuneFit {
    let ((x, labels), (other, others)) = (spots(300, 1), spots(120, 2));
    let (rows, val) = (examples(&x, Truth::Class(labels), 2), examples(&other, Truth::Class(others), 2));
    tune(&rows, Some(&val), &start(2), learns, settings, |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn blocks_learn_what_a_head_cannot() {
    let all = run(&|_| true, &settings());
    let head = run(&|param| param.name.starts_with("head"), &settings());
    let accuracy = |fit: &TuneFit| fit.after.unwrap().accuracy;
    assert!(accuracy(&all) > 0.95, "{:?}", all.after);
    assert!(accuracy(&head) < 0.85, "{:?}", head.after);
    assert!(all.after.unwrap().loss <= all.epochs[all.kept - 1].val.unwrap().loss);
    // What is frozen did not move, nor did statistics.
    for (fit, frozen) in [(&head, "layer4"), (&all, "layer4.norm.running")] {
        for ((param, now), (_, then)) in fit.graph.tensors().zip(start(2).tensors()) {
            assert_eq!(now == then, param.name.starts_with(frozen), "{}", param.name);
        }
    }
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(&|_| true, &settings())), all, "{threads} threads");
    }
    assert_ne!(run(&|_| true, &TuneSettings { seed: 1, ..settings() }), all);
    // Lower blocks go slower.
    let slow = run(&|_| true, &TuneSettings { layer_decay: 0.01, epochs: 1, ..settings() });
    let moved = |fit: &TuneFit, name: &str| -> f32 {
        let begun = start(2);
        let id = |bound: &Bound| bound.network().param_named(name).unwrap();
        let pairs = fit.graph.tensor(id(&fit.graph)).data.iter().zip(&begun.tensor(id(&begun)).data);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(moved(&slow, "layer4.conv.weight") < 0.05 * moved(&slow, "head.0.weight"));
}

#[test]
fn labels_and_numbers_are_learnt_and_what_helps_nobody_is_not_kept() {
    let (x, labels) = spots(300, 1);
    let go_on = |_: &Epoch| ControlFlow::Continue(());
    let of = |scale: f64, shift: f64| {
        labels
            .iter()
            .flat_map(|label| [f64::from(*label), 1.0 - f64::from(*label)].map(|y| scale * y + shift))
            .collect()
    };
    for truth in [Truth::Labels(of(1.0, 0.0)), Truth::Numbers(of(3.0, 1.0))] {
        let rows = examples(&x, truth, 2);
        let fit = tune(&rows, Some(&rows), &start(2), &|_| true, &settings(), go_on).unwrap();
        let (before, after) = (fit.before.unwrap().loss, fit.after.unwrap().loss);
        assert!(after < 0.3 * before, "{before} {after}");
    }
    // Held-out rows that say the opposite.
    let wrong = labels.iter().map(|label| 1 - label).collect();
    let (rows, val) = (examples(&x, Truth::Class(labels), 2), examples(&x, Truth::Class(wrong), 2));
    let quick = TuneSettings { learning_rate: 0.1, patience: Some(2), ..settings() };
    let fit = tune(&rows, Some(&val), &start(2), &|_| true, &quick, go_on).unwrap();
    assert_eq!((fit.kept, fit.share, fit.epochs.len()), (0, 1.0, 2));
    assert_eq!((fit.graph, fit.after), (start(2), fit.before));
    // Without held-out rows the last epoch; asked to stop, the one at hand.
    let stop =
        |epoch: &Epoch| if epoch.epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let fit = tune(&rows, None, &start(2), &|_| true, &settings(), stop).unwrap();
    assert_eq!((fit.kept, fit.epochs.len(), fit.after), (3, 3, None));
}

#[test]
fn settings_out_of_range_and_rows_that_do_not_fit_are_refused() {
    let (x, labels) = spots(20, 1);
    let rows = examples(&x, Truth::Class(labels), 2);
    let go_on = |_: &Epoch| ControlFlow::Continue(());
    for (name, settings) in [
        ("epochs", TuneSettings { epochs: 0, ..settings() }),
        ("batch size", TuneSettings { batch_size: 0, ..settings() }),
        ("learning rate", TuneSettings { learning_rate: f64::NAN, ..settings() }),
        ("layer decay", TuneSettings { layer_decay: 0.0, ..settings() }),
        ("weight decay", TuneSettings { weight_decay: -1.0, ..settings() }),
        ("warm-up", TuneSettings { warm_up: 1.0, ..settings() }),
        ("patience", TuneSettings { patience: Some(0), ..settings() }),
    ] {
        let error = tune(&rows, None, &start(2), &|_| true, &settings, go_on).unwrap_err();
        assert!(matches!(error, HeadFitError::Setting { name: got, .. } if got == name), "{error}");
    }
    let wild = TuneSettings { learning_rate: 1e30, ..settings() };
    let error = tune(&rows, None, &start(2), &|_| true, &wild, go_on).unwrap_err();
    assert!(matches!(error, HeadFitError::Diverged { .. } | HeadFitError::Unbounded), "{error}");
    let error = tune(&rows, None, &start(3), &|_| true, &settings(), go_on).unwrap_err();
    assert_eq!(error.to_string(), "upper gives [3] numbers, expected [2]");
}
