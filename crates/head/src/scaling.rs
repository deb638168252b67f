//! Standardisation: learnt from the training rows, applied inside a solver, folded back out of its result.

use artifact::Dense;

use crate::Examples;

/// `(x - mean) / std` of every column; the identity has mean 0 and std 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scaling {
    mean: Vec<f64>,
    std: Vec<f64>,
}

impl Scaling {
    /// Leaves features as they are.
    pub(crate) fn identity(dim: usize) -> Scaling {
        Scaling { mean: vec![0.0; dim], std: vec![1.0; dim] }
    }

    /// Mean and (population) standard deviation of every column, in f64, as scikit-learn's
    /// `StandardScaler`. A column that is constant up to rounding has std 1.
    pub(crate) fn of(examples: &Examples<'_>) -> Scaling {
        let n = examples.rows() as f64;
        let mean = column_means(examples, |_, x| x);
        let variance = column_means(examples, |column, x| (x - mean[column]).powi(2));
        let std = mean.iter().zip(variance).map(|(mean, variance)| {
            // scikit-learn's `_is_constant_feature`.
            let rounding = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
            // Below f32's smallest normal number a column says nothing, and a weight divided by it would overflow.
            let tiny = variance.sqrt() < f64::from(f32::MIN_POSITIVE);
            if variance <= rounding || tiny { 1.0 } else { variance.sqrt() }
        });
        Scaling { std: std.collect(), mean }
    }

    /// Scaled features, (n, d) f64.
    pub(crate) fn apply(&self, features: &[f32]) -> Vec<f64> {
        let dim = self.mean.len();
        let mut out = Vec::with_capacity(features.len());
        for row in features.chunks_exact(dim) {
            let columns = row.iter().zip(&self.mean).zip(&self.std);
            out.extend(columns.map(|((&x, mean), std)| (f64::from(x) - mean) / std));
        }
        out
    }

    /// The layer that does to raw features what `weight` (outputs, d) and `bias` (outputs,) do to
    /// scaled ones.
    pub(crate) fn fold(&self, weight: &[f64], bias: &[f64]) -> Dense {
        let dim = self.mean.len();
        let mut folded = Dense {
            inputs: dim,
            outputs: bias.len(),
            weight: Vec::with_capacity(weight.len()),
            bias: Vec::with_capacity(bias.len()),
        };
        for (row, bias) in weight.chunks_exact(dim).zip(bias) {
            let mut shift = 0.0;
            for ((weight, mean), std) in row.iter().zip(&self.mean).zip(&self.std) {
                shift += weight / std * mean;
                folded.weight.push((weight / std) as f32);
            }
            folded.bias.push((bias - shift) as f32);
        }
        folded
    }
}

/// The mean of `what(column, x)` over the rows, (d,).
fn column_means(examples: &Examples<'_>, what: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; examples.dim()];
    for row in examples.features().chunks_exact(examples.dim()) {
        for (column, (sum, &x)) in sums.iter_mut().zip(row).enumerate() {
            *sum += what(column, f64::from(x));
        }
    }
    sums.iter().map(|sum| sum / examples.rows() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_columns_have_mean_zero_and_std_one_and_constant_ones_stay_finite() {
        // The second column is constant at a value that f64 sums cannot average exactly.
        let features: Vec<f32> = (0..30).flat_map(|i| [i as f32, 0.1, 1e6 - i as f32]).collect();
        let labels = vec![0; 30];
        let examples = Examples::new(&features, &labels, 3, 1).unwrap();
        let scaling = Scaling::of(&examples);
        assert_eq!(scaling.std[1], 1.0);
        let scaled = scaling.apply(&features);
        for (column, spread) in [(0, 1.0), (1, 0.0), (2, 1.0)] {
            let values: Vec<f64> = scaled.chunks_exact(3).map(|row| row[column]).collect();
            let mean = values.iter().sum::<f64>() / 30.0;
            let variance = values.iter().map(|v| v * v).sum::<f64>() / 30.0;
            assert!(mean.abs() < 1e-9 && (variance - spread).abs() < 1e-9, "{column}: {mean}, {variance}");
        }
    }

    #[test]
    fn folding_changes_nothing_but_the_place_of_the_scaling() {
        let features: Vec<f32> = (0..20).map(|i| ((i * 7919) % 31) as f32 / 3.0).collect();
        let labels = [0; 10];
        let scaling = Scaling::of(&Examples::new(&features, &labels, 2, 1).unwrap());
        let (weight, bias) = ([0.5, -1.5], [0.25]);
        let layer = scaling.fold(&weight, &bias);
        for (raw, scaled) in features.chunks_exact(2).zip(scaling.apply(&features).chunks_exact(2)) {
            let expected = bias[0] + weight[0] * scaled[0] + weight[1] * scaled[1];
            let got = layer.bias[0] + layer.weight[0] * raw[0] + layer.weight[1] * raw[1];
            assert!((f64::from(got) - expected).abs() < 1e-5, "{got} is not {expected}");
        }
    }
}
