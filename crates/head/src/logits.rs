//! Applying a head.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use weights::Dense;

/// Rows whose sums are held together: with two vectors of four each they stay in registers (2.1x over 4 x 32 on AVX2).
/// Does not affect bits.
const TILE: usize = 4;
/// Outputs whose sums are held together. Does not affect bits.
const LANES: usize = 8;
/// Rows that share a pass over a panel of weights, which stays in a near cache meanwhile. Does not affect bits.
const BLOCK: usize = 64;

/// What `layers` make of the rows of `x` (n, d) f32, with ReLU between layers: (n, C) f32.
///
/// Each value is one chain of fused f64 multiplications and additions, from the bias over the inputs in
/// order, rounded to f32 once a layer. A row's logits therefore depend on the row alone: not on the
/// other rows, the number of threads or the instruction set.
///
/// # Panics
/// Where `x` is not a whole number of rows of the first layer's inputs, or the layers do not fit one
/// another: artefacts are checked for both when they are read.
pub fn logits(layers: &[Dense], x: &[f32]) -> Vec<f32> {
    Logits::of(layers).of_rows(x)
}

/// Layers made ready to be applied to block after block of rows.
pub(crate) struct Logits {
    layers: Vec<Panels>,
}

impl Logits {
    /// Lays `layers` out anew.
    pub(crate) fn of(layers: &[Dense]) -> Logits {
        Logits { layers: layers.iter().map(Panels::of).collect() }
    }

    /// As [`logits`].
    ///
    /// # Panics
    /// As [`logits`].
    pub(crate) fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        let (Some(first), Some(last)) = (self.layers.first(), self.layers.last()) else {
            return x.to_vec();
        };
        assert_eq!(x.len() % first.inputs, 0, "rows of {} values", first.inputs);
        let mut out = vec![0.0; x.len() / first.inputs * last.outputs];
        let blocks = out.par_chunks_mut(BLOCK * last.outputs).zip(x.par_chunks(BLOCK * first.inputs));
        blocks.for_each(|(out, x)| {
            let mut values = x.to_vec();
            for layer in &self.layers {
                let mut next = vec![0.0; values.len() / layer.inputs * layer.outputs];
                Arch::new().dispatch(Apply { layer, x: &values, out: &mut next });
                if !std::ptr::eq(layer, last) {
                    next.iter_mut().for_each(|value| *value = value.max(0.0));
                }
                values = next;
            }
            out.copy_from_slice(&values);
        });
        out
    }
}

/// Probabilities of `logits` (n, classes), in f64: exp(z − max) / Σ exp(z − max), row by row.
///
/// # Panics
/// Where `classes` is zero.
pub fn softmax(logits: &[f32], classes: usize) -> Vec<f64> {
    let mut out = vec![0.0; logits.len()];
    let blocks = out.par_chunks_mut(BLOCK * classes).zip(logits.par_chunks(BLOCK * classes));
    blocks.for_each(|(out, logits)| Arch::new().dispatch(Softmax { logits, classes, out }));
    out
}

/// Probabilities of `logits` of labels, each by itself, in f64: 1 / (1 + exp(−z)).
pub fn sigmoid(logits: &[f32]) -> Vec<f64> {
    logits.iter().map(|&logit| sigmoid_of(f64::from(logit))).collect()
}

/// 1 / (1 + exp(−x)), without loss of digits where it is small.
pub(crate) fn sigmoid_of(x: f64) -> f64 {
    let tail = exp(-x.abs());
    if x > 0.0 { 1.0 / (1.0 + tail) } else { tail / (1.0 + tail) }
}

/// A layer and what it is applied to, in the shape that `pulp` calls: what is inlined into it is compiled for several
/// instruction sets, none of which fuses or reorders what is written.
struct Apply<'a> {
    layer: &'a Panels,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.layer.apply(self.x, self.out);
    }
}

/// Some rows' softmax, likewise.
struct Softmax<'a> {
    logits: &'a [f32],
    classes: usize,
    out: &'a mut [f64],
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.logits.chunks_exact(self.classes).zip(self.out.chunks_exact_mut(self.classes));
        for (row, out) in rows {
            let top = row.iter().fold(f32::NEG_INFINITY, |top, &logit| if logit > top { logit } else { top });
            for (out, &logit) in out.iter_mut().zip(row) {
                *out = exp(f64::from(logit) - f64::from(top));
            }
            let sum: f64 = out.iter().sum();
            out.iter_mut().for_each(|value| *value /= sum);
        }
    }
}

/// exp(x) for x ≤ 0, to 2 units in the last place; 0 below −708, where f64 has no normal number any more. Ours, because the
/// system's depends on the processor.
///
/// 2ᵏ · exp(r) with k = round(x / ln 2): r is taken off in two parts (Cody and Waite, 1980), so that it keeps its digits,
/// and exp(r) is its Taylor series to r¹³ on |r| ≤ ln 2 / 2.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // 1.5 · 2⁵²: adding it leaves no room for digits after the point: the processor rounds, without a call.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// 1/13! up to 1/0!
    const SERIES: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let clamped = if x < -708.0 { -708.0 } else { x };
    let shifted = clamped * LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 0.0;
    for coefficient in SERIES {
        sum = sum * r + coefficient;
    }
    // The low bits of `shifted` are k's; moved to where an exponent lies, they multiply by 2ᵏ.
    let scaled = f64::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 52));
    if x < -708.0 { 0.0 } else { scaled }
}

/// A layer laid out so that vector lanes run across outputs, each with its own chain over inputs: panels of `LANES`
/// outputs, (panels, inputs, LANES), the last one filled up with zeros.
struct Panels {
    inputs: usize,
    outputs: usize,
    weight: Vec<[f64; LANES]>,
    bias: Vec<[f64; LANES]>,
}

impl Panels {
    fn of(layer: &Dense) -> Panels {
        let &Dense { inputs, outputs, .. } = layer;
        let panels = outputs.div_ceil(LANES);
        let mut weight = vec![[0.0; LANES]; panels * inputs];
        let mut bias = vec![[0.0; LANES]; panels];
        for (output, row) in layer.weight.chunks_exact(inputs).enumerate() {
            let (panel, lane) = (output / LANES, output % LANES);
            for (weight, &value) in weight[panel * inputs..].iter_mut().zip(row) {
                weight[lane] = f64::from(value);
            }
            bias[panel][lane] = f64::from(layer.bias[output]);
        }
        Panels { inputs, outputs, weight, bias }
    }

    /// `x` (rows, inputs); `out` (rows, outputs).
    #[inline(always)]
    fn apply(&self, x: &[f32], out: &mut [f32]) {
        let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        for (panel, bias) in self.bias.iter().enumerate() {
            let weight = &self.weight[panel * self.inputs..][..self.inputs];
            let tiles = wide.chunks(TILE * self.inputs).zip(out.chunks_mut(TILE * self.outputs));
            for (x, out) in tiles {
                if x.len() == TILE * self.inputs {
                    let rows: [&[f64]; TILE] =
                        std::array::from_fn(|row| &x[row * self.inputs..][..self.inputs]);
                    self.store(panel, &sums(bias, weight, rows), out);
                } else {
                    let rows = x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.outputs));
                    rows.for_each(|(x, out)| self.store(panel, &sums(bias, weight, [x]), out));
                }
            }
        }
    }

    /// The panel's sums to where they belong in `out` (ROWS, outputs).
    #[inline(always)]
    fn store<const ROWS: usize>(&self, panel: usize, sums: &[[f64; LANES]; ROWS], out: &mut [f32]) {
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(self.outputs)) {
            let out = &mut out[panel * LANES..];
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = *sum as f32);
        }
    }
}

/// One panel of outputs for some rows.
#[inline(always)]
fn sums<const ROWS: usize>(
    bias: &[f64; LANES],
    weight: &[[f64; LANES]],
    rows: [&[f64]; ROWS],
) -> [[f64; LANES]; ROWS] {
    let mut sums = [*bias; ROWS];
    for (input, weight) in weight.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let value = row[input];
            for (sum, weight) in sums.iter_mut().zip(weight) {
                *sum = value.mul_add(*weight, *sum);
            }
        }
    }
    sums
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
                            .fold(start, |sum, (&w, &v)| f64::from(v).mul_add(f64::from(w), sum));
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
    fn exp_equals_the_library_s_to_two_units() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1e4), 0.0);
        for step in 0..700_000 {
            let x = -f64::from(step) * 1e-3 - 1e-4;
            let (got, expected) = (exp(x), x.exp());
            assert!((got / expected - 1.0).abs() < 4.5e-16, "exp({x}) = {got:e}, expected {expected:e}");
        }
    }

    #[test]
    fn sigmoids_keep_their_digits_at_both_ends() {
        let got = sigmoid(&[0.0, 2.0, -2.0, 1000.0, -100.0]);
        assert_eq!((got[0], got[3]), (0.5, 1.0));
        assert!((got[1] + got[2] - 1.0).abs() < 1e-15 && (got[1] - 0.880_797_077_977_882_4).abs() < 1e-15);
        assert!((got[4] / (-100f64).exp() - 1.0).abs() < 1e-12, "{got:?}");
    }

    #[test]
    fn softmax_survives_large_logits() {
        let probabilities = softmax(&[1000.0, 1000.0, -1000.0, 0.0, 0.0, 0.0], 3);
        assert_eq!(probabilities[..3], [0.5, 0.5, 0.0]);
        assert!((probabilities[3] - 1.0 / 3.0).abs() < 1e-16);
    }
}
