//! Products of 16 bits: pairs of bf16, in a number's place, whose sums are f32.
//!
//! **Invariant:** as for all products, each number of a result is one chain of fused multiply-adds, beginning with the bias. Of
//! each pair the second number is first, as x86's `vdpbf16ps` has it. That instruction flushes
//! denormal numbers to zero. Here there are none: factors below 2⁻⁵⁰ count as zero, and biases below 2⁻⁹⁰, so that
//! every sum is a multiple of 2⁻¹¹⁴. So any processor that has a fused multiply-add gives the same bits, but for those that a NaN is
//! told by.

use super::{
    gemm::{Factors, Lane, Packed, Product},
    parallel::{Shared, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};
use std::cell::RefCell;

/// A product of pairs. It is run by [`Isa::run_pairs`].
pub(crate) struct OfPairs<'a>(pub(crate) Product<'a>);

impl Kernel for OfPairs<'_> {
    /// # Safety
    /// As [`Product::run_of`].
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised to this function.
        unsafe { self.0.run_of::<S, Pairs>() }
    }
}

/// Pairs of bf16.
pub(crate) struct Pairs;

impl Factors for Pairs {
    const COUNT: usize = 2;

    #[inline(always)]
    unsafe fn add<S: Simd>(x: S::V, w: S::V, sum: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::add_pairs(x, w, sum) }
    }
}

/// The bits of 2⁻⁵⁰.
pub(super) const LEAST: u32 = (127 - 50) << 23;
/// 2⁻⁹⁰.
const LEAST_BIAS: f32 = f32::from_bits((127 - 90) << 23);

/// The nearest bf16, ties to even; zero for what is small.
#[inline(always)]
pub(super) fn narrow(x: f32) -> u16 {
    let bits = x.to_bits();
    let size = bits & 0x7fff_ffff;
    let nearest = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    let number = if size < LEAST { 0 } else { nearest };
    if size > 0x7f80_0000 { (bits >> 16) as u16 | 0x40 } else { number }
}

/// Biases that sums of pairs may begin with.
pub(crate) fn biases(mut biases: Vec<Lane>) -> Vec<Lane> {
    let numbers = biases.iter_mut().flat_map(|lane| &mut lane.0);
    numbers.filter(|x| x.abs() < LEAST_BIAS).for_each(|x| *x = 0.0);
    biases
}

/// A matrix of (outputs, depth) pairs.
pub(crate) fn packed(outputs: usize, depth: usize, at: impl Fn(usize, usize) -> [f32; 2] + Sync) -> Packed {
    Packed::new(outputs, depth, |output, k| pair(at(output, k)))
}

/// Two numbers in the place of one.
#[inline(always)]
pub(super) fn pair(numbers: [f32; 2]) -> f32 {
    let [first, second] = numbers.map(|x| u32::from(narrow(x)));
    f32::from_bits(first | second << 16)
}

/// Blocks of a row in pairs, half as long. They may begin where the numbers do, or before.
///
/// # Safety
/// The processor has `S`; there are so many blocks at `from`, and half as many at `to`.
#[inline(always)]
pub(crate) unsafe fn narrow_row<S: Simd>(from: *const f32, to: *mut f32, blocks: usize) {
    for block in 0..blocks {
        // SAFETY: the caller's promise; what is written lies before what is read next.
        unsafe { S::narrow(to.cast::<u16>().add(block * LANES), S::load(from.add(block * LANES))) }
    }
}

thread_local! {
    /// Kept from one step to the next.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

/// Blocks of numbers that are narrowed at a time.
const GRAIN: usize = 64;

/// `work` on numbers in pairs, as they lie: half as long, and up to a block more.
pub(crate) fn with_pairs<R>(isa: Isa, numbers: &[Lane], work: impl FnOnce(&[Lane]) -> R) -> R {
    // Taken, not borrowed: a thread that waits for others may begin another part.
    let mut scratch = SCRATCH.take();
    let length = numbers.len().div_ceil(2);
    if scratch.len() < length {
        scratch.resize(length, Lane::default());
    }
    let pairs = &mut scratch[..length];
    let to = Shared::writing(pairs);
    each_line(numbers.len().div_ceil(GRAIN), GRAIN * LANES, |task| {
        let from = &numbers[task * GRAIN..numbers.len().min((task + 1) * GRAIN)];
        // SAFETY: `pairs` is half as long as `numbers`, rounded up; each task writes half of what it reads, of its own.
        unsafe {
            isa.run(Narrow { from, to: to.get().add(task * GRAIN * LANES / 2) });
        }
    });
    let result = work(pairs);
    SCRATCH.set(scratch);
    result
}

struct Narrow<'a> {
    from: &'a [Lane],
    /// Half as long.
    to: *mut f32,
}

impl Kernel for Narrow<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`.
        unsafe { narrow_row::<S>(self.from.as_ptr().cast(), self.to, self.from.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::gemm::tile_rows;
    use half::bf16;

    #[test]
    fn the_nearest_is_taken() {
        let mut numbers =
            vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1.0 + 2_f32.powi(-8), 3e38];
        numbers.extend((0..1_000_000_u32).map(|i| f32::from_bits(i.wrapping_mul(2_654_435_761))));
        let least = 2_f32.powi(-50);
        numbers.extend([least, -least, least * 1.999]);
        for x in numbers {
            let got = bf16::from_bits(narrow(x));
            if x.is_nan() {
                assert!(got.is_nan(), "{x}");
            } else if x.abs() < least {
                assert_eq!(got.to_bits(), 0, "{x}");
            } else {
                assert_eq!(got.to_bits(), bf16::from_f32(x).to_bits(), "{x}");
            }
        }
    }

    /// A number of any size that factors have, or zero.
    fn factor(seed: &mut u64) -> f32 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (*seed >> 32) as u32;
        // From 2^-50 on, also such that products are infinite; or about 1.
        let exponent = if random & 1 == 0 { 77 + (random >> 1) % 150 } else { 120 + (random >> 1) % 12 };
        match random >> 25 {
            0..8 => 0.0,
            8 => f32::INFINITY,
            _ => f32::from_bits(random & 0x8000_0000 | exponent << 23 | (random >> 8 & 0x7f) << 16),
        }
    }

    #[test]
    fn sums_are_one_chain_on_every_instruction_set() {
        // Rows of any tile's kind, blocks of both kinds, whole blocks of numbers and others.
        for (rows, outputs, depth) in
            [(1, 16, 1_usize), (3, 40, 32), (13, 32, 18), (20, 5, 100), (31, 80, 256)]
        {
            let mut seed = (rows * outputs + depth) as u64;
            let lanes = (2 * depth).div_ceil(LANES);
            let mut numbers = vec![Lane::default(); rows * lanes];
            for row in numbers.chunks_exact_mut(lanes) {
                row.iter_mut()
                    .flat_map(|lane| &mut lane.0)
                    .take(2 * depth)
                    .for_each(|x| *x = factor(&mut seed));
            }
            let weights: Vec<f32> = (0..outputs * 2 * depth).map(|_| factor(&mut seed)).collect();
            let packed =
                packed(outputs, depth, |output, k| [0, 1].map(|i| weights[output * 2 * depth + 2 * k + i]));
            let flat: &[f32] = bytemuck::cast_slice(&numbers);
            for isa in Isa::available().into_iter().map(Isa::for_pairs) {
                let width = packed.blocks();
                let mut sums = vec![Lane::default(); rows * width];
                with_pairs(isa, &numbers, |pairs| {
                    let first = Shared::reading(pairs).get().cast_const();
                    let inputs: Vec<*const f32> = (0..rows.next_multiple_of(tile_rows(isa)))
                        .map(|i| first.wrapping_add(i.min(rows - 1) * lanes * LANES / 2))
                        .collect();
                    let places: Vec<usize> = (0..rows).map(|row| row * width * LANES).collect();
                    let out = Shared::writing(&mut sums).get();
                    let product = Product::plain(&inputs, packed.matrix(), &places, out);
                    // SAFETY: rows of pairs are as deep as the matrix, and rows of sums as wide.
                    unsafe { isa.run_pairs(OfPairs(product)) }
                });
                for row in 0..rows {
                    for output in 0..outputs {
                        let mut sum = 0.0_f32;
                        for k in 0..depth {
                            for i in [1, 0] {
                                let x = flat[row * lanes * LANES + 2 * k + i];
                                sum = x.mul_add(weights[output * 2 * depth + 2 * k + i], sum);
                            }
                        }
                        let got = sums[row * width + output / LANES].0[output % LANES];
                        let same = got.to_bits() == sum.to_bits() || got.is_nan() && sum.is_nan();
                        assert!(same, "{isa:?}: {got} is not {sum}");
                    }
                }
            }
        }
    }

    #[test]
    fn small_biases_are_none() {
        let biases = biases(vec![Lane([2_f32.powi(-91); LANES]), Lane([-2_f32.powi(-90); LANES])]);
        assert_eq!(biases, [Lane([0.0; LANES]), Lane([-2_f32.powi(-90); LANES])]);
    }
}
