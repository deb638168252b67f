//! Sums of sixteen weighted bytes in two AVX2 vectors.

use super::{HALF, PRECISION};
use std::arch::x86_64::*;

/// Where a sum starts.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn half() -> __m256i {
    _mm256_set1_epi32(HALF)
}

/// sums += bytes · weight
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn add(sums: &mut [__m256i; 2], bytes: &[u8; 16], weight: i32) {
    let weight = _mm256_set1_epi32(weight);
    let halves: [i64; 2] = bytemuck::cast(*bytes);
    for (sum, eight) in sums.iter_mut().zip(halves) {
        let wide = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(eight));
        *sum = _mm256_add_epi32(*sum, _mm256_mullo_epi32(wide, weight));
    }
}

/// Without the fraction, clamped: packing saturates, and sums of 32 bits have no more than 10 left after the shift.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn to_bytes(sums: [__m256i; 2]) -> [u8; 16] {
    let whole = sums.map(|sum| _mm256_srai_epi32::<{ PRECISION as i32 }>(sum));
    // Packing goes by halves of vectors: put the four quarters into order.
    let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(whole[0], whole[1]));
    let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
    bytemuck::cast(bytes)
}
