//! The multi-layer perceptron through its public face.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use artifact::Matrix;
use headstart_head::{ClassWeights, Epoch, Examples, HeadFitError, MlpFit, MlpSettings, fit_mlp, quality};

/// Examples of a matrix that lives as long as the test.
fn examples<'a>(x: &[f32], labels: &'a [u32], dim: usize, classes: usize) -> Examples<'a> {
    let values = Box::leak(x.to_vec().into_boxed_slice());
    Examples::new(Box::leak(Box::new(Matrix::new(values, dim).unwrap())), labels, classes).unwrap()
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
    hidden: 24,
    epochs: 30,
    batch_size: 16,
    learning_rate: 5e-3,
    dropout: 0.0,
    seed: 3,
    class_weights: ClassWeights::None,
    standardize: true,
};

fn train(settings: MlpSettings, rows: usize) -> (MlpFit, Vec<Epoch>) {
    let (x, labels) = rings(rows);
    let rows = examples(&x, &labels, 2, 2);
    let mut seen = Vec::new();
    let fit = fit_mlp(&rows, Some(&rows), &settings, |epoch| seen.push(*epoch)).unwrap();
    (fit, seen)
}

#[test]
fn learns_what_no_line_can_and_tells_every_epoch() {
    // 203 rows: the last batch is a partial one.
    let (fit, seen) = train(SMALL, 203);
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
    let one = train(settings, 150).0;
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| train(settings, 150).0), one, "{threads} threads");
    }
    assert_ne!(train(MlpSettings { seed: 4, ..settings }, 150).0, one);
    assert_ne!(train(MlpSettings { dropout: 0.0, ..settings }, 150).0, one);
}

#[test]
fn wide_layers_give_the_same_bits_on_any_number_of_threads() {
    // Large enough that the products are split over threads.
    let (dim, rows) = (300, 96);
    let x: Vec<f32> = (0..rows * dim).map(|i| ((i * 7919) % 1009) as f32 / 500.0 - 1.0).collect();
    let labels: Vec<u32> = (0..rows).map(|row| (row % 3) as u32).collect();
    let rows = examples(&x, &labels, dim, 3);
    let settings = MlpSettings { hidden: 512, epochs: 2, batch_size: 64, ..SMALL };
    let run = || fit_mlp(&rows, None, &settings, |_| ()).unwrap();
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
    let settings = MlpSettings { hidden: 4, epochs: 200, learning_rate: 0.02, standardize: false, ..SMALL };
    let gap = |class_weights| {
        let fit = fit_mlp(&rows, None, &MlpSettings { class_weights, ..settings }, |_| ()).unwrap();
        let logits = headstart_head::logits(&fit.layers, &[1.0]);
        logits[1] - logits[0]
    };
    // ln(10 / 70) without weights, none with.
    assert!((gap(ClassWeights::None) + 1.946).abs() < 0.2, "{}", gap(ClassWeights::None));
    assert!(gap(ClassWeights::Balanced).abs() < 0.2, "{}", gap(ClassWeights::Balanced));
}

#[test]
fn settings_out_of_range_are_refused() {
    let (x, labels) = rings(20);
    let rows = examples(&x, &labels, 2, 2);
    for (name, settings) in [
        ("hidden units", MlpSettings { hidden: 0, ..SMALL }),
        ("epochs", MlpSettings { epochs: 0, ..SMALL }),
        ("batch size", MlpSettings { batch_size: 0, ..SMALL }),
        ("learning rate", MlpSettings { learning_rate: 0.0, ..SMALL }),
        ("dropout", MlpSettings { dropout: 1.0, ..SMALL }),
    ] {
        let error = fit_mlp(&rows, None, &settings, |_| ()).unwrap_err();
        assert!(matches!(error, HeadFitError::Setting { name: got, .. } if got == name), "{error}");
    }
    let wild = MlpSettings { learning_rate: 1e30, ..SMALL };
    assert!(matches!(fit_mlp(&rows, None, &wild, |_| ()), Err(HeadFitError::Diverged { .. })));
}
