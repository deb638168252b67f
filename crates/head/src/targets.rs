//! Targets that are no classes: any number of labels a row, or numbers.

use artifact::{Dense, Rows};

use crate::HeadFitError;

/// What targets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Whether a row bears each of some labels: 1 or 0.
    Labels,
    /// Numbers.
    Numbers,
}

/// Features and targets of the same rows: at least one row and one output, every target finite, of labels 0 or 1.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    rows: &'a dyn Rows,
    kind: TargetKind,
    values: &'a [f64],
    outputs: usize,
}

/// How targets are put while a head is fitted: (value − shift) · factor, of each output.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    kind: TargetKind,
    shift: Vec<f64>,
    factor: Vec<f64>,
}

impl<'a> Targets<'a> {
    /// Takes `rows` (n, d) and their targets, `values` (n, `outputs`) row-major.
    ///
    /// # Errors
    /// No rows or outputs, as many values as there are not rows times outputs, a value that is not finite, or, of labels,
    /// neither 0 nor 1.
    pub fn new(
        rows: &'a dyn Rows,
        kind: TargetKind,
        values: &'a [f64],
        outputs: usize,
    ) -> Result<Self, HeadFitError> {
        if rows.is_empty() || outputs == 0 {
            return Err(HeadFitError::NoRows);
        }
        if rows.len() * outputs != values.len() {
            return Err(HeadFitError::Targets { rows: rows.len(), outputs, got: values.len() });
        }
        let fine = |value: &f64| match kind {
            TargetKind::Labels => [0.0, 1.0].contains(value),
            TargetKind::Numbers => value.is_finite(),
        };
        if let Some(at) = values.iter().position(|value| !fine(value)) {
            let (row, output) = (at / outputs, at % outputs);
            return Err(HeadFitError::Target { row, output, got: values[at] });
        }
        Ok(Targets { rows, kind, values, outputs })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of features, d.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// Number of labels, or of numbers a row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What they are.
    pub fn kind(&self) -> TargetKind {
        self.kind
    }

    /// The features, (n, d).
    pub fn features(&self) -> &'a dyn Rows {
        self.rows
    }

    /// (n, outputs) row-major.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Whether a head can be fitted: of labels, each must have rows that bear it and rows that do not.
    pub(crate) fn check_trainable(&self) -> Result<(), HeadFitError> {
        if self.kind == TargetKind::Numbers {
            let spread = |output: usize| {
                let values = self.values[output..].iter().step_by(self.outputs);
                values.clone().fold(f64::MIN, |most, &value| most.max(value))
                    - values.fold(f64::MAX, |least, &value| least.min(value))
            };
            let tiny = |spread: f64| spread > 0.0 && spread < f64::from(f32::MIN_POSITIVE);
            return match (0..self.outputs).find(|&output| tiny(spread(output))) {
                Some(output) => Err(HeadFitError::TinyTarget { output }),
                None => Ok(()),
            };
        }
        let constant = |&label: &usize| {
            let mut values = self.values[label..].iter().step_by(self.outputs);
            let first = values.next();
            values.all(|value| Some(value) == first)
        };
        match (0..self.outputs).find(constant) {
            Some(label) => Err(HeadFitError::ConstantLabel { label }),
            None => Ok(()),
        }
    }
}

impl Units {
    /// Those of `train`: labels become 1 and −1; numbers get mean 0 and (population) standard deviation 1, or stay where
    /// they are all the same.
    pub fn of(train: &Targets<'_>) -> Units {
        let outputs = train.outputs;
        if train.kind == TargetKind::Labels {
            return Units { kind: train.kind, shift: vec![0.5; outputs], factor: vec![2.0; outputs] };
        }
        let n = train.rows() as f64;
        let column = |output: usize| train.values[output..].iter().step_by(outputs);
        let shift: Vec<f64> = (0..outputs).map(|output| column(output).sum::<f64>() / n).collect();
        let spread = |output: usize| {
            let variance = column(output).map(|value| (value - shift[output]).powi(2)).sum::<f64>() / n;
            // As features': what is constant but for rounding is constant.
            let rounding = n * f64::EPSILON * variance + (n * shift[output] * f64::EPSILON).powi(2);
            if variance <= rounding { 1.0 } else { variance.sqrt().recip() }
        };
        Units { kind: train.kind, factor: (0..outputs).map(spread).collect(), shift }
    }

    /// Of targets that are put already.
    pub(crate) fn plain(kind: TargetKind, outputs: usize) -> Units {
        Units { kind, shift: vec![0.0; outputs], factor: vec![1.0; outputs] }
    }

    pub(crate) fn put(&self, output: usize, value: f64) -> f64 {
        (value - self.shift[output]) * self.factor[output]
    }

    /// Makes a last layer that was fitted to put numbers give them as they were; scores of labels stay as they are.
    pub(crate) fn restore(&self, layer: &mut Dense) {
        if self.kind == TargetKind::Labels {
            return;
        }
        let rows = layer.weight.chunks_exact_mut(layer.inputs).zip(&mut layer.bias);
        for ((weight, bias), (shift, factor)) in rows.zip(self.shift.iter().zip(&self.factor)) {
            weight.iter_mut().for_each(|value| *value = (f64::from(*value) / factor) as f32);
            *bias = (f64::from(*bias) / factor + shift) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifact::Matrix;

    #[test]
    fn each_lie_has_its_error() {
        let message = |rows: usize, kind, values: &[f64], outputs| {
            let features = vec![0.0; rows];
            let matrix = Matrix::new(&features, 1).unwrap();
            let targets = Targets::new(&matrix, kind, values, outputs);
            targets.and_then(|targets| targets.check_trainable()).unwrap_err().to_string()
        };
        use TargetKind::{Labels, Numbers};
        for (got, expected) in [
            (message(0, Labels, &[], 2), "no rows"),
            (message(1, Numbers, &[1.0], 2), "1 rows of features with 2 targets each, but 1 values"),
            (message(2, Labels, &[1.0, 0.5], 1), "row 1, output 0: 0.5 is no target"),
            (message(1, Numbers, &[1.0, f64::NAN], 2), "row 0, output 1: NaN is no target"),
            (
                message(2, Numbers, &[5.0, 1e-40, 7.0, 2e-40], 2),
                "output 1: its numbers differ by less than 1.2e-38; give them in a smaller unit",
            ),
            (message(2, Labels, &[1.0, 0.0, 0.0, 0.0], 2), "label 1 is the same in all rows"),
        ] {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn numbers_are_standardised_and_put_back() {
        let features = [0.0; 4];
        let matrix = Matrix::new(&features, 1).unwrap();
        let values = [1990.0, 0.1, 2000.0, 0.1, 2010.0, 0.1, 2000.0, 0.1];
        let units = Units::of(&Targets::new(&matrix, TargetKind::Numbers, &values, 2).unwrap());
        let put: Vec<f64> = values.iter().step_by(2).map(|&year| units.put(0, year)).collect();
        assert!((put.iter().map(|v| v * v).sum::<f64>() / 4.0 - 1.0).abs() < 1e-12, "{put:?}");
        assert_eq!(units.factor[1], 1.0);
        let mut layer =
            Dense { inputs: 1, outputs: 2, weight: vec![1.0, 0.0], bias: vec![put[0] as f32, 0.0] };
        units.restore(&mut layer);
        assert!((layer.bias[0] - 1990.0).abs() < 1e-3 && (layer.bias[1] - 0.1).abs() < 1e-6, "{layer:?}");
        assert!((f64::from(layer.weight[0]) - 50f64.sqrt()).abs() < 1e-5, "{layer:?}");
    }
}
