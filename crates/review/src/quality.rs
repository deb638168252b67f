//! How good a label looks, from probabilities alone: the scores that cleanlab offers, by its definitions.

use crate::{
    Predictions, SelfConfidence,
    predictions::{largest, largest_other},
};

/// A score of a label, from 0 (surely wrong) to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelQuality {
    /// The probability of the label.
    SelfConfidence,
    /// (1 + p(label) − largest p of another class) / 2.
    NormalisedMargin,
    /// Self-confidence of [`adjusted`] probabilities.
    AdjustedSelfConfidence,
    /// Normalised margin of [`adjusted`] probabilities.
    AdjustedMargin,
}

impl LabelQuality {
    /// Of one row: `label`, `probabilities` (C,), and each class's threshold (C,).
    pub fn of(self, label: u32, probabilities: &[f64], thresholds: &[f64]) -> f64 {
        let label = label as usize;
        let margin = |p: &[f64]| (1.0 + p[label] - p[largest_other(p, label)]) / 2.0;
        match self {
            LabelQuality::SelfConfidence => probabilities[label],
            LabelQuality::NormalisedMargin => margin(probabilities),
            LabelQuality::AdjustedSelfConfidence => adjusted(probabilities, thresholds)[label],
            LabelQuality::AdjustedMargin => margin(&adjusted(probabilities, thresholds)),
        }
    }

    /// Of every row, (n,).
    pub fn of_all(self, predictions: &Predictions<'_>) -> Vec<f64> {
        let thresholds = SelfConfidence::of(predictions).thresholds();
        predictions.iter().map(|(label, probabilities)| self.of(label, probabilities, &thresholds)).collect()
    }
}

/// Probabilities less their class's threshold plus the largest threshold, scaled to sum 1: classes that the model is
/// seldom sure of are not held against their rows.
pub fn adjusted(probabilities: &[f64], thresholds: &[f64]) -> Vec<f64> {
    let top = thresholds[largest(thresholds)];
    let moved: Vec<f64> =
        probabilities.iter().zip(thresholds).map(|(p, threshold)| p + top - threshold).collect();
    let sum: f64 = moved.iter().sum();
    moved.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definitions() {
        let (p, thresholds) = ([0.5, 0.3, 0.2], [0.9, 0.5, 0.7]);
        // Adjusted: 0.5, 0.7, 0.4 over 1.6.
        let cases = [
            (LabelQuality::SelfConfidence, [0.5, 0.3, 0.2]),
            (LabelQuality::NormalisedMargin, [0.6, 0.4, 0.35]),
            (LabelQuality::AdjustedSelfConfidence, [0.3125, 0.4375, 0.25]),
            (LabelQuality::AdjustedMargin, [0.4375, 0.5625, 0.40625]),
        ];
        for (quality, expected) in cases {
            for (label, expected) in expected.into_iter().enumerate() {
                let got = quality.of(label as u32, &p, &thresholds);
                assert!((got - expected).abs() < 1e-15, "{quality:?} of {label}: {got}");
            }
        }
    }
}
