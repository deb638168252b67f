//! Confident learning: which classes are mistaken for which, and the rows that say so.
//!
//! Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021. Everything is
//! a sum over rows, so that rows may be streamed: once through [`SelfConfidence`], once through [`ConfidentJoint`].

use crate::{Predictions, predictions::largest};

/// What a probability may fall short of a threshold and still reach it: cleanlab's, for rounding.
const SLACK: f64 = 1e-6;

/// How probable the rows of each class find their own label: the first pass.
#[derive(Clone, Debug)]
pub struct SelfConfidence {
    sums: Vec<f64>,
    counts: Vec<u64>,
}

impl SelfConfidence {
    /// Of no rows yet.
    pub fn new(classes: usize) -> SelfConfidence {
        SelfConfidence { sums: vec![0.0; classes], counts: vec![0; classes] }
    }

    /// Of all rows of `predictions`.
    pub fn of(predictions: &Predictions<'_>) -> SelfConfidence {
        let mut out = SelfConfidence::new(predictions.classes());
        predictions.iter().for_each(|(label, probabilities)| out.add(label, probabilities));
        out
    }

    /// Counts one row: its label and its probabilities (C,).
    pub fn add(&mut self, label: u32, probabilities: &[f64]) {
        self.sums[label as usize] += probabilities[label as usize];
        self.counts[label as usize] += 1;
    }

    /// The threshold of each class (C,): the mean probability that its rows give it (equation 2). A class without
    /// rows has the threshold 1.
    pub fn thresholds(&self) -> Vec<f64> {
        let means = self.sums.iter().zip(&self.counts);
        means.map(|(sum, &count)| if count > 0 { sum / count as f64 } else { 1.0 }).collect()
    }
}

/// Counts of rows by given label and by the class that they confidently belong to: the second pass.
#[derive(Clone, Debug)]
pub struct ConfidentJoint {
    thresholds: Vec<f64>,
    /// (C, C): given, confident.
    counts: Vec<u64>,
    /// Rows of each given label, confident or not.
    labels: Vec<u64>,
}

impl ConfidentJoint {
    /// Of no rows yet; `thresholds` (C,) are the first pass's.
    pub fn new(thresholds: Vec<f64>) -> ConfidentJoint {
        let classes = thresholds.len();
        ConfidentJoint { thresholds, counts: vec![0; classes * classes], labels: vec![0; classes] }
    }

    /// Of all rows of `predictions`, both passes.
    pub fn of(predictions: &Predictions<'_>) -> ConfidentJoint {
        let mut out = ConfidentJoint::new(SelfConfidence::of(predictions).thresholds());
        for (label, probabilities) in predictions.iter() {
            out.add(label, probabilities);
        }
        out
    }

    /// Counts one row. True where it is an issue: confidently of another class than its label.
    pub fn add(&mut self, label: u32, probabilities: &[f64]) -> bool {
        let label = label as usize;
        self.labels[label] += 1;
        let class = self.confident(probabilities);
        if let Some(class) = class {
            self.counts[label * self.thresholds.len() + class] += 1;
        }
        class.is_some_and(|class| class != label)
    }

    /// The class that a row confidently belongs to: of those whose threshold it reaches the most probable (equation 1).
    fn confident(&self, probabilities: &[f64]) -> Option<usize> {
        let reached = |class: usize| probabilities[class] >= self.thresholds[class] - SLACK;
        let kept: Vec<f64> = (0..probabilities.len())
            .map(|class| if reached(class) { probabilities[class] } else { -1.0 })
            .collect();
        let class = largest(&kept);
        (kept[class] >= 0.0).then_some(class)
    }

    /// Counts (C, C), row-major: given label, confident class.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The joint distribution of given and true labels (C, C): each row of the counts scaled to the rows that bear the
    /// label, all scaled to sum 1 (equation 3). As in cleanlab at least one row of each label counts as right.
    pub fn distribution(&self) -> Vec<f64> {
        let classes = self.thresholds.len();
        let total = self.labels.iter().sum::<u64>().max(1) as f64;
        let mut out: Vec<f64> = self.counts.iter().map(|&count| count as f64).collect();
        for (label, row) in out.chunks_exact_mut(classes).enumerate() {
            row[label] = row[label].max(1.0);
            let scale = self.labels[label] as f64 / total / row.iter().sum::<f64>();
            row.iter_mut().for_each(|value| *value *= scale);
        }
        out
    }

    /// The part of all labels that is estimated to be wrong: what lies off the diagonal of the distribution.
    pub fn noise(&self) -> f64 {
        let classes = self.thresholds.len();
        let off = self.distribution().into_iter().enumerate().filter(|(i, _)| i / classes != i % classes);
        off.map(|(_, value)| value).sum()
    }
}

/// The rows that are confidently of another class than their label, in order. As in cleanlab those are none whose label is the
/// most probable class all the same: where classes' thresholds are far apart, another may be the only one that is reached.
pub fn issues(predictions: &Predictions<'_>) -> Vec<u32> {
    let mut joint = ConfidentJoint::new(SelfConfidence::of(predictions).thresholds());
    let mut is_issue = |label: u32, probabilities: &[f64]| {
        let top = probabilities[largest(probabilities)];
        joint.add(label, probabilities) && probabilities[label as usize] + SLACK < top
    };
    let rows = (0u32..).zip(predictions.iter());
    rows.filter(|(_, (label, p))| is_issue(*label, p)).map(|(row, _)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Thresholds: class 0: (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1: (0.8 + 0.6) / 2 = 0.7, class 2 has no rows.
    const LABELS: [u32; 5] = [0, 0, 0, 1, 1];
    const PROBABILITIES: [f64; 15] =
        [0.9, 0.1, 0.0, 0.7, 0.2, 0.1, 0.2, 0.8, 0.0, 0.1, 0.8, 0.1, 0.3, 0.6, 0.1];

    #[test]
    fn equals_a_count_by_hand() {
        let predictions = Predictions::new(&LABELS, &PROBABILITIES, 3).unwrap();
        let thresholds = SelfConfidence::of(&predictions).thresholds();
        let expected = [0.6, 0.7, 1.0];
        assert!(thresholds.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{thresholds:?}");
        let joint = ConfidentJoint::of(&predictions);
        assert_eq!(joint.counts(), [2, 1, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(issues(&predictions), [2]);
        assert!((joint.noise() - 0.2).abs() < 1e-15);
        let sum: f64 = joint.distribution().iter().sum();
        assert!((sum - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_row_whose_label_is_the_most_probable_is_no_issue() {
        // Thresholds 0.65 and 0.4: the third row reaches that of class 1 only.
        let p = [0.95, 0.05, 0.95, 0.05, 0.6, 0.4, 0.6, 0.4, 0.1, 0.9];
        let predictions = Predictions::new(&[0, 0, 0, 1, 0], &p, 2).unwrap();
        assert_eq!(issues(&predictions), [4]);
        let mut joint = ConfidentJoint::new(vec![0.65, 0.4]);
        assert!(joint.add(0, &p[4..6]));
    }

    #[test]
    fn of_two_reached_thresholds_the_more_probable_counts() {
        let joint = ConfidentJoint::new(vec![0.3, 0.3]);
        assert_eq!(joint.confident(&[0.45, 0.55]), Some(1));
        assert_eq!(joint.confident(&[0.55, 0.45]), Some(0));
        assert_eq!(ConfidentJoint::new(vec![0.9, 0.9]).confident(&[0.5, 0.5]), None);
    }
}
