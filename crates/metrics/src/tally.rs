//! The sums over a set of rows that every metric of outcomes is a function of.

use crate::calibration::Bins;
use crate::sorted::Sorted;
use crate::{Binning, Marginals, Outcomes};

/// Counts and sums over a set of rows, maybe none. Sums run in the order of descending confidence, so the same rows
/// give the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    pub(crate) marginals: Marginals,
    /// Rows whose true class has each rank, (C,).
    pub(crate) ranks: Vec<u64>,
    /// Σ −ln p(true class), clipped.
    pub(crate) nats: f64,
    /// Σ squared distance to the one-hot label.
    pub(crate) distance: f64,
    pub(crate) width: Bins,
    pub(crate) mass: Bins,
    /// Σ over the rows of the risk where all rows of at least their confidence are kept.
    pub(crate) risk: f64,
}

impl Outcomes {
    /// Adds up every row. For a slice, [`select`](Outcomes::select) its rows first.
    pub fn tally(&self) -> Tally {
        Sorted::new(self).tally()
    }
}

impl Tally {
    pub(crate) fn new(classes: usize) -> Tally {
        Tally {
            marginals: Marginals::new(classes),
            ranks: vec![0; classes],
            nats: 0.0,
            distance: 0.0,
            width: Bins::equal_width(),
            mass: Bins::equal_width(),
            risk: 0.0,
        }
    }

    /// Rows in all, n.
    pub fn rows(&self) -> u64 {
        self.marginals.total()
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.ranks.len()
    }

    /// What follows from hard predictions: accuracy, precision, recall and F1 and their averages, agreement.
    pub fn marginals(&self) -> &Marginals {
        &self.marginals
    }

    /// Reliability bins of the confidences.
    pub fn bins(&self, binning: Binning) -> &Bins {
        match binning {
            Binning::EqualWidth => &self.width,
            Binning::EqualMass => &self.mass,
        }
    }

    /// Rows whose true class is among the `k` most probable; `None` where k ≥ C.
    pub fn hits_at(&self, k: usize) -> Option<u64> {
        (k < self.classes()).then(|| self.ranks[..k].iter().sum())
    }

    /// `log_loss` in nats, as [`log_loss`](crate::log_loss). `None` without rows.
    pub fn log_loss(&self) -> Option<f64> {
        self.mean(self.nats)
    }

    /// `brier_score_loss`, as [`brier_score_loss`](crate::brier_score_loss). `None` without rows.
    pub fn brier_score_loss(&self) -> Option<f64> {
        let scale = if self.classes() < 3 { 0.5 } else { 1.0 };
        self.mean(self.distance).map(|distance| distance * scale)
    }

    /// Area under the risk-coverage curve (Geifman et al., 2019): the mean over all rows of the error rate
    /// among the rows that are at least as confident. Rows of equal confidence are kept or rejected together,
    /// so the order of rows does not matter. `None` without rows.
    pub fn risk_coverage_area(&self) -> Option<f64> {
        self.mean(self.risk)
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        let rows = self.rows();
        (rows > 0).then(|| sum / rows as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scored, brier_score_loss, expected_calibration_error, hits_at, log_loss};

    #[test]
    fn agrees_with_the_functions_of_a_held_matrix() {
        let labels: Vec<u32> = (0..200).map(|row| row * row % 7 % 5).collect();
        let raw: Vec<f64> = (0..1000).map(|at| f64::from(at * at % 97 + 1)).collect();
        let p: Vec<f64> = raw
            .chunks(5)
            .flat_map(|row| row.iter().map(|value| value / row.iter().sum::<f64>()).collect::<Vec<_>>())
            .collect();
        let scored = Scored::new(&labels, &p, 5).unwrap();
        let tally = Outcomes::of(&scored).tally();
        for k in 0..6 {
            assert_eq!(tally.hits_at(k), hits_at(&scored, k));
        }
        for (got, expected) in [
            (tally.log_loss(), log_loss(&scored)),
            (tally.brier_score_loss(), brier_score_loss(&scored)),
            (
                tally.bins(Binning::EqualWidth).expected_calibration_error(),
                expected_calibration_error(&scored),
            ),
        ] {
            assert!((got.unwrap() - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn area_by_hand() {
        let mut outcomes = Outcomes::new(2);
        outcomes.push(&[0, 1, 0, 1], &[0.75, 0.25, 0.875, 0.125, 0.25, 0.75, 0.0, 1.0]).unwrap();
        // Risks: 0 of 1; 1 of 2; and two rows together, 2 of 4.
        assert_eq!(outcomes.tally().risk_coverage_area(), Some((0.0 + 0.5 + 2.0 * 0.5) / 4.0));
        let nothing = Outcomes::new(2).tally();
        assert_eq!(
            (nothing.log_loss(), nothing.risk_coverage_area(), nothing.hits_at(1)),
            (None, None, Some(0))
        );
    }
}
