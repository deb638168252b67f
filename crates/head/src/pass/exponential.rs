//! exp for softmax, written so that compilers turn loops of it into vectors.

/// exp(x) for x ≤ 0, to 2 units in the last place; 0 below −87, where f32 has no normal number any more.
///
/// 2ᵏ · exp(r) with k = round(x / ln 2): r is taken off in two parts (Cody and Waite, 1980), so that it keeps its digits,
/// and exp(r) is its Taylor series to r⁷ on |r| ≤ ln 2 / 2.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding it leaves no room for digits after the point: the processor rounds, without a call.
    const ROUND: f32 = 12_582_912.0;
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = clamped * LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (clamped - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + coefficient;
    }
    // The low bits of `shifted` are k's; moved to where an exponent lies, they multiply by 2ᵏ.
    let scaled = f32::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { scaled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_library_s_to_two_units() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1000.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        for step in 0..870_000 {
            let x = -step as f32 * 1e-4;
            let (got, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / expected - 1.0).abs() < 2.5e-7, "exp({x}) = {got}, expected {expected}");
        }
    }
}
