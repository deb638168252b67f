//! The vertical pass: every output row is a weighted sum of neighbouring rows.

use super::{HALF, to_byte, weights::Weights};
use crate::simd::{Isa, Kernel};

/// Bytes of a row whose sums are held in registers.
const RUN: usize = 32;

/// Rows of `stride` bytes, the first of which is row `offset` of the picture → `weights.len()` such rows.
pub(super) fn pass(isa: Isa, source: &[u8], stride: usize, offset: usize, weights: &Weights) -> Vec<u8> {
    let mut output = vec![0; weights.len() * stride];
    isa.run(Down { source, stride, offset, weights, output: &mut output });
    output
}

struct Down<'a> {
    source: &'a [u8],
    stride: usize,
    offset: usize,
    weights: &'a Weights,
    output: &'a mut [u8],
}

impl Kernel for Down<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: Isa) {
        let stride = self.stride;
        for ((first, weights), out) in self.weights.iter().zip(self.output.chunks_exact_mut(stride)) {
            let inputs = &self.source[(first - self.offset) * stride..][..weights.len() * stride];
            let mut runs = out.chunks_exact_mut(RUN);
            for (x, out) in (&mut runs).enumerate() {
                sum::<RUN>(&inputs[x * RUN..], stride, weights, out);
            }
            let rest = runs.into_remainder();
            let from = stride - rest.len();
            for (x, out) in rest.chunks_mut(1).enumerate() {
                sum::<1>(&inputs[from + x..], stride, weights, out);
            }
        }
    }
}

/// N bytes of an output row.
#[inline(always)]
fn sum<const N: usize>(inputs: &[u8], stride: usize, weights: &[i32], out: &mut [u8]) {
    let mut sums = [HALF; N];
    for (row, weight) in inputs.chunks(stride).zip(weights) {
        for (sum, byte) in sums.iter_mut().zip(&row[..N]) {
            *sum += i32::from(*byte) * weight;
        }
    }
    for (byte, sum) in out.iter_mut().zip(&sums) {
        *byte = to_byte(*sum);
    }
}
