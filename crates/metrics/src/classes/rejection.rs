//! What rejecting the least confident rows would bring: risk against coverage.

use super::ClassOutcomes;
use crate::thin::thin;

/// A classifier that only answers where it is confident enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RejectionPoint {
    /// Rows of at least this confidence are answered.
    pub threshold: f64,
    /// The part of all rows that is.
    pub coverage: f64,
    /// The error rate among them.
    pub risk: f64,
}

impl ClassOutcomes {
    /// The risk-coverage curve (El-Yaniv and Wiener, 2010), from the most confident rows alone to all rows,
    /// thinned to at most `most` (two or more) points, evenly by coverage. Rows of equal confidence come
    /// together. Empty without rows.
    pub fn rejection_curve(&self, most: usize) -> Vec<RejectionPoint> {
        let rows = self.tally.rows() as f64;
        let points = self.sorted.rejections().map(|(threshold, covered, wrong)| RejectionPoint {
            threshold,
            coverage: covered as f64 / rows,
            risk: wrong as f64 / covered as f64,
        });
        thin(points, |point| point.coverage, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassRows;

    #[test]
    fn ends_at_all_rows() {
        let mut outcomes = ClassRows::new(2);
        outcomes.push(&[0, 1, 0, 1], &[0.75, 0.25, 0.875, 0.125, 0.25, 0.75, 0.0, 1.0]).unwrap();
        let outcomes = outcomes.finish();
        let point = |threshold, coverage, risk| RejectionPoint { threshold, coverage, risk };
        assert_eq!(
            outcomes.rejection_curve(200),
            [point(1.0, 0.25, 0.0), point(0.875, 0.5, 0.5), point(0.75, 1.0, 0.5)]
        );
        assert_eq!(outcomes.rejection_curve(2).len(), 2);
        assert_eq!(ClassRows::new(2).finish().rejection_curve(200), []);
    }
}
