//! Names of the multi-label metrics, and their values.

use std::fmt;

use super::tally::MultiLabelTally;
use crate::ClassMetric;

/// A metric of a [`MultiLabelTally`]. Displayed as scikit-learn spells it: `subset_accuracy` is its
/// `accuracy_score` of label indicators; the labels of [`MultiLabelMetric::Label`] go unnamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiLabelMetric {
    /// Part of the rows whose labels are all as predicted.
    SubsetAccuracy,
    /// Part of all (row, label) that is not as predicted.
    HammingLoss,
    /// An average of precision, recall or F1.
    Average(MultiLabelAverage, ClassMetric),
    /// How far down a row's ranking all its labels are found, on average; a row without labels counts 0.
    CoverageError,
    /// Mean precision at the rank of each label that a row bears, on average; 1 for rows that bear none or
    /// all.
    LabelRankingAveragePrecision,
    /// Mean binary `log_loss` of the labels, in nats.
    LogLoss,
    /// Mean binary `brier_score_loss` of the labels.
    BrierScoreLoss,
    /// A score of one label; undefined where there is no such label.
    Label(usize, ClassMetric),
}

/// How scores become one number. Ratios whose denominator is zero are 0, of labels as well as of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiLabelAverage {
    /// The plain mean over labels.
    Macro,
    /// From counts added up over labels.
    Micro,
    /// The mean over labels weighted by support; 0 where nothing bears any label.
    Weighted,
    /// The plain mean over rows.
    Samples,
}

impl MultiLabelMetric {
    /// Every metric of the whole set.
    pub fn overall() -> Vec<MultiLabelMetric> {
        let averages = MultiLabelAverage::ALL.into_iter();
        let averages = averages
            .flat_map(|average| ClassMetric::ALL.map(|what| MultiLabelMetric::Average(average, what)));
        [MultiLabelMetric::SubsetAccuracy, MultiLabelMetric::HammingLoss]
            .into_iter()
            .chain(averages)
            .chain([
                MultiLabelMetric::CoverageError,
                MultiLabelMetric::LabelRankingAveragePrecision,
                MultiLabelMetric::LogLoss,
                MultiLabelMetric::BrierScoreLoss,
            ])
            .collect()
    }

    /// Precision, recall and F1 of each label, labels in order.
    pub fn per_label(labels: usize) -> Vec<MultiLabelMetric> {
        let each = |label| ClassMetric::ALL.map(|what| MultiLabelMetric::Label(label, what));
        (0..labels).flat_map(each).collect()
    }
}

impl MultiLabelAverage {
    /// All four.
    pub const ALL: [MultiLabelAverage; 4] = [
        MultiLabelAverage::Macro,
        MultiLabelAverage::Micro,
        MultiLabelAverage::Weighted,
        MultiLabelAverage::Samples,
    ];
}

impl MultiLabelTally {
    /// The value of `metric`; `None` without rows, and for a label that there is not.
    pub fn value(&self, metric: MultiLabelMetric) -> Option<f64> {
        let rows = self.rows() as f64;
        let entries = rows * self.labels() as f64;
        if entries == 0.0 {
            return None;
        }
        match metric {
            MultiLabelMetric::SubsetAccuracy => Some(self.exact as f64 / rows),
            MultiLabelMetric::HammingLoss => Some(self.wrong as f64 / entries),
            MultiLabelMetric::Average(MultiLabelAverage::Macro, what) => {
                Some(self.marginals.macro_average(|label| what.of(label)))
            }
            MultiLabelMetric::Average(MultiLabelAverage::Micro, what) => {
                Some(what.of(&self.marginals.micro()))
            }
            MultiLabelMetric::Average(MultiLabelAverage::Weighted, what) => {
                let nothing = self.marginals.total() == 0;
                Some(if nothing { 0.0 } else { self.marginals.weighted_average(|label| what.of(label)) })
            }
            MultiLabelMetric::Average(MultiLabelAverage::Samples, what) => Some(
                match what {
                    ClassMetric::Precision => self.precision,
                    ClassMetric::Recall => self.recall,
                    ClassMetric::F1 => self.f1,
                } / rows,
            ),
            MultiLabelMetric::CoverageError => Some(self.coverage as f64 / rows),
            MultiLabelMetric::LabelRankingAveragePrecision => Some(self.ranking_precision / rows),
            MultiLabelMetric::LogLoss => Some(self.nats / entries),
            MultiLabelMetric::BrierScoreLoss => Some(self.squares / entries),
            MultiLabelMetric::Label(label, what) => {
                (label < self.labels()).then(|| what.of(&self.marginals.class(label)))
            }
        }
    }
}

impl fmt::Display for MultiLabelMetric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MultiLabelMetric::SubsetAccuracy => out.write_str("subset_accuracy"),
            MultiLabelMetric::HammingLoss => out.write_str("hamming_loss"),
            MultiLabelMetric::Average(average, what) => write!(out, "{average}_{what}"),
            MultiLabelMetric::CoverageError => out.write_str("coverage_error"),
            MultiLabelMetric::LabelRankingAveragePrecision => {
                out.write_str("label_ranking_average_precision")
            }
            MultiLabelMetric::LogLoss => out.write_str("log_loss"),
            MultiLabelMetric::BrierScoreLoss => out.write_str("brier_score_loss"),
            MultiLabelMetric::Label(_, what) => what.fmt(out),
        }
    }
}

impl fmt::Display for MultiLabelAverage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            MultiLabelAverage::Macro => "macro",
            MultiLabelAverage::Micro => "micro",
            MultiLabelAverage::Weighted => "weighted",
            MultiLabelAverage::Samples => "samples",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MultiLabel, MultiLabelOutcomes};

    #[test]
    fn where_nothing_is_borne_ratios_are_zero() {
        let rows = MultiLabel::new(&[false; 4], &[0.25, 0.5, 0.0, 0.5], 2).unwrap();
        let tally = MultiLabelOutcomes::of(&rows).tally();
        for metric in MultiLabelMetric::overall().into_iter().chain(MultiLabelMetric::per_label(2)) {
            let value = tally.value(metric).unwrap();
            match metric {
                MultiLabelMetric::SubsetAccuracy | MultiLabelMetric::LabelRankingAveragePrecision => {
                    assert_eq!(value, 1.0, "{metric}");
                }
                MultiLabelMetric::LogLoss | MultiLabelMetric::BrierScoreLoss => {
                    assert!(value > 0.0, "{metric}");
                }
                _ => assert_eq!(value, 0.0, "{metric}"),
            }
        }
    }
}
