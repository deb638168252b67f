//! Whether the true class is among the k best.

use crate::Scored;
use crate::row::rank;

/// `top_k_accuracy_score`: the part of rows whose true class is among the `k` most probable.
///
/// `None` where k ≥ C: it would always be 1, which scikit-learn returns with a warning and we leave
/// out. Of equal probabilities the *later* class ranks higher, as in scikit-learn (it reverses a
/// stable ascending sort), so `k = 1` may differ from accuracy where probabilities tie.
pub fn top_k_accuracy(scored: &Scored<'_>, k: usize) -> Option<f64> {
    hits_at(scored, k).map(|hits| hits as f64 / scored.rows() as f64)
}

/// Rows whose true class is among the `k` most probable; `None` where k ≥ C.
pub fn hits_at(scored: &Scored<'_>, k: usize) -> Option<u64> {
    (k < scored.classes()).then(|| scored.iter().filter(|(label, row)| rank(*label, row) < k).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_classes_win_ties() {
        // Ranks of the classes: 3, 2, 1 (all equal but the last two), 0.
        let row = [0.1, 0.2, 0.2, 0.5];
        for (label, hits) in [(0, [0, 0, 0]), (1, [0, 0, 1]), (2, [0, 1, 1]), (3, [1, 1, 1])] {
            let scored = Scored::new(std::slice::from_ref(&label), &row, 4).unwrap();
            let got: Vec<u64> = (1..4).map(|k| hits_at(&scored, k).unwrap()).collect();
            assert_eq!(got, hits, "label {label}");
        }
    }

    #[test]
    fn meaningless_k_is_left_out() {
        let scored = Scored::new(&[0], &[0.5, 0.5], 2).unwrap();
        assert_eq!(top_k_accuracy(&scored, 2), None);
        assert_eq!(top_k_accuracy(&scored, 1), Some(0.0));
    }
}
