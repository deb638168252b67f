//! The scale that targets have while a head is fitted.

use sample::targets::Truth;
use weights::Dense;

use crate::{Examples, HeadFitError};

/// The scale that targets have while a head is fitted: (value − shift) · factor, of each output.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetScaler {
    shift: Vec<f64>,
    factor: Vec<f64>,
    /// Whether a head is to give what was scaled as it was; scores of classes and labels stay as they are.
    unscales: bool,
}

impl TargetScaler {
    /// That of `train`: labels become 1 and −1; numbers get mean 0 and (population) standard deviation 1, or stay where
    /// they are all the same. Classes have none.
    pub fn of(train: &Examples<'_>) -> TargetScaler {
        let outputs = train.outputs();
        let values = match train.truth() {
            Truth::Class(_) => return TargetScaler::identity(0),
            Truth::Labels(_) => {
                return TargetScaler {
                    shift: vec![0.5; outputs],
                    factor: vec![2.0; outputs],
                    unscales: false,
                };
            }
            Truth::Numbers(values) => values,
        };
        let n = train.rows() as f64;
        let column = |output: usize| values[output..].iter().step_by(outputs);
        let shift: Vec<f64> = (0..outputs).map(|output| column(output).sum::<f64>() / n).collect();
        let spread = |output: usize| {
            let variance = column(output).map(|value| (value - shift[output]).powi(2)).sum::<f64>() / n;
            // As features': what is constant but for rounding is constant.
            let rounding = n * f64::EPSILON * variance + (n * shift[output] * f64::EPSILON).powi(2);
            if variance <= rounding { 1.0 } else { variance.sqrt().recip() }
        };
        TargetScaler { factor: (0..outputs).map(spread).collect(), shift, unscales: true }
    }

    /// Leaves targets as they are.
    pub(crate) fn identity(outputs: usize) -> TargetScaler {
        TargetScaler { shift: vec![0.0; outputs], factor: vec![1.0; outputs], unscales: false }
    }

    pub(crate) fn scale(&self, output: usize, value: f64) -> f64 {
        (value - self.shift[output]) * self.factor[output]
    }

    /// The last layer that gives numbers as they were, of one that was fitted to scaled numbers.
    ///
    /// # Errors
    /// [`HeadFitError::OutOfRange`] where it is not finite in f32.
    pub(crate) fn unscale(&self, mut layer: Dense) -> Result<Dense, HeadFitError> {
        if self.unscales {
            let rows = layer.weight.chunks_exact_mut(layer.inputs).zip(&mut layer.bias);
            for ((weight, bias), (shift, factor)) in rows.zip(self.shift.iter().zip(&self.factor)) {
                weight.iter_mut().for_each(|value| *value = (f64::from(*value) / factor) as f32);
                *bias = (f64::from(*bias) / factor + shift) as f32;
            }
        }
        let finite = layer.weight.iter().chain(&layer.bias).all(|value| value.is_finite());
        if finite { Ok(layer) } else { Err(HeadFitError::OutOfRange) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    #[test]
    fn numbers_are_standardised_and_unscaled() {
        let features = [0.0; 4];
        let matrix = Matrix::new(&features, 1).unwrap();
        let values = vec![1990.0, 0.1, 2000.0, 0.1, 2010.0, 0.1, 2000.0, 0.1];
        let truth = Truth::Numbers(values.clone());
        let scaler = TargetScaler::of(&Examples::new(&matrix, &truth, 2).unwrap());
        let scaled: Vec<f64> = values.iter().step_by(2).map(|&year| scaler.scale(0, year)).collect();
        assert!((scaled.iter().map(|v| v * v).sum::<f64>() / 4.0 - 1.0).abs() < 1e-12, "{scaled:?}");
        assert_eq!(scaler.factor[1], 1.0);
        let layer =
            Dense { inputs: 1, outputs: 2, weight: vec![1.0, 0.0], bias: vec![scaled[0] as f32, 0.0] };
        let layer = scaler.unscale(layer).unwrap();
        assert!((layer.bias[0] - 1990.0).abs() < 1e-3 && (layer.bias[1] - 0.1).abs() < 1e-6, "{layer:?}");
        assert!((f64::from(layer.weight[0]) - 50f64.sqrt()).abs() < 1e-5, "{layer:?}");
    }

    #[test]
    fn what_f32_cannot_say_is_refused() {
        let matrix = Matrix::new(&[0.0; 2], 1).unwrap();
        let truth = Truth::Numbers(vec![-3e38, 3e38]);
        let scaler = TargetScaler::of(&Examples::new(&matrix, &truth, 1).unwrap());
        let layer = |weight| Dense { inputs: 1, outputs: 1, weight: vec![weight], bias: vec![0.0] };
        assert!(scaler.unscale(layer(1.0)).is_ok());
        assert!(matches!(scaler.unscale(layer(2.0)), Err(HeadFitError::OutOfRange)));
    }
}
