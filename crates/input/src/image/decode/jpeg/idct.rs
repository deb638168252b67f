//! The inverse DCT of 8×8 blocks: libjpeg's `jpeg_idct_islow` (after Loeffler, Ligtenberg and Moschytz, 1989), to the bit.

/// Coefficients times their quantisation, row by row.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Block {
    pub(crate) values: [i32; 64],
    /// The sum of their absolute values.
    pub(crate) sum: u32,
}

/// Up to this [`Block::sum`] 32 bits are enough: no intermediate value of a pass is more than 3.35 · 2¹³ times the sum of
/// the absolute values of its inputs, and those of the second pass sum up to at most 4 · 1.39 times the block's, plus 8.
/// No picture comes near; corrupt data do.
pub(crate) const NARROW: u32 = 14_000;

impl Block {
    pub(super) const ZERO: Block = Block { values: [0; 64], sum: 0 };
}

/// One dimension of the transform, over any kind of number: `$x` is its eight inputs, the outcome its eight outputs
/// before they are scaled down by 2¹³.
macro_rules! transform {
    ($x:expr, $add:ident, $sub:ident, $mul:ident, $shift:ident) => {{
        let x = $x;
        // Even part: the rotation by -6 of (x2, x6), the sum and difference of (x0, x4).
        let z1 = $mul($add(x[2], x[6]), 4433); // 0.541196100
        let t2 = $add(z1, $mul(x[6], -15_137)); // 1.847759065
        let t3 = $add(z1, $mul(x[2], 6270)); // 0.765366865
        let t0 = $shift($add(x[0], x[4]));
        let t1 = $shift($sub(x[0], x[4]));
        let even = [$add(t0, t3), $add(t1, t2), $sub(t1, t2), $sub(t0, t3)];
        // Odd part: figure 8 of the paper.
        let z3 = $add(x[7], x[3]);
        let z4 = $add(x[5], x[1]);
        let z5 = $mul($add(z3, z4), 9633); // 1.175875602
        let z1 = $mul($add(x[7], x[1]), -7373); // 0.899976223
        let z2 = $mul($add(x[5], x[3]), -20_995); // 2.562915447
        let z3 = $add($mul(z3, -16_069), z5); // 1.961570560
        let z4 = $add($mul(z4, -3196), z5); // 0.390180644
        let odd = [
            $add($mul(x[1], 12_299), $add(z1, z4)), // 1.501321110
            $add($mul(x[3], 25_172), $add(z2, z3)), // 3.072711026
            $add($mul(x[5], 16_819), $add(z2, z4)), // 2.053119869
            $add($mul(x[7], 2446), $add(z1, z3)),   // 0.298631336
        ];
        [
            $add(even[0], odd[0]),
            $add(even[1], odd[1]),
            $add(even[2], odd[2]),
            $add(even[3], odd[3]),
            $sub(even[3], odd[3]),
            $sub(even[2], odd[2]),
            $sub(even[1], odd[1]),
            $sub(even[0], odd[0]),
        ]
    }};
}

/// Both passes, in a type of number.
macro_rules! two_passes {
    ($name:ident, $number:ident) => {
        fn $name(block: &Block) -> [[u8; 8]; 8] {
            let add = |a: $number, b: $number| a + b;
            let sub = |a: $number, b: $number| a - b;
            let mul = |a: $number, b: $number| a * b;
            let shift = |a: $number| a << 13;
            let mut between = [[0; 8]; 8];
            for column in 0..8 {
                let x: [$number; 8] =
                    std::array::from_fn(|row| $number::from(block.values[row * 8 + column]));
                let y: [$number; 8] = transform!(x, add, sub, mul, shift);
                for (row, value) in between.iter_mut().zip(y) {
                    // libjpeg keeps an `int` here.
                    row[column] = $number::from(((value + (1 << 10)) >> 11) as i32);
                }
            }
            between.map(|x: [$number; 8]| {
                let y: [$number; 8] = transform!(x, add, sub, mul, shift);
                y.map(|value| limit(i64::from((value + (1 << 17)) >> 18)))
            })
        }
    };
}

two_passes!(narrow, i32);
// As libjpeg does it on machines whose `long` has 64 bits.
two_passes!(wide, i64);

/// For any processor.
pub(crate) fn portable(block: &Block) -> [[u8; 8]; 8] {
    if block.sum > NARROW { wide(block) } else { narrow(block) }
}

/// value / 2ⁿ, rounded.
#[inline(always)]
pub(super) fn descale(value: i64, n: u32) -> i64 {
    (value + (1 << (n - 1))) >> n
}

/// To a byte around 128, by the lowest ten bits alone, as libjpeg's table of limits does.
#[inline(always)]
pub(super) fn limit(value: i64) -> u8 {
    ((value << 54 >> 54) + 128).clamp(0, 255) as u8
}

/// The same for AVX2: eight columns, then eight rows at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) fn avx2(block: &Block) -> [[u8; 8]; 8] {
    use bytemuck::cast;
    use std::arch::x86_64::*;

    if block.sum > NARROW {
        return wide(block);
    }
    let add = |a: __m256i, b: __m256i| _mm256_add_epi32(a, b);
    let sub = |a: __m256i, b: __m256i| _mm256_sub_epi32(a, b);
    let mul = |a: __m256i, b: i32| _mm256_mullo_epi32(a, _mm256_set1_epi32(b));
    let shift = |a: __m256i| _mm256_slli_epi32::<13>(a);

    let rows: [__m256i; 8] = cast(block.values);
    let columns = transform!(rows, add, sub, mul, shift);
    let half = _mm256_set1_epi32(1 << 10);
    let columns = columns.map(|v| _mm256_srai_epi32::<11>(_mm256_add_epi32(v, half)));
    let pixels = transform!(transposed(columns), add, sub, mul, shift);
    // One vector a column, now: down by 18 bits, of which the lowest ten count.
    let half = _mm256_set1_epi32(1 << 17);
    let p = pixels.map(|v| _mm256_srai_epi32::<22>(_mm256_slli_epi32::<4>(_mm256_add_epi32(v, half))));
    let middle = _mm256_set1_epi16(128);
    let pair = |a, b| _mm256_add_epi16(_mm256_packs_epi32(a, b), middle);
    // Each half: four rows of columns 0 to 3 (or 4 to 7), column by column; then row by row.
    let by_rows =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    let left = _mm256_shuffle_epi8(_mm256_packus_epi16(pair(p[0], p[1]), pair(p[2], p[3])), by_rows);
    let right = _mm256_shuffle_epi8(_mm256_packus_epi16(pair(p[4], p[5]), pair(p[6], p[7])), by_rows);
    let low: [[u8; 8]; 4] = cast(_mm256_unpacklo_epi32(left, right));
    let high: [[u8; 8]; 4] = cast(_mm256_unpackhi_epi32(left, right));
    [low[0], low[1], high[0], high[1], low[2], low[3], high[2], high[3]]
}

/// Rows ↔ columns.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn transposed(v: [std::arch::x86_64::__m256i; 8]) -> [std::arch::x86_64::__m256i; 8] {
    use std::arch::x86_64::*;

    let pairs = |a, b| (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let ((a, b), (c, d)) = (pairs(v[0], v[1]), pairs(v[2], v[3]));
    let ((e, f), (g, h)) = (pairs(v[4], v[5]), pairs(v[6], v[7]));
    let fours = |a, b| (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let ((a, b), (c, d)) = (fours(a, c), fours(b, d));
    let ((e, f), (g, h)) = (fours(e, g), fours(f, h));
    let low = |a, b| _mm256_permute2x128_si256::<0x20>(a, b);
    let high = |a, b| _mm256_permute2x128_si256::<0x31>(a, b);
    [low(a, e), low(b, f), low(c, g), low(d, h), high(a, e), high(b, f), high(c, g), high(d, h)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients of every size, few and many.
    fn blocks() -> impl Iterator<Item = Block> {
        let mut seed = 1u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        (0..20_000).map(move |i| {
            let mut block = Block::ZERO;
            let range = 1u64 << (1 + i % 13);
            for _ in 0..1 + i % 64 {
                let value = (random() % (2 * range)) as i32 - range as i32;
                block.values[(random() % 64) as usize] = value;
            }
            block.sum = block.values.iter().map(|v| v.unsigned_abs()).sum();
            block
        })
    }

    #[test]
    fn every_instruction_set_has_the_same_bits() {
        let isa = crate::image::simd::Isa::best();
        let (mut few, mut many) = (0, 0);
        for block in blocks() {
            *(if block.sum <= NARROW { &mut few } else { &mut many }) += 1;
            let expected = wide(&block);
            assert_eq!(isa.idct(&block), expected, "{:?}", block.values);
            assert_eq!(portable(&block), expected, "{:?}", block.values);
        }
        assert!(few > 1000 && many > 1000);
    }

    #[test]
    fn nothing_overflows_up_to_the_limit() {
        // One coefficient of all the sum that is allowed, at each place: the worst case of each intermediate value.
        let isa = crate::image::simd::Isa::best();
        for place in 0..64 {
            for other in 0..64 {
                for signs in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
                    let mut block = Block { sum: NARROW, ..Block::ZERO };
                    block.values[place] += signs.0 * NARROW as i32 / 2;
                    block.values[other] += signs.1 * NARROW as i32 / 2;
                    let expected = wide(&block);
                    assert_eq!(isa.idct(&block), expected, "{place} {other}");
                    // In a build with overflow checks, this one would panic.
                    assert_eq!(narrow(&block), expected, "{place} {other}");
                }
            }
        }
    }

    #[test]
    fn a_flat_block_is_its_mean() {
        for dc in -1100..1100 {
            let mut block = Block::ZERO;
            block.values[0] = dc;
            assert_eq!(wide(&block), [[limit(descale(i64::from(dc), 3)); 8]; 8]);
        }
    }
}
