//! Sixteen numbers at a time, on whatever the processor has.
//!
//! Every kernel is written once, over blocks of sixteen lanes, and compiled for each instruction set. Each operation
//! below rounds once per lane, as IEEE 754 says, so that all instruction sets give the same bits.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

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

    /// sum + the products of the second and then of the first bf16 of each lane's pairs, rounded after each. The numbers are
    /// such that nothing comes to a denormal number (see [`super::pairs`]): processors flush them, or do not.
    #[inline(always)]
    unsafe fn add_pairs(x: Self::V, w: Self::V, sum: Self::V) -> Self::V {
        let [mut x_lanes, mut w_lanes, mut sums] = [[0.0_f32; LANES]; 3];
        // SAFETY: the trait's condition, and the arrays are that long.
        unsafe {
            Self::store(x_lanes.as_mut_ptr(), x);
            Self::store(w_lanes.as_mut_ptr(), w);
            Self::store(sums.as_mut_ptr(), sum);
            for ((sum, x), w) in sums.iter_mut().zip(x_lanes).zip(w_lanes) {
                let ([x_first, x_second], [w_first, w_second]) = (both(x), both(w));
                *sum = x_first.mul_add(w_first, x_second.mul_add(w_second, *sum));
            }
            Self::load(sums.as_ptr())
        }
    }

    /// Puts the nearest bf16 of each lane, as products of [pairs](super::pairs) take them, one after the other.
    #[inline(always)]
    unsafe fn narrow(to: *mut u16, v: Self::V) {
        let mut lanes = [0.0_f32; LANES];
        // SAFETY: the trait's condition, and the array is that long.
        unsafe {
            Self::store(lanes.as_mut_ptr(), v);
            to.cast::<[u16; LANES]>().write_unaligned(lanes.map(super::pairs::narrow));
        }
    }

    /// Each lane's two numbers as a pair.
    #[inline(always)]
    unsafe fn join(first: Self::V, second: Self::V) -> Self::V {
        let mut lanes = [[0.0_f32; LANES]; 2];
        // SAFETY: the trait's condition, and the arrays are that long.
        unsafe {
            Self::store(lanes[0].as_mut_ptr(), first);
            Self::store(lanes[1].as_mut_ptr(), second);
            let joint: [f32; LANES] = std::array::from_fn(|i| super::pairs::pair([lanes[0][i], lanes[1][i]]));
            Self::load(joint.as_ptr())
        }
    }

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

    /// Runs a kernel that does not become part of its caller: what is seldom needed must not take its registers.
    unsafe fn apart<K: Kernel>(kernel: K);

    /// The largest of all lanes; a NaN stays.
    #[inline(always)]
    unsafe fn largest(v: Self::V) -> f32 {
        let mut lanes = [0.0_f32; LANES];
        // SAFETY: the trait's condition, and the array is that long.
        unsafe { Self::store(lanes.as_mut_ptr(), v) };
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                let (a, b) = (lanes[i], lanes[i + half]);
                lanes[i] = if a > b || a.is_nan() { a } else { b };
            }
        }
        lanes[0]
    }

    /// The lanes of `a` and `b` in turn: the first halves of both, and the second.
    #[inline(always)]
    unsafe fn interleave(a: Self::V, b: Self::V) -> (Self::V, Self::V) {
        let mut lanes = [[0.0_f32; LANES]; 2];
        // SAFETY: the trait's condition, and the arrays are that long.
        unsafe {
            Self::store(lanes[0].as_mut_ptr(), a);
            Self::store(lanes[1].as_mut_ptr(), b);
            let both: [f32; 2 * LANES] = std::array::from_fn(|i| lanes[i % 2][i / 2]);
            (Self::load(both.as_ptr()), Self::load(both.as_ptr().add(LANES)))
        }
    }

    /// Lane i of row j becomes lane j of row i.
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self::V; LANES]) {
        // The bits of a number's place, those of its row and then those of its lane, turn by one each time.
        for _ in 0..LANES.ilog2() {
            let from = *rows;
            for i in 0..LANES / 2 {
                // SAFETY: the trait's condition.
                (rows[2 * i], rows[2 * i + 1]) = unsafe { Self::interleave(from[i], from[i + LANES / 2]) };
            }
        }
    }
}

/// The two bf16 of a pair that lies in a number's place, as numbers.
#[inline(always)]
fn both(pair: f32) -> [f32; 2] {
    let bits = pair.to_bits();
    [bits << 16, bits & 0xffff_0000].map(f32::from_bits)
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

    /// Whether it multiplies bf16 faster than f32.
    pub fn has_bf16(self) -> bool {
        self == Isa::Avx512 && self.for_pairs() == self
    }

    /// The fastest of these, up to this one, that this processor multiplies pairs of bf16 by.
    pub(crate) fn for_pairs(self) -> Isa {
        #[cfg(target_arch = "x86_64")]
        if self == Isa::Avx512 && !is_x86_feature_detected!("avx512bf16") {
            return Isa::Avx2;
        }
        self
    }

    /// [`Isa::run`] for kernels that multiply pairs.
    ///
    /// # Safety
    /// As there; `self` is one of [`Isa::for_pairs`].
    #[inline]
    pub(crate) unsafe fn run_pairs<K: Kernel>(self, kernel: K) {
        // SAFETY: the caller's promises.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => x86::run_avx512_bf16(kernel),
                _ => self.run(kernel),
            }
        }
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

    #[inline(never)]
    unsafe fn apart<K: Kernel>(kernel: K) {
        // SAFETY: the caller's promise.
        unsafe { kernel.run::<Portable>() }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Transpose<'a>(&'a mut [[f32; LANES]; LANES]);

    impl Kernel for Transpose<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            // SAFETY: rows are as long as a block.
            unsafe {
                let mut rows = [S::splat(0.0); LANES];
                for (row, from) in rows.iter_mut().zip(self.0.iter()) {
                    *row = S::load(from.as_ptr());
                }
                S::transpose(&mut rows);
                for (row, to) in rows.into_iter().zip(self.0) {
                    S::store(to.as_mut_ptr(), row);
                }
            }
        }
    }

    #[test]
    fn rows_become_lanes() {
        let at = |row: usize, lane: usize| (row * LANES + lane) as f32;
        for isa in Isa::available() {
            let mut numbers: [[f32; LANES]; LANES] =
                std::array::from_fn(|row| std::array::from_fn(|lane| at(row, lane)));
            // SAFETY: one of those available.
            unsafe { isa.run(Transpose(&mut numbers)) };
            for (row, numbers) in numbers.iter().enumerate() {
                for (lane, number) in numbers.iter().enumerate() {
                    assert_eq!(*number, at(lane, row), "{isa:?}");
                }
            }
        }
    }
}
