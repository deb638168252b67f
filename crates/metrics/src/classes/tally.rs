//! The sums over a set of rows that every metric of outcomes is a function of.

use super::calibration::{Binning, Bins};
use crate::Marginals;

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

    /// `log_loss` in nats. `None` without rows.
    pub fn log_loss(&self) -> Option<f64> {
        self.mean(self.nats)
    }

    /// `brier_score_loss` (scikit-learn 1.7 or later, `scale_by_half="auto"`): within [0, 2], halved for two classes. `None` without rows.
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
    use crate::ClassRows;

    #[test]
    fn area_by_hand() {
        let mut outcomes = ClassRows::new(2);
        outcomes.push(&[0, 1, 0, 1], &[0.75, 0.25, 0.875, 0.125, 0.25, 0.75, 0.0, 1.0]).unwrap();
        // Risks: 0 of 1; 1 of 2; and two rows together, 2 of 4.
        assert_eq!(outcomes.finish().tally().risk_coverage_area(), Some((0.0 + 0.5 + 2.0 * 0.5) / 4.0));
        let nothing = ClassRows::new(2).finish();
        let nothing = nothing.tally();
        assert_eq!(
            (nothing.log_loss(), nothing.risk_coverage_area(), nothing.hits_at(1)),
            (None, None, Some(0))
        );
    }
}
