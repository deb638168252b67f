//! Logistic regression through its public face.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::Matrix;
use headstart_head::{
    ClassWeights, Examples, HeadFitError, LinearFit, LinearProblem, LinearSettings, Quality, Scorer,
    TargetScaler, logits,
};
use sample::targets::Truth;
use weights::Dense;

/// `rows` of `dim` features in `classes` overlapping clusters, by an integer formula that
/// tests/peers/head.py repeats.
fn data(rows: usize, dim: usize, classes: usize) -> (Vec<f32>, Vec<u32>) {
    let noise = |i: usize| ((i as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 32) as f32;
    let labels: Vec<u32> = (0..rows).map(|row| ((row * 7) % classes) as u32).collect();
    let mut x = Vec::with_capacity(rows * dim);
    for (row, &label) in labels.iter().enumerate() {
        for column in 0..dim {
            let centre = ((label as usize * 5 + column * 3) % 7) as f32 / 7.0;
            x.push(centre + 2.0 * noise(row * dim + column) + column as f32);
        }
    }
    (x, labels)
}

/// Examples of a matrix that lives as long as the test.
fn examples(x: &[f32], labels: &[u32], dim: usize, classes: usize) -> Examples<'static> {
    let values = Box::leak(x.to_vec().into_boxed_slice());
    let truth = Box::leak(Box::new(Truth::Class(labels.to_vec())));
    Examples::new(Box::leak(Box::new(Matrix::new(values, dim).unwrap())), truth, classes).unwrap()
}

fn quality(layers: &[Dense], examples: &Examples<'_>) -> Quality {
    headstart_head::quality(&Scorer::of_layers(layers), examples, &TargetScaler::of(examples))
}

fn fit(examples: &Examples<'_>, settings: &LinearSettings, l2: f64) -> LinearFit {
    LinearProblem::new(examples, settings).unwrap().fit(l2, None).unwrap()
}

const TIGHT: LinearSettings = LinearSettings {
    class_weights: ClassWeights::None,
    standardize: true,
    tolerance: 1e-9,
    max_iterations: 1000,
};

#[test]
fn two_rows_have_a_closed_form() {
    // x = ±1, one feature, two classes: W = (-w, w), 2 ln(1 + e^{-2w}) + 2 l2 w² is least where
    // 2 / (1 + e^{2w}) = 2 l2 w / 1 … solved by bisection here.
    let (x, labels) = ([-1.0, 1.0], [0, 1]);
    let rows = examples(&x, &labels, 1, 2);
    for l2 in [0.01, 1.0, 30.0] {
        let slope = |w: f64| -4.0 / (1.0 + (2.0 * w).exp()) + 4.0 * l2 * w;
        let (mut low, mut high) = (0.0, 100.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if slope(middle) < 0.0 { low = middle } else { high = middle }
        }
        let got = fit(&rows, &TIGHT, l2);
        assert!(
            (f64::from(got.layer.weight[1]) - low).abs() < 1e-6 * low.max(1.0),
            "{got:?}, expected {low}"
        );
        assert_eq!(got.layer.weight[0], -got.layer.weight[1]);
        let objective = 2.0 * (-2.0 * low).exp().ln_1p() + 2.0 * l2 * low * low;
        assert!((got.objective - objective).abs() < 1e-7 * objective, "{} {objective}", got.objective);
    }
}

#[test]
fn no_neighbour_is_better() {
    let (x, labels) = data(200, 6, 4);
    let rows = examples(&x, &labels, 6, 4);
    // Raw columns with offsets are badly conditioned (2e5 here; scipy takes more than 1,200 iterations too).
    let raw = LinearSettings { standardize: false, tolerance: 1e-7, max_iterations: 5000, ..TIGHT };
    let best = fit(&rows, &raw, 0.5);
    assert!(best.converged, "{} iterations, gradient {}", best.iterations, best.gradient);
    let objective = |layer: &weights::Dense| {
        let norm: f64 = layer.weight.iter().map(|&w| f64::from(w).powi(2)).sum();
        quality(std::slice::from_ref(layer), &rows).loss * 200.0 + 0.25 * norm
    };
    let at_best = objective(&best.layer);
    assert!((at_best - best.objective).abs() < 1e-4 * at_best, "{at_best} {}", best.objective);
    for at in 0..best.layer.weight.len() {
        for nudge in [-0.05, 0.05] {
            let mut other = best.layer.clone();
            other.weight[at] += nudge;
            assert!(objective(&other) > at_best, "weight {at} by {nudge}");
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (x, labels) = data(3000, 40, 5);
    let rows = examples(&x, &labels, 40, 5);
    let one = fit(&rows, &LinearSettings::default(), 1.0);
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| fit(&rows, &LinearSettings::default(), 1.0));
        assert_eq!(again, one, "{threads} threads");
    }
}

#[test]
fn many_rows_in_order_of_their_class_end_where_shuffled_ones_do_on_any_number_of_threads() {
    // So many that a quarter of them is fitted first, and steps are found by some.
    let (n, dim, classes) = (40_000, 10, 5);
    let (x, labels) = data(n, dim, classes);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&row| labels[row]);
    let sorted_x: Vec<f32> = order.iter().flat_map(|&row| &x[row * dim..][..dim]).copied().collect();
    let sorted_labels: Vec<u32> = order.iter().map(|&row| labels[row]).collect();
    let settings = LinearSettings { tolerance: 1e-6, ..TIGHT };
    let rows = examples(&sorted_x, &sorted_labels, dim, classes);
    let sorted = fit(&rows, &settings, 1.0);
    let shuffled = fit(&examples(&x, &labels, dim, classes), &settings, 1.0);
    assert!(sorted.converged && shuffled.converged);
    assert!((sorted.objective / shuffled.objective - 1.0).abs() < 1e-6, "{sorted:?} {shuffled:?}");
    for (a, b) in sorted.layer.weight.iter().zip(&shuffled.layer.weight) {
        assert!((a - b).abs() < 0.02 * (1.0 + a.abs()), "{a} {b}");
    }
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| fit(&rows, &settings, 1.0)), sorted, "{threads} threads");
    }
}

#[test]
fn weights_of_many_separable_rows_grow_no_more_than_the_tolerance_asks_for() {
    let n = 10_000;
    let x: Vec<f32> = (0..n).map(|row| if row % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let labels: Vec<u32> = (0..n).map(|row| (row % 2) as u32).collect();
    let fit = fit(&examples(&x, &labels, 1, 2), &LinearSettings::default(), 0.0);
    assert!(fit.converged, "{fit:?}");
    assert!(fit.layer.weight.iter().all(|weight| (1.0..20.0).contains(&weight.abs())), "{fit:?}");
}

#[test]
fn a_warm_start_ends_where_a_cold_one_does_and_sooner() {
    let (x, labels) = data(400, 12, 3);
    let rows = examples(&x, &labels, 12, 3);
    let settings = LinearSettings { tolerance: 1e-6, ..TIGHT };
    let problem = LinearProblem::new(&rows, &settings).unwrap();
    let near = problem.fit(1.1, None).unwrap();
    let (warm, cold) = (problem.fit(1.0, Some(&near)).unwrap(), problem.fit(1.0, None).unwrap());
    assert!(warm.iterations < cold.iterations, "{} {}", warm.iterations, cold.iterations);
    for (warm, cold) in warm.layer.weight.iter().zip(&cold.layer.weight) {
        assert!((warm - cold).abs() < 1e-3, "{warm} {cold}");
    }
}

#[test]
fn balanced_weights_are_as_good_as_repeated_rows() {
    // Class 1 has a third of the rows of class 0; repeated three times it weighs the same.
    let (x, labels) = ([0.0, 1.0, 0.5, 0.8], [0, 0, 0, 1]);
    let repeated = ([0.0, 1.0, 0.5, 0.8, 0.8, 0.8], [0, 0, 0, 1, 1, 1]);
    let settings = LinearSettings { standardize: false, ..TIGHT };
    let balanced = LinearSettings { class_weights: ClassWeights::Balanced, ..settings };
    let weighted = fit(&examples(&x, &labels, 1, 2), &balanced, 0.1);
    // The weights are 2/3 and 2, a third less than those of the repeated rows; so is the penalty.
    let plain = fit(&examples(&repeated.0, &repeated.1, 1, 2), &settings, 0.15);
    assert!((weighted.layer.weight[1] - plain.layer.weight[1]).abs() < 1e-5, "{weighted:?} {plain:?}");
}

#[test]
fn separable_rows_stay_finite_without_a_penalty() {
    let x: Vec<f32> = (0..40).map(|row| if row % 2 == 0 { -1.0 } else { 1.0 } * (1 + row) as f32).collect();
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let rows = examples(&x, &labels, 1, 2);
    let free = fit(&rows, &LinearSettings::default(), 0.0);
    assert!(free.layer.weight.iter().chain(&free.layer.bias).all(|value| value.is_finite()), "{free:?}");
    assert_eq!(quality(&[free.layer], &rows).accuracy, 1.0);
}

#[test]
fn constant_columns_and_huge_scales_do_no_harm() {
    let (mut x, labels) = data(120, 4, 3);
    for row in x.chunks_exact_mut(4) {
        row[1] = 7.25;
        row[2] = row[2] * 1e6 + 1e8;
    }
    let rows = examples(&x, &labels, 4, 3);
    let got = fit(&rows, &LinearSettings::default(), 1.0);
    assert!(got.converged, "{got:?}");
    for class in got.layer.weight.chunks_exact(4) {
        assert!(class[1].abs() < 1e-6, "{class:?}");
    }
    assert!(logits(&[got.layer], &x).iter().all(|logit| logit.is_finite()));
}

#[test]
fn settings_out_of_range_are_refused() {
    let (x, labels) = data(20, 2, 2);
    let rows = examples(&x, &labels, 2, 2);
    let problem = LinearProblem::new(&rows, &LinearSettings::default()).unwrap();
    for l2 in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(problem.fit(l2, None), Err(HeadFitError::Setting { name: "l2", .. })));
    }
    let strict = LinearSettings { tolerance: -1.0, ..LinearSettings::default() };
    assert!(matches!(LinearProblem::new(&rows, &strict), Err(HeadFitError::Setting { .. })));
    let absent = examples(&x, &labels, 2, 3);
    assert!(matches!(
        LinearProblem::new(&absent, &LinearSettings::default()),
        Err(HeadFitError::AbsentClass { class: 2 })
    ));
}
