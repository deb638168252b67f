//! The horizontal pass: every output column is a weighted sum of neighbouring columns.
//!
//! Sixteen rows at a time are turned on their side, so that a vector runs down the rows and one weight is the same for
//! all of it; then the outcome is turned back.

use super::{CHANNELS, HALF, Rows, to_byte, weights::Weights};
use crate::image::simd::{Isa, Kernel, turn};
use std::ops::Range;

/// Rows that go together.
pub(crate) const LANES: usize = 16;

/// A byte of each of sixteen rows.
pub(crate) type Lane = [u8; LANES];

/// `wanted` rows of `source` → as many rows of `weights.len()` pixels.
pub(super) fn pass(isa: Isa, source: &dyn Rows, wanted: Range<usize>, weights: &Weights) -> Vec<u8> {
    let width = weights.len() * CHANNELS;
    let mut output = vec![0; wanted.len() * width];
    // Rows padded to whole lanes, so that every step turns sixteen bytes of sixteen rows.
    let apart = source.stride().next_multiple_of(LANES);
    let mut band = vec![0; apart * LANES];
    let mut turned: Vec<Lane> = vec![[0; LANES]; apart];
    let mut sums: Vec<Lane> = vec![[0; LANES]; width.next_multiple_of(LANES)];
    let first = source.first();
    for (start, out) in wanted.clone().step_by(LANES).zip(output.chunks_mut(width * LANES)) {
        source.read(start..wanted.end.min(start + LANES), &mut band, apart);
        isa.run(Band { band: &band, turned: &mut turned, first, weights, sums: &mut sums, out, width });
    }
    output
}

struct Band<'a> {
    band: &'a [u8],
    turned: &'a mut [Lane],
    first: usize,
    weights: &'a Weights,
    sums: &'a mut [Lane],
    out: &'a mut [u8],
    width: usize,
}

impl Kernel for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, isa: Isa) {
        let apart = self.band.len() / LANES;
        for (x, lanes) in self.turned.chunks_exact_mut(LANES).enumerate() {
            let rows = std::array::from_fn(|row| lane(&self.band[row * apart + x * LANES..]));
            lanes.copy_from_slice(&turn(rows));
        }
        for ((first, weights), out) in self.weights.iter().zip(self.sums.chunks_exact_mut(CHANNELS)) {
            let inputs = &self.turned[(first - self.first) * CHANNELS..][..weights.len() * CHANNELS];
            out.copy_from_slice(&isa.across(inputs, weights));
        }
        for (x, lanes) in self.sums.chunks_exact(LANES).enumerate() {
            let rows = turn(std::array::from_fn(|i| lanes[i]));
            let from = x * LANES;
            let bytes = (self.width - from).min(LANES);
            for (out, row) in self.out.chunks_exact_mut(self.width).zip(&rows) {
                match <&mut Lane>::try_from(&mut out[from..from + bytes]) {
                    Ok(whole) => *whole = *row,
                    Err(_) => out[from..].copy_from_slice(&row[..bytes]),
                }
            }
        }
    }
}

/// The weighted sum of some columns' pixels, each of which is three lanes.
pub(crate) fn portable(inputs: &[Lane], weights: &[i32]) -> [Lane; CHANNELS] {
    let mut sums = [[HALF; LANES]; CHANNELS];
    for (pixel, weight) in inputs.chunks_exact(CHANNELS).zip(weights) {
        for (sums, bytes) in sums.iter_mut().zip(pixel) {
            for (sum, byte) in sums.iter_mut().zip(bytes) {
                *sum += i32::from(*byte) * weight;
            }
        }
    }
    sums.map(|sums| sums.map(to_byte))
}

/// The same for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn avx2(inputs: &[Lane], weights: &[i32]) -> [Lane; CHANNELS] {
    use super::vector::{add, half, to_bytes};

    let mut sums = [[half(); 2]; CHANNELS];
    for (pixel, weight) in inputs.chunks_exact(CHANNELS).zip(weights) {
        for (sums, bytes) in sums.iter_mut().zip(pixel) {
            add(sums, bytes, *weight);
        }
    }
    [to_bytes(sums[0]), to_bytes(sums[1]), to_bytes(sums[2])]
}

#[inline(always)]
fn lane(bytes: &[u8]) -> Lane {
    let mut lane = [0; LANES];
    lane.copy_from_slice(&bytes[..LANES]);
    lane
}

/// Rows ↔ columns of 16×16 bytes: four times over, each vector is interleaved with the one eight further on.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
pub(crate) fn turned(rows: [Lane; LANES]) -> [Lane; LANES] {
    use std::arch::x86_64::{__m128i, _mm_unpackhi_epi8, _mm_unpacklo_epi8};

    let step = |v: [__m128i; LANES]| -> [__m128i; LANES] {
        let low = |i: usize| _mm_unpacklo_epi8(v[i], v[i + 8]);
        let high = |i: usize| _mm_unpackhi_epi8(v[i], v[i + 8]);
        [
            low(0),
            high(0),
            low(1),
            high(1),
            low(2),
            high(2),
            low(3),
            high(3),
            low(4),
            high(4),
            low(5),
            high(5),
            low(6),
            high(6),
            low(7),
            high(7),
        ]
    };
    bytemuck::cast(step(step(step(step(bytemuck::cast(rows))))))
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn turned(rows: [Lane; LANES]) -> [Lane; LANES] {
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_puts_rows_where_columns_were() {
        let rows: [Lane; LANES] = std::array::from_fn(|y| std::array::from_fn(|x| (y * 16 + x) as u8));
        let turned: [Lane; LANES] = std::array::from_fn(|y| std::array::from_fn(|x| (x * 16 + y) as u8));
        assert_eq!(turn(rows), turned);
    }
}
