//! `LogisticRegression(max_iter=100)`: C = 1, no scaling, biases without penalty.

use sample::targets::{Task, Truth};
use weights::Dense;

use super::minimise::minimise;
use crate::{
    Examples, HeadFitError, TargetScaler,
    pass::{Loss, Member, Pass},
    scaling::Scaling,
};

/// Fits as MTEB does, to where scikit-learn stops: gradients of 1e-4, or 100 iterations.
///
/// Minimises the mean over n rows of −ln p(yᵢ | xᵢ) + ‖W‖² / 2n. Of two classes there is one row of weights, whose sigmoid
/// is the second's probability.
///
/// # Errors
/// What is no class; fewer than two classes, or one without rows; weights that f32 cannot hold.
pub fn fit_mteb(examples: &Examples<'_>) -> Result<Dense, HeadFitError> {
    if examples.task() != Task::Class {
        return Err(HeadFitError::Task { head: "MTEB's classification", task: examples.task() });
    }
    examples.check_trainable()?;
    let (scaling, scaler) = (Scaling::identity(examples.dim()), TargetScaler::identity(1));
    let pass =
        |outputs, loss| Pass { features: examples.features(), outputs, loss, scaling: &scaling, folds: None };
    if examples.outputs() > 2 {
        let weights = vec![1.0; examples.outputs()];
        let loss = Loss::likelihood(examples.truth(), &weights, &scaler);
        let (weight, bias) = fit(&pass(examples.outputs(), loss));
        return scaling.fold(&weight, &bias);
    }
    let second = Truth::Labels(examples.labels().iter().map(|&label| f64::from(label)).collect());
    let (weight, bias) = fit(&pass(1, Loss::likelihood(&second, &[], &scaler)));
    // A softmax of two says the same of half of the difference on either side.
    let both = |values: Vec<f64>| {
        [-0.5, 0.5].map(|half| values.iter().map(|v| half * v).collect::<Vec<_>>()).concat()
    };
    scaling.fold(&both(weight), &both(bias))
}

/// Weights (outputs, d) and biases (outputs,).
fn fit(pass: &Pass<'_>) -> (Vec<f64>, Vec<f64>) {
    let (rows, penalised) = (pass.features.len() as f64, pass.outputs * pass.features.dim());
    let zero = vec![0.0; penalised + pass.outputs];
    let mut found = minimise(zero, |parameters| {
        let outcome = pass.run(&[Member { parameters, held_out: None }], true).remove(0);
        let (weight, mut gradient) = (&parameters[..penalised], outcome.gradient);
        gradient.iter_mut().zip(weight).for_each(|(slope, weight)| *slope += weight);
        gradient.iter_mut().for_each(|slope| *slope /= rows);
        let norm: f64 = weight.iter().map(|weight| weight * weight).sum();
        ((outcome.loss + 0.5 * norm) / rows, gradient)
    });
    let bias = found.split_off(penalised);
    (found, bias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    const X: [f32; 14] = [0.0, 1.0, 1.0, 0.5, 0.5, 2.0, 3.0, 1.0, 2.5, -1.0, -1.0, -1.0, -2.0, 0.0];

    fn fitted(truth: &Truth, classes: usize) -> Result<Dense, HeadFitError> {
        fit_mteb(&Examples::new(&Matrix::new(&X, 2).unwrap(), truth, classes).unwrap())
    }

    fn check(got: &[f32], expected: &[f32]) {
        let is_near = |(got, expected): (&f32, &f32)| (got - expected).abs() < 1e-5;
        assert!(got.len() == expected.len() && got.iter().zip(expected).all(is_near), "{got:?}");
    }

    #[test]
    fn it_ends_where_scikit_learn_does() {
        // LogisticRegression(max_iter=100).fit(X, y) of scikit-learn 1.9, after 10 and after 6 iterations.
        let Dense { weight, bias, .. } = fitted(&Truth::Class(vec![0, 0, 0, 1, 1, 2, 2]), 3).unwrap();
        check(&weight, &[-0.100_345_52, 0.658_604_2, 0.979_432_7, -0.170_601_52, -0.879_087_1, -0.488_002_4]);
        check(&bias, &[0.580_502_7, -0.908_382_2, 0.327_879_76]);
        let Dense { weight, bias, .. } = fitted(&Truth::Class(vec![0, 0, 0, 1, 1, 1, 0]), 2).unwrap();
        let [a, b, c] = [0.630_385_3, -0.949_079_4, -0.344_267_46].map(|whole: f32| whole / 2.0);
        check(&weight, &[-a, -b, a, b]);
        check(&bias, &[-c, c]);
    }

    #[test]
    fn what_is_no_choice_between_classes_is_refused() {
        let message = |truth: Truth, classes| fitted(&truth, classes).unwrap_err().to_string();
        assert_eq!(message(Truth::Numbers(vec![1.5; 7]), 1), "MTEB's classification cannot say numbers");
        assert_eq!(message(Truth::Class(vec![0; 7]), 1), "expected at least two classes, got 1");
        assert_eq!(message(Truth::Class(vec![0, 0, 0, 2, 2, 2, 2]), 3), "class 1 has no rows");
    }
}
