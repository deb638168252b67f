//! How good the probabilities themselves are.

use crate::Scored;
use crate::calibration::{BINS, bin_of};
use crate::row::{argmax, nats};

/// `log_loss`, in nats: the mean of −ln p(true class), p clipped to [ε, 1 − ε] with f64's ε (2⁻⁵²).
pub fn log_loss(scored: &Scored<'_>) -> f64 {
    mean(scored, |label, row| nats(row[label]))
}

/// `brier_score_loss` (scikit-learn 1.7 or later, `scale_by_half="auto"`): the mean squared distance
/// between the probabilities and the one-hot label, within [0, 2]; halved, within [0, 1], for two
/// classes, where it is Brier's (1950) score of the one probability.
pub fn brier_score_loss(scored: &Scored<'_>) -> f64 {
    let distance = mean(scored, |label, row| {
        row.iter().enumerate().map(|(class, p)| (f64::from(u8::from(class == label)) - p).powi(2)).sum()
    });
    if scored.classes() < 3 { distance * 0.5 } else { distance }
}

/// Expected calibration error (Guo et al., 2017, equation 3): the confidences (largest probability of
/// a row) fall into 15 bins of equal width, ((m − 1)/15, m/15]; the gaps between each bin's accuracy
/// and mean confidence are averaged, weighted by the bins' rows.
pub fn expected_calibration_error(scored: &Scored<'_>) -> f64 {
    let (mut hits, mut confidences) = ([0.0; BINS], [0.0; BINS]);
    for (label, row) in scored.iter() {
        let predicted = argmax(row);
        let bin = bin_of(row[predicted]);
        hits[bin] += f64::from(u8::from(predicted == label));
        confidences[bin] += row[predicted];
    }
    let gaps: f64 = hits.iter().zip(confidences).map(|(hits, confidence)| (hits - confidence).abs()).sum();
    gaps / scored.rows() as f64
}

fn mean(scored: &Scored<'_>, of_row: impl Fn(usize, &[f64]) -> f64) -> f64 {
    scored.iter().map(|(label, row)| of_row(label, row)).sum::<f64>() / scored.rows() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_and_worst() {
        let sure = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let perfect = Scored::new(&[0, 1], &sure, 3).unwrap();
        assert!(log_loss(&perfect) < 1e-15);
        assert_eq!(brier_score_loss(&perfect), 0.0);
        assert_eq!(expected_calibration_error(&perfect), 0.0);
        let worst = Scored::new(&[1, 0], &sure, 3).unwrap();
        assert!((log_loss(&worst) - 52.0 * std::f64::consts::LN_2).abs() < 1e-12);
        assert_eq!(brier_score_loss(&worst), 2.0);
        assert_eq!(expected_calibration_error(&worst), 1.0);
    }

    #[test]
    fn scikit_learn_s_brier_examples() {
        let cases: [(&[u32], &[f64], usize, f64); 2] = [
            (&[0, 1, 1, 0], &[0.9, 0.1, 0.1, 0.9, 0.2, 0.8, 0.7, 0.3], 2, 0.0375),
            (&[0, 1, 2], &[0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.2, 0.2, 0.6], 3, 0.146_666_666_666_666_67),
        ];
        for (labels, probabilities, classes, expected) in cases {
            let got = brier_score_loss(&Scored::new(labels, probabilities, classes).unwrap());
            assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
        }
    }
}
