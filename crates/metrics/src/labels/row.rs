//! What one row of many labels comes to.

use crate::{ClassScores, row::nats};

/// Counts and sums over the labels of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// Labels the row bears.
    pub(super) relevant: u32,
    /// Labels that are predicted.
    pub(super) predicted: u32,
    /// Labels that are both.
    pub(super) hits: u32,
    /// How far down the ranking all its labels are found.
    pub(super) coverage: u32,
    /// Mean precision at the rank of each of its labels.
    pub(super) ranking_precision: f64,
    /// Σ −ln p(what is so).
    pub(super) nats: f64,
    /// Σ (p − truth)².
    pub(super) squares: f64,
}

impl Row {
    /// `thresholds` (L,) are what labels are predicted above.
    pub(super) fn of(truth: &[bool], probabilities: &[f64], thresholds: &[f64]) -> Row {
        let (mut relevant, mut predicted, mut hits) = (0, 0, 0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for ((&truth, &p), &threshold) in truth.iter().zip(probabilities).zip(thresholds) {
            relevant += u32::from(truth);
            predicted += u32::from(p > threshold);
            hits += u32::from(truth && p > threshold);
            sum += nats(if truth { p } else { 1.0 - p });
            squares += if truth { (1.0 - p).powi(2) } else { p.powi(2) };
        }
        let (coverage, ranking_precision) = ranks(truth, probabilities, relevant);
        Row { relevant, predicted, hits, coverage, ranking_precision, nats: sum, squares }
    }

    /// Labels that are not as predicted.
    pub(super) fn wrong(&self) -> u32 {
        self.relevant + self.predicted - 2 * self.hits
    }

    /// Precision, recall and F1 of the row's own labels.
    pub(super) fn scores(&self) -> ClassScores {
        ClassScores::of(self.hits.into(), self.relevant.into(), self.predicted.into())
    }
}

/// `coverage_error` and `label_ranking_average_precision_score` of one row, labels of equal probability
/// sharing the lowest of their ranks. Without relevant labels coverage is 0; without relevant or without
/// other labels precision is 1.
fn ranks(truth: &[bool], probabilities: &[f64], relevant: u32) -> (u32, f64) {
    let labels = truth.len() as u32;
    if relevant == 0 || relevant == labels {
        return (relevant, 1.0);
    }
    let mut order: Vec<(f64, bool)> = probabilities.iter().copied().zip(truth.iter().copied()).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut rank, mut found, mut coverage, mut precision) = (0, 0, 0, 0.0);
    for equals in order.chunk_by(|a, b| a.0 == b.0) {
        let hits = equals.iter().filter(|(_, truth)| *truth).count() as u32;
        rank += equals.len() as u32;
        found += hits;
        if hits > 0 {
            coverage = rank;
            precision += f64::from(hits) * (f64::from(found) / f64::from(rank));
        }
    }
    (coverage, precision / f64::from(relevant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_hand() {
        let (t, f) = (true, false);
        let cases: [(&[bool], &[f64], u32, f64); 6] = [
            // scikit-learn's documented example of label_ranking_average_precision_score is the mean of these
            // two.
            (&[t, f, f], &[0.75, 0.5, 1.0], 2, 0.5),
            (&[f, f, t], &[1.0, 0.2, 0.1], 3, 1.0 / 3.0),
            (&[f, f], &[0.5, 0.25], 0, 1.0),
            (&[t, t], &[0.5, 0.25], 2, 1.0),
            // Ties share the lowest rank.
            (&[t, f, f], &[0.5, 0.5, 0.5], 3, 1.0 / 3.0),
            (&[t, f, t, f], &[0.5, 0.5, 0.25, 0.0], 3, 0.5 * (0.5 + 2.0 / 3.0)),
        ];
        for (truth, probabilities, coverage, precision) in cases {
            let row = Row::of(truth, probabilities, &vec![0.5; truth.len()]);
            assert_eq!(
                (row.coverage, row.ranking_precision),
                (coverage, precision),
                "{truth:?} {probabilities:?}"
            );
        }
    }

    #[test]
    fn sums_by_hand() {
        let row = Row::of(&[true, false, true, false], &[0.75, 0.75, 0.5, 0.0], &[0.5; 4]);
        assert_eq!((row.relevant, row.predicted, row.hits), (2, 2, 1));
        assert_eq!(row.squares, 0.0625 + 0.5625 + 0.25);
        let expected = -(0.75_f64.ln() + 0.25_f64.ln() + 0.5_f64.ln());
        assert!((row.nats - expected).abs() < 1e-15);
    }
}
