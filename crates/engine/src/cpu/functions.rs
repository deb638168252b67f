//! Functions of each number: activations, and the exponential that they and softmax stand on.
//!
//! They are our own polynomials, each a fixed chain of operations, so that every instruction set gives the same bits.

use super::simd::{Kernel, LANES, Simd};
use network::Activation;
use std::f32::consts::{LN_2, LOG2_E};

/// What is done with each sum before it is stored: a clamp, and a function where a clamp is not all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After {
    low: f32,
    high: f32,
    function: Option<Activation>,
    /// Whether functions may be as coarse as bf16 is.
    coarse: bool,
}

impl After {
    /// Leaves every number as it is.
    pub(crate) const NONE: After =
        After { low: f32::NEG_INFINITY, high: f32::INFINITY, function: None, coarse: false };

    pub(crate) fn of(activation: Option<Activation>) -> After {
        match activation {
            Some(Activation::Relu) => After { low: 0.0, ..After::NONE },
            Some(Activation::Relu6) => After { low: 0.0, high: 6.0, ..After::NONE },
            Some(Activation::Clip { low, high }) => After { low, high, ..After::NONE },
            function => After { function, ..After::NONE },
        }
    }

    /// The same, where results are as far from exact as bf16 is: to 3e-4 of the larger of a result and 1.
    pub(crate) fn coarse(self) -> After {
        After { coarse: true, ..self }
    }

    /// Whether the clamp is all there is.
    pub(crate) fn is_clamp(self) -> bool {
        self.function.is_none()
    }

    /// Whether the clamp does anything.
    #[inline(always)]
    pub(crate) fn clamps(self) -> bool {
        self.low > f32::NEG_INFINITY || self.high < f32::INFINITY
    }

    /// The clamp alone.
    ///
    /// # Safety
    /// The processor has `S`.
    #[inline(always)]
    pub(crate) unsafe fn clamp<S: Simd>(self, v: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::min(S::splat(self.high), S::max(S::splat(self.low), v)) }
    }

    /// The function alone, on blocks that were stored clamped.
    ///
    /// # Safety
    /// The processor has `S`; there are `blocks` at `at`.
    #[inline(always)]
    pub(crate) unsafe fn finish<S: Simd>(self, at: *mut f32, blocks: usize) {
        match self.function {
            None => {}
            // SAFETY: the caller's promises.
            Some(function) if is_rare(function) => unsafe { S::apart(Rare { function, at, blocks }) },
            Some(function) => {
                for block in 0..blocks {
                    // SAFETY: the caller's promises.
                    unsafe {
                        let at = at.add(block * LANES);
                        S::store(at, activate::<S>(function, self.coarse, S::load(at)));
                    }
                }
            }
        }
    }
}

/// Whether a function stands apart from the kernels: with all of them inside, products and depthwise convolutions that
/// have none were slower (MobileNetV2 by 9 % on Zen 5).
fn is_rare(function: Activation) -> bool {
    use Activation::{Clip, Elu, LeakyRelu, Mish, Softplus, Tanh};
    matches!(function, Tanh | Softplus | Mish | LeakyRelu { .. } | Elu { .. } | Clip { .. })
}

/// One of these functions, on blocks.
struct Rare {
    function: Activation,
    at: *mut f32,
    blocks: usize,
}

impl Kernel for Rare {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for block in 0..self.blocks {
            // SAFETY: the promises of `After::finish`.
            unsafe {
                let at = self.at.add(block * LANES);
                S::store(at, rare::<S>(self.function, S::load(at)));
            }
        }
    }
}

/// All but those that [`is_rare`] tells.
#[inline(always)]
unsafe fn activate<S: Simd>(function: Activation, coarse: bool, x: S::V) -> S::V {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        match function {
            Activation::Relu => S::max(S::splat(0.0), x),
            Activation::Relu6 => S::min(S::splat(6.0), S::max(S::splat(0.0), x)),
            Activation::Gelu if coarse => tailed::<S>(x, 4.0, &COARSE_GELU),
            Activation::Gelu => tailed::<S>(x, 5.4, &GELU),
            Activation::GeluTanh => {
                // x / 2 · (1 + tanh u) = x · sigmoid(2u), u = sqrt(2 / π) · (x + 0.044715 x³).
                let [linear, cubic] = [1.595_769, 0.071_354_814].map(|x| S::splat(x));
                let u = S::mul(x, S::fma(S::mul(x, x), cubic, linear));
                S::mul(x, sigmoid::<S>(u))
            }
            Activation::QuickGelu => S::mul(x, sigmoid::<S>(S::mul(x, S::splat(1.702)))),
            Activation::Silu if coarse => tailed::<S>(x, 11.0, &COARSE_SILU),
            Activation::Silu => S::mul(x, sigmoid::<S>(x)),
            Activation::Sigmoid => sigmoid::<S>(x),
            Activation::HardSigmoid => S::div(hard::<S>(x), S::splat(6.0)),
            Activation::HardSwish => S::div(S::mul(x, hard::<S>(x)), S::splat(6.0)),
            _ => x,
        }
    }
}

/// Those that [`is_rare`] tells.
#[inline(always)]
unsafe fn rare<S: Simd>(function: Activation, x: S::V) -> S::V {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        match function {
            Activation::Tanh => {
                // (1 - e⁻²ˣ) / (1 + e⁻²ˣ).
                let e = exp2::<S>(S::min(S::splat(80.0), S::mul(x, S::splat(-2.0 * LOG2_E))));
                S::div(S::sub(S::splat(1.0), e), S::add(S::splat(1.0), e))
            }
            Activation::Softplus => softplus::<S>(x),
            Activation::Mish => {
                // With n = eˣ (eˣ + 2), tanh(softplus(x)) = n / (n + 2).
                let e = exp2::<S>(S::min(S::splat(60.0), S::mul(x, S::splat(LOG2_E))));
                let n = S::mul(e, S::add(e, S::splat(2.0)));
                S::mul(x, S::div(n, S::add(n, S::splat(2.0))))
            }
            Activation::LeakyRelu { slope } => {
                S::fma(S::min(S::splat(0.0), x), S::splat(slope), S::max(S::splat(0.0), x))
            }
            Activation::Elu { alpha } => {
                let e = exp2::<S>(S::mul(S::min(S::splat(0.0), x), S::splat(LOG2_E)));
                S::fma(S::sub(e, S::splat(1.0)), S::splat(alpha), S::max(S::splat(0.0), x))
            }
            Activation::Clip { low, high } => S::min(S::splat(high), S::max(S::splat(low), x)),
            _ => x,
        }
    }
}

/// min(max(x + 3, 0), 6).
#[inline(always)]
unsafe fn hard<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe { S::min(S::splat(6.0), S::max(S::splat(0.0), S::add(x, S::splat(3.0)))) }
}

/// 1 / (1 + 2^(-x / ln 2)), to 2e-7 of 1. Below -55 it is 0: what would be left is soon no normal number, and slow to reckon
/// with.
#[inline(always)]
unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        let (one, most) = (S::splat(1.0), S::splat(80.0));
        let e = exp2::<S>(S::min(most, S::mul(x, S::splat(-LOG2_E))));
        // 1 / (1 + 2⁸⁰). (Newton's method instead of the division is slower: 8 % of a layer of EfficientNet on Zen 5.)
        S::sub(S::div(one, S::add(one, e)), S::splat(8.271_806e-25))
    }
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), to 2e-7.
///
/// With e = e^-|x|, ln(1 + e) / e is a polynomial in 2e - 1: least squares on Chebyshev points.
#[inline(always)]
unsafe fn softplus<S: Simd>(x: S::V) -> S::V {
    const SHARE: [f32; 10] = [
        -6.360_114e-6,
        2.052_132e-5,
        -5.267_94e-5,
        1.808_765_1e-4,
        -6.428_624_6e-4,
        2.289_717_6e-3,
        -8.460_951e-3,
        3.315_225_2e-2,
        -1.442_635_5e-1,
        8.109_302e-1,
    ];
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        let zero = S::splat(0.0);
        let size = S::max(S::sub(zero, x), x);
        let e = exp2::<S>(S::mul(size, S::splat(-LOG2_E)));
        let u = S::fma(e, S::splat(2.0), S::splat(-1.0));
        let mut share = S::splat(SHARE[0]);
        for c in &SHARE[1..] {
            share = S::fma(share, u, S::splat(*c));
        }
        S::fma(e, share, S::max(zero, x))
    }
}

/// 2ˣ for x up to 126, to 2e-7; below -126 as there, about 1e-38.
///
/// x = n + r with |r| ≤ 1/2; the polynomial in r is a least squares fit to 2ʳ in relative error, on Chebyshev points.
///
/// # Safety
/// The processor has `S`.
#[inline(always)]
pub(crate) unsafe fn exp2<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let x = S::max(S::splat(-126.0), x);
        // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the lowest bits.
        let magic = S::splat(12_582_912.0);
        let shifted = S::add(x, magic);
        let r = S::sub(x, S::sub(shifted, magic));
        let mut p = S::splat(1.533_757_7e-4);
        for c in [0.001_339_986, 0.009_618_52, 0.055_503_29, 0.240_226_46, LN_2, 1.0] {
            p = S::fma(p, r, S::splat(c));
        }
        S::mul(p, S::pow2(shifted))
    }
}

/// x · Φ(x) = max(x, 0) - |x| · Φ(-|x|), for a Φ that is 1 minus itself on the other side.
///
/// Φ(-|x|) is a polynomial in 2 |x| / far - 1 up to `far`, beyond which it stays as it is there.
#[inline(always)]
unsafe fn tailed<S: Simd>(x: S::V, far: f32, tail: &[f32]) -> S::V {
    // SAFETY: the caller runs on a processor with `S`.
    unsafe {
        let zero = S::splat(0.0);
        let size = S::min(S::splat(far), S::max(S::sub(zero, x), x));
        let u = S::fma(size, S::splat(1.0 / (far / 2.0)), S::splat(-1.0));
        let mut p = S::splat(tail[0]);
        for c in &tail[1..] {
            p = S::fma(p, u, S::splat(*c));
        }
        S::fma(S::sub(zero, size), p, S::max(zero, x))
    }
}

/// The normal distribution's, to 2e-7 of x · Φ(x): least squares on Chebyshev points, weighted to spread |x| · error evenly. Beyond
/// 5.4 it is 3e-8.
const GELU: [f32; 17] = [
    1.126_604_2e-3,
    -6.100_339_3e-3,
    2.158_191_5e-3,
    2.852_063_2e-2,
    -3.734_286_5e-2,
    -3.937_735_8e-2,
    1.169_969_7e-1,
    -4.594_583_4e-2,
    -1.341_160_4e-1,
    2.108_593_4e-1,
    -7.215_339e-2,
    -1.548_053_7e-1,
    2.673_072_2e-1,
    -2.150_143_5e-1,
    1.025_564_15e-1,
    -2.813_678_4e-2,
    3.466_982_9e-3,
];
/// The same, to 2.1e-4: the largest (|x| + 1/4) · error is as small as can be, and nothing is left beyond 4.
const COARSE_GELU: [f32; 8] = [
    1.163_818_2e-3,
    -4.282_721_5e-2,
    7.040_003e-2,
    5.040_234_3e-2,
    -2.127_242e-1,
    2.193_223_8e-1,
    -1.084_104_7e-1,
    2.267_330_7e-2,
];
/// The logistic function's, likewise to 2.9e-4, and beyond 11.
const COARSE_SILU: [f32; 10] = [
    7.287_775e-2,
    -1.472_360_8e-1,
    -3.927_751_4e-3,
    2.031_598_4e-1,
    -1.969_202_2e-1,
    1.282_984_5e-1,
    -9.940_462e-2,
    6.192_988e-2,
    -2.283_833_2e-2,
    4.061_084_7e-3,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::Isa;

    struct Run<'a>(After, &'a mut [f32]);

    impl Kernel for Run<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            for chunk in self.1.chunks_exact_mut(LANES) {
                // SAFETY: a chunk holds a block.
                unsafe {
                    S::store(chunk.as_mut_ptr(), self.0.clamp::<S>(S::load(chunk.as_ptr())));
                    self.0.finish::<S>(chunk.as_mut_ptr(), 1);
                }
            }
        }
    }

    /// erfc by its continued fraction and erf by its series, in f64.
    fn exact_erf(x: f64) -> f64 {
        if x < 0.0 {
            return -exact_erf(-x);
        }
        if x < 3.0 {
            let (mut term, mut sum) = (x, x);
            for n in 1..200 {
                term *= -x * x / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            return sum * 2.0 / std::f64::consts::PI.sqrt();
        }
        let fraction = (1..200).rev().fold(x, |f, k| x + f64::from(k) / 2.0 / f);
        1.0 - (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt())
    }

    fn exact(function: Activation, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match function {
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::Gelu => x / 2.0 * (1.0 + exact_erf(x / 2_f64.sqrt())),
            Activation::GeluTanh => {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                x / 2.0 * (1.0 + u.tanh())
            }
            Activation::QuickGelu => x * sigmoid(1.702 * x),
            Activation::Silu => x * sigmoid(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::Tanh => x.tanh(),
            Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Activation::Mish => x * (x.max(0.0) + (-x.abs()).exp().ln_1p()).tanh(),
            Activation::LeakyRelu { slope } => x.max(0.0) + f64::from(slope) * x.min(0.0),
            Activation::Elu { alpha } => x.max(0.0) + f64::from(alpha) * x.min(0.0).exp_m1(),
            Activation::Clip { low, high } => x.clamp(f64::from(low), f64::from(high)),
        }
    }

    /// How far a function is from exact, over the larger of a result and `least`, on every instruction set.
    fn check(function: Activation, after: After, least: f64, limit: f64) {
        let numbers: Vec<f32> = (-160_000..160_000).map(|i| i as f32 / 8000.0).collect();
        let mut best: Option<Vec<f32>> = None;
        for isa in Isa::available() {
            let mut got = numbers.clone();
            // SAFETY: one of those available.
            unsafe { isa.run(Run(after, &mut got)) };
            let worst = numbers.iter().zip(&got).map(|(x, y)| {
                let exact = exact(function, f64::from(*x));
                (f64::from(*y) - exact).abs() / exact.abs().max(least)
            });
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < limit, "{function:?} on {isa:?}: {worst:e}");
            let same = best
                .as_ref()
                .is_none_or(|best| best.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()));
            assert!(same, "{function:?}: {isa:?} gives other bits");
            best = Some(got);
        }
    }

    #[test]
    fn functions_are_what_they_are_called_to_the_last_digits() {
        for function in Activation::ALL {
            check(function, After::of(Some(function)), 0.5, 4e-7);
        }
    }

    #[test]
    fn coarse_functions_are_as_near_as_bf16_is() {
        for function in Activation::ALL {
            check(function, After::of(Some(function)).coarse(), 1.0, 3e-4);
        }
    }

    #[test]
    fn what_is_no_number_stays_none_and_far_numbers_stay_finite() {
        for function in [
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::HardSwish,
            Activation::Softplus,
            Activation::Mish,
            Activation::Tanh,
            Activation::LeakyRelu { slope: 0.0 },
        ] {
            for (isa, coarse) in Isa::available().into_iter().flat_map(|isa| [(isa, false), (isa, true)]) {
                let after = After::of(Some(function));
                let after = if coarse { after.coarse() } else { after };
                let mut x = [0.0; LANES];
                (x[0], x[1], x[2]) = (f32::NAN, 1e30, -1e30);
                // SAFETY: one of those available.
                unsafe { isa.run(Run(after, &mut x)) };
                assert!(x[0].is_nan(), "{function:?} on {isa:?}");
                let (limit, low) = match function {
                    Activation::Sigmoid => (1.0, 0.0),
                    Activation::Tanh => (1.0, -1.0),
                    _ => (1e30, 0.0),
                };
                assert!(function != Activation::Sigmoid || x[2] == 0.0, "{isa:?}: {}", x[2]);
                let near = (x[1] / limit - 1.0).abs() < 1e-6;
                assert!(near && (x[2] - low).abs() < 1e-6, "{function:?} on {isa:?}: {x:?}");
            }
        }
    }
}
