//! `--reject-at`: the confidence from which on a head is right often enough.

use head::softmax;

use crate::report::Report;

/// Confidence of a row's scores after division by `temperature`, and whether the class that they say is `label`.
pub(crate) fn judge(scores: &[f32], label: usize, temperature: f64) -> (f64, bool) {
    let scaled: Vec<f32> = scores.iter().map(|&score| (f64::from(score) / temperature) as f32).collect();
    let probabilities = softmax(&scaled, scaled.len());
    let confidence = probabilities.iter().fold(0.0f64, |most, &p| most.max(p));
    let predicted = probabilities.iter().position(|&p| p == confidence);
    (confidence, predicted == Some(label))
}

/// Finds the least confidence at which, of the held-out rows that reach it, at least the part `precision` is right, and
/// records it; says for the last line what it comes to.
pub(crate) fn record(mut judged: Vec<(f64, bool)>, precision: f64, report: &mut Report) -> String {
    report.set("reject_precision", precision);
    match threshold(&mut judged, precision) {
        Some((threshold, coverage)) => {
            report.set("reject_threshold", threshold);
            report.set("reject_coverage", coverage);
            format!(
                ", right in {:.1} % where its confidence is {threshold:.4} or more ({:.1} % of rows)",
                100.0 * precision,
                100.0 * coverage
            )
        }
        None => format!(", no confidence at which {:.1} % are right", 100.0 * precision),
    }
}

/// (threshold, part of the rows that reach it) of pairs of confidence and whether it was right.
fn threshold(judged: &mut [(f64, bool)], precision: f64) -> Option<(f64, f64)> {
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut found) = (0usize, None);
    for (at, &(confidence, is_right)) in judged.iter().enumerate() {
        right += usize::from(is_right);
        // Rows of equal confidence are kept or rejected together.
        let is_last = judged.get(at + 1).is_none_or(|next| next.0 < confidence);
        if is_last && right as f64 >= precision * (at + 1) as f64 {
            found = Some((confidence, (at + 1) as f64 / judged.len() as f64));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn the_least_confidence_that_is_right_often_enough() {
        let mut judged = [(0.9, true), (0.4, false), (0.8, true), (0.7, false), (0.7, true), (0.6, true)];
        assert_eq!(threshold(&mut judged, 1.0), Some((0.8, 2.0 / 6.0)));
        assert_eq!(threshold(&mut judged, 0.75), Some((0.6, 5.0 / 6.0)));
        assert_eq!(threshold(&mut judged, 0.5), Some((0.4, 1.0)));
        assert_eq!(threshold(&mut [(0.9, false)], 0.5), None);
    }
}
