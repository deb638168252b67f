//! Features that say nothing, or hardly fit into their numbers: every solver gives a finite head or one error, and none panics.

use features::Matrix;
use headstart_head::{
    ClassWeights, ClosedForm, ClosedProblem, Examples, Folds, Front, HeadFitError, HeldOut, LinearProblem,
    LinearSettings, MlpSettings, Scorer, TargetScaler, fit_knn, fit_mlp, fit_novelty, logits, quality,
};
use sample::targets::Truth;
use weights::{Dense, Places};

const CLASSES: usize = 3;

/// Value of a row and column.
type Value = fn(usize, usize) -> f32;

fn noise(row: usize, column: usize) -> f32 {
    (((row * 31 + column) as u64 * 2_654_435_761 + 12_345) % (1 << 32)) as f32 / (1u64 << 32) as f32 - 0.5
}

/// Name, features, and whether there is anything in them.
const KINDS: [(&str, Value, bool); 12] = [
    ("zeros", |_, _| 0.0, false),
    ("all equal", |_, _| 0.1, false),
    ("constant columns", |_, column| 1.0 / (column as f32 + 3.0), false),
    ("huge and equal", |_, _| 1e30, false),
    ("huge", |row, column| 1e30 * noise(row, column), true),
    ("at the end of f32", |row, column| (6e38 * f64::from(noise(row, column))) as f32, true),
    ("tiny", |row, column| 1e-30 * noise(row, column), true),
    ("nearly below normal", |row, column| 1e-38 * noise(row, column), true),
    ("below normal", |row, column| 1e-41 * noise(row, column), true),
    ("one column constant", |row, column| if column == 0 { 7.0 } else { noise(row, column) }, true),
    ("rows doubled", |row, column| noise(row / 2, column), true),
    ("one value a class", |row, _| (row % CLASSES) as f32, true),
];

fn is_finite(layers: &[Dense]) -> bool {
    layers.iter().all(|layer| layer.weight.iter().chain(&layer.bias).all(|value| value.is_finite()))
}

/// What came of a fit: a finite head, whose scores are finite where `x` is given, or an error in one line.
fn check(name: &str, fitted: Result<Vec<Dense>, HeadFitError>, x: Option<&[f32]>) {
    match fitted {
        Ok(layers) => {
            assert!(is_finite(&layers), "{name}: weights are not finite");
            let scores = x.map(|x| logits(&layers, x)).unwrap_or_default();
            assert!(scores.iter().all(|score| score.is_finite()), "{name}: scores are not finite");
        }
        Err(error) => {
            let error = error.to_string();
            assert!(!error.contains('\n') && error.len() <= 500, "{name}: {error}");
        }
    }
}

fn each(rows: usize, dim: usize, of: impl Fn(&str, &[f32])) {
    for (name, value, _) in KINDS {
        let x: Vec<f32> = (0..rows * dim).map(|at| value(at / dim, at % dim)).collect();
        of(&format!("{name}, {rows} × {dim}"), &x);
    }
}

/// Rows and columns: one row a class, one column, fewer rows than columns, more.
const SHAPES: [(usize, usize); 6] = [(3, 1), (3, 5), (12, 1), (12, 4), (12, 40), (600, 3)];

fn labels(rows: usize) -> Truth {
    Truth::Class((0..rows).map(|row| (row % CLASSES) as u32).collect())
}

/// Folds where there are rows to hold out, else the rows themselves.
fn with_held_out<T>(examples: &Examples<'_>, of: impl FnOnce(HeldOut<'_>) -> T) -> T {
    match Folds::stratified(examples.labels(), CLASSES, 3, 0) {
        Ok(folds) if examples.rows() > CLASSES => of(HeldOut::Folds(&folds)),
        _ => of(HeldOut::Rows(*examples)),
    }
}

#[test]
fn closed_forms() {
    for (rows, dim) in SHAPES {
        each(rows, dim, |name, x| {
            let (matrix, labels) = (Matrix::new(x, dim).unwrap(), labels(rows));
            let examples = Examples::new(&matrix, &labels, CLASSES).unwrap();
            for form in [ClosedForm::Ridge, ClosedForm::Lda, ClosedForm::Prototype] {
                for standardize in [true, false] {
                    let name = format!("{form:?}, {name}, standardised {standardize}");
                    let fit = |strength| {
                        let problem = ClosedProblem::new(&examples, form, &ClassWeights::None, standardize)?;
                        let sweep = with_held_out(&examples, |held| problem.sweep(&[1.0, strength], held))?;
                        with_held_out(&examples, |held| problem.temperature(&sweep, held));
                        Ok(vec![problem.fit(strength)?])
                    };
                    for strength in [0.0, 0.5] {
                        check(&name, fit(strength), None);
                    }
                }
            }
        });
    }
}

#[test]
fn equal_rows_give_equal_scores() {
    for (name, value, says) in KINDS.iter().filter(|(.., says)| !says) {
        for (rows, dim) in SHAPES {
            let x: Vec<f32> = (0..rows * dim).map(|at| value(at / dim, at % dim)).collect();
            let (matrix, labels) = (Matrix::new(&x, dim).unwrap(), labels(rows));
            let examples = Examples::new(&matrix, &labels, CLASSES).unwrap();
            for form in [ClosedForm::Ridge, ClosedForm::Lda] {
                let problem = ClosedProblem::new(&examples, form, &ClassWeights::None, true).unwrap();
                let scores = logits(&[problem.fit(0.0).unwrap()], &x[..dim]);
                let apart = scores.iter().fold(0.0f32, |most, score| most.max((score - scores[0]).abs()));
                assert!(apart < 1e-3, "{form:?}, {name}, {rows} × {dim}, {says}: {scores:?}");
            }
        }
    }
}

#[test]
fn logistic_regression() {
    for (rows, dim) in SHAPES {
        each(rows, dim, |name, x| {
            let (matrix, labels) = (Matrix::new(x, dim).unwrap(), labels(rows));
            let examples = Examples::new(&matrix, &labels, CLASSES).unwrap();
            for standardize in [true, false] {
                let settings =
                    LinearSettings { standardize, max_iterations: 50, ..LinearSettings::default() };
                for l2 in [0.0, 1.0] {
                    let problem = LinearProblem::new(&examples, &settings).unwrap();
                    let name = format!("{name}, l2 {l2}, standardised {standardize}");
                    check(&name, problem.fit(l2, None).map(|fit| vec![fit.layer]), Some(x));
                }
            }
        });
    }
}

#[test]
fn neighbours_networks_and_novelty() {
    for (rows, dim) in SHAPES {
        each(rows, dim, |name, x| {
            let (matrix, labels) = (Matrix::new(x, dim).unwrap(), labels(rows));
            let examples = Examples::new(&matrix, &labels, CLASSES).unwrap();
            let memory = fit_knn(&examples, 3).unwrap();
            assert!(memory.rows.iter().all(|value| value.is_finite()), "{name}");
            let scorer = Scorer::of_memory(&memory, CLASSES);
            let found = quality(&scorer, &examples, &TargetScaler::of(&examples));
            assert!(found.loss.is_finite(), "{name}");
            match with_held_out(&examples, |held| fit_novelty(&examples, held, 0.95)) {
                Ok(novelty) => {
                    let values = novelty.whitening.weight.iter().chain(&novelty.means);
                    assert!(values.chain(&novelty.whitening.bias).all(|value| value.is_finite()), "{name}");
                }
                Err(error) => assert!(error.to_string().len() <= 500, "{name}: {error}"),
            }
            if rows < 600 {
                let settings = MlpSettings { front: Front::Hidden(4), epochs: 3, ..MlpSettings::default() };
                let fitted =
                    fit_mlp(&examples, Some(&examples), &settings, |_| std::ops::ControlFlow::Continue(()));
                check(&format!("mlp, {name}"), fitted.map(|fit| fit.layers), None);
                let of = Places { channels: 1, places: dim, channels_first: true };
                let settings = MlpSettings { front: Front::Attention(2, of), ..settings };
                let fitted =
                    fit_mlp(&examples, Some(&examples), &settings, |_| std::ops::ControlFlow::Continue(()));
                check(&format!("attention, {name}"), fitted.map(|fit| fit.layers), None);
            }
        });
    }
}

#[test]
fn labels_and_numbers() {
    for (rows, dim) in SHAPES {
        each(rows, dim, |name, x| {
            let matrix = Matrix::new(x, dim).unwrap();
            let positive = (0..rows * 2).map(|at| f64::from(u32::from((at / 2 + at) % 3 == 0)));
            let truth = Truth::Labels(positive.collect());
            let targets = Examples::new(&matrix, &truth, 2).unwrap();
            let settings = LinearSettings { max_iterations: 50, ..LinearSettings::default() };
            let fitted = LinearProblem::new(&targets, &settings).and_then(|problem| problem.fit(1.0, None));
            check(&format!("labels, {name}"), fitted.map(|fit| vec![fit.layer]), Some(x));
            for scale in [0.0, 1.0, 1e30, 1e-30] {
                let numbers = (0..rows).map(|row| scale * f64::from(noise(row, 99)));
                let truth = Truth::Numbers(numbers.collect());
                let targets = Examples::new(&matrix, &truth, 1).unwrap();
                for standardize in [true, false] {
                    let (form, weights) = (ClosedForm::Ridge, ClassWeights::None);
                    let fit = |l2| ClosedProblem::new(&targets, form, &weights, standardize)?.fit(l2);
                    for l2 in [0.0, 1.0] {
                        let name = format!("numbers × {scale}, {name}, l2 {l2}, standardised {standardize}");
                        check(&name, fit(l2).map(|layer| vec![layer]), None);
                    }
                }
                if rows < 600 {
                    let settings =
                        MlpSettings { front: Front::Hidden(4), epochs: 3, ..MlpSettings::default() };
                    let go_on = |_: &_| std::ops::ControlFlow::Continue(());
                    let fitted = fit_mlp(&targets, Some(&targets), &settings, go_on);
                    check(&format!("mlp, numbers × {scale}, {name}"), fitted.map(|fit| fit.layers), None);
                }
            }
        });
    }
}
