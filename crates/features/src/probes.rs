//! What is made of the probes, compared: whether two answers are of one model.

use input::PROBES;
use store::Digest;

/// Two answers of one model are no further apart.
///
/// Servers batch what they are asked, so the last digits change from one answer to the next. Answers of OpenAI's that were published
/// (LLPhant's issue 148) are 7e-7 apart. Weights of 4 bits in place of 16, or another model, are 1e-3 apart and more.
pub const PROBES_TOLERANCE: f64 = 1e-4;

/// How far apart two answers to the same probes are, (4, d) each: half the squared distance of two rows over their squared length,
/// of the worst probe. Of rows of length one that is the cosine distance; it also sees that a length has changed.
///
/// Infinite where their widths differ.
pub fn probes_apart(first: &[f32], second: &[f32]) -> f64 {
    if first.len() != second.len() || first.is_empty() {
        return f64::INFINITY;
    }
    let dim = first.len() / PROBES;
    let rows = first.chunks(dim).zip(second.chunks(dim));
    rows.map(|(a, b)| {
        let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (a, b) = (wide(a), wide(b));
        let apart = squares(&mut a.iter().zip(&b).map(|(a, b)| a - b));
        let length = squares(&mut a.iter().copied()).max(squares(&mut b.iter().copied()));
        if apart == 0.0 { 0.0 } else { apart / (2.0 * length) }
    })
    .fold(0.0, f64::max)
}

/// Of the probes' features, (4, d), as f32.
pub fn probes_digest(probes: &[f32]) -> Digest {
    let bytes: Vec<u8> = probes.iter().flat_map(|value| value.to_le_bytes()).collect();
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_compared_as_directions_and_lengths() {
        let row = |x: f32, y: f32| [x, y].repeat(PROBES);
        assert_eq!(probes_apart(&row(0.6, 0.8), &row(0.6, 0.8)), 0.0);
        assert_eq!(probes_apart(&row(0.0, 0.0), &row(0.0, 0.0)), 0.0);
        assert!((probes_apart(&row(1.0, 0.0), &row(0.0, 1.0)) - 1.0).abs() < 1e-12);
        assert!((probes_apart(&row(1.0, 0.0), &row(2.0, 0.0)) - 0.125).abs() < 1e-12);
        assert!(probes_apart(&row(0.6, 0.8), &row(0.6001, 0.8)) < PROBES_TOLERANCE);
        assert_eq!(probes_apart(&row(1.0, 0.0), &[1.0; 4]), f64::INFINITY);
        // One probe alone.
        let mut other = row(0.6, 0.8);
        other[7] = 0.0;
        assert!(probes_apart(&row(0.6, 0.8), &other) > 0.3);
    }
}
