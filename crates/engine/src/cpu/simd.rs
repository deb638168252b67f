//! Sixteen numbers at a time, on whatever the processor has.
//!
//! Every kernel is written once, over blocks of sixteen lanes, and compiled for each instruction set. Each operation
//! below rounds once per lane, as IEEE 754 says, so that all instruction sets give the same bits.

/// Lanes of a block; channels of maps are padded to a multiple of it.
pub(crate) const LANES: usize = 16;

/// One instruction set.
///
/// # Safety
/// Every function needs the processor to have that instruction set (see [`Isa::run`]), and `load` and `store` need
/// [`LANES`] numbers at the pointer, of any alignment.
pub(crate) trait Simd: Copy {
    /// Sixteen numbers.
    type V: Copy;
    /// Whether there are registers for a tile of 12 rows by 2 blocks; 6 by 1 otherwise.
    const WIDE: bool;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(to: *mut f32, v: Self::V);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// a · b + c, rounded once.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a > b ? a : b, so that a NaN in `b` stays.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// As `max`, but a NaN in either stays.
    unsafe fn larger(a: Self::V, b: Self::V) -> Self::V;
    /// a < b ? a : b, so that a NaN in `b` stays.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// 2ⁿ, given n + 1.5 · 2²³, for whole numbers n from -126 to 127.
    unsafe fn pow2(shifted: Self::V) -> Self::V;

    /// Asks for the cache line at an address, which may be any, to be brought near. Does nothing by default.
    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}

    /// The sum of all lanes, in one fixed tree.
    #[inline(always)]
    unsafe fn sum(v: Self::V) -> f32 {
        let mut lanes = [0.0_f32; LANES];
        // SAFETY: the trait's condition, and the array is that long.
        unsafe { Self::store(lanes.as_mut_ptr(), v) };
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
        }
        lanes[0]
    }

    /// The largest of all lanes; a NaN stays.
    #[inline(always)]
    unsafe fn largest(v: Self::V) -> f32 {
        let mut lanes = [0.0_f32; LANES];
        // SAFETY: the trait's condition, and the array is that long.
        unsafe { Self::store(lanes.as_mut_ptr(), v) };
        lanes.into_iter().fold(f32::NEG_INFINITY, |a, b| if a > b || a.is_nan() { a } else { b })
    }
}

/// Work that is compiled for every instruction set.
pub(crate) trait Kernel {
    /// Must be `#[inline(always)]`, and so must everything that it calls, to be compiled for `S`.
    ///
    /// # Safety
    /// The processor has the instruction set `S`; the implementor's own conditions hold.
    unsafe fn run<S: Simd>(self);
}

/// The instruction sets that kernels are compiled for. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512F.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// 64-bit ARM's.
    Neon,
    /// Plain Rust; slow where the processor's FMA is not known at build time.
    Portable,
}

impl Isa {
    /// Those that this processor can run, the fastest first.
    pub fn available() -> Vec<Isa> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
            {
                found.push(Isa::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Isa::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Isa::Neon);
        found.push(Isa::Portable);
        found
    }

    /// The fastest that this processor can run.
    pub fn best() -> Isa {
        Isa::available()[0]
    }

    /// Runs a kernel, compiled for this instruction set.
    ///
    /// # Safety
    /// `self` is one of [`Isa::available`]; the kernel's own conditions hold.
    #[inline]
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) {
        // SAFETY: the caller's promises are those that each function asks for.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => x86::run_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => x86::run_avx2(kernel),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => kernel.run::<neon::Neon>(),
                _ => kernel.run::<Portable>(),
            }
        }
    }
}

/// Plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

macro_rules! lanewise {
    ($($name:ident($($arg:ident),*) = $value:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: Self::V),*) -> Self::V {
            std::array::from_fn(|i| { $(let $arg = $arg[i];)* $value })
        }
    )*};
}

impl Simd for Portable {
    type V = [f32; LANES];
    const WIDE: bool = false;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::V {
        // SAFETY: the trait's condition.
        unsafe { from.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Self::V) {
        // SAFETY: the trait's condition.
        unsafe { to.cast::<Self::V>().write_unaligned(v) }
    }
    lanewise! {
        add(a, b) = a + b;
        sub(a, b) = a - b;
        mul(a, b) = a * b;
        div(a, b) = a / b;
        fma(a, b, c) = a.mul_add(b, c);
        max(a, b) = if a > b { a } else { b };
        larger(a, b) = if a > b || a.is_nan() { a } else { b };
        min(a, b) = if a < b { a } else { b };
        pow2(shifted) = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Simd};
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
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use super::Simd;
    use std::{arch::aarch64::*, array::from_fn};

    #[derive(Clone, Copy)]
    pub(super) struct Neon;

    impl Simd for Neon {
        type V = [float32x4_t; 4];
        const WIDE: bool = false;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            unsafe { [vdupq_n_f32(x); 4] }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self::V {
            // SAFETY: the trait's condition.
            from_fn(|i| unsafe { vld1q_f32(from.add(4 * i)) })
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: Self::V) {
            for (i, v) in v.into_iter().enumerate() {
                // SAFETY: the trait's condition.
                unsafe { vst1q_f32(to.add(4 * i), v) }
            }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vaddq_f32(a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vsubq_f32(a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vmulq_f32(a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vdivq_f32(a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn pow2(shifted: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe {
                let bits = vaddq_s32(vreinterpretq_s32_f32(shifted[i]), vdupq_n_s32(127));
                vreinterpretq_f32_s32(vshlq_n_s32::<23>(bits))
            })
        }
        #[inline(always)]
        unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vfmaq_f32(c[i], a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            // Not `vmaxq_f32`, which treats NaN and negative zero otherwise. SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i]) })
        }
        #[inline(always)]
        unsafe fn larger(a: Self::V, b: Self::V) -> Self::V {
            // `a` where it is above `b`, and where it is not equal to itself. SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe {
                let chosen = vorrq_u32(vcgtq_f32(a[i], b[i]), vmvnq_u32(vceqq_f32(a[i], a[i])));
                vbslq_f32(chosen, a[i], b[i])
            })
        }
        #[inline(always)]
        unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
            // SAFETY: every 64-bit ARM has NEON.
            from_fn(|i| unsafe { vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i]) })
        }
    }
}
