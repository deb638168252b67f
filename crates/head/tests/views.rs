//! Augmented views of rows: learnt from with their sample, and judging nothing.

use features::Matrix;
use headstart_head::{
    ClosedForm, ClosedProblem, Examples, Folds, HeldOut, LinearProblem, LinearSettings, fit_novelty,
    learning_curve,
};
use sample::targets::Truth;
use std::ops::ControlFlow;

const SAMPLES: usize = 60;
const VIEWS: usize = 3;

/// (values (n, 2), labels, views): samples of two classes that lie far apart, each with two views of which nobody could
/// tell the class.
fn data() -> (Vec<f32>, Vec<u32>, Vec<u32>) {
    let (mut x, mut labels, mut views) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let label = (sample % 2) as u32;
        for view in 0..VIEWS {
            let side = if label == 0 { 1.0 } else { -1.0 };
            let spread = (sample * 7 % 11) as f32 / 50.0;
            x.extend(if view == 0 { [side + spread, spread] } else { [0.0, 0.0] });
            labels.push(label);
            views.push(view as u32);
        }
    }
    (x, labels, views)
}

#[test]
fn only_samples_judge() {
    let (x, labels, views) = data();
    let matrix = Matrix::new(&x, 2).unwrap();
    let truth = Truth::Class(labels);
    let examples = Examples::new(&matrix, &truth, 2).unwrap().with_views(&views).unwrap();
    let (of_samples, classes) = examples.strata();
    let folds = Folds::stratified(&of_samples, classes, 5, 0).unwrap().of_views(&views);
    let held_out = HeldOut::Folds(&folds);

    let problem = LinearProblem::new(&examples, &LinearSettings::default()).unwrap();
    let sweep = problem.sweep(&[1.0], held_out, false, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(sweep.candidates[0].held_out.accuracy, 1.0);
    assert!(sweep.candidates[0].train.accuracy < 0.7, "views are among the rows that are fitted");
    let judged = problem.held_out_scores(&sweep, held_out, |row, _| row);
    assert_eq!(judged, (0..SAMPLES).map(|sample| sample * VIEWS).collect::<Vec<_>>());
    // Of samples alone, any temperature that is low; half of the views would be wrong, and surely so.
    assert!(problem.temperature(&sweep, held_out).after < 0.01);

    for (form, strength) in [(ClosedForm::Ridge, 1.0), (ClosedForm::Lda, 0.1), (ClosedForm::Prototype, 0.0)] {
        let problem = ClosedProblem::new(&examples, form, &Default::default(), true).unwrap();
        let sweep = problem.sweep(&[strength], held_out).unwrap();
        assert_eq!(sweep.candidates[0].held_out.accuracy, 1.0, "{form:?}");
        assert!(sweep.candidates[0].train.accuracy < 0.7, "{form:?}");
    }

    // Views lie nearer to the means than samples do: 0.25 of the farthest sample where they judged, 0.52 without them.
    let threshold = |part| fit_novelty(&examples, held_out, part).unwrap().threshold;
    assert!(threshold(0.5) > 0.4 * threshold(1.0), "{} of {}", threshold(0.5), threshold(1.0));

    let go_on = |_: &_| ControlFlow::Continue(());
    let settings = LinearSettings::default();
    let points = learning_curve(&examples, &settings, held_out, &[1.0], &[0.25, 1.0], 0, go_on).unwrap();
    assert_eq!(points.iter().map(|point| point.rows).collect::<Vec<_>>(), [12, 48]);
    assert!(points.iter().all(|point| point.held_out_rows == SAMPLES && point.held_out.accuracy == 1.0));
}
