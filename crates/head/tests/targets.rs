//! Heads of several labels a row, and of numbers, through their public face.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use std::ops::ControlFlow;

use features::Matrix;
use headstart_head::{
    Candidate, ClassWeights, ClosedForm, ClosedProblem, Examples, Folds, Front, HeadFitError, HeldOut,
    LinearProblem, LinearSettings, MlpSettings, Quality, Scorer, TargetScaler, Temperature, fit_mlp, logits,
};
use sample::targets::Truth;
use weights::Dense;

const TIGHT: LinearSettings = LinearSettings {
    class_weights: ClassWeights::None,
    standardize: true,
    tolerance: 1e-7,
    max_iterations: 5000,
};

/// Uniform in [-1, 1).
fn noise(i: usize) -> f64 {
    ((i as u64).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33) as f64
        / f64::from(1u32 << 30)
        - 1.0
}

/// n rows of columns of very different scale and offset.
fn features(n: usize, dim: usize) -> Vec<f32> {
    let value = |i: usize| noise(i * 31 + 7) * 10f64.powi((i % dim % 4) as i32 - 1) + (i % dim) as f64;
    (0..n * dim).map(|i| value(i) as f32).collect()
}

/// Numbers that follow from the features, with noise: (n, outputs), of scales 1, 10, …
fn numbers(x: &[f32], dim: usize, outputs: usize) -> Vec<f64> {
    let of = |(row, x): (usize, &[f32])| -> Vec<f64> {
        let sum = |output: usize| -> f64 {
            let terms = x.iter().enumerate().map(|(at, &x)| {
                let scale = 10f64.powi((at % 4) as i32 - 1);
                noise(at * 13 + output) * (f64::from(x) - at as f64) / scale
            });
            terms.sum::<f64>() + 0.5 * noise(row * 3 + output * 1009) + 100.0
        };
        (0..outputs).map(|output| sum(output) * 10f64.powi(output as i32)).collect()
    };
    x.chunks_exact(dim).enumerate().flat_map(of).collect()
}

/// Whether each number is above its column's middle value.
fn labels(values: &[f64], outputs: usize) -> Vec<f64> {
    let middle = |output: usize| {
        let mut column: Vec<f64> = values.iter().skip(output).step_by(outputs).copied().collect();
        column.sort_by(f64::total_cmp);
        column[column.len() / 2]
    };
    let middles: Vec<f64> = (0..outputs).map(middle).collect();
    values.iter().enumerate().map(|(at, &y)| f64::from(u8::from(y > middles[at % outputs]))).collect()
}

fn ridge<'a>(examples: &Examples<'a>, standardize: bool) -> Result<ClosedProblem<'a>, HeadFitError> {
    ClosedProblem::new(examples, ClosedForm::Ridge, &ClassWeights::None, standardize)
}

fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    headstart_head::quality(&Scorer::of_layers(layers), examples, &TargetScaler::of(examples))
}

fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

#[test]
fn one_label_is_two_classes() {
    let (n, dim) = (300, 8);
    let x = features(n, dim);
    let matrix = Matrix::new(&x, dim).unwrap();
    let truth = Truth::Labels(labels(&numbers(&x, dim, 3), 3));
    let all = Examples::new(&matrix, &truth, 3).unwrap();
    for l2 in [0.1, 10.0] {
        let got = LinearProblem::new(&all, &TIGHT).unwrap().fit(l2, None).unwrap();
        assert!(got.converged, "{got:?}");
        let mut objective = 0.0;
        for label in 0..3 {
            let classes = truth.values().iter().skip(label).step_by(3).map(|&y| y as u32).collect();
            let classes = Truth::Class(classes);
            let examples = Examples::new(&matrix, &classes, 2).unwrap();
            let alone = LinearProblem::new(&examples, &TIGHT).unwrap().fit(l2, None).unwrap();
            objective += alone.objective;
            let apart = |values: &[f32], width: usize| -> Vec<f32> {
                (0..width).map(|at| values[width + at] - values[at]).collect()
            };
            let expected = apart(&alone.layer.weight, dim);
            for (got, expected) in got.layer.weight[label * dim..][..dim].iter().zip(&expected) {
                assert!((got - expected).abs() < 2e-3 * expected.abs().max(0.01), "{got}, {expected}");
            }
            let bias = apart(&alone.layer.bias, 1)[0];
            assert!((got.layer.bias[label] - bias).abs() < 1e-2, "{} {bias}", got.layer.bias[label]);
        }
        assert!((got.objective - objective).abs() < 1e-6 * objective, "{} {objective}", got.objective);
    }
}

#[test]
fn labels_are_chosen_by_their_loss_and_calibrated() {
    let (n, dim) = (400, 12);
    let x = features(n, dim);
    let matrix = Matrix::new(&x, dim).unwrap();
    let truth = Truth::Labels(labels(&numbers(&x, dim, 4), 4));
    let targets = Examples::new(&matrix, &truth, 4).unwrap();
    let folds = Folds::stratified(&vec![0; n], 1, 5, 0).unwrap();
    let run = || {
        let problem = LinearProblem::new(&targets, &LinearSettings::default()).unwrap();
        let go_on = |_: &Candidate| ControlFlow::Continue(());
        let sweep = problem.sweep(&[1e4, 10.0, 1.0, 1e-3], HeldOut::Folds(&folds), false, go_on).unwrap();
        let temperature = problem.temperature(&sweep, HeldOut::Folds(&folds));
        (problem.finish(&sweep).unwrap(), sweep.candidates, temperature)
    };
    let (fit, candidates, temperature) = run();
    let losses: Vec<f64> = candidates.iter().map(|candidate| candidate.held_out.loss).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(candidates.iter().find(|c| c.strength == fit.l2).unwrap().held_out.loss, least);
    // Before calibration it is what the candidate lost.
    assert!((temperature.before - least).abs() < 1e-4 && temperature.after <= temperature.before);
    let quality = quality(std::slice::from_ref(&fit.layer), &targets);
    assert!(quality.accuracy > 0.8 && quality.loss < 0.5, "{quality:?}");
    // Rows of their own: the rows themselves, which all fits have seen.
    let problem = LinearProblem::new(&targets, &LinearSettings::default()).unwrap();
    let go_on = |_: &Candidate| ControlFlow::Continue(());
    let own = problem.sweep(&[fit.l2], HeldOut::Rows(targets), false, go_on).unwrap();
    assert!((own.candidates[0].held_out.loss - own.candidates[0].train.loss).abs() < 1e-9);
    for threads in [1, 2, 3] {
        let again = on_threads(threads, run);
        assert!(again.0 == fit && again.1 == candidates && again.2 == temperature, "{threads} threads");
    }
}

/// Ridge regression by its normal equations, solved by elimination: weights and bias of raw features.
fn plain_ridge(x: &[f32], y: &[f64], dim: usize, l2: f64) -> (Vec<f64>, f64) {
    let n = y.len() as f64;
    let column = |at: usize| x.iter().skip(at).step_by(dim).map(|&v| f64::from(v));
    let means: Vec<f64> = (0..dim).map(|at| column(at).sum::<f64>() / n).collect();
    let spread = |at: usize| (column(at).map(|v| (v - means[at]).powi(2)).sum::<f64>() / n).sqrt();
    let spreads: Vec<f64> = (0..dim).map(spread).collect();
    let scaled: Vec<Vec<f64>> = x
        .chunks_exact(dim)
        .map(|row| (0..dim).map(|at| (f64::from(row[at]) - means[at]) / spreads[at]).collect())
        .collect();
    let mean = y.iter().sum::<f64>() / n;
    let mut system: Vec<Vec<f64>> = (0..dim)
        .map(|i| {
            let mut row: Vec<f64> =
                (0..dim).map(|j| scaled.iter().map(|row| row[i] * row[j]).sum::<f64>()).collect();
            row[i] += l2;
            row.push(scaled.iter().zip(y).map(|(row, y)| row[i] * (y - mean)).sum());
            row
        })
        .collect();
    for pivot in 0..dim {
        let own = system[pivot].clone();
        for (at, row) in system.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = row[pivot] / own[pivot];
            assert!(factor.is_finite(), "{at}");
            row.iter_mut().zip(&own).for_each(|(value, own)| *value -= factor * own);
        }
    }
    let weight: Vec<f64> = (0..dim).map(|at| system[at][dim] / system[at][at] / spreads[at]).collect();
    let bias = mean - weight.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>();
    (weight, bias)
}

#[test]
fn ridge_of_numbers_solves_its_normal_equations() {
    // More rows than features, and fewer, where it is solved in the rows' own base.
    for (n, dim) in [(120, 7), (20, 40)] {
        let x = features(n, dim);
        let matrix = Matrix::new(&x, dim).unwrap();
        let values = numbers(&x, dim, 2);
        let truth = Truth::Numbers(values.clone());
        let targets = Examples::new(&matrix, &truth, 2).unwrap();
        let problem = ridge(&targets, true).unwrap();
        for l2 in [0.5, 50.0] {
            let layer = problem.fit(l2).unwrap();
            let said = logits(&[layer], &x);
            for output in 0..2 {
                let y: Vec<f64> = values.iter().skip(output).step_by(2).copied().collect();
                let (weight, bias) = plain_ridge(&x, &y, dim, l2);
                let scale = 10f64.powi(output as i32);
                for (row, got) in x.chunks_exact(dim).zip(said.iter().skip(output).step_by(2)) {
                    let expected: f64 =
                        bias + row.iter().zip(&weight).map(|(&x, w)| f64::from(x) * w).sum::<f64>();
                    assert!((f64::from(*got) - expected).abs() < 1e-3 * scale, "{got}, {expected}");
                }
            }
        }
    }
}

#[test]
fn held_out_rows_of_ridge_are_judged_by_fits_without_them() {
    let (n, dim) = (150, 6);
    let x = features(n, dim);
    let matrix = Matrix::new(&x, dim).unwrap();
    let values = numbers(&x, dim, 1);
    let truth = Truth::Numbers(values.clone());
    let targets = Examples::new(&matrix, &truth, 1).unwrap();
    let folds = Folds::stratified(&vec![0; n], 1, 3, 4).unwrap();
    let run = || {
        let problem = ridge(&targets, false).unwrap();
        problem.sweep(&[1e5, 1.0, 1e-3], HeldOut::Folds(&folds)).unwrap().candidates
    };
    let candidates = run();
    // As put over all rows; each fold's fit by itself, of the very numbers.
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n as f64;
    for candidate in &candidates {
        let mut squares = 0.0;
        for fold in 0..3 {
            let is_out = |row: &usize| folds.of(*row) == Some(fold);
            let part = |out: bool| -> (Vec<f32>, Vec<f64>) {
                let rows: Vec<usize> = (0..n).filter(|row| is_out(row) == out).collect();
                let x = rows.iter().flat_map(|row| &x[row * dim..][..dim]).copied().collect();
                (x, rows.iter().map(|&row| values[row]).collect())
            };
            let ((x, y), (out_x, out_y)) = (part(false), part(true));
            let matrix = Matrix::new(&x, dim).unwrap();
            let y = Truth::Numbers(y);
            let own = Examples::new(&matrix, &y, 1).unwrap();
            let layer = ridge(&own, false).unwrap().fit(candidate.strength).unwrap();
            let said = logits(&[layer], &out_x);
            squares += said.iter().zip(&out_y).map(|(&s, y)| (f64::from(s) - y).powi(2)).sum::<f64>();
        }
        let expected = squares / n as f64 / variance;
        assert!((candidate.held_out.loss - expected).abs() < 1e-3 * expected, "{candidate:?}, {expected}");
    }
    for threads in [1, 3] {
        assert_eq!(on_threads(threads, run), candidates, "{threads} threads");
    }
}

#[test]
fn ridge_of_labels_wants_its_temperature() {
    let (n, dim) = (300, 10);
    let x = features(n, dim);
    let matrix = Matrix::new(&x, dim).unwrap();
    let truth = Truth::Labels(labels(&numbers(&x, dim, 2), 2));
    let targets = Examples::new(&matrix, &truth, 2).unwrap();
    let problem = ridge(&targets, true).unwrap();
    let folds = Folds::stratified(&vec![0; n], 1, 5, 0).unwrap();
    let sweep = problem.sweep(&[1000.0, 10.0], HeldOut::Folds(&folds)).unwrap();
    let best = sweep.candidates[sweep.best];
    assert!(sweep.candidates.iter().all(|candidate| candidate.held_out.loss >= best.held_out.loss));
    assert!(best.held_out.accuracy > 0.8, "{best:?}");
    let temperature = problem.temperature(&sweep, HeldOut::Folds(&folds));
    // Scores of about 1 say far less than they know.
    assert!(temperature.value < 0.6 && temperature.after < 0.9 * temperature.before, "{temperature:?}");
    let layer = problem.fit(best.strength).unwrap();
    let direct = Temperature::of(&Scorer::of_layers(&[layer]), &targets);
    assert!((direct.value / temperature.value - 1.0).abs() < 0.3, "{direct:?} {temperature:?}");
}

#[test]
fn mlps_learn_labels_and_numbers_that_no_plane_fits() {
    let n = 240;
    let x: Vec<f32> = (0..n * 2).map(|i| noise(i * 17) as f32 * 3.0).collect();
    let matrix = Matrix::new(&x, 2).unwrap();
    let product = |row: &[f32]| f64::from(row[0] * row[1]);
    let values: Vec<f64> =
        x.chunks_exact(2).flat_map(|row| [1000.0 + 20.0 * product(row), f64::from(row[0].abs())]).collect();
    let settings = MlpSettings {
        front: Front::Hidden(32),
        epochs: 150,
        batch_size: 16,
        learning_rate: 5e-3,
        ..MlpSettings::default()
    };
    let go_on = |_: &headstart_head::Epoch| ControlFlow::Continue(());
    let numbers = Truth::Numbers(values.clone());
    let targets = Examples::new(&matrix, &numbers, 2).unwrap();
    let fit = fit_mlp(&targets, Some(&targets), &settings, go_on).unwrap();
    let found = fit.epochs[149].val.unwrap();
    assert!(found.loss < 0.1, "{found:?}");
    // What it says are the numbers themselves.
    let said = logits(&fit.layers, &x);
    let squares: f64 =
        (0..n).map(|row| (f64::from(said[2 * row]) - values[2 * row]).powi(2)).sum::<f64>() / n as f64;
    assert!(squares.sqrt() < 15.0, "{squares}");
    assert_eq!(quality(&fit.layers, &targets).loss, found.loss);

    let truth = x
        .chunks_exact(2)
        .flat_map(|row| [product(row) > 0.0, row[0].abs() > 1.5].map(|is| f64::from(u8::from(is))))
        .collect();
    let truth = Truth::Labels(truth);
    let targets = Examples::new(&matrix, &truth, 2).unwrap();
    let fit = fit_mlp(&targets, Some(&targets), &settings, go_on).unwrap();
    let found = fit.epochs[149].val.unwrap();
    assert!(found.accuracy > 0.95 && found.loss < 0.2, "{found:?}");
    let short = MlpSettings { epochs: 3, dropout: 0.2, mixup: 0.3, label_smoothing: 0.1, ..settings };
    let run = || fit_mlp(&targets, None, &short, go_on).unwrap();
    let one = run();
    for threads in [1, 3] {
        assert_eq!(on_threads(threads, run), one, "{threads} threads");
    }
    let rough = quality(&one.layers, &targets);
    assert!(rough.loss < 0.75 && rough.accuracy > 0.5, "{rough:?}");
}

#[test]
fn what_does_not_go_together_is_told() {
    let x = features(10, 2);
    let matrix = Matrix::new(&x, 2).unwrap();
    let values: Vec<f64> = (0..10).map(|row| f64::from(row % 2)).collect();
    let numbers = Truth::Numbers(values.clone());
    let numbers = Examples::new(&matrix, &numbers, 1).unwrap();
    let labels = Truth::Labels(values);
    let labels = Examples::new(&matrix, &labels, 1).unwrap();
    let message = LinearProblem::new(&numbers, &TIGHT).err().unwrap().to_string();
    assert_eq!(message, "logistic regression cannot say numbers");
    let lda = ClosedProblem::new(&labels, ClosedForm::Lda, &ClassWeights::None, true);
    assert_eq!(lda.err().unwrap().to_string(), "lda cannot say labels");
    let problem = ridge(&labels, true).unwrap();
    assert!(matches!(problem.sweep(&[1.0], HeldOut::Rows(numbers)), Err(HeadFitError::HeldOut { .. })));
    let all = Truth::Labels(vec![1.0; 10]);
    let constant = Examples::new(&matrix, &all, 1).unwrap();
    assert!(matches!(ridge(&constant, true), Err(HeadFitError::ConstantLabel { label: 0 })));
    // A number that is always the same is said as it is.
    let constant = Truth::Numbers(vec![7.5; 10]);
    let constant = Examples::new(&matrix, &constant, 1).unwrap();
    let layer: Dense = ridge(&constant, true).unwrap().fit(1.0).unwrap();
    assert!(logits(&[layer], &x).iter().all(|said| (said - 7.5).abs() < 1e-5));
}
