//! Work compiled for the processor at hand: the only `unsafe` of this crate.
//!
//! The kernels themselves are safe code: plain loops that the compiler turns into vectors, or `std::arch`'s safe
//! intrinsics. What takes `unsafe` is to call code that was compiled for AVX2, once it is known that the processor has
//! it. All of it is integers, so the bits are the same either way.

use crate::image::{
    decode::idct,
    resample::{CHANNELS, across, down},
};

/// Work that is compiled for each instruction set.
pub(crate) trait Kernel {
    /// What comes of it.
    type Output;

    /// Must be `#[inline(always)]`, and so should everything be that it calls in its inner loops, to be compiled for
    /// the instruction set.
    fn run(self, isa: Isa) -> Self::Output;
}

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Isa(Set);

/// Nothing outside this module makes one, so `Avx2` is there only where it was detected.
#[derive(Clone, Copy, Debug)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Isa {
    /// The best that this processor has.
    pub(crate) fn best() -> Isa {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
        {
            return Isa(Set::Avx2);
        }
        Isa::portable()
    }

    /// What the compiler takes for granted: SSE2 on x86-64, NEON on 64-bit ARM.
    pub(crate) fn portable() -> Isa {
        Isa(Set::Portable)
    }

    /// Runs a kernel, compiled for this instruction set.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: `Isa::best` made this value, having found all four features.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { run_avx2(kernel, self) },
            Set::Portable => kernel.run(self),
        }
    }

    /// See [`idct`].
    #[inline(always)]
    pub(crate) fn idct(self, block: &idct::Block) -> [[u8; 8]; 8] {
        match self.0 {
            // SAFETY: `Isa::best` made this value, having found AVX2.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { idct::avx2(block) },
            Set::Portable => idct::portable(block),
        }
    }

    /// See [`across::portable`].
    #[inline(always)]
    pub(crate) fn across(self, inputs: &[across::Lane], weights: &[i32]) -> [across::Lane; CHANNELS] {
        match self.0 {
            // SAFETY: `Isa::best` made this value, having found AVX2.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { across::avx2(inputs, weights) },
            Set::Portable => across::portable(inputs, weights),
        }
    }

    /// See [`down::portable`].
    #[inline(always)]
    pub(crate) fn down(self, inputs: &[u8], stride: usize, weights: &[i32]) -> [u8; down::RUN] {
        match self.0 {
            // SAFETY: `Isa::best` made this value, having found AVX2.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { down::avx2(inputs, stride, weights) },
            Set::Portable => down::portable(inputs, stride, weights),
        }
    }
}

/// See [`across::turned`].
#[inline(always)]
pub(crate) fn turn(rows: [across::Lane; across::LANES]) -> [across::Lane; across::LANES] {
    // SAFETY: every x86-64 processor has SSE2.
    #[cfg(target_arch = "x86_64")]
    return unsafe { across::turned(rows) };
    #[cfg(not(target_arch = "x86_64"))]
    across::turned(rows)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn run_avx2<K: Kernel>(kernel: K, isa: Isa) -> K::Output {
    kernel.run(isa)
}
