//! Curves of one class against the rest, for drawing.

use crate::{Rankings, thin::thin};

/// A point of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Part of the other rows that score this high.
    pub false_positive_rate: f64,
    /// Part of the class's rows that score this high.
    pub true_positive_rate: f64,
}

/// A point of the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Rows that score at least this count as the class.
    pub threshold: f64,
    /// Part of the class's rows that do.
    pub recall: f64,
    /// Part of those that do which are the class's.
    pub precision: f64,
}

impl Rankings {
    /// The ROC curve of `class`, from (0, 0) to (1, 1), thinned to at most `most` (two or more) points,
    /// evenly by the sum of the rates. Unthinned, the trapezoids below it are exactly the AUC: scores that
    /// rows of both kinds share make a slope, all others steps. Empty where the class has no AUC.
    pub fn roc_curve(&self, class: usize, most: usize) -> Vec<RocPoint> {
        let Some(counts) = self.counts(class) else { return Vec::new() };
        let (positives, negatives) = (counts.positives() as f64, counts.negatives() as f64);
        let point = |found: u64, wrong: u64| RocPoint {
            false_positive_rate: wrong as f64 / negatives,
            true_positive_rate: found as f64 / positives,
        };
        let corners = counts.steps().flat_map(|step| {
            let (before, tied) = (step.positives_from - step.positives, step.negatives_from - step.tied);
            [point(before, tied), point(step.positives_from, step.negatives_from)]
        });
        let ends = (point(0, 0), point(counts.positives(), counts.negatives()));
        let mut last = None;
        let corners = std::iter::once(ends.0).chain(corners).chain(std::iter::once(ends.1));
        let corners = corners.filter(|&corner| last.replace(corner) != Some(corner));
        thin(corners, |corner| 0.5 * (corner.false_positive_rate + corner.true_positive_rate), most)
    }

    /// The precision-recall curve of `class` at the scores of its rows, from the highest on, thinned to at
    /// most `most` (two or more) points, evenly by recall. Unthinned, its steps are exactly the average
    /// precision. It lacks the point (recall 0, precision 1) that scikit-learn puts before it, for which
    /// there is no threshold, and thresholds that only other rows score. Empty where the class has no average
    /// precision.
    pub fn precision_recall_curve(&self, class: usize, most: usize) -> Vec<PrecisionRecallPoint> {
        let Some(counts) = self.counts(class) else { return Vec::new() };
        let points = counts.steps().map(|step| {
            let found = step.positives_from as f64;
            PrecisionRecallPoint {
                threshold: step.score,
                recall: found / counts.positives() as f64,
                precision: found / (found + step.negatives_from as f64),
            }
        });
        thin(points, |point| point.recall, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scored;

    fn rankings() -> Rankings {
        let scores = [0.875, 0.75, 0.5, 0.5, 0.25, 0.125];
        let labels = [0, 1, 0, 1, 0, 1];
        let p: Vec<f64> = scores.iter().flat_map(|&score| [score, 1.0 - score]).collect();
        Rankings::of(&Scored::new(&labels, &p, 2).unwrap())
    }

    #[test]
    fn corners_by_hand() {
        let rankings = rankings();
        let third = 1.0 / 3.0;
        let roc: Vec<(f64, f64)> = rankings
            .roc_curve(0, 200)
            .iter()
            .map(|point| (point.false_positive_rate, point.true_positive_rate))
            .collect();
        let twice = 2.0 * third;
        assert_eq!(roc, [(0.0, 0.0), (0.0, third), (third, third), (twice, twice), (twice, 1.0), (1.0, 1.0)]);
        let recall: Vec<(f64, f64, f64)> = rankings
            .precision_recall_curve(0, 200)
            .iter()
            .map(|point| (point.threshold, point.recall, point.precision))
            .collect();
        assert_eq!(recall, [(0.875, third, 1.0), (0.5, twice, 0.5), (0.25, 1.0, 0.6)]);
        assert_eq!(rankings.roc_curve(2, 200), []);
    }

    #[test]
    fn areas_are_the_metrics() {
        let rankings = rankings();
        for class in 0..2 {
            let metrics = rankings.class(class).unwrap();
            let area: f64 = rankings
                .roc_curve(class, 1000)
                .windows(2)
                .map(|ends| {
                    let height = ends[0].true_positive_rate + ends[1].true_positive_rate;
                    0.5 * height * (ends[1].false_positive_rate - ends[0].false_positive_rate)
                })
                .sum();
            assert!((area - metrics.roc_auc).abs() < 1e-15);
            let mut before = 0.0;
            let steps: f64 = rankings
                .precision_recall_curve(class, 1000)
                .iter()
                .map(|point| point.precision * (point.recall - std::mem::replace(&mut before, point.recall)))
                .sum();
            assert!((steps - metrics.average_precision).abs() < 1e-15);
        }
    }
}
