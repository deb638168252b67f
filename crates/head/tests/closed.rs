//! Ridge, discriminants and prototypes through their public face.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use features::{Matrix, Rows};
use headstart_head::{
    ClassWeights, ClosedForm, ClosedProblem, Examples, Folds, HeadFitError, HeldOut, Quality, Scorer,
    TargetScaler, logits,
};
use sample::targets::Truth;
use weights::Dense;

const FORMS: [(ClosedForm, f64); 3] =
    [(ClosedForm::Ridge, 3.0), (ClosedForm::Lda, 0.2), (ClosedForm::Prototype, 0.0)];

/// Overlapping clusters, far from zero.
fn data(rows: usize, dim: usize, classes: usize) -> (Vec<f32>, Vec<u32>) {
    let noise = |i: usize| ((i as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 32) as f32;
    let labels: Vec<u32> = (0..rows).map(|row| ((row * row + row / 3) % classes) as u32).collect();
    let value = |row: usize, column: usize| {
        let centre = ((labels[row] as usize * 5 + column * 3) % 7) as f32 / 3.0;
        centre + 2.0 * noise(row * dim + column) + column as f32
    };
    let x = (0..rows * dim).map(|at| value(at / dim, at % dim)).collect();
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

fn problem<'a>(
    form: ClosedForm,
    rows: &Examples<'a>,
    weights: &ClassWeights,
    standardize: bool,
) -> ClosedProblem<'a> {
    ClosedProblem::new(rows, form, weights, standardize).unwrap()
}

#[test]
fn no_gradient_is_left_of_the_squares() {
    let (dim, classes, l2) = (5, 3, 7.0);
    let (x, labels) = data(300, dim, classes);
    let rows = examples(&x, &labels, dim, classes);
    let weights = [1.0, 0.25, 3.0];
    let layer =
        problem(ClosedForm::Ridge, &rows, &ClassWeights::Each(weights.to_vec()), false).fit(l2).unwrap();
    for class in 0..classes {
        let own = &layer.weight[class * dim..][..dim];
        let (mut slopes, mut scale) = (vec![0.0; dim + 1], 0.0f64);
        for (row, &label) in x.chunks_exact(dim).zip(&labels) {
            let target = if label as usize == class { 1.0 } else { -1.0 };
            let score: f64 = row.iter().zip(own).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
            let error = weights[label as usize] * (score + f64::from(layer.bias[class]) - target);
            for (slope, x) in slopes.iter_mut().zip(row.iter().chain(&[1.0])) {
                *slope += error * f64::from(*x);
            }
            scale += (error * f64::from(row[0])).abs();
        }
        for (slope, weight) in slopes.iter_mut().zip(own) {
            *slope += l2 * f64::from(*weight);
        }
        // Weights are rounded to f32.
        assert!(slopes.iter().all(|slope| slope.abs() < 2e-5 * scale), "{slopes:?}, {scale}");
    }
}

#[test]
fn discriminants_are_those_of_the_definition() {
    let (dim, classes, shrinkage) = (2, 3, 0.3);
    let (x, labels) = data(200, dim, classes);
    let rows = examples(&x, &labels, dim, classes);
    let layer = problem(ClosedForm::Lda, &rows, &ClassWeights::None, false).fit(shrinkage).unwrap();
    let counts: Vec<f64> = rows.counts().iter().map(|&count| count as f64).collect();
    let mut means = vec![[0.0; 2]; classes];
    for (row, &label) in x.chunks_exact(2).zip(&labels) {
        (0..2).for_each(|i| means[label as usize][i] += f64::from(row[i]) / counts[label as usize]);
    }
    let mut s = [[0.0; 2]; 2];
    for (row, &label) in x.chunks_exact(2).zip(&labels) {
        let apart = [0, 1].map(|i| f64::from(row[i]) - means[label as usize][i]);
        (0..4).for_each(|at| s[at / 2][at % 2] += apart[at / 2] * apart[at % 2] / 200.0);
    }
    let sphere = 0.5 * (s[0][0] + s[1][1]);
    s.iter_mut().flatten().for_each(|value| *value *= 1.0 - shrinkage);
    (0..2).for_each(|i| s[i][i] += shrinkage * sphere);
    let determinant = s[0][0] * s[1][1] - s[0][1] * s[1][0];
    let score = |x: [f64; 2], class: usize| {
        let [a, b] = [0, 1].map(|i| x[i] - means[class][i]);
        let distance = (a * a * s[1][1] - 2.0 * a * b * s[0][1] + b * b * s[0][0]) / determinant;
        (counts[class] / 200.0).ln() - 0.5 * distance
    };
    for row in x.chunks_exact(2).take(20) {
        let got = logits(std::slice::from_ref(&layer), row);
        let at = [0, 1].map(|i| f64::from(row[i]));
        for class in 1..classes {
            let (got, expected) = (f64::from(got[class] - got[0]), score(at, class) - score(at, 0));
            assert!((got - expected).abs() < 1e-4 * expected.abs().max(1.0), "{got}, {expected}");
        }
    }
}

#[test]
fn a_prototype_head_names_the_nearest_mean() {
    let (x, labels) = data(90, 4, 3);
    let rows = examples(&x, &labels, 4, 3);
    let layer = problem(ClosedForm::Prototype, &rows, &ClassWeights::None, false).fit(0.0).unwrap();
    let mut means = [0.0f64; 12];
    for (row, &label) in x.chunks_exact(4).zip(&labels) {
        let count = rows.counts()[label as usize] as f64;
        let mean = &mut means[label as usize * 4..][..4];
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x) / count);
    }
    for row in x.chunks_exact(4) {
        let distance = |mean: &[f64]| -> f64 {
            mean.iter().zip(row).map(|(mean, x)| (f64::from(*x) - mean).powi(2)).sum()
        };
        let nearest =
            |a: &usize, b: &usize| distance(&means[a * 4..][..4]).total_cmp(&distance(&means[b * 4..][..4]));
        let got = logits(std::slice::from_ref(&layer), row);
        let top = (0..3).max_by(|a, b| got[*a].total_cmp(&got[*b]));
        assert_eq!(top, (0..3).min_by(nearest));
    }
}

#[test]
fn a_fold_s_model_is_that_of_the_other_rows() {
    let (dim, classes) = (12, 3);
    let (x, labels) = data(150, dim, classes);
    let rows = examples(&x, &labels, dim, classes);
    let folds = Folds::stratified(&labels, classes, 3, 5).unwrap();
    for (form, strength) in FORMS {
        let problem = problem(form, &rows, &ClassWeights::None, false);
        let sweep = problem.sweep(&[strength], HeldOut::Folds(&folds)).unwrap();
        let mut hits = 0.0;
        for fold in 0..3 {
            let part = |inside: bool| {
                let own: Vec<usize> =
                    (0..150).filter(|&row| (folds.of(row) == Some(fold)) == inside).collect();
                let x: Vec<f32> = own.iter().flat_map(|&row| x[row * dim..][..dim].to_vec()).collect();
                (x, own.iter().map(|&row| labels[row]).collect::<Vec<_>>())
            };
            let ((fit_x, fit_labels), (held_x, held_labels)) = (part(false), part(true));
            let others = examples(&fit_x, &fit_labels, dim, classes);
            let layer = ClosedProblem::new(&others, form, &ClassWeights::None, false).unwrap().fit(strength);
            let held = examples(&held_x, &held_labels, dim, classes);
            hits += quality(&[layer.unwrap()], &held).accuracy * held_labels.len() as f64;
        }
        let got = sweep.candidates[0].held_out.accuracy * 150.0;
        assert!((got - hits).abs() < 0.5, "{form:?}: {got}, {hits}");
    }
}

#[test]
fn of_equals_the_first_is_kept_and_temperatures_lower_the_loss() {
    let (x, labels) = data(200, 6, 4);
    let (val_x, val_labels) = data(311, 6, 4);
    let (rows, val) = (examples(&x, &labels, 6, 4), examples(&val_x, &val_labels, 6, 4));
    let ridge = problem(ClosedForm::Ridge, &rows, &ClassWeights::Balanced, true);
    // So weak that nothing changes.
    let sweep = ridge.sweep(&[1e-6, 1e-7, 1e-8], HeldOut::Rows(val)).unwrap();
    assert_eq!(sweep.best, 0, "{sweep:?}");
    for (form, strength) in FORMS {
        let problem = problem(form, &rows, &ClassWeights::None, true);
        let sweep = problem.sweep(&[strength], HeldOut::Rows(val)).unwrap();
        let temperature = problem.temperature(&sweep, HeldOut::Rows(val));
        assert!(temperature.after < temperature.before, "{form:?} {temperature:?}");
        let mut layer: Dense = problem.fit(strength).unwrap();
        assert!((quality(&[layer.clone()], &val).loss - temperature.before).abs() < 1e-4);
        layer.scale(1.0 / temperature.value);
        assert!((quality(&[layer], &val).loss - temperature.after).abs() < 1e-4, "{form:?}");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (x, labels) = data(1100, 140, 5);
    let rows = examples(&x, &labels, 140, 5);
    let folds = Folds::stratified(&labels, 5, 4, 0).unwrap();
    for (form, strength) in FORMS {
        let run = || {
            let problem = ClosedProblem::new(&rows, form, &ClassWeights::Balanced, true).unwrap();
            let strengths = [1.0, strength];
            let sweep = problem.sweep(&strengths, HeldOut::Folds(&folds)).unwrap();
            let temperature = problem.temperature(&sweep, HeldOut::Folds(&folds));
            (sweep.candidates, temperature, problem.fit(strength).unwrap())
        };
        let one = run();
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(run), one, "{form:?}, {threads} threads");
        }
    }
}

#[test]
fn more_features_than_rows_and_constant_columns_stay_finite() {
    let (mut x, labels) = data(20, 50, 2);
    x.chunks_exact_mut(50).for_each(|row| row[7] = 3.5);
    let rows = examples(&x, &labels, 50, 2);
    for form in FORMS.map(|(form, _)| form) {
        for strength in [0.0, 1e-3, 1.0] {
            let layer = problem(form, &rows, &ClassWeights::None, true).fit(strength).unwrap();
            assert!(layer.weight.iter().chain(&layer.bias).all(|value| value.is_finite()), "{form:?}");
        }
    }
}

/// Rows that are refused before they are read.
struct Never;

impl Rows for Never {
    fn len(&self) -> usize {
        9000
    }

    fn dim(&self) -> usize {
        9000
    }

    fn read(&self, _: usize, _: &mut [f32]) {
        panic!("read")
    }
}

#[test]
fn fewer_rows_than_features_give_what_padded_rows_give() {
    // Each row twice counts twice: as many rows as not to need a base, and half of the penalty.
    let (dim, n) = (60, 40);
    let (x, labels) = data(n, dim, 3);
    let (twice, twice_labels) = ([&x[..], &x].concat(), [&labels[..], &labels].concat());
    let (rows, doubled) = (examples(&x, &labels, dim, 3), examples(&twice, &twice_labels, dim, 3));
    for (form, strength, half) in [(ClosedForm::Ridge, 3.0, 1.5), (ClosedForm::Lda, 0.2, 0.2)] {
        for standardize in [true, false] {
            let fit = |rows: &Examples<'_>, strength: f64| {
                problem(form, rows, &ClassWeights::Balanced, standardize).fit(strength).unwrap()
            };
            let (got, expected) = (fit(&rows, half), fit(&doubled, strength));
            let scores = |layer: &Dense| {
                let scores = logits(std::slice::from_ref(layer), &x);
                scores
                    .chunks_exact(3)
                    .flat_map(|row| [row[1] - row[0], row[2] - row[0]])
                    .collect::<Vec<f32>>()
            };
            let top = scores(&expected).iter().fold(0.0f32, |top, score| top.max(score.abs()));
            for (got, expected) in scores(&got).iter().zip(scores(&expected)) {
                assert!((got - expected).abs() < 1e-4 * top, "{form:?}: {got}, {expected}");
            }
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let (x, labels) = data(20, 2, 2);
    let rows = examples(&x, &labels, 2, 2);
    for (form, name, strengths) in [
        (ClosedForm::Ridge, "l2", [-1.0, f64::NAN, f64::INFINITY]),
        (ClosedForm::Lda, "shrinkage", [-0.1, 1.1, f64::NAN]),
    ] {
        let problem = problem(form, &rows, &ClassWeights::None, true);
        for strength in strengths {
            let error = problem.fit(strength).unwrap_err();
            assert!(matches!(error, HeadFitError::Setting { name: got, .. } if got == name), "{error}");
        }
        assert!(problem.sweep(&[], HeldOut::Rows(rows)).is_err());
        // Fewer rows than features are decomposed instead of these; as many are not.
        let wide =
            examples(&(0..4 * 8193).map(|at| (at % 1013) as f32).collect::<Vec<_>>(), &[0, 1, 0, 1], 8193, 2);
        assert!(ClosedProblem::new(&wide, form, &ClassWeights::None, true).is_ok());
        let labels = Truth::Class((0..9000).map(|row| row % 2).collect());
        let square = Examples::new(&Never, &labels, 2).unwrap();
        let error = ClosedProblem::new(&square, form, &ClassWeights::None, true).err().unwrap();
        assert!(error.to_string().contains("9000 features are too many"), "{error}");
    }
}
