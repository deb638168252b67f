//! Standardisation: learnt from the training rows, applied inside a solver, folded back out of its result.

use features::Rows;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use weights::{Dense, Places};

use crate::{HeadFitError, examples::BLOCK};

/// `(x - mean) * inverse` of every column, in f32; the identity has mean 0 and inverse 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scaling {
    mean: Vec<f32>,
    /// 1 / standard deviation.
    inverse: Vec<f32>,
}

/// Rows, means and sums of squared deviations of every column of some rows.
struct Moments {
    rows: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Scaling {
    /// Leaves features as they are.
    pub(crate) fn identity(dim: usize) -> Scaling {
        Scaling { mean: vec![0.0; dim], inverse: vec![1.0; dim] }
    }

    /// Standardises if `standardize`, else only takes the mean off, which changes nothing for a fit that does not depend
    /// on where zero is but its rounding.
    pub(crate) fn centred(rows: &dyn Rows, standardize: bool) -> Scaling {
        let scaling = Scaling::of(rows);
        let inverse = if standardize { scaling.inverse } else { vec![1.0; rows.dim()] };
        Scaling { inverse, ..scaling }
    }

    /// Mean and (population) standard deviation of every column, as scikit-learn's `StandardScaler`. A column that is
    /// constant up to rounding has standard deviation 1.
    pub(crate) fn of(rows: &dyn Rows) -> Scaling {
        let Moments { rows: n, mean, squares } = Moments::of(rows);
        let inverse = mean.iter().zip(squares).map(|(mean, squares)| {
            let variance = squares / n;
            // scikit-learn's `_is_constant_feature`.
            inverse_of(variance, n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2))
        });
        Scaling { inverse: inverse.collect(), mean: mean.iter().map(|&mean| mean as f32).collect() }
    }

    /// The same of every channel of flattened rows: the mean and standard deviation over all places of all rows, repeated as rows lie.
    pub(crate) fn of_channels(rows: &dyn Rows, of: Places) -> Scaling {
        let Moments { rows: n, mean, squares } = Moments::of(rows);
        let Places { channels, places, .. } = of;
        let (mut scaling, p) = (Scaling::identity(of.len()), places as f64);
        for channel in 0..channels {
            let each = || (0..places).map(|place| of.at(place, channel));
            let whole = each().map(|at| mean[at]).sum::<f64>() / p;
            let variance = each().map(|at| squares[at] / n + (mean[at] - whole).powi(2)).sum::<f64>() / p;
            let rounding = n * p * f64::EPSILON * variance + (n * p * whole * f64::EPSILON).powi(2);
            let inverse = inverse_of(variance, rounding);
            for at in each() {
                (scaling.mean[at], scaling.inverse[at]) = (whole as f32, inverse);
            }
        }
        scaling
    }

    /// Of the first place's channels, (c,), so many times: what a pool of these rows has.
    pub(crate) fn pooled(&self, of: Places, times: usize) -> Scaling {
        let pick = |values: &[f32]| {
            let channels: Vec<f32> = (0..of.channels).map(|channel| values[of.at(0, channel)]).collect();
            channels.repeat(times)
        };
        Scaling { mean: pick(&self.mean), inverse: pick(&self.inverse) }
    }

    /// `values` times what numbers are scaled by, (k, d) both.
    pub(crate) fn scale_weights(&self, values: &mut [f32]) {
        for (value, inverse) in values.iter_mut().zip(self.inverse.iter().cycle()) {
            *value *= inverse;
        }
    }

    /// Reads the rows from `first` on into `out`, (k, d), scaled.
    pub(crate) fn read(&self, rows: &dyn Rows, first: usize, out: &mut [f32]) {
        rows.read(first, out);
        Arch::new().dispatch(Scale { by: self, rows: out });
    }

    /// Reads these rows, ascending, into `out`, (k, d), scaled.
    pub(crate) fn read_some(&self, rows: &dyn Rows, which: &[usize], out: &mut [f32]) {
        rows.read_some(which, out);
        Arch::new().dispatch(Scale { by: self, rows: out });
    }

    /// The layer that does to raw features what `weight` (outputs, d) and `bias` (outputs,) do to
    /// scaled ones.
    ///
    /// # Errors
    /// [`HeadFitError::OutOfRange`] where it is not finite.
    pub(crate) fn fold(&self, weight: &[f64], bias: &[f64]) -> Result<Dense, HeadFitError> {
        let dim = self.mean.len();
        let mut folded = Dense {
            inputs: dim,
            outputs: bias.len(),
            weight: Vec::with_capacity(weight.len()),
            bias: Vec::with_capacity(bias.len()),
        };
        for (row, bias) in weight.chunks_exact(dim).zip(bias) {
            let mut shift = 0.0;
            for ((weight, &mean), &inverse) in row.iter().zip(&self.mean).zip(&self.inverse) {
                let weight = weight * f64::from(inverse);
                shift += weight * f64::from(mean);
                folded.weight.push(weight as f32);
            }
            folded.bias.push((bias - shift) as f32);
        }
        let finite = folded.weight.iter().chain(&folded.bias).all(|value| value.is_finite());
        if finite { Ok(folded) } else { Err(HeadFitError::OutOfRange) }
    }
}

/// 1 / standard deviation; 1 of what varies no more than by its `rounding`.
fn inverse_of(variance: f64, rounding: f64) -> f32 {
    // Below f32's smallest normal number a column says nothing, and a weight divided by it would overflow.
    let tiny = variance.sqrt() < f64::from(f32::MIN_POSITIVE);
    if variance <= rounding || tiny { 1.0 } else { variance.sqrt().recip() as f32 }
}

/// Some rows to scale, in the shape that `pulp` calls, so that it is compiled for several instruction sets.
struct Scale<'a> {
    by: &'a Scaling,
    /// (k, d)
    rows: &'a mut [f32],
}

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_exact_mut(self.by.mean.len()) {
            for ((x, mean), inverse) in row.iter_mut().zip(&self.by.mean).zip(&self.by.inverse) {
                *x = (*x - mean) * inverse;
            }
        }
    }
}

impl Moments {
    /// Of all rows: block by block, the blocks' joined in order (Chan, Golub and LeVeque, 1979), so that the result
    /// does not depend on the number of threads, and large means cost no digits.
    fn of(rows: &dyn Rows) -> Moments {
        let (n, dim) = (rows.len(), rows.dim());
        let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let mut all = Moments { rows: 0.0, mean: vec![0.0; dim], squares: vec![0.0; dim] };
        for starts in starts.chunks(64) {
            let parts: Vec<Moments> = starts
                .par_iter()
                .map(|&start| Moments::of_block(rows, start, BLOCK.min(n - start)))
                .collect();
            parts.iter().for_each(|part| all.join(part));
        }
        all
    }

    fn of_block(rows: &dyn Rows, first: usize, count: usize) -> Moments {
        let dim = rows.dim();
        let mut block = vec![0.0; count * dim];
        rows.read(first, &mut block);
        let mut mean = vec![0.0; dim];
        for row in block.chunks_exact(dim) {
            mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        mean.iter_mut().for_each(|sum| *sum /= count as f64);
        let mut squares = vec![0.0; dim];
        for row in block.chunks_exact(dim) {
            for ((sum, &x), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(x) - mean).powi(2);
            }
        }
        Moments { rows: count as f64, mean, squares }
    }

    fn join(&mut self, part: &Moments) {
        let rows = self.rows + part.rows;
        let columns = self.mean.iter_mut().zip(&mut self.squares).zip(part.mean.iter().zip(&part.squares));
        for ((mean, squares), (part_mean, part_squares)) in columns {
            let apart = part_mean - *mean;
            *mean += apart * part.rows / rows;
            *squares += part_squares + apart * apart * self.rows * part.rows / rows;
        }
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    #[test]
    fn scaled_columns_have_mean_zero_and_std_one_and_constant_ones_stay_finite() {
        // The second column is constant at a value that f64 sums cannot average exactly; the third is far from zero.
        let n = 3 * BLOCK / 2;
        let features: Vec<f32> = (0..n).flat_map(|i| [i as f32, 0.1, 1e6 - i as f32]).collect();
        let matrix = Matrix::new(&features, 3).unwrap();
        let scaling = Scaling::of(&matrix);
        assert_eq!(scaling.inverse[1], 1.0);
        let mut scaled = vec![0.0; features.len()];
        scaling.read(&matrix, 0, &mut scaled);
        for (column, spread) in [(0, 1.0), (1, 0.0), (2, 1.0)] {
            let values: Vec<f64> = scaled.chunks_exact(3).map(|row| f64::from(row[column])).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|v| v * v).sum::<f64>() / n as f64;
            // The mean is rounded to f32: at 1e6 that is up to 1/32, of a deviation of 110.
            assert!(mean.abs() < 5e-4 && (variance - spread).abs() < 1e-5, "{column}: {mean}, {variance}");
        }
    }

    #[test]
    fn folding_changes_nothing_but_the_place_of_the_scaling() {
        let features: Vec<f32> = (0..20).map(|i| ((i * 7919) % 31) as f32 / 3.0).collect();
        let matrix = Matrix::new(&features, 2).unwrap();
        let scaling = Scaling::of(&matrix);
        let (weight, bias) = ([0.5, -1.5], [0.25]);
        let layer = scaling.fold(&weight, &bias).unwrap();
        let mut scaled = vec![0.0; 20];
        scaling.read(&matrix, 0, &mut scaled);
        for (raw, scaled) in features.chunks_exact(2).zip(scaled.chunks_exact(2)) {
            let expected = bias[0] + weight[0] * f64::from(scaled[0]) + weight[1] * f64::from(scaled[1]);
            let got = layer.bias[0] + layer.weight[0] * raw[0] + layer.weight[1] * raw[1];
            assert!((f64::from(got) - expected).abs() < 1e-5, "{got} is not {expected}");
        }
    }
}
