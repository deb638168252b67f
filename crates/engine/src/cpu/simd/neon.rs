//! NEON.

use super::{Kernel, Simd};
use std::{arch::aarch64::*, array::from_fn};

#[derive(Clone, Copy)]
pub(super) struct Neon;

impl Simd for Neon {
    type V = [float32x4_t; 4];
    const WIDE: bool = false;

    #[inline(never)]
    unsafe fn apart<K: Kernel>(kernel: K) {
        // SAFETY: the caller's promise.
        unsafe { kernel.run::<Neon>() }
    }
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
