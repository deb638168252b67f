//! AVX2 and AVX-512.

use super::{super::pairs::LEAST, Kernel, Simd};
use std::arch::x86_64::*;

#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx2>() }
}

#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx512>() }
}

#[target_feature(enable = "avx512f,avx512bf16,avx2,fma")]
pub(super) unsafe fn run_avx512_bf16<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx512>() }
}

#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn apart_avx2<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx2>() }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn apart_avx512<K: Kernel>(kernel: K) {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx512>() }
}

#[derive(Clone, Copy)]
pub(super) struct Avx2;

#[derive(Clone, Copy)]
pub(super) struct Avx512;

/// Two registers a block.
macro_rules! both {
    ($($name:ident = $op:ident($($arg:ident),*);)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: Self::V),*) -> Self::V {
            // SAFETY: the trait's condition: the processor has AVX2 and FMA.
            unsafe { ($op($($arg.0),*), $op($($arg.1),*)) }
        }
    )*};
}

impl Simd for Avx2 {
    type V = (__m256, __m256);
    const WIDE: bool = false;

    #[inline(always)]
    unsafe fn apart<K: Kernel>(kernel: K) {
        // SAFETY: the trait's condition.
        unsafe { apart_avx2(kernel) }
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        // SAFETY: the trait's condition.
        let v = unsafe { _mm256_set1_ps(x) };
        (v, v)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        // SAFETY: the trait's condition.
        unsafe { (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Self::V) {
        // SAFETY: the trait's condition.
        unsafe {
            _mm256_storeu_ps(to, v.0);
            _mm256_storeu_ps(to.add(8), v.1);
        }
    }
    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    unsafe fn larger(a: Self::V, b: Self::V) -> Self::V {
        #[inline(always)]
        unsafe fn half(a: __m256, b: __m256) -> __m256 {
            // SAFETY: the trait's condition.
            unsafe { _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)) }
        }
        // SAFETY: the trait's condition.
        unsafe { (half(a.0, b.0), half(a.1, b.1)) }
    }
    #[inline(always)]
    unsafe fn pow2(shifted: Self::V) -> Self::V {
        #[inline(always)]
        unsafe fn half(v: __m256) -> __m256 {
            // SAFETY: the trait's condition.
            unsafe {
                let bits = _mm256_add_epi32(_mm256_castps_si256(v), _mm256_set1_epi32(127));
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(bits))
            }
        }
        // SAFETY: the trait's condition.
        unsafe { (half(shifted.0), half(shifted.1)) }
    }
    #[inline(always)]
    unsafe fn add_pairs(x: Self::V, w: Self::V, sum: Self::V) -> Self::V {
        #[inline(always)]
        unsafe fn half(x: __m256, w: __m256, sum: __m256) -> __m256 {
            // SAFETY: the trait's condition.
            unsafe {
                let seconds = _mm256_castsi256_ps(_mm256_set1_epi32(!0xffff));
                let sum = _mm256_fmadd_ps(_mm256_and_ps(x, seconds), _mm256_and_ps(w, seconds), sum);
                let [x, w] =
                    [x, w].map(|v| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(v))));
                _mm256_fmadd_ps(x, w, sum)
            }
        }
        // SAFETY: the trait's condition.
        unsafe { (half(x.0, w.0, sum.0), half(x.1, w.1, sum.1)) }
    }
    both! {
        add = _mm256_add_ps(a, b);
        sub = _mm256_sub_ps(a, b);
        mul = _mm256_mul_ps(a, b);
        div = _mm256_div_ps(a, b);
        fma = _mm256_fmadd_ps(a, b, c);
        max = _mm256_max_ps(a, b);
        min = _mm256_min_ps(a, b);
    }
}

macro_rules! one {
    ($($name:ident = $op:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: $type),*) -> $out {
            // SAFETY: the trait's condition: the processor has AVX-512F.
            unsafe { $op($($arg),*) }
        }
    )*};
}

impl Simd for Avx512 {
    type V = __m512;
    const WIDE: bool = true;

    #[inline(always)]
    unsafe fn apart<K: Kernel>(kernel: K) {
        // SAFETY: the trait's condition.
        unsafe { apart_avx512(kernel) }
    }
    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        // SAFETY: a hint, which never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    unsafe fn larger(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the trait's condition.
        unsafe { _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a) }
    }
    #[inline(always)]
    unsafe fn pow2(shifted: __m512) -> __m512 {
        // SAFETY: the trait's condition.
        unsafe {
            let bits = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(bits))
        }
    }
    #[inline(always)]
    unsafe fn add_pairs(x: __m512, w: __m512, sum: __m512) -> __m512 {
        // SAFETY: `Isa::run_pairs` compiles those who ask for this with AVX-512 BF16. A register has no type.
        unsafe {
            let [x, w] = [x, w].map(|v| std::mem::transmute::<__m512, __m512bh>(v));
            _mm512_dpbf16_ps(sum, x, w)
        }
    }
    #[inline(always)]
    unsafe fn narrow(to: *mut u16, v: __m512) {
        // SAFETY: the trait's condition.
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(nearest(v))) }
    }
    #[inline(always)]
    unsafe fn join(first: __m512, second: __m512) -> __m512 {
        // SAFETY: the trait's condition.
        unsafe {
            let second = _mm512_slli_epi32::<16>(nearest(second));
            _mm512_castsi512_ps(_mm512_or_si512(nearest(first), second))
        }
    }
    one! {
        splat = _mm512_set1_ps(x: f32) -> __m512;
        load = _mm512_loadu_ps(from: *const f32) -> __m512;
        store = _mm512_storeu_ps(to: *mut f32, v: __m512) -> ();
        add = _mm512_add_ps(a: __m512, b: __m512) -> __m512;
        sub = _mm512_sub_ps(a: __m512, b: __m512) -> __m512;
        mul = _mm512_mul_ps(a: __m512, b: __m512) -> __m512;
        div = _mm512_div_ps(a: __m512, b: __m512) -> __m512;
        fma = _mm512_fmadd_ps(a: __m512, b: __m512, c: __m512) -> __m512;
        max = _mm512_max_ps(a: __m512, b: __m512) -> __m512;
        min = _mm512_min_ps(a: __m512, b: __m512) -> __m512;
    }
}

/// [`narrow`](super::super::pairs::narrow) of each lane.
#[inline(always)]
unsafe fn nearest(v: __m512) -> __m512i {
    // SAFETY: the caller runs on a processor with AVX-512F.
    unsafe {
        let bits = _mm512_castps_si512(v);
        let high = _mm512_srli_epi32::<16>(bits);
        let odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
        let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
        let nearest = _mm512_srli_epi32::<16>(_mm512_add_epi32(bits, half));
        let size = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fff_ffff));
        let enough = _mm512_cmpge_epu32_mask(size, _mm512_set1_epi32(LEAST as i32));
        let none = _mm512_cmpgt_epu32_mask(size, _mm512_set1_epi32(0x7f80_0000));
        let number = _mm512_maskz_mov_epi32(enough, nearest);
        _mm512_mask_or_epi32(number, none, high, _mm512_set1_epi32(0x40))
    }
}
