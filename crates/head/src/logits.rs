//! Applying a head.

use artifact::Dense;
use rayon::prelude::*;

/// Rows that share a pass over the weights. Does not affect bits.
const TILE: usize = 4;
/// Outputs that are accumulated together. Does not affect bits.
const LANES: usize = 64;

/// What `layers` make of the rows of `x` (n, d) f32, with ReLU between layers: (n, C) f32.
///
/// Each value is one chain of f64 multiplications and additions, from the bias over the inputs in
/// order, rounded to f32 once a layer. A row's logits therefore depend on the row alone: not on the
/// other rows, the number of threads or the instruction set.
///
/// # Panics
/// Where `x` is not a whole number of rows of the first layer's inputs, or the layers do not fit one
/// another: artefacts are checked for both when they are read.
pub fn logits(layers: &[Dense], x: &[f32]) -> Vec<f32> {
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return x.to_vec();
    };
    assert_eq!(x.len() % first.inputs, 0, "rows of {} values", first.inputs);
    let chain: Vec<Transposed> = layers.iter().map(Transposed::of).collect();
    let mut out = vec![0.0; x.len() / first.inputs * last.outputs];
    let tiles = out.par_chunks_mut(TILE * last.outputs).zip(x.par_chunks(TILE * first.inputs));
    tiles.for_each(|(out, x)| {
        let (rest, last) = chain.split_at(chain.len() - 1);
        let mut values = x.to_vec();
        for layer in rest {
            let mut hidden = vec![0.0; values.len() / layer.inputs * layer.outputs];
            layer.apply(&values, &mut hidden);
            hidden.iter_mut().for_each(|value| *value = value.max(0.0));
            values = hidden;
        }
        last[0].apply(&values, out);
    });
    out
}

/// Probabilities of `logits` (n, classes), in f64: exp(z − max) / Σ exp(z − max), row by row.
///
/// # Panics
/// Where `classes` is zero.
pub fn softmax(logits: &[f32], classes: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes) {
        let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let start = out.len();
        out.extend(row.iter().map(|&logit| (f64::from(logit) - top).exp()));
        let sum: f64 = out[start..].iter().sum();
        out[start..].iter_mut().for_each(|value| *value /= sum);
    }
    out
}

/// A layer laid out so that vector lanes run across outputs, each with its own chain over inputs.
struct Transposed {
    inputs: usize,
    outputs: usize,
    /// (inputs, outputs)
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Transposed {
    fn of(layer: &Dense) -> Transposed {
        let &Dense { inputs, outputs, .. } = layer;
        let mut weight = vec![0.0; inputs * outputs];
        for (output, row) in layer.weight.chunks_exact(inputs).enumerate() {
            for (input, &value) in row.iter().enumerate() {
                weight[input * outputs + output] = f64::from(value);
            }
        }
        Transposed { inputs, outputs, weight, bias: layer.bias.iter().copied().map(f64::from).collect() }
    }

    /// `x` (rows, inputs), at most `TILE` rows; `out` (rows, outputs).
    fn apply(&self, x: &[f32], out: &mut [f32]) {
        let rows = x.len() / self.inputs;
        for start in (0..self.outputs).step_by(LANES) {
            let width = LANES.min(self.outputs - start);
            let mut sums = [[0.0f64; LANES]; TILE];
            for sums in &mut sums[..rows] {
                sums[..width].copy_from_slice(&self.bias[start..start + width]);
            }
            for input in 0..self.inputs {
                let weights = &self.weight[input * self.outputs + start..][..width];
                for (row, sums) in sums[..rows].iter_mut().enumerate() {
                    let value = f64::from(x[row * self.inputs + input]);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
            for (row, sums) in sums[..rows].iter().enumerate() {
                let out = &mut out[row * self.outputs + start..][..width];
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> Vec<Dense> {
        let values =
            |n: usize, salt: usize| (0..n).map(|i| ((i * 7919 + salt) % 101) as f32 / 50.0 - 1.0).collect();
        vec![
            Dense { inputs: 37, outputs: 70, weight: values(37 * 70, 1), bias: values(70, 2) },
            Dense { inputs: 70, outputs: 5, weight: values(350, 3), bias: values(5, 4) },
        ]
    }

    fn rows(n: usize) -> Vec<f32> {
        (0..n * 37).map(|i| ((i * 104_729) % 997) as f32 / 100.0 - 5.0).collect()
    }

    #[test]
    fn equals_the_definition() {
        let (layers, x) = (layers(), rows(9));
        for (row, got) in x.chunks_exact(37).zip(logits(&layers, &x).chunks_exact(5)) {
            let mut values = row.to_vec();
            for (depth, layer) in layers.iter().enumerate() {
                values = (0..layer.outputs)
                    .map(|output| {
                        let start = f64::from(layer.bias[output]);
                        let weights = &layer.weight[output * layer.inputs..][..layer.inputs];
                        let sum = weights
                            .iter()
                            .zip(&values)
                            .fold(start, |sum, (&w, &v)| sum + f64::from(w) * f64::from(v));
                        if depth == 0 { (sum as f32).max(0.0) } else { sum as f32 }
                    })
                    .collect();
            }
            assert_eq!(got, values);
        }
    }

    #[test]
    fn bits_depend_on_the_row_alone() {
        let (layers, x) = (layers(), rows(23));
        let all = logits(&layers, &x);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| logits(&layers, &x)), all, "{threads} threads");
        }
        for batch in [1, 3, 22] {
            let parts: Vec<f32> = x.chunks(batch * 37).flat_map(|x| logits(&layers, x)).collect();
            assert_eq!(parts, all, "batches of {batch}");
        }
    }

    #[test]
    fn softmax_survives_large_logits() {
        let probabilities = softmax(&[1000.0, 1000.0, -1000.0, 0.0, 0.0, 0.0], 3);
        assert_eq!(probabilities[..3], [0.5, 0.5, 0.0]);
        assert!((probabilities[3] - 1.0 / 3.0).abs() < 1e-16);
    }
}
