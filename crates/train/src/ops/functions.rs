//! Functions of each number, and their slopes.
//!
//! Written so that compilers turn loops of them into vectors. Where a function has a corner, its slope there is PyTorch's.

use crate::sums::{map, map_both};
use network::Activation;

/// f(x) of every number.
pub(super) fn values(function: Activation, x: &[f32]) -> Vec<f32> {
    match function {
        Activation::Relu => map(x, |x| if x > 0.0 || x.is_nan() { x } else { 0.0 }),
        Activation::Relu6 => map(x, |x| x.clamp(0.0, 6.0)),
        Activation::Gelu => map(x, |x| x * share_below(x, exp(-0.5 * x * x))),
        Activation::GeluTanh => map(x, |x| 0.5 * x * (1.0 + tanh(bent(x)))),
        Activation::QuickGelu => map(x, |x| x * sigmoid(1.702 * x)),
        Activation::Silu => map(x, |x| x * sigmoid(x)),
        Activation::Sigmoid => map(x, sigmoid),
        Activation::HardSigmoid => map(x, |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Activation::HardSwish => map(x, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Activation::Tanh => map(x, tanh),
        Activation::Softplus => map(x, softplus),
        Activation::Mish => map(x, |x| x * tanh(softplus(x))),
        Activation::LeakyRelu { slope } => map(x, |x| if x > 0.0 { x } else { slope * x }),
        Activation::Elu { alpha } => map(x, |x| if x > 0.0 { x } else { alpha * (exp(x) - 1.0) }),
        Activation::Clip { low, high } => map(x, |x| x.clamp(low, high)),
    }
}

/// dy · f'(x).
pub(super) fn slopes(function: Activation, x: &[f32], dy: &[f32]) -> Vec<f32> {
    match function {
        Activation::Relu => map_both(x, dy, |x, dy| if x > 0.0 { dy } else { 0.0 }),
        Activation::Relu6 => map_both(x, dy, |x, dy| if x > 0.0 && x < 6.0 { dy } else { 0.0 }),
        Activation::Gelu => map_both(x, dy, |x, dy| {
            const OVER_ROOT_TAU: f32 = 0.398_942_3;
            let bell = exp(-0.5 * x * x);
            dy * (share_below(x, bell) + x * bell * OVER_ROOT_TAU)
        }),
        Activation::GeluTanh => map_both(x, dy, |x, dy| {
            let tanh = tanh(bent(x));
            let inner = ROOT_2_OVER_PI * (1.0 + 3.0 * CUBIC * x * x);
            dy * 0.5 * (1.0 + tanh + x * (1.0 - tanh * tanh) * inner)
        }),
        Activation::QuickGelu => map_both(x, dy, |x, dy| {
            let s = sigmoid(1.702 * x);
            dy * (s + 1.702 * x * s * (1.0 - s))
        }),
        Activation::Silu => map_both(x, dy, |x, dy| {
            let s = sigmoid(x);
            dy * (s + x * s * (1.0 - s))
        }),
        Activation::Sigmoid => map_both(x, dy, |x, dy| {
            let s = sigmoid(x);
            dy * s * (1.0 - s)
        }),
        Activation::HardSigmoid => map_both(x, dy, |x, dy| if x > -3.0 && x < 3.0 { dy / 6.0 } else { 0.0 }),
        Activation::HardSwish => map_both(x, dy, |x, dy| {
            let inside = dy * (x / 3.0 + 0.5);
            if x < -3.0 {
                0.0
            } else if x <= 3.0 {
                inside
            } else {
                dy
            }
        }),
        Activation::Tanh => map_both(x, dy, |x, dy| {
            let tanh = tanh(x);
            dy * (1.0 - tanh * tanh)
        }),
        Activation::Softplus => map_both(x, dy, |x, dy| dy * sigmoid(x)),
        Activation::Mish => map_both(x, dy, |x, dy| {
            let tanh = tanh(softplus(x));
            dy * (tanh + x * sigmoid(x) * (1.0 - tanh * tanh))
        }),
        Activation::LeakyRelu { slope } => map_both(x, dy, |x, dy| if x > 0.0 { dy } else { slope * dy }),
        Activation::Elu { alpha } => map_both(x, dy, |x, dy| if x > 0.0 { dy } else { dy * alpha * exp(x) }),
        Activation::Clip { low, high } => {
            map_both(x, dy, |x, dy| if x >= low && x <= high { dy } else { 0.0 })
        }
    }
}

const ROOT_2_OVER_PI: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

/// What GELU's approximation takes the tanh of.
#[inline(always)]
fn bent(x: f32) -> f32 {
    ROOT_2_OVER_PI * (x + CUBIC * x * x * x)
}

/// exp(x), to 2 units in the last place; 0 below −87, and as if x were 88 above that.
///
/// 2ᵏ · exp(r) with k = round(x / ln 2): r is taken off in two parts (Cody and Waite, 1980), and exp(r) is its Taylor series to r⁷.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding it leaves no room for digits after the point.
    const ROUND: f32 = 12_582_912.0;
    let inside = x.clamp(-87.0, 88.0);
    let shifted = inside * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (inside - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + coefficient;
    }
    let scaled = f32::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { scaled }
}

/// 1 / (1 + exp(−x)).
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Of small numbers by its series, since the quotient would lose their digits.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    let large = ((1.0 - e) / (1.0 + e)).copysign(x);
    let square = x * x;
    let mut series = 62.0 / 2835.0;
    for coefficient in [-17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        series = series * square + coefficient;
    }
    if square < 0.0625 { x * series } else { large }
}

/// ln(1 + exp(x)).
fn softplus(x: f32) -> f32 {
    x.max(0.0) + libm::log1pf(exp(-x.abs()))
}

/// Φ(x), the share of a normal distribution below x, to 1e-7 (Abramowitz and Stegun, 1964, 7.1.26). `bell`: exp(−x² / 2).
#[inline(always)]
fn share_below(x: f32, bell: f32) -> f32 {
    let distance = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * distance);
    let mut tail = 1.061_405_4;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        tail = tail * t + coefficient;
    }
    let tail = 0.5 * tail * t * bell;
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_f64_gives_and_slopes_what_they_change_by() {
        let x: Vec<f32> = (-8000..8000).map(|i| i as f32 * 1e-3 + 3.3e-4).collect();
        let wide = |function: Activation, x: f64| match function {
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::Gelu => 0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt())),
            Activation::GeluTanh => {
                0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
            }
            Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::Tanh => x.tanh(),
            Activation::Softplus => (1.0 + x.exp()).ln(),
            Activation::Mish => x * (1.0 + x.exp()).ln().tanh(),
            Activation::LeakyRelu { slope } => x.max(0.0) + f64::from(slope) * x.min(0.0),
            Activation::Elu { alpha } => x.max(0.0) + f64::from(alpha) * (x.min(0.0).exp() - 1.0),
            Activation::Clip { low, high } => x.clamp(f64::from(low), f64::from(high)),
        };
        for function in Activation::ALL {
            let (got, slopes) = (values(function, &x), slopes(function, &x, &vec![2.0; x.len()]));
            for ((x, got), slope) in x.iter().zip(got).zip(slopes) {
                let at = f64::from(*x);
                let expected = wide(function, at);
                let error = (f64::from(got) - expected).abs();
                assert!(error < 1e-6 * expected.abs().max(1.0), "{function:?}({x}) = {got}, not {expected}");
                let h = 1e-5;
                let expected = (wide(function, at + h) - wide(function, at - h)) / h;
                assert!(
                    (f64::from(slope) - expected).abs() < 4e-6,
                    "{function:?}'({x}): {slope}, {expected}"
                );
            }
        }
        assert_eq!([exp(-1e9), exp(0.0)], [0.0, 1.0]);
        assert!(values(Activation::Gelu, &[-40.0, 40.0]) == [0.0, 40.0]);
    }
}
