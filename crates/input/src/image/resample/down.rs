//! The vertical pass: every output row is a weighted sum of neighbouring rows.

use super::{HALF, to_byte, weights::Weights};
use crate::image::simd::{Isa, Kernel};

/// Bytes of a row whose sums are held in registers.
pub(crate) const RUN: usize = 64;

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
    fn run(self, isa: Isa) {
        let stride = self.stride;
        for ((first, weights), out) in self.weights.iter().zip(self.output.chunks_exact_mut(stride)) {
            let inputs = &self.source[(first - self.offset) * stride..][..weights.len() * stride];
            if stride < RUN {
                for (x, out) in out.iter_mut().enumerate() {
                    [*out] = sum(&inputs[x..], stride, weights);
                }
                continue;
            }
            // The last run lies over the one before, where the row is no whole number of them.
            for x in (0..stride - RUN).step_by(RUN).chain([stride - RUN]) {
                out[x..x + RUN].copy_from_slice(&isa.down(&inputs[x..], stride, weights));
            }
        }
    }
}

/// N bytes of an output row.
#[inline(always)]
fn sum<const N: usize>(inputs: &[u8], stride: usize, weights: &[i32]) -> [u8; N] {
    let mut sums = [HALF; N];
    for (row, weight) in weights.iter().enumerate() {
        for (sum, byte) in sums.iter_mut().zip(&inputs[row * stride..][..N]) {
            *sum += i32::from(*byte) * weight;
        }
    }
    sums.map(to_byte)
}

/// [`RUN`] bytes of an output row: the weighted sum of those of some rows, which begin `stride` bytes from one another.
pub(crate) fn portable(inputs: &[u8], stride: usize, weights: &[i32]) -> [u8; RUN] {
    sum(inputs, stride, weights)
}

/// The same for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn avx2(inputs: &[u8], stride: usize, weights: &[i32]) -> [u8; RUN] {
    use super::vector::{add, half, to_bytes};

    let mut sums = [[half(); 2]; RUN / 16];
    for (row, weight) in weights.iter().enumerate() {
        let (bytes, _) = inputs[row * stride..][..RUN].as_chunks::<16>();
        for (sums, bytes) in sums.iter_mut().zip(bytes) {
            add(sums, bytes, *weight);
        }
    }
    bytemuck::cast([to_bytes(sums[0]), to_bytes(sums[1]), to_bytes(sums[2]), to_bytes(sums[3])])
}
